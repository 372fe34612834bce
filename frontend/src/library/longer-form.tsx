import { useState } from "react";
import type { ListedTrack } from "../api/types.ts";
import { Field } from "../parts/field.tsx";
import { FollowUpForm, type FollowUpProps } from "./follow-up-form.tsx";

interface LongerFormProps extends FollowUpProps {
  track: ListedTrack;
  /** The most that the engine makes, seconds. */
  longest: number;
}

/** Asks how long the longer version shall be. */
export function LongerForm({ track, longest, ...form }: LongerFormProps) {
  const now = Math.ceil(track.duration ?? 0);
  const [duration, setDuration] = useState(String(Math.min(now * 2, longest)));
  const request = { extend: track.track_id, duration: Number(duration) };
  return (
    <FollowUpForm label="A longer version" request={request} shows={["duration"]} {...form}>
      {(errors) => (
        <Field
          label="New length, seconds"
          hint={`It begins as this one does. More than ${now}, up to ${longest}.`}
          errors={errors.duration}
        >
          {(control) => (
            <input
              {...control}
              className="short"
              type="number"
              inputMode="decimal"
              min={now}
              max={longest}
              step="any"
              value={duration}
              onChange={(event) => setDuration(event.target.value)}
            />
          )}
        </Field>
      )}
    </FollowUpForm>
  );
}
