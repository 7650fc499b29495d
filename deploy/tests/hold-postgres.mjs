// A stand-in for `run` in tests: brings the demo's Postgres, tells where, and stops it on SIGTERM.
import { lock } from '../lock.mjs';
import { dataFolder } from '../place.mjs';
import { bringPostgres } from '../postgres.mjs';
import { giveUp } from '../say.mjs';

try {
  const data = dataFolder();
  if (!(await lock(data))) throw new Error('locked');
  const database = await bringPostgres(data);
  console.log(JSON.stringify({ url: database.url, ownerUrl: database.ownerUrl, port: database.port }));
  const alive = setInterval(() => {}, 1000);
  process.once('SIGTERM', async () => {
    await database.stop();
    clearInterval(alive);
  });
} catch (error) {
  giveUp(error);
}
