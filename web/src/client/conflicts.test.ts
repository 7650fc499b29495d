// Changes that somebody else was faster with: what each of us chose, and asking once more.
import { describe, expect, it } from "vitest";
import type { EventRecord } from "../wire/generated";
import { conflictedPost, fieldConflicts, insisting, isFieldChange } from "./conflicts";
import { BO, NOW, postReply, reply, TICKET } from "./fakes";
import { type Command, initialState, type Refusal, type State } from "./state";
import { reduce } from "./store";

const stale = (events: EventRecord[] = []): Refusal => ({ code: "stale", message: "", events });
const by = { kind: "agent" as const, id: BO, name: "Bo" };
const priority = (seq: number, to: string): EventRecord => ({
  seq,
  at: NOW,
  by,
  event: { type: "field_changed", field: "priority", from: "p3", to },
});
const mine: Command = { type: "update_ticket", key: "k", ticket_id: TICKET, based_on: 1, priority: "p1" };

function refused(command: Command, refusal: Refusal): State {
  const asked = reduce(initialState, { type: "local:asked", command, at_ms: 0 });
  return reduce(asked, { type: "local:refused", key: command.key, refusal });
}

describe("a change of a field", () => {
  it("is laid beside the last thing that somebody else did to the same field", () => {
    const state = refused(mine, stale([priority(2, "p2"), priority(3, "p4"), reply(4, "hello")]));
    expect(fieldConflicts(state, TICKET)).toEqual([
      { command: mine, field: "priority", mine: "p1", theirs: priority(3, "p4") },
    ]);
    expect(fieldConflicts(state, "another")).toEqual([]);
  });

  it("of several fields shows only those that were changed", () => {
    const both: Command = { ...mine, title: "Mine" };
    const state = refused(both, stale([priority(2, "p2")]));
    expect(fieldConflicts(state, TICKET).map(({ field }) => field)).toEqual(["priority"]);
  });

  it("does not disappear when the hub names no event", () => {
    expect(fieldConflicts(refused(mine, stale()), TICKET)).toMatchObject([{ field: "priority", theirs: null }]);
  });

  it("is asked for once more under a new key, a status by force", () => {
    const status: Command = { type: "change_status", key: "k", ticket_id: TICKET, status: "resolved", based_on: 1 };
    expect(isFieldChange(status) && insisting(status, "new", 9)).toMatchObject({
      key: "new",
      based_on: 9,
      force: true,
      status: "resolved",
    });
    expect(isFieldChange(mine) && insisting(mine, "new", 9)).toEqual({ ...mine, key: "new", based_on: 9 });
  });
});

describe("a reply", () => {
  it("waits for a decision when it is stale or somebody else answers", () => {
    const claimed: Refusal = { ...stale(), code: "claimed" };
    expect(conflictedPost(refused(postReply("k"), stale()), TICKET)?.command.key).toBe("k");
    expect(conflictedPost(refused(postReply("k"), claimed), TICKET)?.command.key).toBe("k");
    expect(conflictedPost(refused(postReply("k"), { ...stale(), code: "too_large" }), TICKET)).toBeUndefined();
  });

  it("can be reworded while it waits, and only then", () => {
    const waiting = reduce(refused(postReply("k"), stale()), { type: "local:reworded", key: "k", body: "Better." });
    expect(conflictedPost(waiting, TICKET)?.command.body).toBe("Better.");
    const sending = reduce(initialState, { type: "local:asked", command: postReply("k"), at_ms: 0 });
    const later = reduce(sending, { type: "local:reworded", key: "k", body: "Better." });
    expect(later.pending[0]?.command).toMatchObject({ body: "On my way." });
  });
});
