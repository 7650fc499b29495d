// For the tests of client/: a world whose sockets and time the test holds in its hands, and frames to speak with.
import { json } from "../wire/codec";
import type { AgentTicket, Event, EventRecord, ReadCursor, ServerFrame } from "../wire/generated";
import type { Socket, World } from "./ports";
import { ME, type PostReply } from "./state";

type Told = Extract<Event, { type: "notified" }>;
type Subscribed = Extract<ServerFrame, { type: "subscribed" }>;

export const NOW = "2026-01-02T03:04:05.000Z";
export const TICKET = "11111111-1111-4111-8111-111111111111";
export const TOPIC = `ticket:${TICKET}`;
export const STREAM = "22222222-2222-4222-8222-222222222222";
export const ANA = "33333333-3333-4333-8333-333333333333";
export const BO = "44444444-4444-4444-8444-444444444444";

export class FakeSocket implements Socket {
  binaryType = "";
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: unknown }) => void) | null = null;
  onclose: ((close: { code: number }) => void) | null = null;
  isClosed = false;
  readonly sent: Record<string, unknown>[] = [];

  send(data: string | Uint8Array<ArrayBuffer>) {
    if (typeof data !== "string") throw new Error("the tests speak JSON");
    this.sent.push(JSON.parse(data));
  }

  close() {
    this.isClosed = true;
  }

  hears(frame: ServerFrame) {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }

  /** What was sent of one type, without what came before. */
  all(type: string) {
    return this.sent.filter((frame) => frame["type"] === type);
  }
}

export class FakeWorld implements World {
  readonly sockets: FakeSocket[] = [];
  private now = Date.parse(NOW);
  private timers: { atMs: number; act: () => void; isOver: boolean }[] = [];
  isOnlineNow = true;
  randomNow = 0.5;

  openSocket() {
    const socket = new FakeSocket();
    this.sockets.push(socket);
    return socket;
  }
  nowMs() {
    return this.now;
  }
  random() {
    return this.randomNow;
  }
  isOnline() {
    return this.isOnlineNow;
  }
  beforePaint(act: () => void) {
    act();
  }
  after(ms: number, act: () => void) {
    const timer = { atMs: this.now + ms, act, isOver: false };
    this.timers.push(timer);
    const cancel = () => {
      timer.isOver = true;
    };
    return { cancel };
  }

  /** Lets time pass, with all that falls due on the way. */
  pass(ms: number) {
    const endMs = this.now + ms;
    for (;;) {
      const due = this.timers
        .filter((timer) => !timer.isOver && timer.atMs <= endMs)
        .sort((a, b) => a.atMs - b.atMs)[0];
      if (!due) break;
      this.now = Math.max(this.now, due.atMs);
      due.isOver = true;
      due.act();
    }
    this.now = endMs;
  }

  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error("no socket was opened");
    return socket;
  }

  /** Opens the newest socket as far as `welcome`. */
  welcome() {
    this.socket.onopen?.();
    this.socket.hears(welcome());
  }
}

export const codec = json;

export function welcome(): Extract<ServerFrame, { type: "welcome" }> {
  return {
    type: "welcome",
    id: 1,
    session_id: "55555555-5555-4555-8555-555555555555",
    user: { id: ANA, name: "Ana", email: "ana@acme.test", role: "agent" },
    workspace: { id: "w", slug: "acme", name: "Acme", workflow: { name: "simple", statuses: [], reopens_to: "open" } },
    node: "a",
    server_time: NOW,
    heartbeat_ms: 15_000,
    limits: { message_bytes: 65_536, body_bytes: 32_768, depth: 16, subscriptions: 100, commands_in_flight: 4 },
  };
}

export function reply(seq: number, body: string, more: Partial<EventRecord> = {}): EventRecord {
  const event = { type: "reply_posted" as const, body, audience: "public" as const, attachments: [] };
  return { seq, at: NOW, by: { kind: "agent", id: BO, name: "Bo" }, event, ...more };
}

export function eventFrame(record: EventRecord): ServerFrame {
  return { type: "event", topic: TOPIC, ...record };
}

export function subscribed(more: Partial<Extract<ServerFrame, { type: "subscribed" }>>): ServerFrame {
  const live = { presence: [], claim: null, drafts: [], clocks: [] };
  return { type: "subscribed", topic: TOPIC, stream: STREAM, seq: 0, live, ...more };
}

/** A whole ticket of `count` replies; `id` when it answers a request. */
export function snapshot(count: number, id?: number): ServerFrame {
  const events = Array.from({ length: count }, (_, at) => reply(at + 1, `reply ${at + 1}`));
  return subscribed({ seq: count, reset: true, ...(id && { id }), snapshot: { ticket: row({ seq: count }), events } });
}

export function row(more: Partial<AgentTicket> = {}): AgentTicket {
  return {
    id: TICKET,
    number: "TKT-1",
    title: "The printer is on fire",
    description: "Please come.",
    status: "open",
    priority: "p3",
    urgency: "normal",
    category_id: null,
    tags: [],
    custom: {},
    requester: { id: "c", name: "Cleo" },
    assignee_id: null,
    team_id: null,
    source: "web",
    due_at: null,
    scheduled_at: null,
    created_at: NOW,
    updated_at: NOW,
    seq: 1,
    ...more,
  };
}

export function postReply(key: string, more: Partial<PostReply> = {}): PostReply {
  return { type: "post_reply", key, ticket_id: TICKET, body: "On my way.", audience: "public", based_on: 3, ...more };
}

/** Something I am told of, on the topic that is mine alone. */
export function notified(seq: number, more: Partial<Told> = {}): EventRecord {
  const event: Told = {
    type: "notified",
    reason: "replied",
    ticket_id: TICKET,
    number: "TKT-1",
    title: "The printer is on fire",
    ticket_seq: seq,
    excerpt: "It still burns.",
    ...more,
  };
  return { seq, at: NOW, by: { kind: "customer", id: "c", name: "Cleo" }, event };
}

export function told(record: EventRecord): ServerFrame {
  return { type: "event", topic: ME, ...record };
}

export function readSignal(ticket_id: string, seq: number): ServerFrame {
  return { type: "signal", topic: ME, signal: { type: "read", ticket_id, seq } };
}

/** All that I was told of, as a fresh start. */
export function mine(events: EventRecord[], read: ReadCursor[] = [], more: Partial<Subscribed> = {}): ServerFrame {
  const live = { presence: [], claim: null, drafts: [], clocks: [], read };
  const seq = events.at(-1)?.seq ?? 0;
  return { type: "subscribed", topic: ME, stream: STREAM, seq, live, reset: true, snapshot: { events }, ...more };
}

/** What came after the number that I had. */
export function mineAfter(events: EventRecord[], read: ReadCursor[] = []): ServerFrame {
  const live = { presence: [], claim: null, drafts: [], clocks: [], read };
  return { type: "subscribed", topic: ME, stream: STREAM, seq: events.at(-1)?.seq ?? 0, live, events };
}
