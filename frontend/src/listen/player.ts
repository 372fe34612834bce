// The one player of a track. An <audio> element holds the truth; whoever shows some of it subscribes.
import { useSyncExternalStore } from "react";

const EVENTS = "play pause ended seeking seeked timeupdate durationchange waiting playing error volumechange".split(
  " ",
);

export type PlayerState = "paused" | "playing" | "waiting" | "failed";

/** Plays, stops and seeks, and tells its listeners: at every event, and at every picture while it plays. */
export class Player {
  #audio: HTMLAudioElement | null = null;
  #isWaiting = false;
  #hasFailed = false;
  #frame = 0;
  readonly #listeners = new Set<() => void>();
  readonly #recordedDuration: number;

  /** @param recordedDuration seconds, until the audio itself says how long it is */
  constructor(recordedDuration: number) {
    this.#recordedDuration = recordedDuration;
  }

  /** The ref of the <audio> element. */
  attach(audio: HTMLAudioElement | null): (() => void) | undefined {
    if (!audio) return undefined;
    this.#audio = audio;
    for (const name of EVENTS) audio.addEventListener(name, this.#hear);
    return () => {
      for (const name of EVENTS) audio.removeEventListener(name, this.#hear);
      cancelAnimationFrame(this.#frame);
      audio.pause();
      this.#audio = null;
    };
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Seconds from the beginning. */
  get time(): number {
    return this.#audio?.currentTime ?? 0;
  }

  /** Seconds. */
  get duration(): number {
    const told = this.#audio?.duration ?? NaN;
    return Number.isFinite(told) ? told : this.#recordedDuration;
  }

  /** 0 to 1 */
  get fraction(): number {
    return this.duration > 0 ? Math.min(this.time / this.duration, 1) : 0;
  }

  /** 0 to 1 */
  get volume(): number {
    return this.#audio?.volume ?? 1;
  }

  get state(): PlayerState {
    if (this.#hasFailed) return "failed";
    if (!this.#audio || this.#audio.paused) return "paused";
    return this.#isWaiting ? "waiting" : "playing";
  }

  toggle(): void {
    if (!this.#audio) return;
    if (this.#audio.paused) this.#play(this.#audio);
    else this.#audio.pause();
  }

  #play(audio: HTMLAudioElement): void {
    if (this.#hasFailed) audio.load();
    // Why it cannot play is told by the "error" event; a pause that comes before the sound is no failure.
    audio.play().catch(() => undefined);
  }

  seek(seconds: number): void {
    if (!this.#audio) return;
    this.#audio.currentTime = Math.max(0, Math.min(seconds, this.duration));
    this.#tell();
  }

  skip(seconds: number): void {
    this.seek(this.time + seconds);
  }

  setVolume(volume: number): void {
    if (this.#audio) this.#audio.volume = Math.max(0, Math.min(volume, 1));
  }

  readonly #hear = ({ type }: Event): void => {
    if (type === "waiting") this.#isWaiting = true;
    if (type === "playing" || type === "pause") this.#isWaiting = false;
    if (type === "error") this.#hasFailed = true;
    if (type === "play" || type === "playing") this.#hasFailed = false;
    cancelAnimationFrame(this.#frame);
    this.#tellAndGoOn();
  };

  readonly #tellAndGoOn = (): void => {
    this.#tell();
    if (this.state === "playing") this.#frame = requestAnimationFrame(this.#tellAndGoOn);
  };

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** Follow one value of the player; the component is rendered again when that has changed. */
export function usePlayer<T extends string | number | boolean>(player: Player, select: (player: Player) => T): T {
  return useSyncExternalStore(player.subscribe, () => select(player));
}
