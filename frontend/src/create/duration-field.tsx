import { Chip } from "../parts/chip.tsx";
import { Field } from "../parts/field.tsx";
import { spokenTime } from "../parts/format.ts";

/** The least that the API makes, seconds. */
const MIN_DURATION_S = 5;
const PRESETS_S = [15, 30, 60, 120, 180, 300];

interface DurationFieldProps {
  duration: string;
  /** The most that the engine makes, seconds. */
  longest: number;
  errors: string[] | undefined;
  onChange: (duration: string) => void;
}

/** How long the track shall be: usual lengths, or any number of seconds. */
export function DurationField({ duration, longest, errors, onChange }: DurationFieldProps) {
  return (
    <Field
      label="Duration, seconds"
      errors={errors}
      hint={`${MIN_DURATION_S} to ${longest}; the music ends by itself.`}
    >
      {(control) => (
        <div className="row">
          <input
            {...control}
            className="short"
            type="number"
            inputMode="decimal"
            name="duration"
            min={MIN_DURATION_S}
            max={longest}
            step="any"
            value={duration}
            onChange={(event) => onChange(event.target.value)}
          />
          <div className="chips" role="group" aria-label="Usual durations">
            {PRESETS_S.filter((seconds) => seconds <= longest).map((seconds) => (
              <Chip key={seconds} pressed={Number(duration) === seconds} onClick={() => onChange(String(seconds))}>
                {spokenTime(seconds)}
              </Chip>
            ))}
          </div>
        </div>
      )}
    </Field>
  );
}
