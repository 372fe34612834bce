import { useCallback, useEffect, useState } from "react";
import { type ApiError, asApiError, isAbort } from "../api/errors.ts";

export interface Loaded<T> {
  /** null until it is there; what was there stays while it is loaded again. */
  value: T | null;
  error: ApiError | null;
  reload: () => void;
  /** Put in what is known to be true now, without asking again. */
  setValue: (value: T | null) => void;
}

/** Load something for a view. `load` must be stable (module level or useCallback): a new one is called at once. */
export function useLoaded<T>(load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [value, setValue] = useState<T | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [nthTime, setNthTime] = useState(0);

  useEffect(() => {
    const connection = new AbortController();
    load(connection.signal).then(
      (loaded) => {
        setValue(loaded);
        setError(null);
      },
      (failure: unknown) => {
        if (!isAbort(failure)) setError(asApiError(failure));
      },
    );
    return () => connection.abort();
  }, [load, nthTime]);

  const reload = useCallback(() => setNthTime((n) => n + 1), []);
  return { value, error, reload, setValue };
}
