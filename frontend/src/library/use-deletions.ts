import { useCallback, useEffect, useRef, useState } from "react";
import { deleteTrack } from "../api/client.ts";
import { ApiError, asApiError } from "../api/errors.ts";

type OnSettled = (trackId: string, isDeleted: boolean, waiting: string[]) => void;

/** How long a deletion can be undone, milliseconds. */
export const UNDO_MS = 8000;

export interface Deletions {
  /** Tracks that are gone unless somebody changes their mind. */
  pending: ReadonlySet<string>;
  failures: ReadonlyMap<string, ApiError>;
  begin: (trackId: string) => void;
  undo: (trackId: string) => void;
}

/**
 * Deletes tracks a little later, so that it can be undone; at once where the view or the page is left. `onSettled` hears
 * how it ended, before anything of it is shown, and which other tracks still wait to be deleted.
 */
export function useDeletions(onSettled: OnSettled): Deletions {
  const [pending, setPending] = useState<ReadonlySet<string>>(new Set());
  const [failures, setFailures] = useState<ReadonlyMap<string, ApiError>>(new Map());
  const settled = useRef(onSettled);
  const timers = useRef(new Map<string, ReturnType<typeof setTimeout>>());

  useEffect(() => {
    settled.current = onSettled;
  });

  const send = useCallback(async (trackId: string): Promise<void> => {
    clearTimeout(timers.current.get(trackId));
    timers.current.delete(trackId);
    try {
      await deleteTrack(trackId).catch(unlessGone);
      settled.current(trackId, true, [...timers.current.keys()]);
    } catch (error) {
      settled.current(trackId, false, [...timers.current.keys()]);
      setFailures((now) => new Map(now).set(trackId, asApiError(error)));
    }
    setPending((now) => without(now, trackId));
  }, []);
  const begin = useCallback(
    (trackId: string) => {
      timers.current.set(
        trackId,
        setTimeout(() => void send(trackId), UNDO_MS),
      );
      setPending((now) => new Set(now).add(trackId));
      setFailures((now) => new Map([...now].filter(([id]) => id !== trackId)));
    },
    [send],
  );
  const undo = useCallback((trackId: string) => {
    clearTimeout(timers.current.get(trackId));
    timers.current.delete(trackId);
    setPending((now) => without(now, trackId));
  }, []);

  useEffect(() => {
    const waiting = timers.current;
    const sendAll = (): void => [...waiting.keys()].forEach((trackId) => void send(trackId));
    addEventListener("pagehide", sendAll);
    return () => {
      removeEventListener("pagehide", sendAll);
      sendAll();
    };
  }, [send]);

  return { pending, failures, begin, undo };
}

/** What somebody else has deleted is deleted. */
function unlessGone(error: unknown): void {
  if (!(error instanceof ApiError && error.code === 404)) throw error;
}

function without(ids: ReadonlySet<string>, id: string): ReadonlySet<string> {
  return new Set([...ids].filter((other) => other !== id));
}
