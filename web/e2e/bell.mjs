// The bell as people use it: counted, opened, read.
import { until } from "./pages.mjs";

/** @typedef {import("./pages.mjs").Visitor} Visitor */
/** @typedef {Pick<Visitor, "page">} Looker */

/** @param {Looker} visitor */
export const bell = ({ page }) => page.getByRole("button", { name: /^Notifications/ });

/** The open panel. @param {Looker} visitor */
export const panel = ({ page }) => page.getByRole("dialog", { name: "Notifications" });

/** What the panel says of one ticket. @param {Looker} visitor @param {string} title */
export const news = (visitor, title) => panel(visitor).getByRole("listitem").filter({ hasText: title });

/** Waits until the bell counts so many tickets. @param {Looker} visitor @param {number} tickets */
export async function mustCount(visitor, tickets) {
  const { page } = visitor;
  const words = tickets === 0 ? "Notifications" : `Notifications: ${tickets === 1 ? "1 ticket" : `${tickets} tickets`}`;
  await until(`the bell says "${words}"`, async () => (await bell(visitor).getAttribute("aria-label")) === words).catch(
    async (/** @type {unknown} */ error) => {
      throw new Error(`${error}; it says "${await bell(visitor).getAttribute("aria-label")}"`);
    },
  );
  const isMarked = /^\(\d/.test(await page.title());
  if (isMarked !== tickets > 0) throw new Error(`the tab is called "${await page.title()}"`);
}

/** @param {Looker} visitor */
export async function openBell(visitor) {
  await bell(visitor).click();
  await panel(visitor).waitFor();
}

/** Whatever other stories have left behind is read. @param {Looker} visitor */
export async function readAll(visitor) {
  await openBell(visitor);
  // empty, or filled with what the hub told: either way it is there
  await panel(visitor).getByRole("listitem").or(panel(visitor).getByText("No notifications")).first().waitFor();
  const all = panel(visitor).getByRole("button", { name: "Mark all read" });
  if ((await all.count()) > 0 && (await all.getAttribute("aria-disabled")) === "false") await all.click();
  await visitor.page.keyboard.press("Escape");
  await panel(visitor).waitFor({ state: "detached" });
  await mustCount(visitor, 0);
}
