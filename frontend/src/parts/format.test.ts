import { expect, it } from "vitest";
import { clockTime, fileSize, localDate, spokenTime } from "./format.ts";

it("tells times", () => {
  expect([0, 5.2, 59.6, 95, 300].map(clockTime)).toEqual(["0:00", "0:05", "1:00", "1:35", "5:00"]);
  expect([0, 5.2, 60, 95, -1].map(spokenTime)).toEqual(["0 s", "5 s", "1 min", "1 min 35 s", "0 s"]);
});

it("tells sizes", () => {
  expect([1, 962_601, 5_800_000].map(fileSize)).toEqual(["1 kB", "963 kB", "5.8 MB"]);
});

it("leaves alone what is no date", () => {
  expect(localDate("soon")).toBe("soon");
});
