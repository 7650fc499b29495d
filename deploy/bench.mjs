// `bench [-- ARGS]`: the load tester against an optimised hub and a durable Postgres of its own,
// all thrown away afterwards. Its own words are the result; ARGS go to it as they are.
import fs from 'node:fs';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { targetFolder } from './build.mjs';
import { prepareDatabases, urlOf } from './databases.mjs';
import { isReady, migrateHub, seedFleet, serveHub } from './hub.mjs';
import { repository } from './place.mjs';
import { freePort } from './ports.mjs';
import { newPassword } from './postgres.mjs';
import { exitOf, run, signal } from './processes.mjs';
import { Plain, timed } from './say.mjs';
import { withThrowawayCluster } from './throwaway.mjs';
import { checkTools, ensureCompiler } from './tools.mjs';

const FLEET = process.env.BENCH_FLEET || 'agents=200,customers=200,tickets=2000';

/**
 * @param {string[]} args
 * @returns {Promise<number>}
 */
export async function bench(args) {
  checkTools();
  await ensureCompiler();
  await timed('building hub and load tester', () =>
    run('cargo', ['build', '--release', '-p', 'hub', '-p', 'loadtest'], { cwd: repository, what: 'cargo build' }));
  return withThrowawayCluster({ isFast: false }, async (running, interruption, folder) => {
    const passwords = { superuser: newPassword(), owner: newPassword(), app: newPassword() };
    await prepareDatabases(running, passwords);
    const data = path.join(folder, 'hub');
    const tokens = path.join(folder, 'tokens');
    fs.mkdirSync(data);
    const setting = {
      program: path.join(targetFolder(), 'release', 'hub'),
      port: await freePort(),
      data,
      pages: path.join(repository, 'web', 'dist'),
      url: urlOf(running.port, 'tandem_app', passwords.app, 'tandem'),
      ownerUrl: urlOf(running.port, 'tandem_owner', passwords.owner, 'tandem'),
    };
    await migrateHub(setting);
    await timed(`making a fleet (${FLEET})`, () => seedFleet(setting, FLEET, tokens));
    return load(setting, ['--tokens', tokens, ...args], interruption);
  });
}

/**
 * @param {import('./hub.mjs').Setting} setting
 * @param {string[]} args
 * @param {import('./throwaway.mjs').Interruption} interruption
 */
async function load(setting, args, interruption) {
  const hub = serveHub(setting);
  let isOver = false;
  const ended = hub.exit.finally(() => { isOver = true; });
  try {
    if (!(await isReady(setting.port, () => isOver))) throw new Plain('The hub did not become ready; its own words are above.');
    const program = path.join(targetFolder(), 'release', 'loadtest');
    const child = spawn(program, ['--url', `http://127.0.0.1:${setting.port}`, ...args], { stdio: ['ignore', 'inherit', 'inherit'] });
    interruption.act = () => child.pid && signal(child.pid, 'SIGTERM');
    return await exitOf(child, program);
  } finally {
    if (!isOver) await hub.drain();
    await ended.catch(() => {});
  }
}
