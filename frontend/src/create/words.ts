// Words that the chips offer beside the styles, which the server lists. All of them are understood by the composer.

export const MOODS = [
  "happy",
  "calm",
  "melancholic",
  "dreamy",
  "energetic",
  "dark",
  "romantic",
  "epic",
  "mysterious",
  "playful",
];

export const INSTRUMENTS = [
  "piano",
  "electric piano",
  "acoustic guitar",
  "electric guitar",
  "strings",
  "flute",
  "saxophone",
  "trumpet",
  "organ",
  "synth",
  "choir",
  "no drums",
];

/** Where the server lists no styles. */
export const EXAMPLES = [
  "lofi hip hop, rainy night, 80 bpm",
  "viennese waltz in D major with strings",
  "epic orchestral trailer, brass and strings, rising to victory",
];
