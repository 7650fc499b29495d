// What is so right now: who is here, who is answering, who is writing. Each word of the hub replaces the one before.
import type { EventRecord, Live, Presence, Signal, TicketId, UserId } from "../wire/generated";
import type { Here, State } from "./state";

export const NOBODY_HERE: Here = { presence: [], claim: null, support: null, drafting: [] };

type Of<T extends Signal["type"]> = Extract<Signal, { type: T }>;

/** All that was known of a topic is replaced. */
export function arrived(state: State, topic: string, live: Live): State {
  if (topic === "workspace") return { ...state, rowPresence: {}, online: live.people ?? [] };
  if (!isAboutTicket(topic)) return state;
  const { presence, claim, support = null } = live;
  return withHere(state, topic, { presence, claim, support, drafting: [] });
}

/** Nobody looks any more, so nothing is known. */
export function forgotten(state: State, topic: string): State {
  if (!(topic in state.here)) return state;
  const { [topic]: _, ...here } = state.here;
  return { ...state, here };
}

export function presenceChanged(state: State, topic: string, signal: Of<"presence">): State {
  if ("support" in signal) return changed(state, topic, { support: signal.support });
  if (signal.ticket_id === undefined) return changed(state, topic, { presence: signal.users });
  return withRows(state, new Map([[signal.ticket_id, signal.users]]));
}

/** @param only the rows that are looked at; what is known of others is forgotten */
export function withRows(
  state: State,
  rows: ReadonlyMap<TicketId, readonly Presence[]>,
  only?: ReadonlySet<TicketId>,
): State {
  const next: Record<TicketId, readonly Presence[]> = {};
  for (const [id, users] of [...Object.entries(state.rowPresence), ...rows]) {
    if (users.length === 0) delete next[id];
    else if (!only || only.has(id)) next[id] = users;
  }
  return { ...state, rowPresence: next };
}

/** A claim that was renewed began when it began. */
export function claimRenewed(state: State, topic: string, { by, until }: Of<"claim">, at: string): State {
  if (by === null || until === null) return changed(state, topic, { claim: null });
  const known = state.here[topic]?.claim;
  const since = known?.by.id === by.id ? known.since : at;
  return changed(state, topic, { claim: { by, until, since } });
}

export function draftingChanged(state: State, topic: string, { by, audience, since }: Of<"draft">): State {
  const others = (state.here[topic]?.drafting ?? []).filter((one) => one.by.id !== by.id || one.audience !== audience);
  return changed(state, topic, { drafting: since === null ? others : [...others, { by, audience, since }] });
}

/** What an event of the log says about who is answering. */
export function afterRecord(state: State, topic: string, { at, event }: EventRecord): State {
  switch (event.type) {
    case "claim_taken":
      return changed(state, topic, { claim: { by: event.by, until: event.until, since: at } });
    case "claim_released":
    case "claim_expired":
      return changed(state, topic, { claim: null });
    default:
      return state;
  }
}

/** Colleagues at a ticket, whoever does most first; my own tabs are no colleagues. */
export function colleagues(presence: readonly Presence[], myId: UserId): Presence[] {
  return presence
    .filter(({ id, kind }) => kind !== "customer" && id !== myId)
    .sort((a, b) => ORDER[b.state] - ORDER[a.state] || a.name.localeCompare(b.name));
}

/** The customer at a ticket, if one is there. */
export function customerOf(presence: readonly Presence[]): Presence | undefined {
  const customers = presence.filter(({ kind }) => kind === "customer");
  return customers.sort((a, b) => ORDER[b.state] - ORDER[a.state])[0];
}

/** The colleague who has a field open, as a hint. */
export function editorOf(presence: readonly Presence[], field: string, myId: UserId): Presence | undefined {
  return presence.find((one) => one.field === field && one.id !== myId && one.state !== "idle");
}

/** Who else is answering the customer, and until when. */
export function claimOfOther(here: Here, myId: UserId) {
  return here.claim !== null && here.claim.by.id !== myId ? here.claim : null;
}

const ORDER: Record<Presence["state"], number> = { composing: 2, viewing: 1, idle: 0 };

function changed(state: State, topic: string, part: Partial<Here>): State {
  return withHere(state, topic, { ...(state.here[topic] ?? NOBODY_HERE), ...part });
}

function withHere(state: State, topic: string, here: Here): State {
  return { ...state, here: { ...state.here, [topic]: here } };
}

function isAboutTicket(topic: string): boolean {
  return topic.startsWith("ticket:") || topic.startsWith("thread:");
}
