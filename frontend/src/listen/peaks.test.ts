import { expect, it } from "vitest";
import { barsPath, peaksOf } from "./peaks.ts";

it("reads peaks of 8 and 16 bits", () => {
  expect(peaksOf({ version: 2, bits: 8, data: [-128, 64] })).toEqual([-1, 0.5]);
  expect(peaksOf({ bits: 16, data: [-16384, 0] })).toEqual([-0.5, 0]);
});

it("takes nothing for peaks that is none", () => {
  for (const said of [null, {}, [], { data: "x" }, { data: [] }, { data: [1, 2], bits: "8" }]) {
    expect(peaksOf(said)).toBeNull();
  }
});

it("draws bars from the lowest to the highest peak", () => {
  expect(barsPath([-0.5, 0.25, -0.75, 0.5], 2)).toBe("M0.5 0.750V1.500M1.5 0.500V1.750");
  expect(barsPath([-0.5, 0.25, -0.75, 0.5], 1)).toBe("M0.5 0.500V1.750");
});

it("draws dots where there is nothing, and repeats peaks where there are more bars", () => {
  expect(barsPath([], 1)).toBe("M0.5 0.990V1.010");
  expect(barsPath([-0.5, 0.5], 2)).toBe("M0.5 0.500V1.500M1.5 0.500V1.500");
});
