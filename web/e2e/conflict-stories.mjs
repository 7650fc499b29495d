// Two people and one text or field: nothing is sent blindly, nothing is lost, and each choice does what it says.
import { choose, count, message, mustBe, openTicket, reply, row, take, write } from "./desk.mjs";
import { mustBeAccessible, shoot, until } from "./pages.mjs";
import { agent, customer, leave, OUTAGE, unique } from "./people.mjs";

/** @typedef {import("./people.mjs").Stage} Stage */
/** @typedef {import("./pages.mjs").Visitor} Visitor */

/** @type {import("./people.mjs").Story[]} */
export const conflictStories = [
  {
    name: "the conflict panel: rewritten, compared, turned into a note, discarded and brought back",
    tell: panelChoices,
  },
  { name: "two agents choose another status and priority: a row per field, theirs or mine", tell: fieldRows },
  { name: "a reply that the hub will not have stays, red, to be retried, edited or copied", tell: failedSend },
  {
    name: "the pill says how the page stands: reconnecting, offline with the time of its data and what waits",
    tell: pill,
  },
];

/** @param {Visitor} visitor */
const panelOf = ({ page }) => page.getByTestId("conflict");
/** @param {Visitor} visitor */
const boxOf = ({ page }) => page.getByRole("textbox", { name: "Reply to the customer" });

/** Ana writes, Bo is faster, Ana sends. @param {Visitor} ana @param {Visitor} bo @param {string} mine @param {string} theirs */
async function collide(ana, bo, mine, theirs) {
  await ana.page.getByRole("button", { name: "Reply", exact: true }).click();
  await write(ana, mine);
  await reply(bo, theirs);
  await message(ana, theirs).waitFor();
  await boxOf(ana).press("Control+Enter");
  await panelOf(ana).getByText(theirs).waitFor();
}

/** @param {Stage} stage */
async function panelChoices({ browser, hub }) {
  const title = unique("Which adapter?");
  const ana = await agent(browser, hub, "ana");
  const bo = await agent(browser, hub, "bo");
  const cleo = await customer(browser, hub);
  await openTicket(cleo, title, "The one for the projector.");
  await take(ana, title);
  await take(bo, title);

  // the panel answers the Send: its heading has the focus, and everything in it is reached with Tab
  await collide(ana, bo, "It is the blue adapter in room 4.", "It is the red adapter in room 7.");
  const heading = panelOf(ana).getByRole("alert");
  await heading.getByText(/Bo.* replied meanwhile/).waitFor();
  await until("the heading has the focus", () => heading.evaluate((it) => it === document.activeElement));
  await panelOf(ana).getByRole("button", { name: "Show the differences" }).press("Enter");
  await panelOf(ana).locator("del", { hasText: "red" }).waitFor();
  await panelOf(ana).locator("ins", { hasText: "blue" }).waitFor();
  await shoot(ana, "c8-conflict-light");
  await mustBeAccessible(ana, "the conflict panel");
  await ana.page.emulateMedia({ colorScheme: "dark" });
  await shoot(ana, "c8-conflict-dark");
  await mustBeAccessible(ana, "the conflict panel (dark)");
  await ana.page.emulateMedia({ colorScheme: "light" });

  // what is rewritten in the panel is what goes out
  await panelOf(ana).getByLabel("Your reply").fill("Both fit: the blue one is nearer.");
  await panelOf(ana).getByRole("button", { name: "Send anyway" }).click();
  await message(cleo, "Both fit: the blue one is nearer.").waitFor();
  await panelOf(ana).waitFor({ state: "detached" });
  if ((await count(cleo, "It is the blue adapter in room 4.")) > 0) throw new Error("the first wording was sent");

  await collide(ana, bo, "I would rather not say this aloud.", "Take both, to be safe.");
  await panelOf(ana).getByRole("button", { name: "Turn into note" }).click();
  await ana.page
    .getByRole("article", { name: /^Internal note/ })
    .getByText("I would rather not")
    .waitFor();
  await panelOf(ana).waitFor({ state: "detached" });
  if ((await count(cleo, "I would rather not say this aloud.")) > 0) throw new Error("the note was sent");

  await collide(ana, bo, "Never mind.", "They are at the reception.");
  await panelOf(ana).getByRole("button", { name: "Discard" }).click();
  await panelOf(ana).waitFor({ state: "detached" });
  await ana.page.getByLabel("Messages").getByRole("button", { name: "Undo" }).click();
  await until("the text is back", async () => (await boxOf(ana).inputValue()) === "Never mind.");
  await boxOf(ana).press("Control+Enter");
  await message(cleo, "Never mind.").waitFor();

  await collide(ana, bo, "One more thing.", "See you!");
  await panelOf(ana).getByRole("button", { name: "Discard" }).click();
  await panelOf(ana).waitFor({ state: "detached" });
  await ana.page.getByRole("region", { name: "Thread" }).focus();
  await ana.page.keyboard.press("z");
  await until("the text is back", async () => (await boxOf(ana).inputValue()) === "One more thing.");
  await leave({ ana, bo, cleo });
}

/** @param {Stage} stage */
async function fieldRows({ browser, hub }) {
  const title = unique("Urgent or not?");
  const ana = await agent(browser, hub, "ana");
  const bo = await agent(browser, hub, "bo");
  const cleo = await customer(browser, hub);
  await openTicket(cleo, title, "Hard to say.");
  await take(ana, title);
  await take(bo, title);
  // Ana chooses while her page is cut off: what Bo does meanwhile she cannot have seen
  await ana.context.setOffline(true);
  await mustBe(ana, "offline");
  await choose(ana, /^Priority/, "P1 Urgent");
  await choose(ana, /^Status/, "Resolved");
  await choose(bo, /^Priority/, "P4 Low");
  await choose(bo, /^Status/, "In progress");
  await row(bo, title).getByText("In progress").waitFor();
  await ana.context.setOffline(false);
  const rows = ana.page.getByTestId("field-conflicts");
  await rows.getByText(/Priority: Bo.* set P4, you chose P1/).waitFor();
  await rows.getByText(/Status: Bo.* set In progress, you chose Resolved/).waitFor();
  await shoot(ana, "c8-fields-light");
  await mustBeAccessible(ana, "the field conflicts");
  await rows.getByRole("button", { name: "Keep theirs" }).first().press("Enter");
  await rows.getByText(/Priority: Bo/).waitFor({ state: "detached" });
  await ana.page.getByRole("button", { name: /^Priority: P4/ }).waitFor();
  await rows.getByRole("button", { name: "Apply mine" }).press("Enter");
  await bo.page
    .getByRole("main")
    .getByRole("button", { name: /^Status: Resolved/ })
    .waitFor();
  await rows.waitFor({ state: "detached" });
  await leave({ ana, bo, cleo }, OUTAGE);
}

/** @param {Stage} stage */
async function failedSend({ browser, hub }) {
  const title = unique("Strange letters");
  const ana = await agent(browser, hub, "ana");
  const cleo = await customer(browser, hub);
  await openTicket(cleo, title, "What is this?");
  await take(ana, title);
  // a character that no text of the hub may hold, as it comes out of some programs' clipboards
  await boxOf(ana).evaluate((area, text) => {
    if (!(area instanceof HTMLTextAreaElement)) throw new Error("no text area");
    area.focus();
    area.setRangeText(text);
    area.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }, "From the \u0000clipboard");
  await boxOf(ana).press("Control+Enter");
  const bubble = ana.page.getByRole("article").filter({ hasText: "Not sent:" });
  await bubble.waitFor();
  await shoot(ana, "c10-failed-light");
  await mustBeAccessible(ana, "a reply that failed");
  await bubble.getByRole("button", { name: "Retry" }).click();
  await bubble.getByRole("button", { name: "Retry" }).waitFor();
  await ana.context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: hub.address });
  await bubble.getByRole("button", { name: "Copy" }).click();
  await ana.page.getByText("The text is in the clipboard.").waitFor();
  await bubble.getByRole("button", { name: "Edit" }).click();
  await bubble.waitFor({ state: "detached" });
  await until("the text is back", async () => (await boxOf(ana).inputValue()).startsWith("From the"));
  await boxOf(ana).fill("From the keyboard");
  await boxOf(ana).press("Control+Enter");
  await message(cleo, "From the keyboard").waitFor();
  await leave({ ana, cleo });
}

/** @param {Stage} stage */
async function pill({ browser, hub }) {
  const title = unique("Hold the line");
  const ana = await agent(browser, hub, "ana");
  const cleo = await customer(browser, hub);
  await openTicket(cleo, title, "Hello?");
  await take(ana, title);
  await ana.context.setOffline(true);
  await mustBe(ana, "offline");
  await reply(ana, "First, from the tunnel.");
  await choose(ana, /^Priority/, "P1 Urgent");
  await ana.page.getByText(/Offline: showing \d+:\d\d [AP]M data, 2 actions queued/).waitFor();
  await shoot(ana, "c16-offline-light");
  await mustBeAccessible(ana, "an offline console");
  await ana.context.setOffline(false);
  await mustBe(ana, "live");
  await message(cleo, "First, from the tunnel.").waitFor();
  await hub.kill();
  await ana.page.getByText(/Reconnecting \(\d+\)/).waitFor();
  await shoot(ana, "c16-reconnecting-light");
  await hub.start();
  await mustBe(ana, "live");
  await ana.page.locator("[data-caught-up]").waitFor({ state: "attached" });
  const other = await ana.context.newPage();
  await other.goto("/");
  await other.getByRole("button", { name: /^Account of/ }).click();
  await other.getByRole("menuitem", { name: "Sign out" }).click();
  await ana.page.getByText("Signed out elsewhere").waitFor();
  await shoot(ana, "c16-signed-out-light");
  await mustBeAccessible(ana, "a console that was signed out elsewhere");
  await leave({ ana, cleo }, OUTAGE);
}
