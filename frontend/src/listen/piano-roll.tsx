import { memo, useCallback, useMemo, useState } from "react";
import { Quiet } from "../parts/notice.tsx";
import { useLoaded } from "../parts/use-loaded.ts";
import type { Score } from "./midi-score.ts";
import type { Player } from "./player.ts";
import { describePart, rollOf } from "./roll-layout.ts";
import { TimeLane } from "./time-lane.tsx";

const PX_PER_S = 30;
const N_COLOURS = 8;

/** The score as bars on a grid, a colour for each part. */
export function PianoRoll({ player, url }: { player: Player; url: string }) {
  const load = useCallback((signal: AbortSignal) => loadScore(url, signal), [url]);
  const { value: score, error } = useLoaded(load);
  const [hidden, setHidden] = useState<ReadonlySet<number>>(new Set());
  if (error) return <Quiet>The score cannot be shown.</Quiet>;
  if (!score) return <Quiet>Reading the score …</Quiet>;
  const toggle = (part: number): void => {
    const others = [...hidden].filter((other) => other !== part);
    setHidden(new Set(hidden.has(part) ? others : [...others, part]));
  };
  return (
    <>
      <Legend score={score} hidden={hidden} onToggle={toggle} />
      <Notes player={player} score={score} hidden={hidden} />
    </>
  );
}

async function loadScore(url: string, signal: AbortSignal): Promise<Score> {
  const [answer, { readScore }] = await Promise.all([fetch(url, { signal }), import("./midi-score.ts")]);
  if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
  return readScore(await answer.arrayBuffer());
}

interface LegendProps {
  score: Score;
  hidden: ReadonlySet<number>;
  onToggle: (part: number) => void;
}

/** Who plays, in which colour; a press hides a part and shows it again. */
function Legend({ score, hidden, onToggle }: LegendProps) {
  return (
    <ul className="chips chips-line roll-legend" aria-label="Parts shown">
      {score.parts.map((part, n) => (
        <li key={n}>
          <button
            type="button"
            className={`chip part-${n % N_COLOURS}`}
            aria-pressed={!hidden.has(n)}
            title={describePart(part)}
            onClick={() => onToggle(n)}
          >
            {part.name}
          </button>
        </li>
      ))}
    </ul>
  );
}

const Notes = memo(function Notes({ player, score, hidden }: Omit<LegendProps, "onToggle"> & { player: Player }) {
  const roll = useMemo(() => rollOf(score), [score]);
  const { duration } = player;
  const bars = score.bars_s.map((start_s) => `M${start_s.toFixed(3)} 0v${roll.height}`).join("");
  const octaves = roll.labels.map(({ y }) => `M0 ${y}h${duration}`).join("");
  return (
    <div className="roll">
      <TimeLane player={player} label="Piano roll" width={PX_PER_S * duration}>
        <svg
          className="roll-notes"
          viewBox={`0 0 ${duration} ${roll.height}`}
          height={roll.height}
          preserveAspectRatio="none"
          role="img"
          aria-label={score.parts.map(describePart).join("; ")}
        >
          <path className="roll-grid" d={bars + octaves} vectorEffect="non-scaling-stroke" />
          {roll.paths.map((path, n) =>
            hidden.has(n) ? null : (
              <path
                key={n}
                className={`part-${n % N_COLOURS}`}
                d={path}
                strokeWidth={(score.parts[n]?.isDrums ? 5 : 0.8 * roll.rowHeight).toFixed(1)}
              />
            ),
          )}
        </svg>
      </TimeLane>
      <div className="roll-labels" aria-hidden="true">
        {roll.labels.map(({ y, name }) => (
          <span key={name} style={{ top: y }}>
            {name}
          </span>
        ))}
      </div>
    </div>
  );
});
