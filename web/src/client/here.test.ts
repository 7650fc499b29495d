// What is so right now: each word of the hub replaces the one before, and leaving forgets it all.
import { describe, expect, it } from "vitest";
import type { Presence, ServerFrame, Signal } from "../wire/generated";
import { ANA, BO, eventFrame, NOW, readSignal, row, snapshot, subscribed, TICKET, TOPIC, welcome } from "./fakes";
import { claimOfOther, colleagues, customerOf, editorOf, NOBODY_HERE } from "./here";
import { initialState, type LocalEvent, type State } from "./state";
import { reduce } from "./store";
import { unreadTickets } from "./told";
import { heldReplies } from "./views";

const watching = run([welcome(), { type: "local:watched", topic: TOPIC }, snapshot(3)]);
const ana = { id: ANA, name: "Ana" };
const bo = { id: BO, name: "Bo" };

function run(inputs: (ServerFrame | LocalEvent)[], from: State = initialState): State {
  return inputs.reduce(reduce, from);
}

function person(id: string, state: Presence["state"], more: Partial<Presence> = {}): Presence {
  return { id, name: id, kind: "agent", state, since: NOW, ...more };
}

const signal = (what: Signal, topic = TOPIC): ServerFrame => ({ type: "signal", topic, signal: what });
const here = (state: State) => state.here[TOPIC] ?? NOBODY_HERE;

describe("presence", () => {
  it("is the whole set, replaced by each signal and by a resume, forgotten on leaving", () => {
    const two = run([signal({ type: "presence", users: [person("a", "viewing"), person("b", "idle")] })], watching);
    expect(here(two).presence.map(({ id }) => id)).toEqual(["a", "b"]);
    const one = run([signal({ type: "presence", users: [person("b", "idle")] })], two);
    expect(here(one).presence.map(({ id }) => id)).toEqual(["b"]);
    const live = { presence: [person("c", "viewing")], claim: null, drafts: [], clocks: [] };
    expect(here(run([subscribed({ seq: 3, events: [], live })], one)).presence.map(({ id }) => id)).toEqual(["c"]);
    expect(run([{ type: "local:left", topic: TOPIC }], one).here).toEqual({});
  });

  it("shows colleagues, whoever does most first, but not me; and the customer apart", () => {
    const all = [person("v", "viewing"), person(ANA, "composing"), person("c", "composing"), person("i", "idle")];
    const cleo = person("cleo", "viewing", { kind: "customer" });
    expect(colleagues([...all, cleo], ANA).map(({ id }) => id)).toEqual(["c", "v", "i"]);
    expect(customerOf([...all, cleo])).toBe(cleo);
    expect(editorOf([person(ANA, "viewing", { field: "status" })], "status", ANA)).toBeUndefined();
    expect(editorOf([person(BO, "viewing", { field: "status" })], "status", ANA)?.id).toBe(BO);
  });

  it("of rows is kept for those that are looked at only, and an empty one is none", () => {
    const rows = new Map([
      ["one", [person("a", "viewing")]],
      ["two", [person("b", "viewing")]],
    ]);
    const both = run([{ type: "local:rows_presence", rows }], watching);
    expect(Object.keys(both.rowPresence)).toEqual(["one", "two"]);
    const only = run([{ type: "local:rows_presence", rows: new Map(), only: new Set(["two"]) }], both);
    expect(Object.keys(only.rowPresence)).toEqual(["two"]);
    expect(run([{ type: "local:rows_presence", rows: new Map([["two", []]]) }], only).rowPresence).toEqual({});
  });

  it("tells a customer no more than that somebody writes", () => {
    const topic = `thread:${TICKET}`;
    const customer = run([{ type: "local:watched", topic }, subscribed({ topic, seq: 0, events: [] })], watching);
    const told = run([signal({ type: "presence", support: "composing" }, topic)], customer);
    expect(told.here[topic]).toMatchObject({ support: "composing", presence: [] });
  });
});

describe("a claim", () => {
  const taken = eventFrame({
    seq: 4,
    at: NOW,
    by: { kind: "agent", ...bo },
    event: { type: "claim_taken", by: bo, until: "2026-01-02T03:05:35.000Z" },
  });

  it("begins with the event, is renewed by signals, and ends with either", () => {
    const held = run([taken], watching);
    expect(claimOfOther(here(held), ANA)).toMatchObject({ by: bo, since: NOW });
    expect(claimOfOther(here(held), BO)).toBeNull();
    const renewed = run([signal({ type: "claim", by: bo, until: "2026-01-02T03:06:00.000Z" })], held);
    expect(here(renewed).claim).toEqual({ by: bo, until: "2026-01-02T03:06:00.000Z", since: NOW });
    expect(here(run([signal({ type: "claim", by: null, until: null })], renewed)).claim).toBeNull();
    const released = eventFrame({
      seq: 5,
      at: NOW,
      by: { kind: "agent", ...bo },
      event: { type: "claim_released", by: bo },
    });
    expect(here(run([released], renewed)).claim).toBeNull();
  });

  it("that ended before a resume is not brought back by its events", () => {
    const { seq, at, by, event } = taken.type === "event" ? taken : never();
    const resumed = run([subscribed({ seq: 4, events: [{ seq, at, by, event }] })], watching);
    expect(here(resumed).claim).toBeNull();
  });
});

describe("working together changes the row", () => {
  const did = (seq: number, event: Extract<ServerFrame, { type: "event" }>["event"]) =>
    eventFrame({ seq, at: NOW, by: { kind: "agent", ...ana }, event });

  it("by handoff, tags and watching", () => {
    const state = run(
      [
        did(4, { type: "handed_over", from_id: ANA, to_id: BO, to_team_id: null, note: "Be kind." }),
        did(5, { type: "tags_changed", added: ["b", "a"], removed: [] }),
        did(6, { type: "tags_changed", added: [], removed: ["b"] }),
        did(7, { type: "watched", user_id: BO, on: true }),
      ],
      watching,
    );
    expect(state.tickets[TICKET]).toMatchObject({
      handoff: { from: ana, to_id: BO, note: "Be kind." },
      tags: ["a"],
      watcher_ids: [BO],
    });
    const over = run(
      [did(8, { type: "handoff_acknowledged" }), did(9, { type: "watched", user_id: BO, on: false })],
      state,
    );
    expect(over.tickets[TICKET]).toEqual({ ...row(), tags: ["a"], watcher_ids: [], seq: 9, updated_at: NOW });
  });

  it("and a held reply stands until it went out or was taken back", () => {
    const held = (seq: number, key: string) => ({
      ...did(seq, { type: "reply_held", body: key, audience: "public", release_at: NOW }),
      key,
    });
    const inputs = [
      held(4, "k1"),
      held(5, "k2"),
      did(6, { type: "held_cancelled", held_key: "k1" }),
      did(7, { type: "reply_posted", body: "k2", audience: "public", attachments: [], held_key: "k2" }),
    ];
    const keys = (count: number) =>
      heldReplies(run(inputs.slice(0, count), watching).topics[TOPIC]?.events ?? []).map(({ key }) => key);
    expect([keys(2), keys(3), keys(4)]).toEqual([["k1", "k2"], ["k2"], []]);
  });
});

it("a ticket that was marked as unread is so on every device, until it is read further", () => {
  const back: ServerFrame = signal({ type: "read", ticket_id: TICKET, seq: 2, back: true }, "me");
  const read = run([readSignal(TICKET, 3)], watching);
  const unread = run([back], read);
  expect(unread.read[TICKET]).toBe(2);
  expect(unreadTickets(unread).has(TICKET)).toBe(true);
  expect(unreadTickets(run([readSignal(TICKET, 3)], unread)).has(TICKET)).toBe(false);
  const marking = run([{ type: "local:marking", ticket_id: TICKET, seq: 3 }], unread);
  expect(unreadTickets(marking).has(TICKET)).toBe(false);
});

function never(): never {
  throw new Error("this cannot be");
}
