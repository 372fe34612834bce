import { type PointerEvent, type RefObject, useRef, useState } from "react";
import { nearest } from "./nearest.ts";

interface Drag {
  from: number;
  /** Where it would go if it were let go now. */
  to: number;
  /** How far it has been dragged, pixels. */
  byX: number;
}

/** What a pointer must move before a press becomes a drag, pixels. */
const SLACK = 6;

/** Drag the children of `list` to other places among them, with a mouse, a pen or a finger. */
export function useDrag(list: RefObject<HTMLElement | null>, onDrop: (from: number, to: number) => void) {
  const [drag, setDrag] = useState<Drag | null>(null);
  // Where everything lay before it was dragged.
  const start = useRef<{ x: number; boxes: DOMRect[] } | null>(null);

  const handlersOf = (index: number) => ({
    onPointerDown: (event: PointerEvent<HTMLElement>) => {
      if (event.button !== 0) return;
      const blocks = [...(list.current?.children ?? [])];
      start.current = { x: event.clientX, boxes: blocks.map((block) => block.getBoundingClientRect()) };
      // Not there where there are no pointers to capture, as in tests.
      event.currentTarget.setPointerCapture?.(event.pointerId);
    },
    onPointerMove: (event: PointerEvent<HTMLElement>) => {
      if (!start.current) return;
      const { x, boxes } = start.current;
      const byX = event.clientX - x;
      if (!drag && Math.abs(byX) < SLACK) return;
      setDrag({ from: index, to: nearest(boxes, event.clientX, event.clientY), byX });
    },
    onPointerUp: () => {
      start.current = null;
      if (drag && drag.to !== drag.from) onDrop(drag.from, drag.to);
      setDrag(null);
    },
    onPointerCancel: () => {
      start.current = null;
      setDrag(null);
    },
  });
  return { drag, handlersOf };
}
