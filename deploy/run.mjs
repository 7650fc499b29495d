// `run`: from a bare checkout to a demo that answers, and back down again in the right order.
import { buildHub, buildWeb } from './build.mjs';
import { welcome } from './demo.mjs';
import { clearTheWay, isReady, migrateHub, seedDemo, serveHub } from './hub.mjs';
import { lock } from './lock.mjs';
import { dataFolder } from './place.mjs';
import { bringPostgres } from './postgres.mjs';
import { interruptRuns } from './processes.mjs';
import { Plain, say } from './say.mjs';
import { checkTools, ensureCompiler } from './tools.mjs';

/** SIGKILL as a shell counts it: somebody shot the hub. */
const KILLED = 128 + 9;

/** @returns {Promise<number>} the exit status */
export async function runDemo() {
  checkTools();
  const data = dataFolder();
  const ours = await lock(data);
  if (!ours) {
    throw new Plain(`Tandem already runs on the data folder ${data}.\n` +
      'Stop that one with Ctrl-C, or run a second one beside it: TANDEM_DATA=.data2 TANDEM_PORT=8081 make run');
  }
  const stopRequest = listenForStop();
  await ensureCompiler();
  const port = chosenPort();
  await clearTheWay(data, port);

  const database = ownDatabase() ?? (await bringPostgres(data));
  let code = 1;
  try {
    stopRequest.obey();
    const pages = await buildWeb();
    stopRequest.obey();
    const program = process.env.TANDEM_HUB_BIN || (await buildHub());
    stopRequest.obey();
    const setting = { program, port, data, pages, url: database.url, ownerUrl: database.ownerUrl };
    await migrateHub(setting);
    await seedDemo(setting);
    code = await serve(setting, stopRequest);
  } catch (error) {
    // Ctrl-C also ends npm, cargo and the hub's short commands under us: that is no failure
    if (!stopRequest.isMade) throw error;
    say('stopped on request');
    code = 0;
  } finally {
    if (code === KILLED && !stopRequest.isMade) say('the hub was killed; Postgres stays up for the next start (or: make stop)');
    else await database.stop();
    stopRequest.forget();
    ours.release();
  }
  return code;
}

/**
 * @param {import('./hub.mjs').Setting} setting
 * @param {StopRequest} stopRequest
 * @returns {Promise<number>}
 */
async function serve(setting, stopRequest) {
  const hub = serveHub(setting);
  let isOver = false;
  const ended = hub.exit.finally(() => { isOver = true; });
  stopRequest.act = () => {
    say('stopping: the hub finishes what it holds (Ctrl-C again ends it at once)');
    void hub.drain();
  };
  stopRequest.insist = hub.kill;
  if (stopRequest.isMade) stopRequest.act();

  const isUp = await isReady(setting.port, () => isOver || stopRequest.isMade);
  if (isUp) process.stdout.write(welcome(setting.port));
  if (!isUp && !isOver && !stopRequest.isMade) say(`the hub does not say it is ready; ask http://127.0.0.1:${setting.port}/readyz for the reason`);

  const code = await ended;
  if (stopRequest.isMade) {
    say(code === 0 ? 'the hub has stopped cleanly' : `the hub ended with status ${code}`);
    return code;
  }
  say(`the hub ended by itself with status ${code}; its own words are above`);
  return code || 1;
}

/**
 * The user's own database, when one is named.
 * @returns {import('./postgres.mjs').Database | null}
 */
function ownDatabase() {
  const { DATABASE_URL: url, DATABASE_OWNER_URL: ownerUrl } = process.env;
  if (!url && !ownerUrl) return null;
  if (!url || !ownerUrl) {
    throw new Plain('Set both DATABASE_URL (what the hub runs as) and DATABASE_OWNER_URL (who migrates), or neither to get a private Postgres.');
  }
  say('using the database of DATABASE_URL; no Postgres is started');
  return { url, ownerUrl, port: 0, stop: async () => {} };
}

function chosenPort() {
  const port = Number(process.env.TANDEM_PORT || 8080);
  if (Number.isInteger(port) && port > 0 && port < 65536) return port;
  throw new Plain(`TANDEM_PORT=${process.env.TANDEM_PORT} is no port. Choose a number from 1 to 65535.`);
}

/** @typedef {{ isMade: boolean, act: () => void, insist: () => void, obey: () => void, forget: () => void }} StopRequest */

/** A group-wide signal arrives twice when make passes it on: only a second thought counts as insisting. */
const SECOND_THOUGHT_MS = 1000;

/** @returns {StopRequest} */
function listenForStop() {
  /** @type {NodeJS.Signals[]} */
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  /** @type {StopRequest} */
  const request = { isMade: false, act: interruptRuns, insist: () => {}, obey: () => {}, forget: () => {} };
  request.obey = () => {
    if (request.isMade) throw new Plain('stopped on request');
  };
  let madeAtMs = 0;
  /** @param {NodeJS.Signals} name */
  const onSignal = (name) => {
    if (!request.isMade) {
      request.isMade = true;
      madeAtMs = Date.now();
      request.act();
    } else if (name === 'SIGINT' && Date.now() - madeAtMs > SECOND_THOUGHT_MS) {
      request.insist();
    }
  };
  for (const name of names) process.on(name, onSignal);
  request.forget = () => names.forEach((name) => process.off(name, onSignal));
  return request;
}
