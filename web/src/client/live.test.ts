// The line to the hub: topics resume where they stopped, unanswered commands go out again with the same key.
import { beforeEach, expect, it } from "vitest";
import {
  ANA,
  BO,
  codec,
  eventFrame,
  FakeWorld,
  NOW,
  postReply,
  reply,
  STREAM,
  snapshot,
  TICKET,
  TOPIC,
  welcome,
} from "./fakes";
import { LiveClient } from "./live";
import type { Command, Refusal } from "./state";
import { pendingPosts } from "./views";

let world: FakeWorld;
let live: LiveClient;
let kept: Set<string>;
let refused: { command: Command; refusal: Refusal }[];

beforeEach(() => {
  world = new FakeWorld();
  kept = new Set();
  refused = [];
  const outbox = {
    put: (command: Command) => void kept.add(command.key),
    remove: (key: string) => void kept.delete(key),
  };
  live = new LiveClient(world, codec, ANA, outbox, {
    onRefused: (command, refusal) => refused.push({ command, refusal }),
    onDoubt: () => {},
    onDrafts: () => {},
    onDraft: () => {},
    onAccepted: () => {},
    onCut: () => {},
  });
  live.start();
});

const posts = () => world.socket.all("post_reply");
const idOf = (frame: Record<string, unknown> | undefined) => Number(frame?.["id"]);

function breakAndReturn() {
  world.socket.onclose?.({ code: 1006 });
  world.pass(1000);
  world.welcome();
}

it("watches once for all who look, and leaves with the last of them", () => {
  world.welcome();
  const leaveFirst = live.watch(TOPIC);
  const leaveSecond = live.watch(TOPIC);
  leaveFirst();
  expect(world.socket.all("unsubscribe")).toHaveLength(0);
  leaveSecond();
  expect(world.socket.all("subscribe")).toHaveLength(1);
  expect(world.socket.all("unsubscribe")).toMatchObject([{ topic: TOPIC }]);
});

it("subscribes after the welcome to what was watched before it", () => {
  live.watch("workspace");
  world.welcome();
  expect(world.socket.all("subscribe")).toMatchObject([{ topic: "workspace" }]);
});

it("resumes each topic after the last number it has, on the same stream", () => {
  world.welcome();
  live.watch(TOPIC);
  world.socket.hears(snapshot(3));
  breakAndReturn();
  expect(world.socket.all("subscribe")).toMatchObject([{ topic: TOPIC, after: 3, stream: STREAM }]);
});

it("asks once for what is missing when a number was skipped", () => {
  world.welcome();
  live.watch(TOPIC);
  world.socket.hears(snapshot(3, idOf(world.socket.all("subscribe")[0])));
  world.socket.hears(eventFrame(reply(5, "five")));
  world.socket.hears(eventFrame(reply(6, "six")));
  expect(world.socket.all("subscribe").slice(1)).toMatchObject([{ topic: TOPIC, after: 3 }]);
});

it("sends an unanswered reply again after a break, with the same key and a new id", () => {
  world.welcome();
  live.submit(postReply("k"));
  const first = posts()[0];
  breakAndReturn();
  const second = posts()[0];
  expect(second).toMatchObject({ key: "k", body: "On my way." });
  expect(idOf(second)).not.toBe(idOf(first));
  world.socket.hears({ type: "ack", id: idOf(second), seq: 4 });
  breakAndReturn();
  expect(posts()).toHaveLength(0);
});

it("keeps a reply in the outbox until it is acked", () => {
  live.submit(postReply("k"));
  expect(kept).toEqual(new Set(["k"]));
  world.welcome();
  world.socket.hears({ type: "ack", id: idOf(posts()[0]), seq: 4 });
  expect(kept).toEqual(new Set());
});

it("sends the next command of a ticket only after the answer to the one before", () => {
  world.welcome();
  live.submit(postReply("a"));
  live.submit(postReply("b"));
  expect(posts().map((frame) => frame["key"])).toEqual(["a"]);
  world.socket.hears({ type: "ack", id: idOf(posts()[0]), seq: 4 });
  expect(posts().map((frame) => frame["key"])).toEqual(["a", "b"]);
});

it("sends again with the same key when the hub was busy or does not know the outcome", () => {
  world.welcome();
  live.submit(postReply("k"));
  world.socket.hears({ type: "error", id: idOf(posts()[0]), code: "unavailable", message: "", retry_after_ms: 700 });
  world.pass(699);
  expect(posts()).toHaveLength(1);
  world.pass(1);
  expect(posts().map((frame) => frame["key"])).toEqual(["k", "k"]);
});

it("keeps a stale reply with what came in between, and sends it again when asked", () => {
  world.welcome();
  live.submit(postReply("k"));
  const detail = { events: [JSON.parse(JSON.stringify(reply(4, "I have it")))] };
  world.socket.hears({ type: "error", id: idOf(posts()[0]), code: "stale", message: "Bo replied.", detail });
  expect(pendingPosts(live.getState(), TICKET)[0]?.fate).toMatchObject({
    at: "refused",
    refusal: { events: [{ seq: 4 }] },
  });
  expect(kept).toEqual(new Set(["k"]));
  live.retry("k");
  expect(posts()).toHaveLength(2);
});

it("tells of a refused change that is no reply, and takes it back", () => {
  world.welcome();
  live.submit({ type: "assign", key: "k", ticket_id: TICKET, assignee_id: null });
  world.socket.hears({ type: "error", id: idOf(world.socket.all("assign")[0]), code: "forbidden", message: "No." });
  expect(refused).toMatchObject([{ command: { key: "k" }, refusal: { code: "forbidden" } }]);
  expect(live.getState().pending).toHaveLength(0);
});

it("sends nothing in the name of somebody else who has signed in meanwhile", () => {
  live.submit(postReply("k"));
  world.socket.onopen?.();
  world.socket.hears({ ...welcome(), user: { id: BO, name: "Bo", email: "bo@acme.test", role: "agent" } });
  expect(live.getLink()).toEqual({ at: "signed_out" });
  expect(posts()).toHaveLength(0);
  expect(kept).toEqual(new Set(["k"]));
});

it("goes by the hub's clock", () => {
  world.pass(60_000);
  world.welcome();
  expect(live.nowMs()).toBe(Date.parse(NOW));
});
