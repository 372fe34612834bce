import { useCallback } from "react";
import { getTrack } from "../api/client.ts";
import type { Generator } from "../create/use-generation.ts";
import { ErrorNotice, Quiet } from "../parts/notice.tsx";
import { useLoaded } from "../parts/use-loaded.ts";
import { listenHref } from "../route.ts";
import { PlanEditor } from "./plan-editor.tsx";

/** The plan of a track, to be changed and made again. */
export function PlanView({ trackId, generator }: { trackId: string; generator: Generator }) {
  const track = useLoaded(useCallback((signal: AbortSignal) => getTrack(trackId, signal), [trackId]));
  if (track.error) return <ErrorNotice error={track.error} onRetry={track.reload} />;
  if (!track.value) return <Quiet>Looking for the plan …</Quiet>;
  const { plan, title } = track.value;
  if (!plan || !Array.isArray(plan.sections) || plan.sections.length === 0) {
    return (
      <p>
        <a href={listenHref(trackId)}>“{title ?? "Untitled"}”</a> has no plan: its engine makes none, or it was not
        made.
      </p>
    );
  }
  return <PlanEditor track={track.value} plan={plan} generator={generator} />;
}
