// A throwaway cluster in a temporary folder, for the length of one piece of work. Nothing stays
// behind: not after a failure, not after Ctrl-C, and after a kill the next one sweeps up.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { makeCluster, startCluster, stopCluster } from './cluster.mjs';
import { findPostgres, introduce, waysFor } from './pg-ways.mjs';
import { dataFolder, postgresHome, temporaryFolder } from './place.mjs';
import { npmFolderOf } from './postgres.mjs';
import { birthOf } from './processes.mjs';
import { serverUser } from './server-user.mjs';

/**
 * @typedef {{ code: number | null, act: () => void, stopListening: () => void }} Interruption
 * code: the exit status it asks for, once it came; act: what to do when it comes
 */

/**
 * @param {{ isFast: boolean, settings?: string }} options isFast switches durability off, which tests of crashes must not;
 *   settings: more lines for postgresql.conf
 * @param {(running: import('./cluster.mjs').Running, interruption: Interruption, folder: string) => Promise<number>} work
 * @returns {Promise<number>} the exit status of the work, or of what interrupted it
 */
export async function withThrowawayCluster({ isFast, settings }, work) {
  const user = serverUser();
  const npmFolder = npmFolderOf(postgresHome(dataFolder(), user));
  const postgres = await findPostgres({ ways: waysFor(process.env.TANDEM_PG), npmFolder });
  introduce(postgres);

  sweepAbandoned();
  const folder = temporaryFolder(user);
  fs.writeFileSync(path.join(folder, 'owner'), ownerMark(process.pid));
  const cluster = { home: path.join(folder, 'pg'), user };
  const interruption = listenForSignals();
  try {
    makeCluster(cluster, postgres.programs);
    const running = await startCluster(cluster, { programs: postgres.programs, isFast, settings, diesWithUs: true });
    const code = interruption.code ?? (await work(running, interruption, folder));
    return interruption.code ?? code;
  } finally {
    await stopCluster(cluster, { isThrowaway: true });
    fs.rmSync(folder, { recursive: true, force: true });
    interruption.stopListening();
  }
}

/** @returns {Interruption} */
function listenForSignals() {
  /** @type {NodeJS.Signals[]} */
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  const interruption = { code: /** @type {number | null} */ (null), act: () => {}, stopListening: () => {} };
  /** @param {NodeJS.Signals} name */
  const onSignal = (name) => {
    if (interruption.code) return;
    interruption.code = 128 + os.constants.signals[name];
    interruption.act();
  };
  for (const name of names) process.on(name, onSignal);
  interruption.stopListening = () => names.forEach((name) => process.off(name, onSignal));
  return interruption;
}

/** @param {number} pid */
const ownerMark = (pid) => `${pid} ${birthOf(pid)}`;

/** Removes the folders of launchers that were killed before they could; their servers died with them. */
function sweepAbandoned() {
  for (const parent of new Set([os.tmpdir(), '/tmp', '/var/tmp'])) {
    if (!fs.existsSync(parent)) continue;
    for (const name of fs.readdirSync(parent).filter((entry) => entry.startsWith('tandem-pg-'))) {
      try {
        const mark = fs.readFileSync(path.join(parent, name, 'owner'), 'utf8');
        if (mark === ownerMark(Number(mark.split(' ')[0]))) continue;
        fs.rmSync(path.join(parent, name), { recursive: true, force: true });
      } catch { /* somebody else's, or being made right now */ }
    }
  }
}
