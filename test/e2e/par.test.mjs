// Pushed authorization requests (RFC 9126): attack cases, what the FAPI profile tries of them, and
// the clients that speak them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { assertPage, assertRefused, assertTokenError, control, playUrl, signedIn, trap } from './lib/attack.mjs';
import { Browser } from './lib/browser.mjs';
import { newKey, proof } from './lib/dpop.mjs';
import { authorizeUrl, CALLBACK, claims, getNews, goodRequest, post, redeem, register } from './lib/oauth.mjs';
import { ANALYZE, NEWS, PASSWORD, World, sleep } from './lib/world.mjs';

const URN = 'urn:ietf:params:oauth:request_uri:';
const PAR = 'pushed_authorization_request_endpoint';
const insecure = { [oauth.allowInsecureRequests]: true };

let w;
let client;
let secret;
before(async () => {
  w = await World.start({ env: { WARDER_PUSHED_REQUEST_LIFETIME: '5' } });
  client = await register(w);
  secret = await register(w, { token_endpoint_auth_method: 'client_secret_basic' });
});
after(() => w?.stop());

/** Pushes a good request, bent by overrides; without client_id, which the authentication brings. */
async function push(one, overrides = {}, options) {
  const { verifier, parameters } = goodRequest(w, one, overrides);
  const { client_id: _, ...rest } = parameters;
  return { ...(await post(w, PAR, one, rest, options)), verifier, parameters };
}

async function pushed(one, overrides) {
  const answer = await push(one, overrides);
  assert.equal(answer.status, 201, answer.text);
  assert.ok(answer.body.request_uri.startsWith(URN), answer.text);
  return answer;
}

/** Where the browser goes with it. */
function front(one, answer, more = {}) {
  return authorizeUrl(w, { client_id: one.client_id, request_uri: answer.body.request_uri, ...more });
}

function assertPushError(answer, status, errors) {
  assert.equal(answer.status, status, answer.text);
  assert.ok([errors].flat().includes(answer.body.error), answer.text);
  assert.equal(answer.body.request_uri, undefined);
}

test('the answer to a pushed request: 201, no-store, a reference nobody can guess, and how long it holds', async () => {
  const answer = await pushed(client);
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  assert.match(answer.headers.get('content-type'), /^application\/json/);
  assert.equal(answer.body.expires_in, 5);
  assert.ok(answer.body.request_uri.length >= URN.length + 43);
  assert.notEqual((await pushed(client)).body.request_uri, answer.body.request_uri);
  assert.equal(w.metadata[PAR], `${w.issuer}/par`);
  assert.equal(w.metadata.require_pushed_authorization_requests, false);
});

test('PAR-001 request_uri is single use and bound to its client', async () => {
  const other = await register(w);
  const answer = await pushed(client);
  const stolen = await playUrl(w, front(other, answer));
  assertPage(stolen, 'another client');
  const browser = await signedIn(w);
  const loaded = await browser.get(front(client, answer));
  assert.equal(loaded.status, 200);
  const again = await browser.get(front(client, answer));
  assert.equal(again.status, 200, 'reloading before completion works');
  const { left } = await browser.decide(again.page);
  const code = left.searchParams.get('code');
  assert.ok(code);
  const late = await browser.decide(loaded.page);
  assert.equal(late.left, undefined, 'the other window gets nothing');
  assertPage(late, 'the other window');
  assertPage(await playUrl(w, front(client, answer), { browser }), 'a second completion');
  const tokens = await redeem(w, client, { code, verifier: answer.verifier, parameters: answer.parameters });
  assert.equal(tokens.status, 200, tokens.text);
  await control(w, client);
});

test('PAR-001 a denied request cannot be completed either', async () => {
  const answer = await pushed(client, { scope: `${NEWS} ${ANALYZE}` });
  const browser = await signedIn(w);
  assertRefused(await playUrl(w, front(client, answer), { browser, approve: false }), ['access_denied']);
  assertPage(await playUrl(w, front(client, answer), { browser }), 'after the denial');
});

test('PAR-004 only the pushed values count', async () => {
  const answer = await pushed(client, { scope: NEWS, state: 'inside' });
  const evil = await trap();
  try {
    const url = front(client, answer, {
      scope: `${NEWS} ${ANALYZE}`, redirect_uri: `${evil.url}/cb`, state: 'outside', response_type: 'token', resource: 'https://x.test',
    });
    const result = await playUrl(w, url);
    assert.ok(result.code, `${result.left ?? result.text}`);
    assert.ok(result.left.href.startsWith(CALLBACK));
    assert.equal(result.left.searchParams.get('state'), 'inside');
    const tokens = await redeem(w, client, { code: result.code, verifier: answer.verifier, parameters: answer.parameters });
    assert.equal(tokens.body.scope, NEWS);
    assert.deepEqual(evil.hits, []);
  } finally {
    await evil.close();
  }
});

test('a state that only stands outside of the pushed request is not used', async () => {
  const answer = await pushed(client, { state: undefined });
  const result = await playUrl(w, front(client, answer, { state: 'outside' }));
  assert.ok(result.code);
  assert.equal(result.left.searchParams.get('state'), null);
});

test('PAR-005 PAR needs client authentication and PKCE', async () => {
  const asPublic = { ...secret, token_endpoint_auth_method: 'none' };
  assertPushError(await push(asPublic), 401, 'invalid_client');
  assertPushError(await push({ ...secret, client_secret: 'wrong' }), 401, 'invalid_client');
  assertPushError(await push({ client_id: 'nobody', token_endpoint_auth_method: 'none' }), 401, 'invalid_client');
  assertPushError(await push(secret, { code_challenge: undefined, code_challenge_method: undefined }), 400, 'invalid_request');
  assertPushError(await push(secret, { code_challenge_method: 'plain' }), 400, 'invalid_request');
  assert.equal((await push(secret)).status, 201);
});

test('every check of the authorization endpoint is made at once', async () => {
  for (const [overrides, error] of [
    [{ redirect_uri: 'https://evil.test/cb' }, 'invalid_request'],
    [{ response_type: 'token' }, 'unsupported_response_type'],
    [{ response_type: 'code id_token' }, 'unsupported_response_type'],
    [{ resource: 'https://unknown.test/mcp' }, 'invalid_target'],
    [{ scope: '"' }, 'invalid_scope'],
    [{ prompt: 'none login' }, 'invalid_request'],
    [{ request: 'e30.e30.' }, ['request_not_supported', 'invalid_request']],
    [{ state: ['a', 'b'] }, 'invalid_request'],
    [{ redirect_uri: [CALLBACK, CALLBACK] }, 'invalid_request'],
    [{ code_challenge_method: ['S256', 'S256'] }, 'invalid_request'],
  ]) {
    assertPushError(await push(client, overrides), 400, error);
  }
  assert.equal((await push(client)).status, 201);
});

test('a request_uri cannot be pushed, and one of others is never fetched', async () => {
  const evil = await trap();
  try {
    const first = await pushed(client);
    assertPushError(await push(client, { request_uri: first.body.request_uri }), 400, 'invalid_request');
    assertPushError(await push(client, { request_uri: `${evil.url}/r` }), 400, 'invalid_request');
    const { parameters } = goodRequest(w, client, { request_uri: `${evil.url}/r` });
    assertRefused(await playUrl(w, authorizeUrl(w, parameters)), ['request_uri_not_supported', 'invalid_request']);
    assert.deepEqual(evil.hits, []);
  } finally {
    await evil.close();
  }
});

test('only POST is taken', async () => {
  for (const method of ['GET', 'PUT', 'DELETE', 'PATCH']) {
    const answer = await fetch(w.metadata[PAR], { method });
    assert.equal(answer.status, 405, method);
    await answer.text();
  }
});

test('made-up references lead to a page', async () => {
  for (const tail of ['', 'wrp_', 'wrp_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', '../x']) {
    assertPage(await playUrl(w, authorizeUrl(w, { client_id: client.client_id, request_uri: `${URN}${tail}` })), tail);
  }
  await control(w, client);
});

test('a request_uri that has expired leads to a page; one that was begun with may take its time', async () => {
  const late = await pushed(client);
  const begun = await pushed(client, { scope: `${NEWS} ${ANALYZE}` });
  const browser = new Browser(w.base);
  const login = await browser.get(front(client, begun));
  await sleep(5_500);
  assertPage(await playUrl(w, front(client, late)), 'expired');
  let at = await browser.login(login.page, 'alice', PASSWORD);
  at = await browser.decide(at.page);
  assert.ok(at.left.searchParams.get('code'), 'the person was slow, the request in time');
});

test('a client may demand it for itself', async () => {
  const strict = await register(w, { require_pushed_authorization_requests: true });
  assert.equal(strict.require_pushed_authorization_requests, true);
  const browser = await signedIn(w);
  const { parameters } = goodRequest(w, strict);
  assertRefused(await playUrl(w, authorizeUrl(w, parameters), { browser }), ['invalid_request'], 'not pushed');
  assert.ok((await playUrl(w, front(strict, await pushed(strict)), { browser })).code);
});

test('the trail names what was pushed, without its reference', async () => {
  const answer = await pushed(client);
  const line = w.audit().filter((one) => one.event === 'pushed').at(-1);
  assert.equal(line.decision, 'allow');
  assert.equal(line.client, client.client_id);
  assert.ok(!w.auditText().includes(answer.body.request_uri.slice(URN.length)));
});

const dpop = (value) => ({ headers: { dpop: value } });

test('the key of a proof that was pushed along must redeem the code', async () => {
  const key = newKey();
  const answer = await push(client, {}, dpop(proof(key, w.metadata[PAR])));
  assert.equal(answer.status, 201, answer.text);
  const { code } = await playUrl(w, front(client, answer));
  const granted = { code, verifier: answer.verifier, parameters: answer.parameters };
  assertTokenError(await redeem(w, client, granted), 'invalid_grant', 'no proof');
  assertTokenError(await redeem(w, client, granted, {}, dpop(proof(newKey(), w.metadata.token_endpoint))), 'invalid_grant', 'another key');
  const tokens = await redeem(w, client, granted, {}, dpop(proof(key, w.metadata.token_endpoint)));
  assert.equal(tokens.status, 200, tokens.text);
  assert.deepEqual(claims(tokens.body.access_token).cnf, { jkt: key.jkt });
});

test('dpop_jkt and the proof beside it must name the same key; a proof counts once', async () => {
  const key = newKey();
  const fits = proof(key, w.metadata[PAR]);
  assert.equal((await push(client, { dpop_jkt: key.jkt }, dpop(fits))).status, 201);
  assertPushError(await push(client, { dpop_jkt: key.jkt }, dpop(fits)), 400, 'invalid_dpop_proof');
  assertPushError(await push(client, { dpop_jkt: newKey().jkt }, dpop(proof(key, w.metadata[PAR]))), 400, 'invalid_dpop_proof');
  assertPushError(await push(client, {}, dpop(proof(key, w.metadata.token_endpoint))), 400, 'invalid_dpop_proof');
  assertPushError(await push(client, { dpop_jkt: 'short' }), 400, 'invalid_request');
  assert.equal((await push(client, { dpop_jkt: key.jkt })).status, 201, 'named without a proof');
});

test('long values go through whole', async () => {
  const state = `${'s'.repeat(1000)} &=%é`;
  const answer = await pushed(client, { state, nonce: 'n'.repeat(64) });
  const result = await playUrl(w, front(client, answer));
  assert.equal(result.left.searchParams.get('state'), state);
});

test('oauth4webapi: PAR with client_secret_basic, then the code flow', async () => {
  const as = await oauth.processDiscoveryResponse(new URL(w.issuer),
    await oauth.discoveryRequest(new URL(w.issuer), { algorithm: 'oauth2', ...insecure }));
  const authentication = oauth.ClientSecretBasic(secret.client_secret);
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const response = await oauth.pushedAuthorizationRequest(as, secret, authentication, {
    redirect_uri: CALLBACK,
    response_type: 'code',
    scope: NEWS,
    state,
    resource: w.mcp,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  }, insecure);
  const { request_uri: uri } = await oauth.processPushedAuthorizationResponse(as, secret, response);
  const url = new URL(as.authorization_endpoint);
  url.search = new URLSearchParams({ client_id: secret.client_id, request_uri: uri });
  const left = await new Browser(w.base).authorize(url, { password: PASSWORD });
  const tokens = await oauth.processAuthorizationCodeResponse(as, secret,
    await oauth.authorizationCodeGrantRequest(as, secret, authentication, oauth.validateAuthResponse(as, secret, left, state),
      CALLBACK, verifier, insecure));
  assert.equal(claims(tokens.access_token).aud, w.mcp);
  assert.equal((await getNews(w, tokens.access_token)).status, 200);
});

test('openid-client: PAR of a public client', async () => {
  const config = await openid.discovery(new URL(w.issuer), client.client_id, undefined, openid.None(), {
    algorithm: 'oauth2', execute: [openid.allowInsecureRequests],
  });
  const verifier = openid.randomPKCECodeVerifier();
  const state = openid.randomState();
  const url = await openid.buildAuthorizationUrlWithPAR(config, {
    redirect_uri: CALLBACK,
    scope: NEWS,
    state,
    resource: w.mcp,
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  });
  assert.deepEqual([...url.searchParams.keys()].sort(), ['client_id', 'request_uri']);
  const left = await new Browser(w.base).authorize(url, { password: PASSWORD });
  const tokens = await openid.authorizationCodeGrant(config, left, { pkceCodeVerifier: verifier, expectedState: state });
  assert.equal(tokens.scope, NEWS);
});

test('a server that takes nothing else says so and does so', async () => {
  const strict = await World.start({ sample: false, env: { WARDER_REQUIRE_PUSHED_AUTHORIZATION_REQUESTS: 'true' } });
  try {
    assert.equal(strict.metadata.require_pushed_authorization_requests, true);
    const one = await register(strict);
    const { parameters } = goodRequest(strict, one);
    const { client_id: _, ...rest } = parameters;
    assertRefused(await playUrl(strict, authorizeUrl(strict, parameters)), ['invalid_request']);
    const answer = await post(strict, PAR, one, rest);
    const result = await playUrl(strict, authorizeUrl(strict, { client_id: one.client_id, request_uri: answer.body.request_uri }));
    assert.ok(result.code);
  } finally {
    await strict.stop();
  }
});
