// The plan of a track is changed, judged by the server, and made.
import assert from "node:assert/strict";
import { journey } from "./journey.js";
import { arriveAtTrack, dock, openTrack } from "./steps.js";

journey("a plan is edited, and the song is made by it", { refusals: [422] }, async ({ page, server }) => {
  const track = await server.generate({ prompt: "lofi, 90 bpm", duration: 15, seed: 1 });
  await openTrack(page, track);
  await page.getByRole("link", { name: "Use as plan" }).click();
  await page.getByRole("listbox", { name: "Sections" }).waitFor();
  await page.getByText(/^It can be played/).waitFor();

  const chord = page.getByRole("textbox", { name: "Bar 1", exact: true });
  await chord.fill("H7");
  await page.getByText("It cannot be played yet: one mistake.").waitFor();
  await chord.fill("Am7");
  await page.getByText(/^It can be played/).waitFor();

  await page.getByRole("button", { name: "Duplicate" }).click();
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByRole("button", { name: "One bar more" }).click();
  await page.getByRole("textbox", { name: "Tempo, bpm" }).fill("100");
  await page.getByText(/^It can be played/).waitFor();
  await page.getByRole("button", { name: "Make it" }).click();
  await dock(page)
    .getByRole("link", { name: /^Listen to/ })
    .click();
  const remade = await server.get(`/api/track/${await arriveAtTrack(page)}`);

  assert.notEqual(remade.track_id, track.track_id);
  assert.equal(remade.tempo, 100);
  assert.equal(remade.plan.sections[0].bars, track.plan.sections[0].bars + 1);
  assert.equal(remade.plan.sections[0].chords[0], "Am7");
  assert.equal(remade.plan.sections.length, track.plan.sections.length);
});
