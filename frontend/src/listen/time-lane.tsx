import { type PointerEvent, type ReactNode, useRef } from "react";
import { PlayHead } from "./play-head.tsx";
import type { Player } from "./player.ts";
import { useFollow } from "./use-follow.ts";

interface TimeLaneProps {
  player: Player;
  label: string;
  /** Pixels; wider than the screen, it scrolls with the music. */
  width: number;
  className?: string;
  /** Where the time begins, from 0 (left) to 1: pictures have an axis there. */
  inset?: number;
  children: ReactNode;
}

/** Something as long as the track, to scroll in; follows the play head, and plays from where it is pressed. */
export function TimeLane({ player, label, width, className = "", inset = 0, children }: TimeLaneProps) {
  const scroller = useRef<HTMLDivElement>(null);
  useFollow(player, scroller, inset);

  // On release: what turns out to be a scroll of the finger is cancelled before.
  const seek = (event: PointerEvent): void => {
    const { left, width: shown } = event.currentTarget.getBoundingClientRect();
    const fraction = ((event.clientX - left) / shown - inset) / (1 - inset);
    if (event.button === 0 && shown > 0) player.seek(fraction * player.duration);
  };
  return (
    // Scrolled by keyboard, it must take the focus.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div ref={scroller} className={`time-lane ${className}`.trim()} role="region" aria-label={label} tabIndex={0}>
      <div className="time-lane-inner" style={{ width: `max(100%, ${Math.round(width)}px)` }} onPointerUp={seek}>
        {children}
        <div className="time-lane-heads" style={{ left: `${100 * inset}%` }}>
          <PlayHead player={player} />
        </div>
      </div>
    </div>
  );
}
