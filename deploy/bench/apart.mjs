// Keeps the load tester off the processors of what it loads: where it wants more than the hub can do, it would otherwise take
// from the hub what it is to find out about.
import os from 'node:os';
import { run } from '../processes.mjs';

/**
 * Puts this process, and whatever it starts from now on, on all processors but the last, which is the load tester's.
 * @returns {Promise<{ driver: string[], end: () => Promise<void> }>} what to start the load tester by, and how to take it back
 */
export async function keepApart() {
  const last = os.availableParallelism() - 1;
  if (last === 0) return { driver: [], end: async () => {} };
  const keepTo = (/** @type {string} */ processors) => run('taskset', ['-acp', processors, `${process.pid}`], { what: 'taskset', isQuiet: true });
  await keepTo(`0-${last - 1}`);
  return { driver: ['taskset', '-c', `${last}`], end: () => keepTo(`0-${last}`) };
}
