// Texts that are being written or have just been sent: on every device, and back with one key for a few seconds.
import { count, message, mustBe, openTicket, take } from "./desk.mjs";
import { mustBeAccessible, shoot, until } from "./pages.mjs";
import { agent, customer, leave, mustBeSilentAbout, OUTAGE, unique } from "./people.mjs";

/** @typedef {import("./people.mjs").Stage} Stage */
/** @typedef {import("./pages.mjs").Visitor} Visitor */

/** @type {import("./people.mjs").Story[]} */
export const draftStories = [
  {
    name: "drafts: begun on one device, it is there on the other; of two windows the late one chooses",
    tell: twoDevices,
  },
  {
    name: "held: a reply counts down, comes back with z and its caret, and goes out once, also after a reload",
    tell: held,
  },
  { name: "held: what became stale meanwhile is not sent, and its text is back", tell: heldStale },
];

/** @param {Visitor} visitor */
const boxOf = ({ page }) => page.getByRole("textbox", { name: "Reply to the customer" });

/** @param {Stage} stage */
async function twoDevices({ browser, hub }) {
  const title = unique("On the way home");
  const desk = await agent(browser, hub, "ana");
  const phone = await agent(browser, hub, "ana", { width: 390, height: 844 });
  const cleo = await customer(browser, hub);
  await openTicket(cleo, title, "A long question.");
  await take(desk, title);
  await boxOf(desk).fill("Begun at the desk");
  await desk.page.getByText(/^Saved \d/).waitFor();
  await shoot(desk, "drafts-saved-light");
  await take(phone, title);
  await until("the draft is on the phone", async () => (await boxOf(phone).inputValue()) === "Begun at the desk");
  await shoot(phone, "drafts-phone");

  // the phone has no connection while both go on
  await phone.context.setOffline(true);
  await mustBe(phone, "offline");
  await boxOf(phone).fill("Begun at the desk, ended on the train");
  await phone.page.getByText("Saved on this device only").waitFor();
  await boxOf(desk).fill("Begun at the desk, ended at the desk");
  await desk.page.getByText(/^Saved \d/).waitFor();
  await phone.context.setOffline(false);
  await mustBe(phone, "live");
  const choice = phone.page.getByTestId("draft-conflict");
  await choice.getByText("Begun at the desk, ended at the desk").waitFor();
  if (!(await boxOf(phone).inputValue()).endsWith("on the train")) throw new Error("the text on the phone was lost");
  await shoot(phone, "drafts-conflict-phone");
  await mustBeAccessible(phone, "two texts of one draft");
  await choice.getByRole("button", { name: "Keep both" }).click();
  const both = "Begun at the desk, ended at the desk\n\nBegun at the desk, ended on the train";
  await until("both are at the desk", async () => (await boxOf(desk).inputValue()) === both);
  mustBeSilentAbout(cleo, "ended at the desk");

  // sent on one, gone on the other
  await desk.page.getByRole("button", { name: "Send", exact: true }).click();
  await cleo.page.getByRole("article").filter({ hasText: "ended on the train" }).waitFor();
  await until("the phone's composer is empty", async () => (await boxOf(phone).inputValue()) === "");
  await leave({ desk, phone, cleo }, OUTAGE);
}

/** @param {Stage} stage */
async function held({ browser, hub }) {
  const title = unique("Too fast");
  const ana = await agent(browser, hub, "ana", { holdS: 15 });
  const bo = await agent(browser, hub, "bo");
  const cleo = await customer(browser, hub);
  await openTicket(cleo, title, "When?");
  await take(ana, title);
  await take(bo, title);
  await boxOf(ana).fill("On Monday");
  await boxOf(ana).press("Control+Enter");
  const bubble = ana.page.getByRole("article").filter({ hasText: "On Monday" });
  await bubble.getByText(/Sending in \d+ s/).waitFor();
  await bo.page
    .getByRole("article")
    .filter({ hasText: "On Monday" })
    .getByText(/Sending in \d+ s/)
    .waitFor();
  await shoot(ana, "c9-held-light");
  await mustBeAccessible(ana, "a reply that is held back");
  await ana.page.emulateMedia({ colorScheme: "dark" });
  await shoot(ana, "c9-held-dark");
  await ana.page.emulateMedia({ colorScheme: "light" });

  // the hands have not left the keyboard: the text is in the composer again, the caret at its end
  await ana.page.keyboard.press("Control+z");
  await until("the text is back", async () => (await boxOf(ana).inputValue()) === "On Monday");
  await bubble.waitFor({ state: "detached" });
  await until("the caret is at the end", () =>
    boxOf(ana).evaluate(
      (it) =>
        it instanceof HTMLTextAreaElement && it === document.activeElement && it.selectionStart === it.value.length,
    ),
  );
  if ((await count(cleo, "On Monday")) > 0) throw new Error("it was sent all the same");
  mustBeSilentAbout(cleo, "On Monday");

  // the page may go: the hub sends it, once; and after a reload it can still be taken back
  await ana.page.keyboard.type(", at nine");
  await boxOf(ana).press("Control+Enter");
  const second = ana.page.getByRole("article").filter({ hasText: "On Monday, at nine" });
  await second.getByText(/Sending in \d+ s/).waitFor();
  await ana.page.reload();
  await second.getByRole("button", { name: "Undo" }).waitFor();
  await ana.page.getByRole("region", { name: "Thread" }).focus();
  await ana.page.keyboard.press("z");
  await until("the text is back", async () => (await boxOf(ana).inputValue()) === "On Monday, at nine");
  await boxOf(ana).press("Control+Enter");
  await second.getByText(/Sending in \d+ s/).waitFor();
  await ana.page.close();
  await message(cleo, "On Monday, at nine").waitFor({ timeout: 40_000 });
  if ((await count(cleo, "On Monday, at nine")) !== 1) throw new Error("it was not sent exactly once");
  if ((await count(bo, "On Monday, at nine")) !== 1) throw new Error("Bo does not see it exactly once");
  await leave({ ana, bo, cleo });
}

/** @param {Stage} stage */
async function heldStale({ browser, hub }) {
  const title = unique("Overtaken");
  const ana = await agent(browser, hub, "ana", { holdS: 5 });
  const cleo = await customer(browser, hub);
  await openTicket(cleo, title, "When?");
  await take(ana, title);
  await boxOf(ana).fill("I have no idea.");
  await boxOf(ana).press("Control+Enter");
  await ana.page.getByText(/Sending in \d+ s/).waitFor();
  await cleo.page.getByRole("textbox", { name: "Your message" }).fill("I found it out myself.");
  await cleo.page.getByRole("button", { name: "Send", exact: true }).click();
  await message(ana, "I found it out myself.").waitFor();
  await until("the text is back", async () => (await boxOf(ana).inputValue()) === "I have no idea.");
  await ana.page.getByText(/replied while you were writing/).waitFor();
  await shoot(ana, "c9-not-sent-light");
  if ((await count(cleo, "I have no idea.")) > 0) throw new Error("the blind reply was sent");
  await leave({ ana, cleo });
}
