import { useState } from "react";
import { Field } from "../parts/field.tsx";
import { MAX_BARS } from "./plan-draft.ts";

interface BarsFieldProps {
  bars: number;
  errors: string[];
  onStretch: (bars: number) => void;
}

/** How long a section is. */
export function BarsField({ bars, errors, onStretch }: BarsFieldProps) {
  // What is typed and no length yet, like nothing at all.
  const [typed, setTyped] = useState<string | null>(null);
  const change = (text: string): void => {
    const wanted = Number(text);
    const isLength = Number.isInteger(wanted) && wanted >= 1 && wanted <= MAX_BARS;
    setTyped(isLength ? null : text);
    if (isLength) onStretch(wanted);
  };
  const step = (by: number) => (): void => change(String(Math.min(MAX_BARS, Math.max(1, bars + by))));
  return (
    <Field label="Bars" errors={errors}>
      {(control) => (
        <div className="stepper">
          <button
            type="button"
            className="button"
            aria-label="One bar less"
            aria-disabled={bars <= 1}
            onClick={step(-1)}
          >
            −
          </button>
          <input
            {...control}
            className="short"
            type="number"
            min={1}
            max={MAX_BARS}
            value={typed ?? bars}
            onChange={(event) => change(event.target.value)}
            onBlur={() => setTyped(null)}
          />
          <button type="button" className="button" aria-label="One bar more" onClick={step(1)}>
            +
          </button>
        </div>
      )}
    </Field>
  );
}
