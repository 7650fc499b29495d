// Every experiment there is, in the order in which `make bench` runs them.
import { batching } from './experiments/batching.mjs';
import { metrics } from './experiments/metrics.mjs';

/** @type {import('./record.mjs').Experiment[]} */
export const experiments = [batching, metrics];
