// The views of the page, and how one gets there: for tests that hold for all of them, and for the screenshots.
import { promptField, until } from "./steps.js";

let song;

/** One track of the server, made when it is first needed. */
async function songOf(server) {
  song ??= server.generate({ prompt: "lofi hip hop, rainy night, 80 bpm", duration: 30, seed: 7 });
  return (await song).track_id;
}

/** `open(page, server, go)` with a `go` that leads to an address behind the "#". */
export const VIEWS = [
  {
    name: "create",
    async open(page, server, go) {
      await go("#/");
      await promptField(page).fill("lofi hip hop, rainy night, 80 bpm");
      await page.getByRole("heading", { name: "What the engine understood" }).waitFor();
      await page.getByRole("radio", { name: "composer" }).waitFor();
    },
  },
  {
    name: "listen",
    async open(page, server, go) {
      await go(`#/track/${await songOf(server)}`);
      await page.getByRole("heading", { name: "Take it away" }).waitFor();
      await page.locator(".waveform path").first().waitFor({ state: "attached" });
      await page.getByRole("tabpanel").locator("canvas, svg").first().waitFor();
    },
  },
  {
    name: "library",
    async open(page, server, go) {
      const trackId = await songOf(server);
      await go("#/library");
      const row = page.getByRole("listitem").filter({ has: page.locator(`a[href$="${trackId}"]`) });
      await row.getByRole("button", { name: /^More for/ }).click();
      await row.getByRole("button", { name: "Rename" }).waitFor();
      await until(page, () => document.querySelectorAll(".track-list > li").length > 0);
    },
  },
  {
    name: "plan",
    async open(page, server, go) {
      await go(`#/plan/${await songOf(server)}`);
      await page.getByRole("listbox", { name: "Sections" }).waitFor();
      await page.getByText(/^It can be played/).waitFor();
    },
  },
];

/** Lead a window to an address by loading the page there. */
export const load = (page) => (hash) => page.goto(`/${hash}`);
/** Lead there as a link does, so that what is under way goes on. */
export const follow = (page) => (hash) => page.evaluate((to) => void (location.hash = to), hash);
