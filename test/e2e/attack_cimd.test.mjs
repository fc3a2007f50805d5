// Attack cases of the area as-cimd: clients that are known by the URL of their metadata document.
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { constants, gzipSync } from 'node:zlib';
import { assertPage, assertTokenError, control, play, signedIn, trap } from './lib/attack.mjs';
import { Browser, consentForm } from './lib/browser.mjs';
import { Authority, DocumentHost, trusting } from './lib/documents.mjs';
import { Issuer } from './lib/issuer.mjs';
import { authorize, authorizeUrl, goodRequest, post, redeem, refresh, signIn } from './lib/oauth.mjs';
import { sleep, World } from './lib/world.mjs';

const PRINTS = 'https://c.test/cb';

let authority, host, w;
before(async () => {
  authority = new Authority();
  host = await DocumentHost.start(authority);
  w = await World.start({ sample: false, users: ['alice', 'bob'], env: trusting(authority, host) });
});
after(async () => {
  await w?.stop();
  await host?.stop();
  authority?.stop();
});

const client = (where, members, options) => host.publish(where, members, options);

/** The answer to an authorization request that must not get a code. */
async function refused(one, browser, note) {
  const result = await play(w, one, {}, { browser });
  assert.equal(result.left, undefined, `${note} led to ${result.left}`);
  assert.ok([400, 503].includes(result.status), `${note}: ${result.status}`);
  assert.match(result.headers.get('content-type') ?? '', /^text\/html/);
  assert.doesNotMatch(result.text, /fetch:|special_address/, 'what the fetch met is not for strangers');
  return result;
}

/** A document client works, and so does an ordinary one. */
async function works() {
  const good = client('/control.json');
  assert.ok((await signIn(w, good)).access_token);
  await control(w);
}

test('CIMD-001 the grammar of client_id URLs is checked before any look-up', async () => {
  const browser = await signedIn(w);
  const before = w.audit().length;
  const ids = ['http://c.test/c.json', 'https://c.test', 'https://c.test/', 'https://c.test/a/../c.json', 'https://c.test/./c.json',
    'https://c.test/c.json#f', 'https://u:p@c.test/c.json', 'https://c.test/%2e%2e/c.json', 'HTTPS://c.test/c.json',
    'https://c.test:99999/c.json', 'https://[::1]/c.json', 'https://127.0.0.1/c.json', 'https://0x7f000001/c.json',
    'https://c.test/c.json?x=1', 'https://c\u3002test/c.json', 'https://127.1/c.json', 'https://2130706433/c.json'];
  for (const id of ids) {
    assertPage(await play(w, { client_id: id, redirect_uris: [PRINTS] }, {}, { browser }), id);
  }
  const events = w.audit().slice(before).filter((event) => event.event === 'authorize');
  assert.equal(events.length, ids.length);
  for (const event of events) assert.equal(event.reason, 'client_id_url', JSON.stringify(event));
  // A host in punycode is one; that nobody answers there is no fault of its grammar.
  const idn = { client_id: 'https://xn--80ak6aa92e.test/c.json', redirect_uris: [PRINTS] };
  assert.match((await refused(idn, browser, 'IDN')).text, /cannot be had right now/);
  await works();
});

test('CIMD-003 only 200 with JSON counts, redirects are not followed, and failures are not kept', async () => {
  const browser = await signedIn(w);
  const target = await trap();
  const good = JSON.stringify(host.document('/three.json'));
  const json = { 'content-type': 'application/json', 'cache-control': 'max-age=600' };
  const one = client('/three.json');
  for (const status of [301, 302, 303, 307, 308]) {
    host.serve('/three.json', good, { status, headers: { ...json, location: `${target.url}/moved` } });
    await refused(one, browser, `${status}`);
    host.serve('/three.json', good, { status, headers: { ...json, location: `${host.url}/elsewhere.json` } });
    await refused(one, browser, `${status} to the same host`);
  }
  host.publish('/elsewhere.json', { client_id: one.client_id });
  for (const status of [201, 203, 204, 206, 304, 400, 403, 404, 410, 500, 503]) {
    host.serve('/three.json', status === 204 || status === 304 ? undefined : good, { status, headers: json });
    await refused(one, browser, `${status}`);
  }
  for (const type of ['text/html', 'text/plain', 'application/javascript', 'application/octet-stream', '']) {
    host.serve('/three.json', good, { headers: { ...json, 'content-type': type } });
    await refused(one, browser, type);
  }
  assert.deepEqual(target.hits, [], 'the target of the redirect was not asked');
  assert.equal(host.hitsOf('/elsewhere.json'), 0);
  await target.close();
  host.serve('/three.json', good, { headers: { ...json, 'content-type': 'application/oauth-client+json' } });
  assert.ok((await play(w, one, {}, { browser })).code, 'the next good answer works at once');
  await works();
});

test('CIMD-006 the document host proves who it is, by TLS 1.2 at least', async () => {
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };
  const hosts = {
    'self-signed': await DocumentHost.start(authority, { tls: authority.issue('localhost', { selfSigned: true }) }),
    expired: await DocumentHost.start(authority, { tls: authority.issue('localhost', { days: -1 }) }),
    'wrong name': await DocumentHost.start(authority, { tls: authority.issue('other.test') }),
    'TLS 1.1': await DocumentHost.start(authority, { options: old }),
    good: await DocumentHost.start(authority),
  };
  const world = await World.start({ sample: false, env: trusting(authority, ...Object.values(hosts)) });
  try {
    for (const [name, each] of Object.entries(hosts)) {
      const one = each.publish('/c.json');
      if (name === 'good') {
        assert.ok((await signIn(world, one)).access_token, 'the same document under a good certificate');
        continue;
      }
      const result = await play(world, one);
      assert.equal(result.code, null, name);
      assert.equal(result.status, 503, name);
      assert.equal(each.hitsOf('/c.json'), 0, `${name}: nothing was asked`);
      assert.match(world.audit().at(-1).detail, /fetch: tls/, name);
    }
  } finally {
    await world.stop();
    for (const each of Object.values(hosts)) await each.stop();
  }
});

test('CIMD-007 a host that sends too much or too slowly costs nobody else anything', async () => {
  const browser = await signedIn(w);
  const json = { 'content-type': 'application/json' };
  const long = JSON.stringify(host.document('/seven.json', { padding: 'x'.repeat(5120) }));
  const exact = (n) => {
    const bare = JSON.stringify(host.document('/seven.json', { padding: '' }));
    return JSON.stringify(host.document('/seven.json', { padding: 'x'.repeat(n - bare.length) }));
  };
  const endless = (response, pause) => {
    const timer = setInterval(() => response.write(pause ? ' ' : ' '.repeat(65536)), pause || 1);
    response.on('close', () => clearInterval(timer));
  };
  const bomb = gzipSync(Buffer.alloc(64 << 20), { level: constants.Z_BEST_COMPRESSION });
  const cases = {
    '5 KiB + 1': (request, response) => response.writeHead(200, json).end(exact(5121)),
    'much longer': (request, response) => response.writeHead(200, json).end(long.repeat(1000)),
    'endless chunks': (request, response) => endless(response.writeHead(200, json), 0),
    'one byte at a time': (request, response) => endless(response.writeHead(200, json), 500),
    'never answers': () => {},
    'gzip bomb': (request, response) => response.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end(bomb),
    'Content-Length too large': (request, response) => {
      response.writeHead(200, { ...json, 'content-length': 4000 }).write(exact(1000));
      setTimeout(() => response.destroy(), 50);
    },
    'headers of 1 MiB': (request, response) => response.writeHead(200, { ...json, 'x-pad': 'x'.repeat(1 << 20) }).end(exact(1000)),
  };
  const one = client('/seven.json');
  for (const [name, page] of Object.entries(cases)) {
    host.pages.set('/seven.json', page);
    const began = Date.now();
    const asked = refused(one, browser, name);
    let slowest = 0;
    for (let i = 0; i < 5; i++) {
      const at = Date.now();
      assert.equal((await fetch(`${w.base}/healthz`)).status, 200);
      slowest = Math.max(slowest, Date.now() - at);
      await sleep(20);
    }
    await asked;
    assert.ok(Date.now() - began < 15_000, `${name} took ${Date.now() - began} ms`);
    assert.ok(slowest < 4000, `${name}: others waited ${slowest} ms`);
  }
  host.serve('/seven.json', exact(5120), { headers: json });
  assert.ok((await play(w, one, {}, { browser })).code, '5 KiB is not too much');
  await works();
});

test('CIMD-009 secrets are not allowed in the document', async () => {
  const browser = await signedIn(w);
  const bad = [{ token_endpoint_auth_method: 'client_secret_basic' }, { token_endpoint_auth_method: 'client_secret_post' },
    { token_endpoint_auth_method: 'client_secret_jwt' }, { client_secret: 'x' }, { client_secret_expires_at: 0 },
    { jwks: { keys: [{ kty: 'oct', k: 'c2VjcmV0', kid: '1' }] } },
    { jwks: { keys: [{ kty: 'EC', crv: 'P-256', kid: '1', x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
      y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM', d: '870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE' }] } }];
  const one = client('/nine.json');
  for (const members of bad) {
    const note = JSON.stringify(members);
    client('/nine.json', members);
    assertPage(await play(w, one, {}, { browser }), note);
    const answer = await refresh(w, one, 'wrr_x');
    assertTokenError(answer, 'invalid_client', note);
    assert.equal(answer.status, 401, note);
  }
  client('/nine.json');
  assert.ok((await play(w, one, {}, { browser })).code);
  await works();
});

test('CIMD-010 redirect_uri must be listed in the document', async () => {
  const browser = await signedIn(w);
  const one = client('/ten.json', { redirect_uris: [PRINTS] });
  for (const uri of ['https://c.test/cb2', 'https://c.test/', 'https://evil.test/cb', 'http://c.test/cb', 'https://c.test/cb?x=1']) {
    assertPage(await play(w, one, { redirect_uri: uri }, { browser }), uri);
  }
  assert.equal((await play(w, one, {}, { browser })).left.href.startsWith(`${PRINTS}?`), true);
  await works();
});

test('CIMD-012 documents are kept as HTTP says, within bounds of our own', async () => {
  const ask = async (headers, times = 3) => {
    const where = `/twelve-${createHash('sha256').update(JSON.stringify(headers)).digest('hex').slice(0, 8)}.json`;
    const one = client(where, {}, { headers });
    for (let i = 0; i < times; i++) {
      const { parameters } = goodRequest(w, one);
      const at = await new Browser(w.base).get(authorizeUrl(w, parameters));
      assert.equal(at.status, 200, `${JSON.stringify(headers)}: ${at.page.title}`);
    }
    return host.hitsOf(where);
  };
  const past = new Date(Date.now() - 1000).toUTCString();
  const soon = new Date(Date.now() + 600_000).toUTCString();
  for (const headers of [{ 'cache-control': 'no-store' }, { 'cache-control': 'max-age=0' }, { 'cache-control': 'no-cache' }, { vary: '*' },
    { expires: past }, { 'cache-control': 'max-age=60', age: '60' }]) {
    assert.equal(await ask(headers), 3, JSON.stringify(headers));
  }
  for (const headers of [{ 'cache-control': 'max-age=315360000' }, { 'cache-control': 'max-age=1' }, { expires: soon }, {}]) {
    assert.equal(await ask(headers), 1, JSON.stringify(headers));
  }
  await works();
});

test('CIMD-013 a thousand requests for one cold client_id make one fetch', async () => {
  const where = '/thirteen.json';
  const one = host.document(where);
  host.pages.set(where, (request, response) => {
    setTimeout(() => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(one)), 3000);
  });
  const url = authorizeUrl(w, goodRequest(w, one).parameters);
  const agent = new http.Agent({ maxSockets: 250, keepAlive: true });
  const ask = () => new Promise((resolve, reject) => {
    http.get(url, { agent }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode));
    }).on('error', reject);
  });
  const answers = await Promise.all(Array.from({ length: 1000 }, ask));
  agent.destroy();
  const good = answers.filter((status) => status === 200).length;
  assert.equal(good + answers.filter((status) => status === 503).length, 1000, String(new Set(answers)));
  assert.ok(good >= 250, `${good} were served`);
  assert.equal(host.hitsOf(where), 1);
  await works();
});

test('CIMD-016 the consent page shows the hosts, and warns where loopback is all there is', async () => {
  const evil = client('/sixteen.json', { client_name: 'GitHub', redirect_uris: ['http://localhost/callback'] });
  const browser = await signedIn(w);
  const { parameters } = goodRequest(w, evil, { redirect_uri: 'http://localhost:4711/callback' });
  const { page, text } = await browser.get(authorizeUrl(w, parameters));
  assert.match(text, new RegExp(`<strong class="host"><bdi>${host.name}</bdi></strong>`));
  assert.match(text, /<strong class="host"><bdi>localhost:4711<\/bdi><\/strong>/);
  assert.match(page.text, /answered only on this computer/);
  const web = client('/sixteen-web.json', { redirect_uris: [PRINTS] });
  const plain = await browser.get(authorizeUrl(w, goodRequest(w, web).parameters));
  assert.match(plain.text, /<strong class="host"><bdi>c\.test<\/bdi><\/strong>/);
  assert.doesNotMatch(plain.page.text, /answered only on this computer/);
  // Who approved it once is asked again: anything on this computer may say that it is GitHub.
  await browser.decide(page);
  const again = await browser.get(authorizeUrl(w, goodRequest(w, evil, { redirect_uri: 'http://localhost:4711/callback' }).parameters));
  assert.equal(again.left, undefined);
  assert.match(again.text, /GitHub/);
  await works();
});

test('CIMD-017 who takes back one grant leaves those of others', async () => {
  const shared = client('/seventeen.json', { redirect_uris: [PRINTS, 'https://c.test/other'] });
  const alice = new Browser(w.base);
  const mine = await signIn(w, shared, {}, { browser: alice, user: 'alice' });
  const theirs = await signIn(w, shared, { redirect_uri: 'https://c.test/other' }, { browser: new Browser(w.base), user: 'bob' });
  const home = await alice.get(`${w.base}/`);
  assert.match(home.page.text, /Published client/, 'the account page knows it by the document that was approved');
  const form = home.page.forms.find((one) => one.action.endsWith('/grants/revoke') && one.fields.some((field) => field.value === shared.client_id));
  assert.equal((await alice.submit(form)).status, 200);
  assertTokenError(await refresh(w, shared, mine.refresh_token), 'invalid_grant');
  const kept = await refresh(w, shared, theirs.refresh_token);
  assert.equal(kept.status, 200, kept.text);
  assert.ok((await play(w, shared, {}, { browser: alice })).code, 'and may be given again');

  // One person, two installations: what goes to one place is taken back there alone.
  const other = { redirect_uri: 'https://c.test/other' };
  const one = await signIn(w, shared, {}, { browser: alice, user: 'alice' });
  const two = await signIn(w, shared, other, { browser: alice, user: 'alice' });
  const list = await alice.get(`${w.base}/`);
  const rows = list.page.forms.filter((each) => each.action.endsWith('/grants/revoke') && each.fields.some((field) => field.value === shared.client_id));
  assert.equal(rows.length, 2);
  assert.match(list.page.text, /Access goes to\s+https:\/\/c\.test\/other/);
  const row = rows.find((each) => each.fields.some((field) => field.value === other.redirect_uri));
  assert.equal((await alice.submit(row)).status, 200);
  assertTokenError(await refresh(w, shared, two.refresh_token), 'invalid_grant');
  const stays = await refresh(w, shared, one.refresh_token);
  assert.equal(stays.status, 200, stays.text);
  const silent = await alice.get(authorizeUrl(w, goodRequest(w, shared).parameters));
  assert.ok(silent.left?.searchParams.get('code'), 'the place that stays needs no new approval');
  const asked = await alice.get(authorizeUrl(w, goodRequest(w, shared, other).parameters));
  assert.ok(consentForm(asked.page), 'the other one does');
  await works();
});

test('CIMD-018 a client that declares private_key_jwt authenticates everywhere, by the keys it publishes', async (t) => {
  const issuer = await Issuer.start();
  t.after(() => issuer.down());
  const keys = (...names) => host.serve('/keys.json', JSON.stringify({ keys: names.map((name) => issuer.keys[name].jwk) }),
    { headers: { 'content-type': 'application/jwk-set+json', 'cache-control': 'no-store' } });
  const one = client('/eighteen.json', { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: `${host.url}/keys.json` });
  const prove = (name, claims = {}) => {
    const now = Math.floor(Date.now() / 1000);
    const payload = { iss: one.client_id, sub: one.client_id, aud: w.issuer, iat: now, exp: now + 60, jti: randomUUID(), ...claims };
    return {
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: issuer.sign(name, payload, { typ: 'JWT' }),
    };
  };
  keys('ec', 'rsa');
  const granted = await authorize(w, one);
  const without = await redeem(w, one, granted);
  assert.equal(without.status, 401, without.text);
  assertTokenError(without, 'invalid_client');
  const secret = await redeem(w, one, granted, { client_secret: 'x' });
  assertTokenError(secret, ['invalid_client', 'invalid_request']);
  const good = await redeem(w, one, granted, prove('ec'));
  assert.equal(good.status, 200, good.text);
  assertTokenError(await refresh(w, one, good.body.refresh_token), 'invalid_client', 'refresh without proof');
  assertTokenError(await post(w, 'revocation_endpoint', one, { token: good.body.refresh_token }), 'invalid_client', 'revocation without proof');
  assertTokenError(await refresh(w, one, good.body.refresh_token, prove('stranger')), 'invalid_client', 'a key it does not publish');
  const rsa = await refresh(w, one, good.body.refresh_token, prove('rsa'));
  assert.equal(rsa.status, 200, rsa.text);
  keys('rsa');
  const removed = await refresh(w, one, rsa.body.refresh_token, prove('ec'));
  assert.equal(removed.status, 401, removed.text);
  assertTokenError(removed, 'invalid_client', 'a key it published no longer');
  host.pages.set('/keys.json', (request, response) => response.writeHead(503).end());
  const away = await refresh(w, one, rsa.body.refresh_token, prove('rsa'));
  assert.notEqual(away.status, 200, 'no keys, no tokens');
  keys('rsa');
  assert.equal((await refresh(w, one, rsa.body.refresh_token, prove('rsa'))).status, 200);
  // What a client lists instead of naming one: the strongest counts.
  const listed = client('/eighteen-list.json', { token_endpoint_auth_method: undefined,
    token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'], jwks_uri: `${host.url}/keys.json` });
  assertTokenError(await redeem(w, { ...listed, token_endpoint_auth_method: 'none' }, await authorize(w, listed)), 'invalid_client');
  await works();
});
