// The one place where state changes: reduce(state, what happened) -> state. No I/O, no clock, no React.
import type {
  AgentTicket,
  EventRecord,
  ReadCursor,
  ServerFrame,
  Signal,
  TicketId,
  TicketView,
} from "../wire/generated";
import { afterDeed } from "./deeds";
import { afterRecord, arrived, claimRenewed, draftingChanged, forgotten, presenceChanged, withRows } from "./here";
import {
  assertNever,
  type Cursors,
  type LocalEvent,
  ME,
  type Pending,
  type State,
  type TopicLink,
  type TopicState,
} from "./state";

/** Topics that are kept for a quick return after nobody watches them. */
const KEEP_LEFT_TOPICS = 20;

/** The state after one more frame of the hub, or one more thing that happened here. */
export function reduce(state: State, input: ServerFrame | LocalEvent): State {
  switch (input.type) {
    case "welcome":
      return { ...state, self: { user: input.user, workspace: input.workspace } };
    case "subscribed":
      return subscribed(state, input);
    case "unsubscribed":
      return withLink(forgotten(state, input.topic), input.topic, {
        at: "ended",
        code: input.code,
        message: "You can no longer see this.",
      });
    case "event":
      return happened(state, input.topic, input);
    case "signal":
      return signalled(state, input);
    case "ack":
    case "error":
    case "pong":
    case "goodbye":
      return state;
    case "local:watched":
      return watched(state, input.topic);
    case "local:left":
      return left(state, input.topic);
    case "local:watch_refused":
      return withLink(state, input.topic, { at: "ended", code: input.code, message: input.message });
    case "local:asked":
      return asked(state, { command: input.command, asked_at_ms: input.at_ms, fate: { at: "sending" } });
    case "local:acked":
      return acked(state, input.key, input.seq);
    case "local:refused":
      return withFate(state, input.key, { at: "refused", refusal: input.refusal });
    case "local:asked_again":
      return withFate(state, input.key, { at: "sending" });
    case "local:reworded":
      return { ...state, pending: state.pending.map((one) => reworded(one, input)) };
    case "local:rows_presence":
      return withRows(state, input.rows, input.only);
    case "local:withdrawn":
      return { ...state, pending: state.pending.filter((one) => one.command.key !== input.key) };
    case "local:rows_loaded":
      return { ...state, tickets: input.tickets.reduce(withRow, state.tickets) };
    case "local:older_loaded":
      return withOlder(state, input.topic, input.events);
    case "local:cursors_loaded":
      return { ...state, read: withCursors(state.read, input.read) };
    case "local:attending":
      return state.attending === input.ticket_id ? state : { ...state, attending: input.ticket_id };
    case "local:marking":
      return {
        ...state,
        marking: withCursors(state.marking, [input]),
        keptUnread: without(state.keptUnread, input.ticket_id),
      };
    case "local:marked_unread":
      return markedUnread(state, input);
    case "local:marked":
      return marked(state, input);
    case "local:mark_refused":
      return { ...state, marking: without(state.marking, input.ticket_id) };
    default:
      return assertNever(input);
  }
}

/** The id in `ticket:<id>` or `thread:<id>`; null for the other topics. */
export function ticketOf(topic: string): TicketId | null {
  const [kind, id] = topic.split(":", 2);
  return (kind === "ticket" || kind === "thread") && id ? id : null;
}

/** True for the row that agents see. */
export function isAgentTicket(ticket: TicketView): ticket is AgentTicket {
  return "priority" in ticket;
}

function subscribed(before: State, frame: Extract<ServerFrame, { type: "subscribed" }>): State {
  const { topic, stream, snapshot } = frame;
  const known = listening(before, topic);
  if (!known) return before;
  const state = arrived(before, topic, frame.live);
  if (snapshot && "people" in snapshot) {
    const next = { ...state, people: snapshot.people, teams: snapshot.teams, generation: state.generation + 1 };
    return withTopic(next, topic, { link: { at: "live" }, stream, seq: 0, events: [] });
  }
  if (topic === ME) return subscribedToMe(state, known, frame);
  if (snapshot && "ticket" in snapshot) {
    const tickets = withRow(state.tickets, snapshot.ticket);
    const next = withTopic({ ...state, tickets }, topic, {
      link: { at: "live" },
      stream,
      seq: frame.seq,
      events: snapshot.events,
    });
    return snapshot.events.reduce((so_far, record) => settle(so_far, record), settleUpTo(next, topic, frame.seq));
  }
  const live: State = withTopic(state, topic, { ...known, stream, link: { at: "live" } });
  const caughtUp = (frame.events ?? []).reduce((so_far, record) => happened(so_far, topic, record), live);
  // what is so now was said at the end of them
  return caughtUp.here === live.here ? caughtUp : arrived(caughtUp, topic, frame.live);
}

/** Cursors never go back, so that what a resume does not name of older notifications stays as it was. */
function subscribedToMe(state: State, known: TopicState, frame: Extract<ServerFrame, { type: "subscribed" }>): State {
  const { topic, stream, seq, snapshot, live } = frame;
  const link: TopicLink = { at: "live" };
  if (snapshot && "events" in snapshot) {
    const read = withCursors({}, live.read ?? []);
    return withTopic({ ...state, read }, topic, { link, stream, seq, events: snapshot.events });
  }
  const resumed = withTopic({ ...state, read: withCursors(state.read, live.read ?? []) }, topic, {
    ...known,
    stream,
    link,
  });
  return (frame.events ?? []).reduce((so_far, record) => happened(so_far, topic, record), resumed);
}

/** Applies the next number once; a repeated one changes nothing, and after a gap nothing is applied. */
function happened(state: State, topic: string, record: EventRecord): State {
  const known = listening(state, topic);
  if (!known || record.seq <= known.seq) return state;
  if (record.seq > known.seq + 1) return withLink(state, topic, { at: "behind" });
  const { seq, at, by, event } = record;
  const entry: EventRecord =
    record.key === undefined ? { seq, at, by, event } : { seq, at, by, key: record.key, event };
  const next = withTopic(afterRecord(state, topic, entry), topic, { ...known, seq, events: [...known.events, entry] });
  return settleUpTo(settle({ ...next, tickets: withEvent(next.tickets, topic, entry) }, entry), topic, seq);
}

/** The topic, while its frames are still of interest. */
function listening(state: State, topic: string): TopicState | null {
  const known = state.topics[topic];
  return known && known.link.at !== "left" && known.link.at !== "ended" ? known : null;
}

function signalled(state: State, { topic, signal }: Extract<ServerFrame, { type: "signal" }>): State {
  switch (signal.type) {
    case "ticket_changed":
      return ticketChanged(state, signal);
    case "ticket_left":
      return { ...state, gone: { ...state.gone, [signal.ticket_id]: signal.why } };
    case "read":
      return signal.back ? markedUnread(state, signal) : readFurther(state, signal);
    case "presence":
      return listening(state, topic) ? presenceChanged(state, topic, signal) : state;
    case "claim":
      return listening(state, topic) ? claimRenewed(state, topic, signal, lastAt(state, topic)) : state;
    case "draft":
      return listening(state, topic) ? draftingChanged(state, topic, signal) : state;
    case "draft_changed":
      // texts that are being written have a book of their own
      return state;
    case "counters":
      return { ...state, counters: { open: signal.open, unassigned: signal.unassigned, mine: signal.mine } };
    case "people":
      return { ...state, online: signal.people };
    default:
      return assertNever(signal);
  }
}

function ticketChanged(state: State, signal: Extract<Signal, { type: "ticket_changed" }>): State {
  const { ticket, by, what } = signal;
  const lastDeeds = by && what !== undefined ? { ...state.lastDeeds, [ticket.id]: { by, what } } : state.lastDeeds;
  return { ...state, tickets: withRow(state.tickets, ticket), gone: without(state.gone, ticket.id), lastDeeds };
}

function lastAt(state: State, topic: string): string {
  return state.topics[topic]?.events.at(-1)?.at ?? "";
}

function watched(state: State, topic: string): State {
  const known = state.topics[topic];
  const link: TopicLink = { at: "asked" };
  return withTopic(state, topic, known ? { ...known, link } : { link, stream: null, seq: 0, events: [] });
}

function left(state: State, topic: string): State {
  const known = state.topics[topic];
  if (!known) return state;
  const topics = { ...state.topics };
  delete topics[topic];
  if (known.link.at !== "ended" && known.stream !== null) topics[topic] = { ...known, link: { at: "left" } };
  for (const old of Object.keys(topics)
    .filter((name) => topics[name]?.link.at === "left")
    .slice(0, -KEEP_LEFT_TOPICS)) {
    delete topics[old];
  }
  const ticket = ticketOf(topic);
  const pending = state.pending.filter((one) => one.fate.at !== "acked" || one.command.ticket_id !== ticket);
  return forgotten({ ...state, topics, pending }, topic);
}

function asked(state: State, pending: Pending): State {
  const isKnown = state.pending.some((one) => one.command.key === pending.command.key);
  return isKnown ? state : { ...state, pending: [...state.pending, pending] };
}

/** Shown on until the topic that is watched has come to `seq`: otherwise it would vanish for a moment. */
function acked(state: State, key: string, seq: number | null): State {
  const command = state.pending.find((one) => one.command.key === key)?.command;
  if (!command) return state;
  const topic = Object.entries(state.topics).find(
    ([name, { link }]) => ticketOf(name) === command.ticket_id && link.at !== "left",
  );
  const isStillAwaited = seq !== null && topic !== undefined && topic[1].link.at !== "ended" && topic[1].seq < seq;
  if (isStillAwaited) return withFate(state, key, { at: "acked", seq });
  return { ...state, pending: state.pending.filter((one) => one.command.key !== key) };
}

/** An event that carries the key of a pending change is that change. */
function settle(state: State, record: EventRecord): State {
  if (record.key === undefined || !state.pending.some((one) => one.command.key === record.key)) return state;
  return { ...state, pending: state.pending.filter((one) => one.command.key !== record.key) };
}

function settleUpTo(state: State, topic: string, seq: number): State {
  const ticket = ticketOf(topic);
  const isSettled = ({ command, fate }: Pending) =>
    command.ticket_id === ticket && fate.at === "acked" && fate.seq <= seq;
  return state.pending.some(isSettled) ? { ...state, pending: state.pending.filter((one) => !isSettled(one)) } : state;
}

function reworded(one: Pending, { key, body }: { key: string; body: string }): Pending {
  const { command, fate } = one;
  const isMeant = command.key === key && command.type === "post_reply" && fate.at === "refused";
  return isMeant ? { ...one, command: { ...command, body } } : one;
}

function withFate(state: State, key: string, fate: Pending["fate"]): State {
  return { ...state, pending: state.pending.map((one) => (one.command.key === key ? { ...one, fate } : one)) };
}

function withTopic(state: State, topic: string, value: TopicState): State {
  return { ...state, topics: { ...state.topics, [topic]: value } };
}

function withLink(state: State, topic: string, link: TopicLink): State {
  const known = state.topics[topic];
  return known ? withTopic(state, topic, { ...known, link }) : state;
}

/** Only what joins the events at hand without a gap. */
function withOlder(state: State, topic: string, events: readonly EventRecord[]): State {
  const known = state.topics[topic];
  const first = known?.events[0];
  if (!known || !first) return state;
  const older = events.filter((record) => record.seq < first.seq).sort((a, b) => a.seq - b.seq);
  return older.at(-1)?.seq === first.seq - 1
    ? withTopic(state, topic, { ...known, events: [...older, ...known.events] })
    : state;
}

function without<T>(map: Readonly<Record<string, T>>, name: string): Readonly<Record<string, T>> {
  if (!(name in map)) return map;
  const { [name]: _, ...rest } = map;
  return rest;
}

function marked(state: State, { ticket_id, seq }: ReadCursor): State {
  const isWhole = (state.marking[ticket_id] ?? 0) <= seq;
  const marking = isWhole ? without(state.marking, ticket_id) : state.marking;
  return { ...state, marking, read: withCursors(state.read, [{ ticket_id, seq }]) };
}

/** The one way for a cursor to go back: somebody wants it. */
function markedUnread(state: State, { ticket_id, seq }: ReadCursor): State {
  return {
    ...state,
    read: { ...state.read, [ticket_id]: seq },
    marking: without(state.marking, ticket_id),
    keptUnread: { ...state.keptUnread, [ticket_id]: seq },
  };
}

/** On this or another device: what was kept as unread has been read after all. */
function readFurther(state: State, { ticket_id, seq }: ReadCursor): State {
  const isOver = seq > (state.keptUnread[ticket_id] ?? Number.POSITIVE_INFINITY);
  const keptUnread = isOver ? without(state.keptUnread, ticket_id) : state.keptUnread;
  return { ...state, keptUnread, read: withCursors(state.read, [{ ticket_id, seq }]) };
}

/** By itself, a cursor never goes back. */
function withCursors(cursors: Cursors, told: readonly ReadCursor[]): Cursors {
  const further = told.filter(({ ticket_id, seq }) => seq > (cursors[ticket_id] ?? 0));
  if (further.length === 0) return cursors;
  const next: Record<TicketId, number> = { ...cursors };
  for (const { ticket_id, seq } of further) next[ticket_id] = Math.max(seq, next[ticket_id] ?? 0);
  return next;
}

type Rows = State["tickets"];

/** The newer row wins, whichever way it came. Lists cut the description: the longer one is the whole one. */
function withRow(rows: Rows, row: TicketView): Rows {
  const known = rows[row.id];
  if (!known) return { ...rows, [row.id]: row };
  const description = known.description.length > row.description.length ? known.description : row.description;
  if (known.seq > row.seq)
    return description === known.description ? rows : { ...rows, [row.id]: { ...known, description } };
  return { ...rows, [row.id]: { ...row, description } };
}

function withEvent(rows: Rows, topic: string, record: EventRecord): Rows {
  const id = ticketOf(topic);
  const row = id === null ? undefined : rows[id];
  if (!row || row.seq >= record.seq) return rows;
  return { ...rows, [row.id]: { ...afterEvent(row, record), seq: record.seq, updated_at: record.at } };
}

/** The row after an event; the same that the hub makes of it. */
function afterEvent(row: TicketView, record: EventRecord): TicketView {
  const { event } = record;
  switch (event.type) {
    case "ticket_created":
    case "nothing_changed":
    case "notified":
    case "claim_taken":
    case "claim_released":
    case "claim_expired":
    case "reply_posted":
    case "reply_held":
    case "held_cancelled":
      return row;
    case "status_changed":
      return { ...row, status: event.to };
    case "handed_over":
    case "handoff_acknowledged":
    case "tags_changed":
    case "watched":
      return isAgentTicket(row) ? afterDeed(row, record) : row;
    case "assigned":
      return isAgentTicket(row) ? { ...row, assignee_id: event.assignee_id, team_id: event.team_id } : row;
    case "field_changed":
      return event.field in row ? { ...row, [event.field]: event.to } : row;
    default:
      return assertNever(event);
  }
}
