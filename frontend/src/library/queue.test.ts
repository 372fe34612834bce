import { expect, it } from "vitest";
import { toListedTrack } from "../api/tolerance.ts";
import { currentOf, EMPTY_QUEUE, enqueue, goTo, type Queue, startFrom, withoutTrack, withTrack } from "./queue.ts";

const track = (id: string, sounds = true) =>
  toListedTrack({ track_id: id, title: id, audio_url: sounds ? `/output/${id}.mp3` : null });
const list = [track("a"), track("failed", false), track("b"), track("c")];
const ids = ({ tracks }: Queue) => tracks.map(({ track_id }) => track_id).join("");

it("plays a list from a track on, without those that have no sound", () => {
  const queue = startFrom(EMPTY_QUEUE, "b", list);
  expect(ids(queue)).toBe("abc");
  expect(currentOf(queue)?.track_id).toBe("b");
  expect(startFrom(queue, "failed", list)).toBe(queue);
});

it("ends at the last track", () => {
  const last = goTo(startFrom(EMPTY_QUEUE, "b", list), 2);
  expect(currentOf(last)?.track_id).toBe("c");
  expect(goTo(last, 3)).toBe(last);
});

it("takes tracks in behind the one that plays, or behind all, and begins where nothing plays", () => {
  const queue = startFrom(EMPTY_QUEUE, "a", list);
  expect(ids(enqueue(queue, track("x"), "next"))).toBe("axbc");
  expect(ids(enqueue(queue, track("x"), "last"))).toBe("abcx");
  expect(currentOf(enqueue(EMPTY_QUEUE, track("x"), "last"))?.track_id).toBe("x");
});

it("goes on with the next track where the one that plays is taken out", () => {
  const queue = startFrom(EMPTY_QUEUE, "b", list);
  expect(currentOf(withoutTrack(queue, "b"))?.track_id).toBe("c");
  expect(withoutTrack(queue, "b").turn).toBe(queue.turn + 1);
  const other = withoutTrack(queue, "a");
  expect([currentOf(other)?.track_id, other.turn]).toEqual(["b", queue.turn]);
  expect(withoutTrack(queue, "x")).toBe(queue);
  expect(currentOf(withoutTrack(startFrom(EMPTY_QUEUE, "a", [track("a")]), "a"))).toBeNull();
});

it("hears of new titles", () => {
  const queue = withTrack(startFrom(EMPTY_QUEUE, "a", list), { ...track("a"), title: "New" });
  expect(currentOf(queue)?.title).toBe("New");
});
