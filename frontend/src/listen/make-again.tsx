import { type ReactNode, useCallback, useState } from "react";
import type { Track } from "../api/types.ts";
import { Quiet } from "../parts/notice.tsx";
import { useLoaded } from "../parts/use-loaded.ts";
import { asCli, asCurl } from "./command-line.ts";
import { copyText } from "./copy-text.ts";
import { shortestRequest } from "./request-of-track.ts";

/** The exact request of a track, to be copied; `children` are other ways to go on from it. */
export function MakeAgain({ track, children }: { track: Track; children?: ReactNode }) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <section className="panel make-again" aria-labelledby="again-heading">
      <h2 id="again-heading">Make it again</h2>
      {children}
      <details onToggle={(event) => setIsOpen(event.currentTarget.open)}>
        <summary>The exact request, as curl and as command line</summary>
        {isOpen ? <Commands track={track} /> : null}
      </details>
    </section>
  );
}

function Commands({ track }: { track: Track }) {
  const load = useCallback((signal: AbortSignal) => shortestRequest(track, signal), [track]);
  const request = useLoaded(load).value;
  if (!request) return <Quiet>Looking for the shortest one …</Quiet>;
  return (
    <>
      <Command name="curl" text={asCurl(request, location.origin)} />
      <Command name="command line" text={asCli(request)} />
    </>
  );
}

function Command({ name, text }: { name: string; text: string }) {
  const [said, setSaid] = useState("");
  const copy = async (): Promise<void> => {
    setSaid("");
    setSaid((await copyText(text)) ? "Copied." : "It cannot be copied here: select it by hand.");
  };
  return (
    <div className="command">
      <div className="row">
        <button type="button" className="button" onClick={copy}>
          Copy as {name}
        </button>
        <span role="status" className="hint">
          {said}
        </span>
      </div>
      {/* A long line scrolls, by keyboard too. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre tabIndex={0} role="region" aria-label={`Request as ${name}`}>
        <code>{text}</code>
      </pre>
    </div>
  );
}
