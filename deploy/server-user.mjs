// Who runs Postgres. The server refuses to run as root, so under root it runs as `nobody`;
// otherwise as whoever called. Files and folders it needs are handed over to that user.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { Plain } from './say.mjs';

/**
 * @typedef {{ name: string, uid: number, gid: number, isOther: boolean }} ServerUser
 * isOther: it is not the user who runs the launcher, so processes must change to it.
 */

/** @returns {ServerUser} */
export function serverUser() {
  const uid = process.getuid?.() ?? -1;
  if (uid !== 0) return { name: ownName(uid), uid, gid: process.getgid?.() ?? -1, isOther: false };

  const line = fs.readFileSync('/etc/passwd', 'utf8').split('\n').find((entry) => entry.startsWith('nobody:'));
  if (!line) throw new Plain('Postgres refuses to run as root and this machine has no user "nobody". Run as a plain user.');
  const [, , nobodyUid, nobodyGid] = line.split(':');
  return { name: 'nobody', uid: Number(nobodyUid), gid: Number(nobodyGid), isOther: true };
}

/**
 * Containers may run under a number without a name, which Postgres does not accept.
 * @param {number} uid
 */
function ownName(uid) {
  try {
    return os.userInfo().username;
  } catch {
    throw new Plain(`User id ${uid} has no name on this machine (no line in /etc/passwd), and Postgres insists on one.\n` +
      'Run as a named user or as root, or bring your own database: DATABASE_URL and DATABASE_OWNER_URL.');
  }
}

/**
 * Spawn options that start a program as that user with a clean environment and no other groups.
 * A stray PGDATA, PGPORT or LANG of the caller would change what Postgres does.
 * @param {ServerUser} user
 * @param {string} home
 */
export function spawnAs(user, home) {
  const env = { PATH: '/usr/bin:/bin', HOME: home, LC_ALL: 'C.UTF-8', TZ: 'UTC' };
  return { cwd: '/', env, ...(user.isOther ? { uid: user.uid, gid: user.gid } : {}) };
}

/**
 * Can that user walk into the folder? Asked of the system itself, so closed parents and ACLs count.
 * @param {ServerUser} user
 * @param {string} folder
 */
export function canEnter(user, folder) {
  return spawnSync('/usr/bin/test', ['-x', folder], spawnAs(user, '/')).status === 0;
}

/**
 * Makes a folder that only that user (and root) may read.
 * @param {ServerUser} user
 * @param {string} folder
 */
export function makePrivateFolder(user, folder) {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  handOver(user, folder);
  fs.chmodSync(folder, 0o700);
}

/**
 * @param {ServerUser} user
 * @param {string} path
 */
export function handOver(user, path) {
  if (user.isOther) fs.lchownSync(path, user.uid, user.gid);
}
