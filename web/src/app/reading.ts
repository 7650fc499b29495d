// What counts as read: what stands on the screen of a window that somebody is using.
import { type RefObject, useEffect, useRef, useState } from "react";
import type { TopicState } from "../client/state";
import { cursorOf } from "../client/told";
import { isAtEnd } from "../ui/stick";
import type { TicketId } from "../wire/generated";
import { useLive, useSession } from "./session";

/**
 * Marks a ticket as far as its thread has been on the screen, as long as the component is there.
 * Answers what had been read when this window began to be looked at, to tell what is new; null where that is not known.
 */
export function useReading(ticket: TicketId, topic: TopicState | undefined, box: RefObject<HTMLElement | null>) {
  const { live } = useSession();
  const [readBefore, setReadBefore] = useState<number | null>(null);
  const wasLookedAt = useRef(false);
  // what is marked as unread while it is looked at stays unread until somebody comes back
  const isKeptUnread = useLive((state) => ticket in state.keptUnread);
  const isWatching = useRef(false);
  const rests = isKeptUnread && isWatching.current;
  useEffect(() => {
    isWatching.current = true;
  }, []);
  const head = topic?.link.at === "live" ? topic.seq : 0;
  useEffect(() => {
    if (rests) return live.attend(null);
    const look = () => {
      const shown = head > 0 && isLookedAt() ? box.current : null;
      if (shown && !wasLookedAt.current) setReadBefore(cursorOf(live.getState(), ticket) || null);
      wasLookedAt.current = shown !== null;
      const seesEnd = shown !== null && isAtEnd(shown);
      live.attend(seesEnd ? ticket : null);
      if (shown) live.markRead(ticket, seesEnd ? head : lastOnScreen(shown));
    };
    look();
    const scrolled = box.current;
    scrolled?.addEventListener("scroll", look, { passive: true });
    window.addEventListener("focus", look);
    window.addEventListener("blur", look);
    document.addEventListener("visibilitychange", look);
    return () => {
      scrolled?.removeEventListener("scroll", look);
      window.removeEventListener("focus", look);
      window.removeEventListener("blur", look);
      document.removeEventListener("visibilitychange", look);
    };
  }, [live, ticket, head, box, rests]);
  useEffect(() => () => live.attend(null), [live]);
  return readBefore;
}

function isLookedAt(): boolean {
  return document.visibilityState === "visible" && document.hasFocus();
}

/** The number of the last entry whose beginning is to be seen; 0 for none. */
function lastOnScreen(box: HTMLElement): number {
  const bottom = box.getBoundingClientRect().bottom;
  // what is folded away has no place on the screen
  const entries = [...box.querySelectorAll<HTMLElement>("[data-seq]")].filter((one) => one.getClientRects().length > 0);
  const last = entries.findLast((entry) => entry.getBoundingClientRect().top + MIN_SEEN_PX < bottom);
  return Number(last?.dataset["seq"] ?? 0);
}

/** An entry of which less is on the screen has not been seen. */
const MIN_SEEN_PX = 40;
