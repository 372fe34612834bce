import { spokenTime } from "../parts/format.ts";
import type { Progress } from "../api/types.ts";

const STAGES: Record<string, string> = {
  waiting: "Waiting in line",
  loading: "Waking the engine",
  compose: "Composing",
  render: "Playing",
  export: "Writing the files",
  store: "Finishing",
};

/** What is being done, in a word or two; a stage that we do not know says its own name. */
export function stageText(progress: Progress | null): string {
  return progress ? (STAGES[progress.stage] ?? progress.stage) : "Asking the server";
}

/** How long it will take still; empty while nobody knows. */
export function timeLeftText(progress: Progress | null): string {
  return progress?.seconds_left === null || !progress ? "" : `${spokenTime(Math.ceil(progress.seconds_left))} left`;
}
