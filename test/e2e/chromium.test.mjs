// A real browser for what only a browser can judge: the set-up link, login, consent with the whole
// redirect to a client that listens, pages without JavaScript, frames, and the pages' own policy.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { authorizeUrl, goodRequest, post, redeem, register } from './lib/oauth.mjs';
import { ANALYZE, ARTIFACTS, NEWS, PASSWORD, World } from './lib/world.mjs';

const ARGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];
const STEP_MS = 15_000;

let w;
let browser;
let client; // what listens at the redirect URI
let evil; // a foreign site
const arrivals = [];
const blocked = [];

function listen(handler) {
  const server = http.createServer(handler);
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

before(async () => {
  mkdirSync(ARTIFACTS, { recursive: true });
  w = await World.start({ users: [] });
  client = await listen((request, response) => {
    arrivals.push(new URL(request.url, 'http://client'));
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end('<!doctype html><title>Client</title><p>Signed in. You can close this window.');
  });
  evil = await listen((request, response) => {
    const target = new URL(request.url, 'http://x').searchParams.get('frame') ?? '';
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end(`<!doctype html><title>Evil</title><iframe id="f" width="600" height="400" src="${target.replaceAll('&', '&amp;')}"></iframe>`);
  });
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ARGS, timeout: 30_000 });
});
after(async () => {
  await browser?.close();
  for (const server of [client, evil]) {
    server?.closeAllConnections();
    server?.close();
  }
  await w?.stop();
});

async function newPage(options = {}) {
  const context = await browser.newContext({ viewport: { width: 960, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(STEP_MS);
  page.on('console', (message) => {
    if (/content.security.policy|refused to/i.test(message.text())) blocked.push(message.text());
  });
  return page;
}

function shot(page, name) {
  return page.screenshot({ path: path.join(ARTIFACTS, `${name}.png`), fullPage: true });
}

const LOOKS = [960, 360].flatMap((width) => ['light', 'dark'].map((colorScheme) => ({ width, colorScheme })));

/** One picture at desktop and phone width, in light and dark; nothing may be cut off or hard to read. */
async function looks(page, name) {
  for (const { width, colorScheme } of LOOKS) {
    await page.setViewportSize({ width, height: 800 });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await shot(page, `${name}-${width}-${colorScheme}`);
    const wide = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    assert.ok(wide <= 0, `${name} at ${width}: no sideways scrolling`);
    for (const { text, ratio } of await page.evaluate(contrasts)) {
      assert.ok(ratio >= 4.5, `${name} in ${colorScheme}: "${text}" has a contrast of ${ratio.toFixed(2)}`);
    }
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 960, height: 900 });
}

/** In the page: the contrast of each text with what is behind it (WCAG 2.2, 1.4.3). */
function contrasts() {
  const channel = (c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const color = (text) => text.match(/[\d.]+/g).map(Number);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const found = color(getComputedStyle(at).backgroundColor);
      if (found.length < 4 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    if (!text || !element.checkVisibility() || element.closest('.skip')) continue;
    const [light, dark] = [luminance(color(getComputedStyle(element).color)), luminance(behind(element))].sort((a, b) => b - a);
    found.push({ text, ratio: (light + 0.05) / (dark + 0.05) });
  }
  return found;
}

function callbacks() {
  return arrivals.filter((url) => url.pathname === '/callback');
}

function callback() {
  return `http://127.0.0.1:${client.address().port}/callback`;
}

async function signInForm(page, user, password) {
  await page.locator('input[type=password]').first().waitFor();
  await page.locator('form input[type=text], form input[type=email], form input:not([type])').first().fill(user);
  await page.locator('input[type=password]').first().fill(password);
  const again = page.locator('input[type=password]').nth(1);
  if (await again.count()) await again.fill(password);
}

const approve = (page) => page.getByRole('button', { name: /approve|allow|accept|grant/i });
const submit = (page) => page.locator('form:has(input[type=password]) button, form:has(input[type=password]) input[type=submit]').first();

/** Every page: a language, a title, one main heading, and a label for each visible field. */
async function assertAccessible(page, name) {
  assert.ok(await page.locator('html').getAttribute('lang'), `${name}: lang`);
  assert.ok(await page.title(), `${name}: title`);
  assert.equal(await page.locator('h1').count(), 1, `${name}: one h1`);
  assert.ok(await page.locator('main').count(), `${name}: main`);
  for (const input of await page.locator('input:not([type=hidden]):not([type=submit])').all()) {
    const id = await input.getAttribute('id');
    const labels = id ? await page.locator(`label[for="${id}"]`).count() : 0;
    const wrapped = await input.locator('xpath=ancestor::label').count();
    assert.ok(labels + wrapped > 0, `${name}: a label for ${id}`);
  }
  const width = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth').catch(() => 0);
  assert.ok(width <= 0, `${name}: no sideways scrolling`);
}

test('Chromium: set-up link creates the first account, once', async () => {
  const link = /first account: (\S+)/.exec(w.warder.out)?.[1];
  assert.ok(link, `the set-up link is printed: ${w.warder.out}`);
  const page = await newPage();
  await page.goto(link);
  await looks(page, '1-setup');
  await assertAccessible(page, 'set-up');
  await signInForm(page, 'alice', PASSWORD);
  await submit(page).click();
  await page.waitForLoadState();
  await looks(page, '2-setup-done');
  w.users.alice = PASSWORD;
  const second = await newPage();
  const answer = await second.goto(link);
  assert.ok(answer.status() >= 400, `the link works once: ${answer.status()}`);
  await looks(second, '3-setup-again');
  await page.context().close();
  await second.context().close();
  const { stdout } = await w.cli(['admin', 'user', 'list']);
  assert.match(stdout, /alice/);
});

for (const javaScriptEnabled of [true, false]) {
  test(`Chromium: login and consent with the full redirect, JavaScript ${javaScriptEnabled ? 'on' : 'off'}`, async () => {
    const registered = await register(w, { client_name: 'Ledger desktop', redirect_uris: [callback()] });
    const page = await newPage({ javaScriptEnabled });
    const { verifier, parameters } = goodRequest(w, registered, { scope: `${NEWS} ${ANALYZE}` });
    const suffix = javaScriptEnabled ? '' : '-nojs';
    blocked.length = 0;
    await page.goto(String(authorizeUrl(w, parameters)));
    await shot(page, `4-login${suffix}`);
    if (javaScriptEnabled) await assertAccessible(page, 'login');
    await signInForm(page, 'alice', 'not the passphrase');
    await submit(page).click();
    await page.locator('input[type=password]').first().waitFor();
    await shot(page, `5-login-refused${suffix}`);
    await signInForm(page, 'alice', PASSWORD);
    await submit(page).click();
    await approve(page).waitFor();
    await shot(page, `6-consent${suffix}`);
    if (javaScriptEnabled) await assertAccessible(page, 'consent');
    const text = await page.locator('body').innerText();
    for (const words of ['Ledger desktop', '127.0.0.1', 'Read market news', 'Score texts']) assert.ok(text.includes(words), `consent says "${words}": ${text}`);
    const before = callbacks().length;
    await approve(page).click();
    await page.waitForURL(/callback\?/, { timeout: STEP_MS });
    await shot(page, `7-client${suffix}`);
    assert.equal(callbacks().length, before + 1, 'the client was reached once');
    const arrived = callbacks().at(-1);
    assert.equal(arrived.searchParams.get('state'), parameters.state);
    assert.equal(arrived.searchParams.get('iss'), w.issuer);
    assert.deepEqual(blocked, [], 'the policy of the pages blocked nothing');
    const answer = await redeem(w, registered, { code: arrived.searchParams.get('code'), verifier, parameters });
    assert.equal(answer.status, 200, answer.text);
    await page.context().close();
  });
}

test('Chromium: a device is connected, at each width and in light and dark', async () => {
  const device = await w.addClient(['--name', 'Living room', '--grant', 'device_code', '--public']);
  const one = async () => (await post(w, 'device_authorization_endpoint', { ...device, token_endpoint_auth_method: 'none' },
    { scope: `${NEWS} ${ANALYZE}`, resource: w.mcp })).body;
  const asked = await one();
  const page = await newPage();
  blocked.length = 0;
  await page.goto(asked.verification_uri);
  await looks(page, '10-device');
  await assertAccessible(page, 'device');
  await page.getByLabel('Code').fill('BBBB-BBBB');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.locator('.alert').waitFor();
  await looks(page, '10-device-refused');
  await assertAccessible(page, 'device, refused');
  await page.goto(asked.verification_uri_complete);
  await looks(page, '10-device-link');
  assert.equal(await page.getByLabel('Code').inputValue(), asked.user_code);
  await page.getByRole('button', { name: 'Continue' }).click();
  await signInForm(page, 'alice', PASSWORD);
  await submit(page).click();
  await approve(page).waitFor();
  await looks(page, '10-device-consent');
  await assertAccessible(page, 'consent of a device');
  assert.ok((await page.locator('body').innerText()).includes(asked.user_code));
  await approve(page).click();
  await page.getByText('You may go back to your device').waitFor();
  await looks(page, '10-device-done');
  await assertAccessible(page, 'device, done');
  const second = await one();
  await page.goto(second.verification_uri_complete);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Deny' }).click();
  await page.getByRole('heading', { name: 'Access denied' }).waitFor();
  await looks(page, '10-device-denied');
  assert.deepEqual(blocked, [], 'the policy of the pages blocked nothing');
  await page.context().close();
});

test('Chromium: login, consent, leaving, errors and the account, at each width and in light and dark', async () => {
  const registered = await register(w, { client_name: 'Ledger desktop', redirect_uris: [callback()] });
  const { parameters } = goodRequest(w, registered, { scope: `${NEWS} ${ANALYZE}` });
  const page = await newPage();
  // The client answers "no content", so that the page before it stays.
  await page.route('**/callback?*', (route) => route.fulfill({ status: 204 }));
  await page.goto(String(authorizeUrl(w, parameters)));
  await looks(page, '9-login');
  await signInForm(page, 'alice', 'not the passphrase');
  await submit(page).click();
  await page.locator('.alert').waitFor();
  await looks(page, '9-login-refused');
  await signInForm(page, 'alice', PASSWORD);
  await submit(page).click();
  await approve(page).waitFor();
  await looks(page, '9-consent');
  await approve(page).click();
  await page.getByRole('heading', { name: 'Access approved' }).waitFor();
  await looks(page, '9-leave');
  await assertAccessible(page, 'leave');
  await page.goto(`${w.base}/`);
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  await looks(page, '9-account');
  await assertAccessible(page, 'account');
  await page.goto(String(authorizeUrl(w, { ...parameters, client_id: 'nobody' })));
  await looks(page, '9-error');
  await assertAccessible(page, 'error');
  await page.goto(`${w.base}/nowhere`);
  await looks(page, '9-not-found');
  await page.context().close();
});

test('pain row 18: CSP never blocks the consent redirect, also to another host and a second hop', async () => {
  // The client's redirect URI answers with a redirect of its own to yet another origin: form-action
  // would follow the whole chain and block it.
  const hop = await listen((request, response) => {
    response.writeHead(302, { location: `${callback()}?hopped=1&${request.url.split('?')[1] ?? ''}` });
    response.end();
  });
  const hopUrl = `http://localhost:${hop.address().port}/first`;
  try {
    const registered = await register(w, { redirect_uris: [hopUrl] });
    const page = await newPage();
    blocked.length = 0;
    await page.goto(String(authorizeUrl(w, goodRequest(w, registered).parameters)));
    await signInForm(page, 'alice', PASSWORD);
    await submit(page).click();
    await approve(page).click();
    await page.waitForURL(/callback\?hopped=1/, { timeout: STEP_MS });
    assert.deepEqual(blocked, []);
    await page.context().close();
  } finally {
    hop.closeAllConnections();
    hop.close();
  }
});

test('UI-001 every page refuses to be framed by a foreign site', async () => {
  const registered = await register(w, { redirect_uris: [callback()] });
  const login = String(authorizeUrl(w, goodRequest(w, registered).parameters));
  const error = String(authorizeUrl(w, goodRequest(w, registered, { client_id: 'nobody' }).parameters));
  const page = await newPage();
  await page.goto(login);
  await signInForm(page, 'alice', PASSWORD);
  await submit(page).click();
  await approve(page).waitFor();
  // The session's cookies are there: the consent page would show, were it not for the policy.
  for (const [name, url] of Object.entries({ 'login or consent': login, error, 'log-out': `${w.base}/logout` })) {
    await page.goto(`http://127.0.0.1:${evil.address().port}/?frame=${encodeURIComponent(url)}`);
    const frame = page.frames().find((one) => one !== page.mainFrame());
    await page.waitForTimeout(300);
    const inside = frame ? await frame.content().catch(() => '') : '';
    assert.ok(!/type="password"|<form/i.test(inside), `${name} was shown in a frame: ${inside.slice(0, 200)}`);
  }
  await shot(page, '8-framed');
  const direct = await page.goto(login);
  assert.equal(direct.status(), 200, 'control: it shows when it is not framed');
  await page.context().close();
});

test('Chromium: a foreign site cannot submit the consent form of a live session (UI-005)', async () => {
  const registered = await register(w, { redirect_uris: [callback()] });
  const page = await newPage();
  await page.goto(String(authorizeUrl(w, goodRequest(w, registered).parameters)));
  await signInForm(page, 'alice', PASSWORD);
  await submit(page).click();
  await approve(page).waitFor();
  const form = await page.evaluate(`(() => { const b = [...document.querySelectorAll('button')].find((x) => /approve|allow|accept|grant/i.test(x.innerText));
    return { action: b.form.action, fields: [...new FormData(b.form, b)] }; })()`);
  const before = callbacks().length;
  const forgery = await listen((request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end(`<!doctype html><form method="post" action="${form.action.replaceAll('&', '&amp;')}">${form.fields.map(([n, v]) => `<input name="${n}" value="${v}">`).join('')}</form>
      <script>document.forms[0].submit()</script>`);
  });
  try {
    const cross = await page.context().newPage();
    // localhost is another site than 127.0.0.1.
    await cross.goto(`http://localhost:${forgery.address().port}/`);
    await cross.waitForTimeout(1000);
    assert.equal(callbacks().length, before, 'the client was not reached');
  } finally {
    forgery.closeAllConnections();
    forgery.close();
  }
  await approve(page).click();
  await page.waitForURL(/callback\?/, { timeout: STEP_MS });
  await page.context().close();
});
