// Single keys for hands that stay on the keyboard. They can be switched off (WCAG 2.1.4) and never act while somebody types.
import { type RefObject, useEffect, useRef, useState } from "react";
import type { BellHandle } from "../app/bell/Bell";
import type { ReplyBoxHandle } from "../app/reply-box";
import { type Undo, useUndo } from "../app/undo";
import { readSetting, writeSetting } from "../ui/theme";
import type { ListHandle } from "./scenes/List/List";
import type { TicketHandle } from "./scenes/Ticket/Ticket";

const NAME = "tandem-keys";

/** Marks the links of a list that j and k walk along. */
export const ROW = "data-row";

/** What the keys act on, as far as it is on the screen. */
export type Places = {
  replyBox: RefObject<ReplyBoxHandle | null>;
  bell: RefObject<BellHandle | null>;
  list: RefObject<ListHandle | null>;
  ticket: RefObject<TicketHandle | null>;
};

export function useShortcuts(places: Places) {
  const undo = useUndo();
  const latest = useRef(places);
  latest.current = places;
  const [areOn, setAreOn] = useState(() => readSetting(NAME) !== "off");
  useEffect(() => {
    if (!areOn) return;
    const onKeyDown = (pressed: KeyboardEvent) => {
      if (pressed.ctrlKey || pressed.metaKey || pressed.altKey || pressed.isComposing || isTyping(pressed.target))
        return;
      const act = actionOf(pressed.key, latest.current, undo);
      if (!act) return;
      pressed.preventDefault();
      act();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [areOn, undo]);
  const setOn = (on: boolean) => {
    writeSetting(NAME, on ? null : "off");
    setAreOn(on);
  };
  return { areOn, setOn };
}

/** Capital letters are those with Shift. */
function actionOf(key: string, { replyBox, bell, list, ticket }: Places, undo: Undo): (() => void) | null {
  switch (key) {
    case "j":
      return () => walk(1);
    case "k":
      return () => walk(-1);
    case "r":
      return replyBox.current && (() => replyBox.current?.focus("public"));
    case "n":
      return replyBox.current && (() => replyBox.current?.focus("internal"));
    case "b":
      return bell.current && (() => bell.current?.toggle());
    case ".":
      return list.current && (() => void list.current?.letIn());
    case "A":
      return ticket.current && (() => ticket.current?.handOver());
    case "U":
      return ticket.current && (() => ticket.current?.markUnread());
    case "z":
      return () => void undo.take();
    default:
      return null;
  }
}

/** Moves to the next or previous row, from the one that has the focus or is open. Enter opens it: it is a link. */
function walk(step: 1 | -1) {
  const rows = [...document.querySelectorAll<HTMLElement>(`[${ROW}]`)];
  const focused = rows.indexOf(document.activeElement instanceof HTMLElement ? document.activeElement : document.body);
  const at = focused >= 0 ? focused : rows.findIndex((row) => row.getAttribute("aria-current") === "true");
  const next = at < 0 ? rows[0] : rows[Math.min(rows.length - 1, Math.max(0, at + step))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.closest("input, textarea, select, [role=menu], [role=dialog]") !== null)
  );
}
