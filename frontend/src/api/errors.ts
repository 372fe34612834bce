import type { ErrorAnswer, FieldErrors } from "./types.ts";

/** What the server said instead of an answer, or that it could not be reached (`code` 0). */
export class ApiError extends Error {
  readonly code: number;
  readonly fields: FieldErrors;
  /** Seconds after which to try again, where the server named them. */
  readonly retryAfter: number | null;

  constructor(code: number, message: string, fields: FieldErrors = {}, retryAfter: number | null = null) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.fields = fields;
    this.retryAfter = retryAfter;
  }

  /** Read our one error shape; what is missing in it, or is not JSON at all (a proxy's page), is filled in. */
  static from(answer: unknown, code: number, retryAfter: string | null = null): ApiError {
    const said = (typeof answer === "object" ? answer : null) as Partial<ErrorAnswer> | null;
    const message = said?.message ?? `The server answered ${code} and did not say why.`;
    return new ApiError(said?.code ?? code, message, said?.errors ?? {}, Number(retryAfter) || null);
  }
}

/** Turn whatever was thrown into an error to show. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  // fetch tells network failures as TypeErrors with words for developers.
  if (error instanceof TypeError) return new ApiError(0, "The server cannot be reached. Is it running?");
  return new ApiError(0, error instanceof Error ? error.message : String(error));
}

/** Whether something ended because we aborted it. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
