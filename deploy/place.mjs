// Where things lie on disk: the repository, the data folder, and the folder for Postgres,
// which the user who runs Postgres must be able to enter.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Plain, say } from './say.mjs';
import { canEnter } from './server-user.mjs';

export const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** Linux allows 107 bytes for a socket's path; Postgres adds `/.s.PGSQL.65535`. */
const SOCKET_FOLDER_MAX_BYTES = 85;

/** The data folder: TANDEM_DATA, relative to the repository, `.data` unless told. */
export function dataFolder() {
  const folder = path.resolve(repository, process.env.TANDEM_DATA || '.data');
  try {
    // others may pass through (Postgres as `nobody` under root) but not list
    fs.mkdirSync(folder, { recursive: true, mode: 0o711 });
    fs.accessSync(folder, fs.constants.W_OK);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Plain(`The data folder ${folder} cannot be used (${why}).\nName another one: TANDEM_DATA=/some/folder make run`);
  }
  return fs.realpathSync(folder);
}

/**
 * The folder that holds the cluster: inside the data folder when the server's user may enter it,
 * else a folder of its own under /var/lib, which lasts across restarts just the same.
 * @param {string} data
 * @param {import('./server-user.mjs').ServerUser} user
 */
export function postgresHome(data, user) {
  if (canEnter(user, data)) return path.join(data, 'postgres');

  const name = createHash('sha256').update(data).digest('hex').slice(0, 12);
  const home = path.join('/var/lib/tandem', name, 'postgres');
  fs.mkdirSync(path.dirname(home), { recursive: true, mode: 0o711 });
  if (!canEnter(user, path.dirname(home))) {
    throw new Plain(`Postgres runs as user ${user.name}, who may enter neither ${data} nor ${path.dirname(home)}.\n` +
      'Name a data folder that everybody may pass through: TANDEM_DATA=/srv/tandem make run');
  }
  say(`user ${user.name}, who runs Postgres, may not enter ${data}; the database lives in ${home}`);
  return home;
}

/**
 * A throwaway folder for a throwaway cluster.
 * @param {import('./server-user.mjs').ServerUser} user
 * @returns {string}
 */
export function temporaryFolder(user) {
  const candidates = [os.tmpdir(), '/tmp', '/var/tmp'];
  for (const parent of candidates) {
    if (!fs.existsSync(parent) || !canEnter(user, parent)) continue;
    try {
      const folder = fs.mkdtempSync(path.join(parent, 'tandem-pg-'));
      fs.chmodSync(folder, 0o711);
      return folder;
    } catch { /* not writable: try the next */ }
  }
  throw new Plain(`No temporary folder that user ${user.name} may enter (tried ${candidates.join(', ')}). Set TMPDIR to one.`);
}

/**
 * The folder for the server's Unix socket: beside the cluster, or a short one when that path is too long.
 * @param {string} home
 */
export function socketFolder(home) {
  const beside = path.join(home, 'socket');
  if (Buffer.byteLength(beside) <= SOCKET_FOLDER_MAX_BYTES) return beside;
  return fs.mkdtempSync('/tmp/tandem-socket-');
}
