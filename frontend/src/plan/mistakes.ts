// What the server finds wrong with a plan, by place: "plan.sections.0.chords.3" -> the fourth bar of the first section.
import type { FieldErrors } from "../api/types.ts";

export interface SectionMistakes {
  bars: string[];
  energy: string[];
  /** Bar, from 0 -> what is wrong with its chords. */
  chords: Map<number, string[]>;
  others: string[];
}

export interface PlanMistakes {
  tempo: string[];
  key: string[];
  lastChord: string[];
  sections: Map<number, SectionMistakes>;
  others: string[];
}

const noMistakes = (): SectionMistakes => ({ bars: [], energy: [], chords: new Map(), others: [] });
export const NO_SECTION_MISTAKES = noMistakes();

export function mistakesOf(errors: FieldErrors): PlanMistakes {
  const found: PlanMistakes = { tempo: [], key: [], lastChord: [], sections: new Map(), others: [] };
  for (const [place, texts] of Object.entries(errors)) placeOf(found, place).push(...texts);
  return found;
}

function placeOf(found: PlanMistakes, place: string): string[] {
  const [, field, index, inner, bar] = place.split(".");
  if (field === "tempo") return found.tempo;
  if (field === "key") return found.key;
  if (field === "last_chord") return found.lastChord;
  if (field !== "sections" || index === undefined) return found.others;
  const section = found.sections.get(Number(index)) ?? noMistakes();
  found.sections.set(Number(index), section);
  if (inner === "bars") return section.bars;
  if (inner === "energy" || inner === "to_energy") return section.energy;
  if (inner !== "chords" || bar === undefined) return section.others;
  const texts = section.chords.get(Number(bar)) ?? [];
  section.chords.set(Number(bar), texts);
  return texts;
}
