// Where measurements are made: a durable throwaway Postgres, databases that all begin alike, a hub on each, the load tester
// on the hub, and somebody who looks at what they use meanwhile.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { prepareDatabases, urlOf } from '../databases.mjs';
import { isReady, migrateHub, ROOM_FOR_LOAD, seedFleet, serveHub } from '../hub.mjs';
import { query } from '../pg-client.mjs';
import { freePort } from '../ports.mjs';
import { newPassword } from '../postgres.mjs';
import { exitOf, signal } from '../processes.mjs';
import { Plain, say } from '../say.mjs';
import { withThrowawayCluster } from '../throwaway.mjs';
import { parseMetrics } from './metrics.mjs';
import { usageOf } from './proc.mjs';
import { watchProcesses } from './sampler.mjs';

/** The load tester's exit status when a guarantee was broken, or a demand of the scenario was not met: its report says which. */
const NOT_CLEAN = 1;

/**
 * @typedef {import('./window.mjs').Report} Report
 * @typedef {{ report: Report, samples: import('./sampler.mjs').Sample[] }} Driven
 * @typedef {object} Hub
 * @property {number} pid
 * @property {() => Promise<import('./metrics.mjs').Figures>} metrics what GET /metrics tells; asks for `metrics` when it is opened
 * @property {(args: string[]) => Promise<Driven>} drive runs the load tester, and looks at the processes meanwhile
 * @property {() => import('./proc.mjs').Usage} usage what the hub uses right now
 * @property {(statement: string) => Promise<(string | null)[][]>} ask a superuser's question to the hub's database
 * @typedef {object} Lab
 * @property {(fleet: string) => Promise<void>} prepare makes the fleet that every database begins with
 * @property {<T>(others: Record<string, string>, work: (hub: Hub) => Promise<T>) => Promise<T>} withHub a hub on a fresh copy
 * @property {string} postgresVersion
 */

/**
 * @param {import('./programs.mjs').Programs} programs
 * @param {string} settings more lines for Postgres's configuration
 * @param {(lab: Lab) => Promise<void>} work
 * @returns {Promise<number>} the exit status
 */
export function withLab(programs, settings, work) {
  return withThrowawayCluster({ isFast: false, settings }, async (running, interruption, folder) => {
    const bench = new Bench(programs, running, interruption, folder);
    await bench.open();
    await work({
      prepare: (fleet) => bench.prepare(fleet),
      withHub: (others, inner) => bench.withHub(others, inner),
      postgresVersion: await bench.postgresVersion(),
    });
    return 0;
  });
}

/** One lab: a cluster, a seeded database, copies of it one after the other. */
class Bench {
  /**
   * @param {import('./programs.mjs').Programs} programs
   * @param {import('../cluster.mjs').Running} running
   * @param {import('../throwaway.mjs').Interruption} interruption
   * @param {string} folder
   */
  constructor(programs, running, interruption, folder) {
    this.programs = programs;
    this.running = running;
    this.interruption = interruption;
    this.folder = folder;
    this.passwords = { superuser: newPassword(), owner: newPassword(), app: newPassword() };
    this.metricsToken = randomBytes(16).toString('hex');
    this.copies = 0;
  }

  async open() {
    await prepareDatabases(this.running, this.passwords);
    fs.mkdirSync(path.join(this.folder, 'hub'));
    await migrateHub(await this.setting('tandem', {}));
  }

  /** @param {string} fleet such as `agents=N,customers=M,tickets=K` */
  async prepare(fleet) {
    await seedFleet(await this.setting('tandem', {}), fleet, this.tokens);
    await query({ ...this.running, database: 'tandem' }, ['VACUUM (FREEZE, ANALYZE)', 'CHECKPOINT']);
  }

  /**
   * @template T
   * @param {Record<string, string>} others
   * @param {(hub: Hub) => Promise<T>} work
   */
  async withHub(others, work) {
    this.copies += 1;
    const database = `bench_${this.copies}`;
    await query(this.running, [`CREATE DATABASE ${database} OWNER tandem_owner TEMPLATE tandem`, 'CHECKPOINT']);
    const setting = await this.setting(database, others);
    const hub = serveHub(setting);
    let isOver = false;
    const ended = hub.exit.finally(() => { isOver = true; });
    ended.catch(() => {});
    try {
      if (!(await isReady(setting.port, () => isOver))) throw new Plain(`The hub did not become ready:\n${this.hubWords()}`);
      const done = await work(this.hub(setting, hub.pid));
      if (isOver) throw new Plain(`The hub ended while it was measured:\n${this.hubWords()}`);
      return done;
    } finally {
      // Nothing of it is needed any more: no reason to drain.
      hub.kill();
      await ended.catch(() => {});
      await query(this.running, [`DROP DATABASE ${database} WITH (FORCE)`]);
    }
  }

  /**
   * @param {import('../hub.mjs').Setting} setting
   * @param {number} pid
   * @returns {Hub}
   */
  hub(setting, pid) {
    const where = { ...this.running, database: new URL(setting.url).pathname.slice(1) };
    return {
      pid,
      metrics: () => this.metrics(setting.port),
      drive: (args) => this.drive(setting.port, pid, args),
      usage: () => usageOf(pid),
      ask: async (statement) => (await query(where, [statement]))[0],
    };
  }

  /**
   * @param {number} port
   * @param {number} hub
   * @param {string[]} args
   * @returns {Promise<Driven>}
   */
  async drive(port, hub, [scenario, ...args]) {
    if (this.interruption.code) throw new Plain('interrupted', this.interruption.code);
    const wanted = args.indexOf('--json');
    const json = wanted < 0 ? path.join(this.folder, 'report.json') : args[wanted + 1];
    const told = [scenario, '--url', `ws://127.0.0.1:${port}/ws`, '--tokens', this.tokens, ...(wanted < 0 ? ['--json', json] : []), '--quiet', ...args];
    const watched = watchProcesses({ hub, postgres: this.running.pid });
    const [program, ...first] = [...(this.programs.driver ?? []), this.programs.loadtest];
    const child = spawn(program, [...first, ...told], { stdio: ['ignore', 'pipe', 'pipe'] });
    let words = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => { words += chunk; });
    this.interruption.act = () => child.pid && signal(child.pid, 'SIGKILL');
    const code = await exitOf(child, this.programs.loadtest);
    const samples = watched.stop();
    if (this.interruption.code) throw new Plain('interrupted', this.interruption.code);
    if (code !== 0 && code !== NOT_CLEAN) throw new Plain(`loadtest ${scenario} failed (exit ${code}):\n${words}\n${this.hubWords()}`);
    if (process.env.BENCH_WORDS) say(words);
    const report = JSON.parse(fs.readFileSync(json, 'utf8'));
    if (report.breaches.length > 0) throw new Plain(`The oracle found a broken guarantee, so nothing is measured:\n${words}`);
    return { report, samples };
  }

  /** @param {number} port */
  async metrics(port) {
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { authorization: `Bearer ${this.metricsToken}` } });
    if (!answer.ok) throw new Plain(`GET /metrics answered ${answer.status}.`);
    return parseMetrics(await answer.text());
  }

  /**
   * @param {string} database
   * @param {Record<string, string>} others
   * @returns {Promise<import('../hub.mjs').Setting>}
   */
  async setting(database, others) {
    const { metrics = 'on', ...rest } = others;
    return {
      program: this.programs.hub,
      port: await freePort(),
      data: path.join(this.folder, 'hub'),
      pages: '',
      url: urlOf(this.running.port, 'tandem_app', this.passwords.app, database),
      ownerUrl: urlOf(this.running.port, 'tandem_owner', this.passwords.owner, database),
      others: { ...ROOM_FOR_LOAD, TANDEM_METRICS_TOKEN: metrics === 'on' ? this.metricsToken : '', ...rest },
      log: this.hubLog,
    };
  }

  async postgresVersion() {
    const [[[version]]] = await query(this.running, ['SHOW server_version']);
    return version ?? '';
  }

  get tokens() {
    return path.join(this.folder, 'tokens');
  }

  get hubLog() {
    return path.join(this.folder, 'hub.log');
  }

  /** The end of what the hub said. */
  hubWords() {
    return fs.existsSync(this.hubLog) ? fs.readFileSync(this.hubLog, 'utf8').trimEnd().split('\n').slice(-15).join('\n') : '';
  }
}
