// Which ticket is in which list, and in which order a live list shows them.
import { describe, expect, it } from "vitest";
import { ANA, BO, row } from "../client/fakes";
import type { Status, Workflow } from "../wire/generated";
import { belongs, filterOf, orderRows, readChoice, whyGone, writeChoice } from "./views";

const status = (id: string, kind: Status["kind"]): Status => ({ id, label: id, kind, pauses_sla: false, moves: [] });
const workflow: Workflow = {
  name: "simple",
  statuses: [
    status("open", "new"),
    status("in_progress", "active"),
    status("resolved", "resolved"),
    status("closed", "closed"),
  ],
  reopens_to: "open",
};
const all = { view: "all", status: null } as const;

describe("a list", () => {
  it.each([
    ["open", null, { status: "open" }, true],
    ["open", null, { status: "resolved" }, false],
    ["open", "resolved", { status: "resolved" }, true],
    ["mine", null, { assignee_id: ANA }, true],
    ["mine", null, { assignee_id: BO }, false],
    ["mine", null, { assignee_id: ANA, status: "closed" }, false],
    ["unassigned", null, { assignee_id: null }, true],
    ["unassigned", null, { assignee_id: BO }, false],
    ["all", null, { status: "closed", assignee_id: BO }, true],
  ] as const)("%s (status %s) with %o: %s", (view, only, ticket, expected) => {
    expect(belongs(row(ticket), { view, status: only }, workflow, ANA)).toBe(expected);
  });

  it("asks the hub the same question", () => {
    expect(filterOf({ view: "mine", status: null }, workflow)).toEqual({
      status: ["open", "in_progress"],
      assignee_id: "me",
    });
    expect(filterOf(all, workflow)).toEqual({ status: [] });
    expect(filterOf({ view: "unassigned", status: "open" }, workflow)).toEqual({
      status: ["open"],
      assignee_id: "none",
    });
  });

  it("is remembered in the address, and nonsense there is the first list", () => {
    const choice = { view: "mine", status: "open" } as const;
    expect(readChoice(new URLSearchParams(writeChoice(choice)), workflow)).toEqual(choice);
    expect(readChoice(new URLSearchParams("view=nonsense&status=gone"), workflow)).toEqual({
      view: "open",
      status: null,
    });
  });
});

describe("a ticket that left a list", () => {
  const nameOf = (id: string | null) => (id === BO ? "Bo" : id);
  const mine = { view: "mine", status: null } as const;
  const resolved = row({ status: "resolved", assignee_id: ANA });
  const byBo = { by: { kind: "agent" as const, id: BO, name: "Bo" }, what: "status_changed" };

  it("says who has it now, or what became of it and by whom", () => {
    expect(whyGone(row({ assignee_id: BO }), mine, workflow, nameOf, undefined)).toBe("Bo took this");
    expect(whyGone(row({ assignee_id: null }), mine, workflow, nameOf, undefined)).toBe("Nobody has this any more");
    expect(whyGone(resolved, mine, workflow, nameOf, undefined)).toBe("Now resolved");
    expect(whyGone(resolved, mine, workflow, nameOf, byBo)).toBe("Bo changed it to resolved");
  });
});

describe("the order", () => {
  const at = (minute: number) => `2026-01-01T00:0${minute}:00.000Z`;
  const ticket = (id: string, minute: number) => row({ id, created_at: at(minute), updated_at: at(minute) });
  const loaded = [ticket("b", 5), ticket("a", 3)];
  const ids = (rows: { id: string }[]) => rows.map(({ id }) => id);

  it("stays as loaded, however often a row changes", () => {
    const changed = [loaded[0], { ...ticket("a", 3), updated_at: at(9) }].filter((one) => one !== undefined);
    expect(ids(orderRows(loaded, false, changed, () => true))).toEqual(["b", "a"]);
  });

  it("puts what newly belongs on top, the newest first", () => {
    const tickets = [...loaded, ticket("c", 6), ticket("d", 7)];
    expect(ids(orderRows(loaded, false, tickets, () => true))).toEqual(["d", "c", "b", "a"]);
  });

  it("leaves out what belongs on a page that is not loaded, until it is", () => {
    const tickets = [...loaded, ticket("old", 1)];
    expect(ids(orderRows(loaded, false, tickets, () => true))).toEqual(["b", "a"]);
    expect(ids(orderRows(loaded, true, tickets, () => true))).toEqual(["old", "b", "a"]);
  });

  it("leaves out what no longer belongs", () => {
    expect(ids(orderRows(loaded, true, loaded, ({ id }) => id !== "b"))).toEqual(["a"]);
  });
});
