// `with-postgres [--fast] -- COMMAND...`: a throwaway cluster for the length of one command.
// The command gets a superuser's address in TANDEM_TEST_PG and makes its own databases.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { prepareForTests, urlOf } from './databases.mjs';
import { newPassword } from './postgres.mjs';
import { birthOf, dyingWithUs, exitOf, isOnPath, signal, waitUntil } from './processes.mjs';
import { Plain } from './say.mjs';
import { withThrowawayCluster } from './throwaway.mjs';

const END_COMMAND_WITHIN_MS = 15_000;

/**
 * @param {string[]} command
 * @param {{ isFast: boolean }} options
 * @returns {Promise<number>} the exit status of the command
 */
export function withPostgres(command, options) {
  if (!isOnPath(command[0])) throw new Plain(`There is no program ${command[0]}.`, 127);
  return withThrowawayCluster(options, async (running, interruption) => {
    const password = newPassword();
    await prepareForTests(running, password);
    return runCommand(command, urlOf(running.port, 'postgres', password, 'postgres'), interruption);
  });
}

/**
 * The command gets a process group of its own, so that whatever it leaves behind is ended with it.
 * @param {string[]} command
 * @param {string} url
 * @param {import('./throwaway.mjs').Interruption} interruption
 */
async function runCommand(command, url, interruption) {
  if (interruption.code) return interruption.code;
  const env = { ...process.env, TANDEM_TEST_PG: url };
  const [program, ...args] = dyingWithUs('TERM', command);
  const child = spawn(program, args, { env, stdio: 'inherit', detached: true });
  const leader = child.pid ?? 0;
  if (leader) interruption.act = () => void endGroup(leader);
  const code = await exitOf(child, program);
  if (leader) await endGroup(leader);
  return code;
}

/** @param {number} leader the process whose number is the group's */
async function endGroup(leader) {
  const isGone = () => !hasLiveMember(leader);
  if (isGone()) return;
  signal(-leader, 'SIGTERM');
  if (!(await waitUntil(isGone, { withinMs: END_COMMAND_WITHIN_MS }))) signal(-leader, 'SIGKILL');
}

/**
 * Asked of /proc, since a container without an init keeps dead orphans listed: no reason to wait.
 * @param {number} leader
 */
function hasLiveMember(leader) {
  return fs.readdirSync('/proc').some((name) => {
    if (!/^\d+$/.test(name) || birthOf(Number(name)) === null) return false;
    try {
      return fs.readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[2] === String(leader);
    } catch {
      return false;
    }
  });
}
