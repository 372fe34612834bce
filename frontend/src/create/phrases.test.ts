import { describe, expect, it } from "vitest";
import { hasPhrase, togglePhrase } from "./phrases.ts";

describe("hasPhrase", () => {
  it.each([
    ["deep House, 124 bpm", "house", true],
    ["warehouse techno", "house", false],
    ["r&b slow jam", "r&b", true],
    ["música", "m", false],
  ])("%s: %s", (prompt, phrase, found) => expect(hasPhrase(prompt, phrase)).toBe(found));
});

describe("togglePhrase", () => {
  it.each([
    ["", "lofi", "lofi"],
    ["rain", "lofi", "rain, lofi"],
    ["rain, ", "lofi", "rain, lofi"],
    ["rain, lofi, 80 bpm", "lofi", "rain, 80 bpm"],
    ["lofi beat, rain", "lofi", "beat, rain"],
    ["rain with flute", "with flute", "rain"],
    ["lofi", "lofi", ""],
  ])("%j with %j becomes %j", (prompt, phrase, after) => expect(togglePhrase(prompt, phrase)).toBe(after));

  it("takes out what it put in", () => {
    expect(togglePhrase(togglePhrase("calm piano", "no drums"), "no drums")).toBe("calm piano");
  });
});
