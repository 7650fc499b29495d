#!/usr/bin/env node
// The launcher's command line. One command per line of `usage`; each lives in a file of its own.
import { bench, benchDocs } from './bench/command.mjs';
import { resetDemo, stopDemo } from './leave.mjs';
import { runDemo } from './run.mjs';
import { giveUp, Plain } from './say.mjs';
import { prepareForTests } from './tools.mjs';
import { withPostgres } from './with-postgres.mjs';

const usage = `Usage: node deploy/launch.mjs COMMAND
  run                                  build and serve the demo (see deploy/README.md for settings)
  stop                                 stop a Postgres that a killed run left behind
  reset                                stop it and delete the demo's data
  prepare-tests                        install what the tests need
  with-postgres [--fast] -- COMMAND    run COMMAND with a throwaway Postgres in TANDEM_TEST_PG
  bench [EXPERIMENT...] | -- ARGS      measure an optimised hub; with ARGS: the load tester once, told these
  bench-docs [--check]                 write docs/measurements.md from docs/measurements/*.json, or check that it says the same`;

/**
 * @param {string[]} args
 * @returns {Promise<number | void>} the exit status
 */
async function launch([command, ...rest]) {
  switch (command) {
    case 'run':
      return runDemo();
    case 'stop':
      return stopDemo();
    case 'reset':
      return resetDemo();
    case 'prepare-tests':
      return prepareForTests();
    case 'with-postgres':
      return withPostgres(...splitCommand(rest));
    case 'bench':
      return bench(rest);
    case 'bench-docs':
      return benchDocs(rest);
    case undefined:
    case 'help':
    case '--help':
      process.stdout.write(`${usage}\n`);
      return 0;
    default:
      throw new Plain(`There is no command "${command}".\n${usage}`, 2);
  }
}

/**
 * @param {string[]} args
 * @returns {[string[], { isFast: boolean }]}
 */
function splitCommand(args) {
  const border = args.indexOf('--');
  const options = border < 0 ? args : args.slice(0, border);
  const command = border < 0 ? [] : args.slice(border + 1);
  const unknown = options.find((option) => option !== '--fast');
  if (unknown || command.length === 0) throw new Plain(`with-postgres wants: [--fast] -- COMMAND${unknown ? `; it does not know "${unknown}"` : ''}`, 2);
  return [command, { isFast: options.includes('--fast') }];
}

try {
  process.exitCode = (await launch(process.argv.slice(2))) ?? 0;
} catch (error) {
  giveUp(error);
}
