// The trail of calls through the gateway: complete, without secrets, and no change of it goes unseen.
// Attack cases of the area audit.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Browser } from './lib/browser.mjs';
import { Gateway, USE } from './lib/gateway.mjs';
import { authorize, claims, machineToken, mcpOpen, mcpPost, post, redeem, refresh, register } from './lib/oauth.mjs';
import { Recorder } from './lib/recorder.mjs';
import { BUILD, PASSWORD, run } from './lib/world.mjs';

const CALLS = 10_000;
const SETTINGS = `
log_level: debug
upstreams:
  - path: /mcp
    url: UPSTREAM
    policy: p
    identity: jwt
    audit_arguments: true
    redact: [password, "nested.*.secret"]
policies:
  - name: p
    rules:
      - {name: pinging, tools: [ping_tool], scopes: ["${USE}"], initial: true}
      - {name: weather, tools: [weather], scopes: ["mcp:tools:weather"]}
`;
const call = (name, args = {}, id = 5) => ({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } });

let r;
let w;
let bearer;
before(async () => {
  r = await Recorder.start();
  w = await Gateway.start({ upstream: r.url, settings: SETTINGS, metrics: true });
  bearer = (await machineToken(w, await w.machineClient(USE))).body.access_token;
});
after(async () => {
  await w?.stop();
  await r?.stop();
});

const verify = (files, extra = []) => run(path.join(BUILD, 'warder'), ['audit', 'verify', ...extra, ...files]);

/** Calls n times over some connections. */
async function callMany(world, token, n, at = 32) {
  let left = n;
  await Promise.all(Array.from({ length: at }, async () => {
    while (left-- > 0) {
      const answer = await mcpPost(world.mcp, call('ping_tool', { n: left }), { bearer: token });
      assert.equal(answer.status, 200, answer.text);
    }
  }));
}

test('each call has its begin and its end, with who, what, why and how it went', async () => {
  const before = w.audit().length;
  const answer = await mcpPost(w.mcp, call('ping_tool', { city: 'Bonn', password: 'hunter2-secret', nested: { a: { secret: 'deep-secret', open: 'shown' } } }), { bearer });
  assert.equal(answer.status, 200);
  const [begin, end] = w.audit().slice(before);
  assert.equal(begin.event, 'call.begin');
  assert.equal(begin.decision, 'allow');
  assert.equal(begin.tool, 'ping_tool');
  assert.equal(begin.method, 'tools/call');
  assert.equal(begin.rule, 'pinging');
  assert.equal(begin.upstream, '/mcp');
  assert.equal(begin.resource, w.mcp);
  assert.equal(begin.issuer, w.issuer);
  assert.ok(begin.user && begin.client && begin.request_id);
  assert.match(JSON.stringify(begin), /Bonn/);
  assert.match(JSON.stringify(begin), /shown/);
  assert.doesNotMatch(JSON.stringify(begin), /hunter2|deep-secret/);
  assert.match(begin.arguments_hash ?? begin.arguments_sha256, /^[0-9a-f]{64}$/);
  assert.equal(end.event, 'call.end');
  assert.equal(end.request_id, begin.request_id);
  assert.equal(end.status, 200);
  assert.ok(end.bytes_out > 0 && end.bytes_in > 0 && end.duration_us > 0, JSON.stringify(end));
  const refusedAt = w.audit().length;
  const denied = await mcpPost(w.mcp, call('weather'), { bearer });
  assert.equal(denied.status, 403);
  const [refusal] = w.audit().slice(refusedAt);
  assert.equal(refusal.event, 'call.begin');
  assert.equal(refusal.decision, 'deny');
  assert.equal(refusal.rule, 'weather');
  assert.match(refusal.reason, /scope/);
});

const FORMATS = ['ocsf', 'cef', 'syslog', 'otlp'];

/** Whatever a text may look like in a log. */
function spellings(text) {
  const bytes = Buffer.from(text);
  return [text, bytes.toString('base64'), bytes.toString('base64url'), bytes.toString('hex'), encodeURIComponent(text), JSON.stringify(text).slice(1, -1)];
}

test('AUD-001 no secret in log, trail, what is exported of it, or metrics, after a whole flow with debug logging', async () => {
  const client = await register(w, { token_endpoint_auth_method: 'client_secret_basic' });
  const browser = new Browser(w.base);
  const granted = await authorize(w, client, { scope: USE, resource: w.mcp }, { browser });
  const first = (await redeem(w, client, granted, { resource: w.mcp })).body;
  const second = (await refresh(w, client, first.refresh_token)).body;
  const machine = await w.machineClient(USE);
  const session = await mcpOpen(w.mcp, second.access_token);
  r.forget();
  assert.equal((await mcpPost(w.mcp, call('ping_tool'), { bearer: second.access_token, headers: session.headers })).status, 200);
  const identity = r.seen[0].headers['x-warder-identity'];
  assert.match(identity, /^ey[\w-]+\.ey[\w-]+\.[\w-]+$/);
  const madeUp = 'a-made-up-token-that-looks-like-one';
  assert.equal((await mcpPost(w.mcp, call('ping_tool'), { bearer: madeUp })).status, 401);
  assert.equal((await refresh(w, client, first.refresh_token.replace(/.$/, 'x'))).status, 400);
  await post(w, 'revocation_endpoint', client, { token: second.refresh_token });
  const secrets = new Map(Object.entries({
    password: PASSWORD, 'client secret': client.client_secret, 'machine secret': machine.client_secret, 'machine token': (await machineToken(w, machine)).body.access_token,
    code: granted.code, verifier: granted.verifier, 'made-up token': madeUp, session: session.headers['mcp-session-id'], identity, 'signature of the identity': identity.split('.')[2],
    'audit key': readFileSync(path.join(w.data, 'audit-key.pem'), 'utf8').split('\n')[1],
  }));
  for (const [name, value] of browser.cookies) secrets.set(`cookie ${name}`, value);
  for (const [name, answer] of [['first', first], ['second', second]]) {
    secrets.set(`${name} access token`, answer.access_token);
    secrets.set(`${name} signature`, answer.access_token.split('.')[2]);
    secrets.set(`${name} refresh token`, answer.refresh_token);
  }
  const texts = new Map([['trail', w.auditText()], ['log', w.warder.err], ['metrics', await w.metrics()], ['verify', (await w.cli(['audit', 'verify'])).stdout]]);
  for (const format of FORMATS) texts.set(format, (await w.cli(['audit', 'export', '--format', format])).stdout);
  for (const [where, text] of texts) {
    assert.ok(text.length > 0, where);
    for (const [name, secret] of secrets) {
      assert.ok(secret?.length > 8, name);
      for (const one of spellings(secret)) assert.ok(!text.includes(one), `${name} is in the ${where}`);
    }
  }
  assert.ok(texts.get('trail').includes(client.client_id), 'what is no secret is there');
});

test('AUD-005 exactly one event for each decision, with who, which client, what and why', async () => {
  const since = w.audit().length;
  const client = await register(w);
  const granted = await authorize(w, client, { scope: USE, resource: w.mcp });
  const first = (await redeem(w, client, granted, { resource: w.mcp })).body;
  await refresh(w, client, first.refresh_token);
  assert.equal((await redeem(w, client, { ...granted, code: 'made-up' })).status, 400);
  assert.equal((await mcpPost(w.mcp, call('ping_tool'), { bearer: first.access_token })).status, 200);
  assert.equal((await mcpPost(w.mcp, call('weather'), { bearer: first.access_token })).status, 403);
  await post(w, 'revocation_endpoint', client, { token: first.access_token });
  await w.cli(['admin', 'key', 'rotate']);
  const events = w.audit().slice(since);
  const of = (event, decision) => events.filter((one) => one.event === event && (decision === undefined || one.decision === decision));
  const expected = [['client.registered', 'allow', 1], ['login', 'allow', 1], ['consent', 'allow', 1], ['token', 'allow', 2], ['token', 'deny', 1], ['call.begin', 'allow', 1],
    ['call.begin', 'deny', 1], ['call.end', undefined, 1], ['revoke', 'allow', 1], ['key.changed', 'allow', 1]];
  for (const [event, decision, n] of expected) assert.equal(of(event, decision).length, n, `${event} ${decision}`);
  assert.equal(events.length, expected.reduce((sum, [, , n]) => sum + n, 0), 'and none beside them');
  for (const one of events.filter((each) => !['key.changed', 'login', 'call.end'].includes(each.event))) {
    assert.equal(one.client, client.client_id, one.event);
    assert.ok(one.request_id && one.address, `${one.event} tells its request`);
  }
  for (const one of of('token', 'allow')) {
    assert.ok(one.user && one.resource === w.mcp && one.scope === USE && one.family && one.token, 'a token event is complete');
  }
  assert.equal(of('token', 'allow')[0].token, claims(first.access_token).jti, 'the jti, never the token');
  for (const one of [...of('token', 'deny'), ...of('call.begin', 'deny')]) assert.ok(one.reason, 'a refusal says why');
  const at = w.audit().length;
  await mcpPost(w.mcp, call('ping_tool'), {});
  assert.equal(w.audit().length, at + 1, 'a request without a token is one refusal');
});

describe(`AUD-003 tampering with the trail of ${CALLS} calls`, () => {
  let g;
  let dir;
  let key;
  let lines;
  before(async () => {
    g = await Gateway.start({ upstream: r.url, settings: SETTINGS.replace('log_level: debug\n', 'audit_checkpoint_interval: 1\n') });
    const machine = (await machineToken(g, await g.machineClient(USE))).body.access_token;
    await callMany(g, machine, CALLS);
    await g.stop({ keep: true });
    dir = mkdtempSync(path.join(os.tmpdir(), 'warder-trail-'));
    lines = g.auditText().split('\n').slice(0, -1);
    key = path.join(g.data, 'audit-key.pub.pem');
  });
  after(() => {
    if (dir) rmSync(dir, { recursive: true, force: true });
    if (g) rmSync(g.data, { recursive: true, force: true });
  });

  const check = async (list, ...options) => {
    const file = path.join(dir, 'audit.log');
    writeFileSync(file, list.map((line) => `${line}\n`).join(''));
    return verify([file], ['--public-key', key, ...options]);
  };
  const bend = (line) => line.replace(/"(request_id|user|time)":"(.)/, (all, name, c) => `"${name}":"${c === '1' ? '2' : '1'}`);
  /** Right hashes from line `at` on, as whoever has no audit key can make them. */
  const rehash = (list, at) => {
    const out = list.slice(0, at + 1);
    for (const line of list.slice(at + 1)) {
      const prev = createHash('sha256').update(`${out.at(-1)}\n`).digest('hex');
      out.push(line.replace(/"prev":"[0-9a-f]{64}"/, `"prev":"${prev}"`));
    }
    return out;
  };

  test('as it is: it holds, with nothing but the public key', async () => {
    assert.ok(lines.length >= 2 * CALLS, `${lines.length} lines`);
    const answer = await check(lines, '--closed');
    assert.equal(answer.code, 0, answer.stdout + answer.stderr);
    assert.match(answer.stdout, /^the chain holds/);
    assert.match(answer.stdout, /^signed: up to \d+/m);
  });

  // Lines are counted from one; a line that was changed is found by the one behind it.
  const ATTACKS = {
    'one byte changed': (at) => [lines.with(at, bend(lines[at])), `line ${at + 2}: prev_mismatch`],
    'one line removed': (at) => [lines.toSpliced(at, 1), `line ${at + 1}: sequence_gap`],
    'two lines swapped': (at) => [lines.with(at, lines[at + 1]).with(at + 1, lines[at]), `line ${at + 1}: sequence_gap`],
    'a line twice': (at) => [lines.toSpliced(at, 0, lines[at]), `line ${at + 2}: sequence_back`],
    'the tail cut off': () => [lines.slice(0, -40), `line ${lines.length - 40}: unproven`],
    'the last checkpoint cut off': () => [lines.slice(0, -1), `line ${lines.length - 1}: unproven`],
    'changed and rewritten with right hashes': (at) => [rehash(lines.with(at, bend(lines[at])), at), 'checkpoint_malformed'],
  };
  for (const [name, attack] of Object.entries(ATTACKS)) {
    test(`${name}: the place is named`, async () => {
      const [list, says] = attack(lines.findIndex((line, i) => i > lines.length / 2 && line.includes('"event":"call.begin"')));
      assert.notDeepEqual(list, lines);
      const answer = await check(list, '--closed');
      assert.equal(answer.code, 4, answer.stdout);
      assert.ok(answer.stderr.includes(says), `${says}: ${answer.stderr}`);
    });
  }
});

test('AUD-004 the trail cannot be written: calls stop, the gateway says so, nothing is lost', async () => {
  const g = await Gateway.start({ upstream: r.url, settings: SETTINGS.replace('log_level: debug\n', ''), wrap: ['prlimit', '--fsize=400000:400000'], metrics: true });
  try {
    const machine = (await machineToken(g, await g.machineClient(USE))).body.access_token;
    const before = r.calls('ping_tool').length;
    let served = 0;
    let last;
    for (let i = 0; i < 3000; i++) {
      last = await mcpPost(g.mcp, call('ping_tool', { pad: 'p'.repeat(500) }), { bearer: machine });
      if (last.status !== 200) break;
      served++;
    }
    assert.equal(last.status, 503, `after ${served} calls: ${last.status} ${last.text}`);
    assert.equal(g.warder.exited, null, 'it lives');
    assert.ok(served > 50);
    const ends = g.audit().filter((one) => one.event === 'call.end').length;
    assert.ok(ends >= served, `${served} answered, ${ends} in the trail`);
    assert.ok(r.calls('ping_tool').length - before <= served + 1);
    assert.match(g.warder.err, /audit|trail/i);
    const metrics = await g.metrics();
    assert.match(metrics, /warder_audit_\w*fail\w* [1-9]/);
  } finally {
    await g.stop();
  }
});
