// Every change of a plan, as a function from draft to draft.
import { type EditedSection, MAX_BARS, type PlanDraft, within01 } from "./plan-draft.ts";
import { stepsBetween, transposeBar } from "./transpose.ts";

export type Edit = (draft: PlanDraft) => PlanDraft;

export const move =
  (from: number, to: number): Edit =>
  (draft) => {
    const section = draft.sections[from];
    if (!section || from === to || !(to in draft.sections)) return draft;
    return { ...draft, sections: draft.sections.toSpliced(from, 1).toSpliced(to, 0, section) };
  };

/** More bars repeat the chords that are there; fewer keep them for later. */
export const stretch = (index: number, bars: number): Edit =>
  onSection(index, (section) => {
    if (!Number.isInteger(bars) || bars < 1 || bars > MAX_BARS) return section;
    const { chords } = section;
    const missing = chords.length > 0 ? Math.max(0, bars - chords.length) : 0;
    const more = Array.from({ length: missing }, (_, n) => chords[n % chords.length] ?? "");
    return { ...section, bars, chords: [...chords, ...more] };
  });

export const setEnergy = (index: number, energy: number): Edit =>
  onSection(index, (section) => ({ ...section, energy: within01(energy) }));

export const setChord = (index: number, bar: number, chord: string): Edit =>
  onSection(index, (section) => ({ ...section, chords: section.chords.with(bar, chord) }));

export const duplicate =
  (index: number): Edit =>
  (draft) => {
    const section = draft.sections[index];
    if (!section) return draft;
    const id = 1 + Math.max(...draft.sections.map((other) => other.id));
    return { ...draft, sections: draft.sections.toSpliced(index + 1, 0, { ...section, id }) };
  };

/** Take a section out; the only one stays. */
export const remove =
  (index: number): Edit =>
  (draft) =>
    draft.sections.length > 1 ? { ...draft, sections: draft.sections.toSpliced(index, 1) } : draft;

export const setTempo =
  (tempo: string): Edit =>
  (draft) => ({ ...draft, tempo });

export const setLastChord =
  (lastChord: string): Edit =>
  (draft) => ({ ...draft, lastChord });

/** Change the key; the chords move along with its tonic. */
export const setKey =
  (key: string): Edit =>
  (draft) => {
    const by = stepsBetween(draft.key, key);
    if (by === 0) return { ...draft, key };
    const sections = draft.sections.map((section) => ({
      ...section,
      chords: section.chords.map((bar) => transposeBar(bar, by, key)),
    }));
    return { ...draft, key, sections, lastChord: transposeBar(draft.lastChord, by, key) };
  };

function onSection(index: number, change: (section: EditedSection) => EditedSection): Edit {
  return (draft) => {
    const section = draft.sections[index];
    return section ? { ...draft, sections: draft.sections.with(index, change(section)) } : draft;
  };
}
