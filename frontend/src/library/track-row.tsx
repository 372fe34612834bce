import { useEffect, useId, useRef, useState } from "react";
import type { ApiError } from "../api/errors.ts";
import type { ListedTrack } from "../api/types.ts";
import type { Generator } from "../create/use-generation.ts";
import { clockTime, localDate } from "../parts/format.ts";
import { listenHref } from "../route.ts";
import { Cover } from "./cover.tsx";
import { RowMenu } from "./row-menu.tsx";
import { TitleForm } from "./title-form.tsx";
import type { TrackQueue } from "./use-queue.ts";

interface TrackRowProps {
  track: ListedTrack;
  generator: Generator;
  queue: TrackQueue;
  /** Whether the focus shall come here. */
  takesFocus: boolean;
  failure: ApiError | undefined;
  onPlay: () => void;
  onDelete: () => void;
  onRenamed: (track: ListedTrack) => void;
}

/** One track of the list, with what can be done with it. */
export function TrackRow({ track, takesFocus, failure, onPlay, onRenamed, ...menu }: TrackRowProps) {
  const [isOpen, setIsOpen] = useState(false);
  const [isRenamed, setIsRenamed] = useState(false);
  const link = useRef<HTMLAnchorElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const menuId = useId();
  const title = track.title ?? "Untitled";

  useEffect(() => {
    if (takesFocus) link.current?.focus();
  }, [takesFocus]);

  const closeForm = (): void => {
    setIsRenamed(false);
    opener.current?.focus();
  };
  return (
    <li className="track-row" aria-label={title}>
      <PlayButton track={track} queue={menu.queue} onPlay={onPlay} />
      {isRenamed ? (
        <TitleForm track={track} onRenamed={onRenamed} onClose={closeForm} />
      ) : (
        <p className="track-words">
          <a ref={link} href={listenHref(track.track_id)}>
            {title}
          </a>
          <span className="track-prompt">{track.prompt}</span>
        </p>
      )}
      <p className="track-facts quiet">{factsOf(track).join(" · ")}</p>
      <button
        ref={opener}
        type="button"
        className="icon-button"
        aria-label={`More for ${title}`}
        aria-expanded={isOpen}
        aria-controls={menuId}
        onClick={() => setIsOpen(!isOpen)}
      >
        <span aria-hidden="true" className="icon icon-more" />
      </button>
      {track.status === "failed" ? <p className="track-error">{track.error ?? "It could not be made."}</p> : null}
      {failure ? (
        <p className="track-error" role="alert">
          It could not be deleted: {failure.message}
        </p>
      ) : null}
      <div id={menuId} className="track-menu" hidden={!isOpen}>
        {isOpen ? <RowMenu track={track} onRename={() => setIsRenamed(true)} {...menu} /> : null}
      </div>
    </li>
  );
}

function PlayButton({ track, queue, onPlay }: { track: ListedTrack; queue: TrackQueue; onPlay: () => void }) {
  const isPlaying = queue.isPlaying && queue.current?.track_id === track.track_id;
  if (track.audio_url === null) {
    return (
      <span className="cover-button">
        <Cover track={track} />
      </span>
    );
  }
  return (
    <button
      type="button"
      className="cover-button"
      aria-label={`${isPlaying ? "Pause" : "Play"} ${track.title ?? "Untitled"}`}
      onClick={onPlay}
    >
      <Cover track={track} />
      <span aria-hidden="true" className={`icon icon-${isPlaying ? "pause" : "play"}`} />
    </button>
  );
}

const STATUS: Record<string, string> = { running: "being made", failed: "failed", cancelled: "cancelled" };

function factsOf(track: ListedTrack): string[] {
  const length = track.duration === null ? "" : clockTime(track.duration);
  const status = track.status === "done" ? length : (STATUS[track.status] ?? track.status);
  const gone = track.status === "done" && track.audio_url === null ? "sound is gone" : "";
  return [status, gone, localDate(track.created_at), track.model].filter(Boolean);
}
