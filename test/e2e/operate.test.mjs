// Running the gateway: settings that change under load, TLS, health, metrics.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import tls from 'node:tls';
import { Gateway, STDIO } from './lib/gateway.mjs';
import { freePort, sleep, start, stop, BUILD, run } from './lib/world.mjs';

const RELOADS = 50;

/** An MCP server that answers every call at once. */
function upstream() {
  const server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      const { id } = JSON.parse(body || '{}');
      const answer = JSON.stringify({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: 'done' }] } });
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(answer) });
      response.end(answer);
    });
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

const CALL = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: {} } });
const HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

function call(w, token, where = '/mcp') {
  return fetch(`${w.base}${where}`, { method: 'POST', headers: { ...HEADERS, authorization: `Bearer ${token}` }, body: CALL });
}

async function token(w, client, resource = `${w.base}/mcp`, scope = 'mcp:use') {
  const answer = await fetch(`${w.base}/token`, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: `Basic ${Buffer.from(`${client.client_id}:${client.client_secret}`).toString('base64')}`,
    },
    body: String(new URLSearchParams({ grant_type: 'client_credentials', scope, resource })),
  });
  assert.equal(answer.status, 200, await answer.clone().text());
  return (await answer.json()).access_token;
}

const settings = (more = '', level = 'info') => `
log_level: ${level}
policies:
  - name: all
    default: {scopes: [mcp:use]}
    rules: []
upstreams:
  - path: /mcp
    url: UPSTREAM
    policy: all
${more}`;

let server;
let w;
before(async () => {
  server = await upstream();
  const url = `http://127.0.0.1:${server.address().port}/mcp`;
  w = await Gateway.start({ upstream: url, settings: settings() });
});
after(async () => {
  try {
    await w?.stop();
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('fifty reloads under load fail no call', { timeout: 120_000 }, async () => {
  const client = await w.machineClient('mcp:use');
  const bearer = await token(w, client);
  let going = true;
  const statuses = {};
  const callers = Array.from({ length: 8 }, async () => {
    while (going) {
      const status = await call(w, bearer).then((answer) => answer.text().then(() => answer.status), (error) => `${error.cause ?? error}`);
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
  });
  for (let i = 0; i < RELOADS; i++) {
    const extra = i % 2 ? `  - path: /other${i}\n    url: UPSTREAM\n` : '';
    assert.match(await w.reload(settings(extra, i % 3 ? 'info' : 'debug')), /loaded anew/);
  }
  going = false;
  await Promise.all(callers);
  assert.deepEqual(Object.keys(statuses), ['200'], JSON.stringify(statuses));
  assert.ok(statuses[200] > RELOADS, JSON.stringify(statuses));
  const loaded = w.audit().filter((e) => e.event === 'settings' && e.decision === 'allow');
  assert.equal(loaded.length, RELOADS);
});

test('an invalid file changes nothing and says why', async () => {
  const bearer = await token(w, await w.machineClient('mcp:use'));
  await w.reload(settings());
  const said = await w.reload(settings('  - path: /token\n    url: UPSTREAM\n'));
  assert.match(said, /refused and nothing has changed/);
  assert.match(said, /choose another/);
  assert.equal((await call(w, bearer)).status, 200);
  assert.match(await w.reload('upstreams: [{path: /mcp}]'), /either url or command/);
  assert.match(await w.reload('no_such_setting: 1'), /there is no setting/);
  assert.equal((await call(w, bearer)).status, 200);
  const event = w.audit().findLast((e) => e.event === 'settings');
  assert.equal(event.decision, 'deny');
  assert.match(event.detail, /there is no setting/);
  assert.match(await w.reload(settings()), /loaded anew/);
});

test('a new upstream, its scopes and its policy are there at once', async () => {
  const more = `  - path: /second
    url: UPSTREAM
    name: Second
    policy: two
    scopes: {"second:use": "Use the second one"}
`;
  const text = settings(more).replace('    rules: []\n', `    rules: []
  - name: two
    default: {scopes: ["second:use"]}
    rules:
      - {name: never, deny: true, tools: [forbidden]}
`);
  assert.match(await w.reload(text), /loaded anew/);
  const prm = await (await fetch(`${w.base}/.well-known/oauth-protected-resource/second`)).json();
  assert.equal(prm.resource, `${w.base}/second`);
  assert.deepEqual(prm.scopes_supported, ['second:use']);
  const client = await w.machineClient('second:use');
  const bearer = await token(w, client, `${w.base}/second`, 'second:use');
  assert.equal((await call(w, bearer, '/second')).status, 200);
  assert.equal((await call(w, bearer)).status, 401, 'a token for another resource');
  await w.reload(settings());
  assert.equal((await call(w, bearer, '/second')).status, 404);
});

test('a session of a command outlives a reload, until its own settings change', async () => {
  const child = (more = '') => settings(`  - path: /child\n    command: ${JSON.stringify(STDIO)}\n    policy: all\n${more}`);
  assert.match(await w.reload(child()), /loaded anew/);
  const bearer = await token(w, await w.machineClient('mcp:use'), `${w.base}/child`);
  const say = (message, more) => fetch(`${w.base}/child`, {
    method: 'POST', headers: { ...HEADERS, ...more, authorization: `Bearer ${bearer}` }, body: JSON.stringify({ jsonrpc: '2.0', ...message }),
  });
  const opened = await say({ id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } } });
  assert.equal(opened.status, 200, await opened.clone().text());
  await opened.text();
  const session = { 'mcp-session-id': opened.headers.get('mcp-session-id'), 'mcp-protocol-version': '2025-11-25' };
  const ping = () => say({ id: 2, method: 'ping' }, session).then((answer) => answer.text().then(() => answer.status));
  const stopped = () => w.audit().filter((e) => e.event === 'upstream' && e.reason === 'child_stopped').length;
  assert.equal(await ping(), 200);
  const before = stopped();
  assert.match(await w.reload(child('  - path: /more\n    url: UPSTREAM\n').replace('policies:', '# another word\npolicies:')), /loaded anew/);
  assert.equal(await ping(), 200);
  assert.equal(stopped(), before);
  assert.match(await w.reload(child('    child: {environment: ["A=b"]}\n')), /loaded anew/);
  assert.equal(await ping(), 404);
  await w.reload(settings());
});

test('what needs a restart is named and keeps its value', async () => {
  const said = await w.reload(`${settings()}access_token_lifetime: 61\n`);
  assert.match(said, /needs a restart/);
  assert.match(said, /access_token_lifetime/);
  const event = w.audit().findLast((e) => e.event === 'settings');
  assert.match(event.detail, /a restart is needed for access_token_lifetime/);
  await w.reload(settings());
});

test('ready says which part fails, and nothing more', async () => {
  const lonely = await Gateway.start({ upstream: 'http://127.0.0.1:9/mcp', users: [] });
  try {
    let answer;
    for (let i = 0; i < 40; i++) {
      answer = await fetch(`${lonely.base}/readyz`);
      if (answer.status === 200) break;
      await answer.text();
      await sleep(100);
    }
    assert.equal(answer.status, 200, 'ready until somebody has found the upstream away');
    const bearer = await token(lonely, await lonely.machineClient('mcp:use'));
    assert.equal((await call(lonely, bearer)).status, 502);
    await sleep(1100);
    answer = await fetch(`${lonely.base}/readyz`);
    assert.equal(answer.status, 503);
    assert.deepEqual(await answer.json(), { status: 'unavailable', failed: ['upstreams'] });
    assert.equal((await fetch(`${lonely.base}/healthz`)).status, 200);
  } finally {
    await lonely.stop();
  }
});

test('metrics have a listener of their own', async () => {
  assert.equal((await fetch(`${w.base}/metrics`)).status, 404);
  const port = await freePort();
  const own = await Gateway.start({
    upstream: w.upstream, settings: settings(), args: ['--metrics-listen', `127.0.0.1:${port}`], users: [],
  });
  try {
    const bearer = await token(own, await own.machineClient('mcp:use'));
    for (let i = 0; i < 5; i++) assert.equal((await call(own, bearer)).status, 200);
    assert.equal((await call(own, 'nonsense')).status, 401);
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
    assert.match(answer.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
    const text = await answer.text();
    assert.match(text, /^warder_tokens_issued_total 1$/m);
    assert.match(text, /^warder_messages_total\{decision="allow"\} 5$/m);
    assert.match(text, /^warder_upstream_requests_total\{outcome="done"\} 5$/m);
    assert.match(text, /^warder_refusals_total\{reason="jws_parts"\} 1$/m);
    assert.match(text, /^warder_http_requests_total\{route="\/token",status="2xx"\} 1$/m);
    assert.match(text, /^warder_http_requests_total\{route="\/mcp",status="2xx"\} 5$/m);
    assert.match(text, /^warder_audit_failures_total 0$/m);
    assert.match(text, /^warder_upstream_ready\{path="[^"]*mcp"\} 1$/m);
    assert.doesNotMatch(text, /echo/, 'names of tools are no labels');
    for (const line of text.split('\n').filter(Boolean))
      assert.match(line, /^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{([a-z]+="[^"]*",?)+\})? [-0-9.]+)$/, line);
    assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200);
    assert.equal((await fetch(`http://127.0.0.1:${port}/token`)).status, 404);
  } finally {
    await own.stop();
  }
});

/** The common name that a new connection is shown. */
function shown(port) {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().subject.CN);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

function get(port, at, agent) {
  return new Promise((resolve, reject) => {
    https.get({ port, host: '127.0.0.1', path: at, rejectUnauthorized: false, agent }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode));
    }).on('error', reject);
  });
}

test('certificates are taken anew without a restart', async () => {
  const dir = w.data;
  const file = (name) => path.join(dir, name);
  const make = (cn) => execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
    '-keyout', file(`${cn}.key`), '-out', file(`${cn}.pem`), '-days', '2', '-subj', `/CN=${cn}`], { stdio: 'ignore' });
  make('first');
  make('second');
  copyFileSync(file('first.pem'), file('now.pem'));
  copyFileSync(file('first.key'), file('now.key'));
  execFileSync('chmod', ['600', file('now.key')]);
  const port = await freePort();
  const data = path.join(dir, 'tls');
  const args = ['serve', '--listen', `127.0.0.1:${port}`, '--data', data, '--upstream', w.upstream,
    '--tls-certificate', file('now.pem'), '--tls-key-file', file('now.key')];
  const warder = await start(path.join(BUILD, 'warder'), args, { env: w.env, data: dir, name: 'tls' });
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
  try {
    assert.equal(warder.url, `https://127.0.0.1:${port}`);
    assert.equal(await shown(port), 'first');
    assert.equal(await get(port, '/healthz', agent), 200);
    copyFileSync(file('second.pem'), file('now.pem'));
    copyFileSync(file('second.key'), file('now.key'));
    warder.child.kill('SIGHUP');
    for (let i = 0; i < 1500 && !/loaded anew/.test(warder.err); i++) await sleep(20);
    assert.equal(await shown(port), 'second');
    assert.equal(await get(port, '/healthz', agent), 200, 'an open connection goes on');
    copyFileSync(file('first.key'), file('now.key'));
    warder.child.kill('SIGHUP');
    for (let i = 0; i < 1500 && !/refused/.test(warder.err); i++) await sleep(20);
    assert.match(warder.err, /nothing has changed/);
    assert.equal(await shown(port), 'second');
  } finally {
    agent.destroy();
    await stop(warder);
  }
  execFileSync('chmod', ['644', file('now.key')]);
  const refused = await run(path.join(BUILD, 'warder'), args);
  assert.equal(refused.code, 3);
  assert.match(refused.stderr, /others can use the TLS key/);
});

test('the log at the start says that clients need a token to register, where nobody chose that', async () => {
  const said = async (args) => {
    const data = mkdtempSync(path.join(os.tmpdir(), 'warder-registration-'));
    const server = await start(path.join(BUILD, 'warder'), ['serve', '--listen', '127.0.0.1:0', '--data', data, ...args], { data, name: 'warder' });
    for (let i = 0; i < 40 && !/need a token to register/.test(server.err); i++) await sleep(25);
    await stop(server);
    rmSync(data, { recursive: true, force: true });
    return /need a token to register.*registration: open/.test(server.err);
  };
  assert.equal(await said(['--public-url', 'https://as.example']), true);
  assert.equal(await said(['--public-url', 'https://as.example', '--registration', 'token']), false);
  assert.equal(await said([]), false);
});
