import type { ReactNode } from "react";
import type { ApiError } from "../api/errors.ts";

/** A failure, told at once, with a way to try again where there is one. */
export function ErrorNotice({ error, onRetry }: { error: ApiError; onRetry?: () => void }) {
  return (
    <div className="notice notice-bad" role="alert">
      <p>{error.message}</p>
      {error.retryAfter ? <p>A place should be free in {error.retryAfter} s.</p> : null}
      {onRetry ? (
        <button type="button" className="button" onClick={onRetry}>
          Try again
        </button>
      ) : null}
    </div>
  );
}

/** Something that stands in for what is not there (yet). */
export function Quiet({ children }: { children: ReactNode }) {
  return (
    <p className="quiet" role="status">
      {children}
    </p>
  );
}
