// How soon something is to be seen, on loopback, with nothing in the cache. Its weight: `npm run check-size`.
import assert from "node:assert/strict";
import { openWindow } from "./browser.js";
import { journey } from "./journey.js";

const BUDGET_MS = 1000;

journey("the first paint comes within a second", {}, async ({ browser, server }) => {
  const times = [];
  for (let nth = 0; nth < 3; nth += 1) times.push(await firstContentfulPaint(browser, server.url));
  const [, median] = times.toSorted((a, b) => a - b);
  console.log(`First contentful paint after ${times.map(Math.round).join(", ")} ms`);
  assert.ok(median < BUDGET_MS);
});

async function firstContentfulPaint(browser, url) {
  const { page, close } = await openWindow(browser, url);
  await page.goto("/");
  const time = await page.evaluate(
    () =>
      new Promise((resolve) => {
        new PerformanceObserver((list) => {
          for (const { name, startTime } of list.getEntries())
            if (name === "first-contentful-paint") resolve(startTime);
        }).observe({ type: "paint", buffered: true });
      }),
  );
  await close();
  return time;
}
