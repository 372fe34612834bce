import { type RefObject, useEffect } from "react";
import type { Player } from "./player.ts";

/** Where the play head is put when the lane turns the page, as a share of what is seen. */
const HEAD_AT = 0.15;
const TURN_AT = 0.92;
/** Seconds: a longer step is a jump. */
const JUMP_S = 1;

/** Turn the pages of a scrolling lane with the music, unless the reader has scrolled the play head out of sight. */
export function useFollow(player: Player, scroller: RefObject<HTMLElement | null>, inset = 0): void {
  useEffect(() => {
    let [lastLeft, lastTime, isFollowing] = [scroller.current?.scrollLeft ?? 0, player.time, true];
    return player.subscribe(() => {
      const box = scroller.current;
      if (!box) return;
      const head = (inset + (1 - inset) * player.fraction) * box.scrollWidth - box.scrollLeft;
      const isSeen = head >= 0 && head <= TURN_AT * box.clientWidth;
      if (Math.abs(box.scrollLeft - lastLeft) > 1) isFollowing = isSeen;
      if (Math.abs(player.time - lastTime) > JUMP_S) isFollowing = true;
      if (!isSeen && isFollowing) box.scrollLeft += head - HEAD_AT * box.clientWidth;
      [lastLeft, lastTime] = [box.scrollLeft, player.time];
    });
  }, [player, scroller, inset]);
}
