// Messages stand alone, what was done in a row is gathered.
import { expect, it } from "vitest";
import { ANA, BO, NOW, reply } from "../client/fakes";
import type { Event, EventRecord } from "../wire/generated";
import { deedsInWords, partsOf } from "./entries";

const ana = { id: ANA, name: "Ana" };
const bo = { id: BO, name: "Bo" };
const deed = (seq: number, event: Event, by = ana): EventRecord => ({
  seq,
  at: NOW,
  by: { kind: "agent", ...by },
  event,
});
const taken = deed(2, { type: "claim_taken", by: ana, until: NOW });
const tags = deed(3, { type: "tags_changed", added: ["vip"], removed: [] });
const over = deed(4, { type: "claim_taken", by: bo, until: NOW, from: ana }, bo);

it("gathers what stands between two messages, and leaves out what shows nothing", () => {
  const nothing = deed(6, { type: "nothing_changed" });
  const parts = partsOf(
    [reply(1, "a"), taken, tags, over, reply(5, "b"), nothing],
    ({ event }) => event.type !== "nothing_changed",
  );
  expect(parts.map((part) => (part.kind === "message" ? part.record.seq : part.records.map(({ seq }) => seq)))).toEqual(
    [1, [2, 3, 4], 5],
  );
});

it("says a handoff once, with all that it does", () => {
  const assigned = deed(2, { type: "assigned", assignee_id: BO, team_id: null });
  const given = deed(3, { type: "handed_over", from_id: ANA, to_id: BO, to_team_id: null, note: "n" });
  const moved = deed(4, { type: "claim_taken", by: bo, until: NOW, from: ana });
  const parts = partsOf(
    [assigned, given, moved, deed(5, { type: "assigned", assignee_id: null, team_id: null })],
    () => true,
  );
  expect(parts).toEqual([{ kind: "deeds", records: [given, expect.objectContaining({ seq: 5 })] }]);
});

it("says how many by whom", () => {
  expect(deedsInWords([taken, tags])).toBe("2 changes by Ana");
  expect(deedsInWords([taken, tags, over])).toBe("3 changes by Ana and Bo");
});

it("says nothing of a claim that its holder's reply began and ended", () => {
  const released = deed(6, { type: "claim_released", by: ana });
  const mine = reply(5, "b", { by: { kind: "agent", ...ana } });
  const seqs = (events: EventRecord[]) =>
    partsOf(events, () => true).map((part) =>
      part.kind === "message" ? part.record.seq : part.records.map(({ seq }) => seq),
    );
  expect(seqs([reply(1, "a"), taken, mine, released])).toEqual([1, 5]);
  expect(seqs([reply(1, "a"), taken, reply(5, "b"), released])).toEqual([1, [2], 5, [6]]);
  expect(seqs([reply(1, "a"), taken, over, mine])).toEqual([1, [2, 4], 5]);
});
