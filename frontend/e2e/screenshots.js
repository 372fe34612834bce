// Makes the pictures of docs/page.md: every view by day, by night and on a phone. `make page-screenshots`
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openWindow, startBrowser } from "./browser.js";
import { startServer } from "./server.js";
import { load, VIEWS } from "./views.js";

const FOLDER = join(import.meta.dirname, "../../docs/screenshots");
const WINDOWS = [
  { name: "light", viewport: { width: 1280, height: 800 }, colorScheme: "light" },
  { name: "dark", viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
  { name: "phone", viewport: { width: 390, height: 844 }, colorScheme: "light", isMobile: true, hasTouch: true },
];
/** So that the library is no empty one; all but the last, which the views show, are short. */
const PROMPTS = [
  "bossa nova by the sea, with flute",
  "slow blues in E, solo guitar",
  "techno, dark, 138 bpm",
  "waltz in D major, strings",
  "reggae, summer",
];

mkdirSync(FOLDER, { recursive: true });
const server = await startServer();
const browser = await startBrowser();
try {
  for (const prompt of PROMPTS) await server.generate({ prompt, duration: 10, seed: 7 });
  for (const { name, ...options } of WINDOWS) {
    const { page, close } = await openWindow(browser, server.url, { reducedMotion: "reduce", ...options });
    // The same examples each time.
    await page.addInitScript(() => (Math.random = () => 0));
    for (const view of VIEWS) {
      await view.open(page, server, load(page));
      await page.evaluate(() => document.fonts.ready);
      // A window as high as the page: playwright's `fullPage` forgets for a moment that a phone has no mouse.
      const height = await page.evaluate(() => document.documentElement.scrollHeight);
      await page.setViewportSize({ width: options.viewport.width, height });
      await page.screenshot({ path: join(FOLDER, `${view.name}-${name}.png`) });
      await page.setViewportSize(options.viewport);
    }
    await close();
  }
} finally {
  await browser.close();
  await server.stop();
}
