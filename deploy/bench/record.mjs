// What was measured, as it is kept: figures with their spread, goals with their verdict, and what made them where.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { repository } from '../place.mjs';
import { middle, ratio } from './figures.mjs';

export const measurements = path.join(repository, 'docs', 'measurements');

/** What was measured: read before the programs are built, as commits may come while they run. */
const measuredCommit = commit();

/**
 * @typedef {Record<string, number>} Values
 * @typedef {{ key: string, words: string, unit: string }} Figure
 * @typedef {{ words: string, unit: string, atMost?: number, atLeast?: number, of: (summary: Summary) => number }} Goal
 * @typedef {Record<string, Record<string, import('./figures.mjs').Middle>>} Summary by figure, then by variant or `ratio`
 *
 * @typedef {object} Experiment
 * @property {string} name
 * @property {string} question
 * @property {string} method how it is measured, in two or three sentences
 * @property {Record<string, string>} variants what each means; one or two
 * @property {number} rounds how often each variant is measured, unless told
 * @property {boolean} [isApart] the load tester has a processor for itself
 * @property {Figure[]} figures
 * @property {Goal[]} goals
 * @property {string} [postgresSettings] more lines for Postgres's configuration
 * @property {(isSmoke: boolean) => string} fleet
 * @property {(lab: import('./lab.mjs').Lab, variant: string, isSmoke: boolean) => Promise<Values>} measure
 */

/**
 * @param {Experiment} experiment
 * @param {{ variant: string, values: Values }[]} runs in the order they were made
 * @param {{ command: string, postgresVersion: string, fleet: string }} how
 */
export function recordOf(experiment, runs, { command, postgresVersion, fleet }) {
  const summary = summaryOf(experiment, runs);
  return {
    experiment: experiment.name,
    question: experiment.question,
    method: experiment.method,
    command,
    measured_at: new Date().toISOString(),
    commit: measuredCommit,
    machine: machine(postgresVersion),
    fleet,
    variants: experiment.variants,
    figures: experiment.figures.map(({ key, words, unit }) => ({ key, words, unit, ...summary[key] })),
    goals: experiment.goals.map((goal) => judged(goal, summary)),
    runs,
  };
}

/** @typedef {ReturnType<typeof recordOf>} Record_ */

/**
 * @param {Pick<Experiment, 'figures' | 'variants'>} experiment
 * @param {{ variant: string, values: Values }[]} runs
 * @returns {Summary}
 */
export function summaryOf({ figures, variants }, runs) {
  const names = Object.keys(variants);
  const of = (/** @type {string} */ variant, /** @type {string} */ key) =>
    runs.filter((run) => run.variant === variant).map((run) => run.values[key]);
  return Object.fromEntries(figures.map(({ key }) => {
    const columns = Object.fromEntries(names.map((name) => [name, middle(of(name, key))]));
    return [key, names.length === 2 ? { ...columns, ratio: ratio(of(names[0], key), of(names[1], key)) } : columns];
  }));
}

/**
 * @param {Goal} goal
 * @param {Summary} summary
 */
export function judged({ words, unit, atMost, atLeast, of }, summary) {
  const value = of(summary);
  // Infinity is kept as null, and null is less than anything.
  const isHeld = typeof value === 'number' && (atMost === undefined || value <= atMost) && (atLeast === undefined || value >= atLeast);
  return { words, unit, ...(atMost === undefined ? {} : { at_most: atMost }), ...(atLeast === undefined ? {} : { at_least: atLeast }), value, is_held: isHeld };
}

/** @param {string} postgresVersion */
function machine(postgresVersion) {
  const [processor] = os.cpus();
  return {
    processors: os.availableParallelism(),
    model: processor?.model ?? '',
    memory_gib: Math.round(os.totalmem() / 2 ** 30),
    kernel: `${os.type()} ${os.release()}`,
    postgres: postgresVersion,
    node: process.versions.node,
  };
}

/** The commit that is checked out, marked when the sources have changed since. */
function commit() {
  const git = (/** @type {string[]} */ ...args) => spawnSync('git', args, { cwd: repository, encoding: 'utf8' }).stdout?.trim() ?? '';
  const changed = git('status', '--porcelain', '--untracked-files=no', '--', ':!docs');
  return `${git('rev-parse', '--short=10', 'HEAD')}${changed ? ' with changes' : ''}`;
}

/** @param {Record_} record */
export function keep(record) {
  fs.mkdirSync(measurements, { recursive: true });
  const file = path.join(measurements, `${record.experiment}.json`);
  fs.writeFileSync(file, `${JSON.stringify(record, null, 2)}\n`);
  return path.relative(repository, file);
}

/** @returns {Record_[]} all that is kept, by name */
export function kept() {
  if (!fs.existsSync(measurements)) return [];
  const files = fs.readdirSync(measurements).filter((name) => name.endsWith('.json')).sort();
  return files.map((name) => JSON.parse(fs.readFileSync(path.join(measurements, name), 'utf8')));
}
