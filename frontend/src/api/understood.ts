// The engine's reading of a prompt, told in words: which words decided what.
import { type Json, object, text } from "./understanding.ts";

export interface Understood {
  /** Words of the prompt, or "your settings". */
  words: string;
  facts: string[];
}

type Tell = (value: unknown, brief: Json) => string | null;

/** Group what was understood by the words that said so: "slow, sad" -> ["calm"]. */
export function understoodOf(understanding: Json): Understood[] {
  const brief = object(understanding.brief);
  const byWords = new Map<string, Set<string>>();
  for (const [field, source] of Object.entries(object(brief.sources))) {
    const fact = (TELL[field] ?? tellByName(field))(brief[field], brief);
    if (fact === null || fact === "") continue;
    const words = text(source) === "request" ? "your settings" : text(source);
    byWords.set(words, (byWords.get(words) ?? new Set()).add(fact));
  }
  return [...byWords].map(([words, facts]) => ({ words, facts: [...facts] }));
}

/** How each field of the brief reads; null where another field already says it. */
const TELL: Record<string, Tell> = {
  arousal: scale(0.35, 0.6, ["calm", "moderately lively", "lively"]),
  brightness: scale(-0.1, 0.1, ["dark sound", null, "bright sound"]),
  crackle: (value) => (value === false ? "no crackle" : "crackle of an old record"),
  instrumental: (value) => (value === false ? "with a voice" : "instrumental"),
  mode: (_value, brief) => textOf(brief.key),
  other_styles: (value) => `a touch of ${textOf(value)}`,
  solo: (value) => (value === true ? "solo" : null),
  suggested_styles: () => null,
  style: (value) => `${textOf(value)} style`,
  tempo: (value) => `${textOf(value)} bpm`,
  tempo_factor: (value) => (Number(value) > 1 ? "faster" : "slower"),
  tempo_range: (value) => (Array.isArray(value) ? `${value.map(textOf).join("–")} bpm` : null),
  time_signature: textOf,
  title: (value) => `title “${textOf(value)}”`,
  tonic: (_value, brief) => textOf(brief.key),
  unwanted: (value) => `no ${textOf(value)}`,
  valence: scale(-0.15, 0.15, ["sad", null, "happy"]),
  wanted: (value) => `with ${textOf(value)}`,
};

type Words = [below: string, between: string | null, above: string];

function scale(low: number, high: number, [below, between, above]: Words): Tell {
  return (value) => (typeof value !== "number" ? null : value < low ? below : value > high ? above : between);
}

/** A field that a newer engine reports. */
function tellByName(field: string): Tell {
  return (value) => `${textOf(field)} ${value === true ? "" : textOf(value)}`.trim();
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join(", ");
  return typeof value === "string" || typeof value === "number" ? String(value).replaceAll("_", " ") : "";
}
