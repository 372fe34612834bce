import { useSyncExternalStore } from "react";

export type Theme = "light" | "dark";

const STORED_AS = "musicgen.theme";
const prefersDark = (): MediaQueryList => matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

/** What is shown: the person's choice, else the system's. */
export function currentTheme(): Theme {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === "light" || chosen === "dark") return chosen;
  return prefersDark().matches ? "dark" : "light";
}

/** Take up an earlier choice; before anything is drawn. */
export function restoreTheme(): void {
  try {
    const stored = localStorage.getItem(STORED_AS);
    if (stored) document.documentElement.dataset.theme = stored;
  } catch {
    // Storage may be forbidden: then the system decides.
  }
}

/** Choose; what the system prefers anyway is not kept, so that the page follows it again. */
export function chooseTheme(theme: Theme): void {
  const isSystems = (theme === "dark") === prefersDark().matches;
  if (isSystems) delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    if (isSystems) localStorage.removeItem(STORED_AS);
    else localStorage.setItem(STORED_AS, theme);
  } catch {
    // It holds until the page is closed.
  }
  for (const listener of listeners) listener();
}

export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, currentTheme);
}

function subscribe(onChange: () => void): () => void {
  listeners.add(onChange);
  const query = prefersDark();
  query.addEventListener("change", onChange);
  return () => {
    listeners.delete(onChange);
    query.removeEventListener("change", onChange);
  };
}
