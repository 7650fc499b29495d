// Figures of several runs become one: median, least and most; two variants become a ratio, pair by pair.

/** @typedef {{ median: number, min: number, max: number }} Middle */

/**
 * @param {number[]} values
 * @returns {Middle}
 */
export function middle(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  const median = sorted.length % 2 === 1 ? sorted[Math.floor(half)] : (sorted[half - 1] + sorted[half]) / 2;
  return { median: round(median), min: round(sorted[0]), max: round(sorted[sorted.length - 1]) };
}

/**
 * The second over the first, pair by pair: what slowed the machine down for a while slowed both of a pair.
 * @param {number[]} first
 * @param {number[]} second
 */
export function ratio(first, second) {
  return middle(first.map((value, index) => second[index] / value));
}

/**
 * A B, B A, A B, …: neither is always the one that finds the machine warm.
 * @param {string[]} variants
 * @param {number} rounds
 * @returns {string[]}
 */
export function interleaved(variants, rounds) {
  return Array.from({ length: rounds }, (_, index) => (index % 2 === 0 ? variants : variants.toReversed())).flat();
}

/**
 * Four digits say all that such a measurement knows.
 * @param {number} value
 */
export function round(value) {
  return value === 0 || !Number.isFinite(value) ? value : Number(value.toPrecision(4));
}
