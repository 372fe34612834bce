import { understoodOf } from "../api/understood.ts";

/** Which words of the prompt decided what. */
export function UnderstoodList({ understanding }: { understanding: Record<string, unknown> }) {
  const understood = understoodOf(understanding);
  if (understood.length === 0) return <p className="quiet">Nothing in particular: the engine chooses.</p>;
  return (
    <dl className="understood">
      {understood.map(({ words, facts }) => (
        <div key={words}>
          <dt>{words}</dt>
          <dd>{facts.join(", ")}</dd>
        </div>
      ))}
    </dl>
  );
}
