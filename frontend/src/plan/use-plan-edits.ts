import { useCallback, useState } from "react";
import type { Json } from "../api/understanding.ts";
import type { Edit } from "./edits.ts";
import { advance, type History, historyOf, redo, undo } from "./history.ts";
import { draftOf, type PlanDraft } from "./plan-draft.ts";

export interface PlanEdits {
  draft: PlanDraft;
  canUndo: boolean;
  canRedo: boolean;
  /** Change the plan; changes of the same subject, one after the other, are undone together. */
  edit: (edit: Edit, subject?: string) => void;
  undo: () => void;
  redo: () => void;
}

// Edits outlive the editor: who listens to what was made comes back to change more. A page that is loaded anew forgets.
const kept = new Map<string, History<PlanDraft>>();

/** The plan of a track under edit. */
export function usePlanEdits(trackId: string, plan: Json): PlanEdits {
  const [history, setHistory] = useState(() => kept.get(trackId) ?? historyOf(draftOf(plan)));
  const change = useCallback(
    (step: (history: History<PlanDraft>) => History<PlanDraft>) =>
      setHistory((now) => {
        const next = step(now);
        kept.set(trackId, next);
        return next;
      }),
    [trackId],
  );
  return {
    draft: history.now,
    canUndo: history.past.length > 0,
    canRedo: history.future.length > 0,
    edit: useCallback((edit, subject) => change((now) => advance(now, edit(now.now), subject)), [change]),
    undo: useCallback(() => change(undo), [change]),
    redo: useCallback(() => change(redo), [change]),
  };
}
