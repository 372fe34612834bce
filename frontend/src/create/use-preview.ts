import { useEffect, useState } from "react";
import { planTrack } from "../api/client.ts";
import { ApiError } from "../api/errors.ts";
import type { FieldErrors, GenerationRequest, TrackPlan } from "../api/types.ts";

export interface Preview {
  plan: TrackPlan | null;
  errors: FieldErrors;
}

const NOTHING: Preview = { plan: null, errors: {} };
/** How long the keyboard must rest before the server is asked, milliseconds. */
const REST_MS = 450;

/**
 * Plan the request while it is being written: what would be made of it, or what is wrong. null asks for nothing.
 * Without a seed the server draws one: with another `draw`, it is asked anew.
 */
export function usePreview(request: GenerationRequest | null, draw: number): Preview {
  const [preview, setPreview] = useState(NOTHING);
  // Equal requests are one: an effect that depends on an object would run each time.
  const body = request && JSON.stringify(request);

  useEffect(() => {
    const connection = new AbortController();
    const ask = async (): Promise<void> => {
      try {
        const answer = body === null ? NOTHING : await previewOf(body, connection.signal);
        if (!connection.signal.aborted) setPreview(answer);
      } catch {
        // A preview is a courtesy: whatever really fails is told when the track is asked for.
      }
    };
    const timer = setTimeout(() => void ask(), body === null ? 0 : REST_MS);
    return () => {
      clearTimeout(timer);
      connection.abort();
    };
  }, [body, draw]);

  return preview;
}

async function previewOf(body: string, signal: AbortSignal): Promise<Preview> {
  try {
    return { plan: await planTrack(JSON.parse(body) as GenerationRequest, signal), errors: {} };
  } catch (error) {
    if (error instanceof ApiError && error.code === 422) return { plan: null, errors: error.fields };
    throw error;
  }
}
