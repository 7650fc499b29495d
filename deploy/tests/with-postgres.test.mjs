// with-postgres: the command's own status comes through, and nothing stays behind however it ends.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { answersOnTcp } from '../pg-client.mjs';
import { waitUntil } from '../processes.mjs';
import { finish, scratchFolder, start, withoutServer } from './scratch.mjs';

/** @param {import('node:test').TestContext} t */
function scene(t) {
  const folder = scratchFolder(t);
  const temporary = path.join(folder, 'tmp');
  fs.mkdirSync(temporary, { mode: 0o777 });
  fs.chmodSync(temporary, 0o777);
  const leftovers = () => fs.readdirSync(temporary);
  return { env: { TANDEM_DATA: path.join(folder, 'data'), TMPDIR: temporary }, leftovers };
}

const portOf = (/** @type {string} */ url) => Number(new URL(url.trim()).port);

test('the exit status passes through and the folder is gone', { skip: withoutServer }, async (t) => {
  const { env, leftovers } = scene(t);
  const { code, out } = await finish(['launch.mjs', 'with-postgres', '--fast', '--', 'sh', '-c', 'echo $TANDEM_TEST_PG; exit 7'], env);
  assert.equal(code, 7);
  assert.match(out, /^postgres:\/\/postgres:[0-9a-f]+@127\.0\.0\.1:\d+\/postgres\n$/);
  assert.equal(await answersOnTcp(portOf(out)), false);
  assert.deepEqual(leftovers(), []);
});

test('an interruption ends the command and its children, then the cluster', { skip: withoutServer }, async (t) => {
  const { env, leftovers } = scene(t);
  const { child, said, code } = start(['launch.mjs', 'with-postgres', '--fast', '--', 'sh', '-c', 'echo $TANDEM_TEST_PG; sleep 600 & wait'], env);
  assert.ok(await waitUntil(() => said.out.includes('\n'), { withinMs: 60_000 }), said.err);
  child.kill('SIGINT');
  assert.equal(await code, 130);
  assert.equal(await answersOnTcp(portOf(said.out)), false);
  assert.deepEqual(leftovers(), []);
});

test('a killed launcher takes command and cluster along, and the next one sweeps the folder', { skip: withoutServer }, async (t) => {
  const { env, leftovers } = scene(t);
  const { child, said, code } = start(['launch.mjs', 'with-postgres', '--', 'sh', '-c', 'echo $TANDEM_TEST_PG; exec sleep 600'], env);
  assert.ok(await waitUntil(() => said.out.includes('\n'), { withinMs: 60_000 }), said.err);
  child.kill('SIGKILL');
  void code;
  const port = portOf(said.out);
  assert.ok(await waitUntil(async () => !(await answersOnTcp(port)), { withinMs: 20_000 }));
  assert.equal(leftovers().length, 1);
  assert.equal((await finish(['launch.mjs', 'with-postgres', '--fast', '--', 'true'], env)).code, 0);
  assert.deepEqual(leftovers(), []);
});

test('a command that does not exist is named', { skip: withoutServer }, async (t) => {
  const { env, leftovers } = scene(t);
  const { code, err } = await finish(['launch.mjs', 'with-postgres', '--fast', '--', 'no-such-program'], env);
  assert.equal(code, 127);
  assert.match(err, /There is no program no-such-program/);
  assert.deepEqual(leftovers(), []);
});

test('wrong usage is explained', async () => {
  const { code, err } = await finish(['launch.mjs', 'with-postgres', '--quick', '--', 'true']);
  assert.equal(code, 2);
  assert.match(err, /does not know "--quick"/);
});
