// Working on one ticket one after the other: handing over, following, tags, unread, and how much there is to do.
import { choose, message, note, openTicket, reply, row, take, write } from "./desk.mjs";
import { mustBeAccessible, shoot, until } from "./pages.mjs";
import { agent, customer, leave, mustBeSilentAbout, unique } from "./people.mjs";

/** @typedef {import("./people.mjs").Stage} Stage */
/** @typedef {import("./pages.mjs").Visitor} Visitor */

/** @type {import("./people.mjs").Story[]} */
export const togetherStories = [
  {
    name: "handoff: by keyboard, with note and draft; pinned until acknowledged, and both are named in the reply",
    tell: handoff,
  },
  { name: "handoff: to a team, whoever acknowledges goes on", tell: teamHandoff },
  { name: "tags of two people merge, and who follows a ticket is told", tell: tagsAndWatching },
  { name: "unread from here: on every device, until somebody comes back", tell: unreadFromHere },
  { name: "the views say how many tickets they have, as it changes", tell: counters },
];

/** @param {Visitor} visitor */
const pinned = ({ page }) => page.getByTestId("handoff");
/** @param {Visitor} visitor */
const boxOf = ({ page }) => page.getByRole("textbox", { name: "Reply to the customer" });

/** @param {Stage} stage */
async function handoff({ browser, hub }) {
  const title = unique("Night shift");
  const ana = await agent(browser, hub, "ana");
  const bo = await agent(browser, hub, "bo");
  const cleo = await customer(browser, hub);
  await openTicket(cleo, title, "It is complicated.");
  await take(ana, title);
  await take(bo, title);
  await boxOf(ana).fill("We have found the cause: ");
  await ana.page.getByText(/^Saved \d/).waitFor();
  await ana.page.getByRole("region", { name: "Thread" }).focus();
  await ana.page.keyboard.press("Shift+A");
  const dialog = ana.page.getByRole("dialog", { name: /^Hand over/ });
  await dialog.getByLabel("To").selectOption({ label: "Bo Jensen" });
  const submit = dialog.getByRole("button", { name: "Hand over" });
  if (await submit.isEnabled()) throw new Error("a handoff without a note is offered");
  await dialog.getByLabel("Handoff note").fill("Cleo is annoyed, be kind. The cause is the valve.");
  await shoot(ana, "c11-dialog-light");
  await mustBeAccessible(ana, "the handoff dialog", "[role=dialog]");
  await ana.page.emulateMedia({ colorScheme: "dark" });
  await shoot(ana, "c11-dialog-dark");
  await mustBeAccessible(ana, "the handoff dialog (dark)", "[role=dialog]");
  await ana.page.emulateMedia({ colorScheme: "light" });
  await submit.press("Enter");
  await dialog.waitFor({ state: "detached" });

  await pinned(bo).getByText("Cleo is annoyed, be kind. The cause is the valve.").waitFor();
  await pinned(ana).getByText("You handed this over to Bo Jensen").waitFor();
  await bo.page
    .getByRole("main")
    .getByRole("button", { name: /^Assignee: Bo/ })
    .waitFor();
  await until("the draft has left Ana's composer", async () => (await boxOf(ana).inputValue()) === "");
  await shoot(bo, "c11-pinned-light");
  await mustBeAccessible(bo, "a pinned handoff");
  await bo.page.emulateMedia({ colorScheme: "dark" });
  await shoot(bo, "c11-pinned-dark");
  await mustBeAccessible(bo, "a pinned handoff (dark)");
  await bo.page.emulateMedia({ colorScheme: "light" });
  await pinned(bo).getByRole("button", { name: "Acknowledge" }).press("Enter");
  await pinned(bo).waitFor({ state: "detached" });
  await pinned(ana).waitFor({ state: "detached" });
  await until("the draft is Bo's", async () => (await boxOf(bo).inputValue()).startsWith("We have found the cause:"));
  await bo.page.getByText(/started by Ana Lima/).waitFor();
  await boxOf(bo).fill("We have found the cause: the valve.");
  await bo.page.getByText(/^Saved \d/).waitFor();
  await boxOf(bo).press("Control+Enter");
  await message(cleo, "We have found the cause: the valve.").waitFor();
  await ana.page.getByText(/Started by Ana Lima.*sent by Bo Jensen/).waitFor();
  await ana.page.getByText("handed this over to Bo Jensen").waitFor({ state: "attached" });
  mustBeSilentAbout(cleo, "be kind");
  mustBeSilentAbout(cleo, "draft_authors");
  await leave({ ana, bo, cleo });
}

/** @param {Stage} stage */
async function teamHandoff({ browser, hub }) {
  const title = unique("For the specialists");
  const ana = await agent(browser, hub, "ana");
  const cleo = await customer(browser, hub);
  await openTicket(cleo, title, "It is complicated.");
  await take(ana, title);
  await ana.page.getByRole("button", { name: "Hand over" }).click();
  const dialog = ana.page.getByRole("dialog", { name: /^Hand over/ });
  const team = (await dialog.locator('optgroup[label="Teams"] option').first().textContent()) ?? "";
  await dialog.getByLabel("To").selectOption({ label: team });
  await dialog.getByLabel("Handoff note").fill("Somebody with a soldering iron, please.");
  await dialog.getByRole("button", { name: "Hand over" }).click();
  await pinned(ana).getByText(`You handed this over to ${team}`).waitFor();
  await ana.page.reload();
  await pinned(ana).getByText("Somebody with a soldering iron, please.").waitFor();
  await pinned(ana).getByRole("button", { name: "Take back" }).click();
  await pinned(ana).waitFor({ state: "detached" });
  await leave({ ana, cleo });
}

/** @param {Stage} stage */
async function tagsAndWatching({ browser, hub }) {
  const title = unique("Red and blue");
  const ana = await agent(browser, hub, "ana");
  const bo = await agent(browser, hub, "bo");
  const cleo = await customer(browser, hub);
  await openTicket(cleo, title, "Which one?");
  await take(ana, title);
  await take(bo, title);
  await ana.context.setOffline(true);
  await addTag(ana, "red");
  await addTag(bo, "blue");
  await ana.context.setOffline(false);
  for (const one of [ana, bo]) {
    await one.page.getByRole("list", { name: "Tags" }).getByText("red").waitFor();
    await one.page.getByRole("list", { name: "Tags" }).getByText("blue").waitFor();
  }
  await bo.page.getByRole("button", { name: "Remove the tag red" }).press("Enter");
  await ana.page.getByRole("list", { name: "Tags" }).getByText("red").waitFor({ state: "detached" });
  await shoot(ana, "c11-tags-light");
  await mustBeAccessible(ana, "a ticket with tags");

  const watch = bo.page.getByRole("button", { name: "Watch", exact: true });
  await watch.press("Enter");
  await bo.page.getByRole("button", { name: "Watching" }).waitFor();
  await bo.page.goto("/");
  await write(ana, "The blue one.");
  await ana.page.getByRole("button", { name: "Send", exact: true }).click();
  await row(bo, title).getByText("Unread:").waitFor();
  await leave({ ana, bo, cleo }, [
    /^console: WebSocket connection to .* failed/,
    /^console: Failed to load resource: net::ERR_/,
  ]);
}

/** @param {Visitor} visitor @param {string} tag */
async function addTag({ page }, tag) {
  await page.getByRole("main").getByRole("button", { name: "Tag", exact: true }).press("Enter");
  await page.getByLabel("New tag").fill(tag);
  await page.getByLabel("New tag").press("Enter");
  await page.getByLabel("New tag").press("Escape");
}

/** @param {Stage} stage */
async function unreadFromHere({ browser, hub }) {
  const title = unique("Later");
  const ana = await agent(browser, hub, "ana");
  const elsewhere = await agent(browser, hub, "ana");
  const cleo = await customer(browser, hub);
  await openTicket(cleo, title, "One.");
  await take(ana, title);
  await choose(ana, /^Assignee/, /\(me\)/);
  await reply(cleo, "Two.");
  await message(ana, "Two.").waitFor();
  await ana.page.getByRole("region", { name: "Thread" }).focus();
  await ana.page.mouse.move(5, 5);
  await ana.page.keyboard.press("Shift+U");
  await row(ana, title).getByText("Unread:").waitFor();
  await row(elsewhere, title).getByText("Unread:").waitFor();
  await shoot(ana, "c13-unread-light");
  await mustBeAccessible(ana, "a ticket marked as unread");
  // it stays so while the ticket stays open, and ends when somebody comes back to it
  await note(ana, "I look at it tomorrow.");
  await row(elsewhere, title).getByText("Unread:").waitFor();
  await ana.page.goto("/");
  await row(ana, title).getByText("Unread:").waitFor();
  await take(ana, title);
  await row(ana, title).getByText("Unread:").waitFor({ state: "detached" });
  await row(elsewhere, title).getByText("Unread:").waitFor({ state: "detached" });
  await leave({ ana, elsewhere, cleo });
}

/** @param {Stage} stage */
async function counters({ browser, hub }) {
  const title = unique("One more");
  const ana = await agent(browser, hub, "ana");
  const cleo = await customer(browser, hub);
  const counted = async (/** @type {string} */ view) =>
    Number(
      await ana.page
        .getByRole("navigation", { name: "Views" })
        .getByRole("link", { name: view })
        .locator("[data-count]")
        .getAttribute("data-count"),
    );
  await ana.page.locator("[data-count]").first().waitFor();
  const [open, mine, unassigned] = [await counted("Open"), await counted("Mine"), await counted("Unassigned")];
  await openTicket(cleo, title, "And it goes on.");
  await until(
    "one more is open and unassigned",
    async () => (await counted("Open")) === open + 1 && (await counted("Unassigned")) === unassigned + 1,
  );
  await take(ana, title);
  await choose(ana, /^Assignee/, /\(me\)/);
  await until(
    "it is mine",
    async () => (await counted("Mine")) === mine + 1 && (await counted("Unassigned")) === unassigned,
  );
  await choose(ana, /^Status/, "In progress");
  await choose(ana, /^Status/, "Resolved");
  await until("it is done", async () => (await counted("Open")) === open && (await counted("Mine")) === mine);
  await shoot(ana, "c13-counters-light");
  await leave({ ana, cleo });
}
