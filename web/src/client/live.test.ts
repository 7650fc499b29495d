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

const colleague = (state: "viewing" | "composing") => ({
  id: BO,
  name: "Bo",
  kind: "agent" as const,
  state,
  since: NOW,
});

function watchedWorkspace() {
  world.welcome();
  live.watch("workspace");
  const live_ = { presence: [], claim: null, drafts: [], clocks: [] };
  const id = idOf(world.socket.all("subscribe").at(-1));
  const snapshot = { people: [], teams: [] };
  world.socket.hears({
    type: "subscribed",
    id,
    topic: "workspace",
    stream: STREAM,
    seq: 0,
    live: live_,
    reset: true,
    snapshot,
  });
}

it("tells that I am at a ticket only when the hub knows that I watch it, and again after a break, without a number", () => {
  world.welcome();
  live.watch(TOPIC);
  live.announcer.open(TICKET);
  expect(world.socket.all("set_presence")).toEqual([]);
  world.socket.hears(snapshot(1, idOf(world.socket.all("subscribe")[0])));
  expect(world.socket.all("set_presence")).toEqual([{ type: "set_presence", ticket_id: TICKET, state: "viewing" }]);
  breakAndReturn();
  expect(world.socket.all("set_presence")).toEqual([]);
  world.socket.hears(snapshot(1, idOf(world.socket.all("subscribe")[0])));
  expect(world.socket.all("set_presence")).toHaveLength(1);
});

it("asks for the rows that are looked at, again after a break, and draws what it is told of them once a second", () => {
  watchedWorkspace();
  live.lookAtRows([TICKET]);
  live.lookAtRows([TICKET]);
  expect(world.socket.all("watch_rows")).toMatchObject([{ ticket_ids: [TICKET] }]);
  let drawn = 0;
  live.onChange(() => {
    drawn += 1;
  });
  for (let change = 0; change < 500; change++) {
    const users = [colleague(change % 2 === 0 ? "composing" : "viewing")];
    for (const ticket_id of [TICKET, "not-looked-at"])
      world.socket.hears({ type: "signal", topic: "workspace", signal: { type: "presence", ticket_id, users } });
  }
  expect(drawn).toBe(0);
  world.pass(1000);
  expect(drawn).toBe(1);
  expect(live.getState().rowPresence).toMatchObject({ [TICKET]: [{ state: "viewing" }] });
  expect(Object.keys(live.getState().rowPresence)).toEqual([TICKET]);
});

it("answers a question without a key, and says so when the answer is lost", () => {
  world.welcome();
  const heard: (string | null)[] = [];
  const ask = () => live.ask({ type: "take_claim", ticket_id: TICKET }, (answer) => heard.push(answer?.type ?? null));
  expect(ask()).toBe(true);
  world.socket.hears({ type: "ack", id: idOf(world.socket.all("take_claim")[0]) });
  ask();
  world.socket.hears({ type: "error", id: idOf(world.socket.all("take_claim")[1]), code: "claimed", message: "" });
  ask();
  world.socket.onclose?.({ code: 1006 });
  expect(heard).toEqual(["ack", "error", null]);
  expect(ask()).toBe(false);
});

it("keeps a change of a field that somebody was faster with, and who is answering with a refused reply", () => {
  world.welcome();
  live.submit({ type: "change_status", key: "s", ticket_id: TICKET, status: "resolved", based_on: 1 });
  const stale = { code: "stale" as const, message: "", detail: { events: [] } };
  world.socket.hears({ type: "error", id: idOf(world.socket.all("change_status")[0]), ...stale });
  expect(refused).toEqual([]);
  live.submit(postReply("k"));
  const detail = { by: { id: BO, name: "Bo" }, until: NOW };
  world.socket.hears({ type: "error", id: idOf(posts()[0]), code: "claimed", message: "", detail });
  const fates = live.getState().pending.map(({ fate }) => fate);
  expect(fates).toMatchObject([{ at: "refused" }, { refusal: { claim: { by: { name: "Bo" }, until: NOW } } }]);
  live.reword("k", "Better.");
  expect(posts()).toHaveLength(1);
  live.retry("k");
  expect(posts()[1]).toMatchObject({ key: "k", body: "Better." });
});
