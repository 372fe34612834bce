import { useEffect, useRef } from "react";
import type { ListedTrack } from "../api/types.ts";

/** Name the button of a row, to see whether it has the focus. */
export const undoId = (trackId: string): string => `undo-${trackId}`;

/** A track that is about to be deleted, in its place in the list, with the way back. */
export function DeletedRow({ track, onUndo }: { track: ListedTrack; onUndo: () => void }) {
  const button = useRef<HTMLButtonElement>(null);
  // The button that was pressed has gone with the row.
  useEffect(() => button.current?.focus(), []);
  return (
    <li className="track-row track-row-deleted">
      <p>“{track.title ?? "Untitled"}” is deleted.</p>
      <button ref={button} id={undoId(track.track_id)} type="button" className="button" onClick={onUndo}>
        Undo
      </button>
    </li>
  );
}
