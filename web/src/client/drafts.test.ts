// Texts that are being written: kept here and at the hub, restored elsewhere, and never overwritten unseen.
import { beforeEach, describe, expect, it } from "vitest";
import type { Draft as HubDraft } from "../wire/generated";
import { type DraftAnswer, Drafts } from "./drafts";
import { ANA, FakeWorld, NOW, TICKET } from "./fakes";
import type { Draft as KeptDraft } from "./keep";
import type { Request } from "./socket";

type Asked = { request: Request; answered: (answer: DraftAnswer) => void };

let world: FakeWorld;
let drafts: Drafts;
let kept: Map<string, KeptDraft>;
let asked: Asked[];
let isOnline: boolean;

beforeEach(() => {
  world = new FakeWorld();
  kept = new Map();
  asked = [];
  isOnline = true;
  drafts = make();
});

function make() {
  return new Drafts({
    ask: (request, answered) => {
      if (isOnline) asked.push({ request, answered });
      return isOnline;
    },
    read: async (ticket, audience) => kept.get(`${ticket}:${audience}`) ?? null,
    keep: async (ticket, audience, draft) => {
      if (draft.body.trim() === "") kept.delete(`${ticket}:${audience}`);
      else kept.set(`${ticket}:${audience}`, draft);
    },
    nowMs: () => world.nowMs(),
    after: (ms, act) => world.after(ms, act),
    onChange: () => {},
  });
}

const turn = () => new Promise((resolve) => setTimeout(resolve));
const view = () => drafts.view(TICKET, "public");
const type = (text: string) => drafts.write(TICKET, "public", text, 3);
const saves = () => asked.map(({ request }) => request).filter(({ type: what }) => what === "save_draft");
const hubDraft = (revision: number, body: string): HubDraft => ({
  audience: "public",
  revision,
  body,
  based_on: 2,
  updated_at: NOW,
  authors: [{ id: ANA, name: "Ana" }],
});

/** The ticket is open, the browser has answered, and so has the hub. */
async function opened(hubHas: HubDraft[] = []) {
  drafts.open(TICKET, ["public", "internal"]);
  await turn();
  drafts.hubHas(TICKET, ["public", "internal"], hubHas);
}

async function answer(revision: number) {
  asked.at(-1)?.answered({ ok: true, revision });
  await turn();
}

describe("a text", () => {
  it("goes to the hub at most once a second, and says where it is", async () => {
    await opened();
    type("H");
    expect(view().place).toBe("unsaved");
    world.pass(300);
    type("He");
    world.pass(300);
    type("Hel");
    world.pass(300);
    expect(saves()).toMatchObject([{ revision: 0, body: "Hel", based_on: 3 }]);
    expect(view().place).toBe("saving");
    await answer(1);
    expect(view()).toMatchObject({ place: "hub", storedAt: NOW.replace("05.000", "05.900") });
    type("Hell");
    world.pass(1000);
    expect(saves()[1]).toMatchObject({ revision: 1, body: "Hell" });
  });

  it("is kept in this browser before, and stays there without a connection", async () => {
    isOnline = false;
    drafts.open(TICKET, ["public"]);
    await turn();
    type("Hello");
    world.pass(1000);
    await turn();
    expect(kept.get(`${TICKET}:public`)).toMatchObject({ body: "Hello", isStored: false });
    expect(view().place).toBe("device");
    isOnline = true;
    drafts.hubHas(TICKET, ["public"], []);
    world.pass(1000);
    expect(saves()).toMatchObject([{ body: "Hello", revision: 0 }]);
  });

  it("is restored from the hub on another device", async () => {
    await opened([hubDraft(4, "From my phone")]);
    expect(view()).toMatchObject({ body: "From my phone", based_on: 2, place: "hub" });
    drafts.changed(TICKET, "public", hubDraft(5, "From my phone, further"));
    expect(view().body).toBe("From my phone, further");
    world.pass(5000);
    expect(saves()).toEqual([]);
  });

  it("that the hub will not have stays on this device", async () => {
    await opened();
    type("Hello");
    world.pass(1000);
    asked.at(-1)?.answered({ ok: false, isPassing: false, retryAfterMs: null, isStale: false, draft: null });
    expect(view()).toMatchObject({ body: "Hello", place: "refused" });
  });

  it("is saved again when the hub was busy", async () => {
    await opened();
    type("Hello");
    world.pass(1000);
    asked.at(-1)?.answered({ ok: false, isPassing: true, retryAfterMs: 700, isStale: false, draft: null });
    world.pass(700);
    expect(saves()).toHaveLength(2);
  });

  it("that is emptied is forgotten by the hub", async () => {
    await opened([hubDraft(1, "Hello")]);
    type("");
    world.pass(1000);
    expect(asked.at(-1)?.request.type).toBe("discard_draft");
  });
});

describe("after a reload", () => {
  it("what the hub had not stored goes there; what it had and has no longer is gone", async () => {
    kept.set(`${TICKET}:public`, { body: "Not stored", based_on: 1, isStored: false });
    kept.set(`${TICKET}:internal`, { body: "Sent elsewhere", based_on: 1, isStored: true });
    await opened();
    expect(view().body).toBe("Not stored");
    expect(drafts.view(TICKET, "internal").body).toBe("");
    world.pass(1000);
    expect(saves()).toMatchObject([{ body: "Not stored", audience: "public" }]);
  });

  it("two texts are shown both, whichever came first", async () => {
    kept.set(`${TICKET}:public`, { body: "On the train", based_on: 1, isStored: false });
    drafts.hubHas(TICKET, ["public"], [hubDraft(7, "At the desk")]);
    await opened([hubDraft(7, "At the desk")]);
    expect(view()).toMatchObject({ body: "On the train", other: { body: "At the desk" } });
    world.pass(5000);
    expect(saves()).toEqual([]);
  });
});

describe("two windows with one draft", () => {
  beforeEach(async () => {
    await opened();
    type("Mine");
    drafts.changed(TICKET, "public", hubDraft(1, "Theirs"));
  });

  it("the late one sees the other text, and nothing is sent until it has chosen", () => {
    expect(view()).toMatchObject({ body: "Mine", other: { body: "Theirs" } });
    world.pass(5000);
    expect(saves()).toEqual([]);
  });

  it.each([
    ["mine", "Mine"],
    ["both", "Theirs\n\nMine"],
  ] as const)("%s: saved over the other one", (choice, body) => {
    drafts.choose(TICKET, "public", choice);
    world.pass(1000);
    expect(view()).toMatchObject({ body, other: null });
    expect(saves()).toMatchObject([{ body, revision: 1 }]);
  });

  it("other: it stands here now", () => {
    drafts.choose(TICKET, "public", "other");
    world.pass(1000);
    expect(view()).toMatchObject({ body: "Theirs", other: null, place: "hub" });
    expect(saves()).toEqual([]);
  });

  it("is told by the refusal as well", () => {
    drafts.choose(TICKET, "public", "mine");
    world.pass(1000);
    const draft = hubDraft(2, "Theirs, further");
    asked.at(-1)?.answered({ ok: false, isPassing: false, retryAfterMs: null, isStale: true, draft });
    expect(view()).toMatchObject({ body: "Mine", other: { body: "Theirs, further" } });
  });
});

describe("a text that is sent", () => {
  it("does not come back, not even from the hub, which has it until the reply is there", async () => {
    await opened();
    type("Hello");
    world.pass(1000);
    await answer(1);
    drafts.spend(TICKET, "public");
    expect(view().body).toBe("");
    drafts.cut();
    drafts.hubHas(TICKET, ["public"], [hubDraft(1, "Hello")]);
    expect(view().body).toBe("");
    drafts.changed(TICKET, "public", null);
    world.pass(5000);
    expect(saves()).toHaveLength(1);
    expect(kept.size).toBe(0);
  });

  it("leaves the next one alone: what the hub forgets with the reply is saved anew", async () => {
    await opened();
    type("First");
    world.pass(1000);
    await answer(1);
    drafts.spend(TICKET, "public");
    type("Second");
    world.pass(1000);
    await answer(2);
    drafts.changed(TICKET, "public", null);
    expect(view().body).toBe("Second");
    world.pass(1000);
    expect(saves().at(-1)).toMatchObject({ body: "Second", revision: 0 });
  });

  it("on another device, disappears here, unless it went on", async () => {
    await opened([hubDraft(3, "Hello")]);
    drafts.changed(TICKET, "public", null);
    expect(view().body).toBe("");
    drafts.changed(TICKET, "public", hubDraft(5, "Again"));
    type("Again, and more");
    drafts.changed(TICKET, "public", null);
    expect(view().body).toBe("Again, and more");
  });

  it("and taken back while the hub held it is there again, even if the hub had never stored it", async () => {
    await opened();
    type("Hello");
    drafts.spend(TICKET, "public");
    drafts.accepted(TICKET, "public");
    drafts.changed(TICKET, "public", hubDraft(1, "Hello"));
    expect(view()).toMatchObject({ body: "Hello", place: "hub" });
  });

  it("that is taken back stands before what was written since, once", async () => {
    await opened();
    type("Newer");
    await drafts.bringBack(TICKET, "public", "Older", 9);
    expect(view()).toMatchObject({ body: "Older\n\nNewer", based_on: 9 });
    await drafts.bringBack(TICKET, "public", "Older\n\nNewer", 9);
    expect(view().body).toBe("Older\n\nNewer");
    expect(kept.get(`${TICKET}:public`)?.body).toBe("Older\n\nNewer");
  });
});

it("can be waited for before it is given away", async () => {
  await opened();
  type("Hello");
  let isSettled = false;
  const waiting = drafts.settled(TICKET, "public").then(() => {
    isSettled = true;
  });
  await turn();
  expect(isSettled).toBe(false);
  await answer(1);
  world.pass(50);
  await waiting;
  expect(isSettled).toBe(true);
});
