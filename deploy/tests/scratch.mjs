// Shared by the launcher's tests: scratch folders that Postgres may enter, and the launcher as a process.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { installedPostgres } from '../pg-ways.mjs';
import { exitOf } from '../processes.mjs';

const deploy = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** Why tests that need a server are skipped, or false when they run. */
export const withoutServer = installedPostgres() ? false : 'no Postgres is installed on this machine';

/**
 * A folder everybody may enter, removed after the test.
 * @param {import('node:test').TestContext} test
 */
export function scratchFolder(test) {
  const folder = fs.mkdtempSync('/tmp/tandem-test-');
  fs.chmodSync(folder, 0o755);
  test.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * Starts a module of the launcher and collects what it says.
 * @param {string[]} args the module's name in deploy/, then its arguments
 * @param {Record<string, string>} [env]
 */
export function start([module, ...args], env = {}) {
  const child = spawn(process.execPath, [path.join(deploy, module), ...args], {
    env: { ...process.env, TANDEM_PG: '', DATABASE_URL: '', DATABASE_OWNER_URL: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { out: '', err: '' };
  child.stdout.on('data', (chunk) => { said.out += chunk; });
  child.stderr.on('data', (chunk) => { said.err += chunk; });
  const closed = once(child, 'close');
  const code = exitOf(child, 'node').then(async (status) => {
    await closed;
    return status;
  });
  return { child, said, code };
}

/**
 * @param {string[]} command
 * @param {Record<string, string>} [env]
 */
export async function finish(command, env) {
  const { said, code } = start(command, env);
  return { ...said, code: await code, err: said.err, out: said.out };
}
