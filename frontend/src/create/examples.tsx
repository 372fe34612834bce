import { useState } from "react";
import { EXAMPLES } from "./words.ts";

const N_SHOWN = 3;

/** Whole prompts to begin with; each shows another thing that a prompt may say. */
export function Examples({ examples, onChoose }: { examples: string[]; onChoose: (prompt: string) => void }) {
  const [start, setStart] = useState(() => Math.random());
  const all = examples.length > 0 ? examples : EXAMPLES;
  const first = Math.floor(start * all.length);
  const shown = [...all, ...all].slice(first, first + Math.min(N_SHOWN, all.length));
  return (
    <div className="examples" role="group" aria-label="Examples">
      <ul>
        {shown.map((example) => (
          <li key={example}>
            <button type="button" className="example" onClick={() => onChoose(example)}>
              {example}
            </button>
          </li>
        ))}
      </ul>
      {all.length > N_SHOWN ? (
        <button
          type="button"
          className="link-button"
          onClick={() => setStart((first + N_SHOWN + 0.5) / all.length - Math.floor((first + N_SHOWN) / all.length))}
        >
          Other examples
        </button>
      ) : null}
    </div>
  );
}
