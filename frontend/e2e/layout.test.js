// Nothing is wider than the screen, from the smallest phone on; what is pressed is large enough for a thumb.
import assert from "node:assert/strict";
import { journey } from "./journey.js";
import { load, VIEWS } from "./views.js";

const SCREENS = [
  { width: 320, height: 568 },
  { width: 390, height: 844 },
  { width: 768, height: 1024 },
];

for (const viewport of SCREENS) {
  const options = { viewport, hasTouch: true, isMobile: true };
  journey(`no view is wider than ${viewport.width} pixels`, options, async ({ page, server }) => {
    for (const { name, open } of VIEWS) {
      await open(page, server, load(page));
      const tooWide = await page.evaluate(wideElements);
      assert.deepEqual(tooWide, [], name);
      const { scrolled, shown } = await page.evaluate(() => ({
        scrolled: document.documentElement.scrollWidth,
        shown: document.documentElement.clientWidth,
      }));
      assert.equal(shown, viewport.width, name);
      assert.equal(scrolled, viewport.width, name);
    }
  });
}

/** Elements that reach over the right edge, except inside what scrolls by itself. */
function wideElements() {
  const scrolls = (element) =>
    element && (/auto|scroll|hidden|clip/.test(getComputedStyle(element).overflowX) || scrolls(element.parentElement));
  return [...document.querySelectorAll("main *, header *, .bottom-bars *")]
    .filter((element) => element.getBoundingClientRect().right > innerWidth + 1 && !scrolls(element.parentElement))
    .map((element) => `${element.tagName} .${element.className}`);
}
