// The steady part of a run: what was done in it, as the driver's report tells, and what that cost, as the samples tell.
import { between } from './sampler.mjs';

/** Both edges keep away from the driver's ramp and from the answers that are waited for at the end. */
const INSET_MS = 500;

/**
 * @typedef {{ at_s: number, sent: number, acked: number, delivered: number, refused: number, live: number }} Second
 * @typedef {{ series: { began: string, parts: [number, string][], seconds: Second[] }, [section: string]: any }} Report
 */

/**
 * @typedef {{ fromMs: number, toMs: number, seconds: number, acked: number, delivered: number, refused: number,
 *   cpuUs: { hub: number, postgres: number } }} Steady
 */

/**
 * @param {Report} report
 * @param {import('./sampler.mjs').Sample[]} samples
 * @returns {Steady}
 */
export function steadyPart(report, samples) {
  const [fromMs, toMs] = edges(report, samples);
  const done = growing(report);
  const grew = (/** @type {'acked' | 'delivered' | 'refused'} */ name) =>
    between(done, toMs, (point) => point.atMs, (point) => point[name]) - between(done, fromMs, (point) => point.atMs, (point) => point[name]);
  const used = (/** @type {'hub' | 'postgres'} */ who) =>
    between(samples, toMs, (sample) => sample.atMs, (sample) => sample[who].cpuUs) -
    between(samples, fromMs, (sample) => sample.atMs, (sample) => sample[who].cpuUs);
  return {
    fromMs,
    toMs,
    seconds: (toMs - fromMs) / 1000,
    acked: grew('acked'),
    delivered: grew('delivered'),
    refused: grew('refused'),
    cpuUs: { hub: used('hub'), postgres: used('postgres') },
  };
}

/**
 * The last part called `steady`, and no further than both sides looked.
 * @param {Report} report
 * @param {import('./sampler.mjs').Sample[]} samples
 */
function edges({ series }, samples) {
  const beganMs = Date.parse(series.began);
  const index = series.parts.findLastIndex(([, part]) => part === 'steady');
  if (index < 0 || series.seconds.length < 2 || samples.length < 2) throw new Error('the report has no steady part');
  const [steadyS] = series.parts[index];
  const endS = Math.min(series.parts[index + 1]?.[0] ?? Infinity, series.seconds.at(-1)?.at_s ?? 0);
  const fromMs = Math.max(beganMs + steadyS * 1000 + INSET_MS, beganMs + series.seconds[0].at_s * 1000, samples[0].atMs);
  const toMs = Math.min(beganMs + endS * 1000 - INSET_MS, samples[samples.length - 1].atMs);
  if (!(toMs - fromMs > 500)) throw new Error('the steady part of the run is too short to be measured');
  return [fromMs, toMs];
}

/** @param {Report} report */
function growing({ series }) {
  const beganMs = Date.parse(series.began);
  const sum = { acked: 0, delivered: 0, refused: 0 };
  return series.seconds.map((second) => {
    sum.acked += second.acked;
    sum.delivered += second.delivered;
    sum.refused += second.refused;
    return { atMs: beganMs + second.at_s * 1000, ...sum };
  });
}
