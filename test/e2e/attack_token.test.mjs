// Attack cases of the area as-token, from outside.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { after, before, describe, test } from 'node:test';
import { assertTokenError, control } from './lib/attack.mjs';
import { authorize, basic, bytes, getNews, httpRaw, machineToken, post, redeem, refresh, register, signIn, token } from './lib/oauth.mjs';
import { ANALYZE, NEWS, World, sleep } from './lib/world.mjs';

let w;
let machine;
before(async () => {
  w = await World.start();
  machine = await w.machineClient();
});
after(() => w?.stop());

const tokenUrl = () => `${w.base}${new URL(w.metadata.token_endpoint).pathname}`;
const FORM = 'application/x-www-form-urlencoded';

test('TOK-003 a replayed code revokes the tokens', async () => {
  const client = await register(w);
  const granted = await authorize(w, client);
  const first = await redeem(w, client, granted);
  assert.equal(first.status, 200, first.text);
  await sleep(1000);
  assertTokenError(await redeem(w, client, granted), 'invalid_grant');
  assertTokenError(await refresh(w, client, first.body.refresh_token), 'invalid_grant');
  assert.match(w.auditText(), /replay|reuse|code_used|spent/i, 'the audit event says why');
  await control(w, client);
});

test('TOK-003 another client cannot redeem, and a stolen code does not end the grant of its owner silently', async () => {
  const owner = await register(w);
  const thief = await register(w);
  const granted = await authorize(w, owner);
  assertTokenError(await redeem(w, thief, granted), 'invalid_grant');
  assertTokenError(await redeem(w, owner, granted, { redirect_uri: 'http://127.0.0.1:7654/other' }), 'invalid_grant');
  await control(w, owner);
});

describe('short-lived codes', () => {
  let short;
  before(async () => (short = await World.start({ sample: false, env: { WARDER_CODE_LIFETIME: '5' } })));
  after(() => short?.stop());

  test('TOK-005 an expired code is refused, and codes live 60 s by default at most', async () => {
    const { stdout } = await w.cli(['config', 'show']);
    const lifetime = Number(/code_lifetime[^0-9]*(\d+)/.exec(stdout)[1]);
    assert.ok(lifetime > 0 && lifetime <= 60, stdout);
    const client = await register(short);
    const granted = await authorize(short, client);
    const control = await authorize(short, client);
    assert.equal((await redeem(short, client, control)).status, 200);
    await sleep(6500);
    assertTokenError(await redeem(short, client, granted), 'invalid_grant');
  });
});

test('TOK-008 client authentication failure shapes', async () => {
  const { client_id: id, client_secret: secret } = machine;
  const raw = (text) => `Basic ${Buffer.from(text).toString('base64')}`;
  const bad = ['Basic !!!!', 'Basic', 'Basic ', raw('no-colon'), raw(`:${secret}`), raw(`${id}:`), raw(`${id}:wrong`),
    `Basic ${Buffer.from([0xff, 0xfe, 0x3a, 0xff]).toString('base64')}`, raw('%zz:%zz'), `Basic ${basic(id, secret).slice(6)}=`];
  for (const authorization of bad) {
    const answer = await machineToken(w, null, {}, { headers: { authorization } });
    assert.ok([400, 401].includes(answer.status), `${authorization}: ${answer.status}`);
    assertTokenError(answer, ['invalid_client', 'invalid_request'], authorization);
    if (answer.status === 401) {
      assert.equal(answer.body.error, 'invalid_client');
      assert.match(answer.headers.get('www-authenticate') ?? '', /^Basic/);
    }
  }
  const wrong = await machineToken(w, null, {}, { headers: { authorization: raw(`${id}:wrong`) } });
  assert.equal(wrong.status, 401);
  const huge = await httpRaw(tokenUrl(), {
    method: 'POST', body: 'grant_type=client_credentials',
    headers: { 'content-type': FORM, authorization: `Basic ${'A'.repeat(1 << 20)}` },
  }).catch((error) => ({ status: 431, error }));
  assert.ok([400, 401, 431].includes(huge.status), String(huge.status));
  for (const scheme of ['basic', 'BASIC', 'bAsIc']) {
    const answer = await machineToken(w, null, {}, { headers: { authorization: basic(id, secret).replace('Basic', scheme) } });
    assert.equal(answer.status, 200, `${scheme}: ${answer.text}`);
  }
});

test('TOK-009 two client authentication methods at once', async () => {
  const other = await w.machineClient();
  const secretToo = { client_id: machine.client_id, client_secret: machine.client_secret };
  assertTokenError(await machineToken(w, machine, secretToo), ['invalid_request', 'invalid_client']);
  assertTokenError(await machineToken(w, machine, {
    client_assertion: 'e30.e30.AA', client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  }), ['invalid_request', 'invalid_client']);
  assertTokenError(await machineToken(w, machine, { client_id: other.client_id }), ['invalid_request', 'invalid_client']);
  assert.equal((await machineToken(w, machine, { client_id: machine.client_id })).status, 200, 'the same id twice is no conflict');
});

test('TOK-010 the registered method is enforced', async () => {
  const post = await w.machineClient(NEWS, ['--auth', 'post']);
  const viaBasic = { ...post, token_endpoint_auth_method: 'client_secret_basic' };
  const machineViaPost = { ...machine, token_endpoint_auth_method: 'client_secret_post' };
  const machineViaNone = { ...machine, token_endpoint_auth_method: 'none' };
  for (const [client, name] of [[viaBasic, 'post by basic'], [machineViaPost, 'basic by post'], [machineViaNone, 'basic by none']]) {
    const answer = await machineToken(w, client);
    assertTokenError(answer, ['invalid_client', 'unauthorized_client'], name);
  }
  const open = await register(w);
  const granted = await authorize(w, open);
  const pretender = { ...open, client_secret: 'x', token_endpoint_auth_method: 'client_secret_post' };
  assertTokenError(await redeem(w, pretender, granted), ['invalid_client', 'unauthorized_client', 'invalid_request'], 'public with a secret');
  const control = { ...post, token_endpoint_auth_method: 'client_secret_post' };
  assert.equal((await machineToken(w, control)).status, 200);
});

test('TOK-011 percent-encoding in Basic credentials', async () => {
  const { client_id: id, client_secret: secret } = machine;
  const everything = [...`${id}`].map((c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`).join('');
  const encoded = `Basic ${Buffer.from(`${everything}:${secret}`).toString('base64')}`;
  assert.equal((await machineToken(w, null, {}, { headers: { authorization: encoded } })).status, 200, 'encoded');
  const plain = `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
  assert.equal((await machineToken(w, null, {}, { headers: { authorization: plain } })).status, 200, 'plain');
  for (const bent of [`${id}%00:${secret}`, `${id}:${secret}%20`, `${id}+:${secret}`, ` ${id}:${secret}`, `${id}%3A:${secret}`]) {
    const authorization = `Basic ${Buffer.from(bent).toString('base64')}`;
    assertTokenError(await machineToken(w, null, {}, { headers: { authorization } }), ['invalid_client', 'invalid_request'], bent);
  }
});

test('TOK-012 body encodings', async () => {
  const authorization = basic(machine.client_id, machine.client_secret);
  const good = `grant_type=client_credentials&resource=${encodeURIComponent(w.mcp)}`;
  const send = (headers, body = good) => httpRaw(tokenUrl(), { method: 'POST', headers: { authorization, ...headers }, body });
  const bad = {
    json: [{ 'content-type': 'application/json' }, '{"grant_type":"client_credentials"}'],
    multipart: [{ 'content-type': 'multipart/form-data; boundary=x' }, '--x\r\nContent-Disposition: form-data; name="grant_type"\r\n\r\nclient_credentials\r\n--x--\r\n'],
    'plain text': [{ 'content-type': 'text/plain' }],
    'utf-16': [{ 'content-type': `${FORM}; charset=utf-16` }],
    'no content type': [{}],
    'two content types': [{ 'content-type': [FORM, 'application/json'] }],
    'gzip encoded': [{ 'content-type': FORM, 'content-encoding': 'gzip' }, gzipSync(good)],
  };
  for (const [name, [headers, body]] of Object.entries(bad)) {
    const answer = await send(headers, body);
    assert.ok([400, 415].includes(answer.status), `${name}: ${answer.status} ${answer.text}`);
    assert.equal(answer.body?.access_token, undefined, name);
  }
  for (const type of [FORM, `${FORM}; charset=UTF-8`, FORM.toUpperCase()]) {
    assert.equal((await send({ 'content-type': type })).status, 200, type);
  }
});

test('TOK-014 form decoding corners', async () => {
  const authorization = basic(machine.client_id, machine.client_secret);
  const send = (body) => httpRaw(tokenUrl(), { method: 'POST', headers: { authorization, 'content-type': FORM }, body })
    .catch((error) => ({ status: 413, text: String(error) }));
  const corners = ['%', '%G0', '%u0041', '+', '%00', '&&&', '=', 'a', '&', '', 'grant_type', 'grant_type=client_credentials%00',
    'grant_type=%ff', 'grant_type=client_credentials&grant_type=client_credentials', '&'.repeat(10_000),
    Array.from({ length: 10_000 }, (_, i) => `p${i}=1`).join('&'), `${'k'.repeat(1 << 20)}=1`];
  for (const body of corners) {
    const answer = await send(body);
    assert.ok(answer.status >= 400 && answer.status < 500, `${body.slice(0, 40)}: ${answer.status}`);
    assert.equal(answer.body?.access_token, undefined);
  }
  assert.equal((await machineToken(w, machine)).status, 200);
});

test('TOK-016 client_credentials only for confidential clients that registered it', async () => {
  const open = await register(w);
  assertTokenError(await machineToken(w, open), ['unauthorized_client', 'invalid_client'], 'public');
  const without = await register(w, { token_endpoint_auth_method: 'client_secret_basic' });
  assertTokenError(await machineToken(w, without), 'unauthorized_client', 'not registered');
  const answer = await machineToken(w, machine);
  assert.equal(answer.status, 200);
  assert.equal(answer.body.refresh_token, undefined);
  assert.equal((await getNews(w, answer.body.access_token)).status, 200);
});

test('TOK-017 token response headers', async () => {
  const client = await register(w);
  const tokens = await signIn(w, client);
  const answers = {
    token: await machineToken(w, machine),
    refresh: await refresh(w, client, tokens.refresh_token),
    'invalid grant': await refresh(w, client, 'nonsense'),
    'invalid client': await machineToken(w, { ...machine, client_secret: 'wrong' }),
    'unknown grant': await token(w, machine, { grant_type: 'password' }),
    revoke: await post(w, 'revocation_endpoint', client, { token: 'nonsense' }),
  };
  const registration = await fetch(`${w.base}${new URL(w.metadata.registration_endpoint).pathname}`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"redirect_uris":["https://c.test/cb"]}',
  });
  answers.registration = { headers: registration.headers, text: await registration.text() };
  for (const [name, { headers, text }] of Object.entries(answers)) {
    assert.match(headers.get('cache-control') ?? '', /no-store/, name);
    assert.equal(headers.get('x-content-type-options'), 'nosniff', name);
    if (text) assert.match(headers.get('content-type') ?? '', /^application\/json/, name);
    assert.notEqual(headers.get('access-control-allow-credentials'), 'true', name);
  }
  assert.equal(answers['unknown grant'].body.error, 'unsupported_grant_type');
  assert.equal(answers.revoke.status, 200, 'an unknown token is no error');
});

describe('throttling', () => {
  let tight;
  before(async () => {
    tight = await World.start({ sample: false, env: { WARDER_TOKEN_FAILURES_PER_MINUTE: '20' } });
  });
  after(() => tight?.stop());

  test('TOK-019 client_secret brute force is throttled, and others are not locked out', async () => {
    const victim = await tight.machineClient();
    const url = `${tight.base}${new URL(tight.metadata.token_endpoint).pathname}`;
    const guess = (secret, localAddress) => httpRaw(url, {
      method: 'POST', localAddress, body: `grant_type=client_credentials&resource=${encodeURIComponent(tight.mcp)}`,
      headers: { 'content-type': FORM, authorization: basic(victim.client_id, secret) },
    });
    let throttled = null;
    let tries = 0;
    for (; tries < 200 && !throttled; tries++) {
      const answer = await guess(`wrong-${tries}`, '127.0.0.1');
      if (answer.status === 429) throttled = answer;
      else assert.equal(answer.status, 401);
    }
    assert.ok(throttled, `no 429 after ${tries} guesses`);
    assert.ok(Number(throttled.headers.get('retry-after')) > 0);
    const elsewhere = await guess(victim.client_secret, '127.0.0.2');
    assert.equal(elsewhere.status, 200, 'the right client from another address still works');
  });
});

test('TOK-020 an unknown client id takes as long as a wrong secret', async () => {
  const ROUNDS = 150;
  const time = async (id, secret) => {
    const start = process.hrtime.bigint();
    await machineToken(w, { client_id: id, client_secret: secret });
    return Number(process.hrtime.bigint() - start) / 1e6;
  };
  const known = [];
  const unknown = [];
  const close = `${machine.client_secret.slice(0, -1)}${machine.client_secret.endsWith('A') ? 'B' : 'A'}`;
  for (let i = 0; i < ROUNDS; i++) {
    known.push(await time(machine.client_id, close));
    unknown.push(await time(`x${machine.client_id.slice(1)}`, close));
  }
  const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];
  const [a, b] = [median(known), median(unknown)];
  assert.ok(Math.abs(a - b) < Math.max(1, 0.35 * Math.max(a, b)), `known ${a} ms, unknown ${b} ms`);
  assert.equal((await machineToken(w, machine)).status, 200);
});

test('TOK-021 codes, refresh tokens, secrets and sessions are stored hashed', async () => {
  const client = await register(w, { token_endpoint_auth_method: 'client_secret_basic' });
  const granted = await authorize(w, client);
  const pending = await authorize(w, client, {}, { browser: granted.browser });
  const answer = await redeem(w, client, granted);
  const issued = {
    'spent code': granted.code,
    'open code': pending.code,
    'refresh token': answer.body.refresh_token,
    'access token': answer.body.access_token,
    'client secret': client.client_secret,
    'machine secret': machine.client_secret,
    password: w.users.alice,
  };
  for (const [name, value] of granted.browser.cookies) issued[`cookie ${name}`] = value;
  const files = readdirSync(w.data, { recursive: true }).map((name) => path.join(w.data, name)).filter((name) => statSync(name).isFile());
  assert.ok(files.length >= 2, String(files));
  for (const file of files) {
    const content = readFileSync(file).toString('latin1');
    for (const [name, value] of Object.entries(issued)) {
      if (value.length < 16) continue;
      assert.ok(!content.includes(value), `${name} stands in ${path.basename(file)}`);
      const inside = value.split('.').at(-1);
      if (inside.length >= 20) assert.ok(!content.includes(inside), `part of ${name} stands in ${path.basename(file)}`);
    }
  }
});

test('TOK-021 no file is made of the memory of the server', { skip: !existsSync('/proc/self/limits') }, async () => {
  const limits = readFileSync(`/proc/${w.warder.child.pid}/limits`, 'utf8');
  assert.match(limits, /^Max core file size\s+1\s+1\s/m, limits);
});

test('the token endpoint takes POST only, and says so', async () => {
  const answer = await fetch(`${tokenUrl()}?grant_type=client_credentials`);
  assert.equal(answer.status, 405);
  assert.match(answer.headers.get('allow') ?? '', /POST/);
  const query = await httpRaw(`${tokenUrl()}?grant_type=client_credentials&client_id=${machine.client_id}&client_secret=${machine.client_secret}`, {
    method: 'POST', headers: { 'content-type': FORM }, body: '',
  });
  assert.ok(query.status >= 400 && query.status < 500, 'parameters in the query do not count');
});

test('bytes that are not a request end the connection and nothing else', async () => {
  for (const data of ['\0\0\0\0\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n', 'POST /token HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'POST /token HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde']) {
    const answer = await bytes(w.base, data);
    assert.match(answer, /^(HTTP\/1\.1 (400|505)|$)/, answer.slice(0, 80));
  }
  assert.equal((await machineToken(w, machine)).status, 200);
});

test('an unknown scope of a machine is narrowed or refused, never granted', async () => {
  const small = await w.machineClient(NEWS);
  const answer = await machineToken(w, small, { scope: `${NEWS} ${ANALYZE}` });
  if (answer.status === 200) assert.equal(answer.body.scope, NEWS);
  else assertTokenError(answer, 'invalid_scope');
});
