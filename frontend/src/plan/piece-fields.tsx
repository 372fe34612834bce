import { useState } from "react";
import { Field } from "../parts/field.tsx";
import { type Edit, setKey, setLastChord, setTempo } from "./edits.ts";
import type { PlanMistakes } from "./mistakes.ts";
import type { PlanDraft } from "./plan-draft.ts";

interface PieceFieldsProps {
  draft: PlanDraft;
  mistakes: PlanMistakes;
  edit: (edit: Edit, subject?: string) => void;
}

/** What holds for the whole piece. */
export function PieceFields({ draft, mistakes, edit }: PieceFieldsProps) {
  return (
    <fieldset className="piece-fields panel">
      <legend className="visually-hidden">The whole piece</legend>
      <Field label="Tempo, bpm" errors={mistakes.tempo}>
        {(control) => (
          <input
            {...control}
            className="short"
            inputMode="decimal"
            autoComplete="off"
            value={draft.tempo}
            onChange={(event) => edit(setTempo(event.target.value), "tempo")}
          />
        )}
      </Field>
      <KeyField key={draft.key} value={draft.key} errors={mistakes.key} onChange={(key) => edit(setKey(key))} />
      <Field label="Last chord" errors={mistakes.lastChord}>
        {(control) => (
          <input
            {...control}
            className="short"
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            value={draft.lastChord}
            onChange={(event) => edit(setLastChord(event.target.value), "last chord")}
          />
        )}
      </Field>
    </fieldset>
  );
}

interface KeyFieldProps {
  value: string;
  errors: string[];
  onChange: (key: string) => void;
}

/** Taken over when it is left: on the way from C to "Bb minor" the chords would move to B and back. */
function KeyField({ value, errors, onChange }: KeyFieldProps) {
  const [typed, setTyped] = useState(value);
  const takeOver = (): void => {
    if (typed !== value) onChange(typed);
  };
  return (
    <Field label="Key" hint="The chords move along." errors={errors}>
      {(control) => (
        <input
          {...control}
          className="medium"
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          onBlur={takeOver}
          onKeyDown={(event) => {
            if (event.key === "Enter") takeOver();
          }}
        />
      )}
    </Field>
  );
}
