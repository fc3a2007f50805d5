// oauth4webapi validates each answer as strictly as the RFCs allow.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as oauth from 'oauth4webapi';
import { Browser } from './lib/browser.mjs';
import { authorize, CALLBACK, claims, getNews, redeem, refresh, register, signIn } from './lib/oauth.mjs';
import { ANALYZE, NEWS, PASSWORD, World, sleep } from './lib/world.mjs';

const insecure = { [oauth.allowInsecureRequests]: true };

let w;
let as;
before(async () => {
  w = await World.start();
  as = await discover(w);
});
after(() => w?.stop());

async function discover(world, algorithm = 'oauth2') {
  const issuer = new URL(world.issuer);
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm, ...insecure }));
}

async function registered(metadata = {}) {
  const response = await oauth.dynamicClientRegistrationRequest(as, {
    client_name: 'Judge',
    redirect_uris: [CALLBACK],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    ...metadata,
  }, insecure);
  return oauth.processDynamicClientRegistrationResponse(response);
}

function authentication(client) {
  const methods = {
    none: () => oauth.None(),
    client_secret_basic: () => oauth.ClientSecretBasic(client.client_secret),
    client_secret_post: () => oauth.ClientSecretPost(client.client_secret),
  };
  return methods[client.token_endpoint_auth_method]();
}

async function codeFlow(client, scope = NEWS) {
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const url = new URL(as.authorization_endpoint);
  url.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: CALLBACK,
    response_type: 'code',
    scope,
    state,
    resource: w.mcp,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  });
  const left = await new Browser(w.base).authorize(url, { user: 'alice', password: PASSWORD });
  const parameters = oauth.validateAuthResponse(as, client, left, state);
  const response = await oauth.authorizationCodeGrantRequest(as, client, authentication(client), parameters, CALLBACK,
    verifier, { ...insecure, additionalParameters: { resource: w.mcp } });
  return oauth.processAuthorizationCodeResponse(as, client, response);
}

test('oauth4webapi: discovery in both forms, and they agree', async () => {
  const oidc = await discover(w, 'oidc');
  assert.equal(as.issuer, w.issuer);
  assert.equal(as.authorization_response_iss_parameter_supported, true);
  for (const [name, value] of Object.entries(as)) assert.deepEqual(oidc[name], value, name);
});

for (const method of ['none', 'client_secret_basic', 'client_secret_post']) {
  test(`oauth4webapi: registration, code with PKCE and iss, token, refresh, revocation (${method})`, async () => {
    const client = await registered({ token_endpoint_auth_method: method });
    assert.equal(client.token_endpoint_auth_method, method);
    const tokens = await codeFlow(client);
    assert.equal(tokens.token_type, 'bearer');
    assert.equal(tokens.scope, NEWS);
    assert.ok(tokens.expires_in > 0 && tokens.expires_in <= 600);
    assert.equal((await getNews(w, tokens.access_token)).status, 200);

    const again = await oauth.processRefreshTokenResponse(as, client,
      await oauth.refreshTokenGrantRequest(as, client, authentication(client), tokens.refresh_token, insecure));
    assert.notEqual(again.refresh_token, tokens.refresh_token);
    assert.equal((await getNews(w, again.access_token)).status, 200);

    await oauth.processRevocationResponse(
      await oauth.revocationRequest(as, client, authentication(client), again.refresh_token, insecure));
    const refused = await oauth.refreshTokenGrantRequest(as, client, authentication(client), again.refresh_token, insecure);
    await assert.rejects(oauth.processRefreshTokenResponse(as, client, refused),
      (error) => error instanceof oauth.ResponseBodyError && error.error === 'invalid_grant');
  });
}

for (const method of ['client_secret_basic', 'client_secret_post']) {
  test(`oauth4webapi: client credentials (${method})`, async () => {
    const extra = ['--auth', method === 'client_secret_basic' ? 'basic' : 'post'];
    const machine = { ...(await w.machineClient(NEWS, extra)), token_endpoint_auth_method: method };
    const response = await oauth.clientCredentialsGrantRequest(as, machine, authentication(machine),
      { resource: w.mcp, scope: NEWS }, insecure);
    const tokens = await oauth.processClientCredentialsResponse(as, machine, response);
    assert.equal(tokens.refresh_token, undefined);
    assert.equal((await getNews(w, tokens.access_token)).status, 200);
  });
}

test('oauth4webapi: the access token is an RFC 9068 JWT that its own validator accepts', async () => {
  const tokens = await codeFlow(await registered());
  const request = new Request(w.mcp, { headers: { authorization: `Bearer ${tokens.access_token}` } });
  const checked = await oauth.validateJwtAccessToken(as, request, w.mcp, insecure);
  assert.equal(checked.iss, w.issuer);
  assert.equal(checked.aud, w.mcp);
  assert.equal(checked.scope, NEWS);
  assert.ok(checked.sub && checked.jti && checked.client_id);
});

test('oauth4webapi: a declined consent and a bad request come back as errors with iss', async () => {
  const client = await registered();
  const { left, parameters } = await authorize(w, client, {}, { approve: false });
  assert.throws(() => oauth.validateAuthResponse(as, client, left, parameters.state),
    (error) => error instanceof oauth.AuthorizationResponseError && error.error === 'access_denied');
  assert.equal(left.searchParams.get('iss'), w.issuer);
});

test('a replayed code is refused and its tokens are revoked', async () => {
  const client = await register(w);
  const granted = await authorize(w, client);
  const first = await redeem(w, client, granted);
  assert.equal(first.status, 200, first.text);
  const second = await redeem(w, client, granted);
  assert.equal(second.status, 400);
  assert.equal(second.body.error, 'invalid_grant');
  const refreshed = await refresh(w, client, first.body.refresh_token);
  assert.equal(refreshed.status, 400);
  assert.equal(refreshed.body.error, 'invalid_grant');
  const control = await signIn(w, client);
  assert.ok(control.access_token);
});

test('two racing refreshes inside the grace window both end with working tokens', async () => {
  const client = await register(w);
  const tokens = await signIn(w, client);
  const [one, two] = await Promise.all([
    refresh(w, client, tokens.refresh_token),
    refresh(w, client, tokens.refresh_token),
  ]);
  for (const racer of [one, two]) {
    assert.equal(racer.status, 200, racer.text);
    assert.equal((await getNews(w, racer.body.access_token)).status, 200);
    const next = await refresh(w, client, racer.body.refresh_token);
    assert.equal(next.status, 200, next.text);
    assert.equal((await getNews(w, next.body.access_token)).status, 200);
  }
  assert.notEqual(one.body.refresh_token, two.body.refresh_token);
});

test('a refresh cannot widen the grant, and a narrower one is answered as asked', async () => {
  const client = await register(w);
  const tokens = await signIn(w, client, { scope: `${NEWS} ${ANALYZE}` });
  const narrow = await refresh(w, client, tokens.refresh_token, { scope: NEWS });
  assert.equal(narrow.status, 200, narrow.text);
  assert.equal(claims(narrow.body.access_token).scope, NEWS);
  const other = await signIn(w, client, { scope: NEWS });
  const wide = await refresh(w, client, other.refresh_token, { scope: `${NEWS} ${ANALYZE}` });
  if (wide.status === 200) assert.equal(claims(wide.body.access_token).scope, NEWS);
  else assert.equal(wide.body.error, 'invalid_scope');
});

describe('without a grace window', () => {
  let strict;
  before(async () => (strict = await World.start({ env: { WARDER_REFRESH_GRACE: '0' }, sample: false })));
  after(() => strict?.stop());

  test('a reused refresh token revokes the family', async () => {
    const client = await register(strict);
    const tokens = await signIn(strict, client);
    const second = await refresh(strict, client, tokens.refresh_token);
    assert.equal(second.status, 200, second.text);
    // The successor's first use settles that it arrived.
    const third = await refresh(strict, client, second.body.refresh_token);
    assert.equal(third.status, 200, third.text);
    await sleep(1100);
    const reused = await refresh(strict, client, tokens.refresh_token);
    assert.equal(reused.status, 400);
    assert.equal(reused.body.error, 'invalid_grant');
    const victim = await refresh(strict, client, third.body.refresh_token);
    assert.equal(victim.status, 400);
    assert.equal(victim.body.error, 'invalid_grant');
    assert.match(strict.auditText(), /reuse/);
    assert.ok((await signIn(strict, client)).refresh_token, 'signing in again works');
  });
});
