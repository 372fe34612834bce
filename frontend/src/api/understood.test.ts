import { expect, it } from "vitest";
import { UNDERSTANDING } from "../testing/samples.ts";
import { sectionsOf } from "./understanding.ts";
import { understoodOf } from "./understood.ts";

it("tells which words decided what", () => {
  expect(understoodOf(UNDERSTANDING)).toEqual([
    { words: "lofi", facts: ["lofi style"] },
    { words: "rainy night", facts: ["calm"] },
    { words: "80 bpm", facts: ["80 bpm"] },
    { words: "drums", facts: ["no drums"] },
    { words: "your settings", facts: ["D minor"] },
  ]);
});

it("tells what a newer engine reports by its name", () => {
  const brief = { room_size: "cathedral", whispered: true, sources: { room_size: "church", whispered: "softly" } };
  expect(understoodOf({ brief })).toEqual([
    { words: "church", facts: ["room size cathedral"] },
    { words: "softly", facts: ["whispered"] },
  ]);
});

it("finds nothing in what is not there or of another kind", () => {
  for (const understanding of [{}, { brief: null }, { brief: { sources: 3 } }, { brief: [], sections: "none" }]) {
    expect(understoodOf(understanding)).toEqual([]);
    expect(sectionsOf(understanding)).toEqual([]);
  }
});
