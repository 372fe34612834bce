import { type KeyboardEvent, type ReactNode, useId, useRef } from "react";

interface TabsProps {
  label: string;
  names: string[];
  chosen: string;
  onChoose: (name: string) => void;
  /** The panel of the chosen tab. */
  children: ReactNode;
}

/** Tabs as the ARIA practices have them: one stop of the tab key, arrows choose. */
export function Tabs({ label, names, chosen, onChoose, children }: TabsProps) {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);

  const onKeyDown = (event: KeyboardEvent): void => {
    const next = nextIndex(event.key, names.indexOf(chosen), names.length);
    const name = names[next];
    if (name === undefined) return;
    event.preventDefault();
    onChoose(name);
    list.current?.querySelectorAll<HTMLElement>("[role=tab]")[next]?.focus();
  };
  return (
    <>
      <div ref={list} className="tabs" role="tablist" aria-label={label}>
        {names.map((name) => (
          <button
            key={name}
            type="button"
            role="tab"
            id={`${id}-${name}`}
            aria-selected={name === chosen}
            aria-controls={`${id}-panel`}
            tabIndex={name === chosen ? 0 : -1}
            onClick={() => onChoose(name)}
            onKeyDown={onKeyDown}
          >
            {name}
          </button>
        ))}
      </div>
      <div id={`${id}-panel`} role="tabpanel" aria-labelledby={`${id}-${chosen}`}>
        {children}
      </div>
    </>
  );
}

/** -1 where the key means nothing to tabs. */
function nextIndex(key: string, index: number, n: number): number {
  switch (key) {
    case "ArrowRight":
      return (index + 1) % n;
    case "ArrowLeft":
      return (index + n - 1) % n;
    case "Home":
      return 0;
    case "End":
      return n - 1;
    default:
      return -1;
  }
}
