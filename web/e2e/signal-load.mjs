// How much a page suffers when a whole workspace is busy: its main thread, measured by the browser's own trace.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { mustBe } from "./desk.mjs";
import { standBefore } from "./injector.mjs";
import { mustBeQuiet, newVisitor, signIn, until } from "./pages.mjs";

/** @typedef {import("./people.mjs").Stage} Stage */

/** More than any hub sends one page: what the page's own code makes of it is what counts. */
const MANY_PER_SECOND = 1000;
const TICK_MS = 10;
const LASTS_MS = 10_000;
/** Bounds of the main thread's own time: how much of it is used, and the longest task. */
const MOST_BUSY = 0.05;
const LONGEST_TASK_MS = 50;

/** @type {import("./people.mjs").Story[]} */
export const loadStories = [
  { name: "a thousand presence changes a second leave the console's main thread free", tell: thousandChanges },
];

/** @param {Stage} stage */
async function thousandChanges({ browser, hub }) {
  const wire = await standBefore(hub.address);
  try {
    const ana = await newVisitor(browser, wire.address);
    await signIn(ana, "ana@acme.test");
    await mustBe(ana, "live");
    await ana.page.locator("[data-row]").first().waitFor();
    // the rows that the page has asked for: those on the screen, and a few around
    const tickets = await ana.page
      .locator("[data-ticket]")
      .evaluateAll((rows) =>
        rows
          .filter((row) => row.getBoundingClientRect().top < innerHeight)
          .map((row) => row.getAttribute("data-ticket")),
      );
    const quiet = await traced(browser, ana.page, () => rest(LASTS_MS / 2));
    // however much happens in a workspace, the hub tells of each row on the screen once a second
    const most = await traced(browser, ana.page, () => storm(wire, tickets, tickets.length));
    const many = await traced(browser, ana.page, () => storm(wire, tickets, MANY_PER_SECOND));
    const code = await ownCode(ana, () => storm(wire, tickets, MANY_PER_SECOND));
    await until("the last of them shows", async () => (await ana.page.locator("[data-row-presence]").count()) > 0);
    console.log(
      `      main thread: quiet ${inWords(quiet)}; as a hub tells of a busy workspace (${tickets.length}/s) ${inWords(most)}; ` +
        `at ${MANY_PER_SECOND}/s ${inWords(many)}, the page's code ${percent(code)} of it`,
    );
    if (most.share > MOST_BUSY) throw new Error(`the main thread was busy: ${inWords(most)}`);
    if (code > MOST_BUSY) throw new Error(`the page's code was busy: ${percent(code)}`);
    for (const one of [most, many])
      if (one.longestMs > LONGEST_TASK_MS) throw new Error(`a task was too long: ${inWords(one)}`);
    mustBeQuiet(ana, "the agent");
    await ana.context.close();
  } finally {
    wire.close();
  }
}

/** @param {{ inject: (frame: object) => void }} wire @param {(string | null)[]} tickets @param {number} perSecond */
async function storm(wire, tickets, perSecond) {
  const began = Date.now();
  let sent = 0;
  while (Date.now() - began < LASTS_MS) {
    const due = Math.floor(((Date.now() - began) / 1000) * perSecond);
    for (; sent < due; sent++) wire.inject(change(`${tickets[sent % tickets.length]}`, sent));
    await rest(TICK_MS);
  }
  if (sent < 0.9 * perSecond * (LASTS_MS / 1000)) throw new Error(`only ${sent} changes were sent`);
}

/**
 * The share of time that the page's own script took, the rubbish it left included. What the browser does for each message
 * is not in it, of which most is done for the debugger that drives this test.
 * @param {import("./pages.mjs").Visitor} visitor @param {() => Promise<unknown>} act
 */
async function ownCode({ context, page }, act) {
  const session = await context.newCDPSession(page);
  await session.send("Profiler.enable");
  await session.send("Profiler.start");
  await act();
  const { profile } = await session.send("Profiler.stop");
  await session.detach();
  const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame.functionName]));
  const spent = { code: 0, all: 0 };
  for (const [at, id] of (profile.samples ?? []).entries()) {
    const micros = profile.timeDeltas?.[at] ?? 0;
    spent.all += micros;
    if (!["(idle)", "(program)", "(root)"].includes(names.get(id) ?? "")) spent.code += micros;
  }
  return spent.code / spent.all;
}

/** @param {string} ticket_id @param {number} turn */
function change(ticket_id, turn) {
  const since = new Date().toISOString();
  const states = ["viewing", "composing", "idle"];
  const users = Array.from({ length: 1 + (turn % 3) }, (_, at) => ({
    id: `00000000-0000-4000-8000-00000000000${at}`,
    name: ["Bo Jensen", "Lena Fischer", "Adam Novak"][at],
    kind: "agent",
    state: states[(Math.floor(turn / 50) + at) % states.length],
    ...((turn + at) % 3 === 1 && { audience: "public" }),
    since,
  }));
  return { type: "signal", topic: "workspace", signal: { type: "presence", ticket_id, users } };
}

/**
 * What the main thread did meanwhile, in its own time: a machine that is busy with others does not count.
 * @param {Stage["browser"]} browser @param {import("playwright-core").Page} page @param {() => Promise<unknown>} act
 */
async function traced(browser, page, act) {
  const file = path.join(os.tmpdir(), `tandem-trace-${process.pid}.json`);
  await browser.startTracing(page, { path: file, categories: ["toplevel", "disabled-by-default-devtools.timeline"] });
  const began = Date.now();
  await act();
  const lastedMs = Date.now() - began;
  await browser.stopTracing();
  const { traceEvents } = JSON.parse(fs.readFileSync(file, "utf8"));
  fs.rmSync(file);
  return mainThread(traceEvents, lastedMs);
}

/** @param {{ name: string, ph: string, pid: number, tid: number, tdur?: number, args?: { name?: string } }[]} events @param {number} lastedMs */
function mainThread(events, lastedMs) {
  const isMain = new Set(
    events
      .filter(({ name, args }) => name === "thread_name" && args?.name === "CrRendererMain")
      .map(({ pid, tid }) => `${pid} ${tid}`),
  );
  /** @type {Map<string, number[]>} */
  const tasks = new Map();
  for (const { name, ph, pid, tid, tdur } of events) {
    if (name !== "RunTask" || ph !== "X" || tdur === undefined || !isMain.has(`${pid} ${tid}`)) continue;
    const known = tasks.get(`${pid} ${tid}`) ?? [];
    known.push(tdur / 1000);
    tasks.set(`${pid} ${tid}`, known);
  }
  const sums = [...tasks.values()].map((all) => ({
    sumMs: all.reduce((sum, ms) => sum + ms, 0),
    longestMs: Math.max(...all),
  }));
  const busiest = sums.sort((a, b) => b.sumMs - a.sumMs)[0];
  if (!busiest) throw new Error("the trace holds no task of a main thread");
  return { share: busiest.sumMs / lastedMs, longestMs: busiest.longestMs };
}

/** @param {{ share: number, longestMs: number }} measured */
const inWords = ({ share, longestMs }) => `${percent(share)} busy, longest task ${longestMs.toFixed(1)} ms`;

/** @param {number} share */
const percent = (share) => `${(share * 100).toFixed(1)} %`;

/** @param {number} ms */
const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
