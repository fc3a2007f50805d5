// Step-up authentication (RFC 9470): acr_values and max_age lead back to the login, and tokens say
// how and when the person signed in.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertRefused, control, play, playUrl, signedIn } from './lib/attack.mjs';
import { loginForm } from './lib/browser.mjs';
import { authorizeUrl, challenge, claims, getNews, goodRequest, mcpPost, post, redeem, refresh, register, signIn } from './lib/oauth.mjs';
import { PASSWORD, World, sleep } from './lib/world.mjs';

let w;
let client;
let acr;
before(async () => {
  w = await World.start({ sample: false });
  client = await register(w);
  [acr] = w.metadata.acr_values_supported;
});
after(() => w?.stop());

const now = () => Math.floor(Date.now() / 1000);

test('what is offered stands in the metadata', () => {
  assert.deepEqual(w.metadata.acr_values_supported, ['urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport']);
});

test('tokens say how and when the person signed in, through all refreshing', async () => {
  const before = now();
  const tokens = await signIn(w, client);
  const first = claims(tokens.access_token);
  assert.equal(first.acr, acr);
  assert.ok(first.auth_time >= before - 1 && first.auth_time <= now() + 1, String(first.auth_time));
  await sleep(1100);
  const again = await refresh(w, client, tokens.refresh_token);
  assert.equal(again.status, 200, again.text);
  const second = claims(again.body.access_token);
  assert.ok(second.iat > first.iat);
  assert.equal(second.auth_time, first.auth_time, 'refreshing is no sign-in');
  assert.equal(second.acr, acr);
});

test('a machine has not signed in', async () => {
  const machine = await w.machineClient();
  const answer = await post(w, 'token_endpoint', machine, { grant_type: 'client_credentials', resource: w.mcp });
  assert.equal(claims(answer.body.access_token).auth_time, undefined);
  assert.equal(claims(answer.body.access_token).acr, undefined);
});

test('acr_values that the session meets need no login; among others that nobody offers, too', async () => {
  const browser = await signedIn(w);
  for (const values of [acr, `phr ${acr}`]) {
    const at = await browser.get(authorizeUrl(w, goodRequest(w, client, { acr_values: values }).parameters));
    assert.equal(loginForm(at.page), undefined, 'the login is not asked for');
    assert.equal(at.status, 200);
  }
});

test('acr_values that no way to sign in meets: unmet_authentication_requirements', async () => {
  const browser = await signedIn(w);
  const result = await play(w, client, { acr_values: 'phr phrh' }, { browser });
  assert.equal(result.error, 'unmet_authentication_requirements', String(result.left));
  assert.equal(result.left.searchParams.get('iss'), w.issuer);
  assertRefused(await play(w, client, { acr_values: 'phr' }), ['unmet_authentication_requirements'], 'nobody signed in');
  await control(w, client);
});

test('max_age leads to a login anew, and the new token has the new time', async () => {
  const browser = await signedIn(w);
  const early = await redeem(w, client, await play(w, client, {}, { browser }));
  await sleep(2100);
  const { verifier, parameters } = goodRequest(w, client, { max_age: '1', acr_values: acr });
  const at = await browser.get(authorizeUrl(w, parameters));
  assert.ok(loginForm(at.page), 'the password is asked for again');
  const consent = await browser.login(at.page, 'alice', PASSWORD);
  const { left } = consent.left ? consent : await browser.decide(consent.page);
  const late = await redeem(w, client, { code: left.searchParams.get('code'), verifier, parameters });
  assert.equal(late.status, 200, late.text);
  assert.ok(claims(late.body.access_token).auth_time > claims(early.body.access_token).auth_time);
});

test('max_age that the session is young enough for asks nothing', async () => {
  const browser = await signedIn(w);
  const at = await browser.get(authorizeUrl(w, goodRequest(w, client, { max_age: '1000' }).parameters));
  assert.equal(loginForm(at.page), undefined);
  assertRefused(await play(w, client, { max_age: '-1' }, { browser }), ['invalid_request']);
  assertRefused(await play(w, client, { max_age: ['1', '2'] }, { browser }), ['invalid_request']);
});

test('both can be pushed', async () => {
  const { parameters } = goodRequest(w, client, { acr_values: acr, max_age: '0' });
  const { client_id: _, ...rest } = parameters;
  const bad = await post(w, 'pushed_authorization_request_endpoint', client, { ...rest, acr_values: 'phr' });
  assert.equal(bad.body.error, 'unmet_authentication_requirements', bad.text);
  const good = await post(w, 'pushed_authorization_request_endpoint', client, rest);
  assert.equal(good.status, 201, good.text);
  const browser = await signedIn(w);
  const url = authorizeUrl(w, { client_id: client.client_id, request_uri: good.body.request_uri });
  const at = await browser.get(url);
  assert.ok(loginForm(at.page), 'max_age=0 asks for the password');
  assert.ok((await playUrl(w, url, { browser })).code);
});

const PING = { jsonrpc: '2.0', id: 1, method: 'ping' };

/** The challenge of a resource that wants the person to sign in again, or in another way. */
async function refusedFor(world, bearer) {
  const answer = await mcpPost(world.mcp, PING, { bearer });
  assert.equal(answer.status, 401, answer.text);
  const said = challenge(answer.headers);
  assert.equal(said.scheme, 'Bearer');
  assert.equal(said.error, 'insufficient_user_authentication', said.value);
  assert.match(said.resource_metadata, /oauth-protected-resource/);
  return said;
}

test('a resource that demands a fresh sign-in: its challenge, taken to the authorization server, leads to a token it takes', async () => {
  const world = await World.start({ sampleArgs: ['--max-age', '3', '--acr-values', acr] });
  try {
    const one = await register(world);
    const browser = await signedIn(world);
    const young = await redeem(world, one, await play(world, one, {}, { browser }));
    assert.equal((await getNews(world, young.body.access_token)).status, 200);
    await sleep(35_000); // three seconds, thirty for clocks that differ, and a little
    const said = await refusedFor(world, young.body.access_token);
    assert.equal(said.max_age, '3');
    assert.equal(said.acr_values, acr);
    const renewed = await refresh(world, one, young.body.refresh_token);
    await refusedFor(world, renewed.body.access_token); // refreshing is no sign-in
    const { verifier, parameters } = goodRequest(world, one, { max_age: said.max_age, acr_values: said.acr_values, scope: said.scope });
    const at = await browser.get(authorizeUrl(world, parameters));
    assert.ok(loginForm(at.page), 'the password is asked for');
    const consent = await browser.login(at.page, 'alice', PASSWORD);
    const { left } = consent.left ? consent : await browser.decide(consent.page);
    const fresh = await redeem(world, one, { code: left.searchParams.get('code'), verifier, parameters });
    assert.equal((await getNews(world, fresh.body.access_token)).status, 200);
  } finally {
    await world.stop();
  }
});

test('a resource that demands what nobody offers says so each time; machines have not signed in at all', async () => {
  const world = await World.start({ sampleArgs: ['--acr-values', 'phr phrh'] });
  try {
    const one = await register(world);
    const tokens = await signIn(world, one);
    const said = await refusedFor(world, tokens.access_token);
    assert.equal(said.acr_values, 'phr phrh');
    assert.equal(said.max_age, undefined);
    const result = await play(world, one, { acr_values: said.acr_values }, { browser: await signedIn(world) });
    assert.equal(result.error, 'unmet_authentication_requirements');
    const machine = await world.machineClient();
    const answer = await post(world, 'token_endpoint', machine, { grant_type: 'client_credentials', resource: world.mcp });
    await refusedFor(world, answer.body.access_token);
    assert.equal((await mcpPost(world.mcp, PING, { bearer: 'bad' })).status, 401);
  } finally {
    await world.stop();
  }
});
