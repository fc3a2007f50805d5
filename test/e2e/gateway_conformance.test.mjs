// The official suite's server mode through the gateway: token → gateway → a server of everything. It
// must be as green as without the gateway, in both eras, over HTTP and with a child process.
import assert from 'node:assert/strict';
import { after, describe, before, test } from 'node:test';
import { Gateway, STDIO, USE } from './lib/gateway.mjs';
import { injector } from './lib/injector.mjs';
import { machineToken } from './lib/oauth.mjs';
import { runSuite, scenarios } from './lib/suite.mjs';

const REQUIREMENTS = ['2025-11-25', '2026-07-28'];
// Each scenario opens a session of its own.
const STDIO_SETTINGS = `
upstreams:
  - path: /mcp
    command: ${JSON.stringify(STDIO)}
    child: {starts_per_minute: 1200, environment: ["NODE_COMPILE_CACHE=${process.env.NODE_COMPILE_CACHE ?? ''}"]}
`;
const direct = new Map();

function serverMode(url, requirements) {
  return runSuite(['server', '--url', url, '--requirements', requirements]);
}

// A child starts for each session, and whoever waits for it leaves the other processor to others.
describe('conformance suite through the gateway', { concurrency: 2 }, () => {
  for (const upstream of [undefined, 'stdio']) {
    describe(`${upstream ?? 'http'} upstream`, { concurrency: 1 }, () => {
      let w;
      let proxy;
      before(async () => {
        w = await Gateway.start(upstream ? { upstream, settings: STDIO_SETTINGS } : {});
        const machine = await w.machineClient(USE);
        proxy = await injector(w.port, (await machineToken(w, machine)).body.access_token);
      });
      after(async () => {
        proxy?.stop();
        await w?.stop();
      });

      for (const requirements of REQUIREMENTS) {
        test(`all that ${requirements} requires`, { timeout: 120_000 }, async () => {
          if (!upstream) direct.set(requirements, scenarios((await serverMode(w.everything.url, requirements)).text));
          const { code, text } = await serverMode(`http://localhost:${proxy.port}/mcp`, requirements);
          const seen = scenarios(text);
          const worse = [...(upstream ? seen : direct.get(requirements))]
            .filter(([name, { passed, failed }]) => !(seen.get(name)?.passed >= passed && seen.get(name)?.failed <= failed))
            .map(([name, without]) => `${name}: without ${JSON.stringify(without)}, with ${JSON.stringify(seen.get(name))}`);
          assert.equal(code, 0, text.slice(text.indexOf('=== SUMMARY')));
          assert.ok(seen.size >= 30, `${seen.size} scenarios ran`);
          if (!upstream) assert.deepEqual(worse, [], 'the gateway costs no check');
          console.log(text.match(/^Total: .*/m)?.[0]);
        });
      }
    });
  }
});
