// apt-quiet.sh: no daemon starts while it installs, and the machine's own policy comes back afterwards.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { repository } from '../place.mjs';
import { scratchFolder } from './scratch.mjs';

/**
 * A scratch root, and a stand-in for apt-get which notes what it saw.
 * @param {import('node:test').TestContext} t
 * @param {string} [behaviour] shell, run by the stand-in
 */
function machine(t, behaviour = 'true') {
  const root = scratchFolder(t);
  const aptGet = path.join(root, 'apt-get');
  fs.writeFileSync(aptGet, `#!/bin/sh
echo "$*" >> "${root}/calls"
sh "${root}/usr/sbin/policy-rc.d" postgresql start; echo $? > "${root}/answer"
cat "${root}/etc/postgresql-common/createcluster.d/zz-tandem.conf" > "${root}/cluster"
${behaviour}
`, { mode: 0o755 });
  const policy = path.join(root, 'usr/sbin/policy-rc.d');
  const install = () => spawnSync('/bin/sh', [path.join(repository, 'deploy/apt-quiet.sh'), 'postgresql-15'], {
    env: { ...process.env, TANDEM_APT_ROOT: root, TANDEM_APT_GET: aptGet }, encoding: 'utf8',
  });
  const read = (/** @type {string} */ name) => fs.readFileSync(path.join(root, name), 'utf8');
  return { root, policy, install, read };
}

test('daemons and the main cluster are off while apt runs, and nothing is left after', (t) => {
  const { root, policy, install, read } = machine(t);
  assert.equal(install().status, 0);
  assert.equal(read('answer').trim(), '101');
  assert.match(read('cluster'), /create_main_cluster = false/);
  assert.match(read('calls'), /install -y --no-install-recommends --no-upgrade postgresql-15/);
  assert.ok(!fs.existsSync(policy));
  assert.ok(!fs.existsSync(path.join(root, 'etc/postgresql-common/createcluster.d')));
});

test('a policy that was there before comes back as it was', (t) => {
  const { policy, install, read } = machine(t);
  fs.mkdirSync(path.dirname(policy), { recursive: true });
  fs.writeFileSync(policy, '#!/bin/sh\nexit 0\n', { mode: 0o754 });
  assert.equal(install().status, 0);
  assert.equal(read('answer').trim(), '101');
  assert.equal(fs.readFileSync(policy, 'utf8'), '#!/bin/sh\nexit 0\n');
  assert.equal(fs.statSync(policy).mode & 0o777, 0o754);
});

test('a failed install refreshes the lists once, fails for good, and restores the policy', (t) => {
  const { policy, install, read } = machine(t, 'case "$*" in *update*) exit 0;; *) exit 100;; esac');
  fs.mkdirSync(path.dirname(policy), { recursive: true });
  fs.writeFileSync(policy, 'mine');
  assert.equal(install().status, 100);
  assert.equal(read('calls').trim().split('\n').length, 3);
  assert.equal(fs.readFileSync(policy, 'utf8'), 'mine');
});

test('what a killed install left behind is put right by the next one', (t) => {
  const killed = machine(t, 'kill -9 $PPID');
  fs.mkdirSync(path.dirname(killed.policy), { recursive: true });
  fs.writeFileSync(killed.policy, 'mine');
  assert.equal(killed.install().signal, 'SIGKILL');
  assert.match(fs.readFileSync(killed.policy, 'utf8'), /exit 101/);

  fs.writeFileSync(path.join(killed.root, 'apt-get'), '#!/bin/sh\ntrue\n');
  assert.equal(killed.install().status, 0);
  assert.equal(fs.readFileSync(killed.policy, 'utf8'), 'mine');
});
