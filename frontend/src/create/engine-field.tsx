import { useId } from "react";
import type { Model } from "../api/types.ts";
import { FieldMistakes } from "../parts/field.tsx";
import { spokenTime } from "../parts/format.ts";

interface EngineFieldProps {
  models: Model[];
  chosen: Model | undefined;
  errors: string[] | undefined;
  onChange: (model: string) => void;
}

/** The engines, with what each can do, and why one cannot be had. */
export function EngineField({ models, chosen, errors, onChange }: EngineFieldProps) {
  const id = useId();
  return (
    <fieldset className="engines">
      <legend>Engine</legend>
      {models.map((model) => (
        <div key={model.name}>
          <label className="engine">
            <input
              type="radio"
              name="model"
              value={model.name}
              checked={model.name === chosen?.name}
              disabled={!model.ready}
              aria-describedby={`${id}-${model.name}`}
              onChange={() => onChange(model.name)}
            />
            <span className="engine-name">{model.name}</span>
            <span id={`${id}-${model.name}`} className="hint">
              {model.description} {limitsOf(model)} {model.ready ? "" : "Not ready."}
            </span>
          </label>
          {model.ready ? null : <WhatIsMissing reason={model.reason ?? "The server does not say."} />}
        </div>
      ))}
      <FieldMistakes id={`${id}-errors`} errors={errors} />
    </fieldset>
  );
}

/** For whoever runs the server: long, so it is opened on demand. */
function WhatIsMissing({ reason }: { reason: string }) {
  return (
    <details className="engine-reason hint">
      <summary>What it needs</summary>
      <p>{reason}</p>
    </details>
  );
}

function limitsOf(model: Model): string {
  const limits = [
    `Up to ${spokenTime(model.max_duration)}`,
    model.supports_seed ? "" : "no seeds",
    model.supports_lyrics ? "sings lyrics" : "does not sing",
  ];
  return `${limits.filter(Boolean).join(", ")}.`;
}
