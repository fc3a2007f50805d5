// The official suite's client mode against a program on the library's client (test/conformance/client):
// all that both revisions require, the extensions, and what servers of 2025-03-26 need.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { clientScenarios, runSuite } from './lib/suite.mjs';
import { BUILD, ROOT } from './lib/world.mjs';

const NAME = 'warder-conformance-client';

/** Arguments of a run -> what must have run and passed: a run of nothing is no success. */
const RUNS = {
  '--requirements 2025-11-25': { scenarios: 25, checks: 316 },
  '--requirements 2026-07-28': { scenarios: 39, checks: 481 },
  '--suite extensions': { scenarios: 6, checks: 59 },
  '--suite backcompat': { scenarios: 2, checks: 19 },
};

/** Scenarios that may fail, each with its reason. */
const EXCEPTIONS = {};

const counted = (seen, what) => [...seen.values()].reduce((sum, one) => sum + one[what], 0);

/** The program: of the build under test, or of the one with sanitizers. */
function program() {
  const found = [BUILD, path.join(ROOT, 'build-test')].map((folder) => path.join(folder, NAME)).find(existsSync);
  if (!found) throw new Error(`there is no ${NAME}: script/make test ${NAME} builds it`);
  return found;
}

describe('conformance suite against the client', { concurrency: 1 }, () => {
  const runs = Object.entries(RUNS).flatMap(([what, least]) => [[what, least, ''], [what, least, ' --any-era']]);
  for (const [what, least, how] of runs) {
    // The era is given, or the client finds it out: a probe more, and the same checks.
    test(what + how, { timeout: 180_000 }, async () => {
      const command = program() + how;
      const { code, text } = await runSuite(['client', '--command', command, '--timeout', '60000', ...what.split(' ')]);
      const seen = clientScenarios(text);
      const failed = [...seen].filter(([, one]) => one.failed > 0).map(([name]) => name).sort();
      const summary = text.slice(text.indexOf('=== SUITE SUMMARY'));
      assert.deepEqual(failed, Object.keys(EXCEPTIONS).sort(), summary);
      assert.equal(code, 0, summary);
      assert.equal(seen.size, least.scenarios, `${seen.size} scenarios ran`);
      assert.ok(counted(seen, 'passed') >= least.checks, `${counted(seen, 'passed')} checks passed`);
      // A scenario that was not exercised reports neither.
      const idle = [...seen].filter(([, one]) => one.passed === 0).map(([name]) => name);
      assert.deepEqual(idle, [], 'scenarios without a check');
      assert.doesNotMatch(text, /ERROR: \w+Sanitizer|runtime error:/, 'no report of a sanitizer');
    });
  }
});
