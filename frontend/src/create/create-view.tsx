import { type SubmitEvent, useEffect, useRef, useState } from "react";
import { listModels, listStyles } from "../api/client.ts";
import type { FieldErrors } from "../api/types.ts";
import { ErrorNotice } from "../parts/notice.tsx";
import { useLoaded } from "../parts/use-loaded.ts";
import { AdvancedFields } from "./advanced-fields.tsx";
import { type ChangeDraft, type Draft, requestOf } from "./draft.ts";
import { DurationField } from "./duration-field.tsx";
import { EngineField } from "./engine-field.tsx";
import { PreviewPanel } from "./preview-panel.tsx";
import { PromptSection } from "./prompt-section.tsx";
import { SeedField } from "./seed-field.tsx";
import type { Generator } from "./use-generation.ts";
import { usePreview } from "./use-preview.ts";

interface CreateViewProps {
  draft: Draft;
  onChange: ChangeDraft;
  generator: Generator;
}

const LONGEST_S = 300;
/** Fields of the API that the form shows; mistakes in others are told beside the button. */
const SHOWN = ["prompt", "duration", "seed", "model", "tempo", "key", "time_signature", "title", "lyrics"];
const loadStyles = (signal: AbortSignal) => listStyles(undefined, signal);

/** The form: from words to a request. */
export function CreateView({ draft, onChange, generator }: CreateViewProps) {
  const models = useLoaded(listModels);
  const styles = useLoaded(loadStyles);
  const form = useRef<HTMLFormElement>(null);
  const engine = models.value?.find(({ name, default: isDefault }) => (draft.model ? name === draft.model : isDefault));
  const request = requestOf(draft);
  const [nMade, setNMade] = useState(0);
  const preview = usePreview(engine?.supports_plan && draft.prompt.trim() ? request : null, nMade);
  const { generation } = generator;
  const isRunning = generation.state === "running";
  const failure = generation.state === "failed" ? generation.error : null;
  const errors: FieldErrors = { ...preview.errors, ...failure?.fields };

  useEffect(() => {
    if (failure) form.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus();
  }, [failure]);

  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (isRunning) return;
    // What was previewed is what is made; the next one is another.
    generator.start({ ...(preview.plan && { seed: preview.plan.seed }), ...request });
    setNMade(nMade + 1);
  };

  return (
    <form ref={form} className="create" onSubmit={submit} noValidate>
      <title>Create · musicgen</title>
      <h1 className="visually-hidden">Make a song</h1>
      <PromptSection draft={draft} errors={errors} styles={styles.value ?? []} onChange={onChange} />
      <div className="settings panel">
        <DurationField
          duration={draft.duration}
          longest={Math.min(LONGEST_S, engine?.max_duration ?? LONGEST_S)}
          errors={errors.duration}
          onChange={(duration) => onChange({ duration })}
        />
        {engine?.supports_seed === false ? null : (
          <SeedField seed={draft.seed} errors={errors.seed} onChange={(seed) => onChange({ seed })} />
        )}
        <AdvancedFields draft={draft} engine={engine} errors={errors} onChange={onChange} />
        <EngineField
          models={models.value ?? []}
          chosen={engine}
          errors={errors.model}
          onChange={(model) => onChange({ model })}
        />
        {models.error ? <ErrorNotice error={models.error} onRetry={models.reload} /> : null}
        <OtherMistakes errors={errors} />
        <button
          type="submit"
          className="button button-main"
          aria-disabled={isRunning}
          title="Ctrl + Enter in the prompt"
        >
          {isRunning ? "Making it …" : "Make the song"}
        </button>
      </div>
      {preview.plan ? <PreviewPanel plan={preview.plan} /> : null}
    </form>
  );
}

function OtherMistakes({ errors }: { errors: FieldErrors }) {
  const others = Object.entries(errors).filter(([name]) => !SHOWN.includes(name));
  if (others.length === 0) return null;
  return (
    <ul className="mistakes" role="alert">
      {others.map(([name, texts]) => (
        <li key={name}>
          {name}: {texts.join(" ")}
        </li>
      ))}
    </ul>
  );
}
