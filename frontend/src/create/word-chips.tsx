import { useId, useState } from "react";
import { Chip } from "../parts/chip.tsx";
import { hasPhrase, togglePhrase } from "./phrases.ts";

export interface Word {
  /** What the chip says. */
  label: string;
  /** What it writes into the prompt. */
  phrase: string;
  title?: string;
}

interface WordChipsProps {
  label: string;
  words: Word[];
  prompt: string;
  onChange: (prompt: string) => void;
  /** How many are shown before all are asked for. */
  nShown?: number;
}

/** A row of words that go into the prompt, and out of it. */
export function WordChips({ label, words, prompt, onChange, nShown = 10 }: WordChipsProps) {
  const id = useId();
  const [showsAll, setShowsAll] = useState(false);
  const isUsed = ({ phrase }: Word): boolean => hasPhrase(prompt, phrase);
  const shown = showsAll ? words : words.filter((word, n) => n < nShown || isUsed(word));
  return (
    <div role="group" aria-labelledby={id}>
      <p id={id} className="chips-label">
        {label}
      </p>
      <div className="chips chips-line">
        {shown.map((word) => (
          <Chip
            key={word.phrase}
            pressed={isUsed(word)}
            title={word.title}
            onClick={() => onChange(togglePhrase(prompt, word.phrase))}
          >
            {word.label}
          </Chip>
        ))}
        {words.length > nShown ? (
          <button
            type="button"
            className="chip chip-more"
            aria-expanded={showsAll}
            onClick={() => setShowsAll((shows) => !shows)}
          >
            {showsAll ? "fewer" : `all ${words.length}`}
          </button>
        ) : null}
      </div>
    </div>
  );
}
