import { bandOf, planFacts, plannedSections } from "../api/plan.ts";
import type { TrackPlan } from "../api/types.ts";
import { FormStrip } from "../parts/form-strip.tsx";
import { Notes } from "../parts/notes.tsx";
import { UnderstoodList } from "../parts/understood-list.tsx";

/** What the engine would make of the request as it stands. */
export function PreviewPanel({ plan }: { plan: TrackPlan }) {
  const sections = plannedSections(plan.plan);
  const band = bandOf(plan.plan);
  return (
    <section className="preview panel" aria-labelledby="preview-heading">
      <h2 id="preview-heading">What the engine understood</h2>
      <UnderstoodList understanding={plan.understanding} />
      <p className="facts">{planFacts(plan.plan).join(" · ")}</p>
      {sections.length > 0 ? <FormStrip parts={sections} /> : null}
      {band.length > 0 ? <p className="hint">Played by {band.join(", ")}.</p> : null}
      <Notes notes={plan.notes} />
    </section>
  );
}
