// `bench [NAME...]`: runs experiments, keeps what they measured, and writes the page anew. `bench -- ARGS`: the load tester
// once, on a hub of its own. `bench-docs [--check]`: the page alone.
import { giveUp, Plain, say } from '../say.mjs';
import { keepApart } from './apart.mjs';
import { checkDocs, writeDocs } from './docs.mjs';
import { experiments } from './experiments.mjs';
import { interleaved, round } from './figures.mjs';
import { withLab } from './lab.mjs';
import { buildPrograms } from './programs.mjs';
import { keep, recordOf } from './record.mjs';
import { steadyPart } from './window.mjs';

/** Exit statuses above this one are signals. */
const INTERRUPTED = 128;

/**
 * @param {string[]} args
 * @returns {Promise<number>} the exit status
 */
export async function bench(args) {
  if (args[0] === '--') return driveOnce(args.slice(1));
  const isSmoke = process.env.SMOKE === '1';
  const wanted = args.length > 0 ? args.map(named) : experiments;
  const rounds = process.env.PAIRS ? readRounds(process.env.PAIRS) : null;
  const programs = await buildPrograms({ isSmoke });
  let failed = 0;
  for (const experiment of wanted) {
    const code = await attempt(experiment, programs, { isSmoke, rounds: isSmoke ? 1 : (rounds ?? experiment.rounds) });
    if (code > INTERRUPTED) return code;
    failed ||= code;
  }
  return failed;
}

/**
 * One experiment that fails does not take the others along.
 * @param {import('./record.mjs').Experiment} experiment
 * @param {import('./programs.mjs').Programs} programs
 * @param {{ isSmoke: boolean, rounds: number }} how
 */
async function attempt(experiment, programs, how) {
  try {
    if (!experiment.isApart) return await run(experiment, programs, how, []);
    const apart = await keepApart();
    return await run(experiment, programs, how, apart.driver).finally(apart.end);
  } catch (error) {
    giveUp(error);
    say(`${experiment.name}: failed, nothing of it is kept`);
    return error instanceof Plain ? error.exitCode : 1;
  }
}

/** @param {string[]} args `--check` or nothing */
export function benchDocs([option]) {
  if (option === '--check') checkDocs();
  else writeDocs();
}

/**
 * @param {import('./record.mjs').Experiment} experiment
 * @param {import('./programs.mjs').Programs} programs
 * @param {{ isSmoke: boolean, rounds: number }} how
 * @param {string[]} driver what to start the load tester by
 */
function run(experiment, programs, { isSmoke, rounds }, driver) {
  const fleet = experiment.fleet(isSmoke);
  const order = interleaved(Object.keys(experiment.variants), rounds);
  say(`${experiment.name}: ${experiment.question} (${order.length} runs)`);
  return withLab({ ...programs, driver }, experiment.postgresSettings ?? '', async (lab) => {
    await lab.prepare(fleet);
    const runs = [];
    for (const [index, variant] of order.entries()) {
      const startedMs = Date.now();
      const values = await experiment.measure(lab, variant, isSmoke);
      runs.push({ variant, values: Object.fromEntries(Object.entries(values).map(([key, value]) => [key, round(value)])) });
      say(`${experiment.name} ${index + 1}/${order.length} ${variant}: ${told(values)} (${((Date.now() - startedMs) / 1000).toFixed(0)} s)`);
    }
    const command = `make bench EXPERIMENT=${experiment.name}${rounds === experiment.rounds ? '' : ` PAIRS=${rounds}`}`;
    const record = recordOf(experiment, runs, { command, postgresVersion: lab.postgresVersion, fleet });
    // What a few seconds of an unoptimised build come to says nothing about goals.
    if (isSmoke) return say(`${experiment.name}: only tried, so nothing is judged and nothing kept`);
    for (const goal of record.goals) say(`${experiment.name}: ${goal.is_held ? 'held' : 'MISSED'}: ${goal.words}: ${goal.value} ${goal.unit}`);
    say(`kept in ${keep(record)}`);
    writeDocs();
  });
}

/** @param {Record<string, number>} values */
const told = (values) => Object.entries(values).map(([key, value]) => `${key} ${round(value)}`).join(', ');

/**
 * @param {string[]} args the load tester's
 */
async function driveOnce(args) {
  const programs = await buildPrograms({ isSmoke: process.env.SMOKE === '1' });
  process.env.BENCH_WORDS = '1';
  return withLab(programs, '', async (lab) => {
    await lab.prepare(process.env.BENCH_FLEET || 'agents=200,customers=200,tickets=2000');
    await lab.withHub({}, async (hub) => {
      const { report, samples } = await hub.drive(args);
      // Not every scenario has a steady rate of replies.
      if (!report.series.parts.some(([, part]) => part === 'steady')) return;
      const steady = steadyPart(report, samples);
      const per = (/** @type {number} */ cpuUs) => `${round(cpuUs / steady.acked)} µs an event, ${round(cpuUs / steady.delivered)} µs a delivery`;
      say(`processor time of the hub: ${per(steady.cpuUs.hub)}; of Postgres: ${per(steady.cpuUs.postgres)}`);
    });
  });
}

/** @param {string} name */
function named(name) {
  const found = experiments.find((experiment) => experiment.name === name);
  if (!found) throw new Plain(`There is no experiment "${name}". There are: ${experiments.map((each) => each.name).join(', ')}.`, 2);
  return found;
}

/** @param {string} text */
function readRounds(text) {
  const rounds = Number(text);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100) throw new Plain(`PAIRS must be a whole number from 1 to 100, not "${text}".`, 2);
  return rounds;
}
