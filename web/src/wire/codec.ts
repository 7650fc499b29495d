// Bytes to frames and back, in either codec of the wire. What frames mean is left to client/.
import { decode as decodeMsgPack, encode as encodeMsgPack } from "@msgpack/msgpack";
import type { ClientFrame, Draft, Event, EventRecord, ReadCursor, ServerFrame, Signal } from "./generated";

/** The protocol version that `hello` names. */
export const PROTOCOL = 1;

/** One of the two ways frames travel. The values are the same in both. */
export type Codec = {
  readonly subprotocol: "tandem.v1.msgpack" | "tandem.v1.json";
  encode(frame: ClientFrame): string | Uint8Array<ArrayBuffer>;
  /**
   * One message of the hub. Null for a frame this client does not know yet: frames may be added.
   * @throws DecodeError when the message is no frame at all
   */
  decode(message: unknown): ServerFrame | null;
};

/** The message is no frame: the connection cannot be trusted any more. */
export class DecodeError extends Error {
  override readonly name = "DecodeError";
}

export const msgpack: Codec = {
  subprotocol: "tandem.v1.msgpack",
  encode: (frame) => encodeMsgPack(frame, { ignoreUndefined: true }),
  decode: (message) => {
    if (!(message instanceof ArrayBuffer) && !(message instanceof Uint8Array)) {
      throw new DecodeError("a MessagePack frame is binary");
    }
    return frameOf(attempt(() => decodeMsgPack(message)));
  },
};

export const json: Codec = {
  subprotocol: "tandem.v1.json",
  encode: (frame) => JSON.stringify(frame),
  decode: (message) => {
    if (typeof message !== "string") throw new DecodeError("a JSON frame is text");
    return frameOf(attempt((): unknown => JSON.parse(message)));
  },
};

/** A map with text keys. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An event as it stands in a log. Of a type this client does not know, it still counts. */
export function isEventRecord(value: unknown): value is EventRecord {
  return (
    isRecord(value) &&
    hasShape(value, { seq: "number", at: "string" }) &&
    isRecord(value["by"]) &&
    isEvent(value["event"])
  );
}

/** Events of a type this client does not know become ones that show nothing, so that the numbering stays whole. */
export function readEvents(value: unknown): EventRecord[] {
  return Array.isArray(value) ? value.map(withKnownEvent).filter(isEventRecord) : [];
}

/** How far tickets are read; what is no such thing is left out. */
export function readCursors(value: unknown): ReadCursor[] {
  return Array.isArray(value) ? value.filter(isReadCursor) : [];
}

/** A draft as the hub has stored it. */
export function isHubDraft(value: unknown): value is Draft {
  return (
    isRecord(value) &&
    hasShape(value, {
      audience: "string",
      revision: "number",
      body: "string",
      based_on: "number",
      updated_at: "string",
    }) &&
    Array.isArray(value["authors"])
  );
}

function isReadCursor(value: unknown): value is ReadCursor {
  return isRecord(value) && hasShape(value, { ticket_id: "string", seq: "number" });
}

type Shape = Record<string, "string" | "number" | "boolean">;

/** The fields without which a frame cannot be handled. */
const SERVER_FRAMES: Record<ServerFrame["type"], Shape> = {
  welcome: { id: "number", server_time: "string", heartbeat_ms: "number" },
  subscribed: { topic: "string", stream: "string", seq: "number" },
  unsubscribed: { topic: "string", code: "string" },
  event: { topic: "string", seq: "number", at: "string" },
  signal: { topic: "string" },
  ack: { id: "number" },
  error: { code: "string", message: "string" },
  pong: { id: "number", server_time: "string" },
  goodbye: { reason: "string", reconnect_after_ms: "number" },
};

const EVENTS: Record<Event["type"], Shape> = {
  ticket_created: { title: "string", description: "string" },
  reply_posted: { body: "string", audience: "string" },
  status_changed: { from: "string", to: "string" },
  assigned: {},
  field_changed: { field: "string" },
  reply_held: { body: "string", audience: "string", release_at: "string" },
  held_cancelled: { held_key: "string" },
  handed_over: { from_id: "string", note: "string" },
  handoff_acknowledged: {},
  tags_changed: {},
  claim_taken: { until: "string" },
  claim_released: {},
  claim_expired: {},
  watched: { user_id: "string", on: "boolean" },
  nothing_changed: {},
  notified: { reason: "string", ticket_id: "string", number: "string", title: "string", ticket_seq: "number" },
};

const SIGNALS: Record<Signal["type"], Shape> = {
  ticket_changed: {},
  ticket_left: { ticket_id: "string", why: "string" },
  presence: {},
  claim: {},
  draft: { audience: "string" },
  draft_changed: { ticket_id: "string", audience: "string" },
  counters: { open: "number", unassigned: "number", mine: "number" },
  people: {},
  read: { ticket_id: "string", seq: "number" },
};

function frameOf(value: unknown): ServerFrame | null {
  if (!isRecord(value) || typeof value["type"] !== "string") throw new DecodeError("a frame is a map with a type");
  const frame = { ...value };
  if (frame["type"] === "event") frame["event"] = knownEvent(frame["event"]);
  if (frame["type"] === "subscribed") readLists(frame);
  return isServerFrame(frame) ? frame : null;
}

function readLists(frame: Record<string, unknown>) {
  const live = frame["live"];
  if (isRecord(live) && "read" in live) frame["live"] = { ...live, read: readCursors(live["read"]) };
  if ("events" in frame) frame["events"] = readEvents(frame["events"]);
  const snapshot = frame["snapshot"];
  if (isRecord(snapshot) && "events" in snapshot)
    frame["snapshot"] = { ...snapshot, events: readEvents(snapshot["events"]) };
}

function isServerFrame(frame: Record<string, unknown>): frame is ServerFrame & Record<string, unknown> {
  const type = frame["type"];
  if (!isKeyOf(SERVER_FRAMES, type)) return false;
  if (!hasShape(frame, SERVER_FRAMES[type])) throw new DecodeError(`${type} lacks a field`);
  if (type === "event") return isEvent(frame["event"]) && isRecord(frame["by"]);
  if (type === "signal") return isSignal(frame["signal"]);
  if (type === "welcome") return isRecord(frame["user"]) && isRecord(frame["workspace"]);
  return true;
}

function withKnownEvent(record: unknown): unknown {
  return isRecord(record) ? { ...record, event: knownEvent(record["event"]) } : record;
}

function knownEvent(event: unknown): unknown {
  return isRecord(event) && !isKeyOf(EVENTS, event["type"]) ? { type: "nothing_changed" } : event;
}

function isEvent(value: unknown): value is Event {
  return isRecord(value) && isKeyOf(EVENTS, value["type"]) && hasShape(value, EVENTS[value["type"]]);
}

function isSignal(value: unknown): value is Signal {
  return isRecord(value) && isKeyOf(SIGNALS, value["type"]) && hasShape(value, SIGNALS[value["type"]]);
}

function hasShape(value: Record<string, unknown>, shape: Shape): boolean {
  return Object.entries(shape).every(([field, type]) => typeof value[field] === type);
}

function isKeyOf<T extends object>(table: T, key: unknown): key is keyof T & string {
  return typeof key === "string" && Object.hasOwn(table, key);
}

function attempt(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    throw new DecodeError("the message does not decode", { cause: error });
  }
}
