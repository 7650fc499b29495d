// Words for the person at the terminal: progress lines, and failures that say what to do.

/** A failure that needs no stack trace: its message is meant for the user. */
export class Plain extends Error {
  /**
   * @param {string} message what went wrong and what to do about it
   * @param {number} [exitCode]
   */
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** @param {string} line progress goes to stderr, so that a wrapped command keeps its stdout */
export function say(line) {
  process.stderr.write(`tandem  ${line}\n`);
}

/**
 * Runs `work` and reports how long it took.
 * @template T
 * @param {string} what
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function timed(what, work) {
  say(`${what} ...`);
  const startedMs = Date.now();
  const result = await work();
  say(`${what}: done in ${((Date.now() - startedMs) / 1000).toFixed(1)} s`);
  return result;
}

/**
 * Ends the process after a failure: plain words for what we foresaw, a stack for what we did not.
 * @param {unknown} error
 */
export function giveUp(error) {
  if (error instanceof Plain) {
    process.stderr.write(`\ntandem  ${error.message.replaceAll('\n', '\n        ')}\n`);
    process.exitCode = error.exitCode;
    return;
  }
  process.stderr.write(`\ntandem  unexpected: ${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
}
