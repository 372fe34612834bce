import { useState } from "react";
import { Quiet } from "../parts/notice.tsx";
import type { Player } from "./player.ts";
import { TimeLane } from "./time-lane.tsx";

/** The server's picture: its width in pixels, and its frequency axis at the left (musicgen/sound_pictures.py). */
const WIDTH_PX = 1600;
const AXIS_PX = 64;
/** Below this the labels cannot be read. */
const LEAST_WIDTH_PX = 860;

/** The spectrogram, made by the server when it is asked for. */
export function Spectrogram({ player, url }: { player: Player; url: string }) {
  const [state, setState] = useState<"loading" | "shown" | "failed">("loading");
  return (
    <>
      {state === "loading" ? <Quiet>Drawing the spectrogram …</Quiet> : null}
      {state === "failed" ? <Quiet>There is no spectrogram: the sound is gone, or the server is busy.</Quiet> : null}
      {state === "failed" ? null : (
        <TimeLane player={player} label="Spectrogram" width={LEAST_WIDTH_PX} inset={AXIS_PX / WIDTH_PX}>
          <img
            className="spectrogram"
            src={url}
            alt="How strong every frequency from 50 Hz to 10 kHz is, over time"
            onLoad={() => setState("shown")}
            onError={() => setState("failed")}
          />
        </TimeLane>
      )}
    </>
  );
}
