// What a person does on the account page: sees who has access, takes it back, signs out.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertTokenError } from './lib/attack.mjs';
import { Browser, loginForm } from './lib/browser.mjs';
import { authorizeUrl, goodRequest, refresh, register, signIn } from './lib/oauth.mjs';
import { PASSWORD, World } from './lib/world.mjs';

let w;
before(async () => (w = await World.start({ sample: false, users: ['alice', 'bob'] })));
after(() => w?.stop());

const revokeForms = (page) => page.forms.filter((form) => form.action.endsWith('/grants/revoke'));

test('access is listed and taken back: the refresh token ends, and consent is asked for again', async () => {
  const client = await register(w, { client_name: 'Ledger', redirect_uris: ['https://c.test/cb'], token_endpoint_auth_method: 'client_secret_basic' });
  const other = await register(w, { client_name: 'Other' });
  const browser = new Browser(w.base);
  const tokens = await signIn(w, client, {}, { browser });
  const kept = await signIn(w, other, {}, { browser });
  const home = await browser.get(`${w.base}/`);
  assert.match(home.page.text, /Ledger/);
  assert.match(home.page.text, /Finance sentiment/);
  const mine = revokeForms(home.page);
  assert.equal(mine.length, 2);
  const form = mine.find((one) => one.fields.some((field) => field.value === client.client_id));
  const after = await browser.submit(form);
  assert.equal(after.status, 200);
  assert.doesNotMatch(after.page.text, /Ledger/);
  assert.equal(revokeForms(after.page).length, 1);
  assertTokenError(await refresh(w, client, tokens.refresh_token), 'invalid_grant');
  assert.equal((await refresh(w, other, kept.refresh_token)).status, 200, 'the other client keeps its own');
  const again = await browser.get(authorizeUrl(w, goodRequest(w, client).parameters));
  assert.equal(again.left, undefined, 'asks again');
  const twice = await browser.submit(form);
  assert.equal(twice.status, 200, 'taking back what is gone leads home');
  assert.ok(w.audit().some((event) => event.event === 'revoke' && event.reason === 'consent_withdrawn' && event.client === client.client_id));
});

test('nobody takes back what another person granted, and a foreign form does nothing', async () => {
  const client = await register(w, { redirect_uris: ['https://c.test/cb'] });
  const alice = new Browser(w.base);
  const tokens = await signIn(w, client, {}, { browser: alice });
  const home = await alice.get(`${w.base}/`);
  const form = revokeForms(home.page).find((one) => one.fields.some((field) => field.value === client.client_id));
  const bob = new Browser(w.base);
  await signIn(w, client, {}, { browser: bob, user: 'bob' });
  assert.equal((await bob.submit(form)).status, 403, 'a token of another session');
  const bare = { ...form, fields: form.fields.filter((field) => field.name !== 'csrf') };
  assert.equal((await alice.submit(bare)).status, 403);
  assert.equal((await alice.submit(form, {}, null, { headers: { origin: 'https://evil.test' } })).status, 403);
  assert.equal((await refresh(w, client, tokens.refresh_token)).status, 200);
});

test('signing out ends the session, here and for whoever copied the cookie', async () => {
  const browser = new Browser(w.base);
  await signIn(w, await register(w), {}, { browser });
  const thief = new Browser(w.base);
  thief.cookies = new Map(browser.cookies);
  const page = (await browser.get(`${w.base}/logout`)).page;
  const out = await browser.submit(page.forms.find((form) => form.action.endsWith('/logout')));
  assert.equal(out.status, 200);
  for (const one of [browser, thief]) {
    const at = await one.get(authorizeUrl(w, goodRequest(w, await register(w)).parameters));
    assert.ok(loginForm(at.page), 'asked for the password');
  }
  assert.ok(w.audit().some((event) => event.event === 'logout' && event.decision === 'allow'));
});

test('somebody else signs in over a waiting request and takes it along', async () => {
  const client = await register(w);
  const browser = new Browser(w.base);
  let at = await browser.get(authorizeUrl(w, goodRequest(w, client).parameters));
  at = await browser.login(at.page, 'alice', PASSWORD);
  const link = at.page.links.find((href) => href.startsWith('/login?interaction='));
  assert.ok(link, 'not you?');
  at = await browser.get(w.base + link);
  at = await browser.login(at.page, 'bob', PASSWORD);
  assert.match(at.page.text, /bob/);
  const { left } = await browser.decide(at.page);
  assert.ok(left.searchParams.get('code'), left.href);
});
