import type { ReactNode } from "react";
import type { Track } from "../api/types.ts";
import { fileSize } from "../parts/format.ts";

/** How the formats are called, and what they are good for; one that we do not know is shown by its name. */
const FORMATS: Record<string, { name: string; hint: string; isScore?: true }> = {
  mp3: { name: "MP3", hint: "plays everywhere" },
  wav: { name: "WAV", hint: "uncompressed" },
  flac: { name: "FLAC", hint: "lossless, smaller" },
  ogg: { name: "OGG", hint: "small, free codec" },
  mid: { name: "MIDI", hint: "every note, for a sequencer", isScore: true },
  musicxml: { name: "MusicXML", hint: "lead sheet, for notation", isScore: true },
};

interface File {
  url: string;
  name: string;
  hint: string;
}

/** Every file of a track; `children` stand beside the stems, or in their place. */
export function Downloads({ track, children }: { track: Track; children?: ReactNode }) {
  const formats = Object.entries(track.formats);
  const isScore = ([format]: [string, string]): boolean => FORMATS[format]?.isScore === true;
  const fileOf = ([format, url]: [string, string]): File => {
    const { name, hint } = FORMATS[format] ?? { name: format.toUpperCase(), hint: "" };
    const size = url === track.audio_url && track.file_size !== null ? fileSize(track.file_size) : "";
    return { url, name, hint: [size, hint].filter(Boolean).join(", ") };
  };
  const stems = Object.entries(track.stems).map(([part, url]) => ({
    url,
    name: part.replaceAll("_", " "),
    hint: "WAV",
  }));
  return (
    <section className="panel" aria-labelledby="downloads-heading">
      <h2 id="downloads-heading">Take it away</h2>
      <Files label="Audio" files={formats.filter((entry) => !isScore(entry)).map(fileOf)} />
      <Files label="Score" files={formats.filter(isScore).map(fileOf)} />
      <Files label="Stems" files={stems} />
      {children}
    </section>
  );
}

function Files({ label, files }: { label: string; files: File[] }) {
  if (files.length === 0) return null;
  return (
    <div className="file-group">
      <h3>{label}</h3>
      <ul aria-label={label}>
        {files.map(({ url, name, hint }) => (
          <li key={url}>
            <a className="file-link" href={url} download>
              <span className="file-name">{name}</span> <span className="hint">{hint}</span>
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}
