// Attack cases of the area as-meta, from outside.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertRefused, assertTokenError, control, play } from './lib/attack.mjs';
import { Browser } from './lib/browser.mjs';
import { authorize, authorizeUrl, bytes, claims, getNews, goodRequest, httpRaw, jose, machineToken, post, redeem, register, registerRaw, signIn, token } from './lib/oauth.mjs';
import { NEWS, World, sleep } from './lib/world.mjs';

let w;
before(async () => (w = await World.start()));
after(() => w?.stop());

const OAUTH = '/.well-known/oauth-authorization-server';
const CACHE_AGE = 11; // seconds
const OIDC = '/.well-known/openid-configuration';

test('META-001 metadata truthfulness: what is advertised works, what is not is refused', async () => {
  const oidc = await (await fetch(w.base + OIDC)).json();
  const m = w.metadata;
  assert.equal(m.issuer, w.issuer);
  for (const [name, value] of Object.entries(m)) assert.deepEqual(oidc[name], value, `both documents agree on ${name}`);
  assert.ok(!JSON.stringify([m, oidc]).includes('"none"') || m.token_endpoint_auth_methods_supported.includes('none'));
  for (const [name, value] of Object.entries({ ...m, ...oidc })) {
    if (/alg_values/.test(name)) assert.ok(!value.includes('none'), `${name} has none`);
  }
  for (const method of m.token_endpoint_auth_methods_supported) {
    if (method.endsWith('jwt')) continue; // tried below as "advertised": needs keys
    const client = await register(w, { token_endpoint_auth_method: method });
    assert.equal(client.token_endpoint_auth_method, method);
    await control(w, client);
  }
  const grants = {
    authorization_code: ['invalid_grant', 'invalid_request'],
    refresh_token: ['invalid_grant', 'invalid_request'],
    client_credentials: ['unauthorized_client'],
    'urn:ietf:params:oauth:grant-type:device_code': ['unauthorized_client'],
    'urn:ietf:params:oauth:grant-type:token-exchange': ['unauthorized_client'],
  };
  const client = await register(w, { token_endpoint_auth_method: 'client_secret_basic' });
  for (const grant of m.grant_types_supported) {
    assert.ok(grants[grant], `${grant} is advertised: teach this test how to exercise it`);
    assertTokenError(await token(w, client, { grant_type: grant }), grants[grant], grant);
  }
  for (const grant of ['password', 'implicit', 'urn:ietf:params:oauth:grant-type:device_code',
    'urn:ietf:params:oauth:grant-type:token-exchange', 'urn:ietf:params:oauth:grant-type:jwt-bearer']) {
    if (m.grant_types_supported.includes(grant)) continue;
    assertTokenError(await token(w, client, { grant_type: grant }), 'unsupported_grant_type', grant);
  }
  for (const type of ['token', 'id_token', 'code id_token', 'code token']) {
    if (m.response_types_supported.includes(type)) continue;
    assertRefused(await play(w, client, { response_type: type }), ['unsupported_response_type', 'invalid_request'], type);
  }
  for (const endpoint of ['revocation_endpoint', 'token_endpoint', 'registration_endpoint']) {
    assert.ok(m[endpoint].startsWith(`${w.issuer}/`), endpoint);
  }
  for (const endpoint of ['pushed_authorization_request_endpoint', 'device_authorization_endpoint']) {
    assertTokenError(await post(w, endpoint, client, {}), ['invalid_request', 'unauthorized_client'], endpoint);
  }
  const jwks = await (await fetch(m.jwks_uri)).json();
  assert.ok(jwks.keys.length > 0);
  for (const key of jwks.keys) {
    assert.equal(key.d ?? key.p ?? key.k, undefined, 'no private member');
    assert.ok(key.kid && key.alg && key.alg !== 'none');
  }
  const asked = await post(w, 'introspection_endpoint', client, { token: 'x' });
  assert.deepEqual([asked.status, asked.text], [200, '{"active":false}']);
  for (const method of m.introspection_endpoint_auth_methods_supported) assert.ok(m.token_endpoint_auth_methods_supported.includes(method));
  const list = await fetch(m.warder_revocations_endpoint);
  assert.equal(list.status, 200);
  assert.ok(Array.isArray((await list.json()).entries));
});

test('META-002 the Host header does not steer URLs', async () => {
  const control = await (await fetch(w.base + OAUTH)).text();
  const steer = [
    { host: 'evil.test' },
    { 'x-forwarded-host': 'evil.test' },
    { forwarded: 'host=evil.test;proto=http' },
    { 'x-forwarded-proto': 'http', 'x-forwarded-host': 'evil.test:443' },
    { 'x-original-host': 'evil.test' },
  ];
  for (const path of [OAUTH, OIDC]) {
    for (const headers of steer) {
      const answer = await httpRaw(w.base + path, { headers });
      assert.ok(answer.status === 200 || answer.status === 400 || answer.status === 421, String(answer.status));
      assert.ok(!answer.text.includes('evil.test'), JSON.stringify(headers));
      if (answer.status === 200 && path === OAUTH) assert.equal(answer.text, control);
    }
  }
  const absolute = await bytes(w.base, `GET http://evil.test${OAUTH} HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n`);
  assert.match(absolute, /^HTTP\/1\.1 (200|400|421)/);
  assert.ok(!absolute.includes('evil.test'));
  const client = await register(w);
  const { parameters } = goodRequest(w, client);
  const page = await httpRaw(authorizeUrl(w, parameters), { headers: { host: 'evil.test', accept: 'text/html' } });
  assert.ok(!page.text.includes('evil.test'), 'no link');
  assert.ok(!page.headers.getSetCookie().some((cookie) => /domain/i.test(cookie)), 'no cookie domain');
  assert.ok(!(page.headers.get('location') ?? '').includes('evil.test'));
});

test('META-004 resource must be absolute, without a fragment, and known', async () => {
  const client = await register(w);
  const machine = await w.machineClient();
  const bad = ['mcp.test', `${w.mcp}#x`, 'https://unknown.test', '', 'urn:x', `${w.mcp}x`, `${w.mcp}/../mcp`,
    Array.from({ length: 200 }, (_, i) => `https://r${i}.test/`)];
  for (const resource of bad) {
    const note = Array.isArray(resource) ? '200 values' : JSON.stringify(resource);
    const atAuthorize = await play(w, client, { resource });
    const atToken = await machineToken(w, machine, { resource });
    if (resource === '') {
      // An empty parameter counts as absent (RFC 6749, 3.1): then the default audience holds.
      if (atToken.status === 200) assert.equal(claims(atToken.body.access_token).aud, w.mcp);
      continue;
    }
    assertRefused(atAuthorize, ['invalid_target', 'invalid_request'], note);
    assertTokenError(atToken, ['invalid_target', 'invalid_request'], note);
  }
  const tokens = await control(w, client);
  assert.equal(claims(tokens.access_token).aud, w.mcp);
});

test('META-005 no resource given: the one default audience, never all', async () => {
  const client = await register(w);
  const tokens = await signIn(w, client, { resource: undefined });
  assert.equal(claims(tokens.access_token).aud, w.mcp);
  await w.addResource('https://second.example/mcp');
  try {
    const machine = await w.machineClient();
    const answer = await machineToken(w, machine, { resource: undefined });
    if (answer.status === 200) assert.equal(typeof claims(answer.body.access_token).aud, 'string');
    else assertTokenError(answer, 'invalid_target');
  } finally {
    await w.cli(['admin', 'resource', 'delete', 'https://second.example/mcp']);
  }
  assert.equal((await getNews(w, tokens.access_token)).status, 200);
});

test('META-008 key rotation without a gap, with a kill in the middle', { timeout: 120_000 }, async () => {
  // A little longer than a resource server waits between two searches for an unknown key.
  const r = await World.start({ env: { WARDER_KEY_SET_CACHE_AGE: String(CACHE_AGE) } });
  try {
    await rotate(r);
  } finally {
    await r.stop();
  }
});

async function rotate(r) {
  const ROTATIONS = 3;
  const machine = await r.machineClient();
  const first = await machineToken(r, machine);
  const kids = new Set([jose(first.body.access_token).kid]);
  const issued = [first.body.access_token];
  let rotating = true;
  const failures = [];
  const loop = (async () => {
    while (rotating) {
      const answer = await machineToken(r, machine).catch((error) => ({ status: 0, text: String(error) }));
      if (answer.status === 200) {
        kids.add(jose(answer.body.access_token).kid);
        issued.push(answer.body.access_token);
        const called = await getNews(r, answer.body.access_token);
        if (called.status !== 200) failures.push(`${called.status} ${called.headers.get?.('www-authenticate')}`);
      }
      await sleep(20);
    }
  })();
  for (let i = 0; i < ROTATIONS; i++) {
    await r.cli(['admin', 'key', 'rotate']);
    if (i === ROTATIONS >> 1) {
      await r.kill9();
      await r.startWarder(r.port);
    }
    await sleep((CACHE_AGE + 5) * 1000);
  }
  rotating = false;
  await loop;
  assert.deepEqual(failures, []);
  assert.equal(kids.size, ROTATIONS + 1, 'each key has signed');
  const published = new Set((await (await fetch(r.metadata.jwks_uri)).json()).keys.map((key) => key.kid));
  for (const kid of kids) assert.ok(published.has(kid), `${kid} is still published: its tokens live`);
  for (const one of issued.slice(0, 5)) assert.equal((await getNews(r, one)).status, 200, 'old tokens are taken');
}

test('META the endpoints of the metadata are real, JSON, and free of null', async () => {
  const text = await (await fetch(w.base + OAUTH)).text();
  assert.ok(!/:\s*null/.test(text));
  const answer = await registerRaw(w, { redirect_uris: ['https://c.test/cb'], client_uri: null });
  if (answer.status === 201) assert.ok(!/:\s*null/.test(answer.text));
  const client = await register(w);
  const page = await new Browser(w.base).get(authorizeUrl(w, goodRequest(w, client).parameters));
  assert.equal(page.status, 200);
  const granted = await authorize(w, client, { scope: NEWS });
  const body = await redeem(w, client, granted);
  assert.ok(!/:\s*null/.test(body.text));
  const revoked = await post(w, 'revocation_endpoint', client, { token: body.body.refresh_token });
  assert.equal(revoked.status, 200);
});
