import type { ListedTrack } from "../api/types.ts";
import type { Generator } from "../create/use-generation.ts";
import { TrackActions } from "./track-actions.tsx";
import type { TrackQueue } from "./use-queue.ts";

interface RowMenuProps {
  track: ListedTrack;
  generator: Generator;
  queue: TrackQueue;
  onRename: () => void;
  onDelete: () => void;
}

/** What can be done with a track of the list. */
export function RowMenu({ track, generator, queue, onRename, onDelete }: RowMenuProps) {
  return (
    <>
      <div className="row" role="group" aria-label={`Look after ${track.title ?? "this track"}`}>
        {track.audio_url === null ? null : (
          <>
            <button type="button" className="button" onClick={() => queue.add(track, "next")}>
              Play next
            </button>
            <button type="button" className="button" onClick={() => queue.add(track, "last")}>
              Add to queue
            </button>
          </>
        )}
        <button type="button" className="button" onClick={onRename}>
          Rename
        </button>
        <button type="button" className="button button-bad" onClick={onDelete}>
          Delete
        </button>
      </div>
      <TrackActions track={track} generator={generator} />
    </>
  );
}
