import { useEffect, useState } from "react";
import { planTrack } from "../api/client.ts";
import { asApiError, isAbort } from "../api/errors.ts";
import type { FieldErrors, GenerationRequest, TrackPlan } from "../api/types.ts";

export type PlanCheck =
  | { state: "asking" }
  | { state: "good"; plan: TrackPlan }
  | { state: "bad"; errors: FieldErrors }
  /** The server could not say. */
  | { state: "unknown"; reason: string };

/** How long the hands must rest before the server is asked, milliseconds. */
const REST_MS = 400;
const ASKING: PlanCheck = { state: "asking" };

/** Ask the server whether a request can be played, a moment after each change. */
export function usePlanCheck(request: GenerationRequest): PlanCheck {
  const body = JSON.stringify(request);
  const [answer, setAnswer] = useState<{ body: string; check: PlanCheck } | null>(null);

  useEffect(() => {
    const connection = new AbortController();
    const ask = async (): Promise<void> => {
      const check = await checkOf(body, connection.signal);
      if (!connection.signal.aborted) setAnswer({ body, check });
    };
    const timer = setTimeout(() => void ask(), REST_MS);
    return () => {
      clearTimeout(timer);
      connection.abort();
    };
  }, [body]);

  // An answer to what has been changed since is none.
  return answer?.body === body ? answer.check : ASKING;
}

async function checkOf(body: string, signal: AbortSignal): Promise<PlanCheck> {
  try {
    return { state: "good", plan: await planTrack(JSON.parse(body) as GenerationRequest, signal) };
  } catch (error) {
    if (isAbort(error)) return ASKING;
    const { code, fields, message } = asApiError(error);
    return code === 422 ? { state: "bad", errors: fields } : { state: "unknown", reason: message };
  }
}
