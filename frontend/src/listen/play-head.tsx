import { type RefObject, useEffect, useRef } from "react";
import type { Player } from "./player.ts";

/** The line that moves with the music; its parent is as long as the track. */
export function PlayHead({ player }: { player: Player }) {
  const line = useRef<HTMLSpanElement>(null);
  useAt(player, line);
  return <span ref={line} className="play-head" />;
}

/** Keep where the music is, 0 to 1, as `--at` of an element: at every picture, past React. */
export function useAt(player: Player, place: RefObject<HTMLElement | SVGElement | null>): void {
  useEffect(() => {
    const write = (): void => place.current?.style.setProperty("--at", player.fraction.toFixed(5));
    write();
    return player.subscribe(write);
  }, [player, place]);
}
