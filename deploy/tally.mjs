#!/usr/bin/env node
// Adds up what the test runners themselves reported in a log: cargo test, node --test, vitest, Playwright.
// Usage: tally.mjs LOGFILE. Prints one line per runner and the sum as the last line.
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';

const RUNNERS = [
  { name: 'cargo test', passed: /^test result: \w+\. (\d+) passed/, failed: /^test result: \w+\. \d+ passed; (\d+) failed/ },
  { name: 'node --test', passed: /^(?:ℹ|#) pass (\d+)$/, failed: /^(?:ℹ|#) fail (\d+)$/ },
  { name: 'vitest', passed: /^\s+Tests\s.*?(\d+) passed/, failed: /^\s+Tests\s.*?(\d+) failed/ },
  { name: 'playwright', passed: /^\s+(\d+) passed \([\d.]+m?s?\)$/, failed: /^\s+(\d+) failed$/ },
];

/**
 * @param {string} log
 * @returns {{ name: string, passed: number, failed: number }[]} only runners that said something
 */
export function tally(log) {
  // eslint-disable-next-line no-control-regex
  const lines = log.replace(/\x1b\[[0-9;]*[A-Za-z]/g, '').split(/\r?\n/);
  return RUNNERS.flatMap(({ name, passed, failed }) => {
    const hits = lines.filter((line) => passed.test(line) || failed.test(line));
    return hits.length > 0 ? [{ name, passed: sum(hits, passed), failed: sum(hits, failed) }] : [];
  });
}

/**
 * @param {string[]} lines
 * @param {RegExp} pattern
 */
function sum(lines, pattern) {
  return lines.reduce((total, line) => total + Number(line.match(pattern)?.[1] ?? 0), 0);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const counts = tally(fs.readFileSync(process.argv[2], 'utf8'));
  for (const { name, passed, failed } of counts) console.log(`${name}: ${passed} passed, ${failed} failed`);
  const total = counts.reduce((sums, each) => ({ passed: sums.passed + each.passed, failed: sums.failed + each.failed }), { passed: 0, failed: 0 });
  if (counts.length === 0) console.log('no test runner got as far as reporting');
  else console.log(`${total.passed} passed, ${total.failed} failed`);
}
