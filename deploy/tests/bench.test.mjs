// The arithmetic of measurements, and that the page says what was measured.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { checkDocs, page, withTables } from '../bench/docs.mjs';
import { experiments } from '../bench/experiments.mjs';
import { interleaved, middle, ratio } from '../bench/figures.mjs';
import { parseMetrics, quantileSince, total } from '../bench/metrics.mjs';
import { parsePss, parseStat, usageOf, usageOfFamily } from '../bench/proc.mjs';
import { judged, kept, recordOf } from '../bench/record.mjs';
import { steadyPart } from '../bench/window.mjs';
import { repository } from '../place.mjs';

test('docs/measurements.md says what docs/measurements/*.json say', () => checkDocs());

test('what is kept belongs to experiments that can be run again, and its goals follow from its figures', () => {
  for (const record of kept()) {
    const experiment = experiments.find((each) => each.name === record.experiment);
    assert.ok(experiment, record.experiment);
    const how = { command: record.command, postgresVersion: '', fleet: record.fleet };
    const again = JSON.parse(JSON.stringify(recordOf(experiment, record.runs, how)));
    assert.deepEqual(again.figures, record.figures);
    assert.deepEqual(again.goals, record.goals);
  }
});

test('the page follows its records, and nothing outside its markers changes', () => {
  const experiment = { name: 'x', question: 'what?', method: 'So.', variants: { on: 'with', off: 'without' }, rounds: 2,
    figures: [{ key: 'us', words: 'time', unit: 'µs' }],
    goals: [{ words: 'dearer', unit: '×', atLeast: 5, of: (/** @type {any} */ s) => s.us.ratio.median }],
    fleet: () => 'none', measure: async () => ({}) };
  const runs = [['on', 10], ['off', 40], ['off', 90], ['on', 15]].map(([variant, us]) => ({ variant: String(variant), values: { us: Number(us) } }));
  const record = recordOf(experiment, runs, { command: 'make', postgresVersion: '15', fleet: 'none' });
  const text = withTables(`before ${fs.readFileSync(page, 'utf8')} after`, [record]);
  assert.match(text, /\| time \| 12\.5 µs \(10 to 15\) \| 65 µs \(40 to 90\) \| 5 \(4 to 6\) \|/);
  assert.match(text, /- \*\*held\*\*: dearer: 5 × \(goal: at least 5 ×\)/);
  assert.ok(text.startsWith('before # ') && text.trimEnd().endsWith('after'));
  assert.equal(withTables(text, [record]), text);
});

test('every experiment has a name of its own, and goals that its figures answer', () => {
  assert.equal(new Set(experiments.map((experiment) => experiment.name)).size, experiments.length);
  for (const experiment of experiments) {
    const values = Object.fromEntries(experiment.figures.map(({ key }) => [key, 1]));
    const runs = interleaved(Object.keys(experiment.variants), 2).map((variant) => ({ variant, values }));
    const { goals } = recordOf(experiment, runs, { command: '', postgresVersion: '', fleet: experiment.fleet(false) });
    for (const goal of goals) assert.equal(goal.value, 1, `${experiment.name}: ${goal.words}`);
  }
});

test('a record names the commit from before the measurements, whatever is committed or changed meanwhile', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-bench-'));
  const git = (/** @type {string[]} */ ...args) =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.org', ...args], { cwd: folder, encoding: 'utf8' }).trim();
  const commit = (/** @type {string} */ words) => git('commit', '--quiet', '--allow-empty', '--message', words);
  /** @param {string} loaded told apart by what follows its name, so that it is loaded anew */
  const namedBy = async (loaded) => {
    const { recordOf: record } = await import(path.join(folder, 'deploy/bench/record.mjs') + loaded);
    const experiment = { name: 'x', question: '', method: '', variants: { one: '' }, rounds: 1, figures: [], goals: [], fleet: () => '', measure: async () => ({}) };
    return () => record(experiment, [], { command: '', postgresVersion: '', fleet: '' }).commit;
  };
  try {
    fs.cpSync(path.join(repository, 'deploy'), path.join(folder, 'deploy'), { recursive: true });
    git('init', '--quiet');
    git('add', '.');
    commit('what is measured');
    const measured = git('rev-parse', '--short=10', 'HEAD');
    const first = await namedBy('?first');
    commit('landed meanwhile');
    fs.appendFileSync(path.join(folder, 'deploy/place.mjs'), '// changed meanwhile\n');
    assert.equal(first(), measured);
    const second = await namedBy('?second');
    git('checkout', '--quiet', '--', '.');
    assert.equal(second(), `${git('rev-parse', '--short=10', 'HEAD')} with changes`);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});

test('a goal is missed above what is allowed and below what is wanted', () => {
  const verdict = (/** @type {object} */ limits) => judged({ words: '', unit: '', of: () => 1.3, ...limits }, {}).is_held;
  assert.deepEqual([{ atMost: 1.3 }, { atMost: 1.29 }, { atLeast: 1.3 }, { atLeast: 1.31 }].map(verdict), [true, false, true, false]);
  for (const none of [Number.NaN, Infinity, JSON.parse(JSON.stringify(Infinity))]) {
    assert.equal(judged({ words: '', unit: '', of: () => none, atMost: 5 }, {}).is_held, false);
  }
});

test('variants take turns, and ratios are those of pairs', () => {
  assert.deepEqual(interleaved(['a', 'b'], 3), ['a', 'b', 'b', 'a', 'a', 'b']);
  assert.deepEqual(middle([3, 1, 2, 10]), { median: 2.5, min: 1, max: 10 });
  assert.deepEqual(ratio([1, 2, 4], [2, 2, 40]), { median: 2, min: 1, max: 10 });
});

test('processes are read from /proc, a strange name included', () => {
  assert.deepEqual(parseStat('7 (a (b) c) S 5 1 1 0 -1 0 0 0 0 0 150 50 3 4 20'), { parent: 5, ownTicks: 200, reapedTicks: 7 });
  assert.equal(parsePss('Rss: 9 kB\nPss:      12 kB\nPss_Anon: 3 kB\n'), 12 * 1024);
  const own = usageOf(process.pid);
  assert.ok(own.rssBytes > 2 ** 20 && own.cpuUs > 0 && usageOfFamily(process.ppid).processes >= 2);
});

test('counters are summed and histograms read between two looks', () => {
  const look = (/** @type {number} */ n) => parseMetrics(`# HELP h words\nc{type="event"} ${n}\nc{type="ack"} 2\nh_bucket{le="1"} ${n}\n` +
    `h_bucket{le="3"} ${3 * n}\nh_bucket{le="+Inf"} ${3 * n}\n`);
  const [before, after] = [look(10), look(20)];
  assert.equal(total(after, 'c') - total(before, 'c'), 10);
  assert.equal(total(after, 'c', 'type="ack"'), 2);
  assert.equal(quantileSince(before, after, 'h', 0.5), 1.5);
  assert.ok(Number.isNaN(quantileSince(before, before, 'h', 0.5)));
});

test('the steady part is what lies between the ramp and the end, in the driver\'s time and in the samples\'', () => {
  const beganMs = Date.parse('2026-01-01T00:00:00.000Z');
  const seconds = Array.from({ length: 12 }, (_, index) => ({ at_s: index + 1, sent: 0, acked: 100, delivered: 200, refused: 0, live: 3 }));
  const report = { series: { began: '2026-01-01T00:00:00.000Z', parts: /** @type {[number, string][]} */ ([[0.5, 'rising'], [2.5, 'steady'], [10.5, 'settling']]), seconds } };
  const usage = (/** @type {number} */ cpuUs) => ({ cpuUs, rssBytes: 0, pssBytes: 0, processes: 1 });
  const samples = Array.from({ length: 14 }, (_, index) => ({ atMs: beganMs + index * 1000 - 300, hub: usage(index * 5e5), postgres: usage(index * 1e5) }));
  const steady = steadyPart(report, samples);
  assert.deepEqual([steady.seconds, Math.round(steady.acked), Math.round(steady.delivered)], [7, 700, 1400]);
  assert.ok(Math.abs(steady.cpuUs.hub / steady.acked - 5000) < 1 && Math.abs(steady.cpuUs.postgres / steady.acked - 1000) < 1);
  assert.throws(() => steadyPart({ series: { ...report.series, parts: [] } }, samples), /no steady part/);
});
