// What to show of the state: the hub's word with my own pending changes laid over it.
import type {
  Audience,
  CommandKey,
  EventRecord,
  Status,
  TicketId,
  TicketView,
  UnixMs,
  Workflow,
} from "../wire/generated";
import { assertNever, type Pending, type PostReply, type State } from "./state";
import { isAgentTicket } from "./store";

/** A reply or note of mine that is not in the thread yet. */
export type PendingPost = Pending & { command: PostReply };

/** The ticket as I have asked it to be. */
export function ticketView(state: State, id: TicketId): TicketView | undefined {
  const row = state.tickets[id];
  return row && state.pending.filter((one) => one.command.ticket_id === id).reduce(overlaid, row);
}

/** My replies and notes to a ticket that the thread does not show yet, in the order I sent them. */
export function pendingPosts(state: State, id: TicketId): PendingPost[] {
  return state.pending.filter(
    (one): one is PendingPost => one.command.type === "post_reply" && one.command.ticket_id === id,
  );
}

/** True when the status means that nobody has to do anything any more. */
export function isDone(workflow: Workflow, statusId: string): boolean {
  const kind = statusOf(workflow, statusId)?.kind;
  return kind === "resolved" || kind === "closed";
}

export function statusOf(workflow: Workflow, statusId: string): Status | undefined {
  return workflow.statuses.find((status) => status.id === statusId);
}

/** Where the workflow lets a ticket go from here, in the workflow's order. */
export function movesFrom(workflow: Workflow, statusId: string): Status[] {
  const moves = statusOf(workflow, statusId)?.moves ?? [];
  return workflow.statuses.filter((status) => moves.includes(status.id));
}

/** What someone else told the customer, or did to the status, after `seq`: a reply written without it may be a blind one. */
export function publicDeedsAfter(events: readonly EventRecord[], seq: number, myId: string): EventRecord[] {
  const isPublicDeed = ({ event }: EventRecord) =>
    event.type === "status_changed" || (event.type === "reply_posted" && event.audience === "public");
  return events.filter((record) => record.seq > seq && record.by.id !== myId && isPublicDeed(record));
}

/** A reply that the hub holds back for a moment. */
export type HeldReply = { key: CommandKey; record: EventRecord; body: string; audience: Audience; releaseAt: UnixMs };

/** Replies to a ticket that are held back: those that neither went out nor were taken back. */
export function heldReplies(events: readonly EventRecord[]): HeldReply[] {
  const held = new Map<CommandKey, HeldReply>();
  for (const record of events) {
    const { event, key } = record;
    if (event.type === "reply_held" && key !== undefined)
      held.set(key, { key, record, body: event.body, audience: event.audience, releaseAt: event.release_at });
    else if (event.type === "reply_posted" && event.held_key !== undefined) held.delete(event.held_key);
    else if (event.type === "held_cancelled") held.delete(event.held_key);
  }
  return [...held.values()];
}

function overlaid(row: TicketView, { command, fate }: Pending): TicketView {
  if (fate.at === "refused") return row;
  switch (command.type) {
    case "post_reply":
      return command.then_status === undefined ? row : { ...row, status: command.then_status };
    case "change_status":
      return { ...row, status: command.status };
    case "assign":
      return isAgentTicket(row) ? { ...row, assignee_id: command.assignee_id } : row;
    case "update_ticket": {
      const title = command.title ?? row.title;
      return isAgentTicket(row) ? { ...row, title, priority: command.priority ?? row.priority } : { ...row, title };
    }
    case "change_tags": {
      if (!isAgentTicket(row)) return row;
      const kept = row.tags.filter((tag) => !command.remove.includes(tag));
      return { ...row, tags: [...new Set([...kept, ...command.add])].sort() };
    }
    case "hand_over":
    case "acknowledge_handoff":
    case "watch":
    case "cancel_held":
      return row;
    default:
      return assertNever(command);
  }
}
