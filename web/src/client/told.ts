// What I am told of, as the bell shows it: notifications by ticket, and which of them I have not read.
import type { Actor, Event, EventRecord, TicketId } from "../wire/generated";
import { type Cursors, ME, type State } from "./state";

/** One thing I am told of. */
export type Notification = {
  /** 1, 2, 3… for me. */
  seq: number;
  at: string;
  by: Actor;
  told: Extract<Event, { type: "notified" }>;
};

/** Everything I am told of one ticket. */
export type TicketNews = {
  ticket_id: TicketId;
  newest: Notification;
  /** How many of them I have not read. */
  unread: number;
  /** The last event that any of them tells of: read up to there, all of them are. */
  upTo: number;
};

/** How far I have read a ticket: as the hub says, or as I have just done here. */
export function cursorOf({ read, marking }: { read: Cursors; marking: Cursors }, ticket: TicketId): number {
  return Math.max(read[ticket] ?? 0, marking[ticket] ?? 0);
}

/** The ticket whose news came last is first. */
export function newsByTicket(state: State): TicketNews[] {
  const news = new Map<TicketId, TicketNews>();
  for (const one of notifications(state.topics[ME]?.events ?? []).reverse()) {
    const { ticket_id, ticket_seq } = one.told;
    const known = news.get(ticket_id) ?? { ticket_id, newest: one, unread: 0, upTo: 0 };
    const unread = known.unread + (isUnread(state, one) ? 1 : 0);
    news.set(ticket_id, { ...known, unread, upTo: Math.max(known.upTo, ticket_seq) });
  }
  return [...news.values()];
}

/** Tickets of which I was told something that I have not read. */
export function unreadTickets(state: State): ReadonlySet<TicketId> {
  const news = notifications(state.topics[ME]?.events ?? []).filter((one) => isUnread(state, one));
  const kept = Object.keys(state.keptUnread).filter((id) => id !== state.attending);
  return new Set([...news.map(({ told }) => told.ticket_id), ...kept]);
}

/** Neither read nor before my eyes. */
export function isUnread(state: State, { told }: Notification): boolean {
  return told.ticket_id !== state.attending && told.ticket_seq > cursorOf(state, told.ticket_id);
}

/** In order. What is no notification counts as a number only. */
export function notifications(events: readonly EventRecord[]): Notification[] {
  return events.flatMap(({ seq, at, by, event }) => (event.type === "notified" ? [{ seq, at, by, told: event }] : []));
}
