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
  const start = useRef<{ x: number; index: number } | null>(null);

  const handlersOf = (index: number) => ({
    onPointerDown: (event: PointerEvent<HTMLElement>) => {
      if (event.button !== 0) return;
      start.current = { x: event.clientX, index };
      // Not there where there are no pointers to capture, as in tests.
      event.currentTarget.setPointerCapture?.(event.pointerId);
    },
    onPointerMove: (event: PointerEvent<HTMLElement>) => {
      const from = start.current;
      if (!from || !list.current) return;
      const byX = event.clientX - from.x;
      if (!drag && Math.abs(byX) < SLACK) return;
      const boxes = [...list.current.children].map((block) => block.getBoundingClientRect());
      const dragged = boxes[from.index];
      // It is drawn where it was dragged to, and still counts where it lies.
      if (drag && dragged)
        boxes[from.index] = new DOMRect(dragged.x - drag.byX, dragged.y, dragged.width, dragged.height);
      setDrag({ from: from.index, to: nearest(boxes, event.clientX, event.clientY), byX });
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
