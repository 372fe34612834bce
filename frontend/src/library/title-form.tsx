import { type KeyboardEvent, type SubmitEvent, useState } from "react";
import { renameTrack } from "../api/client.ts";
import { asApiError } from "../api/errors.ts";
import type { ListedTrack } from "../api/types.ts";
import { Field } from "../parts/field.tsx";

interface TitleFormProps {
  track: ListedTrack;
  onRenamed: (track: ListedTrack) => void;
  onClose: () => void;
}

/** The title as a field, in the place of the title. */
export function TitleForm({ track, onRenamed, onClose }: TitleFormProps) {
  const [title, setTitle] = useState(track.title ?? "");
  const [errors, setErrors] = useState<string[]>([]);
  const save = async (): Promise<void> => {
    try {
      const renamed = await renameTrack(track.track_id, title);
      onRenamed({ ...track, title: renamed.title });
      onClose();
    } catch (error) {
      const { fields, message } = asApiError(error);
      setErrors(fields.title ?? [message]);
    }
  };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    void save();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Escape") onClose();
  };
  return (
    <form className="title-form" aria-label={`Rename ${track.title ?? "Untitled"}`} onSubmit={submit} noValidate>
      <Field label="New title" errors={errors}>
        {(control) => (
          <input
            {...control}
            type="text"
            // The button that was pressed asks for this.
            ref={focusOnce}
            value={title}
            onChange={(event) => setTitle(event.target.value)}
            onKeyDown={onKeyDown}
          />
        )}
      </Field>
      <div className="row">
        <button type="submit" className="button button-main">
          Save
        </button>
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
      </div>
    </form>
  );
}

function focusOnce(input: HTMLInputElement | null): void {
  input?.select();
  input?.focus();
}
