// Times as people say them.
import { expect, it } from "vitest";
import { ago } from "./clock";

const NOW = Date.parse("2026-06-15T12:00:00.000Z");

it.each([
  ["2026-06-15T12:00:05.000Z", "just now"],
  ["2026-06-15T11:59:30.000Z", "just now"],
  ["2026-06-15T11:55:00.000Z", "5 min. ago"],
  ["2026-06-15T09:00:00.000Z", "3 hr. ago"],
  ["2026-06-14T11:00:00.000Z", "yesterday"],
  ["2026-06-12T11:00:00.000Z", "3 days ago"],
  ["nonsense", ""],
])("%s is %s", (at, words) => {
  expect(ago(Date.parse(at), NOW)).toBe(words);
});

it("names the day of what is longer ago, and the year of what is very long ago", () => {
  expect(ago(Date.parse("2026-03-01T12:00:00.000Z"), NOW)).toBe("Mar 1");
  expect(ago(Date.parse("2024-03-01T12:00:00.000Z"), NOW)).toBe("Mar 1, 2024");
});
