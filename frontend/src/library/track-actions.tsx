import { useState } from "react";
import { listModels } from "../api/client.ts";
import type { GenerationRequest, ListedTrack, Model } from "../api/types.ts";
import { sectionsOf } from "../api/understanding.ts";
import type { Generator } from "../create/use-generation.ts";
import { useLoaded } from "../parts/use-loaded.ts";
import { planHref } from "../route.ts";
import { EditPartForm } from "./edit-part-form.tsx";
import { LongerForm } from "./longer-form.tsx";

interface TrackActionsProps {
  track: ListedTrack;
  generator: Generator;
}

/** Longest track where the engine's limit is not known, seconds. */
const LONGEST_S = 300;

/** What can be made of a track: another one like it, a longer one, one by its plan, one with a part made anew. */
export function TrackActions({ track, generator }: TrackActionsProps) {
  const models = useLoaded(listModels).value ?? [];
  const [open, setOpen] = useState<"longer" | "part" | null>(null);
  const engine = models.find(({ name }) => name === track.model);
  const editor = editorOf(models, track.model);
  const isDone = track.status === "done";
  const hasPlan = isDone && (engine?.supports_plan ?? sectionsOf(track.understanding).length > 0);
  const isRunning = generator.generation.state === "running";
  const start = (request: GenerationRequest): void => {
    if (!isRunning) generator.start(request);
  };
  const failure = generator.generation.state === "failed" ? generator.generation.error : null;
  const form = { isRunning, failure, start };
  return (
    <div className="track-actions">
      <div className="row" role="group" aria-label={`Go on from ${track.title ?? "this track"}`}>
        <button
          type="button"
          className="button"
          aria-disabled={isRunning}
          title={isRunning ? "A track is being made" : undefined}
          onClick={() => start({ variation_of: track.track_id })}
        >
          Again with a new seed
        </button>
        {hasPlan ? (
          <>
            <Opener name="longer" open={open} onOpen={setOpen}>
              Longer …
            </Opener>
            <a className="button" href={planHref(track.track_id)}>
              Use as plan
            </a>
          </>
        ) : null}
        {isDone && editor ? (
          <Opener name="part" open={open} onOpen={setOpen}>
            Edit a part …
          </Opener>
        ) : null}
      </div>
      {open === "longer" ? <LongerForm track={track} longest={engine?.max_duration ?? LONGEST_S} {...form} /> : null}
      {open === "part" && editor ? <EditPartForm track={track} engine={editor} {...form} /> : null}
    </div>
  );
}

interface OpenerProps<Name extends string> {
  name: Name;
  open: string | null;
  onOpen: (name: Name | null) => void;
  children: string;
}

function Opener<Name extends string>({ name, open, onOpen, children }: OpenerProps<Name>) {
  const isOpen = open === name;
  return (
    <button type="button" className="button" aria-expanded={isOpen} onClick={() => onOpen(isOpen ? null : name)}>
      {children}
    </button>
  );
}

/** The engine that can make parts anew: the track's own, or another that is ready. Older servers know none. */
function editorOf(models: Model[], own: string): Model | undefined {
  const editors = models.filter((model) => model.ready && (model as { supports_editing?: unknown }).supports_editing);
  return editors.find(({ name }) => name === own) ?? editors[0];
}
