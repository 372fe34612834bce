import { type KeyboardEvent, useEffect, useRef } from "react";
import type { EditedSection } from "./plan-draft.ts";
import type { SectionCommands } from "./section-commands.ts";
import { useDrag } from "./use-drag.ts";

interface TimelineProps {
  sections: EditedSection[];
  chosen: number;
  /** Sections, from 0, with mistakes. */
  wrong: ReadonlyMap<number, unknown>;
  onChoose: (index: number) => void;
  commandsOf: (index: number) => SectionCommands;
}

/** All sections in a row, as wide as they are long: to choose one, to drag it elsewhere, or to do all of it by keyboard. */
export function Timeline({ sections, chosen, wrong, onChoose, commandsOf }: TimelineProps) {
  const list = useRef<HTMLDivElement>(null);
  const movesFocus = useRef(false);
  const { drag, handlersOf } = useDrag(list, (from, to) => commandsOf(from).move(to));

  useEffect(() => {
    // The block that a key has chosen, moved or put in the place of another has the focus.
    if (movesFocus.current) list.current?.querySelector<HTMLElement>("[aria-selected=true]")?.focus();
    movesFocus.current = false;
  });

  const total = sections.reduce((sum, { bars }) => sum + bars, 0);
  const onKeyDown = (event: KeyboardEvent): void => {
    const act = actionOf(event, chosen, sections, onChoose, commandsOf(chosen));
    if (!act) return;
    event.preventDefault();
    movesFocus.current = true;
    act();
  };
  return (
    <div className="timeline-area">
      <div
        ref={list}
        className="timeline"
        role="listbox"
        tabIndex={-1}
        aria-label="Sections"
        aria-orientation="horizontal"
        aria-describedby="timeline-hint"
        onKeyDown={onKeyDown}
      >
        {sections.map(({ id, name, bars, energy }, index) => (
          // The list hears the keys of all.
          // eslint-disable-next-line jsx-a11y/click-events-have-key-events
          <div
            key={id}
            role="option"
            tabIndex={index === chosen ? 0 : -1}
            aria-selected={index === chosen}
            aria-label={`${name}, ${bars} ${bars === 1 ? "bar" : "bars"}, energy ${Math.round(energy * 100)} %${wrong.has(index) ? ", has a mistake" : ""}`}
            className={`block ${classOf(index, drag)} ${wrong.has(index) ? "block-wrong" : ""}`}
            style={{ ...widthOf(bars, total), ...(drag?.from === index ? { translate: `${drag.byX}px 0` } : {}) }}
            onClick={() => onChoose(index)}
            onFocus={() => onChoose(index)}
            {...handlersOf(index)}
          >
            <span className="block-space">
              <span className="block-energy" style={{ height: `${15 + 85 * energy}%` }} />
            </span>
            <span className="block-name">{name}</span>
            <span className="block-bars">{bars}</span>
          </div>
        ))}
      </div>
      <p id="timeline-hint" className="hint">
        Drag a section, or choose it with the arrow keys: Shift with an arrow moves it, + and − stretch it, Delete
        removes it.
      </p>
    </div>
  );
}

/** By bars; a block that is alone in its line does not fill that. */
function widthOf(bars: number, total: number) {
  const maxWidth = `max(${bars * 1.1}rem, ${(125 * bars) / total}%)`;
  return { flexGrow: bars, flexBasis: `${Math.min(bars, 32) * 0.55}rem`, maxWidth };
}

function classOf(index: number, drag: { from: number; to: number } | null): string {
  if (!drag) return "";
  if (index === drag.from) return "block-dragged";
  if (index !== drag.to) return "";
  return drag.to > drag.from ? "block-after" : "block-before";
}

function actionOf(
  { key, shiftKey, ctrlKey, altKey, metaKey }: KeyboardEvent,
  at: number,
  sections: EditedSection[],
  choose: (index: number) => void,
  { move, stretch, remove }: SectionCommands,
): (() => void) | null {
  if (ctrlKey || altKey || metaKey) return null;
  const bars = sections[at]?.bars ?? 0;
  const goTo = (index: number) => () => {
    if (index in sections) (shiftKey ? move : choose)(index);
  };
  switch (key) {
    case "ArrowLeft":
    case "ArrowUp":
      return goTo(at - 1);
    case "ArrowRight":
    case "ArrowDown":
      return goTo(at + 1);
    case "Home":
      return goTo(0);
    case "End":
      return goTo(sections.length - 1);
    case "+":
      return () => stretch(bars + 1);
    case "-":
      return () => stretch(Math.max(1, bars - 1));
    case "Delete":
      return remove;
    default:
      return null;
  }
}
