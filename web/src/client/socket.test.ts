// The connection: how it opens, how it notices death, how it comes back.
import { beforeEach, expect, it } from "vitest";
import { codec, FakeWorld } from "./fakes";
import { Connection, type Link } from "./socket";

let world: FakeWorld;
let links: Link[];
let doubts: number;
let connection: Connection;

beforeEach(() => {
  world = new FakeWorld();
  links = [];
  doubts = 0;
  connection = new Connection(world, codec, {
    onFrame: () => {},
    onLink: (link) => links.push(link),
    onDoubt: () => {
      doubts += 1;
    },
  });
  connection.start();
});

const now = () => links.at(-1);

it("says hello first and sends nothing else before the welcome", () => {
  expect(connection.request({ type: "ping" })).toBeNull();
  world.socket.onopen?.();
  expect(world.socket.sent).toMatchObject([{ type: "hello", id: 1, protocol: 1 }]);
  expect(connection.request({ type: "ping" })).toBeNull();
  world.welcome();
  expect(now()).toEqual({ at: "live" });
  expect(connection.request({ type: "ping" })).toEqual(expect.any(Number));
});

it("waits twice as long after each failure, at most 30 s, drawn from zero", () => {
  const waitsMs = [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000].map((ms) => ms * world.randomNow);
  for (const [at, waitMs] of waitsMs.entries()) {
    world.socket.onclose?.({ code: 1006 });
    expect(now()).toEqual({ at: "reconnecting", attempt: at + 1 });
    const opened = world.sockets.length;
    world.pass(waitMs - 1);
    expect(world.sockets).toHaveLength(opened);
    world.pass(1);
    expect(world.sockets).toHaveLength(opened + 1);
  }
});

it("begins to count anew once a connection has lasted, and not before", () => {
  world.socket.onclose?.({ code: 1006 });
  world.pass(500);
  world.welcome();
  world.socket.onclose?.({ code: 4400 });
  expect(now()).toEqual({ at: "reconnecting", attempt: 2 });
  world.pass(1000);
  world.welcome();
  world.pass(10_000);
  world.socket.onclose?.({ code: 1012 });
  expect(now()).toEqual({ at: "reconnecting", attempt: 1 });
});

it("asks for a reload when the hub no longer speaks its protocol", () => {
  world.socket.onopen?.();
  world.socket.hears({ type: "error", id: 1, code: "unsupported_version", message: "" });
  world.pass(120_000);
  expect(now()).toEqual({ at: "outdated" });
  expect(world.sockets).toHaveLength(1);
});

it("does not wait when the page is online or visible again", () => {
  world.isOnlineNow = false;
  world.socket.onclose?.({ code: 1006 });
  expect(now()).toEqual({ at: "offline" });
  connection.retryNow();
  expect(world.sockets).toHaveLength(2);
});

it("waits as long as a departing hub asks", () => {
  world.welcome();
  world.socket.hears({ type: "goodbye", reason: "restart", reconnect_after_ms: 3000 });
  world.socket.onclose?.({ code: 1012 });
  world.pass(3249);
  expect(world.sockets).toHaveLength(1);
  world.pass(1);
  expect(world.sockets).toHaveLength(2);
});

it("asks a quiet hub for a sign of life and gives up after a second quiet heartbeat", () => {
  world.welcome();
  world.pass(15_000);
  expect(world.socket.all("ping")).toHaveLength(1);
  world.pass(15_000);
  expect(world.sockets[0]?.isClosed).toBe(true);
  expect(now()).toEqual({ at: "reconnecting", attempt: 1 });
});

it("goes on with a hub that answers", () => {
  world.welcome();
  for (let beat = 0; beat < 10; beat++) {
    world.pass(15_000);
    world.socket.hears({ type: "pong", id: 9, server_time: "2026-01-01T00:00:00.000Z" });
  }
  expect(world.sockets).toHaveLength(1);
});

it("does not hear a socket that it has given up", () => {
  world.welcome();
  const old = world.socket;
  connection.networkLost();
  expect(old.onmessage).toBeNull();
  expect(old.isClosed).toBe(true);
});

it("gives up a hub that does not answer hello", () => {
  world.socket.onopen?.();
  world.pass(10_000);
  expect(now()).toMatchObject({ at: "reconnecting" });
});

it("ends when the sign-in has ended, and does not come back by itself", () => {
  world.welcome();
  world.socket.onclose?.({ code: 4401 });
  world.pass(120_000);
  expect(now()).toEqual({ at: "signed_out" });
  expect(world.sockets).toHaveLength(1);
});

it("ends when hello is refused for want of a sign-in", () => {
  world.socket.onopen?.();
  world.socket.hears({ type: "error", id: 1, code: "unauthenticated", message: "Sign in." });
  expect(now()).toEqual({ at: "signed_out" });
});

it("voices a doubt about the sign-in when attempts keep failing", () => {
  world.socket.onclose?.({ code: 1006 });
  expect(doubts).toBe(0);
  world.pass(500);
  world.socket.onclose?.({ code: 1006 });
  expect(doubts).toBe(1);
});

it("drops a hub that sends what is no frame", () => {
  world.welcome();
  world.socket.onmessage?.({ data: "{" });
  expect(now()).toEqual({ at: "reconnecting", attempt: 1 });
});
