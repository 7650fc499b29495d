// The Postgres of the demo: brought up from whatever state it was left in, remembered between
// starts (port, way, passwords), stopped last.
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { findRunning, majorOf, makeCluster, startCluster, stopCluster } from './cluster.mjs';
import { prepareDatabases, urlOf } from './databases.mjs';
import { findPostgres, introduce, waysFor } from './pg-ways.mjs';
import { postgresHome } from './place.mjs';
import { say } from './say.mjs';
import { serverUser } from './server-user.mjs';

/** Next to the usual 5432, so that a Postgres of the machine keeps its port. */
const PREFERRED_PORT = 5433;

/** @typedef {{ url: string, ownerUrl: string, port: number, stop: () => Promise<void> }} Database */
/** @typedef {{ home: string, port: number, pid: number, way: string, version: string }} Remembered */

/**
 * Starts the private Postgres of a data folder, or finds the one that still runs there.
 * @param {string} data
 * @returns {Promise<Database>}
 */
export async function bringPostgres(data) {
  const ways = waysFor(process.env.TANDEM_PG);
  const user = serverUser();
  const cluster = { home: postgresHome(data, user), user };
  const before = recall(data);

  let running = await findRunning(cluster);
  const isOtherWay = Boolean(process.env.TANDEM_PG) && before?.way !== process.env.TANDEM_PG;
  if (running && isOtherWay) {
    say(`Postgres runs, but not the one of TANDEM_PG=${process.env.TANDEM_PG}; restarting it`);
    await stopCluster(cluster);
    running = null;
  }
  if (running) {
    say(`Postgres still runs from an earlier start, port ${running.port}; using it`);
    remember(data, { ...(before ?? { way: 'unknown', version: 'unknown' }), home: cluster.home, ...running });
  } else {
    const postgres = await findPostgres({ ways, npmFolder: npmFolderOf(cluster.home), major: majorOf(cluster) ?? undefined });
    introduce(postgres);
    makeCluster(cluster, postgres.programs);
    running = await startCluster(cluster, { programs: postgres.programs, preferredPort: before?.port ?? PREFERRED_PORT });
    say(`Postgres listens on 127.0.0.1:${running.port}, its data is in ${cluster.home}`);
    remember(data, { home: cluster.home, port: running.port, pid: running.pid, way: postgres.way, version: postgres.version });
  }

  const passwords = keepPasswords(data);
  await prepareDatabases(running, passwords);
  return {
    url: urlOf(running.port, 'tandem_app', passwords.app, 'tandem'),
    ownerUrl: urlOf(running.port, 'tandem_owner', passwords.owner, 'tandem'),
    port: running.port,
    stop: () => stopCluster(cluster),
  };
}

/**
 * Stops a Postgres that an ended launcher left behind.
 * @param {string} data
 * @returns {Promise<boolean>} false when none ran
 */
export async function stopLeftOver(data) {
  const user = serverUser();
  const cluster = { home: recall(data)?.home ?? postgresHome(data, user), user };
  if (!(await findRunning(cluster))) return false;
  await stopCluster(cluster);
  return true;
}

/**
 * Where the npm package is unpacked: beside the cluster, readable by the server's user.
 * @param {string} home
 */
export function npmFolderOf(home) {
  return path.join(path.dirname(home), 'postgres-npm');
}

/** @param {string} data */
const stateFile = (data) => path.join(data, 'postgres.json');

/**
 * @param {string} data
 * @returns {Remembered | null}
 */
export function recall(data) {
  try {
    return JSON.parse(fs.readFileSync(stateFile(data), 'utf8'));
  } catch {
    return null; // first start, or a file cut short by a crash: everything in it can be found out again
  }
}

/**
 * @param {string} data
 * @param {Remembered} state
 */
function remember(data, { home, port, pid, way, version }) {
  fs.writeFileSync(stateFile(data), `${JSON.stringify({ home, port, pid, way, version }, null, 2)}\n`, { mode: 0o600 });
}

/**
 * The passwords of this data folder, made at the first start. Losing the file is harmless: new ones
 * are made and set at the next start.
 * @param {string} data
 * @returns {import('./databases.mjs').Passwords}
 */
function keepPasswords(data) {
  const file = path.join(data, 'postgres-passwords.json');
  try {
    const kept = JSON.parse(fs.readFileSync(file, 'utf8'));
    if ([kept.superuser, kept.owner, kept.app].every((word) => /^[0-9a-f]{48}$/.test(word))) return kept;
  } catch { /* none yet */ }
  const passwords = { superuser: newPassword(), owner: newPassword(), app: newPassword() };
  fs.rmSync(file, { force: true });
  fs.writeFileSync(file, `${JSON.stringify(passwords, null, 2)}\n`, { mode: 0o600 });
  return passwords;
}

/** Hex, so that it needs no quoting in SQL or in an address. */
export function newPassword() {
  return randomBytes(24).toString('hex');
}
