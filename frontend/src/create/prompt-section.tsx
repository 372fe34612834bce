import type { KeyboardEvent } from "react";
import type { FieldErrors, Style } from "../api/types.ts";
import { Field } from "../parts/field.tsx";
import type { ChangeDraft, Draft } from "./draft.ts";
import { Examples } from "./examples.tsx";
import { WordChips, type Word } from "./word-chips.tsx";
import { INSTRUMENTS, MOODS } from "./words.ts";

interface PromptSectionProps {
  draft: Draft;
  errors: FieldErrors;
  styles: Style[];
  onChange: ChangeDraft;
}

const HINT = "Style, mood, tempo, key, instruments, places, times of day: all of it counts.";

/** Enter alone begins a new line. */
function submitByKey(event: KeyboardEvent<HTMLTextAreaElement>): void {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.currentTarget.form?.requestSubmit();
}

/** The prompt, and everything that helps to write it. */
export function PromptSection({ draft, errors, styles, onChange }: PromptSectionProps) {
  const setPrompt = (prompt: string): void => onChange({ prompt });
  const chips = { prompt: draft.prompt, onChange: setPrompt };
  return (
    <section className="prompt-section" aria-label="Prompt">
      <Field label="What should it sound like?" errors={errors.prompt} className="prompt-field" hint={HINT}>
        {(control) => (
          <textarea
            {...control}
            name="prompt"
            rows={3}
            value={draft.prompt}
            placeholder="calm piano in D minor, rain on the window"
            onChange={(event) => setPrompt(event.target.value)}
            onKeyDown={submitByKey}
          />
        )}
      </Field>
      <Examples examples={styles.map(({ example }) => example).filter(Boolean)} onChoose={setPrompt} />
      {styles.length > 0 ? <WordChips label="Style" words={styles.map(styleWord)} {...chips} /> : null}
      <WordChips label="Mood" words={MOODS.map(plainWord)} {...chips} />
      <WordChips label="Instruments" words={INSTRUMENTS.map(instrumentWord)} {...chips} nShown={12} />
    </section>
  );
}

function styleWord({ title, name, words, example }: Style): Word {
  return { label: title || name, phrase: words[0] ?? name.replaceAll("_", " "), title: `Like “${example}”` };
}

function plainWord(word: string): Word {
  return { label: word, phrase: word };
}

function instrumentWord(word: string): Word {
  return { label: word, phrase: word.startsWith("no ") ? word : `with ${word}` };
}
