// A plan as the API has it. Its form is the engine's, so the parts that the page shows are looked at before use.
import { number, object, objects, text, type Json } from "./understanding.ts";

export interface PlannedSection {
  name: string;
  bars: number;
  /** 0 to 1 */
  energy: number;
  chords: string[];
}

/** The sections of a plan; to change them, change the plan itself: it has more fields than these. */
export function plannedSections(plan: Json): PlannedSection[] {
  return objects(plan.sections).map((section) => ({
    name: text(section.name),
    bars: number(section.bars),
    energy: number(section.energy),
    chords: Array.isArray(section.chords) ? section.chords.map(String) : [],
  }));
}

/** "lofi · 80 bpm · C dorian · 4/4", as far as it is known. */
export function planFacts(plan: Json): string[] {
  const tempo = number(plan.tempo);
  const facts = [text(plan.style).replaceAll("_", " "), tempo ? `${tempo} bpm` : "", text(plan.key)];
  return [...facts, text(plan.time_signature)].filter(Boolean);
}

/** Who plays: "electric piano". */
export function bandOf(plan: Json): string[] {
  return [...new Set(objects(plan.band).map((player) => text(object(player).instrument).replaceAll("_", " ")))];
}
