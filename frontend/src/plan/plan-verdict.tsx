import { number } from "../api/understanding.ts";
import { spokenTime } from "../parts/format.ts";
import { Notes } from "../parts/notes.tsx";
import type { PlanCheck } from "./use-plan-check.ts";

/** What the server says of the plan as it stands. */
export function PlanVerdict({ check, onShowMistake }: { check: PlanCheck; onShowMistake: () => void }) {
  return (
    <div className="plan-verdict">
      <p role="status" className={check.state === "bad" ? "bad" : "quiet"}>
        {verdictOf(check)}
      </p>
      {check.state === "bad" ? (
        <button type="button" className="button" onClick={onShowMistake}>
          Show the mistake
        </button>
      ) : null}
      {check.state === "good" ? <Notes notes={check.plan.notes} /> : null}
    </div>
  );
}

function verdictOf(check: PlanCheck): string {
  switch (check.state) {
    case "asking":
      return "Checking …";
    case "good": {
      const duration = number(check.plan.plan.duration);
      return duration ? `It can be played and lasts ${spokenTime(duration)}.` : "It can be played.";
    }
    case "bad": {
      const count = Object.keys(check.errors).length;
      return `It cannot be played yet: ${count === 1 ? "one mistake" : `${count} mistakes`}.`;
    }
    case "unknown":
      return check.reason;
  }
}
