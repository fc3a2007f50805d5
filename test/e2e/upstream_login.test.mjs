// People sign in at an OpenID provider of the settings; consent and tokens stay this server's own.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { Browser, consentForm, loginForm } from './lib/browser.mjs';
import { authorizeUrl, claims, goodRequest, redeem, register, signIn } from './lib/oauth.mjs';
import { Provider } from './lib/provider.mjs';
import { World, run, BUILD } from './lib/world.mjs';

let w;
let provider;
let client;
let folder;

function environment(more = {}) {
  return {
    WARDER_LOGIN_ISSUER: provider.url,
    WARDER_LOGIN_CLIENT_ID: provider.clientId,
    WARDER_LOGIN_CLIENT_SECRET_FILE: path.join(folder, 'secret'),
    WARDER_LOGIN_NAME: 'Example Accounts',
    WARDER_LOGIN_ALLOWED: 'email=*@example.com',
    WARDER_CLIENT_DOCUMENT_PRIVATE_HOSTS: '127.0.0.1',
    ...more,
  };
}

before(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'warder-provider-'));
  provider = await Provider.start();
  writeFileSync(path.join(folder, 'secret'), `${provider.secret}\n`, { mode: 0o600 });
  w = await World.start({ sample: false, users: ['alice', 'dana'], env: environment() });
  provider.redirectUri = `${w.base}/login/callback`;
  client = await register(w);
});
after(async () => {
  await w?.stop();
  await provider?.down();
  rmSync(folder, { recursive: true, force: true });
});

const elsewhere = (page) => page.forms.find((form) => new URL(form.action).pathname === '/login/elsewhere');

/** Where a page leads that does not show who is waiting: to the one that does. */
const wayBack = (answer) => /href="(\/login\?interaction=[^"]+)">Sign in with/.exec(answer.text)?.[1];

/** From /authorize over the button to the provider, and what it answers: the URL of our callback. */
async function toProvider(browser, overrides = {}) {
  const request = goodRequest(w, client, overrides);
  const shown = await browser.get(authorizeUrl(w, request.parameters));
  const form = elsewhere(shown.page);
  assert.ok(form, shown.text);
  assert.match(form.buttons[0].text, /^Continue to\s+Example Accounts\s+for\s+\S/);
  const { left, page } = await browser.submit(form);
  assert.equal(left?.origin, provider.url, page?.text);
  const answer = await fetch(left, { redirect: 'manual' });
  assert.equal(answer.status, 302, await answer.text());
  return { ...request, callback: new URL(answer.headers.get('location')), sent: left };
}

/** The whole way: {left, code} at the client. */
async function complete(browser, overrides = {}) {
  const there = await toProvider(browser, overrides);
  let at = await browser.get(there.callback);
  assert.ok(at.left || consentForm(at.page), `${at.status} ${at.page?.text}`);
  const asked = !at.left;
  if (asked) at = await browser.decide(at.page);
  assert.ok(at.left, at.page?.text);
  return { ...there, left: at.left, code: at.left.searchParams.get('code'), asked };
}

async function tokens(granted) {
  const answer = await redeem(w, client, granted);
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
}

const logins = () => w.audit().filter((event) => event.event === 'login');
const session = (browser) => [...browser.cookies.keys()].includes('warder');

test('upstream login: button, provider, consent, own tokens', async () => {
  provider.person({ sub: 'sub-happy', preferred_username: 'Happy', email: 'happy@example.com', acr: 'urn:example:mfa' });
  const browser = new Browser(w.base);
  const granted = await complete(browser);
  assert.ok(granted.asked, 'our consent page was shown');
  const sent = Object.fromEntries(granted.sent.searchParams);
  assert.equal(sent.scope, 'openid profile email');
  assert.equal(sent.redirect_uri, `${w.base}/login/callback`);
  assert.equal(sent.code_challenge_method, 'S256');
  assert.ok(sent.state.length >= 43 && sent.nonce.length >= 43 && sent.state !== sent.nonce);
  assert.equal(sent.prompt, undefined);
  const body = await tokens(granted);
  const { sub, iss } = claims(body.access_token);
  assert.equal(iss, w.issuer);
  assert.match(sub, /^x-[0-9a-f]{48}$/);
  assert.ok(!sub.includes('sub-happy'));
  const event = logins().at(-1);
  assert.deepEqual([event.decision, event.reason, event.user], ['allow', 'signed_in_elsewhere', sub]);
  const begun = browser.setCookies.find((cookie) => cookie.startsWith('warder-login=') && !/max-age=0/i.test(cookie));
  assert.match(begun, /; Max-Age=600; HttpOnly; SameSite=Lax$/);
  assert.ok(!browser.cookies.has('warder-login'), 'the cookie is gone');

  const again = await complete(new Browser(w.base));
  assert.equal(claims((await tokens(again)).access_token).sub, sub, 'the same account');
  const list = (await w.cli(['admin', 'user', 'list'])).stdout;
  assert.equal(list.split('\n').filter((line) => line.startsWith(sub)).length, 1);
  assert.match(list, new RegExp(`^${sub} +happy`, 'm'));
  for (const secret of ['provider-access-token', 'provider-refresh-token', provider.secret, sent.nonce]) {
    assert.ok(!w.auditText().includes(secret) && !w.warder.err.includes(secret));
  }
});

test('upstream login: neither name nor mail address leads to an account that is there', async () => {
  provider.person({ sub: 'sub-namesake', preferred_username: 'alice', email: 'alice@example.com' });
  const local = await signIn(w, client);
  const { sub } = claims((await tokens(await complete(new Browser(w.base)))).access_token);
  assert.notEqual(sub, claims(local.access_token).sub);
  assert.match((await w.cli(['admin', 'user', 'list'])).stdout, new RegExp(`^${sub} +alice-[0-9a-f]{8}`, 'm'));
  assert.equal(claims((await signIn(w, client)).access_token).sub, claims(local.access_token).sub, 'alice herself still signs in');
});

test('upstream login: an account without a password has none that fits', async () => {
  provider.person({ sub: 'sub-nopass', preferred_username: 'nopass', email: 'nopass@example.com' });
  await complete(new Browser(w.base));
  const browser = new Browser(w.base);
  for (const password of ['', 'x', 'sub-nopass']) {
    const shown = await browser.get(`${w.base}/login`);
    const answer = await browser.login(shown.page, 'nopass', password);
    assert.equal(answer.status, 403);
    assert.equal(logins().at(-1).reason, 'login_password_wrong');
  }
  assert.ok(!session(browser));
});

const now = () => Math.floor(Date.now() / 1000);
const REFUSED = {
  login_state_missing: { before: (browser) => browser.cookies.delete('warder-login') },
  login_state_wrong: { says: { answer: { state: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' } } },
  'login_state_wrong, none at all': { says: { answer: { state: undefined } } },
  'login_state_missing, cookie changed': { before: (browser) => browser.cookies.set('warder-login', browser.cookies.get('warder-login').replace(/^.{4}/, 'AAAA')) },
  login_answer_issuer: { says: { answer: { iss: 'https://evil.example' } } },
  'login_answer_issuer, left out': { says: { answer: { iss: undefined } } },
  login_provider_error: { says: { error: 'access_denied' } },
  login_code_missing: { says: { answer: { code: undefined } } },
  login_exchange_refused: { says: { answer: { code: 'another' } } },
  login_id_token_missing: { says: { token: { id_token: undefined } } },
  login_id_token_malformed: { says: { token: { id_token: 'a.b.c' } } },
  'login_id_token_malformed, another kind of token': { says: { header: { typ: 'at+jwt' } } },
  login_id_token_signature: { says: { key: 'stranger' } },
  login_id_token_key: { says: { header: { kid: 'unknown' } } },
  login_id_token_issuer: { claims: { iss: 'https://evil.example' } },
  login_id_token_audience: { claims: { aud: 'somebody-else' } },
  login_id_token_party: { claims: { aud: ['warder-at-provider', 'other'] } },
  'login_id_token_party, of another': { claims: { azp: 'other' } },
  login_id_token_time: { claims: { iat: now() - 900, exp: now() - 600 } },
  'login_id_token_time, no end': { claims: { exp: undefined } },
  'login_id_token_time, of the future': { claims: { iat: now() + 900, exp: now() + 1800 } },
  login_id_token_nonce: { claims: { nonce: 'another' } },
  'login_id_token_nonce, none at all': { claims: { nonce: undefined } },
  login_id_token_subject: { claims: { sub: '' } },
  login_not_allowed: { claims: { email: 'dana@evil.example' } },
  'login_not_allowed, address not verified': { claims: { email_verified: false } },
  'login_not_allowed, no address': { claims: { email: undefined } },
};

for (const [name, { says = {}, claims: bent = {}, before: prepare }] of Object.entries(REFUSED)) {
  test(`upstream login: ${name} is refused`, async () => {
    provider.person({ sub: 'sub-refused', ...bent });
    Object.assign(provider.says, says);
    const browser = new Browser(w.base);
    const { callback } = await toProvider(browser);
    prepare?.(browser);
    const exchanges = provider.exchanges;
    const events = logins().length;
    const answer = await browser.get(callback);
    assert.equal(answer.status, 403, answer.page?.text);
    assert.match(answer.page.text, /Signing in there did not work/);
    assert.ok(loginForm(answer.page), 'the password is open still');
    if (name.startsWith('login_state')) {
      assert.ok(elsewhere(answer.page) ?? wayBack(answer), 'and so is the provider');
    } else {
      assert.equal(elsewhere(answer.page), undefined, 'this page does not show for whom');
      const shown = await browser.get(new URL(wayBack(answer), w.base));
      assert.ok(elsewhere(shown.page), 'and the provider, by the page that does');
    }
    assert.ok(!session(browser));
    const [event, ...more] = logins().slice(events);
    assert.equal(more.length, 0);
    assert.deepEqual([event.decision, event.reason], ['deny', name.split(',')[0]]);
    if (/state|answer|error|code/.test(name)) assert.equal(provider.exchanges, exchanges, 'no code is redeemed');
    assert.ok(!(await w.cli(['admin', 'user', 'list'])).stdout.includes('dana-'), 'no account is made');
  });
}

test('upstream login: DCR-013 nobody is forwarded, and no consent is borrowed, for another client', async () => {
  provider.person({ sub: 'sub-deputy', preferred_username: 'deputy', email: 'deputy@example.com' });
  const browser = new Browser(w.base);
  assert.ok((await complete(browser)).code, 'the first client is approved');
  const other = await register(w, { client_name: 'Borrower', redirect_uris: ['https://evil.test/cb'] });
  const link = () => authorizeUrl(w, goodRequest(w, other).parameters);
  const asked = provider.asked.length;
  const signedIn = await browser.get(link());
  assert.ok(consentForm(signedIn.page), 'consent is asked for the other one');
  assert.match(signedIn.page.text, /Borrower/);
  assert.match(signedIn.page.text, /evil\.test/);

  // The person is signed in at the provider alone: the link shows our page, and only the button leads on.
  const fresh = new Browser(w.base);
  const shown = await fresh.get(link());
  for (const fact of [/Borrower/, /Unverified/, /https:\/\/evil\.test\/cb/, /news:read/, /Go on only if you have just started this/]) {
    assert.match(shown.page.text, fact, 'who is forwarded sees for whom, where it goes and what for');
  }
  assert.match(elsewhere(shown.page).buttons[0].text, /^Continue to\s+Example Accounts\s+for\s+Borrower$/);
  assert.equal(provider.asked.length, asked);
  // The leave to go on is for this request alone: that of another page is none.
  const plain = elsewhere((await fresh.get(`${w.base}/login`)).page);
  const interaction = elsewhere(shown.page).fields.find((field) => field.name === 'interaction').value;
  const csrf = plain.fields.find((field) => field.name === 'csrf').value;
  assert.equal((await fresh.submit(elsewhere(shown.page), { csrf, interaction })).status, 403);
  assert.equal(logins().at(-1).reason, 'form_not_ours');
  const { left } = await fresh.submit(elsewhere(shown.page));
  const answer = await fetch(left, { redirect: 'manual' });
  const back = await fresh.get(answer.headers.get('location'));
  assert.equal(back.left, undefined, 'no code without a decision');
  assert.ok(consentForm(back.page));
  assert.match(back.page.text, /Borrower/);
  const denied = await fresh.decide(back.page, false);
  assert.equal(denied.left.searchParams.get('code'), null);
});

test('upstream login: an answer is good once', async () => {
  provider.person({ sub: 'sub-replay', preferred_username: 'replay', email: 'replay@example.com' });
  provider.says.lenient = true; // it takes a code twice: what holds then is ours
  const browser = new Browser(w.base);
  const { callback } = await toProvider(browser);
  const cookie = browser.cookies.get('warder-login');
  assert.ok(consentForm((await browser.get(callback)).page));
  const again = await browser.get(callback);
  assert.equal(again.status, 403);
  assert.equal(logins().at(-1).reason, 'login_state_missing', 'the browser has no cookie any more');
  const thief = new Browser(w.base);
  thief.cookies.set('warder-login', cookie);
  assert.equal((await thief.get(callback)).status, 403);
  assert.equal(logins().at(-1).reason, 'login_state_used', 'not even with it');
  assert.ok(!session(thief));

  const racing = new Browser(w.base);
  const second = await toProvider(racing);
  const answers = await Promise.all([0, 1, 2, 3].map(() => fetch(second.callback, { redirect: 'manual', headers: { cookie: racing.cookieHeader() } })));
  assert.deepEqual(answers.map((answer) => answer.status).sort(), [303, 403, 403, 403]);
});

test('upstream login: prompt=login leads to a fresh sign-in there', async () => {
  provider.person({ sub: 'sub-again', preferred_username: 'again', email: 'again@example.com' });
  const browser = new Browser(w.base);
  await complete(browser);
  provider.says.claims.auth_time = now() - 3600;
  const there = await toProvider(browser, { prompt: 'login' });
  assert.equal(there.sent.searchParams.get('prompt'), 'login');
  assert.equal(there.sent.searchParams.get('max_age'), '0');
  assert.equal((await browser.get(there.callback)).status, 403);
  assert.equal(logins().at(-1).reason, 'login_not_again');
  provider.says.claims.auth_time = now();
  const granted = await complete(browser, { prompt: 'login' });
  assert.ok(granted.code);
});

test('upstream login: a disabled account stays out', async () => {
  provider.person({ sub: 'sub-disabled', preferred_username: 'gone', email: 'gone@example.com' });
  await complete(new Browser(w.base));
  await w.cli(['admin', 'user', 'disable', 'gone']);
  const browser = new Browser(w.base);
  const { callback } = await toProvider(browser);
  assert.equal((await browser.get(callback)).status, 403);
  assert.equal(logins().at(-1).reason, 'login_user_disabled');
  assert.ok(!session(browser));
});

test('upstream login: the button must be pressed on our page', async () => {
  const browser = new Browser(w.base);
  const shown = await browser.get(`${w.base}/login`);
  const form = elsewhere(shown.page);
  const foreign = await browser.submit(form, {}, null, { headers: { origin: 'https://evil.example' } });
  assert.equal(foreign.status, 403);
  const bent = await browser.submit(form, { csrf: 'AAAA' });
  assert.equal(bent.status, 403);
  assert.equal(logins().at(-1).reason, 'form_not_ours');
  assert.ok(!browser.cookies.has('warder-login'));
});

test('upstream login: a provider that is away is said to be', async () => {
  provider.person();
  const browser = new Browser(w.base);
  const { callback } = await toProvider(browser);
  await provider.down();
  try {
    const answer = await browser.get(callback);
    assert.equal(answer.status, 503);
    assert.equal(answer.headers.get('retry-after'), '5');
    assert.match(answer.page.text, /cannot be reached right now/);
    assert.equal(logins().at(-1).reason, 'login_provider_unavailable');
  } finally {
    await provider.up();
  }
});

test('upstream login: login_only shows and takes no passwords', async () => {
  w.env = environment({ WARDER_LOGIN_ONLY: 'true' });
  await w.restart();
  const browser = new Browser(w.base);
  const shown = await browser.get(`${w.base}/login`);
  assert.equal(loginForm(shown.page), undefined);
  const form = elsewhere(shown.page);
  const fields = Object.fromEntries(form.fields.map((field) => [field.name, field.value]));
  const body = new URLSearchParams({ ...fields, username: 'alice', password: w.users.alice });
  const answer = await browser.go('POST', `${w.base}/login`, { body: String(body) });
  assert.equal(answer.status, 403);
  assert.equal(logins().at(-1).reason, 'login_password_off');
  provider.person({ sub: 'sub-only', preferred_username: 'only', email: 'only@example.com' });
  await complete(new Browser(w.base));
  w.env = environment();
  await w.restart();
});

test('upstream login: settings that cannot be are refused in one line', async () => {
  const check = (args) => run(path.join(BUILD, 'warder'), ['config', 'check', ...args]);
  for (const [args, says] of [
    [['--login-issuer', 'accounts'], /login_issuer .* give the issuer's URL/],
    [['--login-issuer', 'http://accounts.example.com'], /login_issuer .* https/],
    [['--login-issuer', 'https://accounts.example.com'], /login_client_id/],
    [['--login-issuer', 'https://accounts.example.com', '--login-client-id', 'c', '--login-scopes', 'email'], /login_scopes .* openid/],
    [['--login-issuer', 'https://accounts.example.com', '--login-client-id', 'c', '--login-allowed', 'staff'], /login_allowed/],
    [['--login-only', 'true'], /login_only .* login_issuer/],
  ]) {
    const { code, stderr } = await check(args);
    assert.equal(code, 3, stderr);
    assert.match(stderr, says);
    assert.match(stderr, /^[^\n]+\n$/);
  }
});

test('upstream login: in Chromium, with its policy', { timeout: 60_000 }, async () => {
  provider.person({ sub: 'sub-chromium', preferred_username: 'chromium', email: 'chromium@example.com' });
  const blocked = [];
  const chrome = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'], timeout: 30_000 });
  try {
    const page = await (await chrome.newContext()).newPage();
    page.setDefaultTimeout(15_000);
    page.on('console', (message) => {
      if (/content.security.policy|refused to/i.test(message.text())) blocked.push(message.text());
    });
    const request = goodRequest(w, client);
    await page.goto(String(authorizeUrl(w, request.parameters)));
    await page.getByRole('button', { name: /^Continue to Example Accounts for / }).click();
    await page.waitForURL((url) => url.pathname === '/consent');
    assert.match(await page.title(), /Warder/);
    assert.ok(await page.getByText('chromium', { exact: false }).first().isVisible());
    const left = page.waitForRequest((one) => one.url().startsWith(request.parameters.redirect_uri));
    await page.getByRole('button', { name: /approve|allow/i }).click();
    const code = new URL((await left).url()).searchParams.get('code');
    const body = await tokens({ ...request, code });
    assert.match(claims(body.access_token).sub, /^x-/);
    assert.deepEqual(blocked, []);
  } finally {
    await chrome.close();
  }
});

test('upstream login: control', async () => {
  provider.person({ sub: 'sub-control', preferred_username: 'control', email: 'control@example.com' });
  assert.ok((await tokens(await complete(new Browser(w.base)))).access_token);
  assert.ok((await signIn(w, client)).access_token, 'and by password');
  assert.equal(provider.fault, undefined);
});
