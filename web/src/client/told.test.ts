// What the bell shows: one history of what I am told of, and how far I have read on any device.
import { expect, it } from "vitest";
import type { ServerFrame } from "../wire/generated";
import { mine, mineAfter, NOW, notified, readSignal, TICKET, told, welcome } from "./fakes";
import { initialState, type LocalEvent, ME, type State } from "./state";
import { reduce } from "./store";
import { newsByTicket } from "./told";

const OTHER = "99999999-9999-4999-8999-999999999999";
const begun = run([welcome(), { type: "local:watched", topic: ME }]);

function run(inputs: (ServerFrame | LocalEvent)[], from: State = initialState): State {
  return inputs.reduce(reduce, from);
}

const seqs = (state: State) => state.topics[ME]?.events.map(({ seq }) => seq);
const unread = (state: State) => newsByTicket(state).map((news) => [news.ticket_id, news.unread]);

it("puts what belongs to one ticket together, the newest ticket first", () => {
  const events = [notified(1), notified(2, { ticket_id: OTHER }), notified(3, { reason: "mentioned" })];
  const news = newsByTicket(run([mine(events)], begun));
  expect(news).toMatchObject([
    { ticket_id: TICKET, unread: 2, upTo: 3, newest: { seq: 3, told: { reason: "mentioned" } } },
    { ticket_id: OTHER, unread: 1, upTo: 2 },
  ]);
});

it("is unread beyond the cursor, and from its beginning without one", () => {
  const events = [notified(1, { ticket_seq: 4 }), notified(2, { ticket_seq: 9 }), notified(3, { ticket_id: OTHER })];
  const state = run([mine(events, [{ ticket_id: TICKET, seq: 4 }])], begun);
  expect(unread(state)).toEqual([
    [OTHER, 1],
    [TICKET, 1],
  ]);
  expect(unread(run([readSignal(TICKET, 9)], state))).toEqual([
    [OTHER, 1],
    [TICKET, 0],
  ]);
});

it("takes no cursor back, whichever way an older one comes", () => {
  const state = run([mine([notified(1, { ticket_seq: 9 })]), readSignal(TICKET, 9), readSignal(TICKET, 3)], begun);
  const resumed = run([mineAfter([], [{ ticket_id: TICKET, seq: 5 }])], state);
  const paged = run([{ type: "local:cursors_loaded", read: [{ ticket_id: TICKET, seq: 1 }] }], resumed);
  expect(paged.read[TICKET]).toBe(9);
});

it("keeps, on a resume, the cursors of older notifications that the hub does not name", () => {
  const state = run([mine([notified(1), notified(2, { ticket_id: OTHER })], [{ ticket_id: TICKET, seq: 1 }])], begun);
  const resumed = run([mineAfter([notified(3, { ticket_id: OTHER })], [])], state);
  expect(unread(resumed)).toEqual([
    [OTHER, 2],
    [TICKET, 0],
  ]);
});

it("starts over on a reset, cursors and all", () => {
  const state = run([mine([notified(1), notified(2)], [{ ticket_id: TICKET, seq: 2 }])], begun);
  const restored = run([mine([notified(1)], [], { stream: "other" })], state);
  expect(seqs(restored)).toEqual([1]);
  expect(unread(restored)).toEqual([[TICKET, 1]]);
});

it("counts each number once and shows nothing after a gap until the missing part has come", () => {
  const state = run([mine([notified(1)]), told(notified(2)), told(notified(2)), told(notified(4))], begun);
  expect(seqs(state)).toEqual([1, 2]);
  expect(state.topics[ME]?.link).toEqual({ at: "behind" });
  expect(seqs(run([mineAfter([notified(3), notified(4)])], state))).toEqual([1, 2, 3, 4]);
});

it("counts the number of what I may no longer see, and shows nothing", () => {
  const hidden = { ...notified(2), event: { type: "nothing_changed" as const } };
  const state = run([mine([notified(1)]), told(hidden), told(notified(3))], begun);
  expect(state.topics[ME]).toMatchObject({ seq: 3, link: { at: "live" } });
  expect(unread(state)).toEqual([[TICKET, 2]]);
});

it("joins older notifications without a gap", () => {
  const state = run([mine([notified(8)])], begun);
  const gap = run([{ type: "local:older_loaded", topic: ME, events: [notified(5), notified(6)] }], state);
  expect(seqs(gap)).toEqual([8]);
  const joined = run([{ type: "local:older_loaded", topic: ME, events: [notified(6), notified(7)] }], gap);
  expect(seqs(joined)).toEqual([6, 7, 8]);
});

it("is no news what happens before my eyes", () => {
  const looking = run([mine([]), { type: "local:attending", ticket_id: TICKET }, told(notified(1))], begun);
  expect(unread(looking)).toEqual([[TICKET, 0]]);
  expect(unread(run([{ type: "local:attending", ticket_id: null }], looking))).toEqual([[TICKET, 1]]);
});

it("is read here at once, and again unread when the hub will not have it", () => {
  const state = run([mine([notified(3)]), { type: "local:marking", ticket_id: TICKET, seq: 3 }], begun);
  expect(unread(state)).toEqual([[TICKET, 0]]);
  expect(unread(run([{ type: "local:mark_refused", ticket_id: TICKET }], state))).toEqual([[TICKET, 1]]);
  const confirmed = run([{ type: "local:marked", ticket_id: TICKET, seq: 3 }], state);
  expect(confirmed.marking).toEqual({});
  expect(unread(confirmed)).toEqual([[TICKET, 0]]);
});

it("tells when each thing happened and by whom", () => {
  const [news] = newsByTicket(run([mine([notified(1)])], begun));
  expect(news?.newest).toMatchObject({ at: NOW, by: { name: "Cleo" }, told: { excerpt: "It still burns." } });
});
