// What every test of the page in a browser has: a server, a browser, a window, and no complaints at the end.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openWindow, startBrowser } from "./browser.js";
import { startServer } from "./server.js";

const PATIENCE_MS = 120_000;
let server;
let browser;

before(async () => {
  server = await startServer();
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/**
 * A test in a window of its own; the server and its library are the file's.
 *
 * @param options of `openWindow`
 * @param steps called with `{ page, server, browser }`
 */
export function journey(name, options, steps) {
  test(name, { timeout: PATIENCE_MS }, async () => {
    const { page, complaints, close } = await openWindow(browser, server.url, options);
    try {
      await steps({ page, server, browser });
      assert.deepEqual(complaints(), []);
    } finally {
      server.goOn();
      await close();
    }
  });
}
