// The peaks of a track, as audiowaveform writes them: for each pixel the lowest and the highest sample.

/** -1 to 1, alternately lowest and highest. */
export type Peaks = readonly number[];

/** Get the peaks; null where there are none that we can read. */
export async function loadPeaks(url: string, signal: AbortSignal): Promise<Peaks | null> {
  const answer = await fetch(url, { signal });
  return answer.ok ? peaksOf(await answer.json().catch(() => null)) : null;
}

export function peaksOf(said: unknown): Peaks | null {
  const { data, bits = 8 } = (said ?? {}) as { data?: unknown; bits?: unknown };
  if (!Array.isArray(data) || data.length < 2 || typeof bits !== "number") return null;
  return data.map((value) => Number(value) / 2 ** (bits - 1) || 0);
}

/** The path of `n` bars in a box that is `n` wide and 2 high, from the lowest to the highest peak of their stretch. */
export function barsPath(peaks: Peaks, n: number): string {
  const pixels = peaks.length / 2;
  const bars = Array.from({ length: n }, (_, bar) => {
    const from = Math.floor((bar * pixels) / n);
    const to = Math.max(from + 1, Math.floor(((bar + 1) * pixels) / n));
    const stretch = peaks.slice(2 * from, 2 * to);
    // A dot for silence, so that the line goes on.
    const high = Math.max(0.01, ...stretch);
    const low = Math.min(-0.01, ...stretch);
    return `M${bar + 0.5} ${(1 - high).toFixed(3)}V${(1 - low).toFixed(3)}`;
  });
  return bars.join("");
}
