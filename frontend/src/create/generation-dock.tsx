import { useEffect } from "react";
import type { ApiError } from "../api/errors.ts";
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
  const isRunning = generation.state === "running";
  // Whoever has been at the track is not led there again.
  useEffect(() => (isShown ? dismiss : undefined), [isShown, dismiss]);
  return (
    <>
      {/* Always there, as screen readers announce only changes; told by stage, not by percent. */}
      <p className="visually-hidden" role="status">
        {announcement(generation)}
      </p>
      {generation.state === "idle" || isShown ? null : (
        <section className={`dock dock-${generation.state}`} aria-label="Generation">
          <p className="dock-text">
            <DockText generation={generation} />
          </p>
          {isRunning ? <DockProgress fraction={generation.progress?.fraction ?? 0} /> : null}
          {/* One button, so that it keeps the focus when its meaning changes. */}
          <button type="button" className="button" onClick={isRunning ? cancel : dismiss}>
            {isRunning ? "Cancel" : "Close"}
          </button>
        </section>
      )}
    </>
  );
}

function DockText({ generation }: { generation: Generation }) {
  if (generation.state === "done") {
    const { track_id, title } = generation.track;
    return <a href={listenHref(track_id)}>Listen to “{title ?? "Untitled"}”</a>;
  }
  if (generation.state !== "running") return announcement(generation);
  return (
    <>
      <strong>{stageText(generation.progress)}</strong>{" "}
      <span className="quiet">{timeLeftText(generation.progress)}</span>
    </>
  );
}

function DockProgress({ fraction }: { fraction: number }) {
  return (
    <>
      <title>{`${Math.round(fraction * 100)} % · musicgen`}</title>
      <progress aria-label="Progress" max={1} value={fraction} />
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
      return `Done: ${generation.track.title ?? "Untitled"}`;
    case "failed":
      return failureText(generation.error);
    case "cancelled":
      return "Cancelled.";
  }
}

/** What is wrong with a field stands at the field; here only where to look. */
function failureText({ message, fields }: ApiError): string {
  const names = Object.keys(fields).map((name) => name.replaceAll("_", " "));
  return names.length > 0 ? `Nothing was made yet. Look again at: ${names.join(", ")}.` : message;
}
