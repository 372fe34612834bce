// A page of an old build may meet a new API, and the other way round. What the server says passes through here: fields
// that are missing get a value that shows as "unknown", those that we do not know are left alone.
import type { ListedTrack, Model, Progress, Style, Track, TrackPlan } from "./types.ts";

const LISTED_TRACK: ListedTrack = {
  track_id: "",
  status: "done",
  title: null,
  audio_url: null,
  formats: {},
  peaks_url: null,
  waveform_url: null,
  spectrogram_url: null,
  stems: {},
  duration: null,
  created_at: "",
  prompt: "",
  language: null,
  model: "",
  device: null,
  seed: 0,
  tempo: null,
  key: null,
  time_signature: null,
  file_size: null,
  sha256: null,
  loudness_lufs: null,
  understanding: {},
  notes: [],
  job_id: "",
  timings: {},
  error: null,
};
const TRACK: Track = { ...LISTED_TRACK, plan: null };
const PLAN: TrackPlan = { prompt: "", seed: 0, model: "", title: "", plan: {}, understanding: {}, notes: [] };
const PROGRESS: Progress = { track_id: "", stage: "", fraction: 0, seconds_left: null };
const MODEL: Model = {
  name: "",
  description: "",
  ready: true,
  reason: null,
  default: false,
  max_duration: 300,
  supports_seed: true,
  supports_lyrics: false,
  supports_plan: false,
  supports_style_audio: false,
  supports_editing: false,
  weights_licence: "",
};
const STYLE: Style = {
  name: "",
  title: "",
  words: [],
  example: "",
  tempo: [],
  modes: [],
  time_signature: "4/4",
  swing: 0.5,
  swing_unit: 0.5,
  energy: 0.5,
  sections: [],
  instruments: {},
};

export const toListedTrack = completer(LISTED_TRACK);
export const toTrack = completer(TRACK);
export const toPlan = completer(PLAN);
export const toProgress = completer(PROGRESS);
export const toModel = completer(MODEL);
export const toStyle = completer(STYLE);

function completer<T extends object>(defaults: T): (said: unknown) => T {
  return (said) => ({ ...defaults, ...(said as Partial<T>) });
}
