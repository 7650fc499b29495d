// Telling the hub how far I have read: at once, then once a second, then never again; and again after a break.
import { beforeEach, expect, it } from "vitest";
import { ANA, codec, FakeWorld, mine, notified, readSignal, TICKET } from "./fakes";
import { LiveClient } from "./live";
import { ME } from "./state";
import { cursorOf } from "./told";

let world: FakeWorld;
let live: LiveClient;

beforeEach(() => {
  world = new FakeWorld();
  live = new LiveClient(
    world,
    codec,
    ANA,
    { put: () => {}, remove: () => {} },
    {
      onRefused: () => {},
      onDoubt: () => {},
      onDrafts: () => {},
      onDraft: () => {},
      onAccepted: () => {},
      onCut: () => {},
    },
  );
  live.start();
  world.welcome();
  live.watch(ME);
  world.socket.hears(mine([notified(1, { ticket_seq: 5 })]));
});

const marks = () => world.socket.all("mark_read");
const seqs = () => marks().map((frame) => frame["seq"]);
const ack = (at: number) => world.socket.hears({ type: "ack", id: Number(marks()[at]?.["id"]) });
const refuse = (at: number, code: "busy" | "not_found", retry_after_ms = 300) =>
  world.socket.hears({ type: "error", id: Number(marks()[at]?.["id"]), code, message: "", retry_after_ms });
const cursor = () => cursorOf(live.getState(), TICKET);

it("tells at once, and counts here before the answer", () => {
  live.markRead(TICKET, 5);
  expect(marks()).toMatchObject([{ ticket_id: TICKET, seq: 5 }]);
  expect(cursor()).toBe(5);
  ack(0);
  expect(live.getState()).toMatchObject({ read: { [TICKET]: 5 }, marking: {} });
});

it("tells a ticket's furthest mark at most once a second", () => {
  live.markRead(TICKET, 5);
  ack(0);
  live.markRead(TICKET, 6);
  live.markRead(TICKET, 7);
  world.pass(999);
  expect(seqs()).toEqual([5]);
  world.pass(1);
  expect(seqs()).toEqual([5, 7]);
});

it("does not tell what is known already", () => {
  world.socket.hears(readSignal(TICKET, 8));
  live.markRead(TICKET, 8);
  live.markRead(TICKET, 3);
  expect(marks()).toHaveLength(0);
});

it("tells what was not answered once more after a break, and what was answered not", () => {
  live.markRead(TICKET, 5);
  world.socket.onclose?.({ code: 1006 });
  live.markRead(TICKET, 6);
  world.pass(1000);
  world.welcome();
  expect(seqs()).toEqual([6]);
  ack(0);
  world.socket.onclose?.({ code: 1006 });
  world.pass(3000);
  world.welcome();
  expect(marks()).toHaveLength(0);
});

it("waits as long as a busy hub asks for", () => {
  live.markRead(TICKET, 5);
  refuse(0, "busy");
  world.pass(299);
  expect(seqs()).toEqual([5]);
  world.pass(1);
  expect(seqs()).toEqual([5, 5]);
  expect(cursor()).toBe(5);
});

it("gives up where the hub will not have it, and the notification is unread again", () => {
  live.markRead(TICKET, 5);
  refuse(0, "not_found");
  world.pass(10_000);
  expect(marks()).toHaveLength(1);
  expect(cursor()).toBe(0);
});

it("has a few on their way at a time, however many tickets are marked", () => {
  for (let ticket = 1; ticket <= 9; ticket++) live.markRead(`ticket-${ticket}`, 1);
  expect(marks()).toHaveLength(2);
  for (let at = 0; at < 9; at++) ack(at);
  expect(marks()).toHaveLength(9);
  expect(live.getState().marking).toEqual({});
});

it("resumes what I am told of after the last number", () => {
  world.socket.onclose?.({ code: 1006 });
  world.pass(1000);
  world.welcome();
  expect(world.socket.all("subscribe")).toMatchObject([{ topic: ME, after: 1 }]);
});
