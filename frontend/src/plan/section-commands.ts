import { duplicate, type Edit, move, remove, stretch } from "./edits.ts";
import type { EditedSection } from "./plan-draft.ts";

/** What can be done with a section, from the timeline and from its panel alike. */
export interface SectionCommands {
  move: (to: number) => void;
  stretch: (bars: number) => void;
  duplicate: () => void;
  remove: () => void;
}

export interface EditorHands {
  edit: (edit: Edit, subject?: string) => void;
  choose: (index: number) => void;
  /** Tell those who do not see the timeline. */
  say: (news: string) => void;
}

/** The commands of the section `at`, which also choose the section that they end at and tell what they did. */
export function commandsOf(sections: EditedSection[], at: number, { edit, choose, say }: EditorHands): SectionCommands {
  const name = sections[at]?.name ?? "";
  const count = sections.length;
  const change = (step: Edit, index: number, news: string): void => {
    edit(step);
    choose(index);
    say(news);
  };
  return {
    move: (to) => {
      if (to in sections && to !== at) change(move(at, to), to, `${name} is now ${to + 1} of ${count}`);
    },
    stretch: (bars) => {
      edit(stretch(at, bars), `bars ${sections[at]?.id}`);
      say(`${name}: ${bars} ${bars === 1 ? "bar" : "bars"}`);
    },
    duplicate: () => change(duplicate(at), at + 1, `A copy of ${name} is ${at + 2} of ${count + 1}`),
    remove: () => {
      if (count > 1) change(remove(at), Math.min(at, count - 2), `${name} is removed; ${count - 1} left`);
    },
  };
}
