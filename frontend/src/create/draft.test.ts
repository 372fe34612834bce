import { expect, it } from "vitest";
import { TRACK } from "../testing/samples.ts";
import { draftOf, EMPTY_DRAFT, requestOf } from "./draft.ts";

it("asks only for what was filled in", () => {
  expect(requestOf({ ...EMPTY_DRAFT, prompt: "rain", title: "  " })).toEqual({ prompt: "rain", duration: 30 });
});

it("sends numbers as numbers, and what is none as it was typed", () => {
  const draft = { ...EMPTY_DRAFT, prompt: "rain", duration: "12,5", seed: "7", tempo: "fast", stems: true };
  expect(requestOf(draft)).toEqual({ prompt: "rain", duration: 12.5, seed: 7, tempo: "fast", stems: true });
});

it("asks again for what a track was asked for", () => {
  expect(requestOf(draftOf(TRACK))).toEqual({ prompt: "lofi, rainy night", duration: 30, seed: 7, model: "composer" });
});
