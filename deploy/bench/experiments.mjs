// Every experiment there is, in the order in which `make bench` runs them.
import { batching } from './experiments/batching.mjs';
import { blind } from './experiments/blind.mjs';
import { collide } from './experiments/collide.mjs';
import { crowd } from './experiments/crowd.mjs';
import { metrics } from './experiments/metrics.mjs';
import { overload } from './experiments/overload.mjs';
import { residents } from './experiments/residents.mjs';
import { sockets } from './experiments/sockets.mjs';
import { stall } from './experiments/stall.mjs';
import { storm } from './experiments/storm.mjs';

/** @type {import('./record.mjs').Experiment[]} */
export const experiments = [batching, sockets, residents, stall, storm, overload, metrics, collide, crowd, blind];
