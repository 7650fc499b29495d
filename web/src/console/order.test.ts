// A live list under the hand: nothing moves while somebody is at it, and what left is seen leaving.
import { describe, expect, it } from "vitest";
import { GHOST_MS, NOTHING_SHOWN, nextDepartureMs, nextShown, type Shown } from "./order";

const AT = 1_000_000;
const start = nextShown(NOTHING_SHOWN, ["a", "b", "c"], false, AT);
const ids = ({ places }: Shown) => places.map(({ id, goneUntilMs }) => (goneUntilMs === null ? id : `(${id})`));

describe("a list that nobody is at", () => {
  it("shows what belongs, in its order, at once", () => {
    expect(ids(start)).toEqual(["a", "b", "c"]);
    expect(ids(nextShown(start, ["new", "b", "a", "c"], false, AT))).toEqual(["new", "b", "a", "c"]);
  });

  it("shows what left for a moment, where it stood", () => {
    const left = nextShown(start, ["new", "a", "c"], false, AT);
    expect(ids(left)).toEqual(["new", "a", "(b)", "c"]);
    expect(nextDepartureMs(left)).toBe(AT + GHOST_MS);
    expect(ids(nextShown(left, ["new", "a", "c"], false, AT + GHOST_MS - 1))).toEqual(["new", "a", "(b)", "c"]);
    expect(ids(nextShown(left, ["new", "a", "c"], false, AT + GHOST_MS))).toEqual(["new", "a", "c"]);
  });

  it("takes back what returns", () => {
    const left = nextShown(start, ["a", "c"], false, AT);
    expect(ids(nextShown(left, ["a", "b", "c"], false, AT + 1))).toEqual(["a", "b", "c"]);
  });

  it("keeps a ghost that stood on top on top", () => {
    expect(ids(nextShown(start, ["b", "c"], false, AT))).toEqual(["(a)", "b", "c"]);
  });
});

describe("a list that somebody is at", () => {
  it("moves nothing: what is new waits and is counted", () => {
    const frozen = nextShown(start, ["new", "newer", "c", "a", "b"], true, AT);
    expect(ids(frozen)).toEqual(["a", "b", "c"]);
    expect(frozen.waiting).toBe(2);
    expect(ids(nextShown(frozen, ["new", "newer", "c", "a", "b"], false, AT))).toEqual(["new", "newer", "c", "a", "b"]);
  });

  it("keeps the place of what left, however long it takes", () => {
    const left = nextShown(start, ["a", "c"], true, AT);
    const later = nextShown(left, ["a", "c"], true, AT + 60_000);
    expect(ids(later)).toEqual(["a", "(b)", "c"]);
    expect(ids(nextShown(later, ["a", "c"], false, AT + 60_001))).toEqual(["a", "c"]);
  });

  it("takes the next page below what is shown", () => {
    const frozen = nextShown(start, ["new", "a", "b", "c", "d"], true, AT);
    expect(ids(frozen)).toEqual(["a", "b", "c", "d"]);
    expect(frozen.waiting).toBe(1);
  });

  it("shows the first rows all the same", () => {
    expect(ids(nextShown(NOTHING_SHOWN, ["a", "b"], true, AT))).toEqual(["a", "b"]);
  });

  it("is the same object while nothing changes", () => {
    const frozen = nextShown(start, ["new", "a", "b", "c"], true, AT);
    expect(nextShown(frozen, ["new", "a", "b", "c"], true, AT + 1)).toBe(frozen);
  });
});
