import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";
import type { Generation } from "../create/use-generation.ts";
import { type Asked, failure, serve } from "../testing/fake-server.ts";
import { ANSWERS, PLAN, TRACK } from "../testing/samples.ts";
import { PlanView } from "./plan-view.tsx";

const SECTIONS = [
  { name: "intro", bars: 2, energy: 0.2, chords: ["Dm", "G"] },
  { name: "verse", bars: 4, energy: 0.4, chords: ["Dm", "G", "C", "F"] },
  { name: "outro", bars: 2, energy: 0.3, chords: ["Dm", "C"] },
];
const SONG = { style: "lofi", tempo: 120, key: "D minor", time_signature: "4/4", duration: 18.8, sections: SECTIONS };
let nth = 0;

/** What the server of today says of chords. */
function checkChords({ body }: Asked) {
  const { sections } = (body as { plan: typeof SONG }).plan;
  const errors: Record<string, string[]> = {};
  sections.forEach(({ chords }, section) =>
    chords.forEach((chord, bar) => {
      if (chord.startsWith("H"))
        errors[`plan.sections.${section}.chords.${bar}`] = [`'${chord}' is not a chord symbol.`];
    }),
  );
  return Object.keys(errors).length > 0 ? failure(422, "…", errors) : { ...PLAN, plan: { duration: 20 } };
}

async function open(plan: unknown = SONG, generation: Generation = { state: "idle" }) {
  // Edits outlive the editor: each test has a track of its own.
  const track = { ...TRACK, track_id: `t${nth++}`, plan };
  const asked = serve({
    ...ANSWERS,
    [`GET /api/track/${track.track_id}`]: track,
    "POST /api/plan": checkChords,
  });
  const start = vi.fn();
  const generator = { generation, start, cancel: vi.fn(), dismiss: vi.fn() };
  const view = () => <PlanView trackId={track.track_id} generator={generator} />;
  const page = render(view());
  if (plan) await screen.findByRole("listbox", { name: "Sections" });
  return { asked, start, view, user: userEvent.setup(), ...page };
}

const blocks = () => screen.getAllByRole("option").map((block) => block.getAttribute("aria-label")?.split(",")[0]);
const news = () => document.querySelector(".plan > [role=status]")?.textContent;
const duration = () => screen.getByLabelText("Duration").textContent;
const madePlan = (start: ReturnType<typeof vi.fn>) =>
  (start.mock.lastCall?.[0] as { plan: typeof SONG & { duration?: number } }).plan;

it("makes the plan as it came with prompt, seed and engine of the track", async () => {
  const { start, user } = await open();
  expect(await screen.findByText("It can be played and lasts 20 s.")).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "Make it" }));
  expect(start).toHaveBeenCalledWith({ prompt: TRACK.prompt, seed: 7, model: "composer", plan: SONG });
});

it("moves by buttons, tells it, and takes it back", async () => {
  const { start, user } = await open();
  await user.click(screen.getByRole("button", { name: "Later" }));
  expect(blocks()).toEqual(["verse", "intro", "outro"]);
  expect(news()).toBe("intro is now 2 of 3");
  expect(screen.getByRole("heading", { name: "intro 2 of 3" })).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "Make it" }));
  expect(madePlan(start).sections.map(({ name }) => name)).toEqual(["verse", "intro", "outro"]);
  await user.click(screen.getByRole("button", { name: "Undo" }));
  expect(blocks()).toEqual(["intro", "verse", "outro"]);
  await user.click(screen.getByRole("button", { name: "Redo" }));
  expect(blocks()).toEqual(["verse", "intro", "outro"]);
});

it("chooses, moves, stretches and removes by keyboard, with the focus on the section", async () => {
  const { user } = await open();
  screen.getByRole("option", { selected: true }).focus();
  await user.keyboard("{ArrowRight}");
  expect(document.activeElement?.textContent).toContain("verse");
  await user.keyboard("{Shift>}{ArrowRight}{/Shift}");
  expect(blocks()).toEqual(["intro", "outro", "verse"]);
  expect(document.activeElement?.textContent).toContain("verse");
  await user.keyboard("++-");
  expect(news()).toBe("verse: 5 bars");
  expect(duration()).toContain("0:21");
  await user.keyboard("{Delete}");
  expect(blocks()).toEqual(["intro", "outro"]);
  expect(document.activeElement?.textContent).toContain("outro");
  await user.keyboard("{Home}{Delete}{Delete}");
  expect(blocks()).toEqual(["outro"]);
});

it("moves by dragging", async () => {
  await open();
  const options = screen.getAllByRole("option");
  const intro = screen.getByRole("option", { name: /intro/ });
  options.forEach((option, n) => {
    const box = { left: n * 100, right: n * 100 + 100, top: 0, bottom: 50 };
    option.getBoundingClientRect = () => box as DOMRect;
  });
  // jsdom has no PointerEvent.
  const point = (type: string, clientX: number) =>
    fireEvent(intro, new MouseEvent(type, { bubbles: true, clientX, clientY: 20 }));
  point("pointerdown", 50);
  point("pointermove", 52);
  point("pointermove", 150);
  expect(screen.getByRole("option", { name: /verse/ }).className).toContain("block-after");
  point("pointermove", 290);
  point("pointerup", 290);
  expect(blocks()).toEqual(["verse", "outro", "intro"]);
});

it("stretches by number and by button, and the bars decide how long it is", async () => {
  const { start, user } = await open();
  expect(duration()).toContain("0:19");
  const bars = screen.getByLabelText<HTMLInputElement>("Bars");
  await user.clear(bars);
  await user.type(bars, "10");
  await user.click(screen.getByRole("button", { name: "One bar more" }));
  expect(bars.value).toBe("11");
  expect(duration()).toContain("0:37");
  await user.click(screen.getByRole("button", { name: "Make it" }));
  expect(madePlan(start)).not.toHaveProperty("duration");
  expect(madePlan(start).sections[0]?.chords).toHaveLength(11);
});

it("shows what is wrong with a chord at its bar, leads there, and makes nothing until it is right", async () => {
  const { start, user } = await open();
  const bar = screen.getByLabelText<HTMLInputElement>("Bar 2");
  await user.clear(bar);
  await user.type(bar, "Hm7");
  expect(await screen.findByText("Bar 2: 'Hm7' is not a chord symbol.")).toBeTruthy();
  expect(screen.getByText("It cannot be played yet: one mistake.")).toBeTruthy();
  expect(screen.getByRole("option", { name: /intro.*has a mistake/ })).toBeTruthy();
  // The mistake is found from another section.
  await user.click(screen.getByRole("option", { name: /outro/ }));
  await user.click(screen.getByRole("button", { name: "Make it" }));
  expect(start).not.toHaveBeenCalled();
  const wrong = screen.getByLabelText<HTMLInputElement>("Bar 2");
  expect(document.activeElement).toBe(wrong);
  expect(wrong.getAttribute("aria-invalid")).toBe("true");
  const said = document.getElementById(wrong.getAttribute("aria-describedby") ?? "")?.textContent;
  expect(said).toContain("'Hm7'");
  await user.clear(wrong);
  await user.type(wrong, "Am7");
  await screen.findByText("It can be played and lasts 20 s.");
  await user.click(screen.getByRole("button", { name: "Make it" }));
  expect(madePlan(start).sections[0]?.chords).toEqual(["Dm", "Am7"]);
});

it("duplicates, changes energy, tempo and key", async () => {
  const { start, user } = await open();
  await user.click(screen.getByRole("button", { name: "Duplicate" }));
  expect(news()).toBe("A copy of intro is 2 of 4");
  fireEvent.change(screen.getByLabelText("Energy"), { target: { value: "75" } });
  await user.clear(screen.getByLabelText("Tempo, bpm"));
  await user.type(screen.getByLabelText("Tempo, bpm"), "60");
  await user.clear(screen.getByLabelText("Key"));
  await user.type(screen.getByLabelText("Key"), "E minor{Enter}");
  expect(screen.getByLabelText<HTMLInputElement>("Bar 1").value).toBe("Em");
  await user.click(screen.getByRole("button", { name: "Make it" }));
  expect(madePlan(start)).toMatchObject({
    tempo: 60,
    key: "E minor",
    sections: [{ energy: 0.2 }, { energy: 0.75, chords: ["Em", "A"] }, {}, {}],
  });
});

it("keeps the edits while another view is shown", async () => {
  const { user, unmount, view } = await open();
  await user.click(screen.getByRole("button", { name: "Later" }));
  unmount();
  render(view());
  await screen.findByRole("listbox");
  expect(blocks()).toEqual(["verse", "intro", "outro"]);
});

it("makes one track at a time", async () => {
  const { start, user } = await open(SONG, { state: "running", progress: null });
  await user.click(screen.getByRole("button", { name: "Making it …" }));
  expect(start).not.toHaveBeenCalled();
});

it("says so where a track has no plan", async () => {
  await open(null);
  expect(await screen.findByText(/has no plan/)).toBeTruthy();
});

it("lets a plan be made where the server cannot check it", async () => {
  const { start, user } = await open();
  serve({ "POST /api/plan": () => failure(503, "The engine is away.") });
  await user.click(screen.getByRole("button", { name: "Later" }));
  await waitFor(() => expect(screen.getByText("The engine is away.")).toBeTruthy());
  await user.click(screen.getByRole("button", { name: "Make it" }));
  expect(start).toHaveBeenCalledTimes(1);
});
