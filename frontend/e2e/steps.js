// What several tests do on the page.

export const promptField = (page) => page.getByRole("textbox", { name: "What should it sound like?" });
export const durationField = (page) => page.getByRole("spinbutton", { name: "Duration, seconds" });
export const makeButton = (page) => page.getByRole("button", { name: "Make the song" });
export const dock = (page) => page.getByRole("region", { name: "Generation" });

/** Fill in the form that is shown. */
export async function describeSong(page, prompt, seconds) {
  await promptField(page).fill(prompt);
  await durationField(page).fill(String(seconds));
}

/** Wait until a track is shown; answers its id. */
export async function arriveAtTrack(page) {
  await page.waitForURL(/#\/track\//);
  await page.getByRole("heading", { level: 1 }).waitFor();
  return decodeURIComponent(new URL(page.url()).hash.split("/")[2]);
}

/** Wait until `probe` answers something true, and answer it; asked again at every picture of the page. */
export async function until(page, probe, argument) {
  const handle = await page.waitForFunction(probe, argument);
  return handle.jsonValue();
}

/** Open a track that is there. */
export async function openTrack(page, { track_id: trackId }) {
  await page.goto(`/#/track/${trackId}`);
  await page.getByRole("heading", { level: 1 }).waitFor();
}
