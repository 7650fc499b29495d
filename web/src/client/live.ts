// The signed-in page's line to the hub: what is watched, what is asked and not yet answered, and the state that results.
// After every interruption it resumes each topic where it stopped and sends each unanswered command again with its key.
import { type Codec, isRecord, readEvents } from "../wire/codec";
import type { CommandKey, Draft, Presence, ServerFrame, Signal, TicketId, UserId } from "../wire/generated";
import { Announcer } from "./announce";
import { isFieldChange } from "./conflicts";
import { Marks } from "./marks";
import type { Timer, World } from "./ports";
import { Connection, type Link, type Request } from "./socket";
import { type Command, initialState, type LocalEvent, type PostReply, type Refusal, type State } from "./state";
import { reduce, ticketOf } from "./store";
import { cursorOf } from "./told";

/** Replies that were sent but not confirmed, kept over a reload. */
export type Outbox = {
  put(command: PostReply, askedAtMs: number): void;
  remove(key: CommandKey): void;
};

export type LiveListeners = {
  /** A change did not happen. Replies, and changes that somebody else was faster with, stay in the state, with the reason. */
  onRefused(command: Command, refusal: Refusal): void;
  /** Whether the sign-in still holds should be asked by REST. */
  onDoubt(): void;
  /** What the hub has of my drafts of a ticket, all of them. */
  onDrafts(ticket: TicketId, drafts: readonly Draft[]): void;
  /** One of my drafts is now so, on any device. */
  onDraft(changed: Extract<Signal, { type: "draft_changed" }>): void;
  /** A reply or note is there, or held back. */
  onAccepted(command: PostReply): void;
  /** The connection is gone. */
  onCut(): void;
};

type Asked =
  | { what: "watch"; topic: string }
  | { what: "question"; answered: (answer: Answered | null) => void }
  | { what: "command"; key: CommandKey }
  | { what: "time"; sentAtMs: number };
/** How the hub answered what needs no key. */
export type Answered = Extract<ServerFrame, { type: "ack" | "error" }>;
type Unanswered = { command: Command; requestId: number | null; tries: number; pause: Timer | null };

/** How often a command is sent again by itself before a person is asked. */
const MAX_TRIES = 8;
const DEFAULT_PAUSE_MS = 1000;
/** How often the presence of rows is drawn. */
const ROWS_APART_MS = 1000;

export class LiveClient {
  private state: State = initialState;
  private linkNow: Link = { at: "idle" };
  private readonly listeners = new Set<() => void>();
  private readonly connection: Connection;
  private readonly watchers = new Map<string, number>();
  private readonly asked = new Map<number, Asked>();
  private readonly unanswered = new Map<CommandKey, Unanswered>();
  private readonly marks: Marks;
  /** What I tell the others about myself. */
  readonly announcer: Announcer;
  private rowPresence = new Map<TicketId, readonly Presence[]>();
  private rowTimer: Timer | null = null;
  private rowsLookedAt: readonly TicketId[] = [];
  private clockOffsetMs = 0;
  private heardAtMs: number | null = null;
  private isTelling = false;

  constructor(
    private readonly world: World,
    codec: Codec,
    private readonly userId: UserId,
    private readonly outbox: Outbox,
    private readonly told: LiveListeners,
  ) {
    this.connection = new Connection(world, codec, {
      onFrame: (frame) => this.heard(frame),
      onLink: (link) => this.linkChanged(link),
      onDoubt: () => told.onDoubt(),
    });
    this.announcer = new Announcer({
      say: (announcement) => this.connection.say({ type: "set_presence", ...announcement }),
      isWatched: (ticket) => this.isLive(`ticket:${ticket}`) || this.isLive(`thread:${ticket}`),
      nowMs: () => world.nowMs(),
      after: (ms, act) => world.after(ms, act),
    });
    this.marks = new Marks({
      request: (request) => this.connection.request(request),
      after: (ms, act) => world.after(ms, act),
      onMarked: (ticket_id, seq) => this.happen({ type: "local:marked", ticket_id, seq }),
      onRefused: (ticket_id) => this.happen({ type: "local:mark_refused", ticket_id }),
    });
  }

  /** Arrow functions, because React takes them away from their object. */
  readonly getState = () => this.state;
  readonly getLink = () => this.linkNow;
  readonly onChange = (listener: () => void) => {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  };

  start() {
    this.connection.start();
  }

  stop() {
    for (const { pause } of this.unanswered.values()) pause?.cancel();
    this.marks.stop();
    this.announcer.stop();
    this.rowTimer?.cancel();
    this.connection.stop();
  }

  endSignIn() {
    this.connection.stop({ at: "signed_out" });
  }

  retryNow() {
    this.connection.retryNow();
  }

  networkLost() {
    this.connection.networkLost();
  }

  /** Milliseconds since 1970 by the hub's clock. */
  readonly nowMs = () => this.world.nowMs() + this.clockOffsetMs;

  /** When the hub was last heard, by its clock; null before the first word. */
  readonly heardMs = () => this.heardAtMs;

  /** Watches a topic until the answered function is called. */
  watch(topic: string): () => void {
    const count = this.watchers.get(topic) ?? 0;
    this.watchers.set(topic, count + 1);
    if (count === 0) {
      this.happen({ type: "local:watched", topic });
      this.subscribe(topic);
    }
    return () => this.unwatch(topic);
  }

  /** Asks for one more time what could not be watched. */
  watchAgain(topic: string) {
    if (!this.watchers.has(topic)) return;
    this.happen({ type: "local:watched", topic });
    this.subscribe(topic);
  }

  /** Asks for a change. It shows at once and is sent, again if need be, until the hub has answered. */
  submit(command: Command, askedAtMs = this.nowMs()) {
    this.happen({ type: "local:asked", command, at_ms: askedAtMs });
    if (command.type === "post_reply") this.outbox.put(command, askedAtMs);
    this.unanswered.set(command.key, { command, requestId: null, tries: 0, pause: null });
    this.pump();
  }

  /** Sends a refused reply again as it was: the same intent, the same key. */
  retry(key: CommandKey) {
    const pending = this.state.pending.find((one) => one.command.key === key);
    if (!pending || this.unanswered.has(key)) return;
    this.happen({ type: "local:asked_again", key });
    this.unanswered.set(key, { command: pending.command, requestId: null, tries: 0, pause: null });
    this.pump();
  }

  /** Changes the text of a reply that was not sent; it is kept over a reload like the first one. */
  reword(key: CommandKey, body: string) {
    this.happen({ type: "local:reworded", key, body });
    const pending = this.state.pending.find((one) => one.command.key === key);
    if (pending?.command.type === "post_reply" && pending.fate.at === "refused")
      this.outbox.put(pending.command, pending.asked_at_ms);
  }

  /** Takes a refused change out of the way: it has been decided on, or its text goes back to whoever wrote it. */
  withdraw(key: CommandKey) {
    if (this.unanswered.has(key)) return;
    this.outbox.remove(key);
    this.happen({ type: "local:withdrawn", key });
  }

  /** I have read everything of a ticket up to `seq`. It counts here at once, and on my other devices when the hub knows. */
  markRead(ticket: TicketId, seq: number) {
    if (seq <= cursorOf(this.state, ticket)) return;
    this.happen({ type: "local:marking", ticket_id: ticket, seq });
    this.marks.put(ticket, seq);
  }

  /** Everything after `seq` is to be unread again, on every device. */
  markUnread(ticket: TicketId, seq: number) {
    this.marks.forget(ticket);
    this.happen({ type: "local:marked_unread", ticket_id: ticket, seq });
    this.ask({ type: "mark_read", ticket_id: ticket, seq, back: true }, () => {});
  }

  /** Asks what has no lasting effect; `answered` hears null when the answer is lost with the connection. */
  ask(request: Request, answered: (answer: Answered | null) => void): boolean {
    const id = this.connection.request(request);
    if (id !== null) this.asked.set(id, { what: "question", answered });
    return id !== null;
  }

  /** Which rows of a list I look at: of these I want to know who is at them. */
  lookAtRows(tickets: readonly TicketId[]) {
    if (tickets.length === this.rowsLookedAt.length && tickets.every((id, at) => id === this.rowsLookedAt[at])) return;
    this.rowsLookedAt = tickets;
    this.happen({ type: "local:rows_presence", rows: this.rowPresence, only: new Set(tickets) });
    this.rowPresence = new Map();
    this.askForRows();
  }

  /** Which ticket I am looking at, down to its end. */
  attend(ticket: TicketId | null) {
    this.happen({ type: "local:attending", ticket_id: ticket });
  }

  /** Shows a reply of before a reload that is too old to go out unasked. */
  showUnsent(command: PostReply, askedAtMs: number, refusal: Refusal) {
    this.happen({ type: "local:asked", command, at_ms: askedAtMs });
    this.happen({ type: "local:refused", key: command.key, refusal });
  }

  /** Takes in what happened here or was fetched by REST. */
  happen(event: LocalEvent | ServerFrame) {
    const before = this.state;
    this.state = reduce(before, event);
    if (this.state !== before) this.tell();
  }

  private unwatch(topic: string) {
    const count = this.watchers.get(topic) ?? 0;
    if (count > 1) {
      this.watchers.set(topic, count - 1);
      return;
    }
    this.watchers.delete(topic);
    this.connection.request({ type: "unsubscribe", topic });
    this.happen({ type: "local:left", topic });
  }

  private subscribe(topic: string) {
    const known = this.state.topics[topic];
    const position = known?.stream && known.seq > 0 ? { after: known.seq, stream: known.stream } : {};
    const id = this.connection.request({ type: "subscribe", topic, ...position });
    if (id !== null) this.asked.set(id, { what: "watch", topic });
  }

  /** Per ticket one command at a time: only so does the hub keep my order. */
  private pump() {
    const busy = new Set<string>();
    for (const one of this.unanswered.values()) {
      const ticket = one.command.ticket_id;
      if (busy.has(ticket)) continue;
      busy.add(ticket);
      if (one.requestId !== null || one.pause !== null) continue;
      one.requestId = this.connection.request(one.command);
      if (one.requestId !== null) this.asked.set(one.requestId, { what: "command", key: one.command.key });
    }
  }

  private askForRows() {
    if (this.isLive("workspace") && this.rowsLookedAt.length > 0)
      this.ask({ type: "watch_rows", ticket_ids: [...this.rowsLookedAt] }, () => {});
  }

  private isLive(topic: string): boolean {
    const at = this.state.topics[topic]?.link.at;
    return this.linkNow.at === "live" && (at === "live" || at === "behind");
  }

  /** Many rows change all the time: they are drawn once a second. */
  private gather(ticket: TicketId, users: readonly Presence[]) {
    if (!this.rowsLookedAt.includes(ticket)) return;
    this.rowPresence.set(ticket, users);
    this.rowTimer ??= this.world.after(ROWS_APART_MS, () => {
      this.rowTimer = null;
      const rows = this.rowPresence;
      this.rowPresence = new Map();
      this.happen({ type: "local:rows_presence", rows });
    });
  }

  private linkChanged(link: Link) {
    this.linkNow = link;
    if (link.at !== "live") {
      const lost = [...this.asked.values()];
      this.asked.clear();
      for (const one of lost) if (one.what === "question") one.answered(null);
      this.told.onCut();
      this.marks.cut();
      for (const one of this.unanswered.values()) one.requestId = null;
    }
    this.tell();
  }

  private heard(frame: ServerFrame) {
    // another tab may have signed somebody else in: nothing of mine may be sent in their name
    if (frame.type === "welcome" && frame.user.id !== this.userId) return this.endSignIn();
    if (frame.type === "welcome") this.clockOffsetMs = offset(frame.server_time, this.world.nowMs());
    this.heardAtMs = this.nowMs();
    if (isRowPresence(frame)) return this.gather(frame.signal.ticket_id, frame.signal.users);
    this.happen(frame);
    if (frame.type === "welcome") this.resume();
    if (frame.type === "ack") this.acked(frame);
    if (frame.type === "error") this.refused(frame);
    if (frame.type === "pong") this.clockOffsetMs = offset(frame.server_time, this.world.nowMs());
    if (frame.type === "subscribed") this.subscribed(frame);
    if (frame.type === "signal" && frame.signal.type === "draft_changed") this.told.onDraft(frame.signal);
    if (frame.type === "event") this.catchUp(frame.topic);
  }

  private subscribed({ id, topic, live }: Extract<ServerFrame, { type: "subscribed" }>) {
    if (id !== undefined) this.asked.delete(id);
    const ticket = ticketOf(topic);
    if (topic === "workspace") this.askForRows();
    if (ticket === null) return;
    this.announcer.again(ticket);
    this.told.onDrafts(ticket, live.drafts);
  }

  private resume() {
    for (const topic of this.watchers.keys()) this.subscribe(topic);
    this.pump();
    this.marks.pump();
  }

  private catchUp(topic: string) {
    const isAsking = [...this.asked.values()].some((one) => one.what === "watch" && one.topic === topic);
    if (this.state.topics[topic]?.link.at === "behind" && !isAsking) this.subscribe(topic);
  }

  private acked(frame: Extract<ServerFrame, { type: "ack" }>) {
    if (this.marks.acked(frame.id)) return;
    const asked = this.take(frame.id);
    if (asked?.what === "question") return asked.answered(frame);
    if (asked?.what !== "command") return;
    const command = this.unanswered.get(asked.key)?.command;
    if (command?.type === "post_reply") this.told.onAccepted(command);
    this.unanswered.delete(asked.key);
    this.outbox.remove(asked.key);
    this.happen({ type: "local:acked", key: asked.key, seq: frame.seq ?? null });
    this.pump();
  }

  private refused(frame: Extract<ServerFrame, { type: "error" }>) {
    if (frame.id !== undefined && this.marks.refused(frame.id, isPassing(frame.code), frame.retry_after_ms)) return;
    const asked = frame.id === undefined ? undefined : this.take(frame.id);
    if (asked?.what === "question") return asked.answered(frame);
    if (asked?.what === "watch") return this.watchRefused(asked.topic, frame);
    const one = asked?.what === "command" ? this.unanswered.get(asked.key) : undefined;
    if (!one) return;
    one.requestId = null;
    if (isPassing(frame.code) && one.tries < MAX_TRIES) return this.pauseThen(one, frame.retry_after_ms);
    this.unanswered.delete(one.command.key);
    this.giveBack(one.command, refusalOf(frame));
    this.pump();
  }

  private giveBack(command: Command, refusal: Refusal) {
    const awaitsDecision = refusal.code === "stale" && isFieldChange(command);
    if (command.type === "post_reply" || awaitsDecision)
      return this.happen({ type: "local:refused", key: command.key, refusal });
    this.happen({ type: "local:withdrawn", key: command.key });
    this.told.onRefused(command, refusal);
  }

  private watchRefused(topic: string, frame: Extract<ServerFrame, { type: "error" }>) {
    if (isPassing(frame.code)) {
      this.world.after(frame.retry_after_ms ?? DEFAULT_PAUSE_MS, () => {
        if (this.watchers.has(topic)) this.subscribe(topic);
      });
      return;
    }
    this.happen({ type: "local:watch_refused", topic, code: frame.code, message: frame.message });
  }

  private pauseThen(one: Unanswered, retryAfterMs: number | undefined) {
    one.tries += 1;
    one.pause = this.world.after(retryAfterMs ?? DEFAULT_PAUSE_MS, () => {
      one.pause = null;
      this.pump();
    });
  }

  private take(id: number): Asked | undefined {
    const asked = this.asked.get(id);
    this.asked.delete(id);
    return asked;
  }

  /** At most once per picture, however many frames arrive. */
  private tell() {
    if (this.isTelling) return;
    this.isTelling = true;
    this.world.beforePaint(() => {
      this.isTelling = false;
      for (const listener of this.listeners) listener();
    });
  }
}

type RowPresence = { type: "signal"; topic: string; signal: { ticket_id: TicketId; users: Presence[] } };

function isRowPresence(frame: ServerFrame): frame is Extract<ServerFrame, { type: "signal" }> & RowPresence {
  return frame.type === "signal" && frame.signal.type === "presence" && "ticket_id" in frame.signal;
}

/** Codes after which the same frame may go through a little later. */
export function isPassing(code: string): boolean {
  return code === "unavailable" || code === "busy" || code === "rate_limited";
}

function refusalOf({ code, message, detail }: Extract<ServerFrame, { type: "error" }>): Refusal {
  const by = detail?.["by"];
  const until = detail?.["until"];
  const isClaim = isRecord(by) && typeof by["id"] === "string" && typeof by["name"] === "string";
  const claim = isClaim ? { claim: { by: { id: `${by["id"]}`, name: `${by["name"]}` }, until: `${until ?? ""}` } } : {};
  const fields = isRecord(detail?.["fields"]) ? Object.entries(detail["fields"]) : [];
  const words = fields.map(([field, what]) => `${field.replaceAll("_", " ")} ${what}`).join("; ");
  return { code, message: words ? `The ${words}.` : message, events: readEvents(detail?.["events"]), ...claim };
}

function offset(serverTime: string, nowMs: number): number {
  const serverMs = Date.parse(serverTime);
  return Number.isNaN(serverMs) ? 0 : serverMs - nowMs;
}
