import { expect, it } from "vitest";
import { duplicate, move, remove, setChord, setEnergy, setKey, setTempo, stretch } from "./edits.ts";
import { barsOf, draftOf, durationOf, planOf } from "./plan-draft.ts";

const PLAN = {
  style: "waltz",
  tempo: 90,
  key: "C major",
  time_signature: "3/4",
  duration: 18.8,
  sections: [
    { name: "verse", material: "verse", bars: 4, energy: 0.4, to_energy: 0.5, over: "", chords: ["C", "F", "G7", "C"] },
    { name: "chorus", material: "chorus", bars: 4, energy: 0.9, to_energy: 0.95, over: "verse", chords: ["Am", "Dm"] },
  ],
  close: "ring",
  last_chord: "C",
  a_field_of_tomorrow: { kept: true },
};
const draft = draftOf(PLAN);
const sectionsOf = (plan: Record<string, unknown>) => plan.sections as Record<string, unknown>[];

it("writes a plan that was not changed as it came", () => {
  expect(planOf(draft)).toEqual(PLAN);
  expect(durationOf(draft)).toBe(18.8);
});

it("leaves the duration out where bars or tempo have changed, and counts it", () => {
  const longer = stretch(0, 6)(draft);
  expect(planOf(longer)).not.toHaveProperty("duration");
  expect(barsOf(longer)).toBe(10);
  expect(durationOf(longer)).toBeCloseTo(10 * 2 + 2.8);
  expect(durationOf(setTempo("180")(draft))).toBeCloseTo(8 + 2.8);
  expect(durationOf(setTempo("fast")(draft))).toBeNull();
  expect(planOf(setTempo("fast")(draft)).tempo).toBe("fast");
  expect(planOf(move(0, 1)(draft)).duration).toBe(18.8);
});

it("moves sections, and no further than to the ends", () => {
  expect(sectionsOf(planOf(move(0, 1)(draft)))).toEqual(PLAN.sections.toReversed());
  expect(move(0, 2)(draft)).toBe(draft);
});

it("repeats the chords of a section that grows, and gives those back that were cut off", () => {
  const grown = stretch(0, 6)(draft);
  expect(sectionsOf(planOf(grown))[0]?.chords).toEqual(["C", "F", "G7", "C", "C", "F"]);
  const cut = stretch(0, 2)(draft);
  expect(sectionsOf(planOf(cut))[0]?.chords).toEqual(["C", "F"]);
  expect(planOf(stretch(0, 4)(cut))).toEqual(PLAN);
  expect(stretch(0, 0)(draft)).toEqual(draft);
});

it("changes chords, and energy with the energy at the end", () => {
  const [verse, chorus] = sectionsOf(planOf(setEnergy(1, 1)(setChord(0, 2, "G")(draft))));
  expect(verse?.chords).toEqual(["C", "F", "G", "C"]);
  expect([chorus?.energy, chorus?.to_energy]).toEqual([1, 1]);
  expect(sectionsOf(planOf(setEnergy(0, 0.2)(draft)))[0]?.to_energy).toBe(0.3);
});

it("duplicates a section under a name of its own for the page, and keeps one at least", () => {
  const twice = duplicate(0)(draft);
  expect(new Set(twice.sections.map(({ id }) => id)).size).toBe(3);
  expect(sectionsOf(planOf(twice))[1]).toEqual(PLAN.sections[0]);
  const one = remove(0)(draft);
  expect(one.sections).toHaveLength(1);
  expect(remove(0)(one)).toBe(one);
});

it("lets a section play chords of its own where those that it borrowed are gone", () => {
  expect(sectionsOf(planOf(remove(0)(draft)))[0]?.over).toBe("");
});

it("moves the chords along with the key", () => {
  const moved = setKey("Eb major")(draft);
  expect(moved.sections[0]?.chords).toEqual(["Eb", "Ab", "Bb7", "Eb"]);
  expect([moved.key, moved.lastChord]).toEqual(["Eb major", "Eb"]);
  expect(setKey("C minor")(draft).sections).toBe(draft.sections);
  expect(setKey("H")(draft).sections).toBe(draft.sections);
});

it("reads plans of an engine that says less", () => {
  const sparse = { sections: [{ name: "all", bars: 8 }] };
  expect(planOf(draftOf(sparse))).toEqual({ sections: [{ name: "all", bars: 8, energy: 0 }] });
});
