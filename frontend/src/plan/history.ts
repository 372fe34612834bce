// Values with a past and a future.

export interface History<T> {
  past: T[];
  now: T;
  future: T[];
  /** What the last change was about. */
  subject: string | null;
}

const MAX_STEPS = 100;

export const historyOf = <T>(now: T): History<T> => ({ past: [], now, future: [], subject: null });

/** Go on to another value; changes of the same subject, one after the other, are one step: a slider is dragged. */
export function advance<T>(history: History<T>, next: T, subject: string | null = null): History<T> {
  if (next === history.now) return history;
  const isSameStep = subject !== null && subject === history.subject;
  const past = isSameStep ? history.past : [...history.past, history.now].slice(-MAX_STEPS);
  return { past, now: next, future: [], subject };
}

export function undo<T>(history: History<T>): History<T> {
  const before = history.past.at(-1);
  if (before === undefined) return history;
  return { past: history.past.slice(0, -1), now: before, future: [history.now, ...history.future], subject: null };
}

export function redo<T>(history: History<T>): History<T> {
  const [after, ...future] = history.future;
  if (after === undefined) return history;
  return { past: [...history.past, history.now], now: after, future, subject: null };
}
