import { useState } from "react";
import { clockTime, spokenTime } from "../parts/format.ts";
import { listenHref } from "../route.ts";
import { QueueList } from "./queue-list.tsx";
import type { TrackQueue } from "./use-queue.ts";

/** The player at the bottom of every view: what plays, what comes next. */
export function PlayerBar(props: TrackQueue) {
  const { queue, current, isPlaying, audio, heard, next } = props;
  const [time, setTime] = useState(0);
  const [failedUrl, setFailedUrl] = useState<string | null>(null);
  const title = current?.title ?? "Untitled";
  const hasFailed = current !== null && failedUrl === current.audio_url;
  return (
    <>
      {/* Music without words: there is nothing to caption. */}
      {/* eslint-disable-next-line jsx-a11y/media-has-caption */}
      <audio
        ref={audio}
        preload="none"
        onPlay={() => {
          heard(true);
          setFailedUrl(null);
        }}
        onPause={() => heard(false)}
        onEnded={next}
        onEmptied={() => setTime(0)}
        onTimeUpdate={(event) => setTime(event.currentTarget.currentTime)}
        onError={() => setFailedUrl(current?.audio_url ?? null)}
      />
      <p className="visually-hidden" role="status">
        {current ? (hasFailed ? `“${title}” cannot be played.` : `${isPlaying ? "Playing" : "Paused"}: ${title}`) : ""}
      </p>
      {current ? (
        <section className="player-bar" aria-label="Player">
          <Buttons {...props} />
          <p className="player-title">
            <a href={listenHref(current.track_id)}>{title}</a>{" "}
            <span className={hasFailed ? "bad" : "quiet"}>
              {hasFailed ? "cannot be played" : `${queue.index + 1} of ${queue.tracks.length}`}
            </span>
          </p>
          <Position
            time={time}
            duration={current.duration ?? 0}
            onSeek={(seconds) => {
              if (audio.current) audio.current.currentTime = seconds;
              setTime(seconds);
            }}
          />
          <QueueList {...props} />
        </section>
      ) : null}
    </>
  );
}

function Buttons({ queue, isPlaying, previous, toggle, next }: TrackQueue) {
  const isLast = queue.index >= queue.tracks.length - 1;
  return (
    <div className="player-buttons">
      <button type="button" className="icon-button" aria-label="Previous" onClick={previous}>
        <span aria-hidden="true" className="icon icon-previous" />
      </button>
      <button type="button" className="icon-button" aria-label={isPlaying ? "Pause" : "Play"} onClick={toggle}>
        <span aria-hidden="true" className={`icon icon-${isPlaying ? "pause" : "play"}`} />
      </button>
      <button type="button" className="icon-button" aria-label="Next" aria-disabled={isLast} onClick={next}>
        <span aria-hidden="true" className="icon icon-next" />
      </button>
    </div>
  );
}

interface PositionProps {
  /** Seconds, both. */
  time: number;
  duration: number;
  onSeek: (seconds: number) => void;
}

function Position({ time, duration, onSeek }: PositionProps) {
  return (
    <div className="player-position">
      <span className="quiet">{clockTime(time)}</span>
      <input
        type="range"
        aria-label="Position"
        aria-valuetext={`${spokenTime(time)} of ${spokenTime(duration)}`}
        min={0}
        max={Math.max(duration, 1)}
        step={1}
        value={Math.min(time, duration)}
        onChange={(event) => onSeek(Number(event.target.value))}
      />
      <span className="quiet">{clockTime(duration)}</span>
    </div>
  );
}
