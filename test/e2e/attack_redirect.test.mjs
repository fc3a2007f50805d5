// Attack cases of the area as-redirect, from outside.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertPage, assertRefused, control, play, playUrl, signedIn } from './lib/attack.mjs';
import { Browser, consentForm, loginForm } from './lib/browser.mjs';
import { authorizeUrl, CALLBACK, goodRequest, register, registerRaw } from './lib/oauth.mjs';
import { PASSWORD, World } from './lib/world.mjs';

let w;
before(async () => (w = await World.start({ sample: false })));
after(() => w?.stop());

const web = (uri, extra = {}) => register(w, { redirect_uris: [uri].flat(), ...extra });

test('RED-001 unregistered redirect_uri never receives a redirect', async () => {
  const client = await web('https://c.test/cb');
  const browser = await signedIn(w);
  const result = await play(w, client, { redirect_uri: 'https://evil.test/cb', state: 'x' }, { browser });
  assertPage(result);
  assert.equal(result.page.links.filter((link) => link.includes('evil.test')).length, 0);
  assert.match(w.auditText(), /evil\.test/, 'the audit event names the rejected URI');
  for (const near of ['https://c.test/cb/', 'https://c.test/cb?x=1', 'https://c.test/CB', 'https://c.test:443/cb',
    'https://C.test/cb', 'http://c.test/cb', 'https://c.test/cb#f', 'https://c.test/./cb', 'https://c.test/%63b',
    'https://c.test@evil.test/cb', 'https://c.test/cb ']) {
    assertPage(await play(w, client, { redirect_uri: near }, { browser }), near);
  }
  assert.ok((await play(w, client, {}, { browser })).code, 'the registered one works');
});

test('RED-004 no wildcard or regex meaning in a registered URI', async () => {
  for (const [pattern, tried] of [['https://*.c.test/cb', 'https://a.c.test/cb'], ['https://c.test/*', 'https://c.test/zzz'],
    ['https://c.test/.*', 'https://c.test/zzz']]) {
    const answer = await registerRaw(w, { redirect_uris: [pattern], token_endpoint_auth_method: 'none' });
    if (answer.status === 400) {
      assert.equal(answer.body.error, 'invalid_redirect_uri', answer.text);
      continue;
    }
    assertPage(await play(w, answer.body, { redirect_uri: tried }), pattern);
  }
  await control(w, await web('https://c.test/cb'));
});

test('RED-006 IPv6 loopback literal with variable port', async () => {
  const client = await web('http://[::1]/cb');
  for (const spelling of ['http://[0:0:0:0:0:0:0:1]:61023/cb', 'http://[::ffff:127.0.0.1]:61023/cb',
    'http://[::1%25lo]:61023/cb', 'http://[::1]:61023/other', 'http://[::2]:61023/cb']) {
    const { parameters } = goodRequest(w, client, { redirect_uri: spelling });
    assertPage(await playUrl(w, authorizeUrl(w, parameters)), spelling);
  }
  const result = await play(w, client, { redirect_uri: 'http://[::1]:61023/cb' });
  assert.ok(result.code);
  assert.equal(result.left.port, '61023');
});

test('RED-008 several registered URIs require the parameter', async () => {
  const client = await web(['https://c.test/one', 'https://c.test/two']);
  assertPage(await play(w, client, { redirect_uri: undefined }));
  assert.equal((await play(w, client, { redirect_uri: 'https://c.test/two' })).left.pathname, '/two');
});

test('RED-010 parameters in body and query that disagree are refused', async () => {
  const good = await web('https://c.test/cb');
  const evil = await web('https://evil.test/cb');
  const { parameters } = goodRequest(w, good);
  const browser = await signedIn(w);
  const body = new URLSearchParams({ ...parameters, client_id: evil.client_id, redirect_uri: 'https://evil.test/cb' });
  const result = await browser.go('POST', authorizeUrl(w, parameters), { body: String(body) });
  assert.equal(result.left, undefined);
  assert.ok(result.status >= 400 && result.status < 500, String(result.status));
  assert.ok((await play(w, good, {}, { browser })).code);
});

test('RED-013 the registered query is kept and response parameters are appended', async () => {
  const client = await web('https://c.test/cb?tenant=1&q=a%20b');
  const browser = new Browser(w.base);
  const { parameters } = goodRequest(w, client, { state: 'st' });
  const { left } = await playUrl(w, authorizeUrl(w, parameters), { browser });
  const page = browser.hops.at(-1).body;
  assert.ok(left.href.startsWith('https://c.test/cb?tenant=1&q=a%20b&'), left.href);
  assert.deepEqual([...left.searchParams.keys()].sort(), ['code', 'iss', 'q', 'state', 'tenant']);
  assert.ok(page.includes('https://c.test/cb?tenant=1&amp;q=a%20b&amp;') || left.href.includes('tenant=1&q=a%20b&'));
});

test('RED-014 the server is not an open redirector before the user acts', async () => {
  const client = await web('https://evil.test/cb');
  for (const bent of [{ scope: 'bogus' }, { response_type: 'bogus' }, { code_challenge: undefined }, { prompt: 'none' }]) {
    const { parameters } = goodRequest(w, client, bent);
    const result = await new Browser(w.base).get(authorizeUrl(w, parameters));
    assert.equal(result.left, undefined, `${JSON.stringify(bent)} sent an anonymous visitor to ${result.left}`);
    assert.ok(result.status === 200 || (result.status >= 400 && result.status < 500), String(result.status));
  }
  await control(w);
});

test('RED-015 redirects after POST are 303, and no credential reaches the client', async () => {
  const client = await web('https://c.test/cb');
  const browser = new Browser(w.base);
  const { left } = await play(w, client, {}, { browser });
  const afterPost = browser.hops.filter((hop) => hop.method === 'POST' && hop.status >= 300 && hop.status < 400);
  for (const hop of afterPost) assert.ok([302, 303].includes(hop.status), `${hop.url}: ${hop.status}`);
  assert.ok(browser.hops.some((hop) => hop.method === 'POST'), 'forms were sent');
  assert.ok(!left.href.includes(encodeURIComponent(PASSWORD)) && !left.href.includes('alice'));
  assert.deepEqual([...left.searchParams.keys()].sort(), ['code', 'iss', 'state']);
});

test('RED-016 response header splitting through state', async () => {
  const client = await web('https://c.test/cb');
  for (const state of ['\r\nSet-Cookie: a=b\r\n', '\u560a\u560dX', '"><script>alert(1)</script>', "'&;#%00".replace('%00', '')]) {
    const browser = new Browser(w.base);
    const result = await play(w, client, { state }, { browser });
    for (const hop of browser.hops) {
      assert.ok(!hop.headers.getSetCookie().some((cookie) => cookie.startsWith('a=b')), 'no injected header');
      assert.ok(!hop.body.includes('<script>alert(1)'), 'escaped');
    }
    if (result.left) assert.equal(result.left.searchParams.get('state') ?? state, state);
    else assertPage(result);
  }
  await control(w);
});

test('RED-017 long state and nonce come back whole or are refused cleanly', async () => {
  const client = await web('https://c.test/cb');
  for (const [name, size] of [['state', 1024], ['state', 4096], ['state', 65_536], ['state', 1_048_576],
    ['nonce', 64], ['nonce', 384], ['nonce', 4096]]) {
    const value = 'a'.repeat(size);
    const { parameters } = goodRequest(w, client, { [name]: value });
    let result;
    try {
      result = await playUrl(w, authorizeUrl(w, parameters));
    } catch (error) {
      assert.match(String(error.cause ?? error), /closed|reset|ECONN|EPIPE|terminated/i, 'cut off while still sending');
      continue;
    }
    if (result.left) {
      if (name === 'state' && !result.error) assert.equal(result.left.searchParams.get('state').length, size, 'not truncated');
    } else {
      assert.ok([400, 413, 414, 431].includes(result.status), `${name} of ${size}: ${result.status}`);
    }
  }
  assertRefused(await play(w, client, { state: ['a', 'b'] }), ['invalid_request'], 'two states');
  await control(w);
});

test('pages of an authorization request name the client and the redirect host', async () => {
  const client = await web('https://c.test/cb', { client_name: 'Ledger & Sons <b>' });
  const browser = new Browser(w.base);
  const { parameters } = goodRequest(w, client);
  let at = await browser.get(authorizeUrl(w, parameters));
  at = await browser.login(at.page, 'alice', PASSWORD);
  assert.ok(!loginForm(at.page) && consentForm(at.page), at.text);
  assert.ok(at.page.text.includes('Ledger & Sons <b>'), at.page.text);
  assert.ok(!at.text.includes('Sons <b>'), 'escaped');
  assert.ok(at.page.text.includes('c.test'), 'names the host');
  assert.ok(at.page.text.includes('Read market news'), 'says the scope in plain words');
});
