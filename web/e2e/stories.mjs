// What two or three people do with one ticket, in real browsers, on a real hub.
import { choose, count, message, mustBe, note, openTicket, reply, row, take, write } from "./desk.mjs";
import { newVisitor, signIn, until } from "./pages.mjs";
import { agent, customer, leave, mustBeSilentAbout, OUTAGE, unique } from "./people.mjs";

/** @typedef {import("./people.mjs").Stage} Stage */
/** @typedef {import("./people.mjs").Story} Story */

/** @type {Story[]} */
export const stories = [
  {
    name: "a customer asks, an agent sees it at once and replies, the customer sees the reply at once",
    tell: askAndAnswer,
  },
  { name: "an internal note never reaches the customer, not even in a frame", tell: notesStayInside },
  { name: "status and assignment change live in both consoles", tell: changesAreLive },
  {
    name: "a reply written without knowing what came in between waits for a decision, and nothing is lost",
    tell: noBlindReply,
  },
  { name: "two agents change one title: the second is told, and decides", tell: twoTitles },
  { name: "a hub that is killed and comes back gets the reply of the outage exactly once", tell: killedHub },
  { name: "without a network the page says so, and sends what was written when it is back", tell: offline },
  { name: "hands can stay on the keyboard, and nothing that arrives takes the focus", tell: keysAndFocus },
  { name: "a reload keeps the draft, and a sent one does not come back", tell: draftsStay },
  { name: "what is older than the first screenful is loaded on demand, without a gap", tell: olderMessages },
  { name: "signing out in one tab ends the other, and its draft is there after the next sign-in", tell: twoTabs },
  { name: "a wrong password is answered in plain words, and signing out ends the session", tell: inAndOut },
];

/** @param {Stage} stage */
async function askAndAnswer({ browser, hub }) {
  const title = unique("The printer is on fire");
  const ana = await agent(browser, hub, "ana");
  const cleo = await customer(browser, hub);
  await openTicket(cleo, title, "Please come quickly.");
  await take(ana, title);
  await reply(ana, "I am on my way.");
  await message(cleo, "I am on my way.").waitFor();
  await reply(cleo, "Thank you!");
  await message(ana, "Thank you!").waitFor();
  await leave({ ana, cleo });
}

/** @param {Stage} stage */
async function notesStayInside({ browser, hub }) {
  const title = unique("A quiet question");
  const secret = unique("the customer must never read this");
  const ana = await agent(browser, hub, "ana");
  const bo = await agent(browser, hub, "bo");
  const cleo = await customer(browser, hub);
  await openTicket(cleo, title, "Can you help?");
  await take(ana, title);
  await take(bo, title);
  await note(ana, secret);
  await message(bo, secret).waitFor();
  // what was written after the note has arrived: the note would have been there before it
  await reply(ana, "Yes, we can.");
  await message(cleo, "Yes, we can.").waitFor();
  if ((await count(cleo, secret)) > 0) throw new Error("the customer's page shows the note");
  mustBeSilentAbout(cleo, secret);
  await cleo.page.reload();
  await message(cleo, "Yes, we can.").waitFor();
  if ((await count(cleo, secret)) > 0) throw new Error("the customer's page shows the note after a reload");
  mustBeSilentAbout(cleo, secret);
  if (!ana.frames.some((frame) => frame.includes(secret)))
    throw new Error("frames are not recorded: this test would see nothing");
  await leave({ ana, bo, cleo });
}

/** @param {Stage} stage */
async function changesAreLive({ browser, hub }) {
  const title = unique("Move the meeting");
  const ana = await agent(browser, hub, "ana");
  const bo = await agent(browser, hub, "bo");
  const cleo = await customer(browser, hub);
  await openTicket(cleo, title, "Tomorrow does not work.");
  await take(ana, title);
  await row(bo, title).waitFor();
  await choose(ana, /^Status/, "In progress");
  await row(bo, title).getByText("In progress").waitFor();
  await cleo.page.getByRole("main").getByText("In progress", { exact: true }).first().waitFor();
  await take(bo, title);
  await choose(bo, /^Assignee/, /\(me\)/);
  await ana.page
    .getByRole("main")
    .getByRole("button", { name: /^Assignee: Bo/ })
    .waitFor();
  await choose(ana, /^Priority/, "P1 Urgent");
  await row(bo, title).getByText("P1 Urgent").waitFor();
  await leave({ ana, bo, cleo });
}

/** @param {Stage} stage */
async function noBlindReply({ browser, hub }) {
  const title = unique("Refund, please");
  const ana = await agent(browser, hub, "ana");
  const bo = await agent(browser, hub, "bo");
  const cleo = await customer(browser, hub);
  await openTicket(cleo, title, "I was charged twice.");
  await take(ana, title);
  await take(bo, title);
  // Ana begins to write; what counts is what she knew then
  await write(ana, "We cannot refund this.");
  await reply(bo, "The refund is on its way.");
  await ana.page.getByText(/replied while you were writing/).waitFor();
  await ana.page.getByRole("button", { name: "Send", exact: true }).click();
  const panel = ana.page.getByTestId("conflict");
  await panel.getByText("The refund is on its way.").waitFor();
  if ((await panel.getByLabel("Your reply").inputValue()) !== "We cannot refund this.")
    throw new Error("the text is not in the panel");
  if ((await count(cleo, "We cannot refund this.")) > 0) throw new Error("the blind reply was sent");

  await panel.getByRole("button", { name: "Edit mine" }).click();
  const box = ana.page.getByRole("textbox", { name: "Reply to the customer" });
  await until("the text is back", async () => (await box.inputValue()) === "We cannot refund this.");
  await box.fill("As Bo says: the refund is on its way.");
  await reply(bo, "It takes three days.");
  await message(ana, "It takes three days.").waitFor();
  await ana.page.getByRole("button", { name: "Send", exact: true }).click();
  await panel.getByRole("button", { name: "Send anyway" }).click();
  await message(cleo, "As Bo says: the refund is on its way.").waitFor();
  await panel.waitFor({ state: "detached" });
  if ((await count(cleo, "As Bo says: the refund is on its way.")) !== 1)
    throw new Error("the reply is not there exactly once");
  await leave({ ana, bo, cleo });
}

/** @param {Stage} stage */
async function twoTitles({ browser, hub }) {
  const title = unique("Asdf");
  const ana = await agent(browser, hub, "ana");
  const bo = await agent(browser, hub, "bo");
  const cleo = await customer(browser, hub);
  await openTicket(cleo, title, "The title says it all.");
  await take(ana, title);
  await take(bo, title);
  await ana.page.getByRole("button", { name: "Change the title" }).click();
  await rename(bo, `${title} by Bo`);
  await row(ana, `${title} by Bo`).waitFor();
  await ana.page.getByLabel("Title", { exact: true }).fill(`${title} by Ana`);
  await ana.page.getByRole("button", { name: "Save" }).click();
  const told = ana.page.getByTestId("field-conflicts");
  await told.getByText(`Bo Jensen set “${title} by Bo”, you chose “${title} by Ana”`).waitFor();
  await ana.page.getByRole("heading", { name: `${title} by Bo` }).waitFor();
  await told.getByRole("button", { name: "Apply mine" }).click();
  await bo.page.getByRole("heading", { name: `${title} by Ana` }).waitFor();
  await told.waitFor({ state: "detached" });
  await leave({ ana, bo, cleo });
}

/** @param {import("./pages.mjs").Visitor} visitor @param {string} title */
async function rename({ page }, title) {
  await page.getByRole("button", { name: "Change the title" }).click();
  await page.getByLabel("Title", { exact: true }).fill(title);
  await page.getByRole("button", { name: "Save" }).click();
}

/** @param {Stage} stage */
async function killedHub({ browser, hub }) {
  const title = unique("The lights went out");
  const ana = await agent(browser, hub, "ana");
  const cleo = await customer(browser, hub);
  await openTicket(cleo, title, "It is dark here.");
  await take(ana, title);
  await reply(ana, "Before the outage.");
  await message(cleo, "Before the outage.").waitFor();

  await hub.kill();
  await mustBe(ana, "reconnecting");
  await mustBe(cleo, "reconnecting");
  await reply(ana, "Written during the outage.");
  await ana.page.getByText("Will be sent as soon as the connection is back.").waitFor();
  await hub.start();
  await mustBe(ana, "live");
  await mustBe(cleo, "live");
  await message(cleo, "Written during the outage.").waitFor();
  await reply(cleo, "The light is back.");
  await message(ana, "The light is back.").waitFor();
  await ana.page.reload();
  await message(ana, "The light is back.").waitFor();
  for (const [who, visitor] of Object.entries({ ana, cleo })) {
    const times = await count(visitor, "Written during the outage.");
    if (times !== 1) throw new Error(`${who} sees the reply of the outage ${times} times`);
  }
  await leave({ ana, cleo }, OUTAGE);
}

/** @param {Stage} stage */
async function offline({ browser, hub }) {
  const title = unique("The train is in a tunnel");
  const ana = await agent(browser, hub, "ana");
  const cleo = await customer(browser, hub);
  await openTicket(cleo, title, "Are you there?");
  await take(ana, title);
  await ana.context.setOffline(true);
  await mustBe(ana, "offline");
  await reply(ana, "Written in the tunnel.");
  await reply(cleo, "Hello?");
  await ana.page.getByText("1 action queued").waitFor();
  await ana.context.setOffline(false);
  await mustBe(ana, "live");
  // the customer wrote meanwhile, so that the reply was a blind one
  const panel = ana.page.getByTestId("conflict");
  await panel.getByText("Hello?").waitFor();
  await panel.getByRole("button", { name: "Send anyway" }).click();
  await message(cleo, "Written in the tunnel.").waitFor();
  await panel.waitFor({ state: "detached" });
  if ((await count(ana, "Written in the tunnel.")) !== 1) throw new Error("the reply is not there exactly once");
  await leave({ ana, cleo }, OUTAGE);
}

/** @param {Stage} stage */
async function keysAndFocus({ browser, hub }) {
  const title = unique("No mouse at hand");
  const ana = await agent(browser, hub, "ana");
  const cleo = await customer(browser, hub);
  await openTicket(cleo, title, "Where is it?");
  await row(ana, title).waitFor();
  await ana.page.keyboard.press("j");
  await ana.page.keyboard.press("j");
  await ana.page.keyboard.press("k");
  await ana.page.locator(`[data-row]:focus`).filter({ hasText: title }).waitFor();
  await ana.page.keyboard.press("Enter");
  await ana.page.getByRole("heading", { name: title }).waitFor();
  await message(ana, "Where is it?").waitFor();
  await ana.page.keyboard.press("r");
  // j and k are letters here
  await ana.page.keyboard.type("just k");
  for (let line = 1; line <= 5; line++) {
    await reply(cleo, `Line ${line}`);
    await message(ana, `Line ${line}`).waitFor();
    await ana.page.keyboard.type(".");
  }
  const box = ana.page.getByRole("textbox", { name: "Reply to the customer" });
  const text = await box.inputValue();
  if (text !== "just k.....") throw new Error(`what arrived disturbed the writing: ${text}`);
  if (!(await box.evaluate((area) => area === document.activeElement))) throw new Error("the focus was taken");
  await ana.page.getByRole("button", { name: "I have seen it" }).click();
  await box.press("Control+Enter");
  await message(cleo, "just k.....").waitFor();
  await leave({ ana, cleo });
}

/** @param {Stage} stage */
async function twoTabs({ browser, hub }) {
  const title = unique("Two tabs");
  const ana = await agent(browser, hub, "ana");
  const cleo = await customer(browser, hub);
  await openTicket(cleo, title, "Which one?");
  await take(ana, title);
  await write(ana, "Not finished");
  await ana.page.getByText(/^Saved /).waitFor();
  const other = await ana.context.newPage();
  await other.goto("/");
  await other.getByRole("button", { name: /^Account of/ }).click();
  await other.getByRole("menuitem", { name: "Sign out" }).click();
  await ana.page.getByText("Your sign-in has ended.").waitFor();
  // the page of before has kept its address: signing in leads back to the ticket
  await ana.page.getByLabel("E-mail").fill("ana@acme.test");
  await ana.page.getByLabel("Password").fill("demo");
  await ana.page.getByRole("button", { name: "Sign in" }).click();
  const box = ana.page.getByRole("textbox", { name: "Reply to the customer" });
  await until("the draft is back", async () => (await box.inputValue()) === "Not finished");
  await leave({ ana, cleo });
}

/** @param {Stage} stage */
async function draftsStay({ browser, hub }) {
  const title = unique("A long story");
  const ana = await agent(browser, hub, "ana");
  const cleo = await customer(browser, hub);
  await openTicket(cleo, title, "It began like this.");
  await take(ana, title);
  await write(ana, "Half a thought");
  await ana.page.getByText(/^Saved /).waitFor();
  await ana.page.reload();
  const box = ana.page.getByRole("textbox", { name: "Reply to the customer" });
  await until("the draft is back", async () => (await box.inputValue()) === "Half a thought");
  await ana.page.getByRole("button", { name: "Send", exact: true }).click();
  await message(cleo, "Half a thought").waitFor();
  await ana.page.reload();
  await message(ana, "Half a thought").waitFor();
  if ((await box.inputValue()) !== "") throw new Error("a sent draft came back");
  await leave({ ana, cleo });
}

/** @param {Stage} stage */
async function olderMessages({ browser, hub }) {
  const title = unique("Everything that I know");
  const ana = await agent(browser, hub, "ana");
  const cleo = await customer(browser, hub);
  const ticket = await openTicket(cleo, title, "It is much.");
  // together more than one message of the hub can carry (256 KiB)
  await cleo.page.evaluate(sayMuch, { ticket, times: 12, bytes: 30_000 });
  await take(ana, title);
  await message(ana, "Chapter 12").waitFor();
  if ((await count(ana, "Chapter 1")) > 0) throw new Error("nothing was left to be loaded");
  await ana.page.getByRole("region", { name: "Thread" }).evaluate((box) => box.scrollTo(0, 0));
  await ana.page.getByRole("button", { name: "Load older messages" }).click();
  await message(ana, "Chapter 1").waitFor();
  for (let chapter = 1; chapter <= 12; chapter++) {
    const times = await count(ana, `Chapter ${chapter}`);
    if (times !== 1) throw new Error(`chapter ${chapter} is there ${times} times`);
  }
  await leave({ ana, cleo });
}

/** Runs in the page, with its sign-in. @param {{ ticket: string, times: number, bytes: number }} what */
async function sayMuch({ ticket, times, bytes }) {
  for (let chapter = 1; chapter <= times; chapter++) {
    const answer = await fetch(`/api/v1/tickets/${ticket}/comments`, {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": `${ticket}-${chapter}` },
      body: JSON.stringify({ audience: "public", body: `Chapter ${chapter}\n\n${"word ".repeat(bytes / 5)}` }),
    });
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  }
}

/** @param {Stage} stage */
async function inAndOut({ browser, hub }) {
  const ana = await newVisitor(browser, hub.address);
  await signIn(ana, "ana@acme.test", { password: "wrong" });
  await ana.page.getByRole("alert").filter({ hasText: "do not belong together" }).waitFor();
  await signIn(ana, "ana@acme.test");
  await mustBe(ana, "live");
  await ana.page.getByRole("button", { name: /^Account of/ }).click();
  await ana.page.getByRole("menuitem", { name: "Sign out" }).click();
  await ana.page.getByRole("button", { name: "Sign in" }).waitFor();
  await ana.page.reload();
  await ana.page.getByRole("button", { name: "Sign in" }).waitFor();
  await leave({ ana }, [/^console: Failed to load resource: .* 401/]);
}
