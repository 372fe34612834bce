import type { GenerationRequest, Track } from "../api/types.ts";

/** The form as it is filled in; texts of number fields stay texts, so that the server sees what was typed. */
export interface Draft {
  prompt: string;
  duration: string;
  /** Empty: drawn by the server, anew each time. */
  seed: string;
  /** Empty: the server's default engine. */
  model: string;
  tempo: string;
  key: string;
  time_signature: string;
  title: string;
  lyrics: string;
  instrumental: boolean;
  stems: boolean;
}

export type ChangeDraft = (change: Partial<Draft>) => void;

export const EMPTY_DRAFT: Draft = {
  prompt: "",
  duration: "30",
  seed: "",
  model: "",
  tempo: "",
  key: "",
  time_signature: "",
  title: "",
  lyrics: "",
  instrumental: false,
  stems: false,
};

/** Say what the form asks for; what was left empty is left out, and so the server's to decide. */
export function requestOf(draft: Draft): GenerationRequest {
  const { duration, seed, tempo, instrumental, stems, prompt, ...texts } = draft;
  const request: GenerationRequest = { prompt };
  for (const [name, text] of Object.entries(texts)) {
    if (text.trim()) Object.assign(request, { [name]: text.trim() });
  }
  for (const [name, text] of Object.entries({ duration, seed, tempo })) {
    if (text.trim()) Object.assign(request, { [name]: numberOrText(text) });
  }
  if (instrumental) request.instrumental = true;
  if (stems) request.stems = true;
  return request;
}

/** Fill the form with the request of a track, as far as its record tells. */
export function draftOf(track: Pick<Track, "prompt" | "duration" | "seed" | "model">): Draft {
  return {
    ...EMPTY_DRAFT,
    prompt: track.prompt,
    duration: track.duration === null ? EMPTY_DRAFT.duration : String(Math.round(track.duration * 10) / 10),
    seed: String(track.seed),
    model: track.model,
  };
}

/** What is no number goes as it is: the server knows best how to say so. */
function numberOrText(text: string): number | string {
  const number = Number(text.replace(",", "."));
  return Number.isNaN(number) ? text : number;
}
