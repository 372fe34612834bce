import { listenHref } from "../route.ts";
import { stageText, timeLeftText } from "./stages.ts";
import type { Generation, Generator } from "./use-generation.ts";

interface GenerationDockProps extends Omit<Generator, "start"> {
  /** The track that the view shows: no need to lead there. */
  shownTrackId: string | null;
}

/** The bar at the bottom of every view: how far the track is, and how it ended. */
export function GenerationDock({ generation, cancel, dismiss, shownTrackId }: GenerationDockProps) {
  const isShown = generation.state === "done" && generation.track.track_id === shownTrackId;
  return (
    <>
      {/* Always there, as screen readers announce only changes; told by stage, not by percent. */}
      <p className="visually-hidden" role="status">
        {announcement(generation)}
      </p>
      {generation.state === "idle" || isShown ? null : (
        <section className={`dock dock-${generation.state}`} aria-label="Generation">
          {generation.state === "running" ? <Running generation={generation} onCancel={cancel} /> : null}
          {generation.state === "running" ? null : <Ended generation={generation} onDismiss={dismiss} />}
        </section>
      )}
    </>
  );
}

function Running(props: { generation: Generation & { state: "running" }; onCancel: () => void }) {
  const { progress } = props.generation;
  const fraction = progress?.fraction ?? 0;
  return (
    <>
      <title>{`${Math.round(fraction * 100)} % · musicgen`}</title>
      <p className="dock-text">
        <strong>{stageText(progress)}</strong> <span className="quiet">{timeLeftText(progress)}</span>
      </p>
      <progress aria-label="Progress" max={1} value={fraction} />
      <button type="button" className="button" onClick={props.onCancel}>
        Cancel
      </button>
    </>
  );
}

function Ended({ generation, onDismiss }: { generation: Generation; onDismiss: () => void }) {
  return (
    <>
      <p className="dock-text">
        {generation.state === "done" ? (
          <a href={listenHref(generation.track.track_id)}>Listen to “{generation.track.title}”</a>
        ) : (
          announcement(generation)
        )}
      </p>
      <button type="button" className="button" onClick={onDismiss}>
        Close
      </button>
    </>
  );
}

function announcement(generation: Generation): string {
  switch (generation.state) {
    case "idle":
      return "";
    case "running":
      return stageText(generation.progress);
    case "done":
      return `Done: ${generation.track.title ?? "the track"}`;
    case "failed":
      return generation.error.message;
    case "cancelled":
      return "Cancelled.";
  }
}
