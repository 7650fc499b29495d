// What group commit is worth: one writer that commits many tickets at once, against a transaction per append.
import { quantileSince, total } from '../metrics.mjs';
import { steadyPart } from '../window.mjs';

/** The rate of the first must be more than either variant can do: then the hub decides how much is done. */
const FULL = { rate: 12000, ramp: 1, seconds: 9, tickets: 500 };
const PACED = { rate: 500, ramp: 1, seconds: 7, tickets: 500 };
const SMOKE = { rate: 60, ramp: 0.3, seconds: 3, tickets: 10 };
/** Acked less than this share of what was offered, and the driver was in time: then the hub decided how much was done. */
const SATURATED_BELOW = 0.9;

/** @type {import('../record.mjs').Experiment} */
export const batching = {
  name: 'batching',
  question: 'what does one writer that commits many tickets at once save?',
  method: 'The customers of 500 tickets reply, each as soon as its reply before was acked; an agent watches each ticket. First far more ' +
    'is offered than can be done, so that the hub is saturated: processor time per event. Then 500 replies a second: latency.',
  variants: {
    on: 'TANDEM_DATABASE_BATCHING=true: one connection writes, up to 256 appends a transaction',
    off: 'TANDEM_DATABASE_BATCHING=false: a transaction for each append, over 8 connections',
  },
  rounds: 5,
  figures: [
    { key: 'postgres_us', words: 'saturated: Postgres, processor time per event', unit: 'µs' },
    { key: 'hub_us', words: 'saturated: hub, processor time per event', unit: 'µs' },
    { key: 'events_per_s', words: 'saturated: events per second', unit: '/s' },
    { key: 'acked_share', words: 'saturated: share of what was offered that was done in time', unit: '' },
    { key: 'driver_too_slow', words: 'saturated: the driver itself was a bottleneck (1) or was not (0)', unit: '' },
    { key: 'appends_per_transaction', words: 'saturated: appends per transaction', unit: '' },
    { key: 'postgres_pss_mib', words: 'saturated: Postgres, most memory of all its processes, shared pages counted once', unit: 'MiB' },
    { key: 'hub_rss_mib', words: 'saturated: hub, most resident memory', unit: 'MiB' },
    { key: 'paced_postgres_us', words: '500/s: Postgres, processor time per event', unit: 'µs' },
    { key: 'paced_ack_p50_ms', words: '500/s: ack, median', unit: 'ms' },
    { key: 'paced_ack_p99_ms', words: '500/s: ack, 99th percentile', unit: 'ms' },
    { key: 'paced_commit_p50_ms', words: '500/s: commit, median (within a bucket of /metrics)', unit: 'ms' },
  ],
  goals: [
    { words: 'Postgres takes so many times the processor time per event without batching', unit: '×', atLeast: 5, of: (s) => s.postgres_us.ratio.median },
    { words: 'at 500/s the median ack with batching is at most so many times the one without', unit: '×', atMost: 1.3,
      of: (s) => Number((1 / s.paced_ack_p50_ms.ratio.median).toPrecision(4)) },
    { words: 'both variants were saturated: the largest share that was done', unit: '', atMost: SATURATED_BELOW,
      of: (s) => Math.max(s.acked_share.on.max, s.acked_share.off.max) },
    { words: 'and in no run because the driver was a bottleneck: 1 if it was in any', unit: '', atMost: 0,
      of: (s) => Math.max(s.driver_too_slow.on.max, s.driver_too_slow.off.max) },
  ],
  fleet: (isSmoke) => (isSmoke ? 'agents=10,customers=10,tickets=10' : 'agents=100,customers=500,tickets=500'),
  measure: async (lab, variant, isSmoke) => {
    // One command of a customer at a time: many for the same ticket would be one append, with or without batching.
    const others = { TANDEM_DATABASE_BATCHING: String(variant === 'on'), TANDEM_SOCKET_COMMANDS_IN_FLIGHT: '1' };
    const full = await lab.withHub(others, (hub) => load(hub, isSmoke ? SMOKE : FULL));
    const paced = await lab.withHub(others, (hub) => load(hub, isSmoke ? SMOKE : PACED));
    return {
      postgres_us: full.steady.cpuUs.postgres / full.steady.acked,
      hub_us: full.steady.cpuUs.hub / full.steady.acked,
      events_per_s: full.steady.acked / full.steady.seconds,
      acked_share: full.steady.acked / full.steady.seconds / full.report.load.rate_per_s,
      driver_too_slow: Number(full.report.driver.was_bottleneck),
      appends_per_transaction: full.appendsPerTransaction,
      postgres_pss_mib: Math.max(...full.samples.map((sample) => sample.postgres.pssBytes)) / 2 ** 20,
      hub_rss_mib: Math.max(...full.samples.map((sample) => sample.hub.rssBytes)) / 2 ** 20,
      paced_postgres_us: paced.steady.cpuUs.postgres / paced.steady.acked,
      paced_ack_p50_ms: paced.report.ack_ms.p50,
      paced_ack_p99_ms: paced.report.ack_ms.p99,
      paced_commit_p50_ms: paced.commitP50Ms,
    };
  },
};

/**
 * @param {import('../lab.mjs').Hub} hub
 * @param {{ rate: number, ramp: number, seconds: number, tickets: number }} size
 */
async function load(hub, { rate, ramp, seconds, tickets }) {
  const before = await hub.metrics();
  // Customers never overlook anything, so every reply is one event and nothing is refused for being stale.
  const { report, samples } = await hub.drive(['thread', '--tickets', `${tickets}`, '--subscribers', '2', '--customer-share', '1',
    '--rate', `${rate}`, '--ramp', `${ramp}s`, '--duration', `${seconds}s`, '--seed', '7', '--grace', '2s']);
  const after = await hub.metrics();
  const grew = (/** @type {string} */ name) => total(after, name) - total(before, name);
  return {
    report,
    samples,
    steady: steadyPart(report, samples),
    appendsPerTransaction: grew('tandem_journal_batch_appends_sum') / grew('tandem_journal_batch_appends_count'),
    commitP50Ms: quantileSince(before, after, 'tandem_journal_commit_seconds', 0.5) * 1000,
  };
}
