// Attack cases of the area as-authorize, from outside.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertPage, assertRefused, control, play, playUrl, signedIn, trap } from './lib/attack.mjs';
import { Browser, loginForm } from './lib/browser.mjs';
import { authorize, authorizeUrl, claims, goodRequest, redeem, register, signIn } from './lib/oauth.mjs';
import { ANALYZE, NEWS, PASSWORD, World } from './lib/world.mjs';

let w;
let client;
before(async () => {
  w = await World.start({ sample: false });
  client = await register(w);
});
after(() => w?.stop());

test('AZ-002 implicit flow cannot be reached by altering the login form', async () => {
  const { parameters } = goodRequest(w, client);
  const browser = new Browser(w.base);
  const at = await browser.get(authorizeUrl(w, parameters));
  const form = loginForm(at.page);
  for (const field of form.fields) {
    if (field.value.includes('response_type')) field.value = field.value.replace(/response_type(=|%3D)code/, 'response_type$1token');
  }
  form.fields.push({ name: 'response_type', type: 'hidden', value: 'token' });
  form.action = form.action.replace('response_type=code', 'response_type=token');
  const text = form.fields.find((f) => f.type === 'text' || f.type === 'email').name;
  const secret = form.fields.find((f) => f.type === 'password').name;
  let after = await browser.submit(form, { [text]: 'alice', [secret]: PASSWORD });
  if (!after.left && after.page.forms.length && !loginForm(after.page)) after = await browser.decide(after.page);
  if (after.left) {
    assert.equal(after.left.searchParams.get('access_token'), null);
    assert.equal(after.left.hash, '', 'nothing in the fragment');
    assert.ok(after.left.searchParams.get('code') || after.left.searchParams.get('error'));
  }
  for (const type of ['token', 'id_token', 'code token', 'none']) {
    const result = await play(w, client, { response_type: type });
    assertRefused(result, ['unsupported_response_type', 'invalid_request'], type);
    assert.equal(result.left?.hash ?? '', '');
  }
  await control(w, client);
});

test('AZ-003 iss in success and error responses', async () => {
  assert.equal(w.metadata.authorization_response_iss_parameter_supported, true);
  const yes = await play(w, client);
  const no = await play(w, client, { scope: `${NEWS} ${ANALYZE}` }, { approve: false });
  assert.equal(no.error, 'access_denied');
  const browser = await signedIn(w);
  const wrong = await play(w, client, { response_type: 'bogus' }, { browser });
  for (const result of [yes, no, wrong]) {
    if (!result.left) continue;
    assert.deepEqual(result.left.searchParams.getAll('iss'), [w.metadata.issuer]);
    assert.deepEqual(result.left.searchParams.getAll('state'), [result.parameters.state]);
  }
  assert.ok(yes.left && no.left);
});

// A request_uri of ours names a pushed request (par.test.mjs); any other one is still never fetched.
test('AZ-004 unknown parameters are ignored; request and a foreign request_uri are answered as unsupported', async () => {
  const evil = await trap();
  try {
    assert.ok((await play(w, client, { foo: 'bar', claims: '{}', registration: '{}' })).code, 'unknown ones are ignored');
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{}').toString('base64url')}.`;
    assertRefused(await play(w, client, { request: none }), ['request_not_supported', 'invalid_request'], 'request');
    for (const uri of [`${evil.url}/r`, `${evil.url}/r#urn:ietf:params:oauth:request_uri:x`, 'urn:example:x', 'URN:ietf:params:oauth:request_uri:x']) {
      assertRefused(await play(w, client, { request_uri: uri }), ['request_uri_not_supported', 'invalid_request'], uri);
    }
    assertPage(await play(w, client, { request_uri: 'urn:ietf:params:oauth:request_uri:x' }), 'ours, but nobody pushed it');
    assert.deepEqual(evil.hits, []);
  } finally {
    await evil.close();
  }
  await control(w, client);
});

test('AZ-008 scope grammar and unknown scopes', async () => {
  for (const scope of ['"x', 'a\\b', 'news:read\x7f', `${NEWS}\t${ANALYZE}`]) {
    const result = await play(w, client, { scope });
    assertRefused(result, ['invalid_scope', 'invalid_request'], JSON.stringify(scope));
  }
  const many = Array.from({ length: 5000 }, (_, i) => `s${i}`).join(' ');
  const { parameters } = goodRequest(w, client, { scope: many });
  const flood = await playUrl(w, authorizeUrl(w, parameters));
  if (!flood.left) assert.ok(flood.status >= 400 && flood.status < 500, String(flood.status));
  const twice = await signIn(w, client, { scope: `${NEWS} ${NEWS}` });
  assert.equal(twice.scope, NEWS, 'duplicates collapse');
  const unknown = await signIn(w, client, { scope: `${NEWS} bogus:thing` });
  assert.equal(unknown.scope, NEWS, 'narrowed, and said so');
  const empty = await play(w, client, { scope: '' });
  if (empty.code) assert.ok((await redeem(w, client, empty)).body.scope);
  else assertRefused(empty, ['invalid_scope', 'invalid_request'], 'empty');
});

test('AZ-009 scopes beyond the client registration are never granted', async () => {
  // SDKs register with the scope of the first challenge and step up later, so a self-registered
  // client may be registered for more than it named; what counts is what the registration says.
  const wished = await register(w, { scope: NEWS });
  const allowed = (wished.scope ?? NEWS).split(' ');
  await grantsOnly(wished, `${NEWS} ${ANALYZE} admin *`, allowed);
  assert.ok(!allowed.includes('admin') && !allowed.includes('*'));
  // What an administrator wrote down is a bound.
  const bound = await w.addClient(['--name', 'Bound', '--redirect-uri', 'https://c.test/cb', '--scope', NEWS]);
  await grantsOnly({ redirect_uris: ['https://c.test/cb'], ...bound }, `${NEWS} ${ANALYZE}`, [NEWS]);
});

async function grantsOnly(one, scope, allowed) {
  const result = await play(w, one, { scope });
  if (!result.code) {
    assertRefused(result, ['invalid_scope']);
    return;
  }
  const answer = await redeem(w, one, result);
  assert.equal(answer.status, 200, answer.text);
  for (const granted of claims(answer.body.access_token).scope.split(' ')) assert.ok(allowed.includes(granted), `${granted} was granted`);
  assert.equal(answer.body.scope, claims(answer.body.access_token).scope);
}

test('AZ-010 codes, refresh tokens, client ids and sessions are long, opaque and unlike each other', async () => {
  const ROUNDS = 60;
  const browser = await signedIn(w);
  const seen = { code: [], refresh: [], client: [], jti: [] };
  for (let i = 0; i < ROUNDS; i++) {
    const one = await register(w);
    const granted = await authorize(w, one, {}, { browser });
    const answer = await redeem(w, one, granted);
    seen.code.push(granted.code);
    seen.refresh.push(answer.body.refresh_token);
    seen.client.push(one.client_id);
    seen.jti.push(claims(answer.body.access_token).jti);
  }
  for (const [name, values] of Object.entries(seen)) {
    assert.equal(new Set(values).size, ROUNDS, `${name}: no duplicates`);
    const least = { code: 27, refresh: 27, client: 16, jti: 16 }[name];
    for (const value of values) assert.ok(value.length >= least, `${name} ${value} is long enough`);
    const prefix = commonPrefix(values);
    assert.ok(values[0].length - prefix >= least, `${name}: the part beyond the shared prefix is long enough`);
    assertSpread(values.map((value) => value.slice(prefix)), name);
  }
});

function commonPrefix(values) {
  let n = 0;
  while (values.every((value) => value[n] === values[0][n])) n++;
  return n;
}

/** Each position takes many different characters: no clock and no counter inside. */
function assertSpread(values, name) {
  const length = Math.min(...values.map((value) => value.length));
  for (let at = 1; at < length - 2; at++) {
    const different = new Set(values.map((value) => value[at])).size;
    const alphabet = /^[0-9a-f]+$/.test(values.join('').replace(/[-_]/g, '')) ? 6 : 15;
    const dash = values.every((value) => value[at] === '-' || value[at] === '_' || value[at] === '.');
    assert.ok(dash || different >= alphabet || /^[0-9a-f-]{36}$/.test(values[0]), `${name}: position ${at} takes only ${different} characters`);
  }
}

test('a client that nobody registered gets a page, not a redirect', async () => {
  const { parameters } = goodRequest(w, client, { client_id: 'no-such-client' });
  assertPage(await playUrl(w, authorizeUrl(w, parameters)));
});
