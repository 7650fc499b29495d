// News as it comes: gathered, rarely, and only what is still news.
import { beforeEach, expect, it } from "vitest";
import type { ServerFrame } from "../wire/generated";
import { FakeWorld, mine, mineAfter, notified, readSignal, TICKET, told } from "./fakes";
import { Herald } from "./herald";
import { initialState, type LocalEvent, ME } from "./state";
import { reduce } from "./store";

let world: FakeWorld;
let herald: Herald;
let state = initialState;
let heard: number[][];

beforeEach(() => {
  world = new FakeWorld();
  state = reduce(initialState, { type: "local:watched", topic: ME });
  heard = [];
  herald = new Herald({
    getState: () => state,
    nowMs: () => world.nowMs(),
    after: (ms, act) => world.after(ms, act),
    tell: (news) => heard.push(news.map(({ seq }) => seq)),
  });
  happens(mine([notified(1), notified(2)]));
});

function happens(...inputs: (ServerFrame | LocalEvent)[]) {
  for (const input of inputs) {
    state = reduce(state, input);
    herald.look();
  }
}

it("is silent about what was there at the beginning", () => {
  world.pass(60_000);
  expect(heard).toEqual([]);
});

it("gathers what comes at once into one telling, and then keeps quiet for a while", () => {
  happens(told(notified(3)), told(notified(4)));
  world.pass(1500);
  expect(heard).toEqual([[3, 4]]);
  happens(told(notified(5)));
  world.pass(4999);
  expect(heard).toHaveLength(1);
  world.pass(1);
  expect(heard).toEqual([[3, 4], [5]]);
});

it("does not tell what was read meanwhile, here or on another device", () => {
  happens(told(notified(3)));
  world.pass(1000);
  happens(readSignal(TICKET, 3));
  world.pass(60_000);
  expect(heard).toEqual([]);
});

it("does not tell what happens before my eyes", () => {
  happens({ type: "local:attending", ticket_id: TICKET }, told(notified(3)));
  world.pass(60_000);
  expect(heard).toEqual([]);
});

it("tells what came while the line was cut, once", () => {
  happens(mineAfter([notified(3), notified(4)]), mineAfter([]));
  world.pass(60_000);
  expect(heard).toEqual([[3, 4]]);
});

it("is silent about the log of a restored hub", () => {
  happens(mine([notified(1), notified(2), notified(3)], [], { stream: "other" }));
  world.pass(60_000);
  expect(heard).toEqual([]);
});
