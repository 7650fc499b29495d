// The way to one event of a ticket, and arriving there.
import { type RefObject, useEffect, useRef } from "react";
import { useLocation } from "react-router";
import type { EventRecord, TicketId } from "../wire/generated";

/** The address of an event within either page. */
export function pathTo(ticket: TicketId, seq: number, search: string): string {
  return `/t/${ticket}${search}#event-${seq}`;
}

/** Scrolls to the event that the address names, once for each time that somebody goes there. */
export function useJump(box: RefObject<HTMLElement | null>, events: readonly EventRecord[]) {
  const { hash, key } = useLocation();
  const arrived = useRef<string | null>(null);
  const seq = Number(/^#event-(\d+)$/.exec(hash)?.[1] ?? Number.NaN);
  const isThere = events.some((record) => record.seq === seq);
  useEffect(() => {
    if (!isThere || arrived.current === key) return;
    arrived.current = key;
    const entry = box.current?.querySelector<HTMLElement>(`[data-seq="${seq}"]`);
    if (!entry) return;
    entry.closest("details")?.setAttribute("open", "");
    entry.scrollIntoView({ block: "center" });
    entry.classList.add("pointed");
    entry.addEventListener("animationend", () => entry.classList.remove("pointed"), { once: true });
  }, [box, seq, isThere, key]);
}
