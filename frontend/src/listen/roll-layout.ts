// Where the notes of a score stand in the piano roll: x in seconds, y in pixels. Drums have lines of their own below.
import type { Note, Part, Score } from "./midi-score.ts";

export interface Roll {
  height: number;
  /** In the score's order: an SVG path of horizontal strokes. */
  paths: string[];
  /** y of the names of the octaves: "C4". */
  labels: { y: number; name: string }[];
  rowHeight: number;
}

const TALLEST_ROW_PX = 8;
const PITCHED_HEIGHT_PX = 300;
const DRUM_ROW_PX = 8;
const GAP_PX = 14;
/** Seconds: a drum is struck, not held. */
const DRUM_STROKE_S = 0.07;
/** Share of a note that is drawn, so that repeated notes stay apart. */
const DRAWN = 0.93;

export function rollOf({ parts }: Score): Roll {
  const pitched = parts.filter(({ isDrums }) => !isDrums).flatMap(({ notes }) => notes.map(({ pitch }) => pitch));
  const drums = [
    ...new Set(parts.filter(({ isDrums }) => isDrums).flatMap(({ notes }) => notes.map(({ pitch }) => pitch))),
  ];
  drums.sort((a, b) => b - a);
  const lowest = pitched.reduce((low, pitch) => Math.min(low, pitch), 127);
  const highest = pitched.reduce((high, pitch) => Math.max(high, pitch), 0);
  const nRows = pitched.length > 0 ? highest - lowest + 1 : 0;
  const rowHeight = Math.min(TALLEST_ROW_PX, PITCHED_HEIGHT_PX / Math.max(nRows, 1));
  const pitchedHeight = nRows * rowHeight;
  const drumTop = pitchedHeight + (nRows > 0 && drums.length > 0 ? GAP_PX : 0);

  const yOfPitch = (pitch: number): number => (highest - pitch + 0.5) * rowHeight;
  const yOfDrum = (pitch: number): number => drumTop + (drums.indexOf(pitch) + 0.5) * DRUM_ROW_PX;
  const octaves = Array.from({ length: 11 }, (_, octave) => 12 * octave).filter((c) => c >= lowest && c <= highest);
  return {
    height: drumTop + drums.length * DRUM_ROW_PX,
    paths: parts.map((part) => pathOf(part, part.isDrums ? yOfDrum : yOfPitch)),
    labels: octaves.map((c) => ({ y: yOfPitch(c), name: `C${c / 12 - 1}` })),
    rowHeight,
  };
}

function pathOf({ notes, isDrums }: Part, yOf: (pitch: number) => number): string {
  const length = ({ start_s, end_s }: Note): number => (isDrums ? DRUM_STROKE_S : DRAWN * (end_s - start_s));
  return notes
    .map((note) => `M${note.start_s.toFixed(3)} ${yOf(note.pitch).toFixed(1)}h${length(note).toFixed(3)}`)
    .join("");
}

/** "Flute (melody): 306 notes from C4 to A5" */
export function describePart({ name, isDrums, notes }: Part): string {
  if (isDrums) return `${name}: ${notes.length} strokes`;
  const pitches = notes.map(({ pitch }) => pitch).sort((a, b) => a - b);
  return `${name}: ${notes.length} notes from ${pitchName(pitches[0] ?? 0)} to ${pitchName(pitches.at(-1) ?? 0)}`;
}

const PITCH_CLASSES = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];

export function pitchName(pitch: number): string {
  return `${PITCH_CLASSES[pitch % 12] ?? ""}${Math.floor(pitch / 12) - 1}`;
}
