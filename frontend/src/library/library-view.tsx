import { useCallback, useState } from "react";
import { listTracks } from "../api/client.ts";
import type { ListedTrack } from "../api/types.ts";
import { clockTime, localDate } from "../parts/format.ts";
import { ErrorNotice, Quiet } from "../parts/notice.tsx";
import { useLoaded } from "../parts/use-loaded.ts";
import { CREATE_HREF, listenHref } from "../route.ts";

const PAGE_SIZE = 20;

/** All tracks, newest first. */
export function LibraryView() {
  const [page, setPage] = useState(1);
  const tracks = useLoaded(useCallback((signal: AbortSignal) => listTracks(page, PAGE_SIZE, signal), [page]));
  return (
    <section className="library">
      <title>Library · musicgen</title>
      <h1>Library</h1>
      {tracks.error ? <ErrorNotice error={tracks.error} onRetry={tracks.reload} /> : null}
      {tracks.value ? null : <Quiet>Looking for tracks …</Quiet>}
      {tracks.value?.total === 0 ? (
        <p className="quiet">
          There is nothing here yet. <a href={CREATE_HREF}>Make the first song.</a>
        </p>
      ) : null}
      <ul className="track-list">
        {tracks.value?.items.map((track) => (
          <TrackRow key={track.track_id} track={track} />
        ))}
      </ul>
      {tracks.value && tracks.value.totalPages > 1 ? (
        <nav className="row" aria-label="Pages">
          <button type="button" className="button" disabled={page <= 1} onClick={() => setPage(page - 1)}>
            Newer
          </button>
          <span className="quiet">
            {page} of {tracks.value.totalPages}
          </span>
          <button
            type="button"
            className="button"
            disabled={page >= tracks.value.totalPages}
            onClick={() => setPage(page + 1)}
          >
            Older
          </button>
        </nav>
      ) : null}
    </section>
  );
}

function TrackRow({ track }: { track: ListedTrack }) {
  return (
    <li className="track-row">
      <a href={listenHref(track.track_id)}>{track.title ?? "Untitled"}</a>
      <span className="track-prompt">{track.prompt}</span>
      <span className="quiet">
        {track.status === "done" ? clockTime(track.duration ?? 0) : track.status} · {localDate(track.created_at)}
      </span>
    </li>
  );
}
