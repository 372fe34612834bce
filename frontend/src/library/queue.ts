// What is played one after the other. Values only: `use-queue.ts` makes them heard.
import type { ListedTrack } from "../api/types.ts";

export interface Queue {
  tracks: ListedTrack[];
  index: number;
  /** Counts the beginnings: another turn begins a track, also the same one again. */
  turn: number;
}

export const EMPTY_QUEUE: Queue = { tracks: [], index: 0, turn: 0 };

export const currentOf = ({ tracks, index }: Queue): ListedTrack | null => tracks[index] ?? null;

/** Play a list from one of its tracks on, without those that have no sound. */
export function startFrom(queue: Queue, trackId: string, among: ListedTrack[]): Queue {
  const tracks = among.filter(({ audio_url }) => audio_url !== null);
  const index = tracks.findIndex(({ track_id }) => track_id === trackId);
  return index < 0 ? queue : { tracks, index, turn: queue.turn + 1 };
}

/** Begin another of the tracks; where there is none, everything stays. */
export function goTo(queue: Queue, index: number): Queue {
  return index in queue.tracks ? { ...queue, index, turn: queue.turn + 1 } : queue;
}

/** Put a track behind the one that plays, or behind all. */
export function enqueue(queue: Queue, track: ListedTrack, place: "next" | "last"): Queue {
  if (queue.tracks.length === 0) return startFrom(queue, track.track_id, [track]);
  const at = place === "next" ? queue.index + 1 : queue.tracks.length;
  return { ...queue, tracks: queue.tracks.toSpliced(at, 0, track) };
}

/** Take a track out; where it plays, the one behind it begins. */
export function withoutTrack(queue: Queue, trackId: string): Queue {
  const isKept = ({ track_id }: ListedTrack): boolean => track_id !== trackId;
  const tracks = queue.tracks.filter(isKept);
  if (tracks.length === queue.tracks.length) return queue;
  const played = queue.tracks.slice(0, queue.index).filter(isKept).length;
  const plays = currentOf(queue)?.track_id === trackId;
  return { tracks, index: Math.min(played, Math.max(0, tracks.length - 1)), turn: queue.turn + (plays ? 1 : 0) };
}

/** Take over what has changed in a track's record. */
export function withTrack(queue: Queue, track: ListedTrack): Queue {
  return { ...queue, tracks: queue.tracks.map((other) => (other.track_id === track.track_id ? track : other)) };
}
