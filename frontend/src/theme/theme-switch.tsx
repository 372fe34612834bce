import { chooseTheme, useTheme } from "./theme.ts";

/** A switch between light and dark; untouched, the page follows the system. */
export function ThemeSwitch() {
  const isDark = useTheme() === "dark";
  return (
    <button
      type="button"
      role="switch"
      aria-checked={isDark}
      aria-label="Dark colours"
      title={isDark ? "Change to light" : "Change to dark"}
      className="theme-switch"
      onClick={() => chooseTheme(isDark ? "light" : "dark")}
    >
      <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
        <circle cx="12" cy="12" r="8" fill="none" stroke="currentColor" strokeWidth="2" />
        <path d="M12 4a8 8 0 0 1 0 16z" fill="currentColor" />
      </svg>
    </button>
  );
}
