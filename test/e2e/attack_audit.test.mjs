// Attack cases of the area audit, from outside.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Browser } from './lib/browser.mjs';
import { authorize, claims, machineToken, post, redeem, refresh, register } from './lib/oauth.mjs';
import { NEWS, World } from './lib/world.mjs';

let w;
before(async () => (w = await World.start({ env: { WARDER_LOG_LEVEL: 'debug' }, sample: false })));
after(() => w?.stop());

const FORMATS = ['ocsf', 'cef', 'syslog', 'otlp'];

/** Whatever a text may look like in a log. */
function spellings(text) {
  const bytes = Buffer.from(text);
  return [text, bytes.toString('base64'), bytes.toString('base64url'), bytes.toString('hex'), encodeURIComponent(text), JSON.stringify(text).slice(1, -1)];
}

test('AUD-001 no secret in the log, the trail and what is exported of it', async () => {
  const secrets = new Map();
  const client = await register(w, { token_endpoint_auth_method: 'client_secret_post' });
  const browser = new Browser(w.base);
  const granted = await authorize(w, client, {}, { browser });
  const first = (await redeem(w, client, granted)).body;
  const second = (await refresh(w, client, first.refresh_token)).body;
  const machine = await w.machineClient();
  secrets.set('machine token', (await machineToken(w, machine)).body.access_token);
  secrets.set('machine secret', machine.client_secret);
  secrets.set('client secret', client.client_secret);
  secrets.set('password', w.users.alice);
  secrets.set('code', granted.code);
  secrets.set('verifier', granted.verifier);
  for (const [name, value] of browser.cookies) secrets.set(`cookie ${name}`, value);
  for (const [name, answer] of [['first', first], ['second', second]]) {
    secrets.set(`${name} access token`, answer.access_token);
    secrets.set(`${name} signature`, answer.access_token.split('.')[2]);
    secrets.set(`${name} refresh token`, answer.refresh_token);
  }
  secrets.set('audit key', readFileSync(path.join(w.data, 'audit-key.pem'), 'utf8').split('\n')[1]);
  assert.equal((await refresh(w, client, first.refresh_token.replace(/.$/, 'x'))).status, 400);
  await post(w, 'revocation_endpoint', client, { token: second.refresh_token });
  const texts = new Map([['trail', w.auditText()], ['log', w.warder.err]]);
  for (const format of FORMATS) texts.set(format, (await w.cli(['audit', 'export', '--format', format])).stdout);
  texts.set('verify', (await w.cli(['audit', 'verify'])).stdout);
  for (const [where, text] of texts) {
    assert.ok(text.length > 0, where);
    for (const [name, secret] of secrets) {
      assert.ok(secret?.length > 8, name);
      for (const one of spellings(secret)) assert.ok(!text.includes(one), `${name} in the ${where}`);
    }
  }
  assert.ok(texts.get('trail').includes(client.client_id), 'what is no secret is there');
});

test('AUD-003 a copy of the trail that was changed is found with the public key alone', async () => {
  const away = path.join(w.data, 'away');
  mkdirSync(away);
  await w.restart();
  copyFileSync(path.join(w.data, 'audit-key.pub.pem'), path.join(away, 'key.pem'));
  const sound = w.auditText();
  const file = path.join(away, 'copy.log');
  const verify = (text, code, ...options) => {
    writeFileSync(file, text);
    return w.cli(['audit', 'verify', file, '--public-key', path.join(away, 'key.pem'), ...options], { code });
  };
  const lines = sound.split('\n').slice(0, -1);
  const closed = lines.findLastIndex((line) => line.includes('"event":"checkpoint"')) + 1;
  const whole = lines.slice(0, closed).join('\n') + '\n';
  const attacks = [
    ['changed', whole.replace('"decision":"allow"', '"decision":"deny" '), 'line'],
    ['removed', lines.toSpliced(2, 1).join('\n') + '\n', 'line 3: sequence_gap'],
    ['swapped', lines.with(2, lines[3]).with(3, lines[2]).join('\n') + '\n', 'line 3: sequence_gap'],
    ['repeated', lines.toSpliced(3, 0, lines[2]).join('\n') + '\n', 'line 4: sequence_back'],
    ['cut', lines.slice(0, closed - 1).join('\n') + '\n', `line ${closed - 1}: unproven`],
  ];
  assert.match((await verify(whole, 0, '--closed')).stdout, /^signed: up to \d+/m);
  for (const [what, text, says] of attacks) assert.ok((await verify(text, 4, '--closed')).stderr.includes(says), what);
  assert.match((await verify(whole, 0, '--closed')).stdout, /^the chain holds/);
});

test('AUD-005 exactly one event for each decision, with who, which client, what and why', async () => {
  const since = w.audit().length;
  const browser = new Browser(w.base);
  const client = await register(w);
  const granted = await authorize(w, client, {}, { browser });
  const first = (await redeem(w, client, granted)).body;
  await refresh(w, client, first.refresh_token);
  assert.equal((await redeem(w, client, { ...granted, code: 'made-up' })).status, 400);
  await post(w, 'revocation_endpoint', client, { token: first.access_token });
  await w.cli(['admin', 'key', 'rotate']);
  const events = w.audit().slice(since);
  const of = (event, decision) => events.filter((one) => one.event === event && one.decision === decision);
  const expected = [['client.registered', 'allow', 1], ['login', 'allow', 1], ['consent', 'allow', 1], ['token', 'allow', 2], ['token', 'deny', 1], ['revoke', 'allow', 1], ['key.changed', 'allow', 1]];
  for (const [event, decision, n] of expected) assert.equal(of(event, decision).length, n, `${event} ${decision}`);
  for (const one of events.filter((each) => each.event !== 'key.changed' && each.event !== 'login')) {
    assert.equal(one.client, client.client_id, one.event);
    assert.ok(one.request_id && one.address, `${one.event} tells its request`);
  }
  for (const one of of('token', 'allow')) {
    assert.ok(one.user && one.resource === w.mcp && one.scope === NEWS && one.family && one.token, 'a token event is complete');
  }
  assert.equal(of('token', 'allow')[0].token, claims(first.access_token).jti, 'the jti, never the token');
  assert.ok(of('token', 'deny')[0].reason, 'a refusal says why');
});
