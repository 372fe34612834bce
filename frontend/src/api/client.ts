// Every call of the API, with its types. Failures are `ApiError`s; an aborted call rejects with an `AbortError`.
import { ApiError } from "./errors.ts";
import { readEvents } from "./events.ts";
import { toListedTrack, toModel, toPlan, toProgress, toStyle, toTrack } from "./tolerance.ts";
import type { GenerationRequest, ListedTrack, Model, Progress, Style, Track, TrackPlan } from "./types.ts";

/** One page of a list, and how many items and pages there are. */
export interface Page<Item> {
  items: Item[];
  total: number;
  totalPages: number;
}

/** Make a track. `onProgress` hears of it on the way; aborting `signal` cancels the work on the server, too. */
export async function generate(
  request: GenerationRequest,
  options: { onProgress?: (progress: Progress) => void; signal?: AbortSignal } = {},
): Promise<Track> {
  const headers = { Accept: "text/event-stream" };
  const answer = await send("POST", "/api/generate", { body: request, headers, signal: options.signal });
  if (!answer.body) throw new ApiError(0, "The answer is empty.");
  for await (const { name, data } of readEvents(answer.body)) {
    if (name === "progress") options.onProgress?.(toProgress(JSON.parse(data)));
    if (name === "track") return toTrack(JSON.parse(data));
    if (name === "error") throw ApiError.from(JSON.parse(data), 500);
  }
  throw new ApiError(0, "The connection was lost before the track was done. Try again.");
}

/** Ask what would be made of a request, without making it. */
export async function planTrack(request: GenerationRequest, signal?: AbortSignal): Promise<TrackPlan> {
  return toPlan(await json("POST", "/api/plan", { body: request, signal }));
}

export async function getTrack(trackId: string, signal?: AbortSignal): Promise<Track> {
  return toTrack(await json("GET", trackUrl(trackId), { signal }));
}

interface ListOptions {
  pageSize?: number;
  /** Words that title or prompt have, all of them; empty finds every track. */
  search?: string;
  signal?: AbortSignal;
}

/** Get a page of the tracks, newest first; pages count from 1. */
export async function listTracks(page = 1, options: ListOptions = {}): Promise<Page<ListedTrack>> {
  const { pageSize = 20, search = "", signal } = options;
  const query = new URLSearchParams({ page: String(page), page_size: String(pageSize), ...(search ? { search } : {}) });
  const answer = await send("GET", `/api/tracks?${query.toString()}`, { signal });
  const pagination = JSON.parse(answer.headers.get("X-Pagination") ?? "{}") as { total?: number; total_pages?: number };
  const items = ((await answer.json()) as unknown[]).map(toListedTrack);
  return { items, total: pagination.total ?? items.length, totalPages: pagination.total_pages ?? 1 };
}

export async function renameTrack(trackId: string, title: string): Promise<Track> {
  return toTrack(await json("PATCH", trackUrl(trackId), { body: { title } }));
}

/** Delete a track; the request outlives the page. */
export async function deleteTrack(trackId: string): Promise<void> {
  await send("DELETE", trackUrl(trackId), { keepalive: true });
}

export async function listModels(signal?: AbortSignal): Promise<Model[]> {
  return ((await json("GET", "/api/models", { signal })) as unknown[]).map(toModel);
}

/** List the styles that prompts may name; `model` is an engine, the configured one when left out. */
export async function listStyles(model?: string, signal?: AbortSignal): Promise<Style[]> {
  const query = model ? `?${new URLSearchParams({ model }).toString()}` : "";
  return ((await json("GET", `/api/styles${query}`, { signal })) as unknown[]).map(toStyle);
}

function trackUrl(trackId: string): string {
  return `/api/track/${encodeURIComponent(trackId)}`;
}

interface Sent {
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
  keepalive?: boolean;
}

async function json(method: string, url: string, sent: Sent): Promise<unknown> {
  return (await send(method, url, sent)).json();
}

/** Send a request; an answer that is no success becomes an ApiError. */
async function send(method: string, url: string, { body, headers, signal, keepalive }: Sent): Promise<Response> {
  const answer = await fetch(url, {
    method,
    headers: { Accept: "application/json", ...(body ? { "Content-Type": "application/json" } : {}), ...headers },
    ...(body ? { body: JSON.stringify(body) } : {}),
    ...(signal ? { signal } : {}),
    ...(keepalive ? { keepalive } : {}),
  });
  if (answer.ok) return answer;
  const said: unknown = await answer.json().catch(() => null);
  throw ApiError.from(said, answer.status, answer.headers.get("Retry-After"));
}
