// Who takes part in the stories, how they come, and how they go.
import { mustBe } from "./desk.mjs";
import { mustBeQuiet, newVisitor, signIn } from "./pages.mjs";

/**
 * @typedef {{ browser: import("playwright-core").Browser, hub: import("./hub.mjs").Hub }} Stage
 * @typedef {{ name: string, tell: (stage: Stage) => Promise<void> }} Story
 */

/** What the browser itself says while the hub is away; everything else would be the page's own fault. */
export const OUTAGE = [/^console: WebSocket connection to .* failed/, /^console: Failed to load resource: net::ERR_/];

/**
 * @param {Stage["browser"]} browser @param {Stage["hub"]} hub @param {"ana" | "bo" | "lead"} name
 * @param {{ holdS?: number, width?: number, height?: number, dark?: boolean }} [setting] `holdS`: replies are held back so many seconds
 */
export async function agent(browser, hub, name, { holdS = 0, ...screen } = {}) {
  const visitor = await newVisitor(browser, hub.address, screen);
  await visitor.page.addInitScript((seconds) => localStorage.setItem("tandem-hold", String(seconds)), holdS);
  await signIn(visitor, `${name}@acme.test`);
  await mustBe(visitor, "live");
  await visitor.page.locator("[data-row]").first().waitFor();
  return visitor;
}

/** @param {Stage["browser"]} browser @param {Stage["hub"]} hub */
export async function customer(browser, hub) {
  const visitor = await newVisitor(browser, hub.address);
  await signIn(visitor, "cleo@customer.test", { at: "/help" });
  await mustBe(visitor, "live");
  return visitor;
}

/** Everybody goes, and nobody's page may have complained. @param {Record<string, import("./pages.mjs").Visitor>} visitors @param {RegExp[]} [expected] */
export async function leave(visitors, expected) {
  for (const [who, visitor] of Object.entries(visitors)) {
    mustBeQuiet(visitor, who, expected);
    await visitor.context.close();
  }
}

/** @param {import("./pages.mjs").Visitor} visitor @param {string} secret */
export function mustBeSilentAbout({ frames }, secret) {
  if (frames.length === 0) throw new Error("no frames were recorded");
  if (frames.some((frame) => frame.includes(secret)))
    throw new Error(`a frame holds what this page must not be told: ${secret}`);
}

let number = 0;

/** Titles that no other story and no earlier run has used. @param {string} words */
export function unique(words) {
  number += 1;
  return `${words} ${process.pid}-${number}`;
}
