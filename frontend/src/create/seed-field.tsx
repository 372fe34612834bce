import { Chip } from "../parts/chip.tsx";
import { Field } from "../parts/field.tsx";

/** The largest that the API takes: 2^31 - 1. */
const MAX_SEED = 2 ** 31 - 1;

interface SeedFieldProps {
  seed: string;
  errors: string[] | undefined;
  onChange: (seed: string) => void;
}

/** A seed that is kept, or (empty) one drawn for each track. */
export function SeedField({ seed, errors, onChange }: SeedFieldProps) {
  const isLocked = seed !== "";
  const draw = (): void => onChange(String(Math.floor(Math.random() * (MAX_SEED + 1))));
  return (
    <Field label="Seed" errors={errors} hint="Equal prompts and settings with equal seeds give the same music.">
      {(control) => (
        <div className="row">
          <input
            {...control}
            className="medium"
            type="number"
            inputMode="numeric"
            name="seed"
            min={0}
            max={MAX_SEED}
            value={seed}
            placeholder="a new one each time"
            onChange={(event) => onChange(event.target.value)}
          />
          <div className="chips">
            <Chip onClick={draw}>{isLocked ? "draw another" : "draw and lock"}</Chip>
            {isLocked ? <Chip onClick={() => onChange("")}>unlock</Chip> : null}
          </div>
        </div>
      )}
    </Field>
  );
}
