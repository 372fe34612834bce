import { useCallback, useRef, useState } from "react";
import { generate } from "../api/client.ts";
import { type ApiError, asApiError, isAbort } from "../api/errors.ts";
import type { GenerationRequest, Progress, Track } from "../api/types.ts";

export type Generation =
  | { state: "idle" }
  | { state: "running"; progress: Progress | null }
  | { state: "done"; track: Track }
  | { state: "failed"; error: ApiError }
  | { state: "cancelled" };

export interface Generator {
  generation: Generation;
  /** Begin; a generation that still runs is cancelled. */
  start: (request: GenerationRequest) => void;
  cancel: () => void;
  /** Forget how the last one ended. */
  dismiss: () => void;
}

const IDLE: Generation = { state: "idle" };

/** Makes one track at a time; lives above the views, so that a person may look around meanwhile. */
export function useGeneration(onDone: (track: Track) => void): Generator {
  const [generation, setGeneration] = useState(IDLE);
  const connection = useRef<AbortController | null>(null);

  const start = useCallback(
    (request: GenerationRequest) => {
      connection.current?.abort();
      const own = new AbortController();
      connection.current = own;
      // News of a generation that another has replaced comes too late.
      const tell = (news: Generation): void => {
        if (connection.current === own) setGeneration(news);
      };
      const run = async (): Promise<void> => {
        try {
          const onProgress = (progress: Progress): void => tell({ state: "running", progress });
          const track = await generate(request, { onProgress, signal: own.signal });
          tell({ state: "done", track });
          onDone(track);
        } catch (error) {
          tell(isAbort(error) ? { state: "cancelled" } : { state: "failed", error: asApiError(error) });
        }
      };
      tell({ state: "running", progress: null });
      void run();
    },
    [onDone],
  );
  const cancel = useCallback(() => connection.current?.abort(), []);
  const dismiss = useCallback(() => setGeneration((now) => (now.state === "running" ? now : IDLE)), []);
  return { generation, start, cancel, dismiss };
}
