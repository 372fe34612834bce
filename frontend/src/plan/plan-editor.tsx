import { useEffect, useRef, useState } from "react";
import type { GenerationRequest, Track } from "../api/types.ts";
import type { Json } from "../api/understanding.ts";
import type { Generator } from "../create/use-generation.ts";
import { FieldMistakes } from "../parts/field.tsx";
import { listenHref } from "../route.ts";
import { mistakesOf, NO_SECTION_MISTAKES } from "./mistakes.ts";
import { PieceFields } from "./piece-fields.tsx";
import { planOf } from "./plan-draft.ts";
import { PlanFacts } from "./plan-facts.tsx";
import { PlanVerdict } from "./plan-verdict.tsx";
import { commandsOf } from "./section-commands.ts";
import { SectionPanel } from "./section-panel.tsx";
import { Timeline } from "./timeline.tsx";
import { usePlanCheck } from "./use-plan-check.ts";
import { usePlanEdits } from "./use-plan-edits.ts";

interface PlanEditorProps {
  track: Track;
  plan: Json;
  generator: Generator;
}

/** Moves, stretches and re-chords the sections of a piece, and has it made. */
export function PlanEditor({ track, plan, generator }: PlanEditorProps) {
  const { draft, edit, ...history } = usePlanEdits(track.track_id, plan);
  const [chosen, setChosen] = useState(0);
  const [news, setNews] = useState("");
  const editor = useRef<HTMLElement>(null);
  const request: GenerationRequest = {
    prompt: track.prompt,
    seed: track.seed,
    model: track.model,
    ...(track.language ? { language: track.language } : {}),
    plan: planOf(draft),
  };
  const check = usePlanCheck(request);
  const mistakes = mistakesOf(check.state === "bad" ? check.errors : {});
  const isRunning = generator.generation.state === "running";

  const { sections } = draft;
  // An undone step may have taken sections away.
  const index = Math.min(chosen, sections.length - 1);
  const section = sections[index];

  const commands = (at: number) => commandsOf(sections, at, { edit, choose: setChosen, say: setNews });

  const [seeksMistake, setSeeksMistake] = useState(0);
  useEffect(() => {
    if (seeksMistake > 0) editor.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus();
  }, [seeksMistake]);
  const showMistake = (): void => {
    const first = Math.min(...mistakes.sections.keys());
    if (!mistakes.sections.has(index) && Number.isFinite(first)) setChosen(first);
    setSeeksMistake((n) => n + 1);
  };
  const make = (): void => {
    if (check.state === "bad") showMistake();
    else if (!isRunning) generator.start(request);
  };

  return (
    <section ref={editor} className="plan" aria-labelledby="plan-heading">
      <title>{`Plan of ${track.title ?? "Untitled"} · musicgen`}</title>
      <header className="plan-head">
        <h1 id="plan-heading">
          Plan of <a href={listenHref(track.track_id)}>{track.title ?? "Untitled"}</a>
        </h1>
        <p className="prompt-quote">{track.prompt}</p>
        <PlanFacts draft={draft} />
        <div className="row">
          <button type="button" className="button" aria-disabled={!history.canUndo} onClick={history.undo}>
            Undo
          </button>
          <button type="button" className="button" aria-disabled={!history.canRedo} onClick={history.redo}>
            Redo
          </button>
        </div>
      </header>
      <p className="visually-hidden" role="status">
        {news}
      </p>
      <Timeline
        sections={sections}
        chosen={index}
        wrong={mistakes.sections}
        onChoose={setChosen}
        commandsOf={commands}
      />
      {section ? (
        <SectionPanel
          key={section.id}
          section={section}
          index={index}
          count={sections.length}
          mistakes={mistakes.sections.get(index) ?? NO_SECTION_MISTAKES}
          edit={edit}
          {...commands(index)}
        />
      ) : null}
      <PieceFields draft={draft} mistakes={mistakes} edit={edit} />
      <FieldMistakes id="" errors={mistakes.others} />
      <div className="plan-foot">
        <PlanVerdict check={check} onShowMistake={showMistake} />
        <button type="button" className="button button-main" aria-disabled={isRunning} onClick={make}>
          {isRunning ? "Making it …" : "Make it"}
        </button>
      </div>
    </section>
  );
}
