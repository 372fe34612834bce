import type { ListedTrack } from "../api/types.ts";
import { sectionsOf } from "../api/understanding.ts";

const SIZE = 48;
const N_BARS = 8;
const GAP = 1.5;

/** A small picture of a track: its form as it rises and falls, in a colour of its own. Drawn here: nothing is loaded. */
export function Cover({ track }: { track: ListedTrack }) {
  const heights = energiesOf(track);
  const step = (SIZE - 12) / heights.length;
  return (
    <svg className={`cover cover-${hueOf(track)}`} viewBox={`0 0 ${SIZE} ${SIZE}`} aria-hidden="true">
      <rect width={SIZE} height={SIZE} className="cover-paper" />
      {heights.map((energy, n) => {
        const height = 6 + energy * (SIZE - 18);
        return (
          <rect
            key={n}
            className="cover-bar"
            x={6 + n * step + GAP / 2}
            y={(SIZE - height) / 2}
            width={Math.max(step - GAP, 1)}
            height={height}
            rx={1}
          />
        );
      })}
    </svg>
  );
}

/** How lively the piece is at equal distances, 0 to 1; tracks without sections get a pattern of their name. */
function energiesOf(track: ListedTrack): number[] {
  const sections = sectionsOf(track.understanding);
  const bars = sections.flatMap(({ bars, energy }) => Array<number>(Math.max(0, Math.round(bars))).fill(energy));
  return Array.from({ length: N_BARS }, (_, n) => {
    const energy = bars[Math.floor((n * bars.length) / N_BARS)];
    return energy ?? (hash(`${track.track_id}${n}`) % 100) / 100;
  });
}

/** One of the six colours of `library.css`: the same for the same style. */
function hueOf({ understanding, track_id }: ListedTrack): number {
  return hash(typeof understanding.style === "string" ? understanding.style : track_id) % 6;
}

function hash(text: string): number {
  let sum = 0;
  for (const char of text) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) >>> 0;
  return sum;
}
