// What a server of today answers, for tests.
import { toModel, toPlan, toStyle, toTrack } from "../api/tolerance.ts";

export const COMPOSER = toModel({
  name: "composer",
  description: "Writes a score.",
  ready: true,
  default: true,
  max_duration: 300,
  supports_plan: true,
});
export const SINGER = toModel({
  name: "singer",
  description: "Sings.",
  ready: false,
  reason: "The weights are not there.",
  max_duration: 95,
  supports_lyrics: true,
});
export const LOFI = toStyle({ name: "lofi", title: "Lo-fi", words: ["lofi", "lo-fi"], example: "lofi, rainy night" });
export const WALTZ = toStyle({ name: "waltz", title: "Waltz", words: ["waltz"], example: "waltz in D major" });

export const UNDERSTANDING = {
  brief: {
    style: "lofi",
    tempo: 80,
    valence: 0.02,
    arousal: 0.2,
    unwanted: ["drums"],
    tonic: 2,
    mode: "minor",
    key: "D minor",
    sources: {
      style: "lofi",
      valence: "rainy night",
      arousal: "rainy night",
      tempo: "80 bpm",
      unwanted: "drums",
      tonic: "request",
      mode: "request",
    },
  },
  sections: [
    { name: "verse", start_s: 0, bars: 4, energy: 0.35, key: "D minor" },
    { name: "chorus", start_s: 12, bars: 5, energy: 0.63, key: "D minor" },
  ],
};

export const TRACK = toTrack({
  track_id: "3bd1",
  status: "done",
  title: "Rainy Night",
  prompt: "lofi, rainy night",
  audio_url: "/output/3bd1.mp3",
  formats: { mp3: "/output/3bd1.mp3", mid: "/output/3bd1.mid" },
  duration: 30,
  created_at: "2026-11-22T10:04:12+00:00",
  model: "composer",
  seed: 7,
  tempo: 80,
  key: "D minor",
  time_signature: "4/4",
  understanding: UNDERSTANDING,
});

export const PLAN = toPlan({
  prompt: "lofi, rainy night",
  seed: 7,
  model: "composer",
  title: "Rainy Night",
  understanding: { brief: UNDERSTANDING.brief },
  plan: {
    style: "lofi",
    tempo: 80,
    key: "D minor",
    time_signature: "4/4",
    sections: [{ name: "verse", bars: 4, energy: 0.35, chords: ["Dm9", "G9"] }],
    band: [{ role: "melody", instrument: "electric_piano" }],
  },
});

/** A server that has all of it. */
export const ANSWERS = {
  "GET /api/models": [COMPOSER, SINGER],
  "GET /api/styles": [LOFI, WALTZ],
  "GET /api/tracks": [TRACK],
  "GET /api/track/3bd1": TRACK,
  "POST /api/plan": PLAN,
};
