// The official suite: its authorization-server mode, with a person played headlessly, and of its
// server mode what a server of tools with tools of its own can pass.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Browser } from './lib/browser.mjs';
import { machineToken, register } from './lib/oauth.mjs';
import { PASSWORD, World, freePort } from './lib/world.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const SUITE = path.join(here, 'node_modules/@modelcontextprotocol/conformance/dist/index.js');

let w;
before(async () => (w = await World.start()));
after(() => w?.stop());

/** Runs the suite; calls onUrl with the authorization URL that it prints. */
function runSuite(args, onUrl = async () => {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [SUITE, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    let asked = false;
    const hear = (chunk) => {
      text += chunk;
      const url = new RegExp(`${w.base}[^\\s"']*code_challenge=[^\\s"']*`).exec(text)?.[0];
      if (url && !asked && /\s$/.test(text)) {
        asked = true;
        onUrl(url).catch((error) => {
          child.kill();
          reject(error);
        });
      }
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, text }));
  });
}

// Public clients alone: where the metadata have the method none, the suite sends no secret.
for (const resource of [false, true]) {
  test(`conformance suite, authorization mode: 2 of 2 (${resource ? 'with' : 'without'} resource)`, { timeout: 60_000 }, async () => {
    const port = await freePort();
    const client = await register(w, { redirect_uris: [`http://127.0.0.1:${port}/callback`] });
    const args = ['authorization', '--url', w.issuer, '--client-id', client.client_id, '-p', String(port)];
    if (resource) args.push('--resource', w.mcp);
    const { code, text } = await runSuite(args, async (url) => {
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

/** Adds a token to each request, for the suite's server mode takes none; streams pass through. */
async function injector(port, token) {
  const server = http.createServer((request, response) => {
    const headers = { ...request.headers, authorization: `Bearer ${token}` };
    const up = http.request({ host: '127.0.0.1', port, path: request.url, method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    up.on('error', () => response.destroy());
    request.pipe(up);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

// The other scenarios call tools, prompts and resources of the suite's own example server.
const SERVER_SCENARIOS = ['server-initialize', 'server-session-lifecycle', 'ping', 'tools-list',
  'server-sse-multiple-streams', 'dns-rebinding-protection'];

test('conformance suite, server mode: life cycle, sessions, ping, tools/list, streams, DNS rebinding', { timeout: 60_000 }, async () => {
  const machine = await w.machineClient();
  const proxy = await injector(w.samplePort, (await machineToken(w, machine)).body.access_token);
  try {
    const url = `http://localhost:${proxy.address().port}/mcp`;
    for (const scenario of SERVER_SCENARIOS) {
      const { code, text } = await runSuite(['server', '--url', url, '--scenario', scenario, '--spec-version', '2025-11-25']);
      assert.equal(code, 0, `${scenario}: ${text}`);
      assert.match(text, /[1-9]\d*(\/\d+| passed)/, `${scenario} was exercised: ${text}`);
      assert.doesNotMatch(text, /[1-9]\d* warning|WARNING/, `${scenario}: ${text}`);
    }
  } finally {
    proxy.closeAllConnections();
    proxy.close();
  }
});
