// What a signed-in page knows: the hub's word, and beside it what I have asked for and not yet heard about.
import type {
  Actor,
  Audience,
  Claim,
  ClientFrame,
  CommandKey,
  ErrorCode,
  EventRecord,
  Me,
  Online,
  PersonRef,
  Presence,
  ReadCursor,
  StreamId,
  Support,
  TeamRef,
  TicketId,
  TicketView,
  UnixMs,
  WorkspaceInfo,
} from "../wire/generated";

type WithoutId<F> = F extends unknown ? Omit<F, "id"> : never;

/** A change that I ask for. Its `key` stands for one intent, however often it is sent. */
export type Command = WithoutId<Extract<ClientFrame, { key: CommandKey }>>;

/** A reply or note that I ask for. */
export type PostReply = Extract<Command, { type: "post_reply" }>;

/** Why a change did not happen, or what could not be learnt about it. */
export type Refusal = {
  code: ErrorCode;
  /** One sentence for people. */
  message: string;
  /** `stale`: what came in between, oldest first. */
  events: readonly EventRecord[];
  /** `claimed`: who is answering, and until when that holds if nothing renews it. */
  claim?: { by: PersonRef; until: string };
};

/** How far a change that I asked for has come. */
export type Fate =
  | { at: "sending" }
  /** Durable; shown until the event itself arrives. */
  | { at: "acked"; seq: number }
  | { at: "refused"; refusal: Refusal };

/** A change of mine that the hub's word does not show yet. */
export type Pending = {
  command: Command;
  /** Milliseconds since 1970 by the hub's clock. */
  asked_at_ms: number;
  fate: Fate;
};

/** How a topic stands to the hub. */
export type TopicLink =
  | { at: "asked" }
  | { at: "live" }
  /** A number is missing: nothing is applied until the hub has told what came after `seq`. */
  | { at: "behind" }
  /** Not watched any more; kept so that coming back is quick. */
  | { at: "left" }
  | { at: "ended"; code: ErrorCode; message: string };

export type TopicState = {
  link: TopicLink;
  /** The log that `seq` counts in; null before the first answer. */
  stream: StreamId | null;
  /** The last number applied. */
  seq: number;
  /** Without a gap, oldest first, up to `seq`; what is older is fetched by REST. */
  events: readonly EventRecord[];
};

/** The last event read, by ticket. A ticket that is not there is unread from its beginning. */
export type Cursors = Readonly<Record<TicketId, number>>;

/** The topic of what I am told of: numbered for me alone. */
export const ME = "me";

/** What is so right now at a ticket that I watch; kept nowhere. */
export type Here = {
  /** Everybody who has it open, me among them. */
  presence: readonly Presence[];
  /** Who is answering the customer. */
  claim: Claim | null;
  /** For customers: whether somebody writes an answer. */
  support: Support | null;
  /** Colleagues who have a draft; never its text. */
  drafting: readonly Drafting[];
};

export type Drafting = { by: PersonRef; audience: Audience; since: UnixMs };

/** Who changed a ticket, and by which type of event. */
export type Deed = { by: Actor; what: string };

/** How many tickets there are, as far as I may see them. */
export type Counters = { open: number; unassigned: number; mine: number };

export type State = {
  /** Who and where I am; null before the hub has said so. */
  self: { user: Me; workspace: WorkspaceInfo } | null;
  topics: Readonly<Record<string, TopicState>>;
  /** The newest row known of each ticket, from whichever source. */
  tickets: Readonly<Record<TicketId, TicketView>>;
  /** Tickets that went out of my sight while I looked. */
  gone: Readonly<Record<TicketId, string>>;
  /** Who did what to a ticket last, as far as lists were told. */
  lastDeeds: Readonly<Record<TicketId, Deed>>;
  /** By topic. */
  here: Readonly<Record<string, Here>>;
  /** Who is at the tickets of the rows that I look at. */
  rowPresence: Readonly<Record<TicketId, readonly Presence[]>>;
  /** Null before the hub has counted. */
  counters: Counters | null;
  /** Who of the staff is here. */
  online: readonly Online[];
  people: readonly PersonRef[];
  teams: readonly TeamRef[];
  /** In the order I asked. */
  pending: readonly Pending[];
  /** How far I have read tickets, on any device, as the hub says; in my numbering of each. */
  read: Cursors;
  /** How far I have read tickets here, as long as the hub has not confirmed it. */
  marking: Cursors;
  /** Tickets that I marked as unread from somewhere on, on any device, until they are read further than that. */
  keptUnread: Cursors;
  /** The ticket that I am looking at, down to its end: nothing of it is news. */
  attending: TicketId | null;
  /** How often the workspace's signals began anew: lists loaded before may have missed some. */
  generation: number;
};

export const initialState: State = {
  self: null,
  topics: {},
  tickets: {},
  gone: {},
  lastDeeds: {},
  here: {},
  rowPresence: {},
  counters: null,
  online: [],
  people: [],
  teams: [],
  pending: [],
  read: {},
  marking: {},
  keptUnread: {},
  attending: null,
  generation: 0,
};

/** What happens here rather than at the hub. */
export type LocalEvent =
  | { type: "local:watched"; topic: string }
  | { type: "local:left"; topic: string }
  | { type: "local:watch_refused"; topic: string; code: ErrorCode; message: string }
  | { type: "local:asked"; command: Command; at_ms: number }
  | { type: "local:acked"; key: CommandKey; seq: number | null }
  | { type: "local:refused"; key: CommandKey; refusal: Refusal }
  | { type: "local:asked_again"; key: CommandKey }
  /** Who is at the tickets of rows, gathered; `only` are the rows that are looked at, where that changed. */
  | { type: "local:rows_presence"; rows: ReadonlyMap<TicketId, readonly Presence[]>; only?: ReadonlySet<TicketId> }
  /** The text of a reply that was not sent, changed by its author. */
  | { type: "local:reworded"; key: CommandKey; body: string }
  | { type: "local:withdrawn"; key: CommandKey }
  | { type: "local:rows_loaded"; tickets: readonly TicketView[] }
  | { type: "local:older_loaded"; topic: string; events: readonly EventRecord[] }
  | { type: "local:cursors_loaded"; read: readonly ReadCursor[] }
  | { type: "local:attending"; ticket_id: TicketId | null }
  | { type: "local:marking"; ticket_id: TicketId; seq: number }
  /** I want everything after `seq` to be unread again. */
  | { type: "local:marked_unread"; ticket_id: TicketId; seq: number }
  /** The hub has confirmed it. */
  | { type: "local:marked"; ticket_id: TicketId; seq: number }
  /** The hub will not have it: what was thought read is not. */
  | { type: "local:mark_refused"; ticket_id: TicketId };

/** No value gets here: a new variant breaks the build instead. */
export function assertNever(value: never): never {
  throw new Error(`not handled: ${JSON.stringify(value)}`);
}
