// All tracks: found again, played one after the other, deleted and not.
import assert from "node:assert/strict";
import { journey } from "./journey.js";
import { arriveAtTrack, describeSong, makeButton, until } from "./steps.js";

const row = (page, title) => page.getByRole("listitem", { name: title, exact: true });
const undo = (page) => page.getByRole("button", { name: "Undo" });

async function openLibrary(page) {
  await page.goto("/#/library");
  await page.getByRole("list", { name: "Tracks" }).waitFor();
}

async function pressDelete(page, title) {
  await row(page, title)
    .getByRole("button", { name: `More for ${title}` })
    .click();
  await row(page, title).getByRole("button", { name: "Delete" }).click();
  await undo(page).waitFor();
}

const makeTrack = (server, title) => server.generate({ prompt: `${title}, blues`, title, duration: 5, seed: 1 });

journey("a song is found in the library after the page was loaded anew", {}, async ({ page, server }) => {
  await page.goto("/");
  await describeSong(page, "reggae, summer", 5);
  await makeButton(page).click();
  const trackId = await arriveAtTrack(page);
  const { title } = await server.get(`/api/track/${trackId}`);
  await page.reload();
  await page.getByRole("heading", { level: 1, name: title }).waitFor();
  await page.getByRole("link", { name: "Library" }).click();
  await row(page, title).waitFor();
  await page.reload();
  await row(page, title).getByRole("link", { name: title }).click();
  assert.equal(await arriveAtTrack(page), trackId);
});

journey("a track is found by words", {}, async ({ page, server }) => {
  await makeTrack(server, "Needle");
  await makeTrack(server, "Hay");
  await openLibrary(page);
  await row(page, "Hay").waitFor();
  await page.getByRole("searchbox").fill("needle");
  await row(page, "Hay").waitFor({ state: "detached" });
  await row(page, "Needle").waitFor();
});

journey("a track plays on while other views are shown", {}, async ({ page, server }) => {
  await makeTrack(server, "Encore");
  await openLibrary(page);
  await row(page, "Encore").getByRole("button", { name: "Play Encore" }).click();
  await until(page, () => [...document.querySelectorAll("audio")].some((audio) => audio.currentTime > 0.3));
  await page.getByRole("link", { name: "Create" }).click();
  await page.getByRole("button", { name: "Make the song" }).waitFor();
  await page.getByRole("region", { name: "Player" }).getByRole("button", { name: "Pause", exact: true }).click();
  await page.getByRole("region", { name: "Player" }).getByRole("button", { name: "Play", exact: true }).waitFor();
});

journey("a deletion can be undone", {}, async ({ page, server }) => {
  const track = await makeTrack(server, "Regret");
  await openLibrary(page);
  await pressDelete(page, "Regret");
  await row(page, "Regret").waitFor({ state: "detached" });
  await undo(page).click();
  await row(page, "Regret").waitFor();
  await until(page, () => document.activeElement?.textContent === "Regret");
  await page.reload();
  await row(page, "Regret").waitFor();
  assert.equal((await server.get(`/api/track/${track.track_id}`)).status, "done");
});

journey("a deletion that is not undone takes the files along", { refusals: [404] }, async ({ page, server }) => {
  const track = await makeTrack(server, "Farewell");
  await openLibrary(page);
  const deleted = page.waitForResponse((answer) => answer.request().method() === "DELETE");
  await pressDelete(page, "Farewell");
  assert.equal((await deleted).status(), 204);
  await undo(page).waitFor({ state: "detached" });
  for (const path of [`/api/track/${track.track_id}`, track.audio_url, track.formats.wav]) {
    assert.equal((await fetch(server.url + path)).status, 404, path);
  }
  await page.reload();
  await page.getByRole("list", { name: "Tracks" }).waitFor();
  assert.equal(await row(page, "Farewell").count(), 0);
});

journey("a deletion is carried out when the page is left", { refusals: [404] }, async ({ page, server }) => {
  const track = await makeTrack(server, "Exit");
  await openLibrary(page);
  await pressDelete(page, "Exit");
  await page.reload();
  await page.getByRole("list", { name: "Tracks" }).waitFor();
  await until(page, async (path) => (await fetch(path)).status === 404, `/api/track/${track.track_id}`);
});
