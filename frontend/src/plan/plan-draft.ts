// A plan while it is edited. What the page does not know of a plan stays in `told` and goes back as it came.
import { type Json, number, object, objects, text } from "../api/understanding.ts";

export interface EditedSection {
  /** Stays with the section wherever it goes. */
  id: number;
  told: Json;
  name: string;
  bars: number;
  /** 0 to 1 */
  energy: number;
  /** A text for each bar, and perhaps for bars that were cut off and may come back. */
  chords: string[];
}

/** Tempo, key and last chord are texts as they were typed: the server judges them. */
export interface PlanDraft {
  told: Json;
  tempo: string;
  key: string;
  lastChord: string;
  sections: EditedSection[];
}

export const MAX_BARS = 512;
/** Seconds that the last chord rings where the bars decide how long a piece is. */
const RING_S = 2.8;

export function draftOf(plan: Json): PlanDraft {
  return {
    told: plan,
    tempo: String(number(plan.tempo) || ""),
    key: text(plan.key),
    lastChord: text(plan.last_chord),
    sections: objects(plan.sections).map((told, id) => ({
      id,
      told,
      name: text(told.name),
      bars: number(told.bars),
      energy: number(told.energy),
      chords: Array.isArray(told.chords) ? told.chords.map(String) : [],
    })),
  };
}

/** Write the plan for the server; without its `duration` where the bars no longer fill that. */
export function planOf(draft: PlanDraft): Json {
  const { told, sections } = draft;
  const materials = new Set(sections.map((section) => text(section.told.material) || section.name));
  const plan: Json = {
    ...told,
    ...(draft.tempo.trim() ? { tempo: numberOrText(draft.tempo) } : {}),
    ...(draft.key.trim() ? { key: draft.key.trim() } : {}),
    ...(draft.lastChord.trim() ? { last_chord: draft.lastChord.trim() } : {}),
    sections: sections.map((section) => sectionOf(section, materials)),
  };
  if (hasOtherLength(draft)) delete plan.duration;
  return plan;
}

function sectionOf({ told, bars, energy, chords }: EditedSection, materials: Set<string>): Json {
  const section: Json = { ...told, bars, energy };
  // A section that grows or calms down does so from its new energy on.
  const by = energy - number(told.energy);
  if (by !== 0 && "to_energy" in told) section.to_energy = within01(number(told.to_energy) + by);
  if (chords.length > 0) section.chords = chords.slice(0, bars);
  // What is no longer there cannot lend its chords.
  if (text(told.over) && !materials.has(text(told.over))) section.over = "";
  return section;
}

/** Seconds that the plan lasts; null where the tempo is no number. */
export function durationOf(draft: PlanDraft): number | null {
  if (!hasOtherLength(draft) && number(draft.told.duration)) return number(draft.told.duration);
  const tempo = Number(draft.tempo.replace(",", "."));
  return tempo > 0 ? (barsOf(draft) * barQuarters(draft) * 60) / tempo + RING_S : null;
}

export const barsOf = ({ sections }: PlanDraft): number => sections.reduce((sum, { bars }) => sum + bars, 0);

function hasOtherLength(draft: PlanDraft): boolean {
  const before = objects(draft.told.sections).reduce((sum, section) => sum + number(section.bars), 0);
  return barsOf(draft) !== before || numberOrText(draft.tempo) !== draft.told.tempo;
}

/** Quarter notes of a bar: 3 in 6/8. */
function barQuarters({ told }: PlanDraft): number {
  const [beats, unit] = text(told.time_signature).split("/").map(Number);
  return beats && unit ? (beats * 4) / unit : 4;
}

export const within01 = (value: number): number => Math.min(1, Math.max(0, Math.round(value * 100) / 100));
export const materialOf = ({ told, name }: EditedSection): string => text(object(told).material) || name;

function numberOrText(typed: string): number | string {
  const value = Number(typed.replace(",", "."));
  return Number.isNaN(value) ? typed : value;
}
