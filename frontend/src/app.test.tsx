import { act, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";
import { App } from "./app.tsx";
import { eventStream, failure, serve } from "./testing/fake-server.ts";
import { ANSWERS, TRACK } from "./testing/samples.ts";

/** What the frame tells; views tell of themselves. */
const status = () => screen.getAllByRole("status").find((place) => !place.closest("main"))?.textContent;

/** Fill in a prompt and submit it; the stream of the generation is the test's. */
async function startSong() {
  let stream = eventStream();
  serve({
    ...ANSWERS,
    "POST /api/generate": ({ signal }: { signal: AbortSignal }) => (stream = eventStream(signal)).response,
  });
  render(<App />);
  const user = userEvent.setup();
  await user.type(screen.getByLabelText("What should it sound like?"), "rain");
  await user.click(screen.getByRole("button", { name: "Make the song" }));
  const tell = (name: string, data: unknown) =>
    act(async () => {
      stream.send(name, data);
      await Promise.resolve();
    });
  await tell("progress", { stage: "render", fraction: 0.25, seconds_left: 61.2 });
  return { user, tell };
}

it("makes a song: progress, then the track to listen to, with the focus in it", async () => {
  const { user, tell } = await startSong();
  const bar = await screen.findByRole<HTMLProgressElement>("progressbar");
  expect(bar.value).toBe(0.25);
  expect(screen.getByText("1 min 2 s left")).toBeTruthy();
  expect(status()).toBe("Playing");
  await tell("track", TRACK);
  expect(await screen.findByRole("heading", { name: "Rainy Night" })).toBeTruthy();
  expect(location.hash).toBe("#/track/3bd1");
  expect(status()).toBe("Done: Rainy Night");
  expect(document.activeElement?.tagName).toBe("MAIN");
  const player = screen.getByRole("region", { name: "Listen to Rainy Night" });
  expect(player.querySelector("audio")?.getAttribute("src")).toBe("/output/3bd1.mp3");
  await user.click(screen.getByRole("link", { name: "Library" }));
  await waitFor(() => expect(screen.queryByRole("region", { name: "Generation" })).toBeNull());
});

it("cancels by hanging up, and keeps the focus", async () => {
  const { user } = await startSong();
  await user.click(await screen.findByRole("button", { name: "Cancel" }));
  await waitFor(() => expect(status()).toBe("Cancelled."));
  expect(document.activeElement).toBe(screen.getByRole("button", { name: "Close" }));
  await user.click(screen.getByRole("button", { name: "Close" }));
  expect(screen.queryByRole("region", { name: "Generation" })).toBeNull();
});

it("lets a person look around meanwhile, and does not call them back", async () => {
  const { user, tell } = await startSong();
  await user.click(screen.getByRole("link", { name: "Library" }));
  expect(await screen.findByRole("heading", { name: "Library" })).toBeTruthy();
  await tell("track", TRACK);
  expect(await screen.findByRole("link", { name: "Listen to “Rainy Night”" })).toBeTruthy();
  expect(location.hash).toBe("#/library");
});

it("tells a failure, and forgets it when the form is changed", async () => {
  serve({ ...ANSWERS, "POST /api/generate": () => failure(503, "Every place in line is taken.") });
  render(<App />);
  const user = userEvent.setup();
  await user.type(screen.getByLabelText("What should it sound like?"), "rain");
  await user.click(screen.getByRole("button", { name: "Make the song" }));
  await waitFor(() => expect(status()).toBe("Every place in line is taken."));
  await user.type(screen.getByLabelText("What should it sound like?"), ".");
  expect(status()).toBe("");
});

it("keeps the draft while another view is shown", async () => {
  serve(ANSWERS);
  render(<App />);
  const user = userEvent.setup();
  await user.type(screen.getByLabelText("What should it sound like?"), "rain");
  await user.click(screen.getByRole("link", { name: "Library" }));
  await user.click(await screen.findByRole("link", { name: "Create" }));
  expect((await screen.findByLabelText<HTMLTextAreaElement>("What should it sound like?")).value).toBe("rain");
});

it("says so where a track is not there", async () => {
  serve({ "GET /api/track/zz": () => failure(404, "There is no track 'zz'.") });
  location.hash = "#/track/zz";
  render(<App />);
  expect((await screen.findByRole("alert")).textContent).toContain("There is no track 'zz'.");
});

it("lists the tracks", async () => {
  serve(ANSWERS);
  location.hash = "#/library";
  render(<App />);
  expect((await screen.findByRole("link", { name: "Rainy Night" })).getAttribute("href")).toBe("#/track/3bd1");
});

it("switches between light and dark, and remembers it", async () => {
  serve(ANSWERS);
  render(<App />);
  const user = userEvent.setup();
  const dark = screen.getByRole("switch", { name: "Dark colours" });
  expect(dark.getAttribute("aria-checked")).toBe("false");
  await user.click(dark);
  expect(dark.getAttribute("aria-checked")).toBe("true");
  expect(document.documentElement.dataset.theme).toBe("dark");
  expect(localStorage.getItem("musicgen.theme")).toBe("dark");
  await user.click(dark);
  expect(localStorage.getItem("musicgen.theme")).toBeNull();
});
