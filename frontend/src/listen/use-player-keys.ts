import { useEffect } from "react";
import type { Player } from "./player.ts";

export const STEP_S = 5;
export const LONG_STEP_S = 15;
/** Where a space does something else, or is a space. */
const TAKES_SPACE = "a, button, input, select, textarea, summary, [contenteditable]";
/** Where arrows do something else. */
const TAKES_ARROWS =
  "input, select, textarea, [contenteditable], [role=tab], [role=tablist], [role=menu], [role=radio]";
/** Where Home and End are the player's; elsewhere they scroll the page. */
const IN_PLAYER = ".player";

/** The player's keys, wherever the focus is, unless what has the focus uses the key itself. */
export function usePlayerKeys(player: Player): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      const act = actionOf(event, player);
      if (!act) return;
      event.preventDefault();
      act();
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, [player]);
}

function actionOf(event: KeyboardEvent, player: Player): (() => void) | null {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return null;
  const focused = event.target instanceof Element ? event.target : document.body;
  const step = event.shiftKey ? LONG_STEP_S : STEP_S;
  switch (event.key) {
    case " ":
      return focused.closest(TAKES_SPACE) || event.repeat ? null : () => player.toggle();
    case "ArrowLeft":
      return focused.closest(TAKES_ARROWS) ? null : () => player.skip(-step);
    case "ArrowRight":
      return focused.closest(TAKES_ARROWS) ? null : () => player.skip(step);
    case "Home":
      return focused.closest(IN_PLAYER) && !focused.closest("input") ? () => player.seek(0) : null;
    case "End":
      return focused.closest(IN_PLAYER) && !focused.closest("input") ? () => player.seek(player.duration) : null;
    default:
      return null;
  }
}
