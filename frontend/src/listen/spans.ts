// What happens along a track: each thing lasts until the next begins.

export interface Span<T> {
  item: T;
  start_s: number;
  end_s: number;
}

export function spansOf<T extends { start_s: number }>(items: readonly T[], duration: number): Span<T>[] {
  const inOrder = [...items].sort((a, b) => a.start_s - b.start_s);
  return inOrder.map((item, n) => ({ item, start_s: item.start_s, end_s: inOrder[n + 1]?.start_s ?? duration }));
}

/** The index of what sounds at a time; -1 before the first. */
export function spanAt(spans: readonly Span<unknown>[], time: number): number {
  return spans.findLastIndex(({ start_s }) => start_s <= time);
}

/** Where a span stands in a line that is as long as the track. */
export function placeOf({ start_s, end_s }: Span<unknown>, duration: number): { left: string; width: string } {
  const percent = (seconds: number): string => `${duration > 0 ? (100 * seconds) / duration : 0}%`;
  return { left: percent(start_s), width: percent(Math.max(0, end_s - start_s)) };
}
