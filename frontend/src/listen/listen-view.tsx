import { useCallback } from "react";
import { getTrack } from "../api/client.ts";
import type { Track } from "../api/types.ts";
import { sectionsOf } from "../api/understanding.ts";
import { FormStrip } from "../parts/form-strip.tsx";
import { clockTime, fileSize, localDate } from "../parts/format.ts";
import { ErrorNotice, Quiet } from "../parts/notice.tsx";
import { Notes } from "../parts/notes.tsx";
import { UnderstoodList } from "../parts/understood-list.tsx";
import { useLoaded } from "../parts/use-loaded.ts";

/** One track: to hear it, to see why it sounds as it does, to take it away. */
export function ListenView({ trackId }: { trackId: string }) {
  const track = useLoaded(useCallback((signal: AbortSignal) => getTrack(trackId, signal), [trackId]));
  if (track.error) return <ErrorNotice error={track.error} onRetry={track.reload} />;
  if (!track.value) return <Quiet>Looking for the track …</Quiet>;
  return <TrackPanel track={track.value} />;
}

function TrackPanel({ track }: { track: Track }) {
  const sections = sectionsOf(track.understanding);
  return (
    <article className="listen">
      <title>{`${track.title ?? "Untitled"} · musicgen`}</title>
      <header>
        <h1>{track.title ?? "Untitled"}</h1>
        <p className="prompt-quote">{track.prompt}</p>
        <p className="facts">{factsOf(track).join(" · ")}</p>
      </header>
      <Sound track={track} />
      {sections.length > 0 ? <FormStrip parts={sections} /> : null}
      <Notes notes={track.notes} />
      <Downloads track={track} />
      <section className="panel" aria-labelledby="understood-heading">
        <h2 id="understood-heading">What the engine understood</h2>
        <UnderstoodList understanding={track.understanding} />
      </section>
    </article>
  );
}

function Sound({ track }: { track: Track }) {
  if (track.status === "failed") return <p className="mistakes">{track.error ?? "It could not be made."}</p>;
  if (!track.audio_url)
    return <Quiet>There is no sound: it is {track.status === "done" ? "gone" : track.status}.</Quiet>;
  // Music without words: there is nothing to caption.
  // eslint-disable-next-line jsx-a11y/media-has-caption
  return <audio controls src={track.audio_url} aria-label={`Listen to ${track.title ?? "the track"}`} />;
}

function Downloads({ track }: { track: Track }) {
  const files = Object.entries({ ...track.formats, ...track.stems });
  return (
    <ul className="downloads" aria-label="Downloads">
      {files.map(([name, url]) => (
        <li key={name}>
          <a href={url} download className="chip">
            {name}
          </a>
        </li>
      ))}
    </ul>
  );
}

function factsOf(track: Track): string[] {
  return [
    track.duration === null ? "" : clockTime(track.duration),
    track.tempo === null ? "" : `${Math.round(track.tempo)} bpm`,
    track.key ?? "",
    track.time_signature ?? "",
    `seed ${track.seed}`,
    track.model,
    track.file_size === null ? "" : fileSize(track.file_size),
    localDate(track.created_at),
  ].filter(Boolean);
}
