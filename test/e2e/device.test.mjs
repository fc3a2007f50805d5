// Device authorization (RFC 8628): from the device over the person's browser to tokens; what goes
// wrong on the way, and what guessing gets.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { Browser, consentForm, loginForm } from './lib/browser.mjs';
import { newKey, proof } from './lib/dpop.mjs';
import { claims, getNews, post, refresh, register, registerRaw, token } from './lib/oauth.mjs';
import { ANALYZE, NEWS, PASSWORD, World, sleep } from './lib/world.mjs';

const GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const insecure = { [oauth.allowInsecureRequests]: true };

let w;
let client;
before(async () => {
  w = await World.start({ env: { WARDER_DEVICE_ATTEMPTS_PER_MINUTE: '10000' } });
  client = await device(w);
});
after(() => w?.stop());

async function device(world, extra = []) {
  const one = await world.addClient(['--name', 'Living room', '--grant', 'device_code', '--grant', 'refresh_token', '--public', ...extra]);
  return { ...one, token_endpoint_auth_method: 'none' };
}

function ask(world, one, parameters = {}) {
  return post(world, 'device_authorization_endpoint', one, { scope: NEWS, resource: world.mcp, ...parameters });
}

async function asked(world, one, parameters) {
  const answer = await ask(world, one, parameters);
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
}

function poll(world, one, code) {
  return token(world, one, { grant_type: GRANT, device_code: code });
}

async function refusedPoll(one, code, error) {
  const answer = await poll(w, one, code);
  assert.equal(answer.status, 400, answer.text);
  assert.equal(answer.body.error, error, answer.text);
  assert.equal(answer.body.access_token, undefined);
}

function codeForm(page) {
  return page.forms.find((form) => form.fields.some((field) => field.name === 'user_code'));
}

/** Opens the page and types the code; where that leads. */
async function type(browser, code, url = `${w.base}/device`) {
  const at = await browser.get(url);
  assert.equal(at.status, 200, at.text);
  return browser.submit(codeForm(at.page), { user_code: code });
}

async function enter(browser, at) {
  return loginForm(at.page) ? browser.login(at.page, 'alice', PASSWORD) : at;
}

/** The person's whole way. */
async function decide(code, approve = true, browser = new Browser(w.base)) {
  const consent = await enter(browser, await type(browser, code));
  assert.ok(consentForm(consent.page, approve), consent.text);
  return { consent, done: await browser.decide(consent.page, approve), browser };
}

test('what a device is answered', async () => {
  assert.equal(w.metadata.device_authorization_endpoint, `${w.issuer}/device_authorization`);
  assert.ok(w.metadata.grant_types_supported.includes(GRANT));
  const answer = await ask(w, client);
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  assert.match(answer.body.user_code, /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
  assert.equal(answer.body.verification_uri, `${w.issuer}/device`);
  assert.equal(answer.body.verification_uri_complete, `${w.issuer}/device?user_code=${answer.body.user_code}`);
  assert.equal(answer.body.expires_in, 600);
  assert.equal(answer.body.interval, 5);
  assert.ok(answer.body.device_code.length >= 43);
});

test('approved: tokens, once, that work at the resource and refresh', async () => {
  const { device_code: code, user_code: user } = await asked(w, client);
  await refusedPoll(client, code, 'authorization_pending');
  const { consent, done } = await decide(user.toLowerCase().replace('-', ' '));
  for (const words of ['Living room', user, 'Read market news', 'just started this yourself']) {
    assert.ok(consent.page.text.includes(words), `consent says "${words}": ${consent.page.text}`);
  }
  assert.equal(done.status, 200);
  assert.match(done.page.text, /go back to your device/);
  const tokens = await poll(w, client, code);
  assert.equal(tokens.status, 200, tokens.text);
  assert.equal(tokens.body.scope, NEWS);
  assert.equal(claims(tokens.body.access_token).aud, w.mcp);
  assert.ok(claims(tokens.body.access_token).auth_time);
  assert.equal((await getNews(w, tokens.body.access_token)).status, 200);
  await refusedPoll(client, code, 'invalid_grant');
  assert.equal((await refresh(w, client, tokens.body.refresh_token)).status, 200);
});

test('a link with the code still asks the person to compare, and to approve', async () => {
  const one = await asked(w, client);
  const browser = new Browser(w.base);
  const at = await browser.get(one.verification_uri_complete);
  assert.match(at.page.text, /Compare the code/);
  assert.equal(codeForm(at.page).fields.find((field) => field.name === 'user_code').value, one.user_code);
  await refusedPoll(client, one.device_code, 'authorization_pending');
  const consent = await enter(browser, await browser.submit(codeForm(at.page)));
  assert.ok(consentForm(consent.page));
  await browser.decide(consent.page);
  assert.equal((await poll(w, client, one.device_code)).status, 200);
  // And the next one is asked about again, though all of it was approved.
  const next = await asked(w, client);
  const again = await type(browser, next.user_code);
  assert.ok(consentForm(again.page), again.text);
});

test('denied', async () => {
  const { device_code: code, user_code: user } = await asked(w, client);
  const { done, consent, browser } = await decide(user, false);
  assert.match(done.page.text, /Access denied/);
  await refusedPoll(client, code, 'access_denied');
  const late = await browser.decide(consent.page, true);
  assert.match(late.page.text, /Access denied/, 'a decision holds');
  await refusedPoll(client, code, 'access_denied');
});

test('who polls too often is told to slow down, by five seconds each time', async () => {
  const { device_code: code } = await asked(w, client);
  await refusedPoll(client, code, 'authorization_pending');
  await refusedPoll(client, code, 'slow_down');
  await sleep(5_500);
  await refusedPoll(client, code, 'slow_down');
});

test('a device_code is its client\'s', async () => {
  const { device_code: code, user_code: user } = await asked(w, client);
  const other = await device(w);
  await refusedPoll(other, code, 'invalid_grant');
  await decide(user);
  await refusedPoll(other, code, 'invalid_grant');
  await refusedPoll(client, 'made-up', 'invalid_grant');
  assert.equal((await poll(w, client, code)).status, 200);
});

test('a device_code that was asked for with a proof is of use with that key only', async () => {
  const key = newKey();
  const proven = (one, url) => ({ headers: { dpop: proof(one, url) } });
  const url = w.metadata.token_endpoint;
  const answer = await post(w, 'device_authorization_endpoint', client, { scope: NEWS, resource: w.mcp },
    proven(key, w.metadata.device_authorization_endpoint));
  assert.equal(answer.status, 200, answer.text);
  const { device_code: code, user_code: user } = answer.body;
  await decide(user);
  const redeem = (options) => token(w, client, { grant_type: GRANT, device_code: code }, options);
  for (const options of [{}, proven(newKey(), url)]) {
    const refused = await redeem(options);
    assert.equal(refused.body.error, 'invalid_grant', refused.text);
  }
  const tokens = await redeem(proven(key, url));
  assert.equal(tokens.status, 200, tokens.text);
  assert.deepEqual(claims(tokens.body.access_token).cnf, { jkt: key.jkt });
});

test('codes that nobody has, and used ones, look the same', async () => {
  const { device_code: code, user_code: user } = await asked(w, client);
  const { browser } = await decide(user);
  assert.equal((await poll(w, client, code)).status, 200);
  const pages = [];
  for (const typed of ['BBBB-BBBB', user, 'nonsense', '<script>', user.slice(0, 4)]) {
    const at = await type(browser, typed);
    assert.equal(at.status, 400, typed);
    assert.ok(codeForm(at.page), 'the form is there again');
    pages.push(/This code is not valid[^.]*\./.exec(at.page.text)?.[0]);
  }
  assert.ok(pages[0]);
  assert.equal(new Set(pages).size, 1, pages.join('\n'));
});

test('the form comes from our page, or nothing happens', async () => {
  const { device_code: code, user_code: user } = await asked(w, client);
  const browser = new Browser(w.base);
  await browser.get(`${w.base}/device`);
  const body = String(new URLSearchParams({ user_code: user, csrf: 'x' }));
  assert.equal((await browser.request('POST', `${w.base}/device`, { body })).status, 403);
  assert.equal((await browser.request('POST', `${w.base}/device`, { body, headers: { origin: 'https://evil.test' } })).status, 403);
  await refusedPoll(client, code, 'authorization_pending');
});

test('two people cannot both decide', async () => {
  await w.addUser('bob');
  const { device_code: code, user_code: user } = await asked(w, client);
  const alice = new Browser(w.base);
  const bob = new Browser(w.base);
  const hers = await enter(alice, await type(alice, user));
  const his = await bob.login((await type(bob, user)).page, 'bob', w.users.bob);
  assert.ok(consentForm(his.page), his.text);
  await alice.decide(hers.page);
  const late = await bob.decide(his.page);
  assert.equal(late.status, 400);
  const tokens = await poll(w, client, code);
  const again = await asked(w, client);
  await decide(again.user_code, true, alice);
  const more = await poll(w, client, again.device_code);
  assert.equal(claims(tokens.body.access_token).sub, claims(more.body.access_token).sub, 'both are hers');
});

test('access of a device is listed and taken back like any other', async () => {
  const { device_code: code, user_code: user } = await asked(w, client);
  const { browser } = await decide(user);
  const tokens = await poll(w, client, code);
  const account = await browser.get(`${w.base}/`);
  assert.match(account.page.text, /Living room/);
  const form = account.page.forms.find((one) => one.fields.some((field) => field.value === client.client_id));
  await browser.submit(form, {}, form.buttons[0]);
  assert.equal((await refresh(w, client, tokens.body.refresh_token)).body.error, 'invalid_grant');
});

test('who may ask: clients that an administrator made for it', async () => {
  const plain = await register(w);
  assert.equal((await ask(w, plain)).body.error, 'unauthorized_client');
  const wished = await registerRaw(w, { grant_types: [GRANT], token_endpoint_auth_method: 'none' });
  assert.equal(wished.status, 400, wished.text);
  assert.equal((await ask(w, { client_id: 'nobody', token_endpoint_auth_method: 'none' })).status, 401);
  const secret = await w.addClient(['--name', 'Box', '--grant', 'device_code']);
  assert.equal((await ask(w, { ...secret, token_endpoint_auth_method: 'none' })).body.error, 'invalid_client');
  assert.equal((await ask(w, { ...secret, token_endpoint_auth_method: 'client_secret_basic' })).status, 200);
  for (const [parameters, error] of [
    [{ resource: 'https://unknown.test' }, 'invalid_target'],
    [{ scope: '"' }, 'invalid_scope'],
    [{ scope: [NEWS, ANALYZE] }, 'invalid_request'],
  ]) assert.equal((await ask(w, client, parameters)).body.error, error);
});

test('guessing: ten codes a minute from one address, then 429; and codes end', async () => {
  const small = await World.start({
    sample: false,
    env: { WARDER_DEVICE_CODE_LIFETIME: '10', WARDER_REGISTRATION_DEVICE_CODE: 'true' },
  });
  try {
    const one = await device(small);
    const { device_code: code, user_code: user } = await asked(small, one);
    const browser = new Browser(small.base);
    const at = await browser.get(`${small.base}/device`);
    for (let i = 0; i < 10; i++) {
      const answer = await browser.submit(codeForm(at.page), { user_code: 'BBBB-BBBB' });
      assert.equal(answer.status, 400);
    }
    const other = new Browser(small.base); // a fresh browser is at the same address
    const page = await other.get(`${small.base}/device`);
    const refused = await other.submit(codeForm(page.page), { user_code: user });
    assert.equal(refused.status, 429);
    assert.ok(Number(refused.headers.get('retry-after')) > 0);
    const { body } = await registerRaw(small, { grant_types: [GRANT], token_endpoint_auth_method: 'none', client_name: 'Any' });
    assert.deepEqual(body.grant_types, [GRANT], 'strangers, where the setting says so');
    assert.equal((await ask(small, body)).body.expires_in, 10);
    await sleep(10_000);
    assert.equal((await poll(small, one, code)).body.error, 'expired_token');
    const late = await type(new Browser(small.base), user, `${small.base}/device`);
    assert.ok(late.status === 400 && codeForm(late.page), `an expired code: ${late.status}`);
  } finally {
    await small.stop();
  }
});

test('oauth4webapi: the device flow', async () => {
  const as = await oauth.processDiscoveryResponse(new URL(w.issuer),
    await oauth.discoveryRequest(new URL(w.issuer), { algorithm: 'oauth2', ...insecure }));
  const one = await oauth.processDeviceAuthorizationResponse(as, client,
    await oauth.deviceAuthorizationRequest(as, client, oauth.None(), { scope: NEWS, resource: w.mcp }, insecure));
  await decide(one.user_code);
  const tokens = await oauth.processDeviceCodeResponse(as, client,
    await oauth.deviceCodeGrantRequest(as, client, oauth.None(), one.device_code, insecure));
  assert.equal(tokens.scope, NEWS);
});

test('openid-client: the device flow, with its own polling', async () => {
  const config = await openid.discovery(new URL(w.issuer), client.client_id, undefined, openid.None(), {
    algorithm: 'oauth2', execute: [openid.allowInsecureRequests],
  });
  const one = await openid.initiateDeviceAuthorization(config, { scope: NEWS, resource: w.mcp });
  const waiting = openid.pollDeviceAuthorizationGrant(config, one);
  await decide(one.user_code);
  const tokens = await waiting;
  assert.equal((await getNews(w, tokens.access_token)).status, 200);
});

test('the trail has the device, the code that was typed and the decision, but no codes', async () => {
  const { device_code: code, user_code: user } = await asked(w, client);
  await decide(user);
  const text = w.auditText();
  assert.ok(!text.includes(code) && !text.includes(user) && !text.includes(user.replace('-', '')));
  const events = w.audit().filter((line) => line.client === client.client_id).slice(-4).map((line) => `${line.event} ${line.decision}`);
  assert.ok(events.includes('device allow') && events.includes('consent allow'), events.join(', '));
});
