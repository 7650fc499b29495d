// Debian packages for those who lack them: as root or through sudo, never starting a daemon.
import path from 'node:path';
import { isExecutable, isOnPath, run } from './processes.mjs';
import { Plain, say } from './say.mjs';
import { repository } from './place.mjs';

/** Why apt cannot be used here, or null when it can. */
export function aptObstacle() {
  if (!isExecutable('/usr/bin/apt-get')) return 'this machine has no apt-get';
  if (process.getuid?.() !== 0 && !isOnPath('sudo')) return 'installing packages needs root, and there is no sudo';
  return null;
}

/**
 * Installs packages that are missing.
 * @param {string[]} packages
 * @param {string} why shown to the user
 */
export async function aptInstall(packages, why) {
  const obstacle = aptObstacle();
  if (obstacle) {
    throw new Plain(`${why}, but ${obstacle}.\nAsk somebody with root rights to run: apt-get install ${packages.join(' ')}`);
  }
  say(`${why}: installing ${packages.join(', ')} with apt (no daemon is started)`);
  const script = [path.join(repository, 'deploy', 'apt-quiet.sh'), ...packages];
  if (process.getuid?.() === 0) return run('/bin/sh', script, { what: 'apt-get install' });

  // without a terminal sudo could only hang on its password prompt
  const sudo = process.stdin.isTTY ? ['/bin/sh', ...script] : ['-n', '/bin/sh', ...script];
  return run('sudo', sudo, { what: 'sudo apt-get install' });
}
