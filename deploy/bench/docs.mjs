// docs/measurements.md, as far as it is generated: everything between its markers follows from docs/measurements/*.json.
import fs from 'node:fs';
import path from 'node:path';
import { repository } from '../place.mjs';
import { Plain } from '../say.mjs';
import { kept } from './record.mjs';

export const page = path.join(repository, 'docs', 'measurements.md');
const BEGIN = '<!-- generated from docs/measurements/*.json by `make bench-docs`: do not edit -->';
const END = '<!-- end of what is generated -->';

/** Writes the tables anew. */
export function writeDocs() {
  fs.writeFileSync(page, withTables(fs.readFileSync(page, 'utf8'), kept()));
}

/** Fails when the page says something else than what was measured. */
export function checkDocs() {
  const text = fs.readFileSync(page, 'utf8');
  if (text !== withTables(text, kept())) {
    throw new Plain('docs/measurements.md does not say what docs/measurements/*.json say. Write it anew: make bench-docs');
  }
}

/**
 * @param {string} text
 * @param {import('./record.mjs').Record_[]} records
 */
export function withTables(text, records) {
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Plain('docs/measurements.md has lost its markers.');
  const tables = records.length > 0 ? records.map(section).join('\n') : 'No measurement is kept yet.\n';
  return `${text.slice(0, begin + BEGIN.length)}\n\n${tables}\n${text.slice(end)}`;
}

/** @param {import('./record.mjs').Record_} record */
function section(record) {
  const { machine } = record;
  const lines = [
    `## ${record.experiment}: ${record.question}`,
    '',
    record.method,
    '',
    ...verdicts(record),
    ...table(record),
    '',
    ...Object.entries(record.variants).map(([name, words]) => `- ${name}: ${words}`),
    `- made by \`${record.command}\` on ${record.measured_at.slice(0, 10)} at commit ${record.commit}, fleet \`${record.fleet}\``,
    `- machine: ${machine.processors} × ${machine.model}, ${machine.memory_gib} GiB, ${machine.kernel}, Postgres ${machine.postgres}; ` +
      'driver, hub and Postgres share it',
    '',
  ];
  return lines.join('\n');
}

/** @param {import('./record.mjs').Record_} record */
function verdicts({ goals }) {
  if (goals.length === 0) return [];
  return [...goals.map((goal) => `- ${goal.is_held ? '**held**' : '**missed**'}: ${goal.words}: ${withUnit(goal.value, goal.unit)} (goal: ${limit(goal)})`), ''];
}

/** @param {import('./record.mjs').Record_['goals'][number]} goal */
function limit({ at_most: atMost, at_least: atLeast, unit }) {
  const words = [];
  if (atLeast !== undefined) words.push(`at least ${withUnit(atLeast, unit)}`);
  if (atMost !== undefined) words.push(`at most ${withUnit(atMost, unit)}`);
  return words.join(', ');
}

/** @param {import('./record.mjs').Record_} record */
function table({ figures, variants, runs }) {
  const names = Object.keys(variants);
  const columns = names.length === 2 ? [...names, `${names[1]} / ${names[0]}`] : names;
  const keys = names.length === 2 ? [...names, 'ratio'] : names;
  const rounds = runs.length / names.length;
  const head = rounds > 1 ? `median of ${rounds} (least to most)` : 'one run';
  return [
    `| ${head} | ${columns.join(' | ')} |`,
    `| --- |${columns.map(() => ' ---: |').join('')}`,
    ...figures.map((figure) => {
      const cells = keys.map((key) => cell(/** @type {any} */ (figure)[key], key === 'ratio' ? '' : figure.unit));
      return `| ${figure.words} | ${cells.join(' | ')} |`;
    }),
  ];
}

/**
 * @param {import('./figures.mjs').Middle} middle
 * @param {string} unit
 */
function cell({ median, min, max }, unit) {
  if (median === null) return '-'; // nothing divided by nothing
  return min === max ? withUnit(median, unit) : `${withUnit(median, unit)} (${number(min)} to ${number(max)})`;
}

/**
 * @param {number} value
 * @param {string} unit
 */
const withUnit = (value, unit) => (unit ? `${number(value)} ${unit}` : number(value));

/** @param {number} value */
function number(value) {
  if (!Number.isFinite(value)) return '-';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en-GB', { maximumFractionDigits: digits });
}
