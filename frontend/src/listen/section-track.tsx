import type { Section } from "../api/understanding.ts";
import { clockTime } from "../parts/format.ts";
import { type Player, usePlayer } from "./player.ts";
import { placeOf, type Span, spanAt } from "./spans.ts";

/** The sections under the waveform: as high as they are lively; a click plays from there. */
export function SectionTrack({ player, sections }: { player: Player; sections: Span<Section>[] }) {
  const sounding = usePlayer(player, ({ time }) => spanAt(sections, time));
  if (sections.length === 0) return null;
  return (
    <ol className="section-track" aria-label="Sections">
      {sections.map((span, n) => (
        <li key={n} style={placeOf(span, player.duration)}>
          <button
            type="button"
            aria-current={n === sounding ? "true" : undefined}
            title={describe(span)}
            aria-label={describe(span)}
            onClick={() => player.seek(span.start_s)}
          >
            <span className="section-space">
              <span className="section-energy" style={{ height: `${15 + 85 * span.item.energy}%` }} />
            </span>
            <span className="section-name">{span.item.name}</span>
          </button>
        </li>
      ))}
    </ol>
  );
}

/** "chorus, from 0:12, 5 bars, energy 63 %, D minor" */
function describe({ item, start_s }: Span<Section>): string {
  const facts = [`from ${clockTime(start_s)}`, item.bars ? `${item.bars} bars` : ""];
  return [item.name, ...facts, `energy ${Math.round(100 * item.energy)} %`, item.key].filter(Boolean).join(", ");
}
