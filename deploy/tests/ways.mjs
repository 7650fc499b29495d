// Tries each way to Postgres that this machine allows, for real: the demo's cluster and a throwaway one.
// Not part of `make test`, since it may fetch packages. Usage: node deploy/tests/ways.mjs [WAY...]
import fs from 'node:fs';
import path from 'node:path';
import { aptObstacle } from '../apt.mjs';
import { npmObstacle } from '../pg-npm.mjs';
import { installedPostgres, WAYS } from '../pg-ways.mjs';
import { waitUntil } from '../processes.mjs';
import { finish, start } from './scratch.mjs';

/** @type {Record<string, () => string | null>} */
const obstacles = {
  installed: () => (installedPostgres() ? null : 'none is installed'),
  apt: aptObstacle,
  npm: npmObstacle,
};

/** @param {string} way */
async function tryWay(way) {
  const data = fs.mkdtempSync('/tmp/tandem-ways-');
  fs.chmodSync(data, 0o755);
  const env = { TANDEM_PG: way, TANDEM_DATA: data };
  try {
    const demo = start(['tests/hold-postgres.mjs'], env);
    await waitUntil(() => demo.said.out.includes('\n') || demo.child.exitCode !== null, { withinMs: 600_000 });
    if (!demo.said.out) return demo.said.err;
    const { way: used, version } = JSON.parse(fs.readFileSync(path.join(data, 'postgres.json'), 'utf8'));
    demo.child.kill('SIGTERM');
    if ((await demo.code) !== 0 || used !== way) return `the demo's cluster: way ${used}, ${demo.said.err}`;

    const throwaway = await finish(['launch.mjs', 'with-postgres', '--fast', '--', 'sh', '-c', 'test -n "$TANDEM_TEST_PG"'], env);
    if (throwaway.code !== 0) return `a throwaway cluster: ${throwaway.err}`;
    console.log(`  ${way}: Postgres ${version} made, started, prepared, stopped; throwaway too`);
    return null;
  } finally {
    fs.rmSync(data, { recursive: true, force: true });
  }
}

let isGood = true;
for (const way of process.argv.length > 2 ? process.argv.slice(2) : WAYS) {
  const obstacle = obstacles[way]?.();
  if (obstacle) {
    console.log(`  ${way}: NOT TRIED, ${obstacle}`);
    continue;
  }
  const failure = await tryWay(way);
  if (failure) {
    isGood = false;
    console.log(`  ${way}: FAILED\n${failure}`);
  }
}
process.exitCode = isGood ? 0 : 1;
