// The official suite: its authorization-server mode, with a person played headlessly, and of its
// server mode what a server of tools with tools of its own can pass.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser } from './lib/browser.mjs';
import { injector } from './lib/injector.mjs';
import { machineToken, register } from './lib/oauth.mjs';
import { runSuite } from './lib/suite.mjs';
import { PASSWORD, World, freePort } from './lib/world.mjs';

let w;
before(async () => (w = await World.start()));
after(() => w?.stop());

/** Runs the suite; calls onUrl once with the authorization URL that it prints. */
function runWithPerson(args, onUrl) {
  let asked = false;
  return runSuite(args, async (text) => {
    const url = new RegExp(`${w.base}[^\\s"']*code_challenge=[^\\s"']*`).exec(text)?.[0];
    if (!url || asked || !/\s$/.test(text)) return;
    asked = true;
    await onUrl(url);
  });
}

// Public clients alone: where the metadata have the method none, the suite sends no secret.
for (const resource of [false, true]) {
  test(`conformance suite, authorization mode: 2 of 2 (${resource ? 'with' : 'without'} resource)`, { timeout: 60_000 }, async () => {
    const port = await freePort();
    const client = await register(w, { redirect_uris: [`http://127.0.0.1:${port}/callback`] });
    const args = ['authorization', '--url', w.issuer, '--client-id', client.client_id, '-p', String(port)];
    if (resource) args.push('--resource', w.mcp);
    const { code, text } = await runWithPerson(args, async (url) => {
      const left = await new Browser(w.base).authorize(url, { user: 'alice', password: PASSWORD });
      await (await fetch(left)).text();
    });
    assert.equal(code, 0, text);
    assert.match(text, /authorization-server-metadata-endpoint/);
    assert.match(text, /authorization-code-grant/);
    assert.match(text, /Total: \d+ passed, 0 failed/, text);
    assert.doesNotMatch(text, /warning/i, text);
    assert.equal(text.match(/^✓ /gm).length, 2, text);
    console.log(text.trim().split('\n').slice(-8).join('\n'));
  });
}

// The other scenarios call tools, prompts and resources of the suite's own example server.
const SERVER_SCENARIOS = ['server-initialize', 'server-session-lifecycle', 'ping', 'tools-list',
  'server-sse-multiple-streams', 'dns-rebinding-protection'];

test('conformance suite, server mode: life cycle, sessions, ping, tools/list, streams, DNS rebinding', { timeout: 60_000 }, async () => {
  const machine = await w.machineClient();
  const proxy = await injector(w.samplePort, (await machineToken(w, machine)).body.access_token);
  try {
    const url = `http://localhost:${proxy.port}/mcp`;
    for (const scenario of SERVER_SCENARIOS) {
      const { code, text } = await runSuite(['server', '--url', url, '--scenario', scenario, '--spec-version', '2025-11-25']);
      assert.equal(code, 0, `${scenario}: ${text}`);
      assert.match(text, /[1-9]\d*(\/\d+| passed)/, `${scenario} was exercised: ${text}`);
      assert.doesNotMatch(text, /[1-9]\d* warning|WARNING/, `${scenario}: ${text}`);
    }
  } finally {
    proxy.stop();
  }
});
