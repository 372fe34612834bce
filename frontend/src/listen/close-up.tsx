import { type ReactNode, useState } from "react";
import type { Track } from "../api/types.ts";
import { PianoRoll } from "./piano-roll.tsx";
import type { Player } from "./player.ts";
import { Spectrogram } from "./spectrogram.tsx";
import { Tabs } from "./tabs.tsx";

interface View {
  name: string;
  render: () => ReactNode;
}

/** Ways to look into the music. What a view needs is loaded when it is opened. */
export function CloseUp({ player, track }: { player: Player; track: Track }) {
  const views = viewsOf(player, track);
  const [chosen, setChosen] = useState("");
  const view = views.find(({ name }) => name === chosen) ?? views[0];
  if (!view) return null;
  return (
    <section className="close-up" aria-label="A closer look">
      <Tabs label="What to look at" names={views.map(({ name }) => name)} chosen={view.name} onChoose={setChosen}>
        {view.render()}
      </Tabs>
    </section>
  );
}

function viewsOf(player: Player, { formats, spectrogram_url }: Track): View[] {
  const views: View[] = [];
  const midi = formats.mid;
  if (midi) views.push({ name: "Piano roll", render: () => <PianoRoll player={player} url={midi} /> });
  if (spectrogram_url) {
    views.push({ name: "Spectrogram", render: () => <Spectrogram player={player} url={spectrogram_url} /> });
  }
  return views;
}
