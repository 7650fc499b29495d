// Who is where and who is writing: seen by colleagues at the ticket and in lists, by customers only as "Support is typing".
import { message, mustBe, note, openTicket, row, take } from "./desk.mjs";
import { mustBeAccessible, shoot, until } from "./pages.mjs";
import { agent, customer, leave, mustBeSilentAbout, OUTAGE, unique } from "./people.mjs";

/** @typedef {import("./people.mjs").Stage} Stage */
/** @typedef {import("./pages.mjs").Visitor} Visitor */

/** @type {import("./people.mjs").Story[]} */
export const presenceStories = [
  {
    name: "presence: colleagues are seen looking, replying, writing a note, elsewhere, gone; own tabs are none",
    tell: rings,
  },
  { name: "presence: a list shows who is at which ticket, without being at it", tell: listRows },
  { name: "presence: each side sees the other typing, and of a note the customer learns nothing", tell: typing },
  { name: "presence: a field that a colleague has open is marked, and nobody is kept from it", tell: fieldHints },
];

/** Somebody in the header of the open ticket. @param {Visitor} visitor @param {string} name @param {"viewing" | "composing" | "idle"} state */
const seen = ({ page }, name, state) =>
  page.getByRole("list", { name: "Also here" }).locator(`[data-presence="${state}"]`).filter({ hasText: name });

/** @param {Visitor} visitor */
const typingLine = ({ page }) => page.getByTestId("typing");

/** @param {Visitor} visitor @param {RegExp} box @param {string} text */
const typeInto = ({ page }, box, text) =>
  page.getByRole("textbox", { name: box }).pressSequentially(text, { delay: 30 });

const REPLY = /Reply to the customer/;
const NOTE = /Internal note for colleagues/;

/** @param {Stage} stage */
async function rings({ browser, hub }) {
  const title = unique("Who is here?");
  const ana = await agent(browser, hub, "ana");
  const bo = await agent(browser, hub, "bo");
  const cleo = await customer(browser, hub);
  await openTicket(cleo, title, "Hello?");
  await take(ana, title);
  await take(bo, title);
  await seen(ana, "Bo Jensen", "viewing").waitFor();
  await seen(bo, "Ana Lima", "viewing").waitFor();
  await ana.page.getByTestId("customer-here").getByText("Customer is online").waitFor();

  await typeInto(bo, REPLY, "Good morning");
  await seen(ana, "Bo Jensen", "composing").getByText("Bo Jensen: replying").waitFor({ state: "attached" });
  await typingLine(ana).getByText("Bo Jensen is writing a reply…").waitFor();
  await shoot(ana, "c1-replying-light");
  await mustBeAccessible(ana, "a ticket with a colleague replying");
  await ana.page.emulateMedia({ colorScheme: "dark" });
  await shoot(ana, "c1-replying-dark");
  await mustBeAccessible(ana, "a ticket with a colleague replying (dark)");
  await ana.page.emulateMedia({ colorScheme: "light" });
  await bo.page.getByRole("textbox", { name: REPLY }).fill("");
  await seen(ana, "Bo Jensen", "viewing").waitFor();

  await bo.page.getByRole("button", { name: "Internal note", exact: true }).click();
  await typeInto(bo, NOTE, "Only for us");
  await seen(ana, "Bo Jensen", "composing").getByText("Bo Jensen: writing a note").waitFor({ state: "attached" });
  await typingLine(ana).getByText("Bo Jensen is writing a note…").waitFor();
  await shoot(ana, "c1-note-light");

  // Bo's page goes out of sight, and comes back
  await setVisibility(bo, "hidden");
  await seen(ana, "Bo Jensen", "idle").waitFor();
  await shoot(ana, "c1-idle-light");
  await setVisibility(bo, "visible");
  await seen(ana, "Bo Jensen", "viewing").waitFor();

  // a second tab of Ana is no colleague of hers, and Bo sees her once
  const second = await ana.context.newPage();
  await second.goto(ana.page.url());
  await second.getByRole("heading", { name: title }).waitFor();
  await second.getByRole("list", { name: "Also here" }).getByText("Bo Jensen").waitFor({ state: "attached" });
  if ((await second.getByRole("list", { name: "Also here" }).getByText("Ana Lima").count()) > 0)
    throw new Error("Ana is a colleague of her own");
  await until(
    "Bo sees Ana once",
    async () => (await bo.page.getByRole("list", { name: "Also here" }).getByText("Ana Lima").count()) === 1,
  );
  await second.close();

  // leaving shows at once; a lost connection within the grace
  await bo.page.goto("/");
  await ana.page.getByRole("list", { name: "Also here" }).waitFor({ state: "detached" });
  await take(bo, title);
  await seen(ana, "Bo Jensen", "viewing").waitFor();
  await bo.context.setOffline(true);
  await ana.page.getByRole("list", { name: "Also here" }).waitFor({ state: "detached" });
  await bo.context.setOffline(false);
  await mustBe(bo, "live");
  await seen(ana, "Bo Jensen", "viewing").waitFor();
  await leave({ ana, bo, cleo }, OUTAGE);
}

/** As when somebody turns to another tab. @param {Visitor} visitor @param {"visible" | "hidden"} state */
function setVisibility({ page }, state) {
  return page.evaluate((now) => {
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => now });
    document.dispatchEvent(new Event("visibilitychange"));
  }, state);
}

/** @param {Stage} stage */
async function listRows({ browser, hub }) {
  const title = unique("Seen in the list");
  const ana = await agent(browser, hub, "ana");
  const bo = await agent(browser, hub, "bo");
  const cleo = await customer(browser, hub);
  await openTicket(cleo, title, "Hello?");
  await row(ana, title).waitFor();
  await take(bo, title);
  await row(ana, title).locator('[data-row-presence="viewing"]').waitFor();
  await typeInto(bo, REPLY, "Good morning");
  await row(ana, title)
    .locator('[data-row-presence="composing"]')
    .getByText("Bo Jensen: replying")
    .waitFor({ state: "attached" });
  await shoot(ana, "c2-list-light");
  await mustBeAccessible(ana, "a list with presence");
  await ana.page.emulateMedia({ colorScheme: "dark" });
  await shoot(ana, "c2-list-dark");
  await mustBeAccessible(ana, "a list with presence (dark)");
  await bo.page.goto("/");
  await row(ana, title).locator("[data-row-presence]").waitFor({ state: "detached" });
  await leave({ ana, bo, cleo });
}

/** @param {Stage} stage */
async function typing({ browser, hub }) {
  const title = unique("Dots");
  const ana = await agent(browser, hub, "ana");
  const cleo = await customer(browser, hub);
  await openTicket(cleo, title, "Hello?");
  await take(ana, title);
  const secret = "secretly considered";
  await ana.page.getByRole("button", { name: "Internal note", exact: true }).click();
  await typeInto(ana, NOTE, secret);
  await note(ana, secret);
  // after the note, something that she does see
  await ana.page.getByRole("button", { name: "Reply", exact: true }).click();
  await typeInto(ana, REPLY, "One moment");
  await typingLine(cleo).getByText("Support is typing…").waitFor();
  await shoot(cleo, "c3-portal-light");
  await mustBeAccessible(cleo, "the portal while support is typing");
  mustBeSilentAbout(cleo, secret);
  const signals = cleo.frames.filter((frame) => frame.includes("signal") && frame.includes("presence"));
  if (signals.length === 0) throw new Error("no signal told the customer that support is typing");
  if (signals.some((frame) => frame.includes("users") || frame.includes("Ana")))
    throw new Error("the customer is told who it is");
  await cleo.page.getByRole("textbox", { name: "Your message" }).pressSequentially("Are you", { delay: 30 });
  await typingLine(ana).getByText("Cleo Martin is typing…").waitFor();
  await shoot(ana, "c3-typing-light");
  await ana.page.getByRole("button", { name: "Send", exact: true }).click();
  await message(cleo, "One moment").waitFor();
  await typingLine(cleo).getByText("Support is typing…").waitFor({ state: "detached" });
  await leave({ ana, cleo });
}

/** @param {Stage} stage */
async function fieldHints({ browser, hub }) {
  const title = unique("Two hands");
  const ana = await agent(browser, hub, "ana");
  const bo = await agent(browser, hub, "bo");
  const cleo = await customer(browser, hub);
  await openTicket(cleo, title, "Hello?");
  await take(ana, title);
  await take(bo, title);
  await bo.page
    .getByRole("main")
    .getByRole("button", { name: /^Priority/ })
    .click();
  await ana.page
    .locator('[data-field-hint="priority"]')
    .getByText("Bo Jensen has this open")
    .waitFor({ state: "attached" });
  await shoot(ana, "c5-hint-light");
  await mustBeAccessible(ana, "a field that a colleague has open");
  await bo.page.keyboard.press("Escape");
  await ana.page.locator('[data-field-hint="priority"]').waitFor({ state: "detached" });
  await bo.page.getByRole("button", { name: "Change the title" }).click();
  await ana.page.locator('[data-field-hint="title"]').waitFor();
  await bo.page.getByRole("button", { name: "Cancel" }).click();
  await ana.page.locator('[data-field-hint="title"]').waitFor({ state: "detached" });
  await leave({ ana, bo, cleo });
}
