// One track: it sounds, it can be sought in, its close-ups are there.
import assert from "node:assert/strict";
import { journey } from "./journey.js";
import { openTrack, until } from "./steps.js";

const isAt = (seconds) => Math.abs(document.querySelector("audio").currentTime - seconds) < 2;
const isPlayedFor = (seconds) => document.querySelector("audio").currentTime > seconds;

journey("a track plays: its time goes on until it is paused", {}, async ({ page, server }) => {
  const track = await server.generate({ prompt: "bossa nova", duration: 6, seed: 1 });
  await openTrack(page, track);
  const player = page.getByRole("region", { name: `Listen to ${track.title}` });
  await player.getByRole("button", { name: "Play", exact: true }).click();
  await until(page, isPlayedFor, 1);
  await player.getByText("0:01").waitFor();
  await player.getByRole("button", { name: "Pause", exact: true }).click();
  await player.getByRole("button", { name: "Play", exact: true }).waitFor();
  assert.equal(await page.evaluate(() => document.querySelector("audio").paused), true);
});

journey("seeking asks the server for the part that is heard", {}, async ({ page, server }) => {
  const track = await server.generate({ prompt: "ambient, slow", duration: 300, seed: 1 });
  const parts = [];
  page.on("response", async (answer) => {
    if (!answer.url().endsWith(track.audio_url)) return;
    const { range } = await answer.request().allHeaders();
    parts.push({ status: answer.status(), start: Number(/^bytes=(\d+)-/.exec(range)?.[1]) });
  });
  await openTrack(page, track);
  await until(page, () => document.querySelector("audio").readyState > 0);
  const slider = page.getByRole("slider", { name: "Position" });
  const { width, height } = await slider.boundingBox();
  await slider.click({ position: { x: width * 0.8, y: height / 2 } });
  await until(page, isAt, 240);
  await page.getByRole("button", { name: "Play", exact: true }).click();
  await until(page, isPlayedFor, 241);
  assert.ok(
    parts.some(({ status, start }) => status === 206 && start > track.file_size / 2),
    `a Range request for the last part: ${JSON.stringify(parts)}`,
  );

  await slider.focus();
  await page.keyboard.press("Home");
  await until(page, isAt, 0);
  await page.keyboard.press("ArrowRight");
  await until(page, isAt, 5);
});

journey("the notes and the spectrogram are drawn when they are asked for", {}, async ({ page, server }) => {
  await openTrack(page, await server.generate({ prompt: "waltz", duration: 5, seed: 1 }));
  await page.getByRole("tab", { name: "Piano roll" }).click();
  await page.getByRole("tabpanel").locator("canvas, svg").first().waitFor();
  await page.getByRole("tab", { name: "Spectrogram" }).click();
  await until(page, () => document.querySelector("img.spectrogram")?.naturalWidth > 0);
});

journey("a track that is not there is said not to be there", { refusals: [404] }, async ({ page }) => {
  await page.goto("/#/track/absent");
  await page.getByRole("alert").waitFor();
});
