import { expect, it } from "vitest";
import { listenHref, parseRoute } from "./route.ts";

it.each([
  ["", { view: "create" }],
  ["#/", { view: "create" }],
  ["#/library", { view: "library" }],
  ["#/track/3bd1", { view: "listen", trackId: "3bd1" }],
  ["#/track/", { view: "create" }],
  ["#/track/%E0%A4%A", { view: "listen", trackId: "%E0%A4%A" }],
  ["#/of-a-newer-build", { view: "create" }],
])("%j", (hash, route) => expect(parseRoute(hash)).toEqual(route));

it("finds its way back from a link", () => {
  expect(parseRoute(listenHref("a/b c"))).toEqual({ view: "listen", trackId: "a/b c" });
});
