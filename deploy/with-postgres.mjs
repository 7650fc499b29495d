// `with-postgres [--fast] -- COMMAND...`: a throwaway cluster for the length of one command.
// The command gets a superuser's address in TANDEM_TEST_PG and makes its own databases.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { makeCluster, startCluster, stopCluster } from './cluster.mjs';
import { prepareForTests, urlOf } from './databases.mjs';
import { findPostgres, introduce, waysFor } from './pg-ways.mjs';
import { dataFolder, postgresHome, temporaryFolder } from './place.mjs';
import { newPassword, npmFolderOf } from './postgres.mjs';
import { birthOf, dyingWithUs, exitOf, isOnPath, signal, waitUntil } from './processes.mjs';
import { Plain } from './say.mjs';
import { serverUser } from './server-user.mjs';

const END_COMMAND_WITHIN_MS = 15_000;

/**
 * @param {string[]} command
 * @param {{ isFast: boolean }} options isFast switches durability off, which tests of crashes must not
 * @returns {Promise<number>} the exit status of the command
 */
export async function withPostgres(command, { isFast }) {
  const user = serverUser();
  const npmFolder = npmFolderOf(postgresHome(dataFolder(), user));
  const postgres = await findPostgres({ ways: waysFor(process.env.TANDEM_PG), npmFolder });
  introduce(postgres);

  sweepAbandoned();
  const folder = temporaryFolder(user);
  fs.writeFileSync(path.join(folder, 'owner'), ownerMark(process.pid));
  const cluster = { home: path.join(folder, 'pg'), user };
  const interruption = listenForSignals();
  try {
    makeCluster(cluster, postgres.programs);
    const running = await startCluster(cluster, { programs: postgres.programs, isFast, diesWithUs: true });
    const password = newPassword();
    await prepareForTests(running, password);
    if (interruption.code) return interruption.code;
    const code = await runCommand(command, urlOf(running.port, 'postgres', password, 'postgres'), interruption);
    return interruption.code ?? code;
  } finally {
    await stopCluster(cluster, { isThrowaway: true });
    fs.rmSync(folder, { recursive: true, force: true });
    interruption.stopListening();
  }
}

/**
 * The command gets a process group of its own, so that whatever it leaves behind is ended with it.
 * @param {string[]} command
 * @param {string} url
 * @param {Interruption} interruption
 */
async function runCommand(command, url, interruption) {
  const env = { ...process.env, TANDEM_TEST_PG: url };
  if (!isOnPath(command[0])) throw new Plain(`There is no program ${command[0]}.`, 127);
  const [program, ...args] = dyingWithUs('TERM', command);
  const child = spawn(program, args, { env, stdio: 'inherit', detached: true });
  const group = -(child.pid ?? 0);
  if (group) interruption.act = () => void endGroup(group);
  const code = await exitOf(child, program);
  if (group) await endGroup(group);
  return code;
}

/** @param {number} group a negative process id */
async function endGroup(group) {
  const isGone = () => {
    try {
      process.kill(group, 0);
      return !hasLiveMember(-group);
    } catch {
      return true;
    }
  };
  if (isGone()) return;
  signal(group, 'SIGTERM');
  if (!(await waitUntil(isGone, { withinMs: END_COMMAND_WITHIN_MS }))) signal(group, 'SIGKILL');
}

/**
 * A container without an init keeps dead orphans listed; they are no reason to wait.
 * @param {number} group
 */
function hasLiveMember(group) {
  return fs.readdirSync('/proc').some((name) => {
    if (!/^\d+$/.test(name) || birthOf(Number(name)) === null) return false;
    try {
      return fs.readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[2] === String(group);
    } catch {
      return false;
    }
  });
}

/** @typedef {{ code: number | null, act: () => void, stopListening: () => void }} Interruption */

/** @returns {Interruption} */
function listenForSignals() {
  /** @type {NodeJS.Signals[]} */
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  const interruption = { code: /** @type {number | null} */ (null), act: () => {}, stopListening: () => {} };
  /** @param {NodeJS.Signals} name */
  const onSignal = (name) => {
    if (interruption.code) return;
    interruption.code = 128 + os.constants.signals[name];
    interruption.act();
  };
  for (const name of names) process.on(name, onSignal);
  interruption.stopListening = () => names.forEach((name) => process.off(name, onSignal));
  return interruption;
}

/** @param {number} pid */
const ownerMark = (pid) => `${pid} ${birthOf(pid)}`;

/** Removes the folders of launchers that were killed before they could; their servers died with them. */
function sweepAbandoned() {
  for (const parent of new Set([os.tmpdir(), '/tmp', '/var/tmp'])) {
    if (!fs.existsSync(parent)) continue;
    for (const name of fs.readdirSync(parent).filter((entry) => entry.startsWith('tandem-pg-'))) {
      try {
        const mark = fs.readFileSync(path.join(parent, name, 'owner'), 'utf8');
        if (mark === ownerMark(Number(mark.split(' ')[0]))) continue;
        fs.rmSync(path.join(parent, name), { recursive: true, force: true });
      } catch { /* somebody else's, or being made right now */ }
    }
  }
}
