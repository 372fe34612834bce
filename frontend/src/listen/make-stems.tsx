import type { GenerationRequest, Track } from "../api/types.ts";
import { fullRequest } from "./request-of-track.ts";

/** Offers the same music again with stems, where it has none and the engine has parts to split it into. */
export function MakeStems({ track, onGenerate }: { track: Track; onGenerate: (request: GenerationRequest) => void }) {
  if (Object.keys(track.stems).length > 0 || !track.plan) return null;
  return (
    <div className="file-group">
      <h3>Stems</h3>
      <button type="button" className="button" onClick={() => onGenerate({ ...fullRequest(track), stems: true })}>
        Make it with stems
      </button>
      <p className="hint">The same music as a new track, with each part in a WAV of its own, too.</p>
    </div>
  );
}
