// Browser pages that remember everything they should not have said: errors, violations of the policy, frames.
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { chromium } from "playwright-core";

const AXE = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SHOTS = path.join(import.meta.dirname, "shots");
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/** How long something may take that is about to happen; a loaded machine needs more than a person would wait. */
export const SOON_MS = 20_000;

/** @returns {Promise<import("playwright-core").Browser>} */
export function openBrowser() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
}

/**
 * A person at a browser of their own.
 * @param {import("playwright-core").Browser} browser
 * @param {string} base the hub's address
 * @param {{ width?: number, height?: number, dark?: boolean }} [screen]
 */
export async function newVisitor(browser, base, { width = 1280, height = 860, dark = false } = {}) {
  const context = await browser.newContext({
    baseURL: base,
    viewport: { width, height },
    colorScheme: dark ? "dark" : "light",
    serviceWorkers: "block",
  });
  context.setDefaultTimeout(SOON_MS);
  const page = await context.newPage();
  const visitor = { context, page, complaints: /** @type {string[]} */ ([]), frames: /** @type {string[]} */ ([]) };
  await page.exposeFunction("tellViolation", (/** @type {string} */ what) =>
    visitor.complaints.push(`policy: ${what}`),
  );
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sample }) => {
      // @ts-expect-error put there by exposeFunction
      window.tellViolation(`${violatedDirective} ${blockedURI} ${sample}`);
    });
  });
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning")
      visitor.complaints.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => visitor.complaints.push(`page: ${error.stack ?? error.message}`));
  page.on("websocket", (socket) => {
    // both codecs carry text as UTF-8, so that what a frame says can be searched for
    socket.on("framereceived", ({ payload }) => visitor.frames.push(payload.toString("utf8")));
  });
  return visitor;
}

/** @typedef {Awaited<ReturnType<typeof newVisitor>>} Visitor */

/**
 * Signs in by the form, like everybody.
 * @param {Visitor} visitor
 * @param {string} email
 * @param {{ at?: "/" | "/help", password?: string }} [how]
 */
export async function signIn({ page }, email, { at = "/", password = "demo" } = {}) {
  await page.goto(at);
  await page.getByLabel("Workspace").fill("acme");
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/**
 * Fails unless axe finds nothing against WCAG 2.2 AA on the screen as it is.
 * @param {Visitor} visitor
 * @param {string} name
 * @param {string} [within] only this part, where it covers the others
 */
export async function mustBeAccessible({ page }, name, within = "html") {
  await settle(page);
  // The policy of the page forbids injected scripts; the debugger's door is open all the same.
  await page.evaluate(AXE);
  const found = await page.evaluate(
    ({ tags, part }) =>
      // @ts-expect-error axe has just been put there
      // the menu library's focus guards are hidden from readers but pass the focus on
      window.axe
        .run(
          { include: [[part]], exclude: [["[data-base-ui-focus-guard]"]] },
          { runOnly: { type: "tag", values: tags } },
        )
        .then((result) =>
          result.violations.map(
            ({ id, nodes }) =>
              `${id}: ${nodes.map((node) => `${node.html} ${node.any[0]?.message ?? ""}`).join("\n    ")}`,
          ),
        ),
    { tags: RULES, part: within },
  );
  if (found.length > 0) throw new Error(`${name} is not accessible:\n  ${found.join("\n  ")}`);
}

/**
 * @param {Visitor} visitor
 * @param {string} name
 */
export async function shoot({ page }, name) {
  fs.mkdirSync(SHOTS, { recursive: true });
  await settle(page);
  // Only its panes scroll: what makes the page itself longer than the window can push everything out of sight.
  const tooLong = await page.evaluate(() => document.documentElement.scrollHeight - window.innerHeight);
  if (tooLong > 1) throw new Error(`${name}: the page is ${tooLong} pixels longer than the window`);
  await page.screenshot({ path: path.join(SHOTS, `${name}.png`) });
}

/**
 * Fails if the page complained about anything that the story does not expect.
 * @param {Visitor} visitor
 * @param {string} who
 * @param {RegExp[]} [expected]
 */
export function mustBeQuiet(visitor, who, expected = []) {
  const unexpected = visitor.complaints.filter((complaint) => !expected.some((pattern) => pattern.test(complaint)));
  if (unexpected.length > 0) throw new Error(`${who}'s page complained:\n  ${unexpected.join("\n  ")}`);
}

/**
 * Waits until a condition holds, for as long as anything may take.
 * @param {string} what
 * @param {() => boolean | Promise<boolean>} holds
 */
export async function until(what, holds, withinMs = SOON_MS) {
  const endMs = Date.now() + withinMs;
  for (;;) {
    if (await holds()) return;
    if (Date.now() > endMs) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Animations have ended, so that what is measured and pictured is what stays. @param {import("playwright-core").Page} page */
async function settle(page) {
  await page.evaluate(() =>
    Promise.all(
      document
        .getAnimations()
        .filter((one) => one.effect?.getComputedTiming().iterations !== Infinity)
        .map((one) => one.finished.catch(() => null)),
    ),
  );
}
