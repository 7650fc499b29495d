// All sockets lose their connection at once and come back: how long that takes, and how often the log is read for it.
const SIZE = { sockets: 2000, tickets: 100, rate: 20 };
const SMOKE = { sockets: 40, tickets: 10, rate: 10 };
/** A run with more storms reads more than one with fewer; the difference is what a storm reads, whatever else a run does. */
const STORMS = { fewer: 1, more: 3 };

/** @type {import('../record.mjs').Experiment} */
export const storm = {
  name: 'storm',
  question: 'how long until everybody is back when all connections break at once?',
  method: '2,000 sockets watch 100 tickets, 20 replies a second go on; all connections are reset at once. A run with three storms is ' +
    'compared with a run with one: what more was read from the log, by Postgres\'s own count of statements, is what storms read.',
  variants: { storms: 'connections are reset (RST), clients come back as the protocol advises' },
  rounds: 3,
  postgresSettings: "shared_preload_libraries = 'pg_stat_statements'",
  figures: [
    { key: 'all_back_s', words: 'from the first loss until the last socket had resumed, worst storm', unit: 's' },
    { key: 'resume_p50_ms', words: 'from losing the subscription to having it again, median of the worst storm', unit: 'ms' },
    { key: 'resume_p99_ms', words: 'the same, 99th percentile', unit: 'ms' },
    { key: 'not_back', words: 'sockets not back in time', unit: '' },
    { key: 'reads_per_ticket', words: 'reads of the log per ticket and storm', unit: '' },
    { key: 'loads_per_ticket', words: 'tickets read anew per ticket and storm', unit: '' },
    { key: 'most_mib', words: 'most resident memory of the hub', unit: 'MiB' },
  ],
  goals: [
    { words: 'everybody is back within', unit: 's', atMost: 30, of: (s) => s.all_back_s.storms.max },
    { words: 'sockets that did not come back', unit: '', atMost: 0, of: (s) => s.not_back.storms.max },
    { words: 'reads of the log per ticket and storm', unit: '', atMost: 1, of: (s) => s.reads_per_ticket.storms.median },
  ],
  fleet: () => 'agents=100,customers=100,tickets=100',
  measure: async (lab, _variant, isSmoke) => {
    const size = isSmoke ? SMOKE : SIZE;
    const fewer = await lab.withHub({}, (hub) => storms(hub, size, STORMS.fewer));
    const more = await lab.withHub({}, (hub) => storms(hub, size, STORMS.more));
    const rounds = [...fewer.rounds, ...more.rounds];
    const each = size.tickets * (STORMS.more - STORMS.fewer);
    const worst = rounds.toSorted((a, b) => b.all_back_ms - a.all_back_ms)[0];
    return {
      all_back_s: worst.all_back_ms / 1000,
      resume_p50_ms: worst.resume_ms.p50,
      resume_p99_ms: worst.resume_ms.p99,
      not_back: rounds.reduce((sum, round) => sum + round.not_back, 0),
      reads_per_ticket: (more.reads - fewer.reads) / each,
      loads_per_ticket: (more.loads - fewer.loads) / each,
      most_mib: more.most / 2 ** 20,
    };
  },
};

/** @typedef {{ all_back_ms: number, not_back: number, resume_ms: { p50: number, p99: number } }} Round */

/**
 * @param {import('../lab.mjs').Hub} hub
 * @param {{ sockets: number, tickets: number, rate: number }} size
 * @param {number} repeat
 */
async function storms(hub, { sockets, tickets, rate }, repeat) {
  await hub.ask('CREATE EXTENSION pg_stat_statements');
  const { report, samples } = await hub.drive(['storm', '--sockets', `${sockets}`, '--tickets', `${tickets}`, '--rate', `${rate}`,
    '--repeat', `${repeat}`, '--calm', '1s', '--within', '60s', '--seed', '7']);
  const [reads, loads] = [await calls(hub, 'SELECT data, private FROM events'), await calls(hub, 'SELECT state_version, state FROM tickets')];
  // Every ticket is loaded once, and its log is read in the end to be judged.
  if (reads === 0 || loads === 0) throw new Error('the statements that are counted here have other words by now: see storage/src/sql/journal');
  return {
    rounds: /** @type {Round[]} */ (report.own.storm.rounds),
    reads,
    loads,
    most: Math.max(...samples.map((sample) => sample.hub.rssBytes)),
  };
}

/**
 * How often a statement ran in the hub's database.
 * @param {import('../lab.mjs').Hub} hub
 * @param {string} statement how it begins, but for comments
 */
async function calls(hub, statement) {
  const [[count]] = await hub.ask('SELECT coalesce(sum(calls), 0) FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid ' +
    `WHERE d.datname = current_database() AND position('${statement}' IN s.query) > 0 AND s.query NOT LIKE '%pg_stat_statements%'`);
  return Number(count);
}
