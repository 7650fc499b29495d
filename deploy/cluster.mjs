// One private Postgres cluster: make it, start it in a session of its own, find it again, stop it.
// Knows nothing about Tandem's databases; see databases.mjs for those.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { freePort } from './ports.mjs';
import { answersOnTcp, query } from './pg-client.mjs';
import { birthOf, dyingWithUs, signal, waitUntil } from './processes.mjs';
import { Plain, say } from './say.mjs';
import { handOver, makePrivateFolder, spawnAs } from './server-user.mjs';
import { socketFolder } from './place.mjs';

/** A crashed cluster replays its log before it answers; that may take a while on a slow disk. */
const START_WITHIN_MS = 120_000;
const STOP_WITHIN_MS = 30_000;

/** @typedef {{ home: string, user: import('./server-user.mjs').ServerUser }} Cluster */
/** @typedef {{ pid: number, port: number, socketFolder: string }} Running */

/** @param {Cluster} cluster */
const dataOf = ({ home }) => path.join(home, 'data');

/**
 * The major version that wrote the cluster, or null when there is none yet.
 * @param {Cluster} cluster
 * @returns {number | null}
 */
export function majorOf(cluster) {
  const file = path.join(dataOf(cluster), 'PG_VERSION');
  return fs.existsSync(file) ? Number(fs.readFileSync(file, 'utf8').trim()) : null;
}

/**
 * Makes the cluster unless it is there. Half a cluster never counts as one: it gets its name last.
 * @param {Cluster} cluster
 * @param {string} programs
 */
export function makeCluster(cluster, programs) {
  const { home, user } = cluster;
  makePrivateFolder(user, home);
  if (majorOf(cluster)) return refuseForeignOwner(cluster);

  const unfinished = path.join(home, 'data.unfinished');
  fs.rmSync(unfinished, { recursive: true, force: true });
  const args = ['-D', unfinished, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-instructions'];
  const made = spawnSync(path.join(programs, 'initdb'), args, { ...spawnAs(user, home), encoding: 'utf8' });
  if (made.status !== 0) throw new Plain(`Postgres could not make its data folder in ${home}:\n${made.stderr || made.error?.message}`);
  fs.renameSync(unfinished, dataOf(cluster));
}

/** @param {Cluster} cluster */
function refuseForeignOwner(cluster) {
  const owner = fs.statSync(dataOf(cluster)).uid;
  if (owner === cluster.user.uid) return;
  throw new Plain(`The database in ${cluster.home} belongs to user id ${owner}, and Postgres would now run as ${cluster.user.name}.\n` +
    'Start as the user who made it, or name another data folder: TANDEM_DATA=.data-of-mine make run');
}

/**
 * Starts the server and waits until it answers.
 * @param {Cluster} cluster
 * @param {{ programs: string, preferredPort?: number, isFast?: boolean, settings?: string, diesWithUs?: boolean }} how
 *   isFast: no fsync, for throwaway data only; settings: more lines for postgresql.conf; diesWithUs: a killed launcher takes it along
 * @returns {Promise<Running>}
 */
export async function startCluster(cluster, how) {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort(how.preferredPort);
    const outcome = await tryStart(cluster, how, port);
    if (typeof outcome !== 'string') return outcome;
    // the port may have been taken meanwhile, or orphans of a killed server may still be leaving
    const mayPass = /could not bind|Address already in use|lock file|shared memory block/.test(outcome);
    if (!mayPass || attempt === 5) throw new Plain(`Postgres did not start. The end of ${logOf(cluster)}:\n${outcome}`);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

/** @param {Cluster} cluster */
export const logOf = ({ home }) => path.join(home, 'postgres.log');

/**
 * @param {Cluster} cluster
 * @param {{ programs: string, isFast?: boolean, settings?: string, diesWithUs?: boolean }} how
 * @param {number} port
 * @returns {Promise<Running | string>} the end of the log when it did not start
 */
async function tryStart(cluster, { programs, isFast = false, settings = '', diesWithUs = false }, port) {
  const { home, user } = cluster;
  const sockets = socketFolder(home);
  makePrivateFolder(user, sockets);
  configure(cluster, { port, sockets, isFast, settings });
  forgetStalePid(cluster);

  const log = fs.openSync(logOf(cluster), 'a', 0o600);
  const logStartsAt = fs.fstatSync(log).size;
  const postgres = [path.join(programs, 'postgres'), '-D', dataOf(cluster)];
  const [program, ...args] = diesWithUs ? dyingWithUs('INT', postgres) : postgres;
  // detached: a session of its own, so that Ctrl-C on this terminal does not reach it
  const child = spawn(program, args, { ...spawnAs(user, home), detached: true, stdio: ['ignore', log, log] });
  fs.closeSync(log);
  let hasEnded = false;
  child.once('error', () => { hasEnded = true; });
  child.once('exit', () => { hasEnded = true; });
  child.unref();

  let running = null;
  await waitUntil(async () => {
    running = hasEnded ? null : await findRunning(cluster);
    return hasEnded || running !== null;
  }, { withinMs: START_WITHIN_MS });
  if (running) return running;

  if (!hasEnded && child.pid) signal(child.pid, 'SIGQUIT');
  return fs.readFileSync(logOf(cluster)).subarray(logStartsAt).toString('utf8').trimEnd().split('\n').slice(-15).join('\n');
}

/**
 * Settings and access rules are written anew before each start: what is in this file is what runs.
 * @param {Cluster} cluster
 * @param {{ port: number, sockets: string, isFast: boolean, settings: string }} how
 */
function configure(cluster, { port, sockets, isFast, settings }) {
  const durability = isFast ? 'off' : 'on';
  write(cluster, 'postgresql.conf', `# written by the launcher at each start
listen_addresses = '127.0.0.1'
port = ${port}
unix_socket_directories = '${sockets.replaceAll("'", "''")}'
unix_socket_permissions = 0700
password_encryption = 'scram-sha-256'
max_connections = 200
shared_buffers = 256MB
work_mem = 8MB
maintenance_work_mem = 64MB
max_wal_size = 2GB
jit = off
fsync = ${durability}
full_page_writes = ${durability}
synchronous_commit = ${durability}
log_lock_waits = on
deadlock_timeout = 200ms
log_min_duration_statement = 500ms
log_line_prefix = '%m [%p] %u@%d '
timezone = 'UTC'
${settings}
`);
  // the socket lies in a folder only the server's user may enter; everybody else needs a password
  write(cluster, 'pg_hba.conf', `# written by the launcher at each start
local all postgres trust
host all all 127.0.0.1/32 scram-sha-256
`);
}

/**
 * @param {Cluster} cluster
 * @param {string} name
 * @param {string} text
 */
function write(cluster, name, text) {
  const file = path.join(dataOf(cluster), name);
  fs.writeFileSync(file, text, { mode: 0o600 });
  handOver(cluster.user, file);
}

/**
 * The server of this cluster, when one runs and answers both on its socket and on its port.
 * @param {Cluster} cluster
 * @returns {Promise<Running | null>}
 */
export async function findRunning(cluster) {
  const claimed = readPidFile(cluster);
  if (!claimed || !isServerOf(cluster, claimed.pid)) return null;
  try {
    const [[[folder]]] = await query(claimed, ['SHOW data_directory']);
    const isOurs = folder !== null && fs.realpathSync(folder) === fs.realpathSync(dataOf(cluster));
    return isOurs && (await answersOnTcp(claimed.port)) ? claimed : null;
  } catch {
    return null; // not ready yet, or not ours
  }
}

/**
 * What postmaster.pid says: pid, folder, start, port, socket folder, one per line.
 * @param {Cluster} cluster
 * @returns {Running | null}
 */
function readPidFile(cluster) {
  const file = path.join(dataOf(cluster), 'postmaster.pid');
  if (!fs.existsSync(file)) return null;
  const [pid, , , port, sockets] = fs.readFileSync(file, 'utf8').split('\n');
  return Number(pid) > 0 ? { pid: Number(pid), port: Number(port), socketFolder: sockets ?? '' } : null;
}

/**
 * Is this process the server of this cluster? A server works inside its data folder; after a crash
 * the number may belong to anybody.
 * @param {Cluster} cluster
 * @param {number} pid
 */
function isServerOf(cluster, pid) {
  if (birthOf(pid) === null) return false;
  try {
    return fs.readlinkSync(`/proc/${pid}/cwd`) === fs.realpathSync(dataOf(cluster));
  } catch {
    return false;
  }
}

/** @param {Cluster} cluster */
function forgetStalePid(cluster) {
  const claimed = readPidFile(cluster);
  if (!claimed || isServerOf(cluster, claimed.pid)) return;
  say('Postgres was not stopped properly last time; it recovers by itself');
  fs.rmSync(path.join(dataOf(cluster), 'postmaster.pid'), { force: true });
}

/**
 * Stops the server: politely but without waiting for clients, then without ceremony.
 * @param {Cluster} cluster
 * @param {{ isThrowaway?: boolean }} [options]
 */
export async function stopCluster(cluster, { isThrowaway = false } = {}) {
  const claimed = readPidFile(cluster);
  if (!claimed || !isServerOf(cluster, claimed.pid)) return;
  const hasLeft = () => !isServerOf(cluster, claimed.pid);
  signal(claimed.pid, isThrowaway ? 'SIGQUIT' : 'SIGINT'); // immediate : fast shutdown
  if (!(await waitUntil(hasLeft, { withinMs: STOP_WITHIN_MS }))) {
    say('Postgres does not stop; ending it the hard way (it recovers at the next start)');
    signal(claimed.pid, 'SIGQUIT');
    await waitUntil(hasLeft, { withinMs: STOP_WITHIN_MS });
  }
  const beside = path.join(cluster.home, 'socket');
  if (claimed.socketFolder !== beside) fs.rmSync(claimed.socketFolder, { recursive: true, force: true });
}
