// A flow against the binaries that watch themselves; test/sanitised/run has all of them.
// attack case: OPS-017
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ROOT, run } from './lib/world.mjs';

const built = existsSync(path.join(ROOT, 'build-test/warder'));

test('signing in, refreshing and revoking leave no report of a sanitizer', { skip: built ? false : 'no build-test: script/make test' }, async () => {
  // A runner inside a runner would report to the outer one.
  const answer = await run(path.join(ROOT, 'test/sanitised/run'), ['asan', 'account.test.mjs'], { env: { NODE_TEST_CONTEXT: undefined } });
  assert.equal(answer.code, 0, answer.stdout.slice(-4000) + answer.stderr.slice(-4000));
  assert.match(answer.stdout, /^0 reports$/m);
  assert.match(answer.stdout, /^ℹ pass [1-9]/m);
});
