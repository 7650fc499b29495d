// Which way to Postgres is taken, and what a user reads when none is open.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { checkHash } from '../pg-npm.mjs';
import { findPostgres, waysFor, WAYS } from '../pg-ways.mjs';
import { complaints } from '../tools.mjs';
import { finish, scratchFolder } from './scratch.mjs';

test('without a wish all ways are tried, the installed one first', () => {
  assert.deepEqual(waysFor(undefined), ['installed', 'apt', 'npm']);
  assert.deepEqual(waysFor(''), WAYS);
});

test('a wish leaves one way', () => {
  for (const way of WAYS) assert.deepEqual(waysFor(way), [way]);
});

test('an unknown wish is refused with the known ones', () => {
  assert.throws(() => waysFor('docker'), /TANDEM_PG=docker is not a way.*installed, apt, npm/s);
});

test('the command line refuses an unknown wish without a stack trace', async (t) => {
  const { code, err } = await finish(['launch.mjs', 'with-postgres', '--', 'true'], { TANDEM_PG: 'docker', TANDEM_DATA: scratchFolder(t) });
  assert.equal(code, 1);
  assert.match(err, /TANDEM_PG=docker is not a way/);
  assert.doesNotMatch(err, /at .*\.mjs/);
});

test('data of a version nobody has is refused with the reason of each way', async (t) => {
  await assert.rejects(
    findPostgres({ ways: ['installed', 'npm'], npmFolder: scratchFolder(t), major: 97 }),
    /Postgres 97 \(the version that wrote the data\).*- installed: .*- npm: .*DATABASE_URL/s,
  );
});

test('a tarball that is not the pinned one is refused', (t) => {
  const file = path.join(scratchFolder(t), 'package.tgz');
  fs.writeFileSync(file, 'something else');
  assert.throws(() => checkHash(file, 'AAAA'), /not the file that was pinned/);
});

test('every missing tool is named with the way to get it', () => {
  const all = complaints({ rust: null, hasCargo: false, node: '18.19.0', hasNpm: false });
  assert.equal(all.length, 3);
  assert.match(all.join('\n'), /Rust 1\.95.*rustup.*Node 20\.19 or newer, this is 18\.19\.0.*npm/s);
  assert.deepEqual(complaints({ rust: 'rustc 1.95.0 (abc)', hasCargo: true, node: '20.19.0', hasNpm: true }), []);
  assert.deepEqual(complaints({ rust: 'rustc 2.0.0', hasCargo: true, node: '24.1.0', hasNpm: true }), []);
  assert.match(complaints({ rust: 'rustc 1.94.1 (abc)', hasCargo: true, node: '20.19.0', hasNpm: true })[0], /this is "rustc 1\.94\.1/);
});
