// The ideas of the OpenID suite's FAPI 2.0 and OpenID Connect modules that fit an authorization server
// without ID tokens, re-made from outside and named after them. Those on pushed requests, proofs and
// assertions stand in the tests of their own. Each negative is followed by a request that must succeed.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertPage, assertRefused, assertTokenError, control, play } from './lib/attack.mjs';
import { Browser, consentForm, loginForm } from './lib/browser.mjs';
import { authorize, authorizeUrl, claims, getNews, goodRequest, mcpPost, pkce, redeem, refresh, register, signIn, token } from './lib/oauth.mjs';
import { ANALYZE, NEWS, World, sleep } from './lib/world.mjs';

let w;
let client;
before(async () => {
  w = await World.start({ users: ['alice', 'bob'] });
  client = await register(w);
});
after(() => w?.stop());

// FAPI 2.0 security profile

test('discovery-end-point-verification', async () => {
  const m = w.metadata;
  assert.equal(m.issuer, w.issuer);
  for (const [name, value] of Object.entries(m)) {
    assert.notEqual(value, null, name);
    if (!/_(endpoint|uri)$/.test(name)) continue;
    assert.equal(new URL(value).origin, new URL(w.issuer).origin, name);
    const answer = await fetch(value, { method: name === 'jwks_uri' ? 'GET' : 'OPTIONS' });
    assert.notEqual(answer.status, 404, `${name} is there`);
  }
  assert.deepEqual(m.response_types_supported, ['code']);
  assert.deepEqual(m.code_challenge_methods_supported, ['S256']);
  assert.ok(m.grant_types_supported.includes('authorization_code'));
  assert.ok(m.token_endpoint_auth_methods_supported.includes('none'));
});

test('happy-flow', async () => {
  const tokens = await signIn(w, client);
  assert.match(tokens.token_type, /^bearer$/i);
  assert.equal((await getNews(w, tokens.access_token)).status, 200);
});

test('user-rejects-authentication', async () => {
  const result = await play(w, client, {}, { approve: false });
  assert.equal(result.error, 'access_denied');
  assert.equal(result.left.searchParams.get('state'), result.parameters.state);
  assert.equal(result.left.searchParams.get('iss'), w.issuer);
  await control(w, client);
});

test('ensure-other-scope-order-succeeds', async () => {
  for (const scope of [`${NEWS} ${ANALYZE}`, `${ANALYZE} ${NEWS}`, ` ${NEWS}  ${ANALYZE} `]) {
    const tokens = await signIn(w, client, { scope });
    assert.deepEqual(tokens.scope.split(' ').sort(), [NEWS, ANALYZE].sort());
  }
});

test('access-token-type-header-case-sensitivity', async () => {
  const { access_token: bearer } = await control(w, client);
  const message = { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'p', version: '1' } } };
  for (const scheme of ['Bearer', 'bearer', 'BEARER', 'bEaReR']) {
    const answer = await mcpPost(w.mcp, message, { headers: { authorization: `${scheme} ${bearer}` } });
    assert.equal(answer.status, 200, scheme);
  }
  for (const scheme of ['Basic', 'Token', 'Bearer:']) {
    const answer = await mcpPost(w.mcp, message, { headers: { authorization: `${scheme} ${bearer}` } });
    assert.ok([400, 401].includes(answer.status), `${scheme}: ${answer.status}`);
  }
});

test('refresh-token', async () => {
  const first = await signIn(w, client);
  const second = await refresh(w, client, first.refresh_token);
  assert.equal(second.status, 200, second.text);
  assert.notEqual(second.body.access_token, first.access_token);
  assert.equal(claims(second.body.access_token).sub, claims(first.access_token).sub);
  assert.equal((await getNews(w, second.body.access_token)).status, 200);
});

test('ensure-authorization-request-without-state-success', async () => {
  const { left, code } = await authorize(w, client, { state: undefined });
  assert.ok(code);
  assert.equal(left.searchParams.has('state'), false, 'none is made up');
});

test('ensure-authorization-request-with-long-state', async () => {
  const state = 'x'.repeat(1000);
  assert.equal((await authorize(w, client, { state })).left.searchParams.get('state'), state);
});

test('ensure-authorization-request-with-nonce of 64 and of more characters', async () => {
  for (const nonce of [undefined, 'n'.repeat(64), 'n'.repeat(500)]) {
    assert.ok((await authorize(w, client, { nonce })).code, nonce);
  }
});

test('ensure-registered-redirect-uri', async () => {
  for (const redirect of ['https://attacker.example/cb', 'http://127.0.0.1:7654/other', 'http://127.0.0.1:7654/callback?x=1', 'http://127.0.0.1:7654/callback/']) {
    assertPage(await play(w, client, { redirect_uri: redirect }), redirect);
  }
  await control(w, client);
});

test('ensure-response-type-code-idtoken-fails and ensure-response-type-token-fails', async () => {
  const browser = new Browser(w.base);
  await signIn(w, client, {}, { browser });
  for (const type of ['code id_token', 'token', 'id_token', 'code token id_token', 'none']) {
    assertRefused(await play(w, client, { response_type: type }, { browser }), ['unsupported_response_type'], type);
  }
  assertRefused(await play(w, client, { response_type: undefined }, { browser }), ['invalid_request'], 'missing');
  await control(w, client);
});

test('ensure-authorization-code-is-bound-to-client', async () => {
  const other = await register(w, { client_name: 'Other' });
  const granted = await authorize(w, client);
  assertTokenError(await redeem(w, other, granted), 'invalid_grant');
  assert.equal((await redeem(w, client, granted)).status, 200, 'its own client still can');
});

test('attempt-reuse-authorization-code-after-one-second', async () => {
  const granted = await authorize(w, client);
  const first = await redeem(w, client, granted);
  assert.equal(first.status, 200, first.text);
  await sleep(1000);
  assertTokenError(await redeem(w, client, granted), 'invalid_grant');
  assertTokenError(await refresh(w, client, first.body.refresh_token), 'invalid_grant', 'what came of it ended');
  await control(w, client);
});

test('ensure-token-endpoint-fails-with-expired-auth-code', async () => {
  const hasty = await World.start({ sample: false, env: { WARDER_CODE_LIFETIME: '5' } });
  try {
    const own = await register(hasty);
    const granted = await authorize(hasty, own);
    await sleep(6000);
    assertTokenError(await redeem(hasty, own, granted), 'invalid_grant');
    await control(hasty, own);
  } finally {
    await hasty.stop();
  }
});

test('par-ensure-pkce-required and par-plain-pkce-rejected, without a pushed request', async () => {
  const browser = new Browser(w.base);
  await signIn(w, client, {}, { browser });
  const bad = {
    missing: { code_challenge: undefined, code_challenge_method: undefined },
    plain: { code_challenge_method: 'plain' },
    'no method, which means plain': { code_challenge_method: undefined },
  };
  for (const [name, change] of Object.entries(bad)) {
    assertRefused(await play(w, client, change, { browser }), ['invalid_request'], name);
  }
  await control(w, client);
});

test('ensure-pkce-code-verifier-required and incorrect-pkce-code-verifier-rejected', async () => {
  const granted = await authorize(w, client);
  assertTokenError(await redeem(w, client, granted, { code_verifier: undefined }), ['invalid_grant', 'invalid_request'], 'missing');
  assertTokenError(await redeem(w, client, granted, { code_verifier: pkce().verifier }), 'invalid_grant', 'of another request');
  assert.equal((await redeem(w, client, granted)).status, 200);
});

test('ensure-client-id-in-token-endpoint', async () => {
  const granted = await authorize(w, client);
  const answer = await token(w, null, { grant_type: 'authorization_code', code: granted.code, code_verifier: granted.verifier });
  assertTokenError(answer, 'invalid_client');
  assert.equal((await redeem(w, client, granted)).status, 200);
});

// OpenID Connect basic and dynamic

test('oidcc-prompt-login: the password is typed again, though somebody is signed in', async () => {
  const browser = new Browser(w.base);
  await signIn(w, client, {}, { browser });
  const { parameters } = goodRequest(w, client, { prompt: 'login' });
  const at = await browser.get(authorizeUrl(w, parameters));
  assert.ok(loginForm(at.page), 'the login page comes');
  await control(w, client);
});

test('oidcc-prompt-none-not-logged-in and oidcc-prompt-none-logged-in', async () => {
  const web = await register(w, { redirect_uris: ['https://app.example/cb'] });
  assertRefused(await play(w, web, { prompt: 'none' }), ['login_required'], 'nobody is signed in');
  const browser = new Browser(w.base);
  assert.ok((await play(w, web, {}, { browser })).code);
  const silent = await browser.get(authorizeUrl(w, goodRequest(w, web, { prompt: 'none' }).parameters));
  assert.ok(silent.left?.searchParams.get('code'), 'who approved it before is not asked');
  await control(w, client);
});

test('oidcc-max-age-1 and oidcc-max-age-10000', async () => {
  const browser = new Browser(w.base);
  await signIn(w, client, {}, { browser });
  await sleep(2100);
  const old = await browser.get(authorizeUrl(w, goodRequest(w, client, { max_age: '1' }).parameters));
  assert.ok(loginForm(old.page), 'an old sign-in is not enough');
  const fresh = await browser.get(authorizeUrl(w, goodRequest(w, client, { max_age: '10000' }).parameters));
  assert.ok(consentForm(fresh.page), 'a fresh one is');
});

test('oidcc-ensure-request-with-unknown-parameter-succeeds, with display, ui_locales, claims_locales, login_hint, acr_values', async () => {
  const extra = { extra: 'foobar', display: 'popup', ui_locales: 'se', claims_locales: 'se', login_hint: 'alice@example.com', id_token_hint: 'x', acr_values: undefined };
  assert.ok((await authorize(w, client, extra)).code);
});

test('oidcc-ensure-post-request-succeeds', async () => {
  const { parameters } = goodRequest(w, client);
  const browser = new Browser(w.base);
  const at = await browser.go('POST', `${w.base}/authorize`, { body: String(new URLSearchParams(parameters)) });
  assert.ok(loginForm(at.page));
});

test('oidcc-request-uri-unsigned and oidcc-unsigned-request-object: rejected as unsupported, nothing is fetched', async () => {
  const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{}').toString('base64url')}.`;
  assertRefused(await play(w, client, { request: none }), ['request_not_supported', 'invalid_request']);
  assertRefused(await play(w, client, { request_uri: 'https://client.example/request.jwt' }), ['request_uri_not_supported', 'invalid_request']);
  await control(w, client);
});

test('oidcc-redirect-uri-query-OK, oidcc-redirect-uri-query-mismatch, oidcc-redirect-uri-query-added', async () => {
  const own = await register(w, { redirect_uris: ['https://app.example/cb?foo=bar'] });
  const ok = await authorize(w, own);
  assert.equal(ok.left.searchParams.get('foo'), 'bar');
  for (const redirect of ['https://app.example/cb', 'https://app.example/cb?foo=baz', 'https://app.example/cb?foo=bar&x=y']) {
    assertPage(await play(w, own, { redirect_uri: redirect }), redirect);
  }
  await control(w, own);
});

test('oidcc-redirect-uri-regfrag', async () => {
  const answer = await fetch(w.metadata.registration_endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ redirect_uris: ['https://app.example/cb#fragment'] }),
  });
  assert.equal(answer.status, 400);
  assert.equal((await answer.json()).error, 'invalid_redirect_uri');
  await register(w);
});

test('oidcc-ensure-redirect-uri-in-authorization-request: several registered ones, none named', async () => {
  const own = await register(w, { redirect_uris: ['https://app.example/a', 'https://app.example/b'] });
  assertPage(await play(w, own, { redirect_uri: undefined }));
  await control(w, own);
});

test('oidcc-server-rotate-keys', async () => {
  const kids = async () => (await (await fetch(w.metadata.jwks_uri)).json()).keys.map((key) => key.kid);
  const before = await kids();
  const tokens = await control(w, client);
  await w.cli(['admin', 'key', 'rotate']);
  await sleep(300);
  const after = await kids();
  assert.ok(before.every((kid) => after.includes(kid)) && after.length > before.length, 'published before it signs, the old one stays');
  assert.equal((await getNews(w, tokens.access_token)).status, 200);
  await control(w, client);
});

test('one person is not another: the tokens of two name two subjects, the same one each time', async () => {
  const sub = async (user) => claims((await signIn(w, client, {}, { user })).access_token).sub;
  const [alice, again, bob] = [await sub('alice'), await sub('alice'), await sub('bob')];
  assert.equal(alice, again);
  assert.notEqual(alice, bob);
});
