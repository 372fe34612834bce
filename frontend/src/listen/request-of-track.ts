// The request that makes a track again, bit by bit, as far as its record tells it.
import { planTrack } from "../api/client.ts";
import type { GenerationRequest, Track } from "../api/types.ts";
import { object, text } from "../api/understanding.ts";

/** Fields of a request -> the field of the engine's brief that says where each came from. */
const SOURCE_OF = {
  tempo: "tempo",
  key: "tonic",
  time_signature: "time_signature",
  title: "title",
  language: "language",
} as const;

/** The request in full: with the plan, where there is one, it makes the same track however that came about. */
export function fullRequest(track: Track): GenerationRequest {
  const request = plainRequest(track);
  return track.plan ? { ...request, plan: track.plan } : request;
}

/** The shortest request that makes the same: without the plan, where the engine would plan the same by itself. */
export async function shortestRequest(track: Track, signal?: AbortSignal): Promise<GenerationRequest> {
  const request = plainRequest(track);
  if (!track.plan) return request;
  const planned = await planTrack(request, signal).catch(() => null);
  return planned && isSameJson(planned.plan, track.plan) ? request : fullRequest(track);
}

/** What was asked for in words and fields. */
function plainRequest(track: Track): GenerationRequest {
  const request: GenerationRequest = {
    prompt: track.prompt,
    seed: track.seed,
    duration: durationOf(track),
    model: track.model,
  };
  const brief = object(track.understanding.brief);
  const sources = object(brief.sources);
  for (const [field, source] of Object.entries(SOURCE_OF) as [keyof typeof SOURCE_OF, string][]) {
    const value = track[field];
    if (value !== null && text(sources[source]) === "request") Object.assign(request, { [field]: value });
  }
  if (sources.instrumental === "request" && brief.instrumental === true) request.instrumental = true;
  if (Object.keys(track.stems).length > 0) request.stems = true;
  return request;
}

/** As asked: what was rendered may differ by a sample. */
function durationOf({ plan, duration }: Track): number | null {
  const planned = plan?.duration;
  if (typeof planned === "number") return planned;
  return duration === null ? null : Math.round(1000 * duration) / 1000;
}

/** Whether two JSON values say the same; the order of fields says nothing. */
export function isSameJson(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  const [fieldsOfA, fieldsOfB] = [Object.entries(a), object(b)];
  return (
    Array.isArray(a) === Array.isArray(b) &&
    fieldsOfA.length === Object.keys(fieldsOfB).length &&
    fieldsOfA.every(([name, value]) => name in fieldsOfB && isSameJson(value, fieldsOfB[name]))
  );
}
