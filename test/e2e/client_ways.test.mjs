// The ways to a token that need no browser here: a device code, a machine's key, an assertion of the
// platform, a person's identity provider; and a client known by its document. Against Warder itself.
import assert from 'node:assert/strict';
import http from 'node:http';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { exportPKCS8 } from 'jose';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { Browser, loginForm } from './lib/browser.mjs';
import { ClientHome, approves } from './lib/client_home.mjs';
import { Authority, DocumentHost, trusting } from './lib/documents.mjs';
import { Idp, JWT_BEARER, keyPair, sign } from './lib/idp.mjs';
import { NEWS, PASSWORD, World, unheld } from './lib/world.mjs';

let w;
let idp;
let platform;
let authority;
let documents;
let home;
before(async () => {
  [idp, platform] = await Promise.all([1, 2].map(async () => Idp.start([await keyPair()])));
  authority = new Authority();
  documents = await DocumentHost.start(authority);
  const env = trusting(authority, documents);
  env.WARDER_CLIENT_DOCUMENT_PRIVATE_HOSTS += ',127.0.0.1';
  w = await World.start({ env: { ...env, WARDER_DEVICE_ATTEMPTS_PER_MINUTE: '10000' } });
  const settings = path.join(w.data, 'warder.yaml');
  writeFileSync(settings, JSON.stringify({
    trusted_issuers: [
      { issuer: idp.url, uses: ['id-jag'], jwks_uri: `${idp.url}/keys`, algorithms: ['ES256'], resources: [w.mcp] },
      { issuer: platform.url, uses: ['workload'], rules: [{ name: 'nightly', claims: { sub: 'repo:acme/*' }, resources: [w.mcp], scopes: [NEWS] }] },
    ],
  }));
  w.args = ['--config', settings];
  await w.restart();
});
after(async () => {
  await w?.stop();
  await Promise.all([idp, platform].map((one) => one?.close()));
  await documents?.stop();
  authority?.stop();
});
beforeEach(() => (home = new ClientHome()));
afterEach(() => home.remove());

const CALL = ['call', () => w.mcp, 'get_news_sentiment', '{"ticker":"ACME","limit":1}', '--json'];
const call = (...more) => home.run([...CALL.map((word) => (typeof word === 'function' ? word() : word)), ...more]);
const file = (name, text) => {
  const to = path.join(home.data, name);
  writeFileSync(to, text, { mode: 0o600 });
  return to;
};
const works = (answer) => {
  assert.equal(answer.code, 0, answer.stderr);
  assert.equal(answer.json.structuredContent.articles.length, 1);
  assert.deepEqual(home.pages(), [], 'no page was opened');
};

describe('ways to a token', () => {
  test('a machine signs with its key', async () => {
    const key = await keyPair();
    const machine = await w.machineClient(NEWS, ['--jwks', file('jwks.json', JSON.stringify({ keys: [key.publicJwk] }))]);
    const pem = file('key.pem', await exportPKCS8(key.privateKey));
    works(await call('--grant', 'client_credentials', '--client-id', machine.client_id, '--client-key-file', pem, '--client-key-id', key.kid, '--scope', NEWS));
    const wrong = file('wrong.pem', await exportPKCS8((await keyPair()).privateKey));
    const refused = await call('--grant', 'client_credentials', '--client-id', machine.client_id, '--client-key-file', wrong, '--client-key-id', key.kid, '--keep', 'memory').catch((e) => e);
    assert.notEqual(refused.code, 0);
  });

  test('a workload shows what its platform wrote, from the file as it is now', async () => {
    const assertion = file('assertion', await platform.workload(w));
    works(await call('--grant', 'jwt-bearer', '--assertion-file', assertion, '--scope', NEWS));
    home.remove();
    home = new ClientHome();
    const bad = file('assertion', await platform.workload(w, { sub: 'repo:evil/app' }));
    const refused = await call('--grant', 'jwt-bearer', '--assertion-file', bad, '--scope', NEWS);
    assert.equal(refused.code, 5, refused.stderr);
  });

  test("a person's identity provider vouches for her (enterprise-managed authorization)", async () => {
    const client = await w.addClient(['--name', 'Agent', '--grant', JWT_BEARER, '--scope', NEWS]);
    const asked = [];
    const provider = unheld(http.createServer(async (request, response) => {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const form = new URLSearchParams(Buffer.concat(chunks).toString());
      response.setHeader('content-type', 'application/json');
      if (request.method === 'GET' && request.url.includes('.well-known')) {
        const origin = `http://127.0.0.1:${provider.address().port}`;
        return response.end(JSON.stringify({ issuer: origin, authorization_endpoint: `${origin}/a`, token_endpoint: `${origin}/token`, response_types_supported: ['code'], jwks_uri: `${origin}/k`, subject_types_supported: ['public'], id_token_signing_alg_values_supported: ['ES256'] }));
      }
      asked.push(form);
      const token = await idp.idJag(w, client.client_id);
      return response.end(JSON.stringify({ access_token: token, issued_token_type: 'urn:ietf:params:oauth:token-type:id-jag', token_type: 'N_A', expires_in: 120 }));
    }));
    await new Promise((resolve) => provider.listen(0, '127.0.0.1', resolve));
    try {
      const idToken = await sign(idp.keys[0], { iss: idp.url, sub: 'employee-1', aud: 'agent' });
      works(await call('--grant', 'enterprise', '--client-id', client.client_id, '--client-secret-file', file('secret', client.client_secret),
        '--provider', `http://127.0.0.1:${provider.address().port}`, '--provider-client-id', 'agent', '--id-token-file', file('id', idToken)));
      assert.equal(asked[0].get('grant_type'), 'urn:ietf:params:oauth:grant-type:token-exchange');
      assert.equal(asked[0].get('audience'), w.issuer);
      assert.equal(asked[0].get('resource'), w.mcp);
      assert.equal(asked[0].get('subject_token'), idToken);
    } finally {
      provider.closeAllConnections();
      provider.close();
    }
  });

  test('a code is typed on another machine', async () => {
    const device = await w.addClient(['--name', 'Box', '--grant', 'device_code', '--grant', 'refresh_token', '--public']);
    const [program, ...words] = home.words('token', w.mcp, '--fresh', '--json', '--interactive', '--device', '--client-id', device.client_id);
    const child = spawn(program, words, { env: home.env, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let errors = '';
    let typed;
    child.stdout.on('data', (chunk) => (out += chunk));
    child.stderr.on('data', (chunk) => {
      errors += chunk;
      const url = /with the code in it: (\S+)/.exec(errors)?.[1];
      if (url && !typed) typed = type(url);
    });
    async function type(url) {
      const browser = new Browser(w.base);
      let at = await browser.get(url);
      const form = at.page.forms.find((each) => each.fields.some((field) => field.name === 'user_code'));
      at = await browser.submit(form);
      if (loginForm(at.page)) at = await browser.login(at.page, 'alice', PASSWORD);
      await browser.decide(at.page);
    }
    assert.equal(await new Promise((resolve) => child.on('close', resolve)), 0, errors);
    await typed;
    assert.equal(JSON.parse(out).resource, w.mcp);
    works(await call('--device', '--client-id', device.client_id));
  });

  test('a client is known by its document, and registers nowhere', async () => {
    const { client_id: url } = documents.publish('/client.json', { client_name: 'By document', redirect_uris: ['http://127.0.0.1/callback'] });
    home.visit = approves(w);
    const answer = await home.run(['token', w.mcp, '--fresh', '--json', '--interactive', '--client-metadata-url', url]);
    assert.equal(answer.code, 0, answer.stderr);
    assert.equal(answer.json.client_id, url);
  });
});
