interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Say which of the boxes, that may stand in several lines, is under a point or nearest to it. */
export function nearest(boxes: Box[], x: number, y: number): number {
  const distances = boxes.map(({ left, right, top, bottom }) =>
    Math.hypot(Math.max(left - x, 0, x - right), Math.max(top - y, 0, y - bottom)),
  );
  return distances.indexOf(Math.min(...distances));
}
