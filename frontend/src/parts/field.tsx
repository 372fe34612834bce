import { type ReactNode, useId } from "react";

/** What the control inside a Field needs to be one with its label, hint and mistakes: `<input {...control} />`. */
export interface Control {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": true | undefined;
}

interface FieldProps {
  label: string;
  hint?: ReactNode;
  /** What the server found wrong with it. */
  errors?: string[] | undefined;
  className?: string;
  children: (control: Control) => ReactNode;
}

/** A labelled control, its hint, and what is wrong with it. */
export function Field({ label, hint, errors = [], className = "", children }: FieldProps) {
  const id = useId();
  const hintId = hint ? `${id}-hint` : "";
  const errorId = errors.length > 0 ? `${id}-errors` : "";
  const control: Control = {
    id,
    "aria-describedby": `${errorId} ${hintId}`.trim() || undefined,
    "aria-invalid": errors.length > 0 || undefined,
  };
  return (
    <div className={`field ${className}`.trim()}>
      <label htmlFor={id}>{label}</label>
      {children(control)}
      <FieldMistakes id={errorId} errors={errors} />
      {hint ? (
        <p id={hintId} className="hint">
          {hint}
        </p>
      ) : null}
    </div>
  );
}

/** The mistakes of a field, or of a group that is no Field. */
export function FieldMistakes({ id, errors = [] }: { id: string; errors?: string[] | undefined }) {
  if (errors.length === 0) return null;
  return (
    <ul id={id} className="mistakes">
      {errors.map((error) => (
        <li key={error}>{error}</li>
      ))}
    </ul>
  );
}
