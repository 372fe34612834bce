import { describe, expect, it } from "vitest";
import { advance, historyOf, redo, undo } from "./history.ts";
import { mistakesOf } from "./mistakes.ts";
import { nearest } from "./nearest.ts";
import { stepsBetween, transposeBar } from "./transpose.ts";

describe("history", () => {
  it("goes back and forth", () => {
    const history = advance(advance(historyOf(1), 2), 3);
    expect(undo(history).now).toBe(2);
    expect(redo(undo(history))).toEqual(history);
    expect(advance(undo(history), 4).future).toEqual([]);
    expect(undo(historyOf(1)).now).toBe(1);
    expect(redo(history)).toBe(history);
  });

  it("takes changes of one subject for one step, until another comes between", () => {
    const dragged = [2, 3, 4].reduce((history, value) => advance(history, value, "energy"), historyOf(1));
    expect(dragged.past).toEqual([1]);
    expect(advance(advance(dragged, 5, "bars"), 6, "energy").past).toEqual([1, 4, 5]);
    expect(advance(undo(dragged), 7, "energy").past).toEqual([1]);
  });
});

describe("transposition", () => {
  it.each([
    ["C major", "D major", 2],
    ["C dorian", "Bb dorian", -2],
    ["F# minor", "C minor", 6],
    ["c", "g", -5],
    ["C", "H", 0],
  ])("from %s to %s goes %i semitones", (from, to, steps) => expect(stepsBetween(from, to)).toBe(steps));

  it.each([
    ["C#m7b5 F/A", 2, "E minor", "D#m7b5 G/B"],
    ["Bbmaj7 Eb", 2, "C major", "Cmaj7 F"],
    ["Cm9", 1, "Db dorian", "C#m9"],
    ["Cm9", 3, "Eb minor", "D#m9"],
    ["Cm7", 5, "F minor", "Fm7"],
    ["F7", 5, "F minor", "Bb7"],
    ["what?  C", 2, "D", "what?  D"],
  ])("moves %s by %i in %s", (bar, by, key, moved) => expect(transposeBar(bar, by, key)).toBe(moved));
});

it("finds the place of every mistake", () => {
  const mistakes = mistakesOf({
    "plan.tempo": ["slow"],
    "plan.key": ["H"],
    "plan.last_chord": ["what"],
    "plan.sections": ["too long"],
    "plan.sections.1.chords.3": ["no chord"],
    "plan.sections.1.chords": ["none"],
    "plan.sections.1.bars": ["many"],
    "plan.sections.0.to_energy": ["high"],
    "plan.sections.0.over": ["whose"],
  });
  expect(mistakes).toMatchObject({ tempo: ["slow"], key: ["H"], lastChord: ["what"], others: ["too long"] });
  expect(mistakes.sections.get(1)).toEqual({
    bars: ["many"],
    energy: [],
    chords: new Map([[3, ["no chord"]]]),
    others: ["none"],
  });
  expect(mistakes.sections.get(0)).toMatchObject({ energy: ["high"], others: ["whose"] });
});

it("finds the nearest of boxes in several lines", () => {
  const box = (left: number, top: number) => ({ left, right: left + 10, top, bottom: top + 10 });
  const boxes = [box(0, 0), box(12, 0), box(0, 20)];
  expect(nearest(boxes, 13, 5)).toBe(1);
  expect(nearest(boxes, 100, 5)).toBe(1);
  expect(nearest(boxes, 5, 100)).toBe(2);
  expect(nearest(boxes, -5, -5)).toBe(0);
});
