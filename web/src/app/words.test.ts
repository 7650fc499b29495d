// Events, refusals and problems in words for people.
import { describe, expect, it } from "vitest";
import { ANA, BO, notified } from "../client/fakes";
import type { Event, Workflow } from "../wire/generated";
import { deed, newsInWords, publicRefusal, signInProblem, whomItCalls, whyTold } from "./words";

const workflow: Workflow = {
  name: "simple",
  statuses: [
    { id: "open", label: "Open", kind: "new", pauses_sla: false, moves: ["resolved"] },
    { id: "resolved", label: "Resolved", kind: "resolved", pauses_sla: true, moves: ["open"] },
  ],
  reopens_to: "open",
};
const people = [
  { id: ANA, name: "Ana" },
  { id: BO, name: "Bo" },
];

describe("a deed", () => {
  const cases: [Event, string | null][] = [
    [{ type: "status_changed", from: "open", to: "resolved" }, "changed the status from Open to Resolved"],
    [{ type: "assigned", assignee_id: ANA, team_id: null }, "took this ticket"],
    [{ type: "assigned", assignee_id: BO, team_id: null }, "assigned this to Bo"],
    [{ type: "assigned", assignee_id: null, team_id: null }, "removed the assignment"],
    [{ type: "field_changed", field: "priority", from: "p3", to: "p1" }, "changed the priority from P3 to P1"],
    [{ type: "field_changed", field: "title", from: "a", to: "b" }, "changed the title to “b”"],
    [{ type: "nothing_changed" }, null],
  ];
  it.each(cases)("%o: %s", (event, words) => {
    expect(deed(event, workflow, people, ANA)).toBe(words);
  });
});

it("says what was refused and why", () => {
  const command = { type: "assign", key: "k", ticket_id: "t", assignee_id: null } as const;
  const words = publicRefusal(command, { code: "forbidden", message: "", events: [] });
  expect(words).toBe("The assignment was not changed. Your role does not allow this.");
});

it("says why I am told of something, even for a reason that it does not know", () => {
  expect((["assigned", "mentioned", "replied"] as const).map(whyTold)).toEqual([
    "assigned you",
    "mentioned you",
    "replied",
  ]);
  const newer = JSON.parse('"escalated"');
  expect(whyTold(newer)).toBe("did something");
});

it("says one notification whole, and several as a number", () => {
  const news = (seq: number, more = {}) => {
    const { at, by, event } = notified(seq, more);
    if (event.type !== "notified") throw new Error("not a notification");
    return { seq, at, by, told: event };
  };
  expect(newsInWords([news(1)])).toBe("Cleo replied: TKT-1 The printer is on fire");
  expect(newsInWords([news(1), news(2)])).toBe("2 notifications on one ticket");
  expect(newsInWords([news(1), news(2, { ticket_id: "other" })])).toBe("2 notifications on 2 tickets");
});

it("says whom a text calls, and what a customer sees of it", () => {
  expect(whomItCalls([ANA, BO], people, "internal")).toBe("Notifies Ana and Bo.");
  expect(whomItCalls([BO], people, "public")).toMatch(/^Notifies Bo. The customer sees the name/);
});

it("does not say which part of a sign-in was wrong", () => {
  const problem = { code: "unauthenticated", detail: "", fields: {}, retry_after_ms: null } as const;
  expect(signInProblem(problem)).toMatch(/do not belong together/);
  expect(signInProblem({ ...problem, code: "rate_limited", retry_after_ms: 42_000 })).toContain("in 42 seconds");
});
