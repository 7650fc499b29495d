// What people do at the two pages, in the words of the pages.
import { SOON_MS, until } from "./pages.mjs";

/** @typedef {import("./pages.mjs").Visitor} Visitor */

/** A customer opens a ticket and lands in its thread. @param {Visitor} visitor @param {string} title @param {string} description */
export async function openTicket({ page }, title, description) {
  await page.getByRole("link", { name: "New ticket" }).click();
  await page.getByLabel("What is it about?").fill(title);
  await page.getByLabel("Tell us more").fill(description);
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByRole("heading", { name: title }).waitFor();
  await page.getByRole("article").first().waitFor();
  return page.url().split("/t/")[1];
}

/** The row of a ticket in the console's list. @param {Pick<Visitor, "page">} visitor @param {string} title */
export const row = ({ page }, title) => page.locator("[data-row]").filter({ hasText: title });

/** A message, note or activity of the thread. @param {Pick<Visitor, "page">} visitor @param {string} text */
export const message = ({ page }, text) =>
  page.getByRole("region", { name: "Thread" }).getByRole("article").getByText(text, { exact: true });

/** Waits until a ticket is in the list, and lets it in where the list rests under the pointer. @param {Visitor} visitor @param {string} title */
export async function letIn(visitor, title) {
  const { page } = visitor;
  const pill = page.getByRole("button", { name: /^\d+ new/ });
  await until(`"${title}" is in the list`, async () => {
    if ((await row(visitor, title).count()) > 0) return true;
    if ((await pill.count()) > 0) await pill.click({ timeout: 1000 }).catch(() => {});
    return false;
  });
}

/** Opens a ticket from the list. @param {Visitor} visitor @param {string} title */
export async function take(visitor, title) {
  await letIn(visitor, title);
  await row(visitor, title).click();
  await visitor.page.getByRole("heading", { name: title }).waitFor();
  await visitor.page.getByRole("article").first().waitFor();
}

/** @param {Visitor} visitor @param {string} text */
export async function write({ page }, text) {
  await page.getByRole("textbox", { name: /Reply to the customer|Internal note|Your message/ }).fill(text);
}

/** Replies as an agent or as a customer, also where a colleague is answering. @param {Visitor} visitor @param {string} text */
export async function reply(visitor, text) {
  const { page } = visitor;
  const tab = page.getByRole("button", { name: "Reply", exact: true });
  if ((await tab.count()) > 0) await tab.click();
  await write(visitor, text);
  await page.getByRole("button", { name: /^Send( anyway…)?$/ }).click();
  const question = page.getByTestId("claim-banner").getByRole("button", { name: "Send anyway" });
  const box = page.getByRole("textbox", { name: /Reply to the customer|Your message/ });
  await until("the reply is on its way", async () => {
    if ((await question.count()) > 0) await question.click({ timeout: 1000 }).catch(() => {});
    return (await box.inputValue()) === "";
  });
}

/** @param {Visitor} visitor @param {string} text */
export async function note(visitor, text) {
  await visitor.page.getByRole("button", { name: "Internal note", exact: true }).click();
  await write(visitor, text);
  await visitor.page.getByRole("button", { name: "Add note" }).click();
}

/** Chooses in one of the menus above the thread. @param {Visitor} visitor @param {RegExp} menu @param {RegExp | string} choice */
export async function choose({ page }, menu, choice) {
  await page.getByRole("main").getByRole("button", { name: menu }).click();
  await page.getByRole("menuitemradio", { name: choice }).click();
}

/** @param {Visitor} visitor @param {string} link such as "live" */
export async function mustBe({ page }, link) {
  await page.locator(`[data-link="${link}"]`).waitFor({ state: "attached", timeout: 2 * SOON_MS });
}

/** How often a text stands in the thread. @param {Visitor} visitor @param {string} text */
export const count = (visitor, text) => message(visitor, text).count();
