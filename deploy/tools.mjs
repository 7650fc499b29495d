// What a machine must bring: Rust, Node and a C compiler. Says plainly what is missing and how to get it.
import { aptInstall } from './apt.mjs';
import { findPostgres, introduce, waysFor } from './pg-ways.mjs';
import { dataFolder, postgresHome } from './place.mjs';
import { npmFolderOf } from './postgres.mjs';
import { firstLineOf, isOnPath, run } from './processes.mjs';
import { Plain, say } from './say.mjs';
import { serverUser } from './server-user.mjs';

const OLDEST_RUST = [1, 95];
const OLDEST_NODE = [20, 19]; // what the tools that build the pages ask for

/** Fails with a list of everything that is missing, not just the first thing. */
export function checkTools() {
  const missing = complaints({
    rust: firstLineOf('rustc', ['--version']),
    hasCargo: isOnPath('cargo'),
    node: process.versions.node,
    hasNpm: isOnPath('npm'),
  });
  if (missing.length > 0) throw new Plain(`This machine lacks what Tandem is built with:\n${missing.map((line) => `- ${line}`).join('\n')}`);
}

/**
 * @param {{ rust: string | null, hasCargo: boolean, node: string, hasNpm: boolean }} found
 * @returns {string[]} one line per missing tool, with the way to get it
 */
export function complaints({ rust, hasCargo, node, hasNpm }) {
  const lines = [];
  const getRust = 'install it with rustup (https://rustup.rs), then: rustup default stable';
  if (!rust || !hasCargo) lines.push(`Rust ${OLDEST_RUST.join('.')} or newer (rustc and cargo): ${getRust}`);
  else if (!isAtLeast(rust, OLDEST_RUST)) lines.push(`Rust ${OLDEST_RUST.join('.')} or newer, this is "${rust}": run rustup update stable`);
  if (!isAtLeast(node, OLDEST_NODE)) lines.push(`Node ${OLDEST_NODE.join('.')} or newer, this is ${node}: get it from https://nodejs.org`);
  if (!hasNpm) lines.push('npm: it comes with Node from https://nodejs.org; on Debian: apt-get install npm');
  return lines;
}

/**
 * @param {string} text anything with a version in it
 * @param {number[]} oldest
 */
function isAtLeast(text, [major, minor]) {
  const found = text.match(/(\d+)\.(\d+)/);
  if (!found) return false;
  const [, foundMajor, foundMinor] = found.map(Number);
  return foundMajor > major || (foundMajor === major && foundMinor >= minor);
}

/** Some crates compile a little C: without a compiler the build would stop half-way. */
export async function ensureCompiler() {
  if (isOnPath('cc')) return;
  await aptInstall(['build-essential'], 'a C compiler is needed to build the hub');
}

/** Everything the tests need beyond Rust, Node and make, installed when missing. */
export async function prepareForTests() {
  checkTools();
  const wanted = [];
  if (!isOnPath('cc')) wanted.push('build-essential');
  if (!isOnPath('chromium') && !process.env.CHROMIUM) wanted.push('chromium', 'fonts-liberation');
  if (!isOnPath('python3')) wanted.push('python3');
  if (wanted.length > 0) await aptInstall(wanted, 'the tests need it');
  await ensureRustLints();
  const npmFolder = npmFolderOf(postgresHome(dataFolder(), serverUser()));
  introduce(await findPostgres({ ways: waysFor(process.env.TANDEM_PG), npmFolder }));
  say('everything the tests need is here');
}

/** rustup's minimal profile brings neither of them. */
async function ensureRustLints() {
  const missing = ['fmt', 'clippy'].filter((part) => firstLineOf('cargo', [part, '--version']) === null);
  if (missing.length === 0) return;
  if (!isOnPath('rustup')) throw new Plain(`cargo ${missing.join(' and cargo ')} is missing; install rustfmt and clippy beside your Rust.`);
  await run('rustup', ['component', 'add', 'rustfmt', 'clippy']);
}
