// Attack cases of the area as-dcr, from outside.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { assertTokenError, control, play, signedIn } from './lib/attack.mjs';
import { Browser, consentForm, loginForm } from './lib/browser.mjs';
import { authorizeUrl, CALLBACK, goodRequest, machineToken, register, registerRaw } from './lib/oauth.mjs';
import { World } from './lib/world.mjs';

let w;
before(async () => (w = await World.start({ sample: false })));
after(() => w?.stop());

const PUBLIC = { redirect_uris: [CALLBACK], token_endpoint_auth_method: 'none' };

describe('a public address', () => {
  let prod;
  before(async () => {
    prod = await World.start({
      sample: false, users: [],
      env: { WARDER_PUBLIC_URL: 'https://auth.example.com', WARDER_TRUSTED_PROXIES: '127.0.0.1/32' },
    });
  });
  after(() => prod?.stop());

  test('DCR-001 registration needs an initial access token on a public address', async () => {
    const anonymous = await registerRaw(prod, PUBLIC);
    assert.equal(anonymous.status, 401, anonymous.text);
    assert.match(anonymous.headers.get('www-authenticate') ?? '', /^Bearer/);
    const bad = await registerRaw(prod, PUBLIC, { authorization: 'Bearer not-a-token' });
    assert.equal(bad.status, 401);
    const { stdout } = await prod.cli(['admin', 'registration-token']);
    const initial = stdout.trim().split(/\s+/).sort((a, b) => b.length - a.length)[0];
    const good = await registerRaw(prod, PUBLIC, { authorization: `Bearer ${initial}` });
    assert.equal(good.status, 201, good.text);
    const again = await registerRaw(prod, PUBLIC, { authorization: `Bearer ${initial}` });
    assert.equal(again.status, 401, 'a token registers one client');
  });

  test('DCR-001 registration can be switched off', async () => {
    const off = await World.start({ sample: false, users: [], env: { WARDER_REGISTRATION: 'off' } });
    try {
      assert.equal(off.metadata.registration_endpoint, undefined, 'not advertised');
      const answer = await fetch(`${off.base}/register`, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } });
      assert.ok([403, 404, 405].includes(answer.status), String(answer.status));
    } finally {
      await off.stop();
    }
  });
});

test('DCR-002 a registration flood meets a quota, and flows go on', async () => {
  const tight = await World.start({
    sample: false,
    env: { WARDER_REGISTRATION_PER_MINUTE: '25', WARDER_REGISTRATION_MAX_CLIENTS: '15' },
  });
  try {
    const mine = await register(tight);
    await control(tight, mine);
    const statuses = [];
    let throttled = null;
    for (let i = 0; i < 60; i++) {
      const answer = await registerRaw(tight, PUBLIC);
      statuses.push(answer.status);
      if (answer.status === 429) throttled ??= answer;
    }
    assert.ok(throttled, String(statuses));
    assert.ok(Number(throttled.headers.get('retry-after')) > 0);
    const { stdout } = await tight.cli(['admin', 'client', 'list']);
    assert.ok(stdout.trim().split('\n').length <= 16, 'the number of clients is bounded');
    await control(tight, mine);
  } finally {
    await tight.stop();
  }
});

test('DCR-003 mass assignment', async () => {
  const wanted = {
    client_id: 'chosen', client_secret: 'chosen-secret', registration_access_token: 'x', owner: 'alice', is_admin: true,
    trusted: true, skip_consent: true, scope: 'admin *', userId: 'alice', first_party: true, require_pkce: false,
  };
  const answer = await registerRaw(w, { ...PUBLIC, ...wanted });
  if (answer.status === 201) {
    assert.notEqual(answer.body.client_id, 'chosen');
    assert.notEqual(answer.body.client_secret, 'chosen-secret');
    for (const name of ['is_admin', 'trusted', 'skip_consent', 'owner', 'userId', 'first_party']) {
      assert.equal(answer.body[name], undefined, name);
    }
    assert.ok(!/\badmin\b|\*/.test(answer.body.scope ?? ''), answer.text);
    const browser = await signedIn(w);
    const at = await browser.get(authorizeUrl(w, goodRequest(w, answer.body).parameters));
    assert.ok(consentForm(at.page), 'consent is still asked');
  } else {
    assert.equal(answer.body.error, 'invalid_client_metadata');
  }
  const machine = await registerRaw(w, { redirect_uris: [], grant_types: ['client_credentials'], token_endpoint_auth_method: 'client_secret_basic' });
  if (machine.status === 201) {
    const tried = await machineToken(w, machine.body);
    if (tried.status === 200) assert.ok(false, `a stranger got a machine token: ${tried.text}`);
    assertTokenError(tried, ['unauthorized_client', 'invalid_scope']);
  }
});

test('DCR-007 jwks with private or symmetric members', async () => {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const good = ec.publicKey.export({ format: 'jwk' });
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
  const bad = {
    private: [ec.privateKey.export({ format: 'jwk' })],
    symmetric: [{ kty: 'oct', k: 'c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0' }],
    'RSA of 1024 bits': [small],
    'exponent one': [{ ...rsa, e: 'AQ' }],
    'off the curve': [{ ...good, y: good.x }],
    'duplicate kid': [{ ...good, kid: 'a' }, { ...rsa, kid: 'a' }],
  };
  for (const [name, keys] of Object.entries(bad)) {
    const answer = await registerRaw(w, { ...PUBLIC, jwks: { keys } });
    // Where private_key_jwt is not offered, jwks is an unknown member: ignored, and not kept.
    if (answer.status === 201) assert.equal(answer.body.jwks, undefined, `${name} was kept`);
    else assert.equal(answer.body.error, 'invalid_client_metadata', `${name}: ${answer.text}`);
  }
  await control(w);
});

test('DCR-008 inconsistent metadata', async () => {
  const inconsistent = {
    'response type token': { ...PUBLIC, grant_types: ['authorization_code'], response_types: ['token'] },
    'none with client_credentials': { token_endpoint_auth_method: 'none', grant_types: ['client_credentials'] },
    'redirect_uris absent': { token_endpoint_auth_method: 'none' },
    'redirect_uris empty': { ...PUBLIC, redirect_uris: [] },
    'redirect_uris no array': { ...PUBLIC, redirect_uris: CALLBACK },
    'a fragment': { ...PUBLIC, redirect_uris: ['https://c.test/cb#x'] },
    'javascript:': { ...PUBLIC, redirect_uris: ['javascript:alert(1)'] },
    'data:': { ...PUBLIC, redirect_uris: ['data:text/html,x'] },
    'http to a host': { ...PUBLIC, redirect_uris: ['http://c.test/cb'] },
    'relative': { ...PUBLIC, redirect_uris: ['/cb'] },
    'user info': { ...PUBLIC, redirect_uris: ['https://a@c.test/cb'] },
    'unknown method': { ...PUBLIC, token_endpoint_auth_method: 'magic' },
    'no object': [],
  };
  for (const [name, metadata] of Object.entries(inconsistent)) {
    const answer = await registerRaw(w, metadata);
    assert.equal(answer.status, 400, `${name}: ${answer.status} ${answer.text}`);
    assert.ok(['invalid_client_metadata', 'invalid_redirect_uri'].includes(answer.body.error), `${name}: ${answer.text}`);
  }
  for (const text of ['', '{', '{"redirect_uris":["https://c.test/cb"],"redirect_uris":["https://evil.test/cb"]}', '"x"', 'null']) {
    assert.equal((await registerRaw(w, text)).status, 400, text);
  }
  await control(w);
});

test('DCR-010 the server picks the client_id, and URL-shaped ids are impossible', async () => {
  for (const wanted of ['https://c.test/client.json', 'http://c.test/', 'chosen']) {
    const answer = await registerRaw(w, { ...PUBLIC, client_id: wanted });
    if (answer.status !== 201) continue;
    assert.notEqual(answer.body.client_id, wanted);
    assert.doesNotMatch(answer.body.client_id, /:|\//);
    assert.match(answer.body.client_id, /^[A-Za-z0-9._~-]+$/, 'unreserved characters only: SDKs do not encode');
  }
  const confidential = await register(w, { token_endpoint_auth_method: 'client_secret_basic' });
  assert.match(confidential.client_secret, /^[A-Za-z0-9._~-]+$/);
  assert.equal(typeof confidential.client_id_issued_at, 'number');
  assert.equal(typeof confidential.client_secret_expires_at, 'number');
});

test('DCR-011 loopback and application_type', async () => {
  const native = await registerRaw(w, { ...PUBLIC, application_type: 'native', redirect_uris: ['https://c.test/cb', 'http://127.0.0.1/cb', 'http://localhost/cb'] });
  assert.equal(native.status, 201, native.text);
  assert.equal(native.body.application_type, 'native');
  const web = await registerRaw(w, { ...PUBLIC, application_type: 'web', redirect_uris: ['http://localhost:1234/cb'] });
  // Refused, or (clients send "web" with loopback URIs) registered as what it is.
  if (web.status === 201) assert.equal(web.body.application_type, 'native', web.text);
  else assert.match(web.text, /redirect_uri|application_type/);
  const absent = await registerRaw(w, { ...PUBLIC, redirect_uris: ['http://localhost/cb'] });
  assert.equal(absent.status, 201, absent.text);
});

test('DCR-013 a client cannot borrow the consent given to another', async () => {
  const honest = await register(w, { client_name: 'Honest', redirect_uris: ['https://c.test/cb'] });
  const browser = new Browser(w.base);
  assert.ok((await play(w, honest, {}, { browser })).code);
  const attacker = await register(w, { client_name: 'Honest', redirect_uris: ['https://evil.test/cb'] });
  const at = await browser.get(authorizeUrl(w, goodRequest(w, attacker).parameters));
  assert.equal(at.left, undefined, 'no silent redirect');
  assert.ok(!loginForm(at.page), 'the session is live');
  assert.ok(consentForm(at.page), 'consent is asked');
  assert.ok(at.page.text.includes('evil.test'), 'and names where it leads');
  await control(w, honest);
});
