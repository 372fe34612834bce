import { type MidiEvent, writeMidi } from "midi-file";
import { expect, it } from "vitest";
import { readScore } from "./midi-score.ts";
import { describePart, rollOf } from "./roll-layout.ts";

const on = (deltaTime: number, noteNumber: number, channel = 0, velocity = 90): MidiEvent => ({
  type: "noteOn",
  deltaTime,
  channel,
  noteNumber,
  velocity,
});
const off = (deltaTime: number, noteNumber: number, channel = 0): MidiEvent => ({
  type: "noteOff",
  deltaTime,
  channel,
  noteNumber,
  velocity: 0,
});
const end = (deltaTime = 0): MidiEvent => ({ type: "endOfTrack", deltaTime, meta: true });

/** 100 ticks a quarter; 120 bpm, from the second bar of 3/4 on 60 bpm. */
function score(...parts: MidiEvent[][]) {
  const conductor: MidiEvent[] = [
    { type: "setTempo", deltaTime: 0, meta: true, microsecondsPerBeat: 500_000 },
    { type: "timeSignature", deltaTime: 0, meta: true, numerator: 3, denominator: 4, metronome: 24, thirtyseconds: 8 },
    { type: "setTempo", deltaTime: 300, meta: true, microsecondsPerBeat: 1_000_000 },
    end(600),
  ];
  const bytes = writeMidi({
    header: { format: 1, numTracks: parts.length + 1, ticksPerBeat: 100 },
    tracks: [conductor, ...parts],
  });
  return readScore(new Uint8Array(bytes).buffer);
}

const name = (text: string): MidiEvent => ({ type: "trackName", deltaTime: 0, meta: true, text });

it("reads notes in seconds, through a change of tempo", () => {
  const { parts, bars_s } = score([name("Flute (melody)"), on(200, 72), off(200, 72), end()]);
  expect(parts).toEqual([{ name: "Flute (melody)", isDrums: false, notes: [{ pitch: 72, start_s: 1, end_s: 2.5 }] }]);
  expect(bars_s).toEqual([0, 1.5, 4.5]);
});

it("ends notes by silent ones, and the earlier of two first", () => {
  const { parts } = score([on(0, 60), on(10, 60), on(10, 60, 0, 0), off(20, 60), end()]);
  expect(parts[0]?.notes.map(({ start_s, end_s }) => [start_s, end_s])).toEqual([
    [0, 0.1],
    [0.05, 0.2],
  ]);
});

it("leaves out who does not play", () => {
  expect(score([name("Silent"), end()]).parts).toEqual([]);
});

it("throws where there is no MIDI file", () => {
  expect(() => readScore(new TextEncoder().encode("<!doctype html>").buffer)).toThrow();
});

it("lays out pitches above drums", () => {
  const roll = rollOf(
    score(
      [on(0, 60), off(100, 60), on(0, 71), off(100, 71), end()],
      [on(0, 36, 9), off(10, 36, 9), on(0, 42, 9), off(10, 42, 9), end()],
    ),
  );
  // 12 rows of 8 px, a gap of 14 px, 2 lines of drums.
  expect(roll.height).toBe(12 * 8 + 14 + 2 * 8);
  expect(roll.labels).toEqual([{ y: 92, name: "C4" }]);
  expect(roll.paths[0]).toMatch(/^M0.000 92.0h0.465M0.500 4.0h/);
  expect(roll.paths[1]).toMatch(/^M0.000 122.0h0.070M0.050 114.0h0.070$/);
});

it("lays out a score of nothing but drums, and an empty one", () => {
  expect(rollOf(score([on(0, 36, 9), off(10, 36, 9), end()])).height).toBe(8);
  expect(rollOf({ parts: [], bars_s: [] })).toMatchObject({ height: 0, paths: [], labels: [] });
});

it("says in words what a part plays", () => {
  const [melody, drums] = score(
    [name("Flute"), on(0, 70), off(10, 70), end()],
    [on(0, 36, 9), off(10, 36, 9), end()],
  ).parts;
  expect(melody && describePart(melody)).toBe("Flute: 1 notes from B♭4 to B♭4");
  expect(drums && describePart(drums)).toBe("Part 2: 1 strokes");
});
