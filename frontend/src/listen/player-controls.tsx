import type { ReactNode } from "react";
import { clockTime } from "../parts/format.ts";
import { type Player, type PlayerState, usePlayer } from "./player.ts";
import { LONG_STEP_S } from "./use-player-keys.ts";

/** Play, skip, the time, the volume; what sounds now stands between them. */
export function PlayerControls({ player, children }: { player: Player; children: ReactNode }) {
  const state = usePlayer(player, (now) => now.state);
  const second = usePlayer(player, ({ time }) => Math.floor(time));
  const duration = usePlayer(player, (now) => now.duration);
  const isPlaying = state === "playing" || state === "waiting";
  return (
    <div className="player-controls">
      <IconButton label={`Back ${LONG_STEP_S} s`} shape={BACK} onClick={() => player.skip(-LONG_STEP_S)} />
      <IconButton
        label={isPlaying ? "Pause" : "Play"}
        shape={isPlaying ? PAUSE : PLAY}
        className="play-button"
        onClick={() => player.toggle()}
      />
      <IconButton label={`Forward ${LONG_STEP_S} s`} shape={FORWARD} onClick={() => player.skip(LONG_STEP_S)} />
      <p className="player-time">
        <strong>{clockTime(second)}</strong> / {clockTime(duration)}
      </p>
      {children}
      <Volume player={player} />
      <p role="status" className="player-status">
        {STATE_TEXT[state]}
      </p>
    </div>
  );
}

const STATE_TEXT: Record<PlayerState, string> = {
  paused: "",
  playing: "",
  waiting: "Loading …",
  failed: "The sound cannot be loaded. Play tries again.",
};

function Volume({ player }: { player: Player }) {
  const volume = usePlayer(player, (now) => now.volume);
  return (
    <label className="volume">
      <span className="visually-hidden">Volume</span>
      <Icon shape={SPEAKER} />
      <input
        type="range"
        min={0}
        max={100}
        step={5}
        value={Math.round(100 * volume)}
        onChange={({ target }) => player.setVolume(target.valueAsNumber / 100)}
      />
    </label>
  );
}

interface IconButtonProps {
  label: string;
  shape: string;
  className?: string;
  onClick: () => void;
}

function IconButton({ label, shape, className = "", onClick }: IconButtonProps) {
  return (
    <button
      type="button"
      className={`player-button ${className}`.trim()}
      aria-label={label}
      title={label}
      onClick={onClick}
    >
      <Icon shape={shape} />
    </button>
  );
}

function Icon({ shape }: { shape: string }) {
  return (
    <svg viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
      <path d={shape} fill="currentColor" />
    </svg>
  );
}

const PLAY = "M8 5v14l11-7z";
const PAUSE = "M7 5h4v14H7zM13 5h4v14h-4z";
const BACK = "M12 6v12L3.5 12zM21 6v12l-8.5-6z";
const FORWARD = "M12 6v12l8.5-6zM3 6v12l8.5-6z";
const SPEAKER =
  "M4 9v6h4l5 4V5L8 9zM15 8.5a4.5 4.5 0 0 1 0 7v-2a2.5 2.5 0 0 0 0-3zM15 4a8.5 8.5 0 0 1 0 16v-2a6.5 6.5 0 0 0 0-12z";
