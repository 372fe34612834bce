// `npm run dev` serves the page from its sources and hands /api and /output on to Flask.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { join } from "node:path";
import { openWindow } from "./browser.js";
import { journey } from "./journey.js";
import { startProgram } from "./server.js";
import { arriveAtTrack, describeSong, makeButton, until } from "./steps.js";

const FRONTEND = join(import.meta.dirname, "..");

journey("a song is made and heard through the development server", {}, async ({ browser, server }) => {
  const port = await freePort();
  const vite = startProgram(join(FRONTEND, "node_modules/.bin/vite"), ["--port", port, "--host", "127.0.0.1"], {
    cwd: FRONTEND,
    env: { ...process.env, MUSICGEN_URL: server.url, NO_COLOR: "1" },
  });
  try {
    await vite.line(/ready in/);
    const { page, complaints, close } = await openWindow(browser, `http://127.0.0.1:${port}`);
    await page.goto("/");
    await describeSong(page, "disco", 5);
    await makeButton(page).click();
    const track = await server.get(`/api/track/${await arriveAtTrack(page)}`);
    assert.equal(track.status, "done");
    await until(page, () => document.querySelector("audio").readyState > 0);
    assert.deepEqual(complaints(), []);
    await close();
  } finally {
    await vite.stop();
  }
});

function freePort() {
  return new Promise((resolve) => {
    const holder = createServer().listen(0, "127.0.0.1", () => {
      const { port } = holder.address();
      holder.close(() => resolve(String(port)));
    });
  });
}
