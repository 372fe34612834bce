import { cleanup } from "@testing-library/react";
import { afterEach, beforeEach } from "vitest";

// jsdom has no media queries: nothing matches, so the system prefers light.
globalThis.matchMedia = (media) =>
  Object.assign(new EventTarget(), { matches: false, media, onchange: null }) as unknown as MediaQueryList;

// jsdom has no sound either: a player stays where it is put.
HTMLMediaElement.prototype.pause = () => undefined;
HTMLMediaElement.prototype.play = () => Promise.resolve();
HTMLMediaElement.prototype.load = () => undefined;

beforeEach(() => {
  location.hash = "";
  localStorage.clear();
  delete document.documentElement.dataset.theme;
});

afterEach(cleanup);
