import { type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import { CreateView } from "./create/create-view.tsx";
import { type ChangeDraft, EMPTY_DRAFT } from "./create/draft.ts";
import { GenerationDock } from "./create/generation-dock.tsx";
import { useGeneration } from "./create/use-generation.ts";
import { LibraryView } from "./library/library-view.tsx";
import { PlayerBar } from "./library/player-bar.tsx";
import { TrackActions } from "./library/track-actions.tsx";
import { useQueue } from "./library/use-queue.ts";
import { ListenView } from "./listen/listen-view.tsx";
import { ErrorBoundary } from "./parts/error-boundary.tsx";
import { PlanView } from "./plan/plan-view.tsx";
import type { Track } from "./api/types.ts";
import { CREATE_HREF, go, LIBRARY_HREF, listenHref, parseRoute, type Route, useRoute } from "./route.ts";
import { ThemeSwitch } from "./theme/theme-switch.tsx";

/** The frame around the views, and what outlives them: the draft, the running generation and the player. */
export function App() {
  const route = useRoute();
  const [draft, setDraft] = useState(EMPTY_DRAFT);
  const generator = useGeneration(goListen);
  const queue = useQueue();
  const { dismiss } = generator;
  const change: ChangeDraft = useCallback(
    (changes) => {
      setDraft((now) => ({ ...now, ...changes }));
      // What was wrong with the last request is not said of the next.
      dismiss();
    },
    [dismiss],
  );
  return (
    <>
      <Header route={route} />
      <Main route={route}>
        {route.view === "create" ? <CreateView draft={draft} onChange={change} generator={generator} /> : null}
        {route.view === "library" ? <LibraryView generator={generator} queue={queue} /> : null}
        {route.view === "listen" ? (
          <ListenView
            key={route.trackId}
            trackId={route.trackId}
            onGenerate={generator.start}
            actions={(track) => <TrackActions track={track} generator={generator} />}
          />
        ) : null}
        {route.view === "plan" ? <PlanView key={route.trackId} trackId={route.trackId} generator={generator} /> : null}
      </Main>
      <div className="bottom-bars">
        <GenerationDock {...generator} shownTrackId={route.view === "listen" ? route.trackId : null} />
        <PlayerBar {...queue} />
      </div>
    </>
  );
}

/** Whoever waits at the form is shown the track; whoever looks around finds it in the dock. */
function goListen(track: Track): void {
  if (parseRoute(location.hash).view === "create") go(listenHref(track.track_id));
}

function Header({ route }: { route: Route }) {
  const links = [
    { href: CREATE_HREF, view: "create", label: "Create" },
    { href: LIBRARY_HREF, view: "library", label: "Library" },
  ];
  return (
    <header className="site-header">
      <a className="wordmark" href={CREATE_HREF}>
        musicgen
      </a>
      <nav aria-label="Main">
        {links.map(({ href, view, label }) => (
          <a key={href} href={href} aria-current={route.view === view ? "page" : undefined}>
            {label}
          </a>
        ))}
        <a href="/api/docs">API</a>
      </nav>
      <ThemeSwitch />
    </header>
  );
}

/** Moves the focus into a view when it changes, so that keyboard and screen reader go on from there. */
function Main({ route, children }: { route: Route; children: ReactNode }) {
  const place = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  const name = "trackId" in route ? `${route.view}/${route.trackId}` : route.view;
  useEffect(() => {
    if (isFirst.current) isFirst.current = false;
    else place.current?.focus();
  }, [name]);
  return (
    <main ref={place} tabIndex={-1}>
      <ErrorBoundary key={name}>{children}</ErrorBoundary>
    </main>
  );
}
