// Chips write words into the prompt and take them out again: the prompt is all that the engine reads.

/** Whether the prompt has these words as words: "house" is not in "warehouse". */
export function hasPhrase(prompt: string, phrase: string): boolean {
  return pattern(phrase).test(prompt);
}

/** Add the words at the end, behind a comma; or take them out, with the comma. */
export function togglePhrase(prompt: string, phrase: string): string {
  const trimmed = prompt.trim();
  if (!hasPhrase(trimmed, phrase)) return trimmed ? `${trimmed.replace(/[,;]$/, "")}, ${phrase}` : phrase;
  return trimmed
    .replace(pattern(phrase), "")
    .split(",")
    .map((part) => part.trim().replaceAll(/\s+/g, " "))
    .filter(Boolean)
    .join(", ");
}

function pattern(phrase: string): RegExp {
  const literal = phrase.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`(?<![\\p{L}\\p{N}])${literal}(?![\\p{L}\\p{N}])`, "iu");
}
