// What a registration leads to: its management by the client, software statements, and the policy of
// the operator.
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Browser } from './lib/browser.mjs';
import { authorize, authorizeUrl, challenge, getNews, goodRequest, read, redeem, refresh, register, registerRaw, signIn } from './lib/oauth.mjs';
import { World } from './lib/world.mjs';

let w;
before(async () => (w = await World.start()));
after(() => w?.stop());

function manage(client, method, { token = client.registration_access_token, body } = {}) {
  const headers = token === undefined || token === null ? {} : { authorization: `Bearer ${token}` };
  if (body) headers['content-type'] = 'application/json';
  return fetch(client.registration_client_uri, { method, headers, body: body && JSON.stringify(body) }).then(read);
}

const metadata = { redirect_uris: ['http://127.0.0.1:7654/callback'], token_endpoint_auth_method: 'none', grant_types: ['authorization_code', 'refresh_token'], client_name: 'Probe' };

test('a client reads, changes and deletes its registration (RFC 7592)', async () => {
  const client = await register(w);
  assert.equal(new URL(client.registration_client_uri).pathname, `/register/${client.client_id}`);
  const seen = await manage(client, 'GET');
  assert.equal(seen.status, 200, seen.text);
  assert.equal(seen.headers.get('cache-control'), 'no-store');
  for (const name of ['client_id', 'registration_access_token', 'registration_client_uri', 'client_name', 'redirect_uris']) {
    assert.deepEqual(seen.body[name], client[name], name);
  }
  const changed = await manage(client, 'PUT', { body: { client_id: client.client_id, ...metadata, client_name: 'Probe 2', client_uri: 'https://probe.example/' } });
  assert.equal(changed.status, 200, changed.text);
  assert.equal(changed.body.client_id, client.client_id);
  assert.equal(changed.body.client_name, 'Probe 2');
  const tokens = await signIn(w, client);
  assert.equal((await getNews(w, tokens.access_token)).status, 200);
  const gone = await manage(client, 'DELETE');
  assert.equal(gone.status, 204);
  assert.equal(gone.text, '');
  const late = await refresh(w, client, tokens.refresh_token);
  assert.equal(late.status, 401);
  assert.equal(late.body.error, 'invalid_client');
  assert.equal((await manage(client, 'GET')).status, 401);
  const again = await new Browser(w.base).request('GET', authorizeUrl(w, goodRequest(w, client).parameters));
  assert.equal(again.status, 400, 'the id holds a registration, but it is gone');
  assert.ok((await signIn(w, await register(w))).access_token);
  const kinds = w.audit().filter((one) => one.client === client.client_id).map((one) => one.event ?? one.kind);
  assert.ok(kinds.includes('client.changed') && kinds.includes('client.deleted'), kinds.join());
});

test('the management of a registration refuses as RFC 6750 says, and nobody else may do it', async () => {
  const client = await register(w);
  const other = await register(w);
  for (const method of ['GET', 'PUT', 'DELETE']) {
    const body = method === 'PUT' ? { client_id: client.client_id, ...metadata } : undefined;
    const none = await manage(client, method, { token: null, body });
    assert.equal(none.status, 401);
    assert.equal(none.headers.get('www-authenticate'), 'Bearer');
    for (const token of [other.registration_access_token, 'wrm_wrong', client.client_id]) {
      const wrong = await manage(client, method, { token, body });
      assert.equal(wrong.status, 401, `${method} ${token}`);
      assert.equal(challenge(wrong.headers).error, 'invalid_token');
      assert.equal(wrong.body.error, 'invalid_token');
    }
  }
  const nobody = { ...client, registration_client_uri: `${w.base}/register/wrx_nobody` };
  assert.equal((await manage(nobody, 'GET')).status, 401);
  assert.equal((await manage(client, 'GET')).status, 200);
});

test('an update of a registration obeys its rules and names the client', async () => {
  const client = await register(w, { token_endpoint_auth_method: 'client_secret_basic' });
  const put = (body) => manage(client, 'PUT', { body });
  const good = { client_id: client.client_id, ...metadata, token_endpoint_auth_method: 'client_secret_basic' };
  for (const [body, error] of [
    [{ ...good, client_id: undefined }, 'invalid_client_metadata'],
    [{ ...good, client_id: 'wrx_other' }, 'invalid_client_metadata'],
    [{ ...good, client_secret: 'chosen' }, 'invalid_client_metadata'],
    [{ ...good, redirect_uris: ['javascript:alert(1)'] }, 'invalid_redirect_uri'],
    [{ ...good, redirect_uris: [] }, 'invalid_redirect_uri'],
    [{ ...good, grant_types: ['client_credentials'] }, 'invalid_client_metadata'],
  ]) {
    const answer = await put(body);
    assert.equal(answer.status, 400, JSON.stringify(body));
    assert.equal(answer.body.error, error, answer.text);
  }
  const fine = await put({ ...good, client_secret: client.client_secret });
  assert.equal(fine.status, 200, fine.text);
  assert.equal(fine.body.client_secret, client.client_secret, 'the secret stays');
  assert.ok((await signIn(w, { ...client, ...fine.body })).access_token);
});

test('who changes its name or its callbacks is approved anew', async () => {
  const web = { ...metadata, redirect_uris: ['https://c.test/cb'] };
  const client = await register(w, web);
  const browser = new Browser(w.base);
  await authorize(w, client, {}, { browser });
  const silent = async () => {
    const { parameters } = goodRequest(w, client, { prompt: 'none' });
    const answer = await browser.request('GET', authorizeUrl(w, parameters));
    return new URL(answer.headers.get('location')).searchParams;
  };
  assert.ok((await silent()).get('code'));
  const renamed = await manage(client, 'PUT', { body: { client_id: client.client_id, ...web, client_name: 'Your bank' } });
  assert.equal(renamed.status, 200, renamed.text);
  assert.equal((await silent()).get('error'), 'consent_required');
  await authorize(w, client, {}, { browser });
  assert.ok((await silent()).get('code'));
  const more = await manage(client, 'PUT', { body: { client_id: client.client_id, ...web, client_name: 'Your bank', redirect_uris: ['https://c.test/cb', 'https://evil.test/cb'] } });
  assert.equal(more.status, 200, more.text);
  assert.equal((await silent()).get('error'), 'consent_required');
});

test('two kinds of clients are managed alike: those with a row, and those without', async () => {
  const rows = await World.start({ env: { WARDER_REGISTRATION_STATELESS: 'false' }, sample: false });
  try {
    const client = await register(rows);
    assert.match(client.client_id, /^wrd_/);
    assert.equal((await manage(client, 'GET')).status, 200);
    assert.equal((await manage(client, 'PUT', { body: { client_id: client.client_id, ...metadata, client_name: 'New' } })).body.client_name, 'New');
    assert.equal((await manage(client, 'DELETE')).status, 204);
    assert.equal((await manage(client, 'GET')).status, 401);
  } finally {
    await rows.stop();
  }
});

// Who may vouch for clients, as a key pair.
class Voucher {
  constructor(issuer) {
    this.issuer = issuer;
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.privateKey = privateKey;
    const jwk = publicKey.export({ format: 'jwk' });
    this.kid = createHash('sha256').update(jwk.x).digest('base64url');
    this.jwks = { keys: [{ ...jwk, kid: this.kid, use: 'sig', alg: 'ES256' }] };
  }

  statement(claims, header = {}) {
    const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const input = `${encode({ alg: 'ES256', kid: this.kid, ...header })}.${encode({ iss: this.issuer, ...claims })}`;
    return `${input}.${sign('sha256', Buffer.from(input), { key: this.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  }
}

describe('software statements', () => {
  const voucher = new Voucher('https://vouch.example.com');
  const stranger = new Voucher('https://vouch.example.com');
  const untrusted = new Voucher('https://other.example.com');
  let folder;
  let closed;
  before(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'warder-vouch-'));
    writeFileSync(path.join(folder, 'keys.json'), JSON.stringify(voucher.jwks));
    writeFileSync(path.join(folder, 'warder.yaml'), 'registration: statement\ntrusted_issuers:\n  - issuer: https://vouch.example.com\n    uses: [software-statement]\n    jwks_file: keys.json\n');
    closed = await World.start({ args: ['--config', path.join(folder, 'warder.yaml')] });
  });
  after(async () => {
    await closed?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('a vouched client registers, its claims win, and it works', async () => {
    const statement = voucher.statement({ software_id: 'editor', client_name: 'Vouched editor' });
    const answer = await registerRaw(closed, { ...metadata, client_name: 'Something else', software_statement: statement });
    assert.equal(answer.status, 201, answer.text);
    assert.equal(answer.body.client_name, 'Vouched editor');
    assert.equal(answer.body.software_id, 'editor');
    assert.equal(answer.body.software_statement, statement);
    const tokens = await signIn(closed, answer.body);
    assert.equal((await getNews(closed, tokens.access_token)).status, 200);
    const bare = await manage(answer.body, 'PUT', { body: { client_id: answer.body.client_id, ...metadata } });
    assert.equal(bare.status, 400, 'what was vouched for is not taken back');
    assert.equal(bare.body.error, 'invalid_software_statement');
  });

  test('nobody else registers', async () => {
    const says = { software_id: 'editor' };
    const now = Math.floor(Date.now() / 1000);
    for (const [statement, error] of [
      [undefined, 'invalid_software_statement'],
      ['x.y.z', 'invalid_software_statement'],
      [stranger.statement(says, { kid: voucher.kid }), 'invalid_software_statement'],
      [voucher.statement({ ...says, exp: now - 120 }), 'invalid_software_statement'],
      [voucher.statement({ ...says, nbf: now + 120 }), 'invalid_software_statement'],
      [voucher.statement({ ...says, aud: 'https://another.example.com' }), 'invalid_software_statement'],
      [voucher.statement({ sub: 'alice', nonce: 'n' }), 'invalid_software_statement'],
      [voucher.statement(says, { typ: 'at+jwt' }), 'invalid_software_statement'],
      [untrusted.statement(says), 'unapproved_software_statement'],
    ]) {
      const answer = await registerRaw(closed, { ...metadata, software_statement: statement });
      assert.equal(answer.status, 400, statement);
      assert.equal(answer.body.error, error, answer.text);
    }
    const control = await registerRaw(closed, { ...metadata, software_statement: voucher.statement({ ...says, aud: closed.issuer, exp: now + 60 }) });
    assert.equal(control.status, 201, control.text);
  });
});

describe('the policy of redirect URIs', () => {
  let strict;
  before(async () => {
    strict = await World.start({
      env: { WARDER_REDIRECT_HOSTS: 'claude.ai,*.example.com', WARDER_REDIRECT_DENIED_HOSTS: 'bad.example.com', WARDER_REDIRECT_SCHEMES: 'com.example.app', WARDER_REDIRECT_PROFILE: 'none' },
      sample: false,
    });
  });
  after(() => strict?.stop());

  test('only what the operator allows is registered', async () => {
    const taken = async (uri) => (await registerRaw(strict, { ...metadata, redirect_uris: [uri] })).status;
    for (const uri of ['https://claude.ai/api/mcp/auth_callback', 'https://a.example.com/cb', 'http://localhost:1/cb', 'com.example.app:/cb']) assert.equal(await taken(uri), 201, uri);
    for (const uri of ['https://example.com/cb', 'https://bad.example.com/cb', 'https://b%61d.example.com/cb', 'https://bad.example.com./cb', 'https://claude.ai.evil.test/cb', 'cursor://anysphere.cursor-mcp/oauth/callback', 'com.example.app2:/cb']) {
      assert.equal(await taken(uri), 400, uri);
    }
    const mixed = await registerRaw(strict, { ...metadata, redirect_uris: ['https://evil.test/cb', 'https://claude.ai/api/mcp/auth_callback'] });
    assert.deepEqual(mixed.body.redirect_uris, ['https://claude.ai/api/mcp/auth_callback'], 'one that is refused does not lose the rest');
  });

  test('what is denied later does not count for ids that were handed out', async () => {
    const client = await register(strict, { redirect_uris: ['https://a.example.com/cb'] });
    assert.ok((await authorize(strict, client)).code);
    strict.env.WARDER_REDIRECT_DENIED_HOSTS = '*.example.com';
    await strict.restart();
    const refused = await new Browser(strict.base).request('GET', authorizeUrl(strict, goodRequest(strict, client).parameters));
    assert.equal(refused.status, 400);
    assert.equal(refused.headers.get('location'), null);
    assert.ok((await authorize(strict, await register(strict))).code);
  });
});
