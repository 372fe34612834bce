import { useCallback } from "react";
import type { Track } from "../api/types.ts";
import type { Chord, Section } from "../api/understanding.ts";
import { ChordLane } from "./chord-lane.tsx";
import { type Player, usePlayer } from "./player.ts";
import { PlayerControls } from "./player-controls.tsx";
import { SectionTrack } from "./section-track.tsx";
import { type Span, spanAt } from "./spans.ts";
import { useMediaTitle } from "./use-media-title.ts";
import { usePlayerKeys } from "./use-player-keys.ts";
import { Waveform } from "./waveform.tsx";

interface PlayerPanelProps {
  player: Player;
  track: Track & { audio_url: string };
  sections: Span<Section>[];
  chords: Span<Chord>[];
}

/** The track to be heard: the waveform, and what happens along it. */
export function PlayerPanel({ player, track, sections, chords }: PlayerPanelProps) {
  const attach = useCallback((audio: HTMLAudioElement | null) => player.attach(audio), [player]);
  usePlayerKeys(player);
  const title = track.title ?? "Untitled";
  useMediaTitle(player, title);
  return (
    <section className="player" aria-label={`Listen to ${title}`}>
      {/* Music without words: there is nothing to caption. */}
      {/* eslint-disable-next-line jsx-a11y/media-has-caption */}
      <audio ref={attach} src={track.audio_url} preload="metadata" />
      <PlayerControls player={player}>
        <Sounding player={player} sections={sections} chords={chords} />
      </PlayerControls>
      <div>
        <Waveform player={player} peaksUrl={track.peaks_url} />
        <SectionTrack player={player} sections={sections} />
      </div>
      <ChordLane player={player} chords={chords} />
      <KeyHelp />
    </section>
  );
}

/** "chorus · D minor · Gm7": what sounds now. */
function Sounding({ player, sections, chords }: Omit<PlayerPanelProps, "track">) {
  const section = usePlayer(player, ({ time }) => spanAt(sections, time));
  const chord = usePlayer(player, ({ time }) => spanAt(chords, time));
  const { name = "", key = "" } = sections[section]?.item ?? {};
  const facts = [name, key, chords[chord]?.item.chord_symbol ?? ""].filter(Boolean);
  return <p className="sounding">{facts.join(" · ")}</p>;
}

function KeyHelp() {
  return (
    <p className="key-help hint">
      <kbd>Space</kbd> plays and pauses, <kbd>←</kbd> <kbd>→</kbd> go 5 s, with <kbd>Shift</kbd> 15 s, <kbd>Home</kbd>{" "}
      <kbd>End</kbd> in the player to its ends.
    </p>
  );
}
