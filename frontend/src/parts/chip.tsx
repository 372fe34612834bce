interface ChipProps {
  children: string;
  pressed?: boolean;
  title?: string | undefined;
  onClick: () => void;
}

/** A small button; with `pressed` one that stays down. */
export function Chip({ children, pressed, title, onClick }: ChipProps) {
  return (
    <button type="button" className="chip" aria-pressed={pressed} title={title} onClick={onClick}>
      {children}
    </button>
  );
}
