// The reducer: one history in order, whatever the network does to it, and my own changes laid over it.
import { describe, expect, it } from "vitest";
import type { ServerFrame } from "../wire/generated";
import {
  ANA,
  eventFrame,
  NOW,
  postReply,
  reply,
  row,
  STREAM,
  snapshot,
  subscribed,
  TICKET,
  TOPIC,
  welcome,
} from "./fakes";
import { initialState, type LocalEvent, type State } from "./state";
import { reduce } from "./store";
import { pendingPosts, publicDeedsAfter, ticketView } from "./views";

const watching = run([welcome(), { type: "local:watched", topic: TOPIC }, snapshot(3)]);

function run(inputs: (ServerFrame | LocalEvent)[], from: State = initialState): State {
  return inputs.reduce(reduce, from);
}

const seqs = (state: State) => state.topics[TOPIC]?.events.map((record) => record.seq);

describe("one history", () => {
  it("begins with the snapshot and grows by the next number", () => {
    const state = run([eventFrame(reply(4, "four")), eventFrame(reply(5, "five"))], watching);
    expect(seqs(state)).toEqual([1, 2, 3, 4, 5]);
    expect(state.topics[TOPIC]?.seq).toBe(5);
    expect(state.tickets[TICKET]?.seq).toBe(5);
  });

  it("does not show a repeated number twice", () => {
    const state = run(
      [eventFrame(reply(4, "four")), eventFrame(reply(4, "four")), eventFrame(reply(2, "two"))],
      watching,
    );
    expect(seqs(state)).toEqual([1, 2, 3, 4]);
  });

  it("applies nothing after a gap until the missing part has come", () => {
    const gap = run([eventFrame(reply(5, "five"))], watching);
    expect(gap.topics[TOPIC]?.link).toEqual({ at: "behind" });
    expect(seqs(gap)).toEqual([1, 2, 3]);
    const whole = run([subscribed({ seq: 5, events: [reply(4, "four"), reply(5, "five")] })], gap);
    expect(whole.topics[TOPIC]?.link).toEqual({ at: "live" });
    expect(seqs(whole)).toEqual([1, 2, 3, 4, 5]);
  });

  it("takes what a resume brings only as far as it is new", () => {
    const state = run(
      [eventFrame(reply(4, "four")), subscribed({ seq: 5, events: [reply(4, "four"), reply(5, "five")] })],
      watching,
    );
    expect(seqs(state)).toEqual([1, 2, 3, 4, 5]);
  });

  it("starts over on a reset, even to a lower number", () => {
    const other = subscribed({
      stream: "other",
      seq: 1,
      reset: true,
      snapshot: { ticket: row(), events: [reply(1, "one")] },
    });
    const state = run([other, eventFrame(reply(2, "two"))], watching);
    expect(state.topics[TOPIC]).toMatchObject({ stream: "other", seq: 2 });
    expect(seqs(state)).toEqual([1, 2]);
  });

  it("joins older events only without a gap", () => {
    const tail = run(
      [subscribed({ seq: 9, reset: true, snapshot: { ticket: row({ seq: 9 }), events: [reply(9, "nine")] } })],
      watching,
    );
    expect(seqs(run([{ type: "local:older_loaded", topic: TOPIC, events: [reply(6, "six")] }], tail))).toEqual([9]);
    expect(
      seqs(run([{ type: "local:older_loaded", topic: TOPIC, events: [reply(8, "8"), reply(7, "7")] }], tail)),
    ).toEqual([7, 8, 9]);
  });

  it("ignores what still arrives of a topic that was left, and keeps the topic for a quick return", () => {
    const state = run([{ type: "local:left", topic: TOPIC }, eventFrame(reply(4, "four"))], watching);
    expect(state.topics[TOPIC]).toMatchObject({ link: { at: "left" }, seq: 3, stream: STREAM });
  });
});

describe("rows", () => {
  it("follow status, assignee and fields as they happen", () => {
    const by = { kind: "agent" as const, id: ANA, name: "Ana" };
    const state = run(
      [
        eventFrame({ seq: 4, at: NOW, by, event: { type: "status_changed", from: "open", to: "resolved" } }),
        eventFrame({ seq: 5, at: NOW, by, event: { type: "assigned", assignee_id: ANA, team_id: null } }),
        eventFrame({ seq: 6, at: NOW, by, event: { type: "field_changed", field: "priority", from: "p3", to: "p1" } }),
      ],
      watching,
    );
    expect(state.tickets[TICKET]).toMatchObject({ status: "resolved", assignee_id: ANA, priority: "p1", seq: 6 });
  });

  it("are not overwritten by an older one that comes late", () => {
    const state = run([{ type: "local:rows_loaded", tickets: [row({ seq: 2, status: "closed" })] }], watching);
    expect(state.tickets[TICKET]).toMatchObject({ status: "open", seq: 3 });
  });

  it("keep the whole description when a list brings the cut one", () => {
    const cut = row({ seq: 8, description: "Please" });
    const state = run(
      [{ type: "signal", topic: "workspace", signal: { type: "ticket_changed", ticket: cut } }],
      watching,
    );
    expect(state.tickets[TICKET]).toMatchObject({ seq: 8, description: "Please come." });
  });
});

describe("my own changes", () => {
  const asked = run([{ type: "local:asked", command: postReply("k"), at_ms: 0 }], watching);

  it("show at once and become the event that carries their key", () => {
    expect(pendingPosts(asked, TICKET)).toHaveLength(1);
    const done = run([eventFrame(reply(4, "On my way.", { key: "k" }))], asked);
    expect(pendingPosts(done, TICKET)).toHaveLength(0);
    expect(seqs(done)).toEqual([1, 2, 3, 4]);
  });

  it("stay visible between the ack and the event", () => {
    const acked = run([{ type: "local:acked", key: "k", seq: 4 }], asked);
    expect(pendingPosts(acked, TICKET)[0]?.fate).toEqual({ at: "acked", seq: 4 });
    expect(pendingPosts(run([eventFrame(reply(4, "On my way."))], acked), TICKET)).toHaveLength(0);
  });

  it("are gone with the ack when the event came first", () => {
    const state = run(
      [eventFrame(reply(4, "On my way.", { key: "k" })), { type: "local:acked", key: "k", seq: 4 }],
      asked,
    );
    expect(state.pending).toHaveLength(0);
  });

  it("are found in a snapshot that holds them already", () => {
    const events = [reply(1, "On my way.", { key: "k" })];
    const state = run([subscribed({ seq: 1, reset: true, snapshot: { ticket: row(), events } })], asked);
    expect(state.pending).toHaveLength(0);
  });

  it("stay with their text and the reason when they are refused, and can be asked again", () => {
    const refusal = { code: "stale" as const, message: "Something came in between.", events: [reply(4, "I have it")] };
    const refused = run([{ type: "local:refused", key: "k", refusal }], asked);
    expect(pendingPosts(refused, TICKET)[0]).toMatchObject({
      command: { body: "On my way." },
      fate: { at: "refused", refusal },
    });
    expect(run([{ type: "local:asked_again", key: "k" }], refused).pending[0]?.fate).toEqual({ at: "sending" });
    expect(run([{ type: "local:withdrawn", key: "k" }], refused).pending).toHaveLength(0);
  });

  it("overlay the row without touching the hub's word, and fall away when refused", () => {
    const command = { type: "change_status" as const, key: "s", ticket_id: TICKET, status: "resolved", based_on: 3 };
    const changed = run([{ type: "local:asked", command, at_ms: 0 }], watching);
    expect(ticketView(changed, TICKET)?.status).toBe("resolved");
    expect(changed.tickets[TICKET]?.status).toBe("open");
    const refusal = { code: "stale" as const, message: "", events: [] };
    expect(ticketView(run([{ type: "local:refused", key: "s", refusal }], changed), TICKET)?.status).toBe("open");
  });
});

it("knows what others did in public since a position, and leaves out notes and my own deeds", () => {
  const note = { type: "reply_posted" as const, body: "psst", audience: "internal" as const, attachments: [] };
  const mine = reply(6, "mine", { by: { kind: "agent", id: ANA, name: "Ana" } });
  const events = [reply(3, "old"), reply(4, "new"), { ...reply(5, ""), event: note }, mine];
  expect(publicDeedsAfter(events, 3, ANA).map((record) => record.seq)).toEqual([4]);
});
