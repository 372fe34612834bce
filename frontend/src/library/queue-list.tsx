import { type KeyboardEvent, useId, useRef, useState } from "react";
import type { TrackQueue } from "./use-queue.ts";

/** What comes when, behind a button: to choose from, to clear. */
export function QueueList({ queue, goTo, close }: TrackQueue) {
  const [isOpen, setIsOpen] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const id = useId();
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || !isOpen) return;
    setIsOpen(false);
    opener.current?.focus();
  };
  const closePlayer = (): void => {
    // The button goes away with the player.
    document.querySelector("main")?.focus();
    close();
  };
  return (
    // Escape closes from anywhere inside.
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions
    <div className="player-queue" onKeyDown={onKeyDown}>
      <button
        ref={opener}
        type="button"
        className="button"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setIsOpen(!isOpen)}
      >
        Queue
      </button>
      <button type="button" className="icon-button" aria-label="Close the player" onClick={closePlayer}>
        <span aria-hidden="true" className="icon icon-close" />
      </button>
      <ol id={id} className="queue-list" hidden={!isOpen} aria-label="Queue">
        {queue.tracks.map(({ track_id, title }, index) => (
          <li key={`${track_id}-${index}`}>
            <button
              type="button"
              className="queue-entry"
              aria-current={index === queue.index ? "true" : undefined}
              onClick={() => goTo(index)}
            >
              {title ?? "Untitled"}
            </button>
          </li>
        ))}
      </ol>
    </div>
  );
}
