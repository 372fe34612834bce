// A real browser, and the ear for everything it complains about.
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const EXECUTABLE = process.env.CHROMIUM ?? "/usr/bin/chromium";
const FLAGS = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** Start a headless browser with a new, empty profile. */
export async function startBrowser() {
  if (!existsSync(EXECUTABLE)) throw new Error(`${EXECUTABLE} is not there: apt-get install chromium, or set CHROMIUM`);
  return chromium.launch({ executablePath: EXECUTABLE, headless: true, chromiumSandbox: false, args: FLAGS });
}

/**
 * Open a window of its own, with empty storage and cache; playwright's context options say how large and in what colours.
 *
 * `complaints()` lists what went wrong so far: errors and warnings of the console (the Content-Security-Policy's among them),
 * exceptions, and requests to anywhere but `url`. `refusals` are HTTP statuses that the test provokes.
 */
export async function openWindow(browser, url, { refusals = [], ...options } = {}) {
  const context = await browser.newContext({ baseURL: url, locale: "en-GB", timezoneId: "UTC", ...options });
  context.setDefaultTimeout(20_000);
  const heard = [];
  const isExpected = (text) =>
    refusals.some((status) => text.includes(`the server responded with a status of ${status}`));
  context.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !isExpected(message.text())) heard.push(message.text());
  });
  context.on("weberror", (error) => heard.push(String(error.error())));
  context.on("request", (request) => {
    const { protocol, host } = new URL(request.url());
    if (protocol.startsWith("http") && host !== new URL(url).host) heard.push(`request to ${request.url()}`);
  });
  const page = await context.newPage();
  return { page, complaints: () => heard, close: () => context.close() };
}
