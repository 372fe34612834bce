import { text } from "../api/understanding.ts";
import { clockTime, spokenTime } from "../parts/format.ts";
import { barsOf, durationOf, type PlanDraft } from "./plan-draft.ts";

/** What the piece as a whole will be, as it is edited. */
export function PlanFacts({ draft }: { draft: PlanDraft }) {
  const duration = durationOf(draft);
  const facts = [text(draft.told.style).replaceAll("_", " "), text(draft.told.time_signature), `${barsOf(draft)} bars`];
  return (
    <p className="facts">
      {facts.filter(Boolean).join(" · ")} ·{" "}
      <output className="plan-duration" aria-label="Duration">
        {duration === null ? "–" : clockTime(duration)}
        {duration === null ? null : <span className="visually-hidden"> ({spokenTime(duration)})</span>}
      </output>
    </p>
  );
}
