// Every main screen in light and dark and on a phone: pictured, and checked for accessibility.
import { openBell } from "./bell.mjs";
import { choose, mustBe, note, openTicket, reply, row, take, write } from "./desk.mjs";
import { mustBeAccessible, mustBeQuiet, newVisitor, shoot, signIn } from "./pages.mjs";

/** @typedef {import("./people.mjs").Stage} Stage */

const SCREENS = [
  { name: "light", dark: false, width: 1360, height: 860 },
  { name: "dark", dark: true, width: 1360, height: 860 },
  { name: "phone", dark: false, width: 390, height: 844 },
  { name: "phone-dark", dark: true, width: 390, height: 844 },
];

/** @param {Stage} stage */
export async function screens(stage) {
  for (const screen of SCREENS) {
    await customerScreens(stage, screen);
    await agentScreens(stage, screen);
  }
}

/** @param {Stage} stage @param {typeof SCREENS[number]} screen */
async function customerScreens({ browser, hub }, screen) {
  const cleo = await newVisitor(browser, hub.address, screen);
  const look = looker(cleo, screen.name);
  await cleo.page.goto("/help");
  await cleo.page.getByRole("button", { name: "Sign in" }).waitFor();
  await look("portal-sign-in");
  await signIn(cleo, "cleo@customer.test", { at: "/help" });
  await mustBe(cleo, "live");
  await cleo.page.getByRole("main").getByRole("link").first().waitFor();
  await look("portal-tickets");
  await cleo.page.getByRole("link", { name: "New ticket" }).click();
  await cleo.page.getByLabel("Tell us more").waitFor();
  await look("portal-new");
  await cleo.page.goto("/help");
  await openTicket(
    cleo,
    `Chair of ${screen.name} squeaks`,
    "Since **yesterday** my chair squeaks:\n\n- when I sit down\n- when I get up",
  );
  await reply(cleo, "It is the one by the window.");
  await write(cleo, "And one more thing");
  await look("portal-thread");
  await openBell(cleo);
  await look("portal-bell", "[role=dialog]");
  mustBeQuiet(cleo, "the customer");
  await cleo.context.close();
}

/** @param {Stage} stage @param {typeof SCREENS[number]} screen */
async function agentScreens({ browser, hub }, screen) {
  const title = `Chair of ${screen.name} squeaks`;
  const ana = await newVisitor(browser, hub.address, screen);
  const look = looker(ana, screen.name);
  await ana.page.addInitScript(() => localStorage.setItem("tandem-hold", "0"));
  await ana.page.goto("/");
  await ana.page.getByRole("button", { name: "Sign in" }).waitFor();
  await look("console-sign-in");
  await signIn(ana, "ana@acme.test");
  await mustBe(ana, "live");
  await row(ana, title).waitFor();
  await look("console-list");
  await openBell(ana);
  await look("console-bell", "[role=dialog]");
  await ana.page.keyboard.press("Escape");
  await take(ana, title);
  await ana.page.getByRole("button", { name: "Internal note", exact: true }).click();
  const box = ana.page.getByRole("textbox", { name: "Internal note for colleagues" });
  await box.pressSequentially("Who has the key of the store? @");
  await ana.page.getByRole("listbox").waitFor();
  await look("console-mention");
  await box.fill("");
  await note(ana, "The window chairs are from the **old** delivery.");
  await choose(ana, /^Status/, "In progress");
  await reply(ana, "We bring you another one today. Until then, could you use the chair of meeting room `B2`?");
  await ana.page.getByRole("article").filter({ hasText: "We bring you" }).waitFor();
  await look("console-ticket");
  await ana.page
    .getByRole("main")
    .getByRole("button", { name: /^Status/ })
    .click();
  await ana.page.getByRole("menu").waitFor();
  await look("console-menu");
  await ana.page.keyboard.press("Escape");
  await staleScreen({ browser, hub }, ana, title, look);
  mustBeQuiet(ana, "the agent");
  await ana.context.close();
}

/** @param {Stage} stage @param {import("./pages.mjs").Visitor} ana @param {string} title @param {(name: string) => Promise<void>} look */
async function staleScreen({ browser, hub }, ana, title, look) {
  const bo = await newVisitor(browser, hub.address);
  await bo.page.addInitScript(() => localStorage.setItem("tandem-hold", "0"));
  await signIn(bo, "bo@acme.test");
  await take(bo, title);
  await write(ana, "It will be **tomorrow** after all.");
  await reply(bo, "I have just brought it.");
  await ana.page.getByText(/replied while you were writing/).waitFor();
  await look("console-meanwhile");
  await ana.page.getByRole("button", { name: "Send", exact: true }).click();
  await ana.page.getByTestId("conflict").waitFor();
  await look("console-stale");
  await ana.page.getByRole("button", { name: "Edit mine" }).click();
  mustBeQuiet(bo, "the other agent");
  await bo.context.close();
}

/** @param {import("./pages.mjs").Visitor} visitor @param {string} screen */
function looker(visitor, screen) {
  return async (/** @type {string} */ name, /** @type {string | undefined} */ within = undefined) => {
    await shoot(visitor, `${name}-${screen}`);
    await mustBeAccessible(visitor, `${name} (${screen})`, within);
  };
}
