// Agents who get in each other's way, for minutes: what a signal costs, and how soon one sees who else is at work.
import { steadyPart } from '../window.mjs';

const SIZE = { agents: 300, tickets: 60, seconds: 300 };
const SMOKE = { agents: 20, tickets: 4, seconds: 8 };

/** @type {import('../record.mjs').Experiment} */
export const collide = {
  name: 'collide',
  question: 'what does it cost, and how soon is it seen, when 300 agents get in each other\'s way?',
  method: '300 agents on 60 tickets, every fifth at two devices, customers on every other ticket: each device does something every 2 s on ' +
    'average (announces itself, claims, drafts, replies, also blindly and by force, holds, takes back, hands over), and loses its ' +
    'connection every 40 s. The oracle holds everything against the guarantees; a run in which one is broken is no measurement.',
  variants: { collide: 'at random, all that can be done' },
  rounds: 1,
  figures: [
    { key: 'hub_us_per_signal', words: 'hub, processor time per signal received, everything else it did included', unit: 'µs' },
    { key: 'signals_per_s', words: 'signals about presence, claims and drafts received, per second', unit: '/s' },
    { key: 'asked_per_s', words: 'asked, per second', unit: '/s' },
    { key: 'presence_p50_ms', words: 'from composing until another viewer was shown it, median', unit: 'ms' },
    { key: 'presence_p99_ms', words: 'the same, 99th percentile', unit: 'ms' },
    { key: 'claim_p50_ms', words: 'from asking for the claim until another viewer was shown who has it, median', unit: 'ms' },
    { key: 'claim_p99_ms', words: 'the same, 99th percentile', unit: 'ms' },
    { key: 'frames_per_s', words: 'presence frames within a second, most for one viewer', unit: '' },
    { key: 'stale', words: 'refused stale', unit: '' },
    { key: 'claimed', words: 'refused claimed', unit: '' },
    { key: 'given_up_unseen', words: 'stored texts that their author sent over or threw away unseen, on another device', unit: '' },
    { key: 'driver_too_slow', words: 'the load tester was a bottleneck: 1 if so', unit: '' },
    { key: 'most_mib', words: 'most resident memory of the hub', unit: 'MiB' },
  ],
  goals: [
    { words: 'who composes is shown within, 99th percentile', unit: 'ms', atMost: 500, of: (s) => s.presence_p99_ms.collide.max },
    { words: 'who took the claim is shown within, 99th percentile', unit: 'ms', atMost: 500, of: (s) => s.claim_p99_ms.collide.max },
  ],
  fleet: (isSmoke) => (isSmoke ? 'agents=20,customers=10,tickets=10' : 'agents=300,customers=60,tickets=60'),
  measure: (lab, _variant, isSmoke) => lab.withHub({}, async (hub) => {
    const { agents, tickets, seconds } = isSmoke ? SMOKE : SIZE;
    const { report, samples } = await hub.drive(['collide', '--agents', `${agents}`, '--tickets', `${tickets}`, '--duration', `${seconds}s`, '--seed', '7']);
    const steady = steadyPart(report, samples);
    const { collide: own } = report.own;
    const asked = Object.values(own.actions).reduce((/** @type {number} */ sum, count) => sum + Number(count), 0);
    return {
      hub_us_per_signal: steady.cpuUs.hub / steady.seconds / own.signals_per_s,
      signals_per_s: own.signals_per_s,
      asked_per_s: asked / report.load.measured_s,
      presence_p50_ms: own.presence_ms.p50,
      presence_p99_ms: own.presence_ms.p99,
      claim_p50_ms: own.claim_ms.p50,
      claim_p99_ms: own.claim_ms.p99,
      frames_per_s: own.presence_frames_per_s_max,
      stale: own.refused.stale ?? 0,
      claimed: own.refused.claimed ?? 0,
      given_up_unseen: own.drafts_given_up_unseen,
      driver_too_slow: Number(report.driver.was_bottleneck),
      most_mib: Math.max(...samples.map((sample) => sample.hub.rssBytes)) / 2 ** 20,
    };
  }),
};
