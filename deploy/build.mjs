// Builds what `run` serves: the web pages, unless nothing changed since last time, and the hub.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { repository } from './place.mjs';
import { run } from './processes.mjs';
import { Plain, say, timed } from './say.mjs';

const NOT_SOURCES = new Set(['node_modules', 'dist', 'coverage', 'test-results', 'playwright-report', '.vite']);

/**
 * Builds web/ into web/dist.
 * @param {string} [web]
 * @returns {Promise<string>} the folder with the pages
 */
export async function buildWeb(web = path.join(repository, 'web')) {
  if (!fs.existsSync(path.join(web, 'package.json'))) throw new Plain(`${web} has no package.json: is this checkout complete?`);
  const dist = path.join(web, 'dist');
  const packages = hashOf(web, ['package.json', 'package-lock.json']);
  const sources = hashOf(web, filesBelow(web));
  const built = recall(web);

  if (built.packages !== packages) {
    await timed('fetching the packages of the web pages', () => npm(web, 'install', '--no-audit', '--no-fund'));
    // npm may have written the lock file
    note(web, { packages: hashOf(web, ['package.json', 'package-lock.json']) });
  }
  if (built.sources === sources && built.packages === packages && fs.existsSync(path.join(dist, 'index.html'))) {
    say('web pages: unchanged since the last build');
    return dist;
  }
  await timed('building the web pages', () => npm(web, 'run', 'build'));
  note(web, { ...recall(web), sources: hashOf(web, filesBelow(web)) });
  return dist;
}

/**
 * Builds the hub; cargo knows by itself what is up to date.
 * @returns {Promise<string>} the program
 */
export async function buildHub() {
  await timed('building the hub (minutes the first time, seconds later)', () =>
    run('cargo', ['build', '--release', '-p', 'hub'], { cwd: repository, what: 'cargo build' }));
  return path.join(targetFolder(), 'release', 'hub');
}

export function targetFolder() {
  return path.resolve(repository, process.env.CARGO_TARGET_DIR || 'target');
}

/**
 * @param {string} web
 * @param {string[]} args
 */
function npm(web, ...args) {
  return run('npm', args, { cwd: web, what: `npm ${args.join(' ')}` });
}

/**
 * Contents, not dates: a fresh checkout of the same sources needs no new build.
 * @param {string} folder
 * @param {string[]} files relative
 */
function hashOf(folder, files) {
  const hash = createHash('sha256');
  for (const file of files) {
    const full = path.join(folder, file);
    hash.update(`${file}\0`).update(fs.existsSync(full) ? fs.readFileSync(full) : 'missing').update('\0');
  }
  return hash.digest('hex');
}

/**
 * @param {string} folder
 * @param {string} [below]
 * @returns {string[]} sorted, relative to folder
 */
function filesBelow(folder, below = '') {
  return fs.readdirSync(path.join(folder, below), { withFileTypes: true })
    .filter((entry) => !NOT_SOURCES.has(entry.name))
    .flatMap((entry) => {
      const relative = path.join(below, entry.name);
      return entry.isDirectory() ? filesBelow(folder, relative) : entry.isFile() ? [relative] : [];
    })
    .sort();
}

/** @typedef {{ packages?: string, sources?: string }} Built */

/**
 * Kept among the packages: whoever removes those gets a fresh build.
 * @param {string} web
 */
const noteFile = (web) => path.join(web, 'node_modules', '.tandem-build.json');

/**
 * @param {string} web
 * @returns {Built}
 */
function recall(web) {
  try {
    return JSON.parse(fs.readFileSync(noteFile(web), 'utf8'));
  } catch {
    return {};
  }
}

/**
 * @param {string} web
 * @param {Built} built
 */
function note(web, built) {
  fs.mkdirSync(path.dirname(noteFile(web)), { recursive: true });
  fs.writeFileSync(noteFile(web), `${JSON.stringify(built)}\n`);
}
