// What the others learn of me: changes at once, composing at most every three seconds, idle by itself.
import { beforeEach, expect, it } from "vitest";
import { Announcer, IDLE_AFTER_MS, PAUSE_MS, REPEAT_MS } from "./announce";
import { FakeWorld, TICKET } from "./fakes";

let world: FakeWorld;
let announcer: Announcer;
let said: string[];
let isWatched: boolean;

beforeEach(() => {
  world = new FakeWorld();
  said = [];
  isWatched = true;
  announcer = new Announcer({
    say: ({ state, audience, field }) => said.push([state, audience, field].filter(Boolean).join(" ")),
    isWatched: () => isWatched,
    nowMs: () => world.nowMs(),
    after: (ms, act) => world.after(ms, act),
  });
});

it("says that I am there once, and that I am elsewhere after a minute without input", () => {
  announcer.open(TICKET);
  announcer.input();
  world.pass(30_000);
  announcer.input();
  world.pass(IDLE_AFTER_MS - 1);
  expect(said).toEqual(["viewing"]);
  world.pass(1);
  expect(said).toEqual(["viewing", "idle"]);
  announcer.input();
  expect(said).toEqual(["viewing", "idle", "viewing"]);
});

it("says it when the page is hidden, and when it is seen again", () => {
  announcer.open(TICKET);
  announcer.hide(true);
  announcer.type("public");
  announcer.hide(false);
  expect(said).toEqual(["viewing", "idle", "composing public"]);
});

it("repeats composing while I type, at most every three seconds, and ends it soon after", () => {
  announcer.open(TICKET);
  for (let ms = 0; ms < 10_000; ms += 200) {
    announcer.type("public");
    world.pass(200);
  }
  const repeated = said.filter((words) => words === "composing public").length;
  expect(repeated).toBeLessThanOrEqual(Math.ceil(10_000 / REPEAT_MS));
  expect(repeated).toBeGreaterThan(2);
  world.pass(PAUSE_MS);
  expect(said.at(-1)).toBe("viewing");
});

it("tells a note from a reply at once, and ends with the sending", () => {
  announcer.open(TICKET);
  announcer.type("public");
  announcer.type("internal");
  announcer.finish();
  expect(said).toEqual(["viewing", "composing public", "composing internal", "viewing"]);
});

it("names the field that I have open", () => {
  announcer.open(TICKET);
  announcer.edit("status");
  announcer.edit(null);
  expect(said).toEqual(["viewing", "viewing status", "viewing"]);
});

it("waits until the hub listens, and says it again when it listens anew", () => {
  isWatched = false;
  const close = announcer.open(TICKET);
  announcer.type("public");
  expect(said).toEqual([]);
  isWatched = true;
  announcer.again(TICKET);
  announcer.again(TICKET);
  announcer.again("another");
  expect(said).toEqual(["composing public", "composing public"]);
  close();
  announcer.again(TICKET);
  announcer.input();
  world.pass(IDLE_AFTER_MS);
  expect(said).toHaveLength(2);
});
