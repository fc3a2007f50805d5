// The client's commands against servers and authorization servers that nobody here wrote: npm's
// oidc-provider, the demo server of SDK v1, and a server on SDK v2. Sign-in, call, refresh, step-up,
// logout.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import path from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { McpServer } from '@modelcontextprotocol/server';
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { ClientHome, followsRedirects } from './lib/client_home.mjs';
import { PeopleProvider, visits } from './lib/people_provider.mjs';
import { SmallMcp, jwtScope } from './lib/small_mcp.mjs';
import { freePort, sleep, unheld } from './lib/world.mjs';

const fresh = async (home, url, more = []) => {
  const answer = await home.run(['token', url, '--fresh', '--interactive', '--json', ...more]);
  assert.equal(answer.code, 0, answer.stderr);
  return answer.json;
};

describe('oidc-provider', () => {
  let provider;
  let server;
  let home;
  before(async () => {
    provider = await PeopleProvider.start('use write');
    server = await SmallMcp.start({ issuer: provider.issuer, scopes: { '': 'use', write: 'write' }, accepts: jwtScope(() => server.url) });
  });
  after(async () => {
    await server?.stop();
    await provider?.stop();
  });
  beforeEach(() => (home = new ClientHome({ visit: visits(provider.issuer) })));
  afterEach(() => home.remove());

  test('signs in and calls, with resource and a registration of its own', async () => {
    const kept = await fresh(home, server.url);
    assert.equal(kept.claims.aud, server.url);
    assert.equal(kept.issuer, provider.issuer);
    const { json } = await home.run(['call', server.url, 'echo', '{"text":"hello"}', '--json']);
    assert.equal(json.content[0].text, 'hello');
  });

  test('a token that is refused is refreshed, and nobody is asked', async () => {
    await fresh(home, server.url);
    const before = (await home.run(['token', server.url, '--secret'])).stdout;
    server.refuseAll();
    server.refused.add(before.trim());
    const answer = await home.run(['call', server.url, 'echo', '{"text":"again"}', '--json']);
    assert.equal(answer.code, 0, answer.stderr);
    assert.equal(home.visited.length, 1);
    assert.notEqual((await home.run(['token', server.url, '--secret'])).stdout, before);
  });

  test('a tool that needs more scope gets it, and what was there stays', async () => {
    await fresh(home, server.url);
    const answer = await home.run(['call', server.url, 'write', '--json', '--interactive']);
    assert.equal(answer.code, 0, answer.stderr);
    const { json } = await home.run(['token', server.url, '--json']);
    assert.deepEqual(json.scope.split(' ').filter((one) => ['use', 'write'].includes(one)).sort(), ['use', 'write']);
  });

  test('logout revokes at the provider', async () => {
    await fresh(home, server.url);
    const before = provider.count('grant.revoked');
    const left = await home.run(['logout', server.url, '--json']);
    assert.deepEqual([left.code, left.json], [0, { kept: true, revoked: true }], left.stderr);
    assert.ok(provider.count('grant.revoked') > before, 'the grant is gone there');
  });

  test('tokens bound to a key (DPoP)', async () => {
    const kept = await fresh(home, server.url, ['--dpop']);
    assert.ok(kept.claims.cnf.jkt);
    server.seen.length = 0;
    const { code, stderr } = await home.run(['call', server.url, 'echo', '{"text":"x"}', '--json', '--dpop']);
    assert.equal(code, 0, stderr);
    const sent = server.seen.filter(({ token }) => token);
    assert.ok(sent.length && sent.every(({ headers }) => /^DPoP /.test(headers.authorization) && headers.dpop));
    assert.equal(new Set(sent.map(({ headers }) => headers.dpop)).size, sent.length, 'a proof of its own each time');
  });
});

describe('the demo server of SDK v1', () => {
  const file = path.join(path.dirname(fileURLToPath(import.meta.url)), 'node_modules/@modelcontextprotocol/sdk/dist/esm/examples/server/simpleStreamableHttp.js');
  let child;
  let home;
  let url;
  before(async () => {
    const [mcp, auth] = [await freePort(), await freePort()];
    const { spawn } = await import('node:child_process');
    child = spawn(process.execPath, [file, '--oauth'], { env: { ...process.env, MCP_PORT: mcp, MCP_AUTH_PORT: auth }, stdio: 'ignore' });
    process.once('exit', () => child.kill('SIGKILL'));
    url = `http://localhost:${mcp}/mcp`;
    for (let i = 0; i < 400; i++) {
      if (await Promise.all([fetch(url), fetch(`http://localhost:${auth}/.well-known/oauth-authorization-server`)]).then(() => true, () => false)) break;
      await sleep(25);
    }
    home = new ClientHome({ visit: followsRedirects });
  });
  after(() => {
    child?.kill('SIGKILL');
    home?.remove();
  });

  test('signs in, calls, shows progress, and signs out', async () => {
    const kept = await fresh(home, url);
    assert.equal(kept.refreshes, false, 'that server gives none');
    const answer = await home.run(['call', url, 'greet', '{"name":"Ada"}', '--json']);
    assert.equal(answer.code, 0, answer.stderr);
    assert.match(answer.json.content[0].text, /Ada/);
    const tools = await home.run(['tools', url, '--json']);
    assert.ok(tools.json.length > 3);
    const left = await home.run(['logout', url]);
    assert.ok([0, 5].includes(left.code), left.stderr);
    assert.equal((await home.run(['token', url])).code, 4);
  });
});

describe('a server on SDK v2', () => {
  let provider;
  let server;
  let home;
  let url;
  before(async () => {
    provider = await PeopleProvider.start('use');
    server = createServer((request, response) => answer(request, response));
    await new Promise((resolve) => unheld(server).listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${server.address().port}`;
    url = `${origin}/mcp`;
    home = new ClientHome({ visit: visits(provider.issuer) });

    async function answer(request, response) {
      if (request.url === '/.well-known/oauth-protected-resource/mcp') {
        response.writeHead(200, { 'content-type': 'application/json' });
        return response.end(JSON.stringify({ resource: url, authorization_servers: [provider.issuer], scopes_supported: ['use'] }));
      }
      if (request.url !== '/mcp') return response.writeHead(404).end();
      const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
      if (!token || !jwtScope(() => url)(token)) {
        response.writeHead(401, { 'www-authenticate': `Bearer resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp"` });
        return response.end();
      }
      const mcp = new McpServer({ name: 'v2', version: '1' });
      mcp.registerTool('hello', { description: 'Greets' }, async () => ({ content: [{ type: 'text', text: 'hello from v2' }] }));
      const transport = new NodeStreamableHTTPServerTransport({ sessionIdGenerator: undefined });
      response.on('close', () => mcp.close());
      await mcp.connect(transport);
      return transport.handleRequest(request, response);
    }
  });
  after(async () => {
    home?.remove();
    server?.closeAllConnections();
    server?.close();
    await provider?.stop();
  });

  test('signs in by its metadata, without scope in the challenge, and calls', async () => {
    const kept = await fresh(home, url);
    assert.match(kept.scope, /\buse\b/);
    const answer = await home.run(['call', url, 'hello', '--json']);
    assert.equal(answer.code, 0, answer.stderr);
    assert.equal(answer.json.content[0].text, 'hello from v2');
  });

  test('refreshes, and signs out', async () => {
    await fresh(home, url);
    const left = await home.run(['logout', url, '--json']);
    assert.deepEqual(left.json, { kept: true, revoked: true });
  });
});
