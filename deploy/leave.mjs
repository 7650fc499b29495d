// The ways out when no launcher runs: `stop` ends a Postgres left behind, `reset` deletes the demo's data.
import fs from 'node:fs';
import path from 'node:path';
import { lock } from './lock.mjs';
import { dataFolder, repository } from './place.mjs';
import { npmFolderOf, recall, stopLeftOver } from './postgres.mjs';
import { Plain, say } from './say.mjs';

/** Ends a Postgres that a killed launcher left behind. */
export async function stopDemo() {
  await alone(async (data) => {
    say((await stopLeftOver(data)) ? 'Postgres has stopped' : 'nothing runs here');
  });
}

/** Deletes what the demo made, so that the next `run` starts from nothing. */
export async function resetDemo() {
  await alone(async (data) => {
    await stopLeftOver(data);
    const home = recall(data)?.home ?? path.join(data, 'postgres');
    const isOurs = data === path.join(repository, '.data');
    const made = isOurs
      ? [home, npmFolderOf(home), data]
      : [home, npmFolderOf(home), ...['postgres.json', 'postgres-passwords.json', 'hub.pid'].map((name) => path.join(data, name))];
    for (const each of made) fs.rmSync(each, { recursive: true, force: true });
    say(isOurs ? 'the demo\'s data is gone' : `the database is gone; what the hub itself kept in ${data} is left for you to delete`);
  });
}

/** @param {(data: string) => Promise<void>} work */
async function alone(work) {
  const data = dataFolder();
  const ours = await lock(data);
  if (!ours) throw new Plain('Tandem runs in another terminal; press Ctrl-C there first.');
  await work(data);
  ours.release();
}
