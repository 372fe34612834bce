// What an engine took from the prompt. The API leaves its form to the engine, so everything in it is looked at before use.

export interface Section {
  name: string;
  start_s: number;
  bars: number;
  energy: number;
  key: string;
}

export interface Chord {
  start_s: number;
  chord_symbol: string;
}

export interface Instrument {
  name: string;
  role: string;
}

export type Json = Record<string, unknown>;

export const sectionsOf = (understanding: Json): Section[] =>
  objects(understanding.sections).map((section) => ({
    name: text(section.name),
    start_s: number(section.start_s),
    bars: number(section.bars),
    energy: number(section.energy),
    key: text(section.key),
  }));

export const chordsOf = (understanding: Json): Chord[] =>
  objects(understanding.chords).map((chord) => ({
    start_s: number(chord.start_s),
    chord_symbol: text(chord.chord_symbol),
  }));

export const instrumentsOf = (understanding: Json): Instrument[] =>
  objects(understanding.instruments).map(({ name, role }) => ({ name: text(name), role: text(role) }));

export const object = (value: unknown): Json => (typeof value === "object" && value !== null ? (value as Json) : {});
export const objects = (value: unknown): Json[] => (Array.isArray(value) ? value.map(object) : []);
export const text = (value: unknown): string => (typeof value === "string" ? value : "");
export const number = (value: unknown): number => (typeof value === "number" ? value : 0);
