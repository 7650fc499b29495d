// The hub as a process: run one of its short commands, start it serving, see it ready, see it out.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { isFree } from './ports.mjs';
import { birthOf, dyingWithUs, exitOf, run, signal, waitUntil } from './processes.mjs';
import { Plain, say } from './say.mjs';

/** The hub drains its sockets within 30 s; a little more for what follows. */
export const DRAIN_WITHIN_MS = 32_000;
const READY_WITHIN_MS = 120_000;

/**
 * What a hub under load is told beside the usual: one user of a small fleet may have many sockets and write as fast as the load
 * wants, and all may come from one address.
 */
export const ROOM_FOR_LOAD = {
  TANDEM_SOCKETS_PER_USER: '100',
  TANDEM_SOCKET_FRAMES_PER_SECOND: '1000',
  TANDEM_SOCKET_FRAMES_BURST: '2000',
  TANDEM_CONNECTIONS_PER_ADDRESS: '0',
  TANDEM_HANDSHAKES_PER_SECOND: '0',
  TANDEM_ADDRESS_REQUESTS_PER_SECOND: '0',
  TANDEM_TOKEN_REQUESTS_PER_SECOND: '0',
  TANDEM_USER_REQUESTS_PER_SECOND: '0',
  TANDEM_LOG: 'warn',
};

/**
 * @typedef {{ program: string, port: number, data: string, pages: string, url: string, ownerUrl: string,
 *   others?: Record<string, string>, log?: string }} Setting
 * others: what else the hub's environment says; log: a file for the words of a serving hub, instead of this terminal
 */
/** @typedef {{ pid: number, exit: Promise<number>, drain: () => Promise<void>, kill: () => void }} Serving */

/**
 * Only the hub's short commands see the owner's address, `serve` never does.
 * @param {Setting} setting
 * @param {string[]} args
 */
function command(setting, ...args) {
  const env = { ...environment(setting), DATABASE_OWNER_URL: setting.ownerUrl };
  return run(setting.program, args, { env, what: `hub ${args.slice(0, 2).join(' ')}` });
}

/** @param {Setting} setting */
export const migrateHub = (setting) => command(setting, 'migrate');

/** @param {Setting} setting */
export const seedDemo = (setting) => command(setting, 'seed', '--demo');

/**
 * @param {Setting} setting
 * @param {string} fleet such as `agents=N,customers=M,tickets=K`
 * @param {string} tokens the file to write
 */
export const seedFleet = (setting, fleet, tokens) => command(setting, 'seed', '--fleet', fleet, '--tokens', tokens);

/**
 * Starts the hub in a session of its own: Ctrl-C reaches the launcher, which asks the hub once.
 * @param {Setting} setting
 * @returns {Serving}
 */
export function serveHub(setting) {
  // should the launcher be killed, the kernel asks the hub to drain
  const [program, ...args] = dyingWithUs('TERM', [setting.program, 'serve']);
  const words = setting.log ? fs.openSync(setting.log, 'a') : /** @type {const} */ ('inherit');
  const child = spawn(program, args, { env: environment(setting), detached: true, stdio: ['ignore', words, words] });
  if (typeof words === 'number') fs.closeSync(words);
  const pid = child.pid ?? 0;
  const exit = exitOf(child, setting.program);
  if (pid) fs.writeFileSync(pidFile(setting.data), `${pid} ${birthOf(pid)}`);
  return {
    pid,
    exit: exit.finally(() => fs.rmSync(pidFile(setting.data), { force: true })),
    drain: async () => {
      signal(pid, 'SIGTERM');
      if (await waitUntil(() => birthOf(pid) === null, { withinMs: DRAIN_WITHIN_MS })) return;
      say('the hub does not stop; ending it (everything it confirmed is in the database)');
      signal(pid, 'SIGKILL');
    },
    kill: () => signal(pid, 'SIGKILL'),
  };
}

/**
 * Waits until the hub says it is ready.
 * @param {number} port
 * @param {() => boolean} isOver stop waiting: the hub has ended
 * @returns {Promise<boolean>}
 */
export async function isReady(port, isOver) {
  let ready = false;
  await waitUntil(async () => {
    ready = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(2000) }).then((answer) => answer.ok, () => false);
    return ready || isOver();
  }, { withinMs: READY_WITHIN_MS, everyMs: 100 });
  return ready && !isOver();
}

/**
 * Makes sure the port is ours to take: a hub whose launcher was killed is asked to leave, anything else is named.
 * @param {string} data
 * @param {number} port
 */
export async function clearTheWay(data, port) {
  const [pid, birth] = fs.existsSync(pidFile(data)) ? fs.readFileSync(pidFile(data), 'utf8').split(' ') : [];
  const isLeftOver = () => birth !== undefined && birthOf(Number(pid)) === birth;
  if (isLeftOver()) {
    say(`a hub of an earlier start still runs (process ${pid}); asking it to stop`);
    signal(Number(pid), 'SIGTERM');
    if (!(await waitUntil(() => !isLeftOver(), { withinMs: DRAIN_WITHIN_MS }))) signal(Number(pid), 'SIGKILL');
  }
  if (!(await waitUntil(() => isFree(port), { withinMs: 1500 }))) {
    throw new Plain(`Port ${port} is taken by another program. Stop it, or choose another port: TANDEM_PORT=${port + 1} make run`);
  }
}

/** @param {string} data */
const pidFile = (data) => path.join(data, 'hub.pid');

/** @param {Setting} setting */
function environment({ port, data, pages, url, others = {} }) {
  const { DATABASE_OWNER_URL: _keptFromTheHub, ...inherited } = process.env;
  return { ...inherited, DATABASE_URL: url, TANDEM_PORT: String(port), TANDEM_DATA: data, TANDEM_WEB_DIR: pages, ...others };
}
