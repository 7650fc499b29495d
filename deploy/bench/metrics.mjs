// Reads what `GET /metrics` tells: counters, and histograms between two looks.

/** @typedef {{ name: string, labels: string, value: number }[]} Figures */

/**
 * @param {string} text in the text format of Prometheus
 * @returns {Figures}
 */
export function parseMetrics(text) {
  return text.split('\n').flatMap((line) => {
    const found = line.match(/^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? ([-+.\deE]+|NaN|[+-]?Inf)$/);
    return found ? [{ name: found[1], labels: found[2] ?? '', value: Number(found[3]) }] : [];
  });
}

/**
 * A figure summed over its labels.
 * @param {Figures} figures
 * @param {string} name
 * @param {string} [label] only where the labels hold this, such as `type="event"`
 */
export function total(figures, name, label = '') {
  return figures.filter((each) => each.name === name && each.labels.includes(label)).reduce((sum, each) => sum + each.value, 0);
}

/**
 * A quantile of what a histogram took in between two looks, in its own unit: interpolated within a bucket, so as exact as
 * the buckets are narrow.
 * @param {Figures} before
 * @param {Figures} after
 * @param {string} name
 * @param {number} quantile
 */
export function quantileSince(before, after, name, quantile) {
  const uppers = [...new Set(after.filter((each) => each.name === `${name}_bucket`).map((each) => each.labels.match(/le="([^"]+)"/)?.[1] ?? ''))];
  const count = (/** @type {string} */ le) => total(after, `${name}_bucket`, `le="${le}"`) - total(before, `${name}_bucket`, `le="${le}"`);
  const buckets = uppers.map((le) => ({ upper: le === '+Inf' ? Infinity : Number(le), count: count(le) })).sort((a, b) => a.upper - b.upper);
  const wanted = quantile * (buckets.at(-1)?.count ?? 0);
  let [lower, below] = [0, 0];
  for (const { upper, count: upTo } of buckets) {
    if (upTo >= wanted && upTo > below) return upper === Infinity ? lower : lower + ((wanted - below) / (upTo - below)) * (upper - lower);
    [lower, below] = [upper, upTo];
  }
  return Number.NaN;
}
