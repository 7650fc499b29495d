// What it costs that Prometheus reads /metrics once a second.
import { steadyPart } from '../window.mjs';

const SIZE = { rate: 800, ramp: 2, seconds: 10, tickets: 100, subscribers: 3 };
const SMOKE = { rate: 40, ramp: 0.3, seconds: 3, tickets: 10, subscribers: 3 };
const SCRAPE_EVERY_MS = 1000;

/** @type {import('../record.mjs').Experiment} */
export const metrics = {
  name: 'metrics',
  question: 'what does it cost to be watched by Prometheus?',
  method: '100 tickets with 3 subscribers, 800 replies a second, well below what the hub can do.',
  variants: {
    off: 'no metrics token, so nothing is collected',
    on: 'collected, and read over HTTP once a second',
  },
  rounds: 5,
  figures: [
    { key: 'hub_us_per_event', words: 'hub, processor time per event', unit: 'µs' },
    { key: 'hub_us_per_delivery', words: 'hub, processor time per event and socket it goes to', unit: 'µs' },
    { key: 'ack_p50_ms', words: 'ack, median', unit: 'ms' },
    { key: 'ack_p99_ms', words: 'ack, 99th percentile', unit: 'ms' },
    { key: 'scrape_ms', words: 'one reading of /metrics, median', unit: 'ms' },
  ],
  goals: [],
  fleet: (isSmoke) => (isSmoke ? 'agents=10,customers=10,tickets=10' : 'agents=100,customers=100,tickets=100'),
  measure: async (lab, variant, isSmoke) => {
    const { rate, ramp, seconds, tickets, subscribers } = isSmoke ? SMOKE : SIZE;
    return lab.withHub({ metrics: variant }, async (hub) => {
      const scraping = variant === 'on' ? scrapeEverySecond(hub) : null;
      const { report, samples } = await hub.drive(['thread', '--tickets', `${tickets}`, '--subscribers', `${subscribers}`,
        '--rate', `${rate}`, '--ramp', `${ramp}s`, '--duration', `${seconds}s`, '--seed', '7']).finally(() => scraping?.stop());
      const steady = steadyPart(report, samples);
      return {
        hub_us_per_event: steady.cpuUs.hub / steady.acked,
        hub_us_per_delivery: steady.cpuUs.hub / steady.delivered,
        ack_p50_ms: report.ack_ms.p50,
        ack_p99_ms: report.ack_ms.p99,
        scrape_ms: scraping ? scraping.medianMs() : 0,
      };
    });
  },
};

/** @param {import('../lab.mjs').Hub} hub */
function scrapeEverySecond(hub) {
  /** @type {number[]} */
  const tookMs = [];
  const timer = setInterval(async () => {
    const startedMs = performance.now();
    await hub.metrics().then(() => tookMs.push(performance.now() - startedMs), () => {});
  }, SCRAPE_EVERY_MS);
  return {
    stop: () => clearInterval(timer),
    medianMs: () => tookMs.toSorted((a, b) => a - b)[Math.floor(tookMs.length / 2)] ?? Number.NaN,
  };
}
