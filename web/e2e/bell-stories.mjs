// Who is told of what, and that what is read on one device is read on all.
import { mustCount, news, openBell, panel, readAll } from "./bell.mjs";
import { choose, message, mustBe, note, openTicket, reply, row, take } from "./desk.mjs";
import { shoot, until } from "./pages.mjs";
import { agent, customer, leave, mustBeSilentAbout, OUTAGE, unique } from "./people.mjs";

/** @typedef {import("./people.mjs").Stage} Stage */
/** @typedef {import("./pages.mjs").Visitor} Visitor */

/** What the browser says when the hub asks to slow down. */
const SLOWED_DOWN = [/^console: Failed to load resource: .* 429/];

/** @type {import("./people.mjs").Story[]} */
export const bellStories = [
  {
    name: "a customer's reply rings an agent's bell, and read in one browser it is read in the other",
    tell: twoDevices,
  },
  { name: "an agent's reply rings the customer's bell, a note does not", tell: customersBell },
  { name: "a colleague assigns and mentions: the bell says both, the customer learns of neither", tell: colleagues },
  { name: "after an outage the bell has everything that happened, once, and a reload changes nothing", tell: outage },
  { name: "older notifications are loaded on demand, and all are marked at once", tell: older },
  { name: "what arrives while nobody looks at it stays news until somebody does", tell: unseen },
  { name: "hands on the keyboard open the bell, walk in it and leave it", tell: keys },
  { name: "one tab of a browser rings on the desktop, and only after it was asked to", tell: oneTabRings },
];

/** @param {Stage} stage */
async function twoDevices({ browser, hub }) {
  const title = unique("The kettle is cold");
  const ana = await agent(browser, hub, "ana");
  const elsewhere = await agent(browser, hub, "ana");
  const cleo = await customer(browser, hub);
  const ticket = await openTicket(cleo, title, "No tea today.");
  await take(ana, title);
  await choose(ana, /^Assignee/, /\(me\)/);
  await ana.page.goto("/");
  await mustBe(ana, "live");
  await readAll(ana);
  await mustCount(elsewhere, 0);

  const text = "Any *news* yet? <img src=x onerror=alert(1)>";
  await cleo.page.getByRole("textbox", { name: "Your message" }).fill(text);
  await cleo.page.getByRole("button", { name: "Send", exact: true }).click();
  await mustCount(ana, 1);
  await mustCount(elsewhere, 1);
  await row(ana, title).getByText("Unread:").waitFor();
  await openBell(ana);
  await news(ana, title).getByText("replied").waitFor();
  await news(ana, title).getByText(text).waitFor();
  if ((await panel(ana).locator("img").count()) > 0) throw new Error("what somebody wrote became more than text");
  await news(ana, title).getByRole("link").click();
  await ana.page.getByRole("heading", { name: title }).waitFor();
  await ana.page.locator("[data-seq].pointed").waitFor({ state: "attached" });
  await mustCount(ana, 0);
  await mustCount(elsewhere, 0);
  if (!ana.page.url().includes(`/t/${ticket}`)) throw new Error(`it leads to ${ana.page.url()}`);
  await ana.page.reload();
  await mustBe(ana, "live");
  await message(ana, "No tea today.").waitFor();
  await mustCount(ana, 0);

  // what happens before her eyes is read at once, on both
  await reply(cleo, "It is warm again.");
  await message(ana, "It is warm again.").waitFor();
  await openBell(elsewhere);
  await news(elsewhere, title).getByText("It is warm again.").waitFor();
  await mustCount(elsewhere, 0);
  await mustCount(ana, 0);
  await leave({ ana, elsewhere, cleo });
}

/** @param {Stage} stage */
async function customersBell({ browser, hub }) {
  const title = unique("The door squeaks");
  const ana = await agent(browser, hub, "ana");
  const cleo = await customer(browser, hub);
  const again = await customer(browser, hub);
  await openTicket(cleo, title, "Oil, please.");
  await take(ana, title);
  await cleo.page.goto("/help");
  await mustBe(cleo, "live");
  await readAll(cleo);
  await mustCount(again, 0);
  const secret = unique("the door has been stolen");
  await note(ana, secret);
  await message(ana, secret).waitFor();
  await reply(ana, "The oil is on its way.");
  await mustCount(cleo, 1);
  await mustCount(again, 1);
  await cleo.page
    .getByRole("main")
    .getByRole("link", { name: /^Unread: / })
    .filter({ hasText: title })
    .waitFor();
  await openBell(cleo);
  await news(cleo, title).getByText("The oil is on its way.").waitFor();
  await news(cleo, title).getByRole("link").click();
  await message(cleo, "The oil is on its way.").waitFor();
  await mustCount(cleo, 0);
  await mustCount(again, 0);
  mustBeSilentAbout(cleo, secret);
  await leave({ ana, cleo, again });
}

/** @param {Stage} stage */
async function colleagues({ browser, hub }) {
  const title = unique("Who knows about lifts?");
  const ana = await agent(browser, hub, "ana");
  const bo = await agent(browser, hub, "bo");
  const cleo = await customer(browser, hub);
  await openTicket(cleo, title, "It stops between the floors.");
  await readAll(ana);
  await take(bo, title);
  await choose(bo, /^Assignee/, /^(?!.*\(me\)).*Ana/);
  await mustCount(ana, 1);
  await openBell(ana);
  await news(ana, title).getByText("assigned you").waitFor();
  await ana.page.keyboard.press("Escape");

  await bo.page.getByRole("button", { name: "Internal note", exact: true }).click();
  const box = bo.page.getByRole("textbox", { name: "Internal note for colleagues" });
  await box.pressSequentially("Have a look, @an");
  const name = ((await bo.page.getByRole("option", { selected: true }).textContent()) ?? "").trim();
  await box.press("Enter");
  await box.pressSequentially("please.");
  if ((await box.inputValue()) !== `Have a look, @${name} please.`)
    throw new Error(`the mention became "${await box.inputValue()}"`);
  await bo.page.getByText(`Notifies ${name}.`).waitFor();
  await bo.page.getByRole("button", { name: "Add note" }).click();
  await bo.page
    .getByRole("article")
    .locator("mark", { hasText: `@${name}` })
    .waitFor();
  await mustCount(ana, 1);
  await openBell(ana);
  await news(ana, title).getByText("mentioned you").waitFor();
  await news(ana, title).getByText("2 unread:").waitFor();
  await ana.page.keyboard.press("Escape");

  await bo.page.getByRole("button", { name: "Reply", exact: true }).click();
  await bo.page.getByRole("textbox", { name: "Reply to the customer" }).fill(`@${name} will come and look.`);
  await bo.page.getByText(/The customer sees the name/).waitFor();
  await bo.page.getByRole("button", { name: "Send", exact: true }).click();
  await message(cleo, `@${name} will come and look.`).waitFor();
  await openBell(ana);
  await news(ana, title).getByText("3 unread:").waitFor();
  await news(ana, title).getByRole("link").click();
  await ana.page.getByText("mentions you").first().waitFor();
  await mustCount(ana, 0);
  mustBeSilentAbout(cleo, "mentions");
  mustBeSilentAbout(cleo, "Have a look");
  if (!bo.frames.some((frame) => frame.includes("mentions")))
    throw new Error("frames say nothing about mentions at all");
  await leave({ ana, bo, cleo });
}

/** @param {Stage} stage */
async function outage({ browser, hub }) {
  const ana = await agent(browser, hub, "ana");
  const cleo = await customer(browser, hub);
  const titles = ["First", "Second", "Third"].map((words) => unique(`${words} of three`));
  const tickets = [];
  for (const title of titles) {
    await cleo.page.goto("/help");
    tickets.push(await openTicket(cleo, title, "One of three."));
    await take(ana, title);
    await choose(ana, /^Assignee/, /\(me\)/);
    await ana.page.getByRole("button", { name: /^Assignee: Ana/ }).waitFor();
  }
  await ana.page.goto("/");
  await mustBe(ana, "live");
  await readAll(ana);
  await reply(cleo, "Before the outage.");
  await mustCount(ana, 1);

  // what Ana's page misses is written by others while it is away, before and after the hub has died
  await ana.context.setOffline(true);
  await mustBe(ana, "offline");
  await say(cleo, tickets[0], "before");
  await hub.kill();
  await hub.start();
  await mustBe(cleo, "live");
  await say(cleo, tickets[1], "after");
  await say(cleo, tickets[1], "after once more");
  await ana.context.setOffline(false);
  await mustBe(ana, "live");
  await mustCount(ana, 3);
  const isWhole = async () => {
    await openBell(ana);
    for (const [title, text, unread] of [
      [titles[0], "before", "Unread:"],
      [titles[1], "after once more", "2 unread:"],
      [titles[2], "Before the outage.", "Unread:"],
    ]) {
      await news(ana, `${title}`).getByText(`${text}`, { exact: true }).waitFor();
      await news(ana, `${title}`).getByText(`${unread}`, { exact: true }).waitFor();
    }
    await ana.page.keyboard.press("Escape");
  };
  await isWhole();
  await ana.page.reload();
  await mustBe(ana, "live");
  await mustCount(ana, 3);
  await isWhole();
  await leave({ ana, cleo }, OUTAGE);
}

/** @param {Stage} stage */
async function older({ browser, hub }) {
  const [first, second] = [unique("Long ago"), unique("Much noise")];
  const ana = await agent(browser, hub, "ana");
  const cleo = await customer(browser, hub);
  const tickets = [];
  for (const title of [first, second]) {
    await cleo.page.goto("/help");
    tickets.push(await openTicket(cleo, title, "Listen."));
    await take(ana, title);
    await choose(ana, /^Assignee/, /\(me\)/);
    await ana.page.getByRole("button", { name: /^Assignee: Ana/ }).waitFor();
  }
  await ana.page.goto("/");
  await readAll(ana);
  await say(cleo, tickets[0], "Long ago.");
  for (let time = 1; time <= 100; time++) await say(cleo, tickets[1], `Noise ${time}`);
  await ana.page.reload();
  await mustBe(ana, "live");
  await mustCount(ana, 1);
  await openBell(ana);
  await news(ana, second).getByText("100 unread:").waitFor();
  if ((await news(ana, first).count()) > 0) throw new Error("nothing was left to be loaded");
  await panel(ana).getByRole("button", { name: "Show older" }).click();
  await news(ana, first).getByText("Long ago.").waitFor();
  await mustCount(ana, 2);
  await panel(ana).getByRole("button", { name: "Mark all read" }).click();
  await mustCount(ana, 0);
  await ana.page.reload();
  await mustBe(ana, "live");
  await mustCount(ana, 0);
  await leave({ ana, cleo }, SLOWED_DOWN);
}

/** @param {Stage} stage */
async function unseen({ browser, hub }) {
  const title = unique("Nobody is looking");
  const ana = await agent(browser, hub, "ana");
  const cleo = await customer(browser, hub);
  const ticket = await openTicket(cleo, title, "Hello?");
  for (let line = 1; line <= 20; line++) await say(cleo, ticket, `Line ${line}`);
  await readAll(ana);
  await take(ana, title);
  await choose(ana, /^Assignee/, /\(me\)/);
  await ana.page.getByRole("button", { name: /^Assignee: Ana/ }).waitFor();

  // another window has the focus
  await ana.page.evaluate(() => {
    document.hasFocus = () => false;
    window.dispatchEvent(new Event("blur"));
  });
  await reply(cleo, "Is somebody there?");
  await message(ana, "Is somebody there?").waitFor();
  await mustCount(ana, 1);
  await ana.page.evaluate(() => {
    document.hasFocus = () => true;
    window.dispatchEvent(new Event("focus"));
  });
  await mustCount(ana, 0);
  await ana.page.getByText(/^New since \d/).waitFor();

  // the end of the thread is not on the screen
  const thread = ana.page.getByRole("region", { name: "Thread" });
  await thread.evaluate((box) => box.scrollTo(0, 0));
  const more = ana.page.getByRole("button", { name: "1 new message" });
  await until("the beginning is on the screen", () => thread.evaluate((box) => box.scrollTop === 0));
  await reply(cleo, "Down here.");
  await more.waitFor();
  await mustCount(ana, 1);
  await shoot(ana, "c6-below-light");
  await more.click();
  await mustCount(ana, 0);
  await leave({ ana, cleo });
}

/** @param {Stage} stage */
async function keys({ browser, hub }) {
  const title = unique("Keys again");
  const ana = await agent(browser, hub, "ana");
  const cleo = await customer(browser, hub);
  await openTicket(cleo, title, "Click, clack.");
  await take(ana, title);
  await choose(ana, /^Assignee/, /\(me\)/);
  await ana.page.getByRole("button", { name: /^Assignee: Ana/ }).waitFor();
  await ana.page.goto("/");
  await readAll(ana);
  await reply(cleo, "Clack.");
  await mustCount(ana, 1);
  await ana.page.keyboard.press("b");
  await panel(ana).waitFor();
  await until("the focus is in the panel", () => hasFocus(panel(ana)));
  // letters are no shortcuts in here
  await ana.page.keyboard.press("j");
  await ana.page.keyboard.press("Escape");
  await panel(ana).waitFor({ state: "detached" });
  await ana.page.keyboard.press("b");
  await panel(ana).waitFor();
  await until("the focus is in the panel", () => hasFocus(panel(ana)));
  await panel(ana).getByRole("link").first().focus();
  await ana.page.keyboard.press("ArrowDown");
  await ana.page.keyboard.press("ArrowUp");
  await until("the first row has the focus", () => hasFocus(news(ana, title)));
  await ana.page.keyboard.press("Enter");
  await ana.page.getByRole("heading", { name: title }).waitFor();
  await message(ana, "Clack.").waitFor();
  await mustCount(ana, 0);
  await leave({ ana, cleo });
}

/** @param {Stage} stage */
async function oneTabRings({ browser, hub }) {
  const title = unique("Ring once");
  const ana = await agent(browser, hub, "ana");
  const cleo = await customer(browser, hub);
  await openTicket(cleo, title, "Ding.");
  await take(ana, title);
  await choose(ana, /^Assignee/, /\(me\)/);
  await ana.page.getByRole("button", { name: /^Assignee: Ana/ }).waitFor();
  await ana.context.addInitScript(pretendDesktop);
  const other = { page: await ana.context.newPage() };
  for (const { page } of [ana, other]) {
    await page.goto("/");
    await page.locator('[data-link="live"]').waitFor({ state: "attached" });
  }
  await readAll(ana);
  if ((await rung(ana)).length > 0) throw new Error("it rang before it was asked to");
  await openBell(ana);
  await panel(ana).getByRole("button", { name: "Turn on desktop notifications" }).click();
  await panel(ana).getByText("Desktop notifications are on").waitFor();
  await ana.page.keyboard.press("Escape");

  await reply(cleo, "Dong.");
  await until("one tab rings", async () => (await rung(ana)).length > 0);
  await mustCount(ana, 1);
  await mustCount(other, 1);
  // what was told later has rung as well: by then the other tab would have rung for the first
  await ana.page.close();
  const told = await rung(other);
  await reply(cleo, "Ding dong.");
  await until("the tab that is left rings", async () => (await rung(other)).length > told.length);
  const [first, second, third] = await rung(other);
  if (!first?.includes("Dong.") || !second?.includes("Ding dong.") || third)
    throw new Error(`it rang ${JSON.stringify(await rung(other))}`);
  await leave({ cleo });
  await ana.context.close();
}

/** Replies by REST, with the sign-in of the page. @param {Visitor} visitor @param {string | undefined} ticket @param {string} body */
async function say({ page }, ticket, body) {
  await page.evaluate(post, { ticket, body, key: unique("say") });
}

/** Runs in the page. Waits where the hub asks it to slow down. @param {{ ticket: string | undefined, body: string, key: string }} what */
async function post({ ticket, body, key }) {
  for (;;) {
    const answer = await fetch(`/api/v1/tickets/${ticket}/comments`, {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": key },
      body: JSON.stringify({ audience: "public", body }),
    });
    if (answer.ok) return;
    const problem = await answer.json();
    if (problem.code !== "rate_limited") throw new Error(`${answer.status} ${JSON.stringify(problem)}`);
    await new Promise((resolve) => setTimeout(resolve, problem.retry_after_ms));
  }
}

/** @param {import("playwright-core").Locator} place */
function hasFocus(place) {
  return place.first().evaluate((element) => element.contains(document.activeElement));
}

/** Runs in each page before its own scripts: a desktop that all tabs of the browser share, without a window of its own. */
function pretendDesktop() {
  const list = () => JSON.parse(localStorage.getItem("e2e-rung") ?? "[]");
  class Pretended {
    static get permission() {
      return localStorage.getItem("e2e-permission") ?? "default";
    }
    static async requestPermission() {
      localStorage.setItem("e2e-permission", "granted");
      return "granted";
    }
    /** @param {string} title @param {NotificationOptions} options */
    constructor(title, options) {
      localStorage.setItem("e2e-rung", JSON.stringify([...list(), `${title} ${options.body}`]));
    }
    close() {}
  }
  Object.defineProperty(window, "Notification", { value: Pretended });
}

/** @param {{ page: import("playwright-core").Page }} visitor @returns {Promise<string[]>} */
function rung({ page }) {
  return page.evaluate(() => JSON.parse(localStorage.getItem("e2e-rung") ?? "[]"));
}
