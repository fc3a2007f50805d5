// The trail of calls through the gateway: complete, without secrets, and no change of it goes unseen.
// Attack cases of the area audit.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Gateway, USE } from './lib/gateway.mjs';
import { authorize, machineToken, mcpOpen, mcpPost, redeem, refresh, register, signIn, token } from './lib/oauth.mjs';
import { Recorder } from './lib/recorder.mjs';
import { BUILD, PASSWORD, run, sleep } from './lib/world.mjs';

const CALLS = Number(process.env.WARDER_AUDIT_CALLS ?? 10_000);
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

test('AUD-001 no secret in log, trail or metrics after a whole flow with debug logging', async () => {
  const client = await register(w, { token_endpoint_auth_method: 'client_secret_basic' });
  const granted = await authorize(w, client, { scope: USE, resource: w.mcp });
  const first = await redeem(w, client, granted, { resource: w.mcp });
  const second = await refresh(w, client, first.body.refresh_token);
  const session = await mcpOpen(w.mcp, second.body.access_token);
  assert.equal((await mcpPost(w.mcp, call('ping_tool'), { bearer: second.body.access_token, headers: session.headers })).status, 200);
  await mcpPost(w.mcp, call('ping_tool'), { bearer: 'a-made-up-token-that-looks-like-one' });
  const identity = r.seen.at(-1).raw.find((value) => /^ey[\w-]+\.ey[\w-]+\.[\w-]+$/.test(value));
  const secrets = {
    password: PASSWORD, client_secret: client.client_secret, code: granted.code, verifier: granted.verifier, refused: 'a-made-up-token-that-looks-like-one',
    access: first.body.access_token, refresh: first.body.refresh_token, access2: second.body.access_token, refresh2: second.body.refresh_token,
    signature: second.body.access_token.split('.')[2], session: session.headers['mcp-session-id'], ...(identity ? { identity } : {}),
  };
  const metrics = await w.metrics();
  for (const [name, secret] of Object.entries(secrets)) {
    for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64'), JSON.stringify(secret).slice(1, -1)]) {
      for (const [where, text] of [['log', w.warder.err], ['trail', w.auditText()], ['metrics', metrics]]) {
        assert.ok(!text.includes(form), `${name} is in the ${where}`);
      }
    }
  }
});

test('AUD-005 each grant, refusal, consent, revocation and call has exactly one event of its kind', async () => {
  const since = () => w.audit().length;
  const events = (from, kind) => w.audit().slice(from).filter((one) => one.event === kind);
  let at = since();
  const client = await register(w);
  assert.equal(events(at, 'client.registered').length, 1);
  at = since();
  const tokens = await signIn(w, client, { scope: USE, resource: w.mcp });
  for (const kind of ['login', 'consent', 'token']) assert.equal(events(at, kind).length, 1, kind);
  const [issued] = events(at, 'token');
  assert.equal(issued.client, client.client_id);
  assert.equal(issued.resource, w.mcp);
  assert.equal(issued.decision, 'allow');
  at = since();
  await token(w, client, { grant_type: 'authorization_code', code: 'nothing', code_verifier: 'v'.repeat(43), redirect_uri: client.redirect_uris[0] });
  assert.equal(events(at, 'token').filter((one) => one.decision === 'deny').length, 1);
  at = since();
  await mcpPost(w.mcp, call('ping_tool'), { bearer: tokens.access_token });
  assert.equal(events(at, 'call.begin').length, 1);
  assert.equal(events(at, 'call.end').length, 1);
  at = since();
  await mcpPost(w.mcp, call('ping_tool'), {});
  assert.equal(w.audit().slice(at).length, 1, 'a request without a token is one refusal');
  at = since();
  await w.cli(['admin', 'key', 'rotate']);
  assert.ok(events(at, 'key.changed').length >= 1);
  assert.ok(!w.auditText().includes(tokens.access_token));
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

  const verifyLines = (list) => {
    const file = path.join(dir, 'audit.log');
    writeFileSync(file, list.map((line) => `${line}\n`).join(''));
    return verify([file], ['--public-key', key]);
  };
  const middle = () => Math.floor(lines.length / 2);

  test('as it is: it holds, with nothing but the public key', async () => {
    assert.ok(lines.length >= 2 * CALLS, `${lines.length} lines`);
    const answer = await verifyLines(lines);
    assert.equal(answer.code, 0, answer.stdout + answer.stderr);
    assert.match(answer.stdout, /checkpoint/i);
  });

  test('one byte changed: the place is named', async () => {
    const at = middle();
    const list = [...lines];
    list[at] = list[at].replace(/"(request_id|user|time)":"(.)/, (all, name, c) => `"${name}":"${c === '1' ? '2' : '1'}`);
    assert.notEqual(list[at], lines[at]);
    const answer = await verifyLines(list);
    assert.equal(answer.code, 4, answer.stdout);
    assert.match(answer.stdout + answer.stderr, new RegExp(`\\b(${at + 1}|${at + 2})\\b`));
  });

  test('one line removed: the place is named', async () => {
    const at = middle();
    const answer = await verifyLines([...lines.slice(0, at), ...lines.slice(at + 1)]);
    assert.equal(answer.code, 4, answer.stdout);
    assert.match(answer.stdout + answer.stderr, new RegExp(`\\b${at + 1}\\b`));
  });

  test('two lines swapped: the place is named', async () => {
    const at = middle();
    const list = [...lines];
    [list[at], list[at + 1]] = [list[at + 1], list[at]];
    const answer = await verifyLines(list);
    assert.equal(answer.code, 4, answer.stdout);
    assert.match(answer.stdout + answer.stderr, new RegExp(`\\b${at + 1}\\b`));
  });

  test('a line twice: the place is named', async () => {
    const at = middle();
    const answer = await verifyLines([...lines.slice(0, at + 1), ...lines.slice(at)]);
    assert.equal(answer.code, 4, answer.stdout);
    assert.match(answer.stdout + answer.stderr, new RegExp(`\\b${at + 2}\\b`));
  });

  test('the tail cut off: a trail that is closed must end in a checkpoint', async () => {
    const cut = path.join(dir, 'cut.log');
    writeFileSync(cut, lines.slice(0, -40).map((line) => `${line}\n`).join(''));
    const answer = await verify([cut], ['--closed', '--public-key', key]);
    assert.equal(answer.code, 4, answer.stdout);
    assert.match(answer.stdout + answer.stderr, /checkpoint|cut|end/i);
    const whole = path.join(dir, 'whole.log');
    writeFileSync(whole, lines.map((line) => `${line}\n`).join(''));
    const control = await verify([whole], ['--closed', '--public-key', key]);
    assert.equal(control.code, 0, control.stdout + control.stderr);
  });

  test('rewritten from the middle with right hashes, but without the audit key', async () => {
    const at = middle();
    const list = lines.slice(0, at);
    for (const line of lines.slice(at)) {
      const prev = createHash('sha256').update(`${list.at(-1)}\n`).digest('hex');
      list.push(line.replace(/"user":"[^"]*"/, (all) => (list.length === at ? '"user":"somebody-else"' : all)).replace(/"prev":"[0-9a-f]{64}"/, `"prev":"${prev}"`));
    }
    const answer = await verifyLines(list);
    assert.equal(answer.code, 4, answer.stdout);
    assert.match(answer.stdout + answer.stderr, /checkpoint|signature/i);
  });
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

test('kill -9 loses no acknowledged event', { timeout: 120_000 }, async () => {
  const g = await Gateway.start({ upstream: r.url, settings: SETTINGS.replace('log_level: debug\n', '') });
  try {
    const machine = await g.machineClient(USE);
    const acknowledged = [];
    for (let round = 0; round < 8; round++) {
      const bearerNow = (await machineToken(g, machine)).body.access_token;
      let stop = false;
      const loops = Array.from({ length: 8 }, async (_, i) => {
        for (let n = 0; !stop; n++) {
          const mark = `${round}-${i}-${n}`;
          const answer = await mcpPost(g.mcp, call('ping_tool', { mark }), { bearer: bearerNow }).catch(() => null);
          if (answer?.status === 200) acknowledged.push(mark);
        }
      });
      await sleep(150 + 37 * round);
      await g.kill9();
      stop = true;
      await Promise.all(loops);
      await g.startWarder(g.port);
    }
    const trail = g.auditText();
    assert.ok(acknowledged.length > 100, `${acknowledged.length} calls`);
    for (const mark of acknowledged) assert.ok(trail.includes(`"${mark}"`) || trail.includes(`\\"${mark}\\"`), `${mark} is in the trail`);
    const answer = await verify([path.join(g.data, 'audit.log')], ['--public-key', path.join(g.data, 'audit-key.pub.pem')]);
    assert.equal(answer.code, 0, answer.stdout + answer.stderr);
  } finally {
    await g.stop();
  }
});
