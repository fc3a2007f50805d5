// Attack cases of the area as-ui, from outside. UI-001 in a real browser is in chromium.test.mjs.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { control, play, playUrl, signedIn } from './lib/attack.mjs';
import { Browser, consentForm, loginForm } from './lib/browser.mjs';
import { authorizeUrl, goodRequest, httpRaw, machineToken, redeem, register } from './lib/oauth.mjs';
import { ANALYZE, NEWS, PASSWORD, World, sleep } from './lib/world.mjs';

let w;
before(async () => (w = await World.start({ sample: false, users: ['alice', 'bob', 'dora'] })));
after(() => w?.stop());

const web = (extra = {}) => register(w, { redirect_uris: ['https://c.test/cb'], ...extra });
const start = (client, overrides) => authorizeUrl(w, goodRequest(w, client, overrides).parameters);

/** A browser that stands at the consent page of a client. */
async function atConsent(client, browser = new Browser(w.base), overrides) {
  let at = await browser.get(start(client, overrides));
  if (loginForm(at.page)) at = await browser.login(at.page, 'alice', PASSWORD);
  assert.ok(consentForm(at.page), at.page?.text);
  return { at, browser };
}

test('UI-001 every page forbids framing, scripts and foreign resources', async () => {
  const client = await web();
  const browser = new Browser(w.base);
  await play(w, client, {}, { browser });
  await browser.get(start(client, { client_id: 'nobody' }));
  await browser.get(`${w.base}/no-such-page`);
  const pages = browser.hops.filter((hop) => /^text\/html/.test(hop.headers.get('content-type') ?? ''));
  assert.ok(pages.length >= 3, `${pages.length} pages`);
  for (const { url, headers } of pages) {
    const csp = headers.get('content-security-policy') ?? '';
    assert.match(csp, /frame-ancestors 'none'/, url);
    assert.match(csp, /default-src 'none'/, url);
    assert.doesNotMatch(csp, /unsafe-inline|unsafe-eval|\*/, url);
    assert.equal(headers.get('x-frame-options'), 'DENY', url);
    assert.equal(headers.get('x-content-type-options'), 'nosniff', url);
    assert.match(headers.get('referrer-policy') ?? '', /no-referrer|same-origin/, url);
    assert.match(headers.get('cache-control') ?? '', /no-store/, url);
  }
});

test('UI-005 consent CSRF', async () => {
  const client = await web();
  const { at, browser } = await atConsent(client);
  const { form, button } = consentForm(at.page);
  const bare = { ...form, fields: form.fields.filter((field) => field.type !== 'hidden') };
  const forgeries = {
    'no token': () => browser.submit(bare, {}, button),
    'foreign origin': () => browser.submit(form, {}, button, { headers: { origin: 'https://evil.test', 'sec-fetch-site': 'cross-site' } }),
    'changed token': () => browser.submit({ ...form, fields: form.fields.map((f) => ({ ...f, value: f.value && f.type === 'hidden' ? `${f.value.slice(0, -2)}xx` : f.value })) }, {}, button),
    'no cookies': () => new Browser(w.base).submit(form, {}, button),
  };
  for (const [name, forge] of Object.entries(forgeries)) {
    const before = w.audit().length;
    const answer = await forge();
    const event = w.audit().at(before);
    assert.equal(event?.event, 'consent', `${name} left no event`);
    assert.match(`${event.decision} ${event.reason}`, /^deny form_(not_ours|from_elsewhere)$/, name);
    assert.equal(answer.left?.searchParams.get('code') ?? null, null, `${name} got a code`);
    if (name === 'no cookies' && loginForm(answer.page)) continue;
    assert.ok(answer.status >= 400 && answer.status < 500, `${name}: ${answer.status}`);
  }
  assert.ok((await atConsent(client, browser).then(({ at: again }) => browser.decide(again.page))).left.searchParams.get('code'));
});

test('UI-005 a login form of another site, or of another browser, is refused and recorded', async () => {
  const browser = new Browser(w.base);
  const form = loginForm((await browser.get(`${w.base}/login`)).page);
  const fields = { ...Object.fromEntries(form.fields.map((f) => [f.name, f.value])), username: 'alice', password: w.users.alice };
  const headers = { 'content-type': 'application/x-www-form-urlencoded', origin: w.base, cookie: browser.cookieHeader() };
  const forgeries = {
    'foreign origin': { ...headers, origin: 'https://evil.test' },
    'two origins': { ...headers, origin: [w.base, 'https://evil.test'] },
    'null origin': { ...headers, origin: 'null' },
    'another site': { ...headers, 'sec-fetch-site': 'cross-site' },
    'no cookie': { ...headers, cookie: '' },
  };
  for (const [name, bent] of Object.entries(forgeries)) {
    const before = w.audit().length;
    const answer = await httpRaw(`${w.base}/login`, { method: 'POST', headers: bent, body: String(new URLSearchParams(fields)) });
    assert.equal(answer.status, 403, name);
    assert.ok(!/warder=wss_/.test(answer.headers.get('set-cookie') ?? ''), name);
    const event = w.audit().at(before);
    assert.equal(event?.event, 'login', `${name} left no event`);
    assert.match(`${event.decision} ${event.reason}`, /^deny form_(not_ours|from_elsewhere)$/, name);
  }
  const good = await httpRaw(`${w.base}/login`, { method: 'POST', headers, body: String(new URLSearchParams(fields)) });
  assert.equal(good.status, 303, good.text);
});

test('UI-005 every form of another site is refused, recorded, and takes nothing down', async () => {
  const forms = { '/login': 'login', '/consent': 'consent', '/logout': 'logout', '/setup': 'user.created', '/grants/revoke': 'revoke' };
  for (const [where, what] of Object.entries(forms)) {
    const before = w.audit().length;
    const answer = await httpRaw(`${w.base}${where}`, {
      method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded', origin: 'https://evil.test' }, body: 'a=b',
    });
    assert.equal(answer.status, 403, where);
    const event = w.audit().at(before);
    assert.equal(`${event?.event} ${event?.decision} ${event?.reason}`, `${what} deny form_from_elsewhere`, where);
  }
  assert.equal((await httpRaw(`${w.base}/healthz`)).status, 200);
});

test('UI-006 consent ticket substitution', async () => {
  const honest = await web({ client_name: 'Honest' });
  const other = await register(w, { client_name: 'Other', redirect_uris: ['https://evil.test/cb'] });
  const browser = new Browser(w.base);
  const one = await atConsent(honest, browser);
  const two = await atConsent(other, browser);
  const first = consentForm(one.at.page);
  const second = consentForm(two.at.page);
  // Every hidden value of one form put into the other, one at a time and all together.
  const names = first.form.fields.filter((f) => f.type === 'hidden').map((f) => f.name);
  for (const some of [...names.map((name) => [name]), names]) {
    const mixed = {
      ...first.form,
      fields: first.form.fields.map((f) => (some.includes(f.name) ? { ...f, value: second.form.fields.find((g) => g.name === f.name)?.value ?? f.value } : f)),
    };
    const answer = await browser.submit(mixed, {}, first.button);
    if (answer.left) {
      const consistent = { 'c.test': honest, 'evil.test': other }[answer.left.hostname];
      assert.ok(consistent, answer.left.href);
    }
  }
  const fresh = await atConsent(honest, browser, { scope: `${NEWS} ${ANALYZE}` });
  const { form, button } = consentForm(fresh.at.page);
  const tampered = { ...form, fields: [...form.fields] };
  for (const [name, value] of Object.entries({ scope: '*', resource: 'https://evil.test', redirect_uri: 'https://evil.test/cb', client_id: other.client_id })) {
    if (!tampered.fields.some((f) => f.name === name)) tampered.fields.push({ name, type: 'hidden', value });
  }
  const answer = await browser.submit(tampered, {}, button);
  if (answer.left) assert.equal(answer.left.hostname, 'c.test', 'the stored request wins');
  await control(w, honest);
});

test('UI-010 cookie attributes over http on loopback', async () => {
  const browser = new Browser(w.base);
  await play(w, await web(), {}, { browser });
  assert.ok(browser.setCookies.length > 0);
  for (const cookie of browser.setCookies) {
    assert.match(cookie, /;\s*HttpOnly/i, cookie);
    assert.match(cookie, /;\s*SameSite=(Lax|Strict)/i, cookie);
    assert.match(cookie, /;\s*Path=\//i, cookie);
    assert.doesNotMatch(cookie, /;\s*Domain=/i, cookie);
  }
});

describe('behind a TLS proxy', () => {
  let prod;
  before(async () => {
    prod = await World.start({
      sample: false,
      env: { WARDER_PUBLIC_URL: 'https://auth.example.com', WARDER_TRUSTED_PROXIES: '127.0.0.1/32', WARDER_REGISTRATION: 'open' },
    });
  });
  after(() => prod?.stop());

  test('UI-010 cookies are __Host- and Secure over https', async () => {
    // The proxy's part is played by rewriting the public origin to the listening address.
    const browser = new Browser('https://auth.example.com', {
      headers: { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'auth.example.com', 'x-forwarded-for': '203.0.113.7' },
      fetch: (url, init) => fetch(String(url).replace('https://auth.example.com', prod.base), init),
    });
    const client = await register(prod);
    const { parameters } = goodRequest(prod, client);
    const url = String(authorizeUrl(prod, parameters)).replace(prod.base, 'https://auth.example.com');
    const result = await playUrl(prod, url, { browser });
    assert.ok(result.code, result.text);
    assert.equal(result.left.searchParams.get('iss'), 'https://auth.example.com');
    assert.ok(browser.setCookies.length > 0);
    for (const cookie of browser.setCookies) {
      assert.match(cookie, /^__Host-/, cookie);
      assert.match(cookie, /;\s*Secure/i, cookie);
      assert.match(cookie, /;\s*HttpOnly/i, cookie);
      assert.match(cookie, /;\s*SameSite=(Lax|Strict)/i, cookie);
      assert.match(cookie, /;\s*Path=\/(;|$)/i, cookie);
      assert.doesNotMatch(cookie, /;\s*Domain=/i, cookie);
    }
    const page = browser.hops.find((hop) => /^text\/html/.test(hop.headers.get('content-type') ?? ''));
    assert.match(page.headers.get('strict-transport-security') ?? 'max-age=', /max-age=/);
  });
});

test('UI-012 user enumeration: same status, same words, same time', async () => {
  const client = await web();
  const attempt = async (user) => {
    const browser = new Browser(w.base);
    const at = await browser.get(start(client));
    const begin = process.hrtime.bigint();
    const answer = await browser.login(at.page, user, 'a wrong passphrase');
    const ms = Number(process.hrtime.bigint() - begin) / 1e6;
    const text = answer.page.text.replaceAll(user, 'USER');
    return { ms, shape: `${answer.status} ${text} ${[...answer.headers.keys()].join()}` };
  };
  // One try each: repeated failures of one account are delayed on purpose.
  const known = await attempt('dora');
  const unknown = await attempt('zora');
  assert.equal(known.shape, unknown.shape);
  assert.ok(Math.abs(known.ms - unknown.ms) < Math.max(60, 0.6 * Math.max(known.ms, unknown.ms)), `${known.ms} ms and ${unknown.ms} ms`);
  await control(w, client);
});

test('UI-014 rate-limit key spoofing', async () => {
  const tight = await World.start({ sample: false, env: { WARDER_REGISTRATION_PER_MINUTE: '10' } });
  try {
    const url = tight.metadata.registration_endpoint;
    const body = JSON.stringify({ redirect_uris: ['https://c.test/cb'], token_endpoint_auth_method: 'none' });
    const statuses = [];
    for (let i = 0; i < 30; i++) {
      const spoof = { 'x-forwarded-for': `203.0.113.${i}`, forwarded: `for="[2001:db8::${i}]"`, 'true-client-ip': `198.51.100.${i}`, 'x-real-ip': `::ffff:1.2.3.${i}` };
      const answer = await httpRaw(url, { method: 'POST', headers: { 'content-type': 'application/json', ...spoof }, body });
      statuses.push(answer.status);
    }
    assert.ok(statuses.includes(429), String(statuses));
    const elsewhere = await httpRaw(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body, localAddress: '127.0.0.3' });
    assert.equal(elsewhere.status, 201, 'a real other address has its own bucket');
  } finally {
    await tight.stop();
  }
});

test('UI-014 a trusted proxy names the client, IPv6 by its /64', async () => {
  const tight = await World.start({ sample: false, env: { WARDER_REGISTRATION_PER_MINUTE: '10', WARDER_TRUSTED_PROXIES: '127.0.0.1/32' } });
  try {
    const url = tight.metadata.registration_endpoint;
    const body = JSON.stringify({ redirect_uris: ['https://c.test/cb'], token_endpoint_auth_method: 'none' });
    const send = (who) => httpRaw(url, { method: 'POST', headers: { 'content-type': 'application/json', 'x-forwarded-for': who }, body });
    const statuses = [];
    for (let i = 0; i < 30; i++) statuses.push((await send(`2001:DB8:0:1::${i.toString(16)}`)).status);
    assert.ok(statuses.includes(429), `one /64 is one client: ${statuses}`);
    assert.equal((await send('2001:db8:0:2::1')).status, 201, 'another /64');
    assert.equal((await send('198.51.100.9')).status, 201, 'an IPv4 address');
  } finally {
    await tight.stop();
  }
});

test('UI-015 password hashing cannot be used to stop the server', async () => {
  const client = await web();
  const browser = new Browser(w.base);
  const at = await browser.get(start(client));
  const begin = Date.now();
  const huge = await browser.login(at.page, 'bob', 'x'.repeat(1 << 20)).catch((error) => ({ status: 413, error }));
  assert.ok(huge.left === undefined && Date.now() - begin < 15_000);
  assert.ok([200, 400, 401, 403, 413, 422].includes(huge.status), String(huge.status));

  const machine = await w.machineClient();
  const storm = Array.from({ length: 40 }, async (_, i) => {
    const visitor = new Browser(w.base);
    const page = await visitor.get(start(client));
    if (!loginForm(page.page)) return page.status;
    return (await visitor.login(page.page, `nobody-${i}`, `wrong ${'x'.repeat(900)}`)).status;
  });
  const times = [];
  for (let i = 0; i < 20; i++) {
    const from = Date.now();
    assert.equal((await machineToken(w, machine)).status, 200);
    times.push(Date.now() - from);
  }
  const statuses = await Promise.all(storm);
  assert.ok(statuses.every((status) => status < 500 || status === 503), String(statuses));
  times.sort((a, b) => a - b);
  assert.ok(times[times.length >> 1] < 2000, `token endpoint while hashing: ${times}`);

  const base = 'p'.repeat(72);
  await w.addUser('erin', `${base}-one`);
  const wrong = new Browser(w.base);
  const page = await wrong.get(start(client));
  const answer = await wrong.login(page.page, 'erin', `${base}-two`);
  assert.ok(!answer.left && !consentForm(answer.page), 'equal in the first 72 bytes is not equal');
});

test('a password that is changed while it is being looked at signs nobody in', async () => {
  await w.addUser('hasty');
  const browser = new Browser(w.base);
  const form = loginForm((await browser.get(`${w.base}/login`)).page);
  const fields = Object.fromEntries(form.fields.map((f) => [f.name, f.value]));
  const headers = { 'content-type': 'application/x-www-form-urlencoded', origin: w.base, cookie: browser.cookieHeader() };
  const login = (username, localAddress) => httpRaw(`${w.base}/login`, {
    method: 'POST', headers, localAddress, body: String(new URLSearchParams({ ...fields, username, password: PASSWORD })),
  });
  // Others in front of it keep the threads busy for longer than the change takes.
  const others = Array.from({ length: 60 }, (_, i) => login(`nobody${i}`, `127.0.9.${i + 1}`));
  await sleep(100);
  let answered = false;
  const waiting = login('hasty', '127.0.9.99').finally(() => (answered = true));
  await w.cli(['admin', 'user', 'password', 'hasty', '--password-stdin'], { input: 'another horse battery staple\n' });
  const raced = !answered;
  const answer = await waiting;
  await Promise.all(others);
  if (raced) {
    assert.equal(answer.status, 403, answer.text);
    assert.equal(answer.headers.get('location'), null);
  }
  const again = await browser.login((await browser.get(`${w.base}/login`)).page, 'hasty', 'another horse battery staple');
  assert.match(again.page.title, /account/i);
});

test('UI-016 post-login redirect parameter', async () => {
  const client = await web();
  for (const where of ['https://evil.test', '//evil.test', '/\\evil.test', '/%09/evil.test', 'https:evil.test', 'javascript:alert(1)']) {
    const browser = new Browser(w.base);
    for (const name of ['return_to', 'next', 'redirect', 'continue', 'return']) {
      let at = await browser.get(`${w.base}/login?${name}=${encodeURIComponent(where)}`);
      if (loginForm(at.page)) at = await browser.login(at.page, 'alice', PASSWORD);
      assert.equal(at.left, undefined, `${name}=${where} led to ${at.left}`);
      for (const hop of browser.hops) assert.ok(!(hop.headers.get('location') ?? '').match(/evil|javascript/i), hop.url);
    }
    const at = await browser.get(`${start(client)}&return_to=${encodeURIComponent(where)}`);
    assert.ok(!at.left || at.left.hostname === 'c.test');
  }
});

test('UI-017 a cross-site visit to logout does not end the session', async () => {
  const client = await web();
  const browser = await signedIn(w);
  for (const url of ['/logout', '/logout?post_logout_redirect_uri=https://evil.test/', '/logout?id_token_hint=e30.e30.']) {
    const answer = await browser.go('GET', w.base + url, { headers: { 'sec-fetch-site': 'cross-site' } });
    assert.equal(answer.left, undefined, `${url} led to ${answer.left}`);
    const forged = await browser.go('POST', w.base + url, { body: '', headers: { origin: 'https://evil.test' } });
    assert.equal(forged.left, undefined);
    assert.ok(forged.status >= 400, String(forged.status));
  }
  const at = await browser.get(start(client));
  assert.ok(!loginForm(at.page), 'still signed in');
});

test('UI-019 silent consent reuse only for the same client, scopes, resource and redirect', async () => {
  const hosted = await register(w, { redirect_uris: ['https://c.test/cb', 'https://c.test/other'], token_endpoint_auth_method: 'client_secret_basic' });
  const browser = new Browser(w.base);
  assert.ok((await play(w, hosted, {}, { browser })).code);
  const silent = await browser.get(start(hosted));
  const remembers = Boolean(silent.left);
  if (remembers) assert.ok(silent.left.searchParams.get('code'));
  const second = 'https://second.example/mcp';
  await w.addResource(second);
  for (const [name, overrides] of Object.entries({
    'another scope': { scope: `${NEWS} ${ANALYZE}` },
    'another resource': { resource: second },
    'another redirect': { redirect_uri: 'https://c.test/other' },
    'prompt=consent': { prompt: 'consent' },
  })) {
    const at = await browser.get(start(hosted, overrides));
    assert.ok(at.left === undefined && consentForm(at.page), `${name} asks again`);
  }
  await w.cli(['admin', 'resource', 'delete', second]);
  const native = await register(w);
  assert.ok((await play(w, native, {}, { browser })).code);
  const again = await browser.get(start(native));
  assert.ok(consentForm(again.page), 'a loopback client is always asked');
  assert.ok(remembers, 'a hosted client with a secret is not asked twice for the same');
});

test('UI-021 secret-bearing pages are not compressed', async () => {
  const client = await web();
  const browser = new Browser(w.base, { headers: { 'accept-encoding': 'gzip, br, deflate' } });
  await atConsent(client, browser, { state: 'guess' });
  for (const hop of browser.hops) assert.equal(hop.headers.get('content-encoding'), null, hop.url);
});

test('a code of one browser cannot be had with the cookies of another', async () => {
  const client = await web();
  const { at } = await atConsent(client);
  const mallory = new Browser(w.base);
  let there = await mallory.get(start(client));
  there = await mallory.login(there.page, 'bob', PASSWORD);
  const { form, button } = consentForm(at.page);
  const answer = await mallory.submit(form, {}, button);
  assert.equal(answer.left?.searchParams.get('code') ?? null, null);
  const result = await play(w, client, {}, { browser: mallory, user: 'bob' });
  assert.equal((await redeem(w, client, result)).status, 200);
});
