import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, it, vi } from "vitest";
import { ApiError } from "../api/errors.ts";
import { failure, serve } from "../testing/fake-server.ts";
import { ANSWERS, PLAN } from "../testing/samples.ts";
import { CreateView } from "./create-view.tsx";
import { EMPTY_DRAFT } from "./draft.ts";
import type { Generation } from "./use-generation.ts";

function renderForm(generation: Generation = { state: "idle" }) {
  const start = vi.fn();
  const generator = { generation, start, cancel: vi.fn(), dismiss: vi.fn() };
  function Form(props: { generator: typeof generator }) {
    const [draft, setDraft] = useState(EMPTY_DRAFT);
    return <CreateView draft={draft} onChange={(change) => setDraft({ ...draft, ...change })} {...props} />;
  }
  const { rerender } = render(<Form generator={generator} />);
  const show = (next: Generation) => rerender(<Form generator={{ ...generator, generation: next }} />);
  return { start, show, user: userEvent.setup() };
}

const prompt = () => screen.getByRole<HTMLTextAreaElement>("textbox", { name: "What should it sound like?" });
const submit = () => screen.getByRole("button", { name: "Make the song" });

it("writes styles, moods and instruments into the prompt and out of it", async () => {
  serve(ANSWERS);
  const { user } = renderForm();
  await user.click(await screen.findByRole("button", { name: "Waltz" }));
  await user.click(screen.getByRole("button", { name: "calm" }));
  await user.click(screen.getByRole("button", { name: "flute" }));
  expect(prompt().value).toBe("waltz, calm, with flute");
  await user.click(screen.getByRole("button", { name: "calm", pressed: true }));
  expect(prompt().value).toBe("waltz, with flute");
});

it("begins with the example that is chosen", async () => {
  serve(ANSWERS);
  const { user } = renderForm();
  await user.click(await screen.findByRole("button", { name: "waltz in D major" }));
  expect(prompt().value).toBe("waltz in D major");
});

it("asks for what was filled in", async () => {
  serve(ANSWERS);
  const { user, start } = renderForm();
  await user.type(prompt(), "rain");
  await user.click(screen.getByRole("button", { name: "2 min" }));
  await user.type(screen.getByLabelText("Seed"), "7");
  await user.type(screen.getByLabelText("Tempo, bpm"), "90");
  await user.selectOptions(screen.getByLabelText("Time signature"), "3/4");
  await user.click(submit());
  expect(start).toHaveBeenCalledWith({ prompt: "rain", duration: 120, seed: 7, tempo: 90, time_signature: "3/4" });
});

it("locks a seed and unlocks it", async () => {
  serve(ANSWERS);
  const { user } = renderForm();
  await user.click(screen.getByRole("button", { name: "draw and lock" }));
  const seed = screen.getByLabelText<HTMLInputElement>("Seed");
  expect(Number(seed.value)).toBeLessThan(2 ** 31);
  expect(seed.value).not.toBe("");
  await user.click(screen.getByRole("button", { name: "unlock" }));
  expect(seed.value).toBe("");
});

it("shows the engines with their limits, and why one is not ready", async () => {
  serve(ANSWERS);
  renderForm();
  const composer = await screen.findByRole<HTMLInputElement>("radio", { name: /composer/ });
  expect(composer.checked).toBe(true);
  const singer = screen.getByRole<HTMLInputElement>("radio", { name: /singer/ });
  expect(singer.disabled).toBe(true);
  expect(screen.getByText(/Up to 1 min 35 s, sings lyrics\. Not ready\./)).toBeTruthy();
  expect(screen.getByText("The weights are not there.").closest("details")?.textContent).toMatch(/^What it needs/);
});

it("offers lyrics only where they are sung", async () => {
  serve({ ...ANSWERS, "GET /api/models": [{ name: "choir", default: true, ready: true, supports_lyrics: true }] });
  const { user } = renderForm();
  await user.type(await screen.findByLabelText("Lyrics"), "la la");
  await user.click(screen.getByLabelText("Instrumental: no voice"));
  expect(screen.queryByLabelText("Lyrics")).toBeNull();
});

it("tells what the engine understands while the prompt is written", async () => {
  const asked = serve(ANSWERS);
  const { user } = renderForm();
  await screen.findByRole("radio", { name: /composer/ });
  await user.type(prompt(), "lofi, rainy night");
  expect(await screen.findByRole("heading", { name: "What the engine understood" })).toBeTruthy();
  expect(screen.getByText("lofi · 80 bpm · D minor · 4/4")).toBeTruthy();
  expect(screen.getByText("Played by electric piano.")).toBeTruthy();
  expect(asked.filter(({ call }) => call === "POST /api/plan")).toHaveLength(1);
});

it("makes what it has shown, then draws another", async () => {
  const asked = serve(ANSWERS);
  const { start, user } = renderForm();
  await screen.findByRole("radio", { name: /composer/ });
  await user.type(prompt(), "lofi, rainy night");
  await screen.findByRole("heading", { name: "What the engine understood" });
  await user.click(submit());
  expect(start).toHaveBeenCalledWith(expect.objectContaining({ prompt: "lofi, rainy night", seed: PLAN.seed }));
  await waitFor(() => expect(asked.filter(({ call }) => call === "POST /api/plan")).toHaveLength(2));
});

it("tells a mistake at its field while it is made", async () => {
  serve({ ...ANSWERS, "POST /api/plan": () => failure(422, "…", { key: ["'H' is not a key."] }) });
  const { user } = renderForm();
  await screen.findByRole("radio", { name: /composer/ });
  await user.type(prompt(), "rain");
  await user.type(screen.getByLabelText("Key"), "H");
  await screen.findByText("'H' is not a key.");
  const key = screen.getByLabelText("Key");
  expect(key.getAttribute("aria-invalid")).toBe("true");
  const description = document.getElementById(key.getAttribute("aria-describedby") ?? "");
  expect(description?.textContent).toBe("'H' is not a key.");
  expect(key.closest("details")?.open).toBe(true);
});

it("leads to the first field that the server refuses, and tells of fields that are not shown", async () => {
  serve(ANSWERS);
  const { show } = renderForm();
  const errors = { duration: ["Must be from 5 to 300 seconds, not 2."], language: ["is not a language code."] };
  show({ state: "failed", error: new ApiError(422, "…", errors) });
  await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText("Duration, seconds")));
  expect(screen.getByText("Must be from 5 to 300 seconds, not 2.")).toBeTruthy();
  expect(screen.getByRole("alert").textContent).toBe("language: is not a language code.");
});

it("makes one song at a time, and by keyboard", async () => {
  serve(ANSWERS);
  const { user, start, show } = renderForm();
  await user.type(prompt(), "rain{Control>}{Enter}{/Control}");
  expect(start).toHaveBeenCalledTimes(1);
  show({ state: "running", progress: null });
  await user.click(screen.getByRole("button", { name: "Making it …" }));
  expect(start).toHaveBeenCalledTimes(1);
});

it("can be used where the server lists neither engines nor styles", async () => {
  serve({});
  const { user, start } = renderForm();
  await user.type(prompt(), "rain");
  await user.click(submit());
  expect(start).toHaveBeenCalledWith({ prompt: "rain", duration: 30 });
  expect(screen.getByRole("group", { name: "Examples" }).querySelectorAll("li")).toHaveLength(3);
});
