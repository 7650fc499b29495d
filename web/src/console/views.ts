// The lists an agent can look at, and which ticket belongs in which.

import { labelOf } from "../app/words";
import type { TicketFilter } from "../client/rest";
import type { Deed } from "../client/state";
import { isDone } from "../client/views";
import type { AgentTicket, Workflow } from "../wire/generated";

export type ViewName = "open" | "mine" | "unassigned" | "all";

export type ListChoice = {
  view: ViewName /** One status only; null for all that the view has. */;
  status: string | null;
};

export const VIEWS: Record<ViewName, { label: string; empty: string }> = {
  open: { label: "Open", empty: "No open tickets. Everything is answered." },
  mine: { label: "Mine", empty: "Nothing is assigned to you." },
  unassigned: { label: "Unassigned", empty: "Every open ticket has somebody." },
  all: { label: "All", empty: "No tickets yet." },
};

export const VIEW_NAMES: readonly ViewName[] = ["open", "mine", "unassigned", "all"];

/** Reads the choice from the address of the page. */
export function readChoice(query: URLSearchParams, workflow: Workflow): ListChoice {
  const view = VIEW_NAMES.find((name) => name === query.get("view")) ?? "open";
  const status = workflow.statuses.find((one) => one.id === query.get("status"))?.id ?? null;
  return { view, status };
}

export function writeChoice({ view, status }: ListChoice): string {
  const query = new URLSearchParams();
  if (view !== "open") query.set("view", view);
  if (status !== null) query.set("status", status);
  return query.size === 0 ? "" : `?${query}`;
}

/** The same question for the hub. */
export function filterOf({ view, status }: ListChoice, workflow: Workflow): TicketFilter {
  const open = workflow.statuses.filter(({ id }) => !isDone(workflow, id)).map(({ id }) => id);
  const statuses = status !== null ? [status] : view === "all" ? [] : open;
  const assignee = view === "mine" ? "me" : view === "unassigned" ? "none" : undefined;
  return { status: statuses, ...(assignee && { assignee_id: assignee }) };
}

/** The same question for one row. */
export function belongs(ticket: AgentTicket, { view, status }: ListChoice, workflow: Workflow, myId: string): boolean {
  if (status !== null ? ticket.status !== status : view !== "all" && isDone(workflow, ticket.status)) return false;
  switch (view) {
    case "open":
    case "all":
      return true;
    case "mine":
      return ticket.assignee_id === myId;
    case "unassigned":
      return ticket.assignee_id === null;
  }
}

/**
 * Why a ticket is not in the list any more.
 * @param nameOf the name of whoever it is assigned to; null for nobody
 * @param deed who changed it last, and how
 */
export function whyGone(
  ticket: AgentTicket,
  choice: ListChoice,
  workflow: Workflow,
  nameOf: (id: string | null) => string | null,
  deed: Deed | undefined,
): string {
  const isElsewhere = choice.status !== null ? ticket.status !== choice.status : isDone(workflow, ticket.status);
  if (isElsewhere && choice.view !== "all") {
    const label = labelOf(workflow, ticket.status);
    return deed?.what === "status_changed" ? `${deed.by.name} changed it to ${label}` : `Now ${label}`;
  }
  const assignee = nameOf(ticket.assignee_id);
  return assignee === null ? "Nobody has this any more" : `${assignee} took this`;
}

/** A loaded page, as far as the order depends on it. */
export type LoadedRow = { id: string; updated_at: string };

/**
 * The order of a live list: loaded rows stay where they are, however often they change; what newly belongs comes on top, newest first.
 * @param isWhole nothing older is left to load
 */
export function orderRows(
  loaded: readonly LoadedRow[],
  isWhole: boolean,
  tickets: readonly AgentTicket[],
  isShown: (ticket: AgentTicket) => boolean,
): AgentTicket[] {
  const known = new Map(tickets.map((ticket) => [ticket.id, ticket]));
  const places = new Set(loaded.map(({ id }) => id));
  const oldest = loaded.map(({ updated_at }) => updated_at).sort()[0] ?? "";
  const arrived = tickets
    .filter((ticket) => !places.has(ticket.id) && isShown(ticket) && (isWhole || ticket.updated_at >= oldest))
    .sort((a, b) => b.created_at.localeCompare(a.created_at) || b.id.localeCompare(a.id));
  const kept = loaded.map(({ id }) => known.get(id)).filter((ticket) => ticket !== undefined && isShown(ticket));
  return [...arrived, ...kept.filter((ticket) => ticket !== undefined)];
}
