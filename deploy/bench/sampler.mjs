// Looks once a second at what the hub and Postgres use, while a load runs; and reads between two looks.
import { usageOf, usageOfFamily } from './proc.mjs';

const EVERY_MS = 1000;

/** @typedef {import('./proc.mjs').Usage} Usage */
/** @typedef {{ atMs: number, hub: Usage, postgres: Usage }} Sample atMs: wall clock */

/**
 * @param {{ hub: number, postgres: number }} pids
 * @returns {{ stop: () => Sample[] }}
 */
export function watchProcesses(pids) {
  /** @type {Sample[]} */
  const samples = [];
  const look = () => {
    try {
      samples.push({ atMs: Date.now(), hub: usageOf(pids.hub), postgres: usageOfFamily(pids.postgres) });
    } catch { /* one of them has ended: whoever started it finds out */ }
  };
  look();
  const timer = setInterval(look, EVERY_MS);
  return {
    stop: () => {
      clearInterval(timer);
      look();
      return samples;
    },
  };
}

/**
 * The value of a growing figure at a moment between two looks.
 * @template T
 * @param {T[]} points in the order of time
 * @param {number} atMs
 * @param {(point: T) => number} time
 * @param {(point: T) => number} value
 */
export function between(points, atMs, time, value) {
  const after = points.findIndex((point) => time(point) >= atMs);
  if (after < 0) throw new Error('the moment lies after the last look');
  if (after === 0) {
    if (time(points[0]) > atMs) throw new Error('the moment lies before the first look');
    return value(points[0]);
  }
  const [a, b] = [points[after - 1], points[after]];
  const share = (atMs - time(a)) / (time(b) - time(a));
  return value(a) + share * (value(b) - value(a));
}
