import { type ReactNode, type SubmitEvent, useState } from "react";
import type { ApiError } from "../api/errors.ts";
import type { FieldErrors, GenerationRequest } from "../api/types.ts";
import { FieldMistakes } from "../parts/field.tsx";

export interface FollowUpProps {
  isRunning: boolean;
  /** How the last generation failed. */
  failure: ApiError | null;
  start: (request: GenerationRequest) => void;
}

interface FollowUpFormProps extends FollowUpProps {
  label: string;
  request: GenerationRequest;
  /** Fields of the request that the form shows. */
  shows: string[];
  children: (errors: FieldErrors) => ReactNode;
}

/** A small form that makes another track of one, and tells what the server says of it. */
export function FollowUpForm({ label, request, shows, isRunning, failure, start, children }: FollowUpFormProps) {
  // A failure of something else that was started is none of ours.
  const [asked, setAsked] = useState<string | null>(null);
  const errors: FieldErrors = asked === JSON.stringify(request) ? (failure?.fields ?? {}) : {};
  const others = Object.entries(errors).filter(([name]) => !shows.includes(name));
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    setAsked(JSON.stringify(request));
    start(request);
  };
  return (
    <form className="follow-up" aria-label={label} onSubmit={submit} noValidate>
      <div className="follow-up-fields">{children(errors)}</div>
      <button type="submit" className="button button-main" aria-disabled={isRunning}>
        {isRunning ? "Making it …" : "Make it"}
      </button>
      <FieldMistakes id="" errors={others.flatMap(([, texts]) => texts)} />
    </form>
  );
}
