// The wire, as the hub speaks it. Generated from hub/core (wire); do not edit.

export type WorkspaceId = string;

export type UserId = string;

export type TicketId = string;

export type TeamId = string;

export type CategoryId = string;

export type SessionId = string;

export type CommandKey = string;

export type StreamId = string;

export type UnixMs = string;

export type Role = "platform_admin" | "owner" | "admin" | "manager" | "agent" | "viewer" | "customer";

export type StatusKind = "new" | "active" | "pending" | "scheduled" | "resolved" | "closed";

export type Status = { 
/**
 * The name in events, lists and filters.
 */
id: string, 
/**
 * The words people see.
 */
label: string, 
/**
 * What it means.
 */
kind: StatusKind, 
/**
 * Whether deadlines stand still in it.
 */
pauses_sla: boolean, 
/**
 * Where a ticket may go from here.
 */
moves: Array<string>, };

export type Workflow = { 
/**
 * `simple`, `full`, or a workspace's own.
 */
name: string, 
/**
 * In order.
 */
statuses: Array<Status>, 
/**
 * Where a customer's reply brings a ticket that was pending, resolved or closed.
 */
reopens_to: string, };

export type ErrorCode = "bad_frame" | "unknown_type" | "invalid" | "unauthenticated" | "forbidden" | "not_found" | "stale" | "claimed" | "illegal_transition" | "limit_reached" | "rate_limited" | "too_large" | "busy" | "unavailable" | "unsupported_version";

export type ActorKind = "agent" | "customer" | "system" | "api_key";

export type Actor = { 
/**
 * In which capacity.
 */
kind: ActorKind, 
/**
 * The person; absent for the system.
 */
id?: UserId, 
/**
 * The name at that time.
 */
name: string, };

export type Audience = "public" | "internal";

export type Source = "web" | "api" | "email" | "widget" | "catalog";

export type Reason = "assigned" | "mentioned" | "replied" | "handed_over" | "watched" | "not_sent" | "claim_taken";

export type PersonRef = { 
/**
 * Who.
 */
id: UserId, 
/**
 * The name to show.
 */
name: string, };

export type HandoffDraft = { 
/**
 * Markdown.
 */
body: string, 
/**
 * The last `seq` that its author had seen.
 */
based_on: number, 
/**
 * Who wrote it: who began it first, then who went on.
 */
authors: Array<PersonRef>, };

export type Event = { "type": "ticket_created", 
/**
 * One line.
 */
title: string, 
/**
 * The first message, Markdown.
 */
description: string, 
/**
 * Where it came from.
 */
source: Source, 
/**
 * Its number in the workspace, without the prefix.
 */
number: number, 
/**
 * Where the workflow begins.
 */
status: string, 
/**
 * How much it matters; not told to customers.
 */
priority?: Priority, } | { "type": "reply_posted", 
/**
 * Markdown. Cut to the body limit when `truncated`.
 */
body: string, 
/**
 * Who is to read it.
 */
audience: Audience, 
/**
 * Files; always present, may be empty.
 */
attachments: Array<JsonValue>, 
/**
 * Colleagues it calls for; not told to customers.
 */
mentions?: Array<UserId>, 
/**
 * Sent although something came in between.
 */
forced?: boolean, 
/**
 * Written without having seen a public reply or status change by someone else.
 */
missed?: boolean, 
/**
 * The stored body is longer; it is whole by REST.
 */
truncated?: boolean, 
/**
 * Who wrote it, where that was not its sender alone: who began it first, then who went on. Not told to customers.
 */
draft_authors?: Array<PersonRef>, 
/**
 * It was held back: the key of the `post_reply` that began it. Not told to customers.
 */
held_key?: CommandKey, } | { "type": "reply_held", 
/**
 * Markdown.
 */
body: string, 
/**
 * Who is to read it.
 */
audience: Audience, 
/**
 * Colleagues it calls for.
 */
mentions?: Array<UserId>, 
/**
 * A status to move to in the same step.
 */
then_status?: string, 
/**
 * What its author had seen.
 */
based_on?: number, 
/**
 * To be sent although something came in between.
 */
forced?: boolean, 
/**
 * When it goes out.
 */
release_at: UnixMs, 
/**
 * Who wrote it, where that was not its sender alone.
 */
draft_authors?: Array<PersonRef>, } | { "type": "held_cancelled", 
/**
 * The key of the `post_reply` that was held.
 */
held_key: CommandKey, 
/**
 * Why the hub did not send it: `stale`, `claimed` or another code; absent when its author took it back.
 */
why?: ErrorCode, } | { "type": "status_changed", 
/**
 * The status it had.
 */
from: string, 
/**
 * The status it has.
 */
to: string, 
/**
 * A reason for colleagues.
 */
note?: string, 
/**
 * Changed although something came in between.
 */
forced?: boolean, } | { "type": "assigned", 
/**
 * The agent, or nobody.
 */
assignee_id: UserId | null, 
/**
 * The team, or none.
 */
team_id: TeamId | null, } | { "type": "handed_over", 
/**
 * Who gave it.
 */
from_id: UserId, 
/**
 * The colleague, or nobody in particular.
 */
to_id: UserId | null, 
/**
 * The team, or none.
 */
to_team_id: TeamId | null, 
/**
 * What the next one has to know.
 */
note: string, 
/**
 * A draft that comes along.
 */
draft?: HandoffDraft, } | { "type": "handoff_acknowledged", } | { "type": "tags_changed", 
/**
 * Those that are there now and were not; sorted.
 */
added: Array<string>, 
/**
 * Those that were there and are not; sorted.
 */
removed: Array<string>, } | { "type": "claim_taken", 
/**
 * Who.
 */
by: PersonRef, 
/**
 * When the lease ends, unless it is renewed.
 */
until: UnixMs, 
/**
 * Who had it before.
 */
from?: PersonRef, } | { "type": "claim_released", 
/**
 * Whose claim it was.
 */
by: PersonRef, } | { "type": "claim_expired", 
/**
 * Whose claim it was.
 */
by: PersonRef, } | { "type": "watched", 
/**
 * Who.
 */
user_id: UserId, 
/**
 * Whether.
 */
on: boolean, } | { "type": "field_changed", 
/**
 * `title`, `priority`, `urgency`, `category_id`, `custom`, `due_at` or `scheduled_at`.
 */
field: string, 
/**
 * The value it had; null for none.
 */
from: JsonValue, 
/**
 * The value it has; null for none.
 */
to: JsonValue, } | { "type": "nothing_changed", } | { "type": "notified", 
/**
 * Why I am told.
 */
reason: Reason, 
/**
 * Of which ticket.
 */
ticket_id: TicketId, 
/**
 * The number people say, with its prefix.
 */
number: string, 
/**
 * The ticket's title.
 */
title: string, 
/**
 * The event that I am told of, in my numbering of the ticket: read once my cursor is there.
 */
ticket_seq: number, 
/**
 * How its text begins, on one line; only where it has a text.
 */
excerpt?: string, };

export type EventRecord = { 
/**
 * 1, 2, 3… without a gap within its topic.
 */
seq: number, 
/**
 * When, in database time. Never goes back within a ticket.
 */
at: UnixMs, 
/**
 * Who.
 */
by: Actor, 
/**
 * The intent that caused it, on that intent's first event: tells a client that it is its own.
 */
key?: CommandKey, 
/**
 * What.
 */
event: Event, };

export type Priority = "p1" | "p2" | "p3" | "p4";

export type Handoff = { 
/**
 * Who gave it.
 */
from: PersonRef, 
/**
 * The colleague who is to go on, or nobody in particular.
 */
to_id: UserId | null, 
/**
 * The team that is to go on, or none.
 */
to_team_id: TeamId | null, 
/**
 * What the next one has to know.
 */
note: string, 
/**
 * A draft that comes along: becomes that of whoever acknowledges.
 */
draft?: HandoffDraft, 
/**
 * When.
 */
at: UnixMs, };

export type Held = { 
/**
 * The key of its `post_reply`.
 */
key: CommandKey, 
/**
 * Who wrote it.
 */
by: PersonRef, 
/**
 * Markdown.
 */
body: string, 
/**
 * Who is to read it.
 */
audience: Audience, 
/**
 * Colleagues it calls for.
 */
mentions?: Array<UserId>, 
/**
 * A status to move to in the same step.
 */
then_status?: string, 
/**
 * What its author had seen; it is judged by that again.
 */
based_on?: number, 
/**
 * To be sent although something came in between.
 */
forced?: boolean, 
/**
 * Who wrote its draft, where that was not its sender alone.
 */
draft_authors?: Array<PersonRef>, 
/**
 * When it goes out.
 */
release_at: UnixMs, };

export type AgentTicket = { 
/**
 * The ticket.
 */
id: TicketId, 
/**
 * Prefix and number, such as `TKT-1234`.
 */
number: string, 
/**
 * One line.
 */
title: string, 
/**
 * The first message, Markdown. Cut to 280 characters in lists.
 */
description: string, 
/**
 * A status of the workspace's workflow.
 */
status: string, 
/**
 * How much it matters.
 */
priority: Priority, 
/**
 * How soon it matters: `low`, `normal`, `high`.
 */
urgency: string, 
/**
 * Its category, or none.
 */
category_id: CategoryId | null, 
/**
 * Its tags, sorted.
 */
tags: Array<string>, 
/**
 * The workspace's own fields.
 */
custom: Record<string, unknown>, 
/**
 * Who asked.
 */
requester: PersonRef, 
/**
 * Who works on it, or nobody.
 */
assignee_id: UserId | null, 
/**
 * Which team works on it, or none.
 */
team_id: TeamId | null, 
/**
 * Where it came from.
 */
source: Source, 
/**
 * When it is to be done.
 */
due_at: UnixMs | null, 
/**
 * When work is planned.
 */
scheduled_at: UnixMs | null, 
/**
 * When it was made.
 */
created_at: UnixMs, 
/**
 * When its last event happened.
 */
updated_at: UnixMs, 
/**
 * Those who follow it.
 */
watcher_ids?: Array<UserId>, 
/**
 * What was handed over and is not acknowledged yet.
 */
handoff?: Handoff, 
/**
 * Replies that are held back; left out in lists.
 */
held?: Array<Held>, 
/**
 * The number of its last event.
 */
seq: number, };

export type CustomerTicket = { 
/**
 * The ticket.
 */
id: TicketId, 
/**
 * Prefix and number, such as `TKT-1234`.
 */
number: string, 
/**
 * One line.
 */
title: string, 
/**
 * The first message, Markdown. Cut to 280 characters in lists.
 */
description: string, 
/**
 * A status of the workspace's workflow.
 */
status: string, 
/**
 * Who asked.
 */
requester: PersonRef, 
/**
 * Where it came from.
 */
source: Source, 
/**
 * When it was made.
 */
created_at: UnixMs, 
/**
 * When the last event of the thread happened.
 */
updated_at: UnixMs, 
/**
 * The number of the thread's last event.
 */
seq: number, };

export type TicketView = AgentTicket | CustomerTicket;

export type TeamRef = { 
/**
 * Which.
 */
id: TeamId, 
/**
 * The name to show.
 */
name: string, };

export type Me = { 
/**
 * Who.
 */
id: UserId, 
/**
 * The name to show.
 */
name: string, 
/**
 * The address signed in with.
 */
email: string, 
/**
 * What this person may do.
 */
role: Role, };

export type WorkspaceInfo = { 
/**
 * Which.
 */
id: WorkspaceId, 
/**
 * Its short name at sign-in.
 */
slug: string, 
/**
 * Its name.
 */
name: string, 
/**
 * Its statuses and moves.
 */
workflow: Workflow, };

export type Limits = { 
/**
 * Bytes of one message of a client, fragments together. More closes with 4413.
 */
message_bytes: number, 
/**
 * Bytes of a `body`, in UTF-8. More is `too_large`.
 */
body_bytes: number, 
/**
 * Maps and lists within each other in a message. More is `bad_frame`.
 */
depth: number, 
/**
 * Topics watched at once by one socket. More is `limit_reached`.
 */
subscriptions: number, 
/**
 * Commands of one socket that may wait for their answers. More is `busy`.
 */
commands_in_flight: number, };

export type ReadCursor = { 
/**
 * Which.
 */
ticket_id: TicketId, 
/**
 * The last event read, in my numbering. Never goes back.
 */
seq: number, };

export type Activity = "idle" | "viewing" | "composing";

export type Presence = { 
/**
 * Who.
 */
id: UserId, 
/**
 * The name to show.
 */
name: string, 
/**
 * `agent` or `customer`.
 */
kind: ActorKind, 
/**
 * What this person does, at the tab where most is done.
 */
state: Activity, 
/**
 * Composing: for whom.
 */
audience?: Audience, 
/**
 * Which field this person has open.
 */
field?: string, 
/**
 * Since when.
 */
since: UnixMs, 
/**
 * The connection broke; gone in a moment, unless it comes back.
 */
lost?: boolean, };

export type Support = "composing";

export type Claim = { 
/**
 * Who.
 */
by: PersonRef, 
/**
 * When it ends, unless it is renewed.
 */
until: UnixMs, 
/**
 * Since when.
 */
since: UnixMs, };

export type Draft = { 
/**
 * Who is to read it.
 */
audience: Audience, 
/**
 * Counts every change, for ever.
 */
revision: number, 
/**
 * Markdown.
 */
body: string, 
/**
 * The last `seq` that its author had seen.
 */
based_on: number, 
/**
 * When it was last changed.
 */
updated_at: UnixMs, 
/**
 * Who wrote it: who began it first, then who went on.
 */
authors: Array<PersonRef>, };

export type Availability = "available" | "away";

export type Online = { 
/**
 * Who.
 */
id: UserId, 
/**
 * The name to show.
 */
name: string, 
/**
 * What this person is here for.
 */
state: Availability, };

export type Live = { 
/**
 * Who is here: staff see everybody, customers nobody.
 */
presence: Array<Presence>, 
/**
 * For customers: whether somebody writes an answer.
 */
support?: Support, 
/**
 * Who holds the claim, or nobody. Staff only.
 */
claim: Claim | null, 
/**
 * My drafts.
 */
drafts: Array<Draft>, 
/**
 * Deadlines.
 */
clocks: Array<JsonValue>, 
/**
 * Of `workspace`: who of the staff is here.
 */
people?: Array<Online>, 
/**
 * Of `me`: how far I have read the tickets of my newest notifications, on any device. A ticket that is not named here is
 * unread from its beginning.
 */
read?: Array<ReadCursor>, };

export type Snapshot = { 
/**
 * At `seq`.
 */
ticket: TicketView, 
/**
 * Oldest first, without a gap, up to `seq`.
 */
events: Array<EventRecord>, } | { 
/**
 * The staff that can be assigned, by name.
 */
people: Array<PersonRef>, 
/**
 * The teams, by name.
 */
teams: Array<TeamRef>, } | { 
/**
 * Oldest first, without a gap, up to `seq`.
 */
events: Array<EventRecord>, };

export type PresenceSignal = { 
/**
 * On `workspace`: at which ticket.
 */
ticket_id?: TicketId, 
/**
 * Who.
 */
users: Array<Presence>, } | { 
/**
 * Null when nobody does.
 */
support: Support | null, };

export type Signal = { "type": "ticket_changed", 
/**
 * The row; `description` is cut as in lists.
 */
ticket: AgentTicket, 
/**
 * Who changed it last.
 */
by?: Actor, 
/**
 * By what: the type of the event.
 */
what?: string, } | { "type": "ticket_left", 
/**
 * Which.
 */
ticket_id: TicketId, 
/**
 * Why.
 */
why: string, } | { "type": "presence" } & PresenceSignal | { "type": "claim", 
/**
 * Who has it.
 */
by: PersonRef | null, 
/**
 * When it ends, unless it is renewed.
 */
until: UnixMs | null, } | { "type": "draft", 
/**
 * Whose.
 */
by: PersonRef, 
/**
 * Who is to read it.
 */
audience: Audience, 
/**
 * Since when; null when it is gone.
 */
since: UnixMs | null, } | { "type": "draft_changed", 
/**
 * Of which ticket.
 */
ticket_id: TicketId, 
/**
 * Of which audience.
 */
audience: Audience, 
/**
 * As it is stored; null when it is gone.
 */
draft: Draft | null, } | { "type": "counters", 
/**
 * Neither resolved nor closed.
 */
open: number, 
/**
 * Of these: nobody works on them.
 */
unassigned: number, 
/**
 * Of these: mine.
 */
mine: number, } | { "type": "people", 
/**
 * By name.
 */
people: Array<Online>, } | { "type": "read", 
/**
 * Which.
 */
ticket_id: TicketId, 
/**
 * The last event read, in my numbering.
 */
seq: number, 
/**
 * What comes after was marked as unread again: also where that is less than before.
 */
back?: boolean, };

export type JsonValue = number | string | boolean | Array<JsonValue> | { [key in string]: JsonValue } | null;

export type ServerFrame = { "type": "welcome", 
/**
 * Of the `hello`.
 */
id: number, 
/**
 * This sign-in.
 */
session_id: SessionId, 
/**
 * Who I am.
 */
user: Me, 
/**
 * Where I am.
 */
workspace: WorkspaceInfo, 
/**
 * Which node answers.
 */
node: string, 
/**
 * Database time, to correct the client's clock by.
 */
server_time: UnixMs, 
/**
 * How often the hub pings.
 */
heartbeat_ms: number, 
/**
 * What is refused above.
 */
limits: Limits, } | { "type": "subscribed", 
/**
 * Of the `subscribe`; absent when the hub began it.
 */
id?: number, 
/**
 * What is watched.
 */
topic: string, 
/**
 * The life of the log that `seq` counts in.
 */
stream: StreamId, 
/**
 * The head: the number of the topic's last event.
 */
seq: number, 
/**
 * Replaces all ephemeral state the client had of the topic.
 */
live: Live, 
/**
 * What came after the client's `after`.
 */
events?: Array<EventRecord>, 
/**
 * True when the client must start over from `snapshot`.
 */
reset?: boolean, 
/**
 * The topic as it stands at `seq`.
 */
snapshot?: Snapshot, } | { "type": "unsubscribed", 
/**
 * What was watched.
 */
topic: string, 
/**
 * Why.
 */
code: ErrorCode, } | { "type": "event", 
/**
 * Where.
 */
topic: string, 
/**
 * Its number in the topic.
 */
seq: number, 
/**
 * When.
 */
at: UnixMs, 
/**
 * Who.
 */
by: Actor, 
/**
 * Of the intent that caused it.
 */
key?: CommandKey, 
/**
 * What.
 */
event: Event, } | { "type": "signal", 
/**
 * Where.
 */
topic: string, 
/**
 * What.
 */
signal: Signal, } | { "type": "ack", 
/**
 * Of the client's frame.
 */
id: number, 
/**
 * The number of the event that carries the intent's key.
 */
seq?: number, 
/**
 * Facts, by kind of intent.
 */
result?: { [key in string]: JsonValue }, } | { "type": "error", 
/**
 * Of the client's frame, when it could be read.
 */
id?: number, 
/**
 * What clients branch on.
 */
code: ErrorCode, 
/**
 * One sentence for people.
 */
message: string, 
/**
 * When to try again.
 */
retry_after_ms?: number, 
/**
 * Facts, by code.
 */
detail?: { [key in string]: JsonValue }, } | { "type": "pong", 
/**
 * Of the `ping`.
 */
id: number, 
/**
 * Database time.
 */
server_time: UnixMs, } | { "type": "goodbye", 
/**
 * In words.
 */
reason: string, 
/**
 * Wait this long before coming back.
 */
reconnect_after_ms: number, };

type Keyed = { key: CommandKey; ticket_id: TicketId };

export type ClientFrame =
  | { type: "hello"; id: number; protocol: 1; token?: string; client?: { name: string; version: string } }
  | { type: "subscribe"; id: number; topic: string; after?: number; stream?: StreamId }
  | { type: "unsubscribe"; id: number; topic: string }
  | { type: "ping"; id: number }
  | ({
      type: "post_reply";
      id: number;
      body: string;
      audience: Audience;
      based_on?: number;
      force?: true;
      then_status?: string;
      mention_ids?: UserId[];
      hold_ms?: number;
    } & Keyed)
  | ({ type: "cancel_held"; id: number; held_key: CommandKey } & Keyed)
  | ({
      type: "hand_over";
      id: number;
      to_id?: UserId;
      to_team_id?: TeamId;
      note: string;
      with_draft?: true;
    } & Keyed)
  | ({ type: "acknowledge_handoff"; id: number } & Keyed)
  | ({ type: "change_tags"; id: number; add: string[]; remove: string[] } & Keyed)
  | ({ type: "watch"; id: number; on: boolean } & Keyed)
  | { type: "take_claim"; id: number; ticket_id: TicketId; force?: true }
  | { type: "release_claim"; id: number; ticket_id: TicketId; force?: true }
  | {
      type: "save_draft";
      id: number;
      ticket_id: TicketId;
      audience: Audience;
      revision: number;
      body: string;
      based_on: number;
    }
  | { type: "discard_draft"; id: number; ticket_id: TicketId; audience: Audience }
  | { type: "set_presence"; id?: number; ticket_id: TicketId; state: Activity; audience?: Audience; field?: string }
  | { type: "watch_rows"; id: number; ticket_ids: TicketId[] }
  | ({ type: "change_status"; id: number; status: string; based_on?: number; note?: string; force?: true } & Keyed)
  | ({ type: "assign"; id: number; assignee_id: UserId | null; team_id?: TeamId | null } & Keyed)
  | ({
      type: "update_ticket";
      id: number;
      based_on: number;
      title?: string;
      priority?: Priority;
      urgency?: string;
      category_id?: CategoryId | null;
      custom?: Record<string, unknown> | null;
      due_at?: UnixMs | null;
      scheduled_at?: UnixMs | null;
    } & Keyed)
  | { type: "mark_read"; id: number; ticket_id: TicketId; seq: number; back?: true };
