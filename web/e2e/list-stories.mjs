// Live lists under the hand: nothing moves while somebody is at it, what is new waits, what left is seen leaving.
import { openTicket, row } from "./desk.mjs";
import { mustBeAccessible, shoot, until } from "./pages.mjs";
import { agent, customer, leave, unique } from "./people.mjs";

/** @typedef {import("./people.mjs").Stage} Stage */
/** @typedef {import("./pages.mjs").Visitor} Visitor */

/** @type {import("./people.mjs").Story[]} */
export const listStories = [
  { name: "a list under the pointer rests: new tickets wait, one that was taken stays as a ghost", tell: restingList },
];

/** Where each row stands on the screen. @param {Visitor} visitor */
const places = ({ page }) =>
  page
    .locator("[data-row]")
    .evaluateAll((rows) => rows.map((one) => [one.getAttribute("data-row"), one.getBoundingClientRect().top]).join());

/**
 * Without the mouse: a click in one window takes the pointer out of every other, as it does on a desk.
 * @param {Visitor} visitor @param {string} title
 */
async function askByKeys({ page }, title) {
  await page.goto("/help");
  await page.getByRole("link", { name: "New ticket" }).press("Enter");
  await page.getByLabel("What is it about?").fill(title);
  await page.getByLabel("Tell us more").fill("Another.");
  await page.getByRole("button", { name: "Send" }).press("Enter");
  await page.getByRole("heading", { name: title }).waitFor();
}

/** @param {Visitor} visitor @param {string} title */
async function takeByKeys(visitor, title) {
  const { page } = visitor;
  await row(visitor, title).press("Enter");
  await page.getByRole("heading", { name: title }).waitFor();
  await page
    .getByRole("main")
    .getByRole("button", { name: /^Assignee/ })
    .press("Enter");
  await page.getByRole("menuitemradio", { name: /\(me\)/ }).press("Enter");
}

/** @param {Stage} stage */
async function restingList({ browser, hub }) {
  const [first, second, third] = ["First", "Second", "Third"].map((words) => unique(`${words} in the queue`));
  const ana = await agent(browser, hub, "ana");
  const bo = await agent(browser, hub, "bo");
  const cleo = await customer(browser, hub);
  await openTicket(cleo, `${first}`, "One.");
  await ana.page.goto("/?view=unassigned");
  await row(ana, `${first}`).waitFor();
  await row(ana, `${first}`).hover();
  const before = await places(ana);
  for (const title of [second, third]) await askByKeys(cleo, `${title}`);
  const pill = ana.page.getByRole("button", { name: "2 new" });
  await pill.waitFor();
  if ((await places(ana)) !== before) throw new Error("rows moved under the pointer");

  // taken by a colleague: the row says so, keeps its place, and does so for as long as the pointer is there
  await takeByKeys(bo, `${first}`);
  await row(ana, `${first}`)
    .getByText(/^Bo .*took this$/)
    .waitFor();
  if ((await places(ana)) !== before) throw new Error("rows moved when one was taken");
  await shoot(ana, "c14-ghost-light");
  await mustBeAccessible(ana, "a list that rests");
  await ana.page.emulateMedia({ colorScheme: "dark" });
  await shoot(ana, "c14-ghost-dark");
  await ana.page.emulateMedia({ colorScheme: "light" });

  // by key, without the pointer leaving
  await ana.page.keyboard.press(".");
  await row(ana, `${third}`).waitFor();
  await row(ana, `${second}`).waitFor();
  await pill.waitFor({ state: "detached" });
  await ana.page.mouse.move(900, 400);
  await row(ana, `${first}`).waitFor({ state: "detached" });

  // the keyboard in the list holds it, too
  await ana.page.keyboard.press("j");
  const focused = ana.page.locator("[data-row]:focus");
  await focused.waitFor();
  const name = await focused.getAttribute("data-row");
  const fourth = unique("Fourth in the queue");
  await askByKeys(cleo, fourth);
  await ana.page.getByRole("button", { name: "1 new" }).waitFor();
  if ((await focused.getAttribute("data-row")) !== name) throw new Error("the focus moved to another ticket");
  if ((await row(ana, fourth).count()) > 0) throw new Error("a row came in under the keyboard");
  await focused.evaluate((it) => it instanceof HTMLElement && it.blur());
  await row(ana, fourth).waitFor();
  await until(
    "nothing waits any more",
    async () => (await ana.page.getByRole("button", { name: "1 new" }).count()) === 0,
  );
  await leave({ ana, bo, cleo });
}
