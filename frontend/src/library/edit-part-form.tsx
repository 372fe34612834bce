import { useState } from "react";
import type { ListedTrack, Model } from "../api/types.ts";
import { Field } from "../parts/field.tsx";
import { FollowUpForm, type FollowUpProps } from "./follow-up-form.tsx";

interface EditPartFormProps extends FollowUpProps {
  track: ListedTrack;
  /** The engine that makes the part. */
  engine: Model;
}

/** Asks which part of a track shall be made anew; the rest stays. */
export function EditPartForm({ track, engine, ...form }: EditPartFormProps) {
  const [from, setFrom] = useState("0");
  const [to, setTo] = useState(String(Math.min(15, Math.floor(track.duration ?? 15))));
  const request = { of: track.track_id, regenerate: [[Number(from), Number(to)]], model: engine.name };
  const bounds = [
    { label: "From, seconds", value: from, set: setFrom },
    { label: "To, seconds", value: to, set: setTo },
  ];
  return (
    <FollowUpForm label="A part made anew" request={request} shows={["regenerate"]} {...form}>
      {(errors) =>
        bounds.map(({ label, value, set }, n) => (
          <Field key={label} label={label} errors={n === 0 ? errors.regenerate : undefined}>
            {(control) => (
              <input
                {...control}
                className="short"
                type="number"
                inputMode="decimal"
                min={0}
                max={track.duration ?? undefined}
                step="any"
                value={value}
                onChange={(event) => set(event.target.value)}
              />
            )}
          </Field>
        ))
      }
    </FollowUpForm>
  );
}
