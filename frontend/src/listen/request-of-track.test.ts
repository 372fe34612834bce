import { expect, it } from "vitest";
import { serve } from "../testing/fake-server.ts";
import { PLAN, TRACK } from "../testing/samples.ts";
import { fullRequest, isSameJson, shortestRequest } from "./request-of-track.ts";

const PLANNED = { ...TRACK, plan: { ...PLAN.plan, duration: 30.5 } };
// The samples' key was a setting, their tempo stands in the prompt.
const PLAIN = { prompt: "lofi, rainy night", seed: 7, duration: 30.5, model: "composer", key: "D minor" };

it("leaves out the plan that the engine makes by itself", async () => {
  const asked = serve({ "POST /api/plan": { ...PLAN, plan: { duration: 30.5, ...PLAN.plan } } });
  expect(await shortestRequest(PLANNED)).toEqual(PLAIN);
  expect(asked[0]?.body).toEqual(PLAIN);
});

it("keeps a plan that was changed, or that cannot be compared", async () => {
  serve({ "POST /api/plan": PLAN });
  expect(await shortestRequest(PLANNED)).toEqual({ ...PLAIN, plan: PLANNED.plan });
  serve({});
  expect(await shortestRequest(PLANNED)).toEqual(fullRequest(PLANNED));
});

it("asks for what was asked for", () => {
  const sources = { instrumental: "request", title: "request", language: "guessed from the words" };
  const understanding = { brief: { instrumental: true, sources } };
  const track = {
    ...TRACK,
    understanding,
    language: "en",
    duration: 29.999977,
    stems: { bass: "/output/3bd1.bass.wav" },
  };
  expect(fullRequest(track)).toEqual({
    prompt: "lofi, rainy night",
    seed: 7,
    duration: 30,
    model: "composer",
    title: "Rainy Night",
    instrumental: true,
    stems: true,
  });
});

it("compares JSON values", () => {
  expect(isSameJson({ a: [1, { b: null }], c: "x" }, { c: "x", a: [1, { b: null }] })).toBe(true);
  expect(isSameJson({ a: 1 }, { a: 1, b: undefined })).toBe(false);
  expect(isSameJson([1, 2], [2, 1])).toBe(false);
  expect(isSameJson([], {})).toBe(false);
  expect(isSameJson(null, {})).toBe(false);
});
