import { type RefObject, useEffect, useMemo, useRef, useState } from "react";
import type { ListedTrack } from "../api/types.ts";
import { currentOf, EMPTY_QUEUE, enqueue, goTo, type Queue, startFrom, withoutTrack, withTrack } from "./queue.ts";
import { useMediaKeys } from "./use-media-keys.ts";

/** Seconds after which "previous" means the beginning of this track. */
const RESTART_S = 3;

export interface QueueActions {
  /** Play a track and then those behind it in the list; pause or go on where it is the one that plays. */
  play: (track: ListedTrack, among: ListedTrack[]) => void;
  toggle: () => void;
  previous: () => void;
  next: () => void;
  goTo: (index: number) => void;
  add: (track: ListedTrack, place: "next" | "last") => void;
  remove: (trackId: string) => void;
  replace: (track: ListedTrack) => void;
  close: () => void;
  heard: (isPlaying: boolean) => void;
}

export interface TrackQueue extends QueueActions {
  queue: Queue;
  current: ListedTrack | null;
  isPlaying: boolean;
  /** Of the <audio> element that `PlayerBar` shows, always. */
  audio: RefObject<HTMLAudioElement | null>;
}

/** Plays tracks one after the other; lives above the views, so that the music goes on while a person looks around. */
export function useQueue(): TrackQueue {
  const [queue, setQueue] = useState(EMPTY_QUEUE);
  const [isPlaying, setIsPlaying] = useState(false);
  const audio = useRef<HTMLAudioElement>(null);
  const current = currentOf(queue);
  const url = current?.audio_url ?? null;
  const currentId = current?.track_id;
  const { turn } = queue;

  useEffect(() => {
    const sound = audio.current;
    if (!sound || turn === 0) return;
    if (url === null) {
      sound.pause();
      sound.removeAttribute("src");
      return;
    }
    sound.src = url;
    begin(sound);
  }, [turn, url]);

  useEffect(() => {
    // One sound at a time: where another player of the page begins, this one stops, and the other way round.
    const onPlay = ({ target }: Event): void => {
      const own = audio.current;
      if (target !== own) own?.pause();
      else for (const other of document.querySelectorAll("audio")) if (other !== own) other.pause();
    };
    document.addEventListener("play", onPlay, true);
    return () => document.removeEventListener("play", onPlay, true);
  }, []);

  const actions = useMemo<QueueActions>(() => {
    const toggle = (): void => {
      const sound = audio.current;
      if (sound?.paused) begin(sound);
      else sound?.pause();
    };
    const step = (by: number) => (): void => setQueue((now) => goTo(now, now.index + by));
    const previous = (): void => {
      const sound = audio.current;
      if (sound && sound.currentTime > RESTART_S) sound.currentTime = 0;
      else step(-1)();
    };
    return {
      play: (track, among) => {
        if (track.track_id === currentId) toggle();
        else setQueue((now) => startFrom(now, track.track_id, among));
      },
      toggle,
      previous,
      next: step(1),
      goTo: (index) => setQueue((now) => goTo(now, index)),
      add: (track, place) => setQueue((now) => enqueue(now, track, place)),
      remove: (trackId) => setQueue((now) => withoutTrack(now, trackId)),
      replace: (track) => setQueue((now) => withTrack(now, track)),
      close: () => setQueue((now) => ({ ...EMPTY_QUEUE, turn: now.turn + 1 })),
      heard: setIsPlaying,
    };
  }, [currentId]);

  useMediaKeys(current, actions);
  return { queue, current, isPlaying, audio, ...actions };
}

function begin(sound: HTMLAudioElement): void {
  // Why it cannot play is told by its "error" event; a pause before the first sound is no failure.
  sound.play().catch(() => undefined);
}
