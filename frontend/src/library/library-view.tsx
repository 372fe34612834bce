import { useCallback, useState } from "react";
import type { ListedTrack } from "../api/types.ts";
import type { Generation, Generator } from "../create/use-generation.ts";
import { ErrorNotice } from "../parts/notice.tsx";
import { CREATE_HREF, LIBRARY_HREF } from "../route.ts";
import { DeletedRow, undoId } from "./deleted-row.tsx";
import { SearchBox } from "./search-box.tsx";
import { TrackRow } from "./track-row.tsx";
import { useDeletions } from "./use-deletions.ts";
import { useLibrary } from "./use-library.ts";
import type { TrackQueue } from "./use-queue.ts";

interface LibraryViewProps {
  generator: Generator;
  queue: TrackQueue;
}

/** All tracks, newest first: to find, to play, to keep in order, to go on from. */
export function LibraryView({ generator, queue }: LibraryViewProps) {
  const [search, setSearch] = useState(() => searchOf(location.hash));
  const library = useLibrary(search, newsOf(generator.generation));
  const [focusId, setFocusId] = useState<string | null>(null);
  const { tracks, remove } = library;
  const deletions = useDeletions((trackId, isDeleted, waiting) => {
    // A row that goes away with the focus in it hands it on.
    const hasFocus = document.activeElement?.id === undoId(trackId);
    if (hasFocus) setFocusId(isDeleted ? neighbourOf(trackId, tracks, waiting) : trackId);
    if (isDeleted) remove(trackId);
  });
  const shown = tracks.filter(({ track_id }) => !deletions.pending.has(track_id));

  const find = useCallback((words: string) => {
    // The address keeps it, so that "back" finds the same list.
    history.replaceState(null, "", words ? `${LIBRARY_HREF}/${encodeURIComponent(words)}` : LIBRARY_HREF);
    setSearch(words);
  }, []);
  const loadMore = async (): Promise<void> => {
    const first = await library.loadMore();
    if (first) setFocusId(first.track_id);
  };
  const beginDeletion = ({ track_id }: ListedTrack): void => {
    setFocusId(null);
    queue.remove(track_id);
    deletions.begin(track_id);
  };
  const undo = ({ track_id }: ListedTrack): void => {
    deletions.undo(track_id);
    setFocusId(track_id);
  };

  return (
    <section className="library">
      <title>Library · musicgen</title>
      <header className="library-head">
        <h1>Library</h1>
        <SearchBox search={search} onSearch={find} />
      </header>
      <p className="quiet" role="status">
        {statusOf(library.search === search ? library.total - deletions.pending.size : null, search)}
      </p>
      {library.error ? <ErrorNotice error={library.error} onRetry={library.reload} /> : null}
      {library.search === "" && search === "" && library.total === 0 ? (
        <p className="quiet">
          <a href={CREATE_HREF}>Make the first song.</a>
        </p>
      ) : null}
      <ul className="track-list" aria-label="Tracks" aria-busy={library.isLoading}>
        {tracks.map((track) =>
          deletions.pending.has(track.track_id) ? (
            <DeletedRow key={track.track_id} track={track} onUndo={() => undo(track)} />
          ) : (
            <TrackRow
              key={track.track_id}
              track={track}
              generator={generator}
              queue={queue}
              takesFocus={focusId === track.track_id}
              failure={deletions.failures.get(track.track_id)}
              onPlay={() => queue.play(track, shown)}
              onDelete={() => beginDeletion(track)}
              onRenamed={(renamed) => {
                library.replace(renamed);
                queue.replace(renamed);
              }}
            />
          ),
        )}
      </ul>
      {library.hasMore && library.search === search ? (
        <button type="button" className="button" aria-disabled={library.isLoading} onClick={() => void loadMore()}>
          {library.isLoading ? "Loading …" : "Show more"}
        </button>
      ) : null}
    </section>
  );
}

/** The track below the one that goes, or the last above it, but none that will go, too. */
function neighbourOf(trackId: string, tracks: ListedTrack[], waiting: string[]): string | null {
  const ids = tracks.map(({ track_id }) => track_id);
  const stay = ids.filter((id) => id !== trackId && !waiting.includes(id));
  return stay.find((id) => ids.indexOf(id) > ids.indexOf(trackId)) ?? stay.at(-1) ?? null;
}

function statusOf(total: number | null, search: string): string {
  if (total === null) return "Looking for tracks …";
  const tracks = total === 1 ? "1 track" : `${total === 0 ? "No" : total} tracks`;
  return search ? `${tracks} with “${search}”` : `${tracks}${total === 0 ? " yet" : ""}`;
}

/** Changes whenever a generation has ended: the list has another row. */
function newsOf(generation: Generation): string {
  return generation.state === "done"
    ? generation.track.track_id
    : generation.state === "running"
      ? ""
      : generation.state;
}

function searchOf(hash: string): string {
  try {
    return decodeURIComponent(hash.split("/")[2] ?? "");
  } catch {
    return "";
  }
}
