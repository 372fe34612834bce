import type { Chord } from "../api/understanding.ts";
import { type Player, usePlayer } from "./player.ts";
import { placeOf, type Span, spanAt } from "./spans.ts";
import { TimeLane } from "./time-lane.tsx";

/** A letter of a chord symbol, and the space around it. */
const LETTER_PX = 9;
const PADDING_PX = 16;
/** Share of the chords that have room for their symbols: those that only flash by may be cut off. */
const MOST = 0.95;

/** The chords as they go by. */
export function ChordLane({ player, chords }: { player: Player; chords: Span<Chord>[] }) {
  const sounding = usePlayer(player, ({ time }) => spanAt(chords, time));
  if (chords.length === 0) return null;
  return (
    <TimeLane player={player} label="Chords" className="chord-lane" width={widthOf(chords, player.duration)}>
      <ol>
        {chords.map((span, n) => (
          <li
            key={n}
            aria-current={n === sounding ? "true" : undefined}
            style={placeOf(span, player.duration)}
            title={span.item.chord_symbol}
          >
            {span.item.chord_symbol}
          </li>
        ))}
      </ol>
    </TimeLane>
  );
}

/** As wide, in pixels, as it must be for most symbols to have room. */
function widthOf(chords: Span<Chord>[], duration: number): number {
  const pxPerS = chords
    .filter(({ start_s, end_s }) => end_s > start_s)
    .map(({ item, start_s, end_s }) => (LETTER_PX * item.chord_symbol.length + PADDING_PX) / (end_s - start_s))
    .sort((a, b) => a - b);
  return duration * (pxPerS[Math.floor(MOST * (pxPerS.length - 1))] ?? 0);
}
