// A MIDI file as parts with notes in seconds. A chunk of its own: loaded when a score is looked at.
import { type MidiData, type MidiEvent, parseMidi } from "midi-file";

export interface Note {
  /** MIDI number */
  pitch: number;
  start_s: number;
  end_s: number;
}

export interface Part {
  name: string;
  isDrums: boolean;
  notes: Note[];
}

export interface Score {
  /** Those that play, in the file's order. */
  parts: Part[];
  /** Where the bars begin, seconds. */
  bars_s: number[];
}

interface Timed {
  tick: number;
  event: MidiEvent;
}

type Clock = (tick: number) => number;

const DRUM_CHANNEL = 9;
const DEFAULT_TEMPO_US = 500_000;

/** @throws where the bytes are no MIDI file */
export function readScore(bytes: ArrayBuffer): Score {
  const midi = parseMidi(new Uint8Array(bytes));
  const tracks = midi.tracks.map(timed);
  const clock = clockOf(midi, tracks.flat());
  const parts = tracks.map((track, n) => partOf(track, n, clock)).filter(({ notes }) => notes.length > 0);
  return { parts, bars_s: barsOf(midi, tracks.flat()).map(clock) };
}

function timed(track: MidiEvent[]): Timed[] {
  let tick = 0;
  return track.map((event) => ({ tick: (tick += event.deltaTime), event }));
}

/** Ticks to seconds, along all changes of tempo. */
function clockOf({ header }: MidiData, events: Timed[]): Clock {
  const ticksPerBeat = header.ticksPerBeat ?? 480;
  const stretches = [{ tick: 0, start_s: 0, sPerTick: DEFAULT_TEMPO_US / 1e6 / ticksPerBeat }];
  for (const { tick, event } of events.sort((a, b) => a.tick - b.tick)) {
    const last = stretches.at(-1);
    if (event.type !== "setTempo" || !last) continue;
    const start_s = last.start_s + (tick - last.tick) * last.sPerTick;
    stretches.push({ tick, start_s, sPerTick: event.microsecondsPerBeat / 1e6 / ticksPerBeat });
  }
  return (tick) => {
    const {
      tick: from,
      start_s,
      sPerTick,
    } = stretches.findLast((stretch) => stretch.tick <= tick) ?? { tick: 0, start_s: 0, sPerTick: 0 };
    return start_s + (tick - from) * sPerTick;
  };
}

function partOf(track: Timed[], n: number, clock: Clock): Part {
  const part: Part = { name: `Part ${n}`, isDrums: false, notes: [] };
  // Channel and pitch -> where it began; a pitch may be struck again before it is released.
  const held = new Map<number, number[]>();
  for (const { tick, event } of track) {
    if (event.type === "trackName" && event.text) part.name = event.text;
    if (event.type !== "noteOn" && event.type !== "noteOff") continue;
    const { noteNumber: pitch, channel } = event;
    const key = 128 * channel + pitch;
    if (channel === DRUM_CHANNEL) part.isDrums = true;
    if (event.type === "noteOn" && event.velocity > 0) {
      held.set(key, [...(held.get(key) ?? []), tick]);
    } else {
      const began = held.get(key)?.shift();
      if (began !== undefined) part.notes.push({ pitch, start_s: clock(began), end_s: clock(tick) });
    }
  }
  return part;
}

/** The ticks where bars begin. */
function barsOf({ header }: MidiData, events: Timed[]): number[] {
  const ticksPerBeat = header.ticksPerBeat ?? 480;
  const changes = events.flatMap(({ tick, event }) =>
    event.type === "timeSignature" ? [{ tick, length: (4 * ticksPerBeat * event.numerator) / event.denominator }] : [],
  );
  if (changes[0]?.tick !== 0) changes.unshift({ tick: 0, length: 4 * ticksPerBeat });
  const end = events.reduce((latest, { tick }) => Math.max(latest, tick), 0);
  return changes.flatMap(({ tick, length }, n) => {
    const until = changes[n + 1]?.tick ?? end;
    return Array.from({ length: Math.ceil((until - tick) / length) }, (_, bar) => tick + bar * length);
  });
}
