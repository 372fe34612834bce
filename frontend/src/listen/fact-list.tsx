import type { ReactNode } from "react";
import type { Track } from "../api/types.ts";
import { instrumentsOf } from "../api/understanding.ts";
import { clockTime, localDate } from "../parts/format.ts";

/** What is known about a track, in figures. */
export function FactList({ track }: { track: Track }) {
  const facts = factsOf(track).filter(([, value]) => value !== null);
  return (
    <dl className="fact-list">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** What is not known is null. */
function factsOf(track: Track): [name: string, value: ReactNode][] {
  const { duration, tempo, loudness_lufs: loudness } = track;
  const players = [...new Set(instrumentsOf(track.understanding).map(({ name }) => name))];
  return [
    ["Duration", duration === null ? null : clockTime(duration)],
    ["Tempo", tempo === null ? null : `${Math.round(10 * tempo) / 10} bpm`],
    ["Key", track.key],
    ["Time signature", track.time_signature],
    ["Loudness", loudness === null ? null : `${loudness.toFixed(1).replace("-", "−")} LUFS`],
    ["Seed", String(track.seed)],
    ["Engine", [track.model, track.device].filter(Boolean).join(" on ")],
    ["Made in", madeIn(track.timings)],
    ["Made on", track.created_at ? <time dateTime={track.created_at}>{localDate(track.created_at)}</time> : null],
    ["Played by", players.length > 0 ? players.join(", ") : null],
  ];
}

/** The first track of a server waits for the engine, which says nothing about the track. */
function madeIn({ loading, ...stages }: Record<string, number>): string | null {
  const seconds = Object.values(stages).reduce((sum, stage) => sum + stage, 0);
  if (seconds === 0) return null;
  return `${seconds.toFixed(1)} s${loading ? `, and ${loading.toFixed(1)} s to load the engine` : ""}`;
}
