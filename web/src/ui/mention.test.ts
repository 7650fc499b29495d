// Who is called by a text, and what is being typed.
import { describe, expect, it } from "vitest";
import { fitting, mentionedIn, typedAt } from "./mention";

const ANA = { id: "a", name: "Ana" };
const LINDQVIST = { id: "l", name: "Ana Lindqvist" };
const OESTEN = { id: "o", name: "Östen Bo-Ek" };
const NAMESAKE = { id: "n", name: "Ana" };

describe("a text calls", () => {
  it.each([
    ["@Ana, look", ["a"]],
    ["@Ana Lindqvist: look", ["l"]],
    ["(@Ana) and @Östen Bo-Ek", ["a", "o"]],
    ["@Ana @Ana", ["a"]],
    ["**@Ana**", ["a"]],
    ["@Anabel", []],
    ["@Ana_b", []],
    ["mail@Ana", []],
    ["@ana", []],
    ["@", []],
    ["", []],
  ])("%s: %o", (text, ids) => {
    expect(mentionedIn(text, [ANA, LINDQVIST, OESTEN])).toEqual(ids);
  });

  it("both of two who have the same name", () => {
    expect(mentionedIn("@Ana", [ANA, NAMESAKE])).toEqual(["a", "n"]);
  });
});

describe("what is typed before the caret", () => {
  it.each([
    ["@", { from: 0, query: "" }],
    ["Hi @an", { from: 3, query: "an" }],
    ["Hi @ana lin", { from: 3, query: "ana lin" }],
    ["Hi @ ", null],
    ["Hi @an\n", null],
    ["mail@an", null],
    ["nothing", null],
    [`@${"x".repeat(60)}`, null],
  ])("%s", (text, typed) => {
    expect(typedAt(text, text.length)).toEqual(typed);
  });

  it("does not look behind the caret", () => {
    expect(typedAt("@ana @bo", 3)).toEqual({ from: 0, query: "an" });
  });
});

it("fits by the beginning of the name or of a word of it", () => {
  const people = [LINDQVIST, OESTEN];
  const names = (query: string) => fitting(people, query).map(({ id }) => id);
  expect(names("")).toEqual(["l", "o"]);
  expect(names("LIN")).toEqual(["l"]);
  expect(names("ek")).toEqual(["o"]);
  expect(names("ana l")).toEqual(["l"]);
  expect(names("indq")).toEqual([]);
});
