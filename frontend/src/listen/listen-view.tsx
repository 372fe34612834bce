import { type ReactNode, useCallback, useMemo, useState } from "react";
import { getTrack } from "../api/client.ts";
import type { GenerationRequest, Track } from "../api/types.ts";
import { chordsOf, sectionsOf } from "../api/understanding.ts";
import { ErrorNotice, Quiet } from "../parts/notice.tsx";
import { Notes } from "../parts/notes.tsx";
import { UnderstoodList } from "../parts/understood-list.tsx";
import { useLoaded } from "../parts/use-loaded.ts";
import { CloseUp } from "./close-up.tsx";
import { Downloads } from "./downloads.tsx";
import { FactList } from "./fact-list.tsx";
import { MakeAgain } from "./make-again.tsx";
import { MakeStems } from "./make-stems.tsx";
import { Player } from "./player.ts";
import { PlayerPanel } from "./player-panel.tsx";
import { spansOf } from "./spans.ts";

interface ListenViewProps {
  trackId: string;
  /** Begin to make a track. */
  onGenerate: (request: GenerationRequest) => void;
  /** What else can be done with a track. */
  actions?: (track: Track) => ReactNode;
}

/** One track: to hear it, to see why it sounds as it does, to take it away. */
export function ListenView({ trackId, onGenerate, actions }: ListenViewProps) {
  const track = useLoaded(useCallback((signal: AbortSignal) => getTrack(trackId, signal), [trackId]));
  if (track.error) return <ErrorNotice error={track.error} onRetry={track.reload} />;
  if (!track.value) return <Quiet>Looking for the track …</Quiet>;
  return (
    <article className="listen">
      <TrackHeader track={track.value} />
      <Sound track={track.value} onReload={track.reload} />
      <Notes notes={track.value.notes} />
      <div className="listen-columns">
        <div>
          <MakeAgain track={track.value}>{actions?.(track.value)}</MakeAgain>
          <section className="panel" aria-labelledby="facts-heading">
            <h2 id="facts-heading">Facts</h2>
            <FactList track={track.value} />
          </section>
        </div>
        <div>
          <Downloads track={track.value}>
            <MakeStems track={track.value} onGenerate={onGenerate} />
          </Downloads>
          <section className="panel" aria-labelledby="understood-heading">
            <h2 id="understood-heading">What the engine understood</h2>
            <UnderstoodList understanding={track.value.understanding} />
          </section>
        </div>
      </div>
    </article>
  );
}

function TrackHeader({ track: { title, prompt } }: { track: Track }) {
  return (
    <header>
      <title>{`${title ?? "Untitled"} · musicgen`}</title>
      <h1>{title ?? "Untitled"}</h1>
      <p className="prompt-quote">{prompt}</p>
    </header>
  );
}

function Sound({ track, onReload }: { track: Track; onReload: () => void }) {
  if (track.status === "failed") return <p className="mistakes">{track.error ?? "It could not be made."}</p>;
  if (track.status === "running") {
    return (
      <div className="row">
        <Quiet>It is still being made.</Quiet>
        <button type="button" className="button" onClick={onReload}>
          Look again
        </button>
      </div>
    );
  }
  const { audio_url } = track;
  if (!audio_url) return <Quiet>There is no sound: it is {track.status === "done" ? "gone" : track.status}.</Quiet>;
  return <Playable track={{ ...track, audio_url }} />;
}

function Playable({ track }: { track: Track & { audio_url: string } }) {
  const duration = track.duration ?? 0;
  const [player] = useState(() => new Player(duration));
  const sections = useMemo(() => spansOf(sectionsOf(track.understanding), duration), [track.understanding, duration]);
  const chords = useMemo(() => spansOf(chordsOf(track.understanding), duration), [track.understanding, duration]);
  return (
    <>
      <PlayerPanel player={player} track={track} sections={sections} chords={chords} />
      <CloseUp player={player} track={track} />
    </>
  );
}
