import { Field, FieldMistakes } from "../parts/field.tsx";
import { BarsField } from "./bars-field.tsx";
import { ChordGrid } from "./chord-grid.tsx";
import { type Edit, setChord, setEnergy } from "./edits.ts";
import type { SectionMistakes } from "./mistakes.ts";
import type { EditedSection } from "./plan-draft.ts";
import type { SectionCommands } from "./section-commands.ts";

interface SectionPanelProps extends SectionCommands {
  section: EditedSection;
  index: number;
  /** How many sections there are. */
  count: number;
  mistakes: SectionMistakes;
  edit: (edit: Edit, subject?: string) => void;
}

/** One section in full: where it stands, how long and how lively it is, what is played. */
export function SectionPanel({ section, index, count, mistakes, edit, ...commands }: SectionPanelProps) {
  const { id, name, bars, energy, chords } = section;
  const percent = Math.round(energy * 100);
  return (
    <section className="section-panel panel" aria-labelledby="section-heading">
      <h2 id="section-heading">
        {name} <span className="quiet">{`${index + 1} of ${count}`}</span>
      </h2>
      <div className="row" role="group" aria-label="Move and copy">
        <button type="button" className="button" aria-disabled={index === 0} onClick={() => commands.move(index - 1)}>
          <span aria-hidden="true">← </span>Earlier
        </button>
        <button
          type="button"
          className="button"
          aria-disabled={index === count - 1}
          onClick={() => commands.move(index + 1)}
        >
          Later<span aria-hidden="true"> →</span>
        </button>
        <button type="button" className="button" onClick={commands.duplicate}>
          Duplicate
        </button>
        <button type="button" className="button button-bad" aria-disabled={count === 1} onClick={commands.remove}>
          Remove
        </button>
      </div>
      <div className="section-fields">
        <BarsField bars={bars} errors={mistakes.bars} onStretch={commands.stretch} />
        <Field label="Energy" errors={mistakes.energy} className="energy">
          {(control) => (
            <div className="row">
              <input
                {...control}
                type="range"
                min={0}
                max={100}
                step={5}
                aria-valuetext={`${percent} %`}
                value={percent}
                onChange={(event) => edit(setEnergy(index, Number(event.target.value) / 100), `energy ${id}`)}
              />
              <span className="quiet" aria-hidden="true">
                {percent} %
              </span>
            </div>
          )}
        </Field>
      </div>
      {chords.length > 0 ? (
        <ChordGrid
          chords={chords.slice(0, bars)}
          mistakes={mistakes.chords}
          onChange={(bar, chord) => edit(setChord(index, bar, chord), `chord ${id} ${bar}`)}
        />
      ) : null}
      <FieldMistakes id="" errors={mistakes.others} />
    </section>
  );
}
