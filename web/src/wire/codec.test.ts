// What the codec does with frames and events of a hub that is newer than this client.
import { encode } from "@msgpack/msgpack";
import { expect, it } from "vitest";
import { DecodeError, json, msgpack } from "./codec";

const by = { kind: "system", name: "Tandem" };

it("ignores a frame of an unknown type", () => {
  expect(json.decode('{"type":"fanfare","id":1}')).toBeNull();
});

it("ignores a signal of an unknown type", () => {
  expect(json.decode('{"type":"signal","topic":"workspace","signal":{"type":"counters"}}')).toBeNull();
});

it("keeps an event of an unknown type as one that shows nothing, so that its number counts", () => {
  const frame = {
    type: "event",
    topic: "ticket:t",
    seq: 4,
    at: "2026-01-01T00:00:00.000Z",
    by,
    event: { type: "rated" },
  };
  expect(msgpack.decode(encode(frame))).toEqual({ ...frame, event: { type: "nothing_changed" } });
});

it("refuses what is no frame", () => {
  expect(() => json.decode("[]")).toThrow(DecodeError);
  expect(() => json.decode("{")).toThrow(DecodeError);
  expect(() => json.decode('{"type":"event","topic":"ticket:t"}')).toThrow(DecodeError);
  expect(() => msgpack.decode("text")).toThrow(DecodeError);
});

it("leaves out what is undefined, because null would clear", () => {
  const bytes = msgpack.encode({ type: "subscribe", id: 1, topic: "workspace", after: undefined });
  expect(bytes).toEqual(encode({ type: "subscribe", id: 1, topic: "workspace" }));
});
