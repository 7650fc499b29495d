// Who is answering: shown, never a lock, taken over with notice.
import { message, openTicket, take, write } from "./desk.mjs";
import { mustBeAccessible, shoot, until } from "./pages.mjs";
import { agent, customer, leave, mustBeSilentAbout, unique } from "./people.mjs";

/** @typedef {import("./people.mjs").Stage} Stage */
/** @typedef {import("./pages.mjs").Visitor} Visitor */

/** @type {import("./people.mjs").Story[]} */
export const claimStories = [
  {
    name: "claims: who begins a reply is seen answering; sending against it asks once and is on record",
    tell: sendAnyway,
  },
  { name: "claims: a colleague takes over, the other is told, and the thread says who", tell: takeOver },
];

/** @param {Visitor} visitor */
const banner = ({ page }) => page.getByTestId("claim-banner");
/** @param {Visitor} visitor */
const boxOf = ({ page }) => page.getByRole("textbox", { name: "Reply to the customer" });

/** @param {Stage} stage */
async function sendAnyway({ browser, hub }) {
  const title = unique("Me or you?");
  const ana = await agent(browser, hub, "ana");
  const bo = await agent(browser, hub, "bo");
  const cleo = await customer(browser, hub);
  await openTicket(cleo, title, "Anybody?");
  await take(ana, title);
  await take(bo, title);
  await boxOf(ana).pressSequentially("I will look into it", { delay: 30 });
  await banner(bo).getByText("Ana Lima is replying").waitFor();
  await shoot(bo, "c4-banner-light");
  await mustBeAccessible(bo, "the claim banner");
  await bo.page.emulateMedia({ colorScheme: "dark" });
  await shoot(bo, "c4-banner-dark");
  await mustBeAccessible(bo, "the claim banner (dark)");
  await bo.page.emulateMedia({ colorScheme: "light" });
  if ((await banner(ana).count()) > 0) throw new Error("Ana is warned of herself");

  // nothing keeps Bo from writing; Send asks once, and by keyboard alone it is answered
  await boxOf(bo).fill("It is done already.");
  await bo.page.getByRole("button", { name: "Send anyway…" }).waitFor();
  await boxOf(bo).press("Control+Enter");
  await banner(bo).getByText("Send yours all the same?").waitFor();
  await shoot(bo, "c4-confirm-light");
  const confirm = banner(bo).getByRole("button", { name: "Send anyway" });
  await until("the question has the focus", () => confirm.evaluate((it) => it === document.activeElement));
  await bo.page.keyboard.press("Tab");
  await bo.page.keyboard.press("Enter");
  await banner(bo).getByText("Ana Lima is replying").waitFor();
  if ((await boxOf(bo).inputValue()) !== "It is done already.") throw new Error("not sending has lost the text");
  await boxOf(bo).press("Control+Enter");
  await until("the question has the focus", () => confirm.evaluate((it) => it === document.activeElement));
  await bo.page.keyboard.press("Enter");
  await message(cleo, "It is done already.").waitFor();
  await message(ana, "It is done already.").waitFor();
  await ana.page.getByText("Sent although something had come in between.").waitFor();
  mustBeSilentAbout(cleo, "claim_");

  // Ana has not seen it when she began: the conflict panel keeps her from saying it twice
  await boxOf(ana).press("Control+Enter");
  await ana.page.getByTestId("conflict").getByText("It is done already.").waitFor();
  await ana.page.getByRole("button", { name: "Discard" }).click();
  await leave({ ana, bo, cleo });
}

/** @param {Stage} stage */
async function takeOver({ browser, hub }) {
  const title = unique("Let me");
  const ana = await agent(browser, hub, "ana");
  const bo = await agent(browser, hub, "bo");
  const cleo = await customer(browser, hub);
  await openTicket(cleo, title, "Anybody?");
  await take(ana, title);
  await take(bo, title);
  await boxOf(ana).pressSequentially("Well", { delay: 30 });
  await banner(bo).getByRole("button", { name: "Take over" }).press("Enter");
  await banner(ana).getByText("Bo Jensen took over from you").waitFor();
  await ana.page.getByText("took over the answer from Ana Lima").waitFor();
  await shoot(ana, "c4-taken-over-light");
  await mustBeAccessible(ana, "a ticket that was taken over");
  if ((await boxOf(ana).inputValue()) !== "Well") throw new Error("the text was lost to the takeover");
  await banner(bo).waitFor({ state: "detached" });
  await write(bo, "Here is your answer.");
  await bo.page.getByRole("button", { name: "Send", exact: true }).click();
  await message(cleo, "Here is your answer.").waitFor();
  // sending has released it
  await banner(ana).waitFor({ state: "detached" });
  await banner(ana).waitFor({ state: "detached" });
  mustBeSilentAbout(cleo, "claim_");
  await leave({ ana, bo, cleo });
}
