import { understoodOf } from "../api/understood.ts";

/** Which words of the prompt decided what. */
export function UnderstoodList({ understanding }: { understanding: Record<string, unknown> }) {
  const understood = understoodOf(understanding);
  if (understood.length === 0) return <p className="quiet">Nothing in particular: the engine chooses.</p>;
  return (
    <ul className="understood">
      {understood.map(({ words, facts }) => (
        <li key={words}>
          <span className="understood-words">{words}</span>
          {/* "138 bpm" means 138 bpm: that is not said twice. */}
          {facts
            .filter((fact) => fact !== words)
            .map((fact) => (
              <span key={fact} className="understood-fact">
                {fact}
              </span>
            ))}
        </li>
      ))}
    </ul>
  );
}
