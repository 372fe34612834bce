import { useId } from "react";

interface ChordGridProps {
  chords: string[];
  /** Bar, from 0 -> what is wrong with its chords. */
  mistakes: Map<number, string[]>;
  onChange: (bar: number, chord: string) => void;
}

/** The chords of a section, a field for each bar; two chords of a bar have a space between them. */
export function ChordGrid({ chords, mistakes, onChange }: ChordGridProps) {
  const id = useId();
  return (
    <fieldset className="chords">
      <legend>
        Chords <span className="hint">for each bar, like Am7 or “F G”</span>
      </legend>
      <div className="chord-grid">
        {chords.map((chord, bar) => (
          <input
            key={bar}
            aria-label={`Bar ${bar + 1}`}
            aria-invalid={mistakes.has(bar) || undefined}
            aria-describedby={mistakes.has(bar) ? `${id}-${bar}` : undefined}
            autoComplete="off"
            autoCapitalize="off"
            autoCorrect="off"
            spellCheck={false}
            value={chord}
            onChange={(event) => onChange(bar, event.target.value)}
          />
        ))}
      </div>
      {mistakes.size > 0 ? (
        <ul className="mistakes">
          {[...mistakes].map(([bar, texts]) => (
            <li key={bar} id={`${id}-${bar}`}>
              Bar {bar + 1}: {texts.join(" ")}
            </li>
          ))}
        </ul>
      ) : null}
    </fieldset>
  );
}
