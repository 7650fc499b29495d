// The two programs of a measurement: optimised, or as the tests build them where only the plumbing is tried.
import path from 'node:path';
import { targetFolder } from '../build.mjs';
import { repository } from '../place.mjs';
import { run } from '../processes.mjs';
import { timed } from '../say.mjs';
import { checkTools, ensureCompiler } from '../tools.mjs';

/** @typedef {{ hub: string, loadtest: string, driver?: string[] }} Programs `driver`: what to start the load tester by */

/**
 * @param {{ isSmoke: boolean }} options
 * @returns {Promise<Programs>}
 */
export async function buildPrograms({ isSmoke }) {
  const { BENCH_HUB, BENCH_LOADTEST } = process.env;
  if (BENCH_HUB && BENCH_LOADTEST) return { hub: BENCH_HUB, loadtest: BENCH_LOADTEST };
  checkTools();
  await ensureCompiler();
  const profile = isSmoke ? [] : ['--release'];
  await timed('building hub and load tester', () =>
    run('cargo', ['build', '--quiet', ...profile, '-p', 'hub', '-p', 'loadtest'], { cwd: repository, what: 'cargo build' }));
  const folder = path.join(targetFolder(), isSmoke ? 'debug' : 'release');
  return { hub: path.join(folder, 'hub'), loadtest: path.join(folder, 'loadtest') };
}
