// Clients that are known by the URL of their metadata document: what people approve, how long it
// holds, and whom the operator lets in.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertPage, control, play, playUrl, signedIn } from './lib/attack.mjs';
import { Authority, DocumentHost, trusting } from './lib/documents.mjs';
import { authorize, authorizeUrl, goodRequest, post, redeem, refresh, register, signIn } from './lib/oauth.mjs';
import { sleep, World } from './lib/world.mjs';

const PRINTS = 'https://c.test/cb';

let authority, host, w;
before(async () => {
  authority = new Authority();
  host = await DocumentHost.start(authority);
  w = await World.start({ sample: false, env: trusting(authority, host) });
});
after(async () => {
  await w?.stop();
  await host?.stop();
  authority?.stop();
});

const client = (where, members, options) => host.publish(where, members, options);

/** A document client works, and so does an ordinary one. */
async function works() {
  assert.ok((await signIn(w, client('/control.json'))).access_token);
  await control(w);
}

test('a document that changes is asked for again, also under the eyes of whoever reads the page', async () => {
  const browser = await signedIn(w);
  const one = client('/changing.json', { redirect_uris: [PRINTS] });
  assert.ok((await play(w, one, {}, { browser })).code);
  const silent = await browser.get(authorizeUrl(w, goodRequest(w, one).parameters));
  assert.ok(silent.left, 'what was approved is not asked again');
  client('/changing.json', { redirect_uris: [PRINTS], client_name: 'Other' });
  const asked = await browser.get(authorizeUrl(w, goodRequest(w, one).parameters));
  assert.equal(asked.left, undefined);
  client('/changing.json', { redirect_uris: [PRINTS], client_name: 'Third' });
  const shown = await browser.decide(asked.page);
  assert.equal(shown.left, undefined, 'approving another document than the one shown shows it');
  assert.match(shown.text, /Third/);
  assert.ok((await browser.decide(shown.page)).left.searchParams.get('code'));
});

test('a document is resolved on every leg, and a host that is away is no lost client', async () => {
  const one = client('/legs.json');
  const granted = await authorize(w, one);
  const good = host.pages.get('/legs.json');
  const away = (request, response) => response.writeHead(502).end();
  for (const [name, page, status, error] of [['away', away, 503, 'temporarily_unavailable'],
    ['gone', (request, response) => response.writeHead(404).end(), 401, 'invalid_client']]) {
    host.pages.set('/legs.json', page);
    const answer = await redeem(w, one, granted);
    assert.equal(answer.status, status, `${name}: ${answer.text}`);
    assert.equal(answer.body.error, error);
    assert.equal(answer.headers.has('retry-after'), status === 503, name);
    assert.doesNotMatch(answer.text, /502|fetch/);
    for (const endpoint of ['token_endpoint', 'revocation_endpoint', 'pushed_authorization_request_endpoint']) {
      const other = await post(w, endpoint, one, { grant_type: 'refresh_token', refresh_token: 'wrr_x', token: 'x' });
      assert.equal(other.status, status, `${name} at ${endpoint}: ${other.text}`);
      assert.equal(other.body.error, error, `${name} at ${endpoint}`);
    }
  }
  host.pages.set('/legs.json', good);
  const answer = await redeem(w, one, granted);
  assert.equal(answer.status, 200, answer.text);
  assert.equal((await refresh(w, one, answer.body.refresh_token)).status, 200);
  const { verifier, parameters } = goodRequest(w, one);
  const { client_id: _, ...rest } = parameters;
  const pushed = await post(w, 'pushed_authorization_request_endpoint', one, rest);
  assert.equal(pushed.status, 201, pushed.text);
  const url = authorizeUrl(w, { client_id: one.client_id, request_uri: pushed.body.request_uri });
  const { code } = await playUrl(w, url);
  assert.ok(code, 'a pushed request');
  assert.equal((await redeem(w, one, { code, verifier, parameters })).status, 200);
});

test('hosts may be denied, or be the only ones, and documents may be off', async () => {
  for (const [env, reason] of [[{ WARDER_CLIENT_DOCUMENT_DENIED_HOSTS: 'localhost' }, 'client_id_host'],
    [{ WARDER_CLIENT_DOCUMENT_HOSTS: 'app.test,*.app.test' }, 'client_id_host'],
    [{ WARDER_CLIENT_DOCUMENTS: 'off' }, 'client_not_registered']]) {
    const world = await World.start({ sample: false, env: { ...trusting(authority, host), ...env } });
    try {
      const one = client('/policy.json');
      const before = host.hitsOf('/policy.json');
      assertPage(await play(world, one), reason);
      assert.equal(host.hitsOf('/policy.json'), before);
      assert.equal(world.audit().at(-1).reason, reason);
      assert.equal(world.metadata.client_id_metadata_document_supported, reason === 'client_id_host' ? true : undefined);
      await control(world);
    } finally {
      await world.stop();
    }
  }
});

test('private hosts that nobody allowed are not contacted', async () => {
  const quiet = await DocumentHost.start(authority);
  const one = quiet.publish('/c.json');
  const result = await playUrl(w, authorizeUrl(w, goodRequest(w, one).parameters));
  assertPage(result);
  assert.equal(quiet.hitsOf('/c.json'), 0);
  assert.match(w.audit().at(-1).detail, /fetch: special_address/);
  assert.doesNotMatch(result.text, /special/);
  await quiet.stop();
  await works();
});

test('an ordinary registration stands beside documents', async () => {
  const registered = await register(w);
  assert.doesNotMatch(registered.client_id, /^https?:/);
  await works();
});

test('the server ends in order while a host keeps it waiting', async () => {
  const slow = await DocumentHost.start(authority);
  const one = slow.publish('/c.json');
  slow.pages.set('/c.json', () => {});
  const world = await World.start({ sample: false, env: { ...trusting(authority, slow), WARDER_DRAIN_TIMEOUT: '0' } });
  const asked = Promise.allSettled(Array.from({ length: 5 }, () => fetch(authorizeUrl(world, goodRequest(world, one).parameters))));
  while (slow.hitsOf('/c.json') === 0) await sleep(10);
  await world.stop();
  await asked;
  assert.equal(slow.hitsOf('/c.json'), 1);
  await slow.stop();
});
