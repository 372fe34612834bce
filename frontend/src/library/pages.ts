// The part of the tracks that the library holds. Loaded page by page, while tracks are made and deleted in between.
import { listTracks, type Page } from "../api/client.ts";
import type { ListedTrack } from "../api/types.ts";

export const PAGE_SIZE = 20;

/** Put loaded tracks among those that are known, newest first; what was loaded last is true. */
export function merge(known: ListedTrack[], loaded: ListedTrack[]): ListedTrack[] {
  const byId = new Map([...known, ...loaded].map((track) => [track.track_id, track]));
  return [...byId.values()].sort(newestFirst);
}

/** Ask for the next page; tracks that came or went meanwhile move the pages, so it goes on until something is new. */
export async function loadAfter(known: ListedTrack[], search: string): Promise<Page<ListedTrack>> {
  const ids = new Set(known.map(({ track_id }) => track_id));
  for (let number = Math.floor(known.length / PAGE_SIZE) + 1; ; number++) {
    const page = await listTracks(number, { pageSize: PAGE_SIZE, search });
    if (number >= page.totalPages || page.items.some(({ track_id }) => !ids.has(track_id))) return page;
  }
}

function newestFirst(a: ListedTrack, b: ListedTrack): number {
  return compare(b.created_at, a.created_at) || compare(b.track_id, a.track_id);
}

/** ISO dates of one time zone are ordered as their characters are. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
