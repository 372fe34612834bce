// Chord symbols in another key.

const LETTERS: Record<string, number> = { C: 0, D: 2, E: 4, F: 5, G: 7, A: 9, B: 11 };
const SHARPS = "C C# D D# E F F# G G# A A# B".split(" ");
const FLATS = "C Db D Eb E F Gb G Ab A Bb B".split(" ");
/** Major keys that are written with flats. */
const FLAT_MAJORS = new Set([1, 3, 5, 8, 10]);
/** Semitones from a mode's tonic to that of the major key with the same signs. */
const TO_MAJOR: Record<string, number> = { minor: 3, dorian: 10, phrygian: 8, lydian: 7, mixolydian: 5 };
const KEY = /^\s*([A-Ga-g])([#b♯♭]?)\s*(\S*)/;
const CHORD = /^([A-G])([#b]?)([^/]*)(?:\/([A-G])([#b]?))?$/;

/** Semitones from the tonic of one key up to that of another, -5 to 6; 0 where one cannot be read. */
export function stepsBetween(from: string, to: string): number {
  const [low, high] = [tonicOf(from), tonicOf(to)];
  if (low === null || high === null) return 0;
  const up = (high - low + 12) % 12;
  return up > 6 ? up - 12 : up;
}

/** Move the chords of a bar by semitones, and spell them as `key` does; what is no chord stays as it is. */
export function transposeBar(bar: string, by: number, key: string): string {
  const names = hasFlats(key) ? FLATS : SHARPS;
  return bar.replace(/\S+/g, (chord) => {
    const [, letter = "", sign = "", quality = "", bassLetter = "", bassSign = ""] = CHORD.exec(chord) ?? [];
    if (!letter) return chord;
    const bass = bassLetter ? `/${moved(bassLetter, bassSign, by, names)}` : "";
    return `${moved(letter, sign, by, names)}${quality}${bass}`;
  });
}

function moved(letter: string, sign: string, by: number, names: string[]): string {
  return names[(pitchOf(letter, sign) + by + 24) % 12] ?? letter;
}

function tonicOf(key: string): number | null {
  const [, letter, sign = ""] = KEY.exec(key) ?? [];
  return letter ? pitchOf(letter.toUpperCase(), sign) : null;
}

function hasFlats(key: string): boolean {
  const mode = KEY.exec(key)?.[3]?.toLowerCase() ?? "";
  return FLAT_MAJORS.has(((tonicOf(key) ?? 0) + (TO_MAJOR[mode] ?? 0)) % 12);
}

function pitchOf(letter: string, sign: string): number {
  const by = sign === "#" || sign === "♯" ? 1 : sign === "b" || sign === "♭" ? -1 : 0;
  return ((LETTERS[letter] ?? 0) + by + 12) % 12;
}
