import { type PointerEvent, useCallback, useMemo, useRef, useState } from "react";
import { clockTime, spokenTime } from "../parts/format.ts";
import { useLoaded } from "../parts/use-loaded.ts";
import { barsPath, loadPeaks, type Peaks } from "./peaks.ts";
import { PlayHead, useAt } from "./play-head.tsx";
import { type Player, usePlayer } from "./player.ts";
import { useWidth } from "./use-width.ts";

const BAR_PX = 4;
const FEWEST_BARS = 60;

/** The waveform, which is also the slider that seeks. */
export function Waveform({ player, peaksUrl }: { player: Player; peaksUrl: string | null }) {
  const load = useCallback((signal: AbortSignal) => peaksAt(peaksUrl, signal), [peaksUrl]);
  const { value: peaks } = useLoaded(load);
  const box = useRef<HTMLDivElement>(null);
  const played = useRef<HTMLDivElement>(null);
  useAt(player, played);
  const n = Math.max(FEWEST_BARS, Math.floor(useWidth(box) / BAR_PX));
  const path = useMemo(() => barsPath(peaks ?? [], n), [peaks, n]);
  const [pointedAt, setPointedAt] = useState<number | null>(null);
  const second = usePlayer(player, ({ time }) => Math.floor(time));

  const seekTo = (event: PointerEvent): void => player.seek(fractionAt(event) * player.duration);
  return (
    <div
      ref={box}
      className="waveform"
      role="slider"
      tabIndex={0}
      aria-label="Position"
      aria-valuemin={0}
      aria-valuemax={Math.floor(player.duration)}
      aria-valuenow={second}
      aria-valuetext={`${spokenTime(second)} of ${spokenTime(player.duration)}`}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        seekTo(event);
      }}
      onPointerMove={(event) => setPointedAt(fractionAt(event))}
      onPointerUp={(event) => {
        // A click has sought already; a drag seeks where it ends.
        if (event.button === 0) seekTo(event);
        if (event.pointerType !== "mouse") setPointedAt(null);
      }}
      onPointerCancel={() => setPointedAt(null)}
      onPointerLeave={() => setPointedAt(null)}
    >
      <Bars path={path} n={n} />
      <div ref={played} className="waveform-played">
        <Bars path={path} n={n} />
      </div>
      <PlayHead player={player} />
      {pointedAt === null ? null : (
        <span className="pointed-at" style={{ left: `${100 * pointedAt}%` }}>
          <span className="pointed-time">{clockTime(pointedAt * player.duration)}</span>
        </span>
      )}
    </div>
  );
}

/** Bars that take their colour from the style sheet, and stay sharp at every size and resolution. */
function Bars({ path, n }: { path: string; n: number }) {
  return (
    <svg viewBox={`0 0 ${n} 2`} preserveAspectRatio="none" aria-hidden="true">
      <path d={path} vectorEffect="non-scaling-stroke" />
    </svg>
  );
}

async function peaksAt(url: string | null, signal: AbortSignal): Promise<Peaks | null> {
  return url ? loadPeaks(url, signal) : null;
}

function fractionAt(event: PointerEvent): number {
  const { left, width } = event.currentTarget.getBoundingClientRect();
  return width > 0 ? Math.max(0, Math.min((event.clientX - left) / width, 1)) : 0;
}
