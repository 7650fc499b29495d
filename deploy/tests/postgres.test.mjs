// The demo's Postgres through its life: made, reachable, left alive by a killed launcher, found again,
// stopped by a clean stop, recovered after a crash.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { lock } from '../lock.mjs';
import { answersOnTcp, query } from '../pg-client.mjs';
import { birthOf, waitUntil } from '../processes.mjs';
import { serverUser } from '../server-user.mjs';
import { finish, scratchFolder, start, withoutServer } from './scratch.mjs';

/**
 * @param {string} data
 * @param {Record<string, string>} [env]
 */
async function bring(data, env = {}) {
  const launcher = start(['tests/hold-postgres.mjs'], { TANDEM_DATA: data, ...env });
  let isOver = false;
  void launcher.code.then(() => { isOver = true; });
  const isUp = await waitUntil(() => isOver || launcher.said.out.includes('\n'), { withinMs: 60_000 });
  assert.ok(isUp && !isOver, launcher.said.err);
  const state = JSON.parse(fs.readFileSync(path.join(data, 'postgres.json'), 'utf8'));
  const socketFolder = fs.readFileSync(path.join(state.home, 'data/postmaster.pid'), 'utf8').split('\n')[4];
  return { launcher, state, socketFolder, ...JSON.parse(launcher.said.out) };
}

/** @param {Awaited<ReturnType<typeof bring>>} postgres */
async function stop({ launcher, state }) {
  launcher.child.kill('SIGTERM');
  assert.equal(await launcher.code, 0);
  assert.equal(birthOf(state.pid), null);
  assert.equal(await answersOnTcp(state.port), false);
}

test('a cluster is made once, survives a killed launcher, is found again and stops cleanly', { skip: withoutServer }, async (t) => {
  const data = scratchFolder(t);
  const first = await bring(data);
  assert.ok(await answersOnTcp(first.port));
  assert.equal(first.state.way, 'installed');
  const pid = first.state.pid;

  // it runs as its own user, in a session of its own
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  assert.match(status, new RegExp(`^Uid:\\t${serverUser().uid}\\t`, 'm'));
  if (serverUser().isOther) assert.match(status, /^Groups:\s*$/m);
  assert.equal(fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[3], String(pid));

  await rolesAreAsTheyShouldBe(first);
  filesAreClosed(data);

  await query({ ...first, database: 'tandem' }, ['CREATE TABLE kept AS SELECT 7 AS n']);
  first.launcher.child.kill('SIGKILL');
  await first.launcher.code;
  assert.ok(await answersOnTcp(first.port));

  const second = await bring(data);
  assert.equal(second.state.pid, pid);
  assert.equal(second.url, first.url);
  assert.match(second.launcher.said.err, /still runs from an earlier start/);
  await stop(second);

  const third = await bring(data);
  assert.notEqual(third.state.pid, pid);
  assert.deepEqual(await query({ ...third, database: 'tandem' }, ['SELECT n FROM kept']), [[['7']]]);
  await crash(third);
  const fourth = await bring(data);
  assert.deepEqual(await query({ ...fourth, database: 'tandem' }, ['SELECT n FROM kept', 'SHOW fsync']), [[['7']], [['on']]]);
  await stop(fourth);
});

/** @param {Awaited<ReturnType<typeof bring>>} running */
async function rolesAreAsTheyShouldBe(running) {
  const [roles, owner, extension, rights] = await query({ ...running, database: 'tandem' }, [
    "SELECT rolname, rolsuper, rolbypassrls, rolcreatedb, rolcanlogin FROM pg_roles WHERE rolname LIKE 'tandem_%' ORDER BY 1",
    "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'tandem'",
    "SELECT extname FROM pg_extension WHERE extname = 'pg_trgm'",
    `SELECT has_database_privilege('tandem_app', 'tandem', 'CONNECT'), has_database_privilege('tandem_app', 'tandem', 'CREATE'),
            has_schema_privilege('tandem_app', 'public', 'CREATE'), has_schema_privilege('tandem_owner', 'public', 'CREATE')`,
  ]);
  assert.deepEqual(roles, [['tandem_app', 'f', 'f', 'f', 't'], ['tandem_owner', 'f', 'f', 'f', 't']]);
  assert.deepEqual(owner, [['tandem_owner']]);
  assert.deepEqual(extension, [['pg_trgm']]);
  assert.deepEqual(rights, [['t', 'f', 'f', 't']]);
}

/** @param {string} data */
function filesAreClosed(data) {
  const mode = (/** @type {string} */ name) => (fs.statSync(path.join(data, name)).mode & 0o777).toString(8);
  assert.equal(mode('postgres-passwords.json'), '600');
  assert.equal(mode('postgres'), '700');
  assert.equal(mode('postgres/socket'), '700');
}

/**
 * Launcher and server die at once, and the number in postmaster.pid now belongs to somebody else.
 * @param {Awaited<ReturnType<typeof bring>>} running
 */
async function crash({ launcher, state }) {
  launcher.child.kill('SIGKILL');
  await launcher.code;
  process.kill(state.pid, 'SIGKILL');
  await waitUntil(() => birthOf(state.pid) === null, { withinMs: 10_000 });
  const pidFile = path.join(state.home, 'data/postmaster.pid');
  fs.writeFileSync(pidFile, fs.readFileSync(pidFile, 'utf8').replace(/^\d+/, String(process.pid)));
}

test('a folder nobody may enter sends the cluster to /var/lib', { skip: withoutServer || !serverUser().isOther }, async (t) => {
  const closed = scratchFolder(t);
  fs.chmodSync(closed, 0o700);
  const postgres = await bring(path.join(closed, 'data'));
  t.after(() => {
    fs.rmSync(path.dirname(postgres.state.home), { recursive: true, force: true });
    if (fs.readdirSync('/var/lib/tandem').length === 0) fs.rmdirSync('/var/lib/tandem');
  });
  assert.match(postgres.state.home, /^\/var\/lib\/tandem\//);
  assert.match(postgres.launcher.said.err, /may not enter .* the database lives in \/var\/lib\/tandem\//);
  await stop(postgres);
});

test('a data folder with a very long path gets a short one for its socket', { skip: withoutServer }, async (t) => {
  const data = path.join(scratchFolder(t), 'a'.repeat(90));
  const postgres = await bring(data);
  assert.match(postgres.socketFolder, /^\/tmp\/tandem-socket-/);
  await stop(postgres);
  assert.ok(!fs.existsSync(postgres.socketFolder));
});

test('a second launcher on the same data folder says so', async (t) => {
  const data = scratchFolder(t);
  const ours = await lock(fs.realpathSync(data));
  assert.ok(ours);
  const { code, err } = await finish(['launch.mjs', 'run'], { TANDEM_DATA: data });
  ours.release();
  assert.equal(code, 1);
  assert.match(err, /already runs on the data folder/);
});
