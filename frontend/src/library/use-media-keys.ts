import { useEffect } from "react";
import type { ListedTrack } from "../api/types.ts";

interface Steps {
  previous: () => void;
  next: () => void;
}

/** Tell the system what plays, so that the keys of a keyboard, a headset or a lock screen work. */
export function useMediaKeys(track: ListedTrack | null, { previous, next }: Steps): void {
  const title = track ? (track.title ?? "Untitled") : null;
  useEffect(() => {
    if (!("mediaSession" in navigator)) return;
    const { mediaSession } = navigator;
    mediaSession.metadata = title === null ? null : new MediaMetadata({ title, artist: "musicgen" });
    mediaSession.setActionHandler("previoustrack", title === null ? null : previous);
    mediaSession.setActionHandler("nexttrack", title === null ? null : next);
  }, [title, previous, next]);
}
