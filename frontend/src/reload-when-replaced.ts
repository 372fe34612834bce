const RELOADED_AT = "musicgen.reloaded-at";
const PATIENCE_MS = 10_000;

/** Load the page anew when a part of it is gone from the server, because a newer build has replaced it. */
export function reloadWhenReplaced(): void {
  addEventListener("vite:preloadError", () => {
    // A part that is still missing right after that is missing for another reason.
    if (Date.now() - Number(sessionStorage.getItem(RELOADED_AT)) < PATIENCE_MS) return;
    sessionStorage.setItem(RELOADED_AT, String(Date.now()));
    location.reload();
  });
}
