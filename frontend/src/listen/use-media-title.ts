import { useEffect } from "react";
import { type Player, usePlayer } from "./player.ts";

/** What the lock screen of a phone calls the track; told while it plays, as the page may have other players. */
export function useMediaTitle(player: Player, title: string): void {
  const isPlaying = usePlayer(player, ({ state }) => state === "playing");
  useEffect(() => {
    if (!isPlaying || !("mediaSession" in navigator)) return;
    navigator.mediaSession.metadata = new MediaMetadata({ title, artist: "musicgen" });
  }, [isPlaying, title]);
}
