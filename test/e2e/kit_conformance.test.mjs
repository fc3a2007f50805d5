// The official suite's server mode against a server in C on the kit: all that both revisions require,
// and all that there is besides.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Gateway, USE } from './lib/gateway.mjs';
import { injector } from './lib/injector.mjs';
import { kitProgram, startKit } from './lib/kit.mjs';
import { machineToken } from './lib/oauth.mjs';
import { runSuite, scenarios } from './lib/suite.mjs';
import { ROOT } from './lib/world.mjs';

/** revision -> the least that must have run and passed: a run of nothing is no success. */
const REQUIREMENTS = {
  '2025-11-25': { scenarios: 33, checks: 83 },
  '2026-07-28': { scenarios: 50, checks: 196 },
};

/** Scenarios of the whole suite that may fail, each with its reason. */
const EXCEPTIONS = {};

const counted = (seen, what) => [...seen.values()].reduce((sum, one) => sum + one[what], 0);

describe('conformance suite against the kit', { concurrency: 1 }, () => {
  let kit;
  before(async () => (kit = await startKit()));
  // Ends it, and looks for reports of sanitizers.
  after(() => kit?.stop());

  for (const [requirements, least] of Object.entries(REQUIREMENTS)) {
    test(`all that ${requirements} requires`, { timeout: 180_000 }, async () => {
      const { code, text } = await runSuite(['server', '--url', kit.url, '--requirements', requirements]);
      const seen = scenarios(text);
      assert.equal(code, 0, text.slice(text.indexOf('=== SUMMARY')));
      assert.ok(seen.size >= least.scenarios, `${seen.size} scenarios ran`);
      assert.ok(counted(seen, 'passed') >= least.checks, `${counted(seen, 'passed')} checks passed`);
      assert.equal(counted(seen, 'failed'), 0);
    });
  }

  test('all there is', { timeout: 180_000 }, async () => {
    const { text } = await runSuite(['server', '--url', kit.url, '--suite', 'all']);
    const seen = scenarios(text);
    const failed = [...seen].filter(([, one]) => one.failed > 0).map(([name]) => name).sort();
    assert.deepEqual(failed, Object.keys(EXCEPTIONS).sort(), text.slice(text.indexOf('=== SUMMARY')));
    assert.ok(seen.size >= 65, `${seen.size} scenarios ran`);
    assert.ok(counted(seen, 'passed') >= 233, `${counted(seen, 'passed')} checks passed`);
  });
});

/** The same server behind the gateway, by its URL and as a child on standard streams. */
const BEHIND = {
  http: (kit) => ({ upstream: kit.url }),
  'standard streams': () => ({
    upstream: 'stdio',
    settings: `
upstreams:
  - path: /mcp
    command: ${JSON.stringify([kitProgram(), '--stdio'])}
    child: {starts_per_minute: 1200}
`,
  }),
};

describe('conformance suite against the kit behind the gateway', { concurrency: 1 }, () => {
  for (const [how, options] of Object.entries(BEHIND)) {
    // The limit on a child's memory leaves no room for the shadow of a sanitizer.
    const skip = how === 'standard streams' && !kitProgram().startsWith(path.join(ROOT, 'build/')) && 'the program has sanitizers';
    test(`all that both revisions require, over ${how}`, { timeout: 180_000, skip }, async () => {
      const kit = await startKit();
      const w = await Gateway.start(options(kit));
      const proxy = await injector(w.port, (await machineToken(w, await w.machineClient(USE))).body.access_token);
      try {
        for (const [requirements, least] of Object.entries(REQUIREMENTS)) {
          const { code, text } = await runSuite(['server', '--url', `http://localhost:${proxy.port}/mcp`, '--requirements', requirements]);
          const seen = scenarios(text);
          assert.equal(code, 0, text.slice(text.indexOf('=== SUMMARY')));
          assert.ok(seen.size >= least.scenarios, `${seen.size} scenarios ran`);
          console.log(how, text.match(/^Total: .*/m)?.[0]);
        }
      } finally {
        proxy.stop();
        await w.stop();
        await kit.stop();
      }
    });
  }
});
