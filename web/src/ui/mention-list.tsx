// The list that opens while a colleague's name is typed: the hands stay on the text, the choice is made from there.
import clsx from "clsx";
import { type KeyboardEvent, type ReactNode, type RefObject, useId, useState } from "react";
import type { PersonRef } from "../wire/generated";
import { Avatar } from "./basics";
import { fitting, typedAt } from "./mention";

type Mentioning = {
  /** To be given the area's keys first; true if it has used this one. */
  onKeyDown(pressed: KeyboardEvent): boolean;
  /** The caret may have moved. */
  onCaret(): void;
  /** For the area, so that assistive technology follows the choice. */
  aria: { "aria-autocomplete"?: "list"; "aria-controls"?: string; "aria-activedescendant"?: string };
  list: ReactNode;
};

/** @param people who can be called; nobody means that there is no list */
export function useMentioning(
  area: RefObject<HTMLTextAreaElement | null>,
  text: string,
  people: readonly PersonRef[],
  onText: (text: string) => void,
): Mentioning {
  const id = useId();
  const [caret, setCaret] = useState<number | null>(null);
  const [chosen, setChosen] = useState(0);
  /** Where somebody has said that no name is meant. */
  const [refused, setRefused] = useState<number | null>(null);
  const typed = caret === null || people.length === 0 ? null : typedAt(text, caret);
  const choices = typed && typed.from !== refused ? fitting(people, typed.query) : [];
  const at = Math.min(chosen, choices.length - 1);

  const onCaret = () => {
    const box = area.current;
    const isPlain = box !== null && box.selectionStart === box.selectionEnd && document.activeElement === box;
    const next = isPlain ? box.selectionStart : null;
    if (next === null || typedAt(box?.value ?? "", next)?.from !== refused) setRefused(null);
    if (next === caret) return;
    setCaret(next);
    setChosen(0);
  };
  const take = (person: PersonRef) => {
    const box = area.current;
    if (!box || !typed) return;
    box.setRangeText(`@${person.name} `, typed.from, typed.from + 1 + typed.query.length, "end");
    onText(box.value);
    setCaret(box.selectionStart);
  };
  const onKeyDown = (pressed: KeyboardEvent): boolean => {
    const person = choices[at];
    const isPlain = !pressed.ctrlKey && !pressed.metaKey && !pressed.altKey && !pressed.nativeEvent.isComposing;
    if (!typed || !person || !isPlain) return false;
    switch (pressed.key) {
      case "ArrowDown":
        setChosen((at + 1) % choices.length);
        break;
      case "ArrowUp":
        setChosen((at - 1 + choices.length) % choices.length);
        break;
      case "Enter":
      case "Tab":
        if (pressed.shiftKey) return false;
        take(person);
        break;
      case "Escape":
        setRefused(typed.from);
        break;
      default:
        return false;
    }
    pressed.preventDefault();
    pressed.stopPropagation();
    return true;
  };

  const isOpen = choices.length > 0;
  return {
    onKeyDown,
    onCaret,
    aria: {
      ...(people.length > 0 && { "aria-autocomplete": "list" as const }),
      ...(isOpen && { "aria-controls": id, "aria-activedescendant": `${id}-${at}` }),
    },
    list: isOpen && (
      <div
        id={id}
        role="listbox"
        aria-label="Colleagues"
        className="appear absolute start-2 bottom-full z-20 mb-1.5 w-[min(18rem,calc(100%-1rem))] rounded-xl border border-line bg-raised p-1.5 text-sm shadow-float"
      >
        {choices.map((person, nth) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the text area, which keeps the focus
          <div
            key={person.id}
            id={`${id}-${nth}`}
            role="option"
            tabIndex={-1}
            aria-selected={nth === at}
            onPointerDown={(pressed) => pressed.preventDefault()}
            onPointerMove={() => setChosen(nth)}
            onClick={() => take(person)}
            className={clsx(
              "flex min-h-10 cursor-pointer items-center gap-2 rounded-lg px-2.5",
              nth === at && "bg-accent-soft",
            )}
          >
            <Avatar name={person.name} tone="staff" /> <span className="truncate">{person.name}</span>
          </div>
        ))}
      </div>
    ),
  };
}
