// What I asked for while somebody else was faster: replies and changes that wait for my decision.
import type { EventRecord, TicketId } from "../wire/generated";
import type { Command, Pending, State } from "./state";
import { type PendingPost, pendingPosts } from "./views";

/** A change of the ticket itself, which is refused where the same was changed since. */
export type FieldChange = Extract<Command, { type: "change_status" | "update_ticket" }>;

/** One field that two people changed. */
export type FieldConflict = {
  command: FieldChange;
  /** `status`, or the field's name. */
  field: string;
  /** The value that I chose. */
  mine: unknown;
  /** The last thing that somebody else did to it; null where it was something else that I had not seen. */
  theirs: EventRecord | null;
};

export function isFieldChange(command: Command): command is FieldChange {
  return command.type === "change_status" || command.type === "update_ticket";
}

/** True for a reply that waits for a decision, because of what came in between or who is answering. */
export function isConflict({ fate }: Pending): boolean {
  return fate.at === "refused" && (fate.refusal.code === "stale" || fate.refusal.code === "claimed");
}

/** The reply to a ticket that waits for a decision, the oldest first. */
export function conflictedPost(state: State, ticket: TicketId): PendingPost | undefined {
  return pendingPosts(state, ticket).find(isConflict);
}

/** Field by field, what of my changes to a ticket waits for a decision. */
export function fieldConflicts(state: State, ticket: TicketId): FieldConflict[] {
  return state.pending.flatMap(({ command, fate }) => {
    if (command.ticket_id !== ticket || fate.at !== "refused" || !isFieldChange(command)) return [];
    const { events } = fate.refusal;
    const chosen = choices(command);
    const conflicts = chosen.map(([field, mine]) => ({ command, field, mine, theirs: lastOf(events, field) }));
    const known = conflicts.filter(({ theirs }) => theirs !== null);
    // whatever the hub means, a change that was refused must not disappear
    return known.length > 0 ? known : conflicts;
  });
}

/** The same change once more, now that I know what came in between. */
export function insisting(command: FieldChange, key: string, seq: number): FieldChange {
  return command.type === "change_status"
    ? { ...command, key, based_on: seq, force: true }
    : { ...command, key, based_on: seq };
}

const NO_FIELDS = new Set(["type", "key", "ticket_id", "based_on"]);

function choices(command: FieldChange): [string, unknown][] {
  if (command.type === "change_status") return [["status", command.status]];
  return Object.entries(command).filter(([name, value]) => !NO_FIELDS.has(name) && value !== undefined);
}

function lastOf(events: readonly EventRecord[], field: string): EventRecord | null {
  const last = events.findLast(({ event }) =>
    field === "status" ? event.type === "status_changed" : event.type === "field_changed" && event.field === field,
  );
  return last ?? null;
}
