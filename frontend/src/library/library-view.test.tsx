import { act, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, it, vi } from "vitest";
import { App } from "../app.tsx";
import { type Answers, type Asked, failure, serve } from "../testing/fake-server.ts";
import { ANSWERS, TRACK } from "../testing/samples.ts";
import { UNDO_MS } from "./use-deletions.ts";

const SECOND = { ...TRACK, track_id: "2", title: "Second", prompt: "second", created_at: "2026-11-22T09:00:00+00:00" };
const FAILED = {
  ...TRACK,
  track_id: "3",
  title: "Third",
  status: "failed",
  audio_url: null,
  duration: null,
  error: "It was too loud.",
  created_at: "2026-11-22T08:00:00+00:00",
};

async function open(answers: Answers = {}) {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  const asked = serve({ ...ANSWERS, "GET /api/tracks": [TRACK, SECOND, FAILED], ...answers });
  location.hash = "#/library";
  const page = render(<App />);
  await screen.findByRole("link", { name: "Rainy Night" });
  const user = userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTime(ms) });
  return { asked, user, ...page };
}

const row = (name: string) => screen.getByRole("listitem", { name });
const status = () => document.querySelector(".library > [role=status]")?.textContent;
const sound = () => {
  const audio = document.querySelector("audio");
  if (!audio) throw new Error("There is no <audio>.");
  return audio;
};
const openMenu = async (user: ReturnType<typeof userEvent.setup>, name: string) =>
  user.click(screen.getByRole("button", { name: `More for ${name}` }));

afterEach(() => {
  vi.useRealTimers();
});

it("lists tracks with what is known of them", async () => {
  await open();
  expect(status()).toBe("3 tracks");
  expect(row("Rainy Night").textContent).toMatch(/lofi, rainy night0:30 · .* · composer/);
  expect(row("Third").textContent).toMatch(/failed · .*It was too loud\./);
  expect(screen.queryByRole("button", { name: "Play Third" })).toBeNull();
});

it("searches when the keyboard rests, tells how many there are, and keeps the words in the address", async () => {
  const { asked, user } = await open({
    "GET /api/tracks": ({ query }: Asked) => (query.get("search") ? [SECOND] : [TRACK, SECOND]),
  });
  await user.type(screen.getByRole("searchbox"), " sec ond ");
  await waitFor(() => expect(status()).toBe("1 track with “sec ond”"));
  expect(asked.filter(({ query }) => query.has("search"))).toHaveLength(1);
  expect(screen.queryByRole("link", { name: "Rainy Night" })).toBeNull();
  expect(location.hash).toBe("#/library/sec%20ond");
});

it("loads more on demand and moves the focus to what came", async () => {
  const pagination = { "X-Pagination": JSON.stringify({ total: 2, total_pages: 2 }) };
  let items = [TRACK];
  const { user } = await open({ "GET /api/tracks": () => Response.json(items, { headers: pagination }) });
  items = [TRACK, SECOND];
  await user.click(screen.getByRole("button", { name: "Show more" }));
  await waitFor(() => expect(document.activeElement).toBe(screen.getByRole("link", { name: "Second" })));
  expect(screen.queryByRole("button", { name: "Show more" })).toBeNull();
});

it("renames in place, tells mistakes there, and gives the focus back", async () => {
  const { asked, user } = await open({
    "PATCH /api/track/3bd1": ({ body }: { body: { title: string } }) =>
      body.title.trim() ? { ...TRACK, title: body.title } : failure(422, "…", { title: ["Must be visible."] }),
  });
  await openMenu(user, "Rainy Night");
  await user.click(screen.getByRole("button", { name: "Rename" }));
  const field = screen.getByLabelText<HTMLInputElement>("New title");
  expect(document.activeElement).toBe(field);
  await user.clear(field);
  await user.type(field, " {Enter}");
  expect(await screen.findByText("Must be visible.")).toBeTruthy();
  await user.type(field, "Sun{Enter}");
  expect(await screen.findByRole("link", { name: "Sun" })).toBeTruthy();
  expect(asked.at(-1)?.body).toEqual({ title: " Sun" });
  expect(document.activeElement?.getAttribute("aria-label")).toContain("More for");
});

it("leaves the title as it was on Escape", async () => {
  const { user } = await open();
  await openMenu(user, "Second");
  await user.click(screen.getByRole("button", { name: "Rename" }));
  await user.keyboard("X{Escape}");
  expect(screen.getByRole("link", { name: "Second" })).toBeTruthy();
});

it("brings a deleted track back, and the focus with it", async () => {
  const { asked, user } = await open();
  await openMenu(user, "Second");
  await user.click(screen.getByRole("button", { name: "Delete" }));
  expect(status()).toBe("2 tracks");
  expect(document.activeElement).toBe(screen.getByRole("button", { name: "Undo" }));
  await user.keyboard("{Enter}");
  expect(document.activeElement).toBe(screen.getByRole("link", { name: "Second" }));
  await act(() => vi.advanceTimersByTimeAsync(UNDO_MS));
  expect(asked.some(({ call }) => call.startsWith("DELETE"))).toBe(false);
});

it("deletes a little later, and hands the focus on to the next track", async () => {
  const { asked, user } = await open({ "DELETE /api/track/2": () => new Response(null, { status: 204 }) });
  await openMenu(user, "Second");
  await user.click(screen.getByRole("button", { name: "Delete" }));
  await act(() => vi.advanceTimersByTimeAsync(UNDO_MS));
  expect(asked.at(-1)).toMatchObject({ call: "DELETE /api/track/2", keepalive: true });
  expect(screen.queryByText(/is deleted/)).toBeNull();
  expect(document.activeElement).toBe(screen.getByRole("link", { name: "Third" }));
});

it("deletes at once when the page or the view is left", async () => {
  const { asked, user, unmount } = await open();
  await openMenu(user, "Second");
  await user.click(screen.getByRole("button", { name: "Delete" }));
  fireEvent(window, new Event("pagehide"));
  expect(asked.at(-1)).toMatchObject({ call: "DELETE /api/track/2", keepalive: true });
  // What is gone already is as good as deleted.
  await waitFor(() => expect(screen.queryByText(/is deleted/)).toBeNull());
  await openMenu(user, "Third");
  await user.click(within(row("Third")).getByRole("button", { name: "Delete" }));
  unmount();
  expect(asked.at(-1)?.call).toBe("DELETE /api/track/3");
});

it("brings a track back that could not be deleted, and says why", async () => {
  const { user } = await open({ "DELETE /api/track/2": () => failure(503, "The database is away.") });
  await openMenu(user, "Second");
  await user.click(screen.getByRole("button", { name: "Delete" }));
  await act(() => vi.advanceTimersByTimeAsync(UNDO_MS));
  const alert = await screen.findByText("It could not be deleted: The database is away.");
  expect(row("Second").contains(alert)).toBe(true);
  expect(document.activeElement).toBe(screen.getByRole("link", { name: "Second" }));
});

it("says so where there is nothing, and where the server is away", async () => {
  serve({ "GET /api/tracks": [] });
  location.hash = "#/library";
  const { unmount } = render(<App />);
  expect(await screen.findByText("No tracks yet")).toBeTruthy();
  expect(screen.getByRole("link", { name: "Make the first song." })).toBeTruthy();
  unmount();
  serve({ "GET /api/tracks": () => failure(503, "The database is away.") });
  render(<App />);
  expect((await screen.findByRole("alert")).textContent).toContain("The database is away.");
});

it("plays from a track on, across the views, and removes what is deleted", async () => {
  const { user } = await open();
  const play = vi.spyOn(HTMLMediaElement.prototype, "play");
  await user.click(screen.getByRole("button", { name: "Play Rainy Night" }));
  const audio = sound();
  expect(audio.getAttribute("src")).toBe("/output/3bd1.mp3");
  expect(play).toHaveBeenCalledTimes(1);
  fireEvent.play(audio);
  expect(screen.getByRole("button", { name: "Pause Rainy Night" })).toBeTruthy();
  await user.click(screen.getByRole("link", { name: "Create" }));
  fireEvent.ended(audio);
  const player = screen.getByRole("region", { name: "Player" });
  expect(within(player).getByRole("link", { name: "Second" })).toBeTruthy();
  expect(play).toHaveBeenCalledTimes(2);
  expect(within(player).getByRole("button", { name: "Next" }).getAttribute("aria-disabled")).toBe("true");
  fireEvent.error(audio);
  expect(screen.getByText("“Second” cannot be played.")).toBeTruthy();
  await user.click(within(player).getByRole("button", { name: "Queue" }));
  await user.click(within(player).getByRole("button", { name: "Rainy Night" }));
  expect(within(player).getByRole("link", { name: "Rainy Night" })).toBeTruthy();
  await user.keyboard("{Escape}");
  expect(document.activeElement).toBe(within(player).getByRole("button", { name: "Queue" }));
  await user.click(within(player).getByRole("button", { name: "Close the player" }));
  expect(screen.queryByRole("region", { name: "Player" })).toBeNull();
  expect(document.activeElement?.tagName).toBe("MAIN");
});

it("stops where another player of the page begins", async () => {
  const { user } = await open();
  await user.click(screen.getByRole("button", { name: "Play Rainy Night" }));
  const audio = sound();
  const pause = vi.spyOn(audio, "pause");
  const other = document.body.appendChild(document.createElement("audio"));
  fireEvent.play(other);
  expect(pause).toHaveBeenCalled();
  const otherPause = vi.spyOn(other, "pause");
  fireEvent.play(audio);
  expect(otherPause).toHaveBeenCalled();
  other.remove();
});
