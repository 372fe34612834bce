import { expect, it } from "vitest";
import { toListedTrack } from "../api/tolerance.ts";
import { type Asked, serve } from "../testing/fake-server.ts";
import { loadAfter, merge, PAGE_SIZE } from "./pages.ts";

/** The nth track, of which a higher number is newer. */
const track = (n: number) =>
  toListedTrack({ track_id: `t${n}`, created_at: `2026-11-22T10:${String(n).padStart(2, "0")}:00+00:00` });
const tracks = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, n) => track(from - n));

/** A server that has these tracks. */
function serveTracks(all: ReturnType<typeof tracks>): Asked[] {
  const totalPages = Math.ceil(all.length / PAGE_SIZE);
  return serve({
    "GET /api/tracks": ({ query }: Asked) => {
      const first = (Number(query.get("page")) - 1) * PAGE_SIZE;
      const headers = { "X-Pagination": JSON.stringify({ total: all.length, total_pages: totalPages }) };
      return Response.json(all.slice(first, first + PAGE_SIZE), { headers });
    },
  });
}

it("keeps tracks in their order, once, as they are now", () => {
  const renamed = { ...track(3), title: "New" };
  expect(merge([track(3), track(1)], [track(4), track(2), renamed])).toEqual([track(4), renamed, track(2), track(1)]);
});

it("orders dates with and without parts of a second", () => {
  const at = (track_id: string, time: string) => toListedTrack({ track_id, created_at: `2026-11-22T${time}+00:00` });
  const sorted = merge([at("early", "10:00:00")], [at("late", "10:00:00.5")]);
  expect(sorted.map(({ track_id }) => track_id)).toEqual(["late", "early"]);
});

it("loads what comes after a full page", async () => {
  serveTracks(tracks(45, 1));
  expect((await loadAfter(tracks(45, 26), "")).items[0]).toEqual(track(25));
});

it("looks at a page again from which tracks were deleted", async () => {
  const asked = serveTracks(tracks(44, 1));
  const { items } = await loadAfter(tracks(44, 26), "night");
  expect(asked.map(({ query }) => [query.get("page"), query.get("search")])).toEqual([["1", "night"]]);
  expect(items.at(-1)).toEqual(track(25));
});

it("goes on over pages that hold nothing new, because others have made tracks meanwhile", async () => {
  const asked = serveTracks(tracks(59, 1));
  const { items } = await loadAfter([...tracks(39, 20)], "");
  expect(asked.map(({ query }) => query.get("page"))).toEqual(["2", "3"]);
  expect(items[0]).toEqual(track(19));
});
