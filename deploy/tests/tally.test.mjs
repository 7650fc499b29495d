// The sum at the end of a build: only what runners said, no file counts, no colours in the way.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tally } from '../tally.mjs';

test('the runners are added up', () => {
  const log = `
test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s
test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s
ℹ tests 9
ℹ pass 8
ℹ fail 1
 Test Files  1 failed | 3 passed (4)
\x1b[2m      Tests \x1b[22m 1 failed | 20 passed (21)
  2 failed
  5 passed (30.2s)
`;
  assert.deepEqual(tally(log), [
    { name: 'cargo test', passed: 15, failed: 2 },
    { name: 'node --test', passed: 8, failed: 1 },
    { name: 'vitest', passed: 20, failed: 1 },
    { name: 'playwright', passed: 5, failed: 2 },
  ]);
});

test('silence counts for nothing', () => {
  assert.deepEqual(tally('building 3 passed along\n'), []);
});
