// Attack cases of the area as-refresh, from outside.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertTokenError, control } from './lib/attack.mjs';
import { getNews, machineToken, post, refresh, register, signIn } from './lib/oauth.mjs';
import { World, sleep } from './lib/world.mjs';

let w;
before(async () => (w = await World.start({ users: ['alice', 'bob', 'carol'] })));
after(() => w?.stop());

describe('without a grace window', () => {
  let strict;
  before(async () => (strict = await World.start({ sample: false, env: { WARDER_REFRESH_GRACE: '0' } })));
  after(() => strict?.stop());

  test('REF-001 rotation for public clients: reuse revokes the family and is audited', async () => {
    const client = await register(strict);
    const first = await signIn(strict, client);
    const second = await refresh(strict, client, first.refresh_token);
    assert.equal(second.status, 200, second.text);
    assert.notEqual(second.body.refresh_token, first.refresh_token);
    const third = await refresh(strict, client, second.body.refresh_token);
    assert.equal(third.status, 200, third.text);
    await sleep(1100);
    assertTokenError(await refresh(strict, client, first.refresh_token), 'invalid_grant', 'reuse');
    assertTokenError(await refresh(strict, client, third.body.refresh_token), 'invalid_grant', 'the family is gone');
    assert.match(strict.auditText(), /refresh_reuse|reuse/);
    await control(strict, client);
  });
});

test('REF-006 client binding and authentication on refresh', async () => {
  const owner = await register(w, { token_endpoint_auth_method: 'client_secret_basic' });
  const other = await register(w, { token_endpoint_auth_method: 'client_secret_basic' });
  const open = await register(w);
  const { refresh_token: token } = await signIn(w, owner);
  const tries = {
    'no authentication': null,
    'client_id only': { ...owner, token_endpoint_auth_method: 'none' },
    'wrong secret': { ...owner, client_secret: 'wrong' },
    'another client': other,
    'a public client': open,
  };
  for (const [name, client] of Object.entries(tries)) {
    assertTokenError(await refresh(w, client, token), ['invalid_client', 'invalid_grant', 'invalid_request'], name);
  }
  const answer = await refresh(w, owner, token);
  assert.equal(answer.status, 200, `the owner still can: ${answer.text}`);
});

test('REF-008 resource cannot grow, and the refresh token is not spent by trying', async () => {
  const second = 'https://second.example/mcp';
  await w.addResource(second);
  const client = await register(w);
  const { refresh_token: token } = await signIn(w, client);
  for (const resource of [second, 'https://unknown.example/mcp']) {
    assertTokenError(await refresh(w, client, token, { resource }), ['invalid_target', 'invalid_grant'], resource);
  }
  const answer = await refresh(w, client, token, { resource: w.mcp });
  assert.equal(answer.status, 200, answer.text);
  assert.equal((await getNews(w, answer.body.access_token)).status, 200);
  await w.cli(['admin', 'resource', 'delete', second]);
});

test('REF-009 refresh after user disable, password change, client delete, revocation', async () => {
  const client = await register(w);
  const bob = await signIn(w, client, {}, { user: 'bob' });
  await w.cli(['admin', 'user', 'disable', 'bob']);
  assertTokenError(await refresh(w, client, bob.refresh_token), 'invalid_grant', 'disabled');

  const carol = await signIn(w, client, {}, { user: 'carol' });
  await w.cli(['admin', 'user', 'password', 'carol', '--password-stdin'], { input: 'another long passphrase\n' });
  assertTokenError(await refresh(w, client, carol.refresh_token), 'invalid_grant', 'password changed');

  const doomed = await register(w);
  const gone = await signIn(w, doomed);
  await w.cli(['admin', 'client', 'delete', doomed.client_id]);
  assertTokenError(await refresh(w, doomed, gone.refresh_token), ['invalid_client', 'invalid_grant'], 'client deleted');

  const revoked = await signIn(w, client);
  assert.equal((await post(w, 'revocation_endpoint', client, { token: revoked.refresh_token })).status, 200);
  assertTokenError(await refresh(w, client, revoked.refresh_token), 'invalid_grant', 'revoked');

  const kept = await signIn(w, client);
  assert.equal((await refresh(w, client, kept.refresh_token)).status, 200);
});

test('REF-010 truncated, padded, case-changed refresh token', async () => {
  const client = await register(w);
  const { refresh_token: token } = await signIn(w, client);
  const middle = token.length >> 1;
  const swapped = [...token].map((c) => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase())).join('');
  const differs = [...token].findIndex((c, i) => i > middle && c !== token[i + 1]);
  const exchanged = token.slice(0, differs) + token[differs + 1] + token[differs] + token.slice(differs + 2);
  const last = token.at(-1) === 'A' ? 'B' : 'A';
  for (const bent of [token.slice(0, -1), `${token}=`, `${token}\0`, swapped, exchanged, ` ${token}`, `${token} `, `${token}\n`,
    token.slice(0, -1) + last, token.slice(1), '', `${token}${token}`]) {
    assertTokenError(await refresh(w, client, bent), ['invalid_grant', 'invalid_request'], JSON.stringify(bent));
  }
  assert.equal((await refresh(w, client, token)).status, 200);
});

describe('rate limits', () => {
  let tight;
  before(async () => (tight = await World.start({ sample: false, env: { WARDER_TOKEN_REQUESTS_PER_MINUTE: '40' } })));
  after(() => tight?.stop());

  test('REF-012 a refresh storm of one client is answered 429, others keep working', async () => {
    const client = await register(tight);
    let { refresh_token: token } = await signIn(tight, client);
    let throttled = null;
    for (let i = 0; i < 120 && !throttled; i++) {
      const answer = await refresh(tight, client, token);
      if (answer.status === 429) throttled = answer;
      else {
        assert.equal(answer.status, 200, answer.text);
        token = answer.body.refresh_token;
      }
    }
    assert.ok(throttled, 'a 429 came');
    assert.ok(Number(throttled.headers.get('retry-after')) > 0);
    const machine = await tight.machineClient();
    const begin = Date.now();
    assert.equal((await machineToken(tight, machine)).status, 200, 'another client');
    assert.ok(Date.now() - begin < 10_000);
  });
});
