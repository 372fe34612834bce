import { useState } from "react";
import type { FieldErrors, Model } from "../api/types.ts";
import { Field } from "../parts/field.tsx";
import type { ChangeDraft, Draft } from "./draft.ts";

interface AdvancedFieldsProps {
  draft: Draft;
  engine: Model | undefined;
  errors: FieldErrors;
  onChange: ChangeDraft;
}

const TIME_SIGNATURES = ["4/4", "3/4", "6/8", "2/4", "5/4", "7/8", "12/8"];
const NAMES = ["tempo", "key", "time_signature", "title", "lyrics", "instrumental", "stems"] as const;

/** What can also be said in the prompt, said exactly; and what cannot. Open where something in it is wrong. */
export function AdvancedFields({ draft, engine, errors, onChange }: AdvancedFieldsProps) {
  const hasMistake = NAMES.some((name) => errors[name]);
  const [isOpen, setIsOpen] = useState(false);
  return (
    // Opened by a mistake it stays open when that is mended: its toggle event tells.
    <details className="advanced" open={isOpen || hasMistake} onToggle={(event) => setIsOpen(event.currentTarget.open)}>
      <summary>More options</summary>
      <div className="advanced-grid">
        <Field label="Tempo, bpm" errors={errors.tempo}>
          {(control) => (
            <input
              {...control}
              type="number"
              inputMode="decimal"
              name="tempo"
              min={40}
              max={240}
              step="any"
              placeholder="any"
              value={draft.tempo}
              onChange={(event) => onChange({ tempo: event.target.value })}
            />
          )}
        </Field>
        <Field label="Key" errors={errors.key}>
          {(control) => (
            <input
              {...control}
              name="key"
              placeholder="any, like D minor"
              autoComplete="off"
              value={draft.key}
              onChange={(event) => onChange({ key: event.target.value })}
            />
          )}
        </Field>
        <Field label="Time signature" errors={errors.time_signature}>
          {(control) => (
            <select
              {...control}
              name="time_signature"
              value={draft.time_signature}
              onChange={(event) => onChange({ time_signature: event.target.value })}
            >
              <option value="">any</option>
              {TIME_SIGNATURES.map((signature) => (
                <option key={signature}>{signature}</option>
              ))}
            </select>
          )}
        </Field>
        <Field label="Title" errors={errors.title}>
          {(control) => (
            <input
              {...control}
              name="title"
              placeholder="found by the engine"
              autoComplete="off"
              value={draft.title}
              onChange={(event) => onChange({ title: event.target.value })}
            />
          )}
        </Field>
      </div>
      {engine?.supports_lyrics ? <SingingFields draft={draft} errors={errors} onChange={onChange} /> : null}
      <Checkbox
        label="Stems, too: each part in a file of its own"
        checked={draft.stems}
        onChange={(stems) => onChange({ stems })}
      />
    </details>
  );
}

function SingingFields({ draft, errors, onChange }: Omit<AdvancedFieldsProps, "engine">) {
  return (
    <>
      <Checkbox
        label="Instrumental: no voice"
        checked={draft.instrumental}
        onChange={(instrumental) => onChange({ instrumental })}
      />
      {draft.instrumental ? null : (
        <Field label="Lyrics" errors={errors.lyrics}>
          {(control) => (
            <textarea
              {...control}
              name="lyrics"
              rows={6}
              value={draft.lyrics}
              onChange={(event) => onChange({ lyrics: event.target.value })}
            />
          )}
        </Field>
      )}
    </>
  );
}

function Checkbox(props: { label: string; checked: boolean; onChange: (checked: boolean) => void }) {
  return (
    <label className="checkbox">
      <input type="checkbox" checked={props.checked} onChange={(event) => props.onChange(event.target.checked)} />
      {props.label}
    </label>
  );
}
