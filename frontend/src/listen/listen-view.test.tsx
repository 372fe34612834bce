import { fireEvent, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { type MidiEvent, writeMidi } from "midi-file";
import { expect, it, vi } from "vitest";
import type { Track } from "../api/types.ts";
import { type Answers, failure, serve } from "../testing/fake-server.ts";
import { PLAN, TRACK, UNDERSTANDING } from "../testing/samples.ts";
import { ListenView } from "./listen-view.tsx";

const RICH: Track = {
  ...TRACK,
  formats: { ...TRACK.formats, wav: "/output/3bd1.wav", xyz: "/output/3bd1.xyz" },
  file_size: 962_601,
  loudness_lufs: -13.99,
  peaks_url: "/output/3bd1.peaks.json",
  spectrogram_url: "/output/3bd1.spectrogram.png",
  timings: { loading: 1.1, compose: 0.4, render: 0.9 },
  plan: PLAN.plan,
  understanding: {
    ...UNDERSTANDING,
    chords: [
      { start_s: 0, chord_symbol: "Dm9" },
      { start_s: 6, chord_symbol: "G9" },
      { start_s: 12, chord_symbol: "Cmaj7" },
    ],
    instruments: [{ name: "Electric Piano", role: "melody" }],
  },
};

function midi(): Response {
  const notes: MidiEvent[] = [
    { type: "trackName", deltaTime: 0, meta: true, text: "Electric Piano (melody)" },
    { type: "noteOn", deltaTime: 0, channel: 0, noteNumber: 60, velocity: 90 },
    { type: "noteOff", deltaTime: 480, channel: 0, noteNumber: 60, velocity: 0 },
    { type: "endOfTrack", deltaTime: 0, meta: true },
  ];
  return new Response(
    new Uint8Array(writeMidi({ header: { format: 1, numTracks: 1, ticksPerBeat: 480 }, tracks: [notes] })),
  );
}

async function show(track: Partial<Track> = RICH, answers: Answers = {}) {
  const asked = serve({
    "GET /api/track/3bd1": track,
    "GET /output/3bd1.mid": midi,
    "GET /output/3bd1.peaks.json": { bits: 8, data: [-64, 64, -32, 32] },
    ...answers,
  });
  const onGenerate = vi.fn();
  const { container } = render(<ListenView trackId="3bd1" onGenerate={onGenerate} actions={() => <p>more ways</p>} />);
  await screen.findByRole("article");
  const audio = container.querySelector("audio");
  return { asked, onGenerate, container, audio: audio ?? document.createElement("audio"), user: userEvent.setup() };
}

const slider = () => screen.getByRole("slider", { name: "Position" });

it("plays and pauses, and says which it will do", async () => {
  const { audio, user } = await show();
  let isPaused = true;
  const play = vi.fn(() => {
    isPaused = false;
    fireEvent.play(audio);
    return Promise.resolve();
  });
  const pause = vi.fn(() => {
    isPaused = true;
    fireEvent.pause(audio);
  });
  Object.assign(audio, { play, pause });
  Object.defineProperty(audio, "paused", { get: () => isPaused });
  await user.click(screen.getByRole("button", { name: "Play" }));
  expect(play).toHaveBeenCalledTimes(1);
  await user.click(screen.getByRole("button", { name: "Pause" }));
  expect(screen.getByRole("button", { name: "Play" })).toBeTruthy();
  await user.click(document.body);
  await user.keyboard(" ");
  expect(play).toHaveBeenCalledTimes(2);
  // A button keeps its space: that is one more, not two.
  screen.getByRole("button", { name: "Pause" }).focus();
  await user.keyboard(" ");
  expect(pause).toHaveBeenCalledTimes(2);
});

it("seeks by keys from anywhere, and to the ends from within the player", async () => {
  const { audio, user } = await show();
  await user.keyboard("{ArrowRight}{ArrowRight}{ArrowLeft}");
  expect(audio.currentTime).toBe(5);
  await user.keyboard("{Shift>}{ArrowRight}{/Shift}");
  expect(audio.currentTime).toBe(20);
  await user.keyboard("{Home}");
  expect(audio.currentTime).toBe(20);
  slider().focus();
  await user.keyboard("{End}");
  expect(audio.currentTime).toBe(30);
  await user.keyboard("{Home}");
  expect(audio.currentTime).toBe(0);
  await user.keyboard("{Control>}{ArrowRight}{/Control}");
  expect(audio.currentTime).toBe(0);
});

it("leaves the keys to those who use them themselves", async () => {
  const { audio, user } = await show();
  for (const key of ["ArrowRight", "End"]) fireEvent.keyDown(screen.getByRole("slider", { name: "Volume" }), { key });
  screen.getByRole("tab", { name: "Piano roll" }).focus();
  await user.keyboard("{ArrowRight}");
  expect(audio.currentTime).toBe(0);
});

it("tells where the music is", async () => {
  const { audio, user, container } = await show();
  expect(slider().getAttribute("aria-valuetext")).toBe("0 s of 30 s");
  await user.click(screen.getByRole("button", { name: /^chorus, from 0:12, 5 bars, energy 63 %, D minor$/ }));
  expect(audio.currentTime).toBe(12);
  expect(slider().getAttribute("aria-valuetext")).toBe("12 s of 30 s");
  expect(slider().getAttribute("aria-valuenow")).toBe("12");
  expect(screen.getByText("chorus · D minor · Cmaj7")).toBeTruthy();
  const sounding = within(screen.getByRole("region", { name: "Chords" })).getByText("Cmaj7");
  expect(sounding.getAttribute("aria-current")).toBe("true");
  expect(container.querySelector<HTMLElement>(".play-head")?.style.getPropertyValue("--at")).toBe("0.40000");
});

it("seeks where the waveform is pressed", async () => {
  const { audio } = await show();
  slider().getBoundingClientRect = () => new DOMRect(100, 0, 200, 50);
  slider().setPointerCapture = vi.fn();
  fireEvent(slider(), new MouseEvent("pointerdown", { bubbles: true, clientX: 150 }));
  expect(audio.currentTime).toBe(7.5);
  fireEvent(slider(), new MouseEvent("pointermove", { bubbles: true, clientX: 200 }));
  expect(screen.getByText("0:15")).toBeTruthy();
  fireEvent(slider(), new MouseEvent("pointerup", { bubbles: true, clientX: 900 }));
  expect(audio.currentTime).toBe(30);
});

it("says that the sound cannot be loaded", async () => {
  const { audio } = await show();
  fireEvent.error(audio);
  expect((await screen.findByText("The sound cannot be loaded. Play tries again.")).getAttribute("role")).toBe(
    "status",
  );
});

it("shows the score, and hides a part on demand", async () => {
  const { user, container } = await show();
  const part = await screen.findByRole("button", { name: "Electric Piano (melody)", pressed: true });
  expect(screen.getByRole("img", { name: "Electric Piano (melody): 1 notes from C4 to C4" })).toBeTruthy();
  expect(container.querySelectorAll(".roll-notes .part-0")).toHaveLength(1);
  await user.click(part);
  expect(container.querySelectorAll(".roll-notes .part-0")).toHaveLength(0);
});

it("loads the spectrogram when it is asked for, by keyboard too", async () => {
  const { user, container } = await show();
  expect(container.querySelector("img")).toBeNull();
  screen.getByRole("tab", { name: "Piano roll" }).focus();
  await user.keyboard("{ArrowLeft}");
  expect(document.activeElement).toBe(screen.getByRole("tab", { name: "Spectrogram", selected: true }));
  const picture = screen.getByRole("img", { name: /frequency/ });
  expect(picture.getAttribute("src")).toBe("/output/3bd1.spectrogram.png");
  fireEvent.error(picture);
  expect(screen.getByText(/There is no spectrogram/)).toBeTruthy();
});

it("hands out every file", async () => {
  await show({ ...RICH, stems: { electric_bass: "/output/3bd1.electric_bass.wav" } });
  const link = (name: RegExp) => screen.getByRole("link", { name });
  expect(link(/MP3 963 kB, plays everywhere/).hasAttribute("download")).toBe(true);
  expect(link(/WAV uncompressed/).getAttribute("href")).toBe("/output/3bd1.wav");
  expect(link(/XYZ/).getAttribute("href")).toBe("/output/3bd1.xyz");
  expect(within(screen.getByRole("list", { name: "Score" })).getByRole("link", { name: /MIDI/ })).toBeTruthy();
  expect(within(screen.getByRole("list", { name: "Stems" })).getByRole("link", { name: /electric bass/ })).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Make it with stems" })).toBeNull();
});

it("makes stems of the same music", async () => {
  const { user, onGenerate } = await show();
  await user.click(screen.getByRole("button", { name: "Make it with stems" }));
  expect(onGenerate).toHaveBeenCalledWith(expect.objectContaining({ seed: 7, plan: PLAN.plan, stems: true }));
});

it("copies the exact request, and says so", async () => {
  const { user } = await show(RICH, { "POST /api/plan": PLAN });
  await user.click(screen.getByText("The exact request, as curl and as command line"));
  await user.click(await screen.findByRole("button", { name: "Copy as command line" }));
  expect(await screen.findByText("Copied.")).toBeTruthy();
  expect(await navigator.clipboard.readText()).toBe(
    "flask generate --seed=7 --duration=30 --model=composer --key='D minor' 'lofi, rainy night'",
  );
  expect(screen.getByRole("region", { name: "Request as curl" }).textContent).toContain('"key":"D minor"}');
});

it("shows the facts, and other ways to go on", async () => {
  await show();
  const fact = (name: string) => screen.getByText(name).nextElementSibling?.textContent;
  expect(fact("Loudness")).toBe("−14.0 LUFS");
  expect(fact("Made in")).toBe("1.3 s, and 1.1 s to load the engine");
  expect(fact("Played by")).toBe("Electric Piano");
  expect(screen.getByText("more ways")).toBeTruthy();
});

it("shows of an engine without score what there is", async () => {
  await show({ track_id: "3bd1", audio_url: "/output/3bd1.mp3", formats: { mp3: "/output/3bd1.mp3" }, duration: 30 });
  expect(slider()).toBeTruthy();
  for (const name of ["Sections", "Score", "Stems"]) expect(screen.queryByRole("list", { name })).toBeNull();
  for (const name of ["Chords", "A closer look"]) expect(screen.queryByRole("region", { name })).toBeNull();
  expect(screen.queryByText("Tempo")).toBeNull();
});

it("shows a waveform without peaks, and no score that cannot be read", async () => {
  const gone = {
    "GET /output/3bd1.peaks.json": () => failure(410, "gone"),
    "GET /output/3bd1.mid": () => new Response("?"),
  };
  await show(RICH, gone);
  expect(await screen.findByText("The score cannot be shown.")).toBeTruthy();
  expect(slider()).toBeTruthy();
});

it("tells of tracks that cannot be heard (yet)", async () => {
  const { user, asked } = await show({ ...RICH, status: "running", audio_url: null });
  await user.click(screen.getByRole("button", { name: "Look again" }));
  expect(asked.filter(({ call }) => call === "GET /api/track/3bd1")).toHaveLength(2);
});

it.each([
  [{ status: "failed", error: "OutOfMemory: too long" }, "OutOfMemory: too long"],
  [{ status: "done", audio_url: null }, "There is no sound: it is gone."],
  [{ status: "cancelled", audio_url: null }, "There is no sound: it is cancelled."],
] as [Partial<Track>, string][])("says why there is no sound: %o", async (track, said) => {
  await show({ ...RICH, ...track });
  expect(screen.getByText(said)).toBeTruthy();
  expect(screen.queryByRole("slider")).toBeNull();
});
