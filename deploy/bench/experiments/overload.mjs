// What is left of the hub's work when three times as much is wanted as it can do, and how soon it is itself again.
/** Many tickets: on few, replies that overlook each other would be refused for that, which is no matter of load. */
const SIZE = { start: 1200, tickets: 500, subscribers: 2, find: 10, seconds: 12, recovery: 30 };
const SMOKE = { start: 20, tickets: 10, subscribers: 3, find: 2, seconds: 3, recovery: 3 };
const FACTOR = 3;
/** Before and after there is room: at the very limit, what is left over from the overload would never be worked off. */
const USUAL = 0.8;

/** @type {import('../record.mjs').Experiment} */
export const overload = {
  name: 'overload',
  question: 'what is left of the hub when three times as much is wanted as it can do?',
  method: 'The highest rate is searched of which 98 % is acked within a second, on 500 tickets with a customer and an agent each. ' +
    'On a fresh hub 80 % of this rate is offered, then three times this rate, then 80 % again. The load tester has the last processor for ' +
    'itself; hub and Postgres share the others. A client has at most as many replies under way as the hub allows it; what is due ' +
    'meanwhile is not sent. In time is an ack within two seconds.',
  isApart: true,
  variants: { overload: 'three times the sustained rate' },
  rounds: 1,
  figures: [
    { key: 'sustained_per_s', words: 'sustained rate, replies per second', unit: '/s' },
    { key: 'goodput_per_s', words: 'acked in time during the overload, per second', unit: '/s' },
    { key: 'refused_share', words: 'refusals per reply that was due during the overload', unit: '' },
    { key: 'not_sent_share', words: 'share of the replies due during the overload that clients did not send: their hands were full', unit: '' },
    { key: 'unanswered', words: 'replies that were sent and never answered', unit: '' },
    { key: 'ack_p99_ms', words: 'ack during the overload, 99th percentile', unit: 'ms' },
    { key: 'recovered_s', words: 'from the end of the overload until acks were prompt again', unit: 's' },
    { key: 'prompt_p99_ms', words: 'prompt: 99th percentile of acks at most', unit: 'ms' },
    { key: 'driver_too_slow', words: 'the load tester was a bottleneck: 1 if so', unit: '' },
    { key: 'most_mib', words: 'most resident memory of the hub', unit: 'MiB' },
  ],
  goals: [
    { words: 'goodput during the overload, as a share of the sustained rate', unit: '', atLeast: 0.8,
      of: (s) => Number((s.goodput_per_s.overload.median / s.sustained_per_s.overload.median).toPrecision(4)) },
    { words: 'acks are prompt again within', unit: 's', atMost: 30, of: (s) => s.recovered_s.overload.max },
  ],
  fleet: (isSmoke) => (isSmoke ? 'agents=10,customers=10,tickets=10' : 'agents=100,customers=500,tickets=500'),
  measure: async (lab, _variant, isSmoke) => {
    const { start, tickets, subscribers, find, seconds, recovery } = isSmoke ? SMOKE : SIZE;
    const room = ['--tickets', `${tickets}`, '--subscribers', `${subscribers}`, '--seed', '7'];
    const search = isSmoke ? [] : ['--sustain'];
    const sustained = await lab.withHub({}, async (hub) => {
      const { report } = await hub.drive(['thread', ...room, ...search, '--rate', `${start}`, '--ramp', '1s', '--duration', `${find}s`]);
      return report.load.rate_per_s;
    });
    const { report, samples } = await lab.withHub({}, (hub) => hub.drive(['overload', ...room, '--rate', `${Math.floor(sustained * USUAL)}`,
      '--ramp', '1s', '--overload', `${FACTOR / USUAL}`, '--baseline', `${seconds}s`, '--duration', `${seconds}s`, '--recovery', `${recovery}s`]));
    const { phases, recovered_after_ms: recoveredMs, prompt_p99_ms: promptMs } = report.own.overload;
    const during = phases.find((/** @type {any} */ phase) => phase.name === 'overload');
    const refused = Object.values(during.refused).reduce((/** @type {number} */ sum, n) => sum + Number(n), 0);
    return {
      sustained_per_s: sustained,
      goodput_per_s: during.goodput_per_s,
      refused_share: refused / during.offered,
      not_sent_share: during.not_sent / during.offered,
      unanswered: during.unanswered,
      ack_p99_ms: during.ack_ms.p99,
      prompt_p99_ms: promptMs,
      recovered_s: recoveredMs === null ? Infinity : recoveredMs / 1000,
      driver_too_slow: Number(report.driver.was_bottleneck),
      most_mib: Math.max(...samples.map((sample) => sample.hub.rssBytes)) / 2 ** 20,
    };
  },
};
