// End to end: real browsers, a real hub, a real Postgres. Needs TANDEM_HUB_BIN, TANDEM_TEST_PG (a superuser's address)
// and a built web/dist; TANDEM_WEB_DIR and CHROMIUM say where things are. `--only WORDS` tells the stories that hold them.
import fs from "node:fs";
import path from "node:path";
import { bellStories } from "./bell-stories.mjs";
import { claimStories } from "./claim-stories.mjs";
import { conflictStories } from "./conflict-stories.mjs";
import { draftStories } from "./draft-stories.mjs";
import { prepareHub } from "./hub.mjs";
import { listStories } from "./list-stories.mjs";
import { openBrowser } from "./pages.mjs";
import { createDatabase } from "./postgres.mjs";
import { presenceStories } from "./presence-stories.mjs";
import { screens } from "./screens.mjs";
import { loadStories } from "./signal-load.mjs";
import { stories } from "./stories.mjs";
import { togetherStories } from "./together-stories.mjs";

const STORY_WITHIN_MS = 300_000;

const program = needed("TANDEM_HUB_BIN");
const superuserUrl = needed("TANDEM_TEST_PG");
const pages = path.resolve(process.env.TANDEM_WEB_DIR ?? path.join(import.meta.dirname, "../dist"));
if (!fs.existsSync(path.join(pages, "index.html"))) fail(`there are no built pages in ${pages}: npm run build`);
const onlyAt = process.argv.indexOf("--only");
const only = onlyAt < 0 ? "" : (process.argv[onlyAt + 1] ?? "");

const all = [
  ...stories,
  ...bellStories,
  ...conflictStories,
  ...listStories,
  ...presenceStories,
  ...claimStories,
  ...draftStories,
  ...togetherStories,
  ...loadStories,
  { name: "the screens are accessible in light and dark, wide and narrow (screenshots)", tell: screens },
];
const chosen = all.filter(({ name }) => name.includes(only));
if (chosen.length === 0) fail(`no story holds the words "${only}"`);

const started = Date.now();
const database = await createDatabase(superuserUrl);
/** @type {(() => Promise<unknown>)[]} */
const tidy = [() => database.drop()];
let failures = 0;
try {
  const hub = await prepareHub({ program, pages, url: database.url, ownerUrl: database.ownerUrl });
  tidy.unshift(() => hub.end());
  await hub.start();
  const browser = await openBrowser();
  tidy.unshift(() => browser.close());
  for (const { name, tell } of chosen) {
    const began = Date.now();
    try {
      await within(STORY_WITHIN_MS, tell({ browser, hub }));
      console.log(`ok    ${name} (${Date.now() - began} ms)`);
    } catch (error) {
      failures += 1;
      console.error(`FAIL  ${name}\n${error instanceof Error ? error.stack : error}`);
      await pictureOf(browser, failures);
    }
  }
  if (failures > 0) console.error(`\nThe hub said last:\n${hub.log.slice(-4000)}`);
} finally {
  for (const step of tidy) await step().catch((/** @type {unknown} */ error) => console.error(`tidying up: ${error}`));
}
// in Playwright's words, so that whoever adds up test results understands them
if (failures > 0) console.log(`  ${failures} failed`);
console.log(`  ${chosen.length - failures} passed (${((Date.now() - started) / 1000).toFixed(1)}s)`);
process.exit(failures === 0 ? 0 : 1);

/** What every open page showed when the story failed. @param {import("playwright-core").Browser} browser @param {number} failure */
async function pictureOf(browser, failure) {
  const folder = path.join(import.meta.dirname, "shots");
  fs.mkdirSync(folder, { recursive: true });
  for (const [at, context] of browser.contexts().entries()) {
    for (const page of context.pages()) {
      await page.screenshot({ path: path.join(folder, `failure-${failure}-${at}.png`) }).catch(() => {});
    }
    await context.close();
  }
}

/** @template T @param {number} ms @param {Promise<T>} work @returns {Promise<T>} */
async function within(ms, work) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the story took longer than ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** @param {string} name */
function needed(name) {
  const value = process.env[name];
  if (!value) fail(`${name} is not set. From the root of the checkout: make test-e2e`);
  return value;
}

/** @param {string} why @returns {never} */
function fail(why) {
  console.error(why);
  process.exit(2);
}
