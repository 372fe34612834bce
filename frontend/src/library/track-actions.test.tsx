import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";
import { ApiError } from "../api/errors.ts";
import type { ListedTrack } from "../api/types.ts";
import type { Generation } from "../create/use-generation.ts";
import { serve } from "../testing/fake-server.ts";
import { ANSWERS, COMPOSER, SINGER, TRACK } from "../testing/samples.ts";
import { TrackActions } from "./track-actions.tsx";

function renderActions(models: unknown = [COMPOSER, SINGER], track: ListedTrack = TRACK) {
  serve({ ...ANSWERS, "GET /api/models": models });
  const start = vi.fn();
  const actions = (generation: Generation) => (
    <TrackActions track={track} generator={{ generation, start, cancel: vi.fn(), dismiss: vi.fn() }} />
  );
  const { rerender } = render(actions({ state: "idle" }));
  return { start, show: (generation: Generation) => rerender(actions(generation)), user: userEvent.setup() };
}

const button = (name: string) => screen.findByRole("button", { name });

it("makes another piece of the same words", async () => {
  const { start, user } = renderActions();
  await user.click(await button("Again with a new seed"));
  expect(start).toHaveBeenCalledWith({ variation_of: "3bd1" });
});

it("asks how long a longer version shall be, and tells what is wrong with it there", async () => {
  const { start, show, user } = renderActions();
  await user.click(await button("Longer …"));
  const field = screen.getByLabelText<HTMLInputElement>("New length, seconds");
  expect(field.value).toBe("60");
  await user.clear(field);
  await user.type(field, "20");
  await user.click(await button("Make it"));
  expect(start).toHaveBeenCalledWith({ extend: "3bd1", duration: 20 });
  show({ state: "failed", error: new ApiError(422, "…", { duration: ["Must be longer."], extend: ["No plan."] }) });
  expect(field.getAttribute("aria-invalid")).toBe("true");
  expect(screen.getByText("No plan.")).toBeTruthy();
  await user.type(field, "0");
  expect(screen.queryByText("Must be longer.")).toBeNull();
});

it("leads to the plan", async () => {
  renderActions();
  const link = await screen.findByRole("link", { name: "Use as plan" });
  expect(link.getAttribute("href")).toBe("#/plan/3bd1");
});

it("offers neither where the engine has no plans, or nothing was made", async () => {
  renderActions([COMPOSER, SINGER], { ...TRACK, model: "singer" });
  await vi.waitFor(() => expect(screen.queryByRole("link", { name: "Use as plan" })).toBeNull());
  expect(screen.queryByRole("button", { name: "Longer …" })).toBeNull();
});

it("offers only another try where a track has failed", () => {
  renderActions([COMPOSER], { ...TRACK, status: "failed" });
  expect(screen.getAllByRole("button").map((element) => element.textContent)).toEqual(["Again with a new seed"]);
});

it("makes a part anew where an engine can", async () => {
  const { start, user } = renderActions([COMPOSER, { ...SINGER, ready: true, supports_editing: true }]);
  await user.click(await button("Edit a part …"));
  await user.clear(screen.getByLabelText("From, seconds"));
  await user.type(screen.getByLabelText("From, seconds"), "5");
  await user.click(await button("Make it"));
  expect(start).toHaveBeenCalledWith({ of: "3bd1", regenerate: [[5, 15]], model: "singer" });
});

it("does not offer to edit where no engine that is ready can", async () => {
  renderActions([COMPOSER, { ...SINGER, supports_editing: true }]);
  await button("Longer …");
  expect(screen.queryByRole("button", { name: "Edit a part …" })).toBeNull();
});

it("waits while a track is being made", async () => {
  const { start, show, user } = renderActions();
  show({ state: "running", progress: null });
  await user.click(await button("Again with a new seed"));
  expect(start).not.toHaveBeenCalled();
});
