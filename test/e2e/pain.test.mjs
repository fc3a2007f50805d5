// What real clients trip over at other servers, row by row.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertPage, assertTokenError, control, play, playUrl, signedIn } from './lib/attack.mjs';
import { Browser, consentForm, loginForm } from './lib/browser.mjs';
import { analyze, authorize, authorizeUrl, basic, CALLBACK, challenge, claims, getNews, goodRequest, httpRaw, machineToken, mcpOpen, read, redeem, refresh, register, registerRaw, signIn, token } from './lib/oauth.mjs';
import { ANALYZE, NEWS, PASSWORD, World } from './lib/world.mjs';

let w;
before(async () => (w = await World.start()));
after(() => w?.stop());

const get = async (url, headers = {}) => read(await fetch(url, { headers, redirect: 'manual' }));

test('pain row 1: a bare-origin issuer, and the same metadata at every variant a client tries', async () => {
  assert.equal(w.metadata.issuer, new URL(w.issuer).origin, 'no path, no trailing slash');
  const paths = [
    '/.well-known/oauth-authorization-server', '/.well-known/oauth-authorization-server/mcp', '/mcp/.well-known/oauth-authorization-server',
    '/.well-known/openid-configuration', '/.well-known/openid-configuration/mcp', '/mcp/.well-known/openid-configuration',
  ];
  for (const path of paths) {
    const answer = await get(w.base + path, { 'mcp-protocol-version': '2025-11-25' });
    assert.equal(answer.status, 200, path);
    assert.match(answer.headers.get('content-type'), /^application\/json/);
    for (const [name, value] of Object.entries(w.metadata)) assert.deepEqual(answer.body[name], value, `${path}: ${name}`);
  }
  const oidc = (await get(`${w.base}/.well-known/openid-configuration`)).body;
  for (const name of ['jwks_uri', 'subject_types_supported', 'id_token_signing_alg_values_supported']) assert.ok(oidc[name], name);
  assert.equal((await get(`${w.base}/.well-known/nothing`)).status, 404);
});

test('pain row 2: protected resource metadata at the root and at the inserted path; the 401 names the exact one', async () => {
  const origin = new URL(w.mcp).origin;
  for (const path of ['/.well-known/oauth-protected-resource', '/.well-known/oauth-protected-resource/mcp']) {
    const answer = await get(origin + path);
    assert.equal(answer.status, 200, path);
    assert.equal(answer.body.resource, w.mcp);
  }
  const said = challenge((await mcpOpen(w.mcp)).answerHeaders);
  assert.equal(said.resource_metadata, `${origin}/.well-known/oauth-protected-resource/mcp`);
  assert.match(said.value, /resource_metadata="/);
});

test('pain row 3: resource is the exact URL the user typed', async () => {
  const { body } = await get(`${new URL(w.mcp).origin}/.well-known/oauth-protected-resource/mcp`);
  assert.equal(body.resource, w.mcp);
  assert.deepEqual(body.authorization_servers, [w.metadata.issuer]);
});

test('pain row 4: known spellings of a resource map to the one audience; others say what is accepted', async () => {
  const machine = await w.machineClient();
  const origin = new URL(w.mcp).origin;
  for (const resource of [w.mcp, `${w.mcp}/`, origin, `${origin}/`]) {
    const answer = await machineToken(w, machine, { resource });
    assert.equal(answer.status, 200, `${resource}: ${answer.text}`);
    assert.equal(claims(answer.body.access_token).aud, w.mcp, `${resource}: one form is emitted`);
    assert.equal((await getNews(w, answer.body.access_token)).status, 200);
  }
  const pathless = 'https://pathless.example';
  await w.addResource(pathless);
  for (const resource of [pathless, `${pathless}/`]) {
    const answer = await machineToken(w, machine, { resource });
    assert.equal(answer.status, 200, `${resource}: ${answer.text}`);
    assert.equal(claims(answer.body.access_token).aud, pathless);
  }
  await w.cli(['admin', 'resource', 'delete', pathless]);
  const alias = 'https://alias.example/mcp';
  await w.addResource(w.mcp, ['--alias', alias]);
  const aliased = await machineToken(w, machine, { resource: alias });
  assert.equal(aliased.status, 200, aliased.text);
  assert.equal(claims(aliased.body.access_token).aud, w.mcp);
  const unknown = await machineToken(w, machine, { resource: 'https://unknown.example/' });
  assertTokenError(unknown, 'invalid_target');
  assert.ok(unknown.body.error_description.includes(w.mcp), `names what is accepted: ${unknown.text}`);
});

test('pain row 5: what the token says is what the resource server takes', async () => {
  const tokens = await signIn(w, await register(w));
  assert.equal(claims(tokens.access_token).aud, w.mcp);
  assert.equal((await getNews(w, tokens.access_token)).status, 200);
});

test('pain rows 6 and 7: racing refreshes all end with a working access and refresh token', async () => {
  const client = await register(w);
  const tokens = await signIn(w, client);
  const racers = await Promise.all(Array.from({ length: 5 }, () => refresh(w, client, tokens.refresh_token)));
  for (const racer of racers) {
    assert.equal(racer.status, 200, racer.text);
    assert.equal((await getNews(w, racer.body.access_token)).status, 200);
  }
  for (const racer of racers) assert.equal((await refresh(w, client, racer.body.refresh_token)).status, 200, 'each got a live refresh token');
});

test('pain row 8: bad, spent and revoked codes and refresh tokens are 400 invalid_grant', async () => {
  const client = await register(w);
  const granted = await authorize(w, client);
  const first = await redeem(w, client, granted);
  assert.equal(first.status, 200);
  const cases = [
    await redeem(w, client, granted),
    await redeem(w, client, { ...granted, code: 'no-such-code' }),
    await refresh(w, client, 'no-such-token'),
    await refresh(w, client, first.body.refresh_token),
  ];
  for (const answer of cases) {
    assert.equal(answer.status, 400, answer.text);
    assert.equal(answer.body.error, 'invalid_grant', answer.text);
  }
  const missing = await token(w, client, { grant_type: 'refresh_token' });
  assert.equal(missing.body.error, 'invalid_request');
  const none = await token(w, client, {});
  assert.equal(none.body.error, 'invalid_request');
  const unknown = await token(w, client, { grant_type: 'magic' });
  assert.equal(unknown.body.error, 'unsupported_grant_type');
});

test('pain row 9: an unknown client is 401 invalid_client at the token endpoint, and a page that helps at authorize', async () => {
  const ghost = { client_id: 'forgotten-client', token_endpoint_auth_method: 'none' };
  const answer = await refresh(w, ghost, 'x');
  assert.equal(answer.status, 401, answer.text);
  assert.equal(answer.body.error, 'invalid_client');
  const result = await playUrl(w, authorizeUrl(w, goodRequest(w, ghost).parameters));
  assertPage(result);
  assert.match(result.page.text, /regist|forget|clear|remove|again/i, result.page.text);
  const doomed = await register(w);
  const { refresh_token: kept } = await signIn(w, doomed);
  await w.cli(['admin', 'client', 'delete', doomed.client_id]);
  const gone = await refresh(w, doomed, kept);
  assert.equal(gone.status, 401);
  assert.equal(gone.body.error, 'invalid_client');
});

test('pain row 12: private-use schemes are registered, dangerous ones never; one bad URI does not lose the rest', async () => {
  const cursor = await registerRaw(w, {
    client_name: 'Cursor', application_type: 'web', token_endpoint_auth_method: 'none',
    redirect_uris: ['cursor://anysphere.cursor-mcp/oauth/callback', 'https://www.cursor.com/agents/mcp/oauth/callback', 'http://localhost:8787/callback'],
  });
  assert.equal(cursor.status, 201, cursor.text);
  assert.equal(cursor.body.redirect_uris.length, 3);
  const result = await play(w, cursor.body, { redirect_uri: cursor.body.redirect_uris[0] });
  assert.ok(result.code);
  assert.ok(result.left.href.startsWith('cursor://anysphere.cursor-mcp/oauth/callback?'), result.left.href);
  for (const bad of ['javascript:alert(1)', 'data:text/html,x', 'file:///etc/passwd', 'vbscript:x', 'blob:https://c.test/x', 'about:blank']) {
    const mixed = await registerRaw(w, { token_endpoint_auth_method: 'none', redirect_uris: ['https://c.test/cb', bad] });
    if (mixed.status === 201) assert.deepEqual(mixed.body.redirect_uris, ['https://c.test/cb'], bad);
    else assert.equal(mixed.body.error, 'invalid_redirect_uri');
    const alone = await registerRaw(w, { token_endpoint_auth_method: 'none', redirect_uris: [bad] });
    assert.equal(alone.status, 400, bad);
    assert.equal(alone.body.error, 'invalid_redirect_uri');
  }
});

test('pain row 13: application_type is inferred from the URIs, and the effective value is echoed', async () => {
  const answer = await registerRaw(w, { application_type: 'web', token_endpoint_auth_method: 'none', redirect_uris: ['cursor://x/callback'] });
  assert.equal(answer.status, 201, answer.text);
  assert.equal(answer.body.application_type, 'native');
});

test('pain row 14: the callbacks of the known clients are all taken', async () => {
  const uris = ['https://claude.ai/api/mcp/auth_callback', 'https://claude.com/api/mcp/auth_callback', 'https://chatgpt.com/connector_platform_oauth_redirect',
    'https://www.cursor.com/agents/mcp/oauth/callback', 'https://vscode.dev/redirect', 'https://insiders.vscode.dev/redirect', 'http://127.0.0.1:33418/', 'http://127.0.0.1/',
    'http://localhost:6274/oauth/callback', 'http://localhost:6274/oauth/callback/debug', 'http://localhost:7777/oauth/callback', 'http://127.0.0.1:19876/mcp/oauth/callback',
    'https://www.perplexity.ai/rest/connections/oauth_callback', 'https://oauth.n8n.cloud/oauth2/callback', 'cursor://anysphere.cursor-mcp/oauth/callback'];
  for (const uri of uris) {
    const client = await register(w, { redirect_uris: [uri] });
    assert.deepEqual(client.redirect_uris, [uri]);
    const result = await play(w, client);
    assert.ok(result.code, uri);
    assert.ok(result.left.href.startsWith(uri.replace(/\?.*/, '')), `${uri} → ${result.left}`);
  }
});

test('pain row 15: on loopback the port is free, 127.0.0.1 and localhost are one, and no path is the root', async () => {
  const code = async (registered, asked) => {
    const client = await register(w, { redirect_uris: [registered] });
    const result = await play(w, client, { redirect_uri: asked });
    return result;
  };
  for (const [registered, asked] of [['http://127.0.0.1:33418/', 'http://127.0.0.1:50123/'], ['http://127.0.0.1/', 'http://127.0.0.1:50123'], ['http://localhost/callback', 'http://localhost:61000/callback'],
    ['http://localhost:1/callback', 'http://127.0.0.1:2/callback'], ['http://127.0.0.1:1/callback', 'http://[::1]:2/callback'], ['http://127.0.0.1:33418', 'http://127.0.0.1:50123/']]) {
    const result = await code(registered, asked);
    assert.ok(result.code, `${registered} asked as ${asked}: ${result.text?.slice(0, 300)}`);
    assert.equal(result.left.origin, new URL(asked).origin);
  }
  for (const [registered, asked] of [['http://127.0.0.1/callback', 'http://127.0.0.1:2/other'], ['http://127.0.0.1/callback', 'http://127.0.0.2:2/callback'],
    ['http://localhost/callback', 'http://localhost.evil.test/callback'], ['https://c.test/cb', 'https://c.test:444/cb'], ['http://127.0.0.1/callback', 'https://127.0.0.1/callback'],
    ['http://127.0.0.1/callback', 'http://127.0.0.1:2/callback/'], ['http://127.0.0.1/callback', 'http://user@127.0.0.1:2/callback']]) {
    assertPage(await code(registered, asked), `${registered} asked as ${asked}`);
  }
});

test('pain row 18: the answer to the consent POST navigates by itself, and form-action stays self', async () => {
  const client = await register(w, { redirect_uris: ['https://c.test/cb'] });
  const browser = new Browser(w.base);
  const { left } = await play(w, client, {}, { browser });
  const answer = browser.hops.at(-1);
  assert.equal(answer.method, 'POST');
  assert.equal(answer.status, 200);
  assert.match(answer.body, /http-equiv="?refresh/i);
  assert.ok(answer.body.includes(`href="${left.href.replaceAll('&', '&amp;')}"`) || answer.body.includes('href='), 'and a link');
  assert.match(answer.headers.get('content-security-policy'), /form-action 'self'/);
});

test('pain row 19: no COOP on the pages of the flow', async () => {
  const client = await register(w);
  const browser = new Browser(w.base);
  await play(w, client, {}, { browser });
  for (const hop of browser.hops) {
    assert.ok([null, 'unsafe-none'].includes(hop.headers.get('cross-origin-opener-policy')), hop.url);
  }
});

test('pain row 20: a second consent POST replays the same answer', async () => {
  const client = await register(w);
  const browser = new Browser(w.base);
  let at = await browser.get(authorizeUrl(w, goodRequest(w, client).parameters));
  at = await browser.login(at.page, 'alice', PASSWORD);
  const { form, button } = consentForm(at.page);
  const [one, two] = await Promise.all([browser.submit(form, {}, button), browser.submit(form, {}, button)]);
  const three = await browser.submit(form, {}, button);
  assert.ok(one.left && two.left && three.left, [one, two, three].map((x) => x.status).join());
  assert.equal(one.left.href, two.left.href);
  assert.equal(one.left.href, three.left.href);
});

test('pain row 21: CORS where browsers need it, never at authorize, OPTIONS before authentication', async () => {
  const origin = 'https://inspector.example';
  const m = w.metadata;
  const rs = new URL(w.mcp).origin;
  const open = [`${w.base}/.well-known/oauth-authorization-server`, `${w.base}/.well-known/openid-configuration`, m.jwks_uri, m.registration_endpoint,
    m.token_endpoint, m.revocation_endpoint, `${rs}/.well-known/oauth-protected-resource/mcp`, w.mcp];
  for (const url of open) {
    const preflight = await httpRaw(url, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,content-type,mcp-protocol-version' } });
    assert.ok([200, 204].includes(preflight.status), `${url}: ${preflight.status}`);
    assert.equal(preflight.headers.get('access-control-allow-origin'), '*', url);
    const allowed = (preflight.headers.get('access-control-allow-headers') ?? '').toLowerCase();
    for (const name of ['authorization', 'content-type', 'mcp-protocol-version']) assert.ok(allowed.includes(name), `${url} allows ${name}: ${allowed}`);
    const plain = await httpRaw(url, { method: url === m.token_endpoint || url === m.registration_endpoint || url === m.revocation_endpoint || url === w.mcp ? 'POST' : 'GET', headers: { origin, 'content-type': 'application/json' }, body: url.includes('.well-known') || url === m.jwks_uri ? undefined : '{}' });
    assert.equal(plain.headers.get('access-control-allow-origin'), '*', `${url} also on errors (${plain.status})`);
    assert.notEqual(plain.headers.get('access-control-allow-credentials'), 'true');
  }
  const mcp = await httpRaw(w.mcp, { method: 'POST', headers: { origin, 'content-type': 'application/json' }, body: '{}' });
  const exposed = (mcp.headers.get('access-control-expose-headers') ?? '').toLowerCase();
  for (const name of ['www-authenticate', 'mcp-session-id']) assert.ok(exposed.includes(name), `exposes ${name}: ${exposed}`);
  const client = await register(w);
  const page = await httpRaw(authorizeUrl(w, goodRequest(w, client).parameters), { headers: { origin } });
  assert.equal(page.headers.get('access-control-allow-origin'), null, 'never at authorize');
});

test('pain row 24: the metadata lists "none" and the secrets', async () => {
  for (const method of ['none', 'client_secret_basic', 'client_secret_post']) {
    assert.ok(w.metadata.token_endpoint_auth_methods_supported.includes(method), method);
  }
});

test('pain row 26: unknown members of a registration are ignored', async () => {
  const answer = await registerRaw(w, {
    redirect_uris: [CALLBACK], token_endpoint_auth_method: 'none', resource: w.mcp, code_challenge_method: 'S256', software_id: 'x', foo: { bar: [1, null] },
    contacts: ['a@b.test'], logo_uri: '', tos_uri: '', policy_uri: '', client_uri: '', jwks_uri: '',
  });
  assert.equal(answer.status, 201, answer.text);
  assert.deepEqual(answer.body.redirect_uris, [CALLBACK]);
  await control(w, answer.body);
});

test('pain row 25: grants that are not offered are left out, never refused', async () => {
  const answer = await registerRaw(w, { redirect_uris: [CALLBACK], token_endpoint_auth_method: 'none', grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:jwt-bearer'] });
  assert.equal(answer.status, 201, answer.text);
  assert.deepEqual([...answer.body.grant_types].sort(), ['authorization_code', 'refresh_token']);
});

test('pain row 27: no JSON null anywhere, and the right content type', async () => {
  const rs = new URL(w.mcp).origin;
  const documents = [
    await get(`${w.base}/.well-known/oauth-authorization-server`), await get(`${w.base}/.well-known/openid-configuration`), await get(w.metadata.jwks_uri),
    await get(`${rs}/.well-known/oauth-protected-resource/mcp`), await registerRaw(w, { redirect_uris: [CALLBACK] }), await registerRaw(w, { redirect_uris: [] }),
    await refresh(w, { client_id: 'x', token_endpoint_auth_method: 'none' }, 'x'),
  ];
  for (const { text, headers, body } of documents) {
    assert.match(headers.get('content-type'), /^application\/json/);
    assert.ok(!JSON.stringify(body).includes('null'), text);
  }
});

test('pain row 28: a registered secret works by Basic and by post as registered; "none" gets no secret', async () => {
  for (const method of ['client_secret_basic', 'client_secret_post']) {
    const client = await register(w, { token_endpoint_auth_method: method });
    assert.ok(client.client_secret, method);
    await control(w, client);
  }
  const open = await register(w);
  assert.equal(open.client_secret, undefined);
  const silent = await registerRaw(w, { redirect_uris: [CALLBACK] });
  assert.ok(['client_secret_basic', 'none', 'client_secret_post'].includes(silent.body.token_endpoint_auth_method), 'the effective method is echoed');
  await control(w, silent.body);
});

test('pain row 29: unknown scopes are narrowed, the usual four always known, and the answer says what was granted', async () => {
  const client = await register(w);
  for (const scope of [`${NEWS} offline_access`, `openid profile email ${NEWS}`, `${NEWS} never:heard`]) {
    const tokens = await signIn(w, client, { scope });
    assert.ok(tokens.scope.split(' ').includes(NEWS), `${scope}: ${tokens.scope}`);
    assert.ok(!tokens.scope.includes('never:heard'));
    assert.equal((await getNews(w, tokens.access_token)).status, 200);
  }
  const only = await play(w, client, { scope: 'openid profile email offline_access' });
  assert.ok(only.code, 'default scopes of mcp-remote do not fail');
  const asked = await play(w, client, { scope: `${NEWS} offline_access`, prompt: 'consent' });
  assert.ok(asked.code);
});

test('pain row 30: no scope at all gives the default scopes of the resource', async () => {
  const client = await register(w);
  const tokens = await signIn(w, client, { scope: undefined });
  assert.equal(tokens.scope, NEWS);
  const bare = await signIn(w, client, { scope: undefined, state: undefined, resource: undefined });
  assert.equal(bare.scope, NEWS);
  const machine = await w.machineClient();
  const answer = await machineToken(w, machine);
  assert.equal(answer.status, 200, answer.text);
  assert.ok(answer.body.scope.split(' ').includes(NEWS));
});

test('pain row 31: no token, no error; a bad token, error="invalid_token"', async () => {
  const none = challenge((await mcpOpen(w.mcp)).answerHeaders);
  assert.equal(none.error, undefined);
  assert.equal(none.error_description, undefined);
  const bad = challenge((await mcpOpen(w.mcp, 'x.y.z')).answerHeaders);
  assert.equal(bad.error, 'invalid_token');
  assert.ok(bad.error_description);
  assert.equal((bad.value.match(/scope=/g) ?? []).length <= 1, true, 'clients search unanchored');
  assert.equal((bad.value.match(/error=/g) ?? []).length, 1);
});

test('pain row 32: one 403 names all that is needed; stepping up keeps what was granted; elevation is shown', async () => {
  const client = await register(w);
  const browser = new Browser(w.base);
  const small = await signIn(w, client, { scope: NEWS }, { browser });
  const refused = challenge((await analyze(w, small.access_token)).headers);
  assert.equal(refused.error, 'insufficient_scope');
  // A client that asks only for what the 403 named.
  const { verifier, parameters } = goodRequest(w, client, { scope: refused.scope });
  const at = await browser.get(authorizeUrl(w, parameters));
  assert.ok(!at.left && !loginForm(at.page) && consentForm(at.page), 'the elevation is shown');
  assert.match(at.page.text, /Score texts/);
  const { left } = await browser.decide(at.page);
  const answer = await redeem(w, client, { code: left.searchParams.get('code'), verifier, parameters });
  const scopes = answer.body.scope.split(' ');
  assert.ok(scopes.includes(ANALYZE), answer.text);
  assert.ok(scopes.includes(NEWS), `what was granted before is kept: ${answer.body.scope}`);
  assert.equal((await analyze(w, answer.body.access_token)).status, 200);
  assert.equal((await getNews(w, answer.body.access_token)).status, 200);
});

describe('behind a TLS proxy', () => {
  let prod;
  before(async () => {
    prod = await World.start({
      sample: false, env: { WARDER_PUBLIC_URL: 'https://auth.example.com', WARDER_TRUSTED_PROXIES: '127.0.0.1/32', WARDER_REGISTRATION: 'open' },
    });
  });
  after(() => prod?.stop());

  test('pain row 1: every published URL comes from public_url', async () => {
    for (const [name, value] of Object.entries(prod.metadata)) {
      if (/_endpoint$|_uri$|^issuer$/.test(name)) assert.ok(value === 'https://auth.example.com' || value.startsWith('https://auth.example.com/'), `${name}: ${value}`);
    }
    const machine = await prod.machineClient();
    const answer = await machineToken(prod, machine, {}, { headers: { authorization: basic(machine.client_id, machine.client_secret) } });
    assert.equal(claims(answer.body.access_token).iss, 'https://auth.example.com');
  });
});

test('a person who is signed in is not asked for the password again', async () => {
  const browser = await signedIn(w);
  const at = await browser.get(authorizeUrl(w, goodRequest(w, await register(w)).parameters));
  assert.ok(!loginForm(at.page) && consentForm(at.page));
});
