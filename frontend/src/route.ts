import { useSyncExternalStore } from "react";

/** Where in the page we are; the address keeps it behind the "#", so that the server needs to know one page only. */
export type Route =
  { view: "create" } | { view: "library" } | { view: "listen"; trackId: string } | { view: "plan"; trackId: string };

export const CREATE_HREF = "#/";
export const LIBRARY_HREF = "#/library";
export const listenHref = (trackId: string): string => `#/track/${encodeURIComponent(trackId)}`;

export const planHref = (trackId: string): string => `#/plan/${encodeURIComponent(trackId)}`;

export function parseRoute(hash: string): Route {
  const [, view, id] = hash.split("/");
  if (view === "library") return { view: "library" };
  if (view === "track" && id) return { view: "listen", trackId: decoded(id) };
  if (view === "plan" && id) return { view: "plan", trackId: decoded(id) };
  return { view: "create" };
}

export function useRoute(): Route {
  return parseRoute(useSyncExternalStore(subscribe, () => location.hash));
}

export function go(href: string): void {
  location.hash = href;
}

function subscribe(onChange: () => void): () => void {
  addEventListener("hashchange", onChange);
  return () => removeEventListener("hashchange", onChange);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
