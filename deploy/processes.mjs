// Other programs: run one to its end, ask whether one is alive, end one politely.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { Plain } from './say.mjs';

/** What `run` waits for right now. */
const underWay = new Set();

/** Ends what `run` waits for: a stop asked of the launcher alone must reach its tools too. */
export function interruptRuns() {
  for (const child of underWay) child.kill('SIGTERM');
}

/**
 * Runs a program with its output on this terminal and fails when it fails.
 * The program stays in our process group, so Ctrl-C ends it together with us.
 * @param {string} program
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, what?: string, isQuiet?: boolean }} [options] `isQuiet`: not what it prints, only what it complains of
 */
export async function run(program, args, { cwd, env, what = program, isQuiet = false } = {}) {
  // stdout of tools belongs on stderr: our own stdout is for results only
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', isQuiet ? 'ignore' : 2, 2] });
  underWay.add(child);
  const code = await exitOf(child, program).finally(() => underWay.delete(child));
  if (code !== 0) throw new Plain(`${what} failed (exit ${code}); its own words are above.`, code > 128 ? code : 1);
}

/**
 * Waits for a child and gives its exit status the way a shell would: 128 + n for signal n.
 * @param {import('node:child_process').ChildProcess} child
 * @param {string} program
 * @returns {Promise<number>}
 */
export function exitOf(child, program) {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new Plain(`Could not start ${program}: ${error.message}`, 127)));
    child.once('exit', (code, signal) => resolve(code ?? 128 + os.constants.signals[/** @type {NodeJS.Signals} */ (signal)]));
  });
}

/**
 * The first line a program prints, or null when it is missing or fails.
 * @param {string} program
 * @param {string[]} args
 * @returns {string | null}
 */
export function firstLineOf(program, args) {
  const result = spawnSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return result.status === 0 ? result.stdout.split('\n')[0].trim() : null;
}

/**
 * The same command, signalled by the kernel should this process die without a chance to do it itself.
 * @param {'INT' | 'TERM'} name
 * @param {string[]} command
 * @returns {string[]}
 */
export function dyingWithUs(name, command) {
  return isOnPath('setpriv') ? ['setpriv', '--pdeathsig', name, '--', ...command] : command;
}

/** @param {string} program */
export function isOnPath(program) {
  if (program.includes('/')) return isExecutable(program);
  return (process.env.PATH ?? '').split(':').some((folder) => isExecutable(`${folder || '.'}/${program}`));
}

/** @param {string} file */
export function isExecutable(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

/**
 * When a process was started, in clock ticks since boot; null when it is gone.
 * Together with the pid this names one process for good: pids are reused, pairs are not.
 * @param {number} pid
 * @returns {string | null}
 */
export function birthOf(pid) {
  try {
    const afterName = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    const isZombie = afterName[0] === 'Z' || afterName[0] === 'X';
    return isZombie ? null : afterName[19];
  } catch {
    return null;
  }
}

/**
 * Polls until `condition` holds.
 * @param {() => boolean | Promise<boolean>} condition
 * @param {{ withinMs: number, everyMs?: number }} limits
 * @returns {Promise<boolean>} false when time ran out
 */
export async function waitUntil(condition, { withinMs, everyMs = 50 }) {
  const deadline = Date.now() + withinMs;
  while (Date.now() < deadline) {
    if (await condition()) return true;
    await pause(everyMs);
  }
  return false;
}

/**
 * Sends a signal; a process that is already gone is no error.
 * @param {number} pid negative for a whole process group
 * @param {NodeJS.Signals} signal
 */
export function signal(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error;
  }
}
