import { act, render } from "@testing-library/react";
import { expect, it } from "vitest";
import { Player } from "./player.ts";
import { TimeLane } from "./time-lane.tsx";

/** A lane of 1,000 px seen through 100 px: 10 px a second. */
function showLane() {
  const player = new Player(100);
  player.attach(document.createElement("audio"));
  const { getByRole } = render(
    <TimeLane player={player} label="Lane" width={1000}>
      <p>notes</p>
    </TimeLane>,
  );
  const lane = getByRole("region", { name: "Lane" });
  Object.defineProperties(lane, { scrollWidth: { value: 1000 }, clientWidth: { value: 100 } });
  const playUntil = (second: number): void => {
    while (player.time < second) act(() => player.skip(0.5));
  };
  return { player, lane, playUntil };
}

it("turns the page when the play head gets to its end", () => {
  const { lane, playUntil } = showLane();
  playUntil(9);
  expect(lane.scrollLeft).toBe(0);
  playUntil(9.5);
  expect(lane.scrollLeft).toBe(80);
});

it("leaves a reader alone who has scrolled away, until the next jump", () => {
  const { player, lane, playUntil } = showLane();
  playUntil(1);
  lane.scrollLeft = 500;
  playUntil(3);
  expect(lane.scrollLeft).toBe(500);
  act(() => player.seek(20));
  expect(lane.scrollLeft).toBe(185);
});
