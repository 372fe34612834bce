import { useCallback, useEffect, useState } from "react";
import { listTracks } from "../api/client.ts";
import { type ApiError, asApiError, isAbort } from "../api/errors.ts";
import type { ListedTrack } from "../api/types.ts";
import { loadAfter, merge, PAGE_SIZE } from "./pages.ts";

interface Shown {
  /** What these tracks were found by; null before the first answer. */
  search: string | null;
  tracks: ListedTrack[];
  /** How many there are on the server. */
  total: number;
  error: ApiError | null;
}

export interface Library extends Shown {
  isLoading: boolean;
  hasMore: boolean;
  reload: () => void;
  /** Load the next page; tells the first track that came. */
  loadMore: () => Promise<ListedTrack | undefined>;
  replace: (track: ListedTrack) => void;
  remove: (trackId: string) => void;
}

const NOTHING: Shown = { search: null, tracks: [], total: 0, error: null };

/** The tracks that `search` finds, as far as they were asked for; `news` is looked after whenever it changes. */
export function useLibrary(search: string, news: string): Library {
  const [shown, setShown] = useState(NOTHING);
  const [nthTime, setNthTime] = useState(0);
  const [isLoadingMore, setIsLoadingMore] = useState(false);

  useEffect(() => {
    const connection = new AbortController();
    listTracks(1, { pageSize: PAGE_SIZE, search, signal: connection.signal }).then(
      ({ items, total }) =>
        setShown((now) => {
          const tracks = merge(now.search === search ? now.tracks : [], items);
          return { search, tracks, total, error: null };
        }),
      (failure: unknown) => {
        if (!isAbort(failure)) setShown((now) => ({ ...now, error: asApiError(failure) }));
      },
    );
    return () => connection.abort();
  }, [search, news, nthTime]);

  const reload = useCallback(() => setNthTime((n) => n + 1), []);
  const loadMore = async (): Promise<ListedTrack | undefined> => {
    setIsLoadingMore(true);
    try {
      const { items, total } = await loadAfter(shown.tracks, search);
      // A search that was changed meanwhile has other tracks.
      setShown((now) =>
        now.search === search ? { ...now, tracks: merge(now.tracks, items), total, error: null } : now,
      );
      const known = new Set(shown.tracks.map(({ track_id }) => track_id));
      return items.find(({ track_id }) => !known.has(track_id));
    } catch (failure) {
      setShown((now) => ({ ...now, error: asApiError(failure) }));
      return undefined;
    } finally {
      setIsLoadingMore(false);
    }
  };
  const replace = useCallback(
    (track: ListedTrack) => setShown((now) => ({ ...now, tracks: merge(now.tracks, [track]) })),
    [],
  );
  const remove = useCallback(
    (trackId: string) =>
      setShown((now) => {
        const tracks = now.tracks.filter(({ track_id }) => track_id !== trackId);
        return { ...now, tracks, total: now.total - (now.tracks.length - tracks.length) };
      }),
    [],
  );
  return {
    ...shown,
    isLoading: isLoadingMore || (shown.search !== search && !shown.error),
    hasMore: shown.tracks.length < shown.total,
    reload,
    loadMore,
    replace,
    remove,
  };
}
