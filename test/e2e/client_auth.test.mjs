// How clients authenticate: every method by real libraries, and what an assertion must not be (the
// names are those of the FAPI test modules). After negatives a request in order still succeeds.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Client, PrivateKeyJwtProvider, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { assertTokenError } from './lib/attack.mjs';
import { ASSERTION_TYPE, Idp, clientAssertion, keyPair, seconds } from './lib/idp.mjs';
import { authorize, claims, getNews, post, register, token } from './lib/oauth.mjs';
import { NEWS, World, sleep } from './lib/world.mjs';

const INSECURE = { [oauth.allowInsecureRequests]: true };
const ALGS = ['ES256', 'EdDSA', 'RS256', 'PS256'];

let w;
let key;
let machine; // signs with key
before(async () => {
  w = await World.start({ env: { WARDER_CLIENT_DOCUMENT_PRIVATE_HOSTS: '127.0.0.1' } });
  key = await keyPair();
  machine = await signingMachine([key]);
});
after(() => w?.stop());

let files = 0;
function keysFile(keys) {
  const file = path.join(w.data, `client-keys-${files++}.json`);
  writeFileSync(file, JSON.stringify({ keys: keys.map((one) => one.publicJwk) }));
  return file;
}

function signingMachine(keys) {
  return w.machineClient(NEWS, ['--jwks', keysFile(keys)]);
}

/** A token request with this assertion alone; `more` changes parameters. */
function ask(assertion, more = {}, world = w) {
  return token(world, null, {
    grant_type: 'client_credentials', resource: world.mcp, client_assertion_type: ASSERTION_TYPE, client_assertion: assertion, ...more,
  });
}

async function signed(overrides, header, signer = key) {
  return clientAssertion(w, machine.client_id, signer, overrides, header);
}

/** The request in order that must succeed after negatives. */
async function inOrder() {
  const answer = await ask(await signed());
  assert.equal(answer.status, 200, answer.text);
  return answer;
}

async function refused(overrides, { header, signer, more, errors = ['invalid_client'] } = {}) {
  const answer = await ask(await signed(overrides, header, signer), more);
  assertTokenError(answer, errors, JSON.stringify(overrides));
  await inOrder();
  return answer;
}

test('the metadata name the method and its algorithms', () => {
  assert.deepEqual(w.metadata.token_endpoint_auth_methods_supported,
    ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt']);
  for (const name of ['token_endpoint', 'revocation_endpoint']) {
    assert.deepEqual(w.metadata[`${name}_auth_signing_alg_values_supported`], ['ES256', 'EdDSA', 'Ed25519', 'RS256', 'PS256']);
  }
});

describe('client credentials by oauth4webapi', () => {
  const as = () => w.metadata;
  async function run(client, auth) {
    const parameters = { resource: w.mcp, scope: NEWS };
    const response = await oauth.clientCredentialsGrantRequest(as(), client, auth, parameters, INSECURE);
    const tokens = await oauth.processClientCredentialsResponse(as(), client, response);
    assert.equal(claims(tokens.access_token).sub, client.client_id);
    assert.equal((await getNews(w, tokens.access_token)).status, 200);
  }

  test('client_secret_basic', async () => {
    const client = await w.machineClient(NEWS);
    await run(client, oauth.ClientSecretBasic(client.client_secret));
  });
  test('client_secret_post', async () => {
    const client = await w.machineClient(NEWS, ['--auth', 'post']);
    await run(client, oauth.ClientSecretPost(client.client_secret));
  });
  for (const alg of ALGS) {
    test(`private_key_jwt with ${alg}`, async () => {
      const own = await keyPair(alg);
      const client = await signingMachine([own, await keyPair(alg)]);
      assert.equal(client.client_secret, undefined);
      assert.equal(client.token_endpoint_auth_method, 'private_key_jwt');
      await run(client, oauth.PrivateKeyJwt({ key: own.privateKey, kid: own.kid }));
    });
  }
});

test('openid-client: discovery, and client credentials by private_key_jwt', async () => {
  const config = await openid.discovery(new URL(w.issuer), machine.client_id, { token_endpoint_auth_method: 'private_key_jwt' },
    openid.PrivateKeyJwt({ key: key.privateKey, kid: key.kid }), { execute: [openid.allowInsecureRequests], algorithm: 'oauth2' });
  const tokens = await openid.clientCredentialsGrant(config, { resource: w.mcp, scope: NEWS });
  assert.equal((await getNews(w, tokens.access_token)).status, 200);
});

test('MCP SDK v2: PrivateKeyJwtProvider connects and calls a tool', async () => {
  const provider = new PrivateKeyJwtProvider({
    clientId: machine.client_id, privateKey: key.privateJwk, algorithm: key.alg, scope: NEWS, expectedIssuer: w.issuer,
  });
  const client = new Client({ name: 'e2e', version: '1.0.0' });
  await client.connect(new StreamableHTTPClientTransport(new URL(w.mcp), { authProvider: provider }));
  const result = await client.callTool({ name: 'get_news_sentiment', arguments: { ticker: 'ACME' } });
  assert.ok(!result.isError, JSON.stringify(result));
  await client.close();
});

test('a client that registers with its keys signs in a person, refreshes, pushes and revokes by assertions', async () => {
  const own = await keyPair('RS256');
  const client = await register(w, { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [own.publicJwk] } });
  assert.equal(client.client_secret, undefined);
  assert.equal(client.jwks.keys[0].kid, own.kid);
  const proof = async () => ({ client_assertion_type: ASSERTION_TYPE, client_assertion: await clientAssertion(w, client.client_id, own) });
  const granted = await authorize(w, client);
  const redeem = { grant_type: 'authorization_code', code: granted.code, code_verifier: granted.verifier, redirect_uri: granted.parameters.redirect_uri };
  assertTokenError(await token(w, { ...client, token_endpoint_auth_method: 'none' }, redeem), 'invalid_client', 'without an assertion');
  const first = await token(w, null, { ...redeem, ...(await proof()) });
  assert.equal(first.status, 200, first.text);
  const second = await token(w, null, { grant_type: 'refresh_token', refresh_token: first.body.refresh_token, ...(await proof()) });
  assert.equal(second.status, 200, second.text);
  const pushed = await post(w, 'pushed_authorization_request_endpoint', null, { ...granted.parameters, client_id: undefined, ...(await proof()) });
  assert.equal(pushed.status, 201, pushed.text);
  const revoked = await post(w, 'revocation_endpoint', null, { token: second.body.refresh_token, ...(await proof()) });
  assert.equal(revoked.status, 200, revoked.text);
  assertTokenError(await token(w, null, { grant_type: 'refresh_token', refresh_token: second.body.refresh_token, ...(await proof()) }), 'invalid_grant');
});

test('the server of a resource introspects by an assertion, which counts there once, too', async () => {
  const own = await keyPair('EdDSA');
  const server = await w.addClient(['--name', 'Resource server', '--resource-server', w.mcp, '--jwks', keysFile([own])]);
  const { body } = await inOrder();
  const assertion = await clientAssertion(w, server.client_id, own);
  const by = () => post(w, 'introspection_endpoint', null, { token: body.access_token, client_assertion_type: ASSERTION_TYPE, client_assertion: assertion });
  const answer = await by();
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.body.active, true, answer.text);
  assertTokenError(await by(), 'invalid_client');
});

test('the client_id parameter may be there, and must then be the same', async () => {
  assert.equal((await ask(await signed(), { client_id: machine.client_id })).status, 200);
  await refused({}, { more: { client_id: 'another' }, errors: ['invalid_request'] });
});

test('ensure-client-assertion-in-token-endpoint-request', async () => {
  assertTokenError(await token(w, { client_id: machine.client_id, token_endpoint_auth_method: 'none' },
    { grant_type: 'client_credentials', resource: w.mcp }), 'invalid_client');
  await refused({}, { more: { client_assertion_type: undefined } });
  await refused({}, { more: { client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer' } });
});

test('ensure-client-assertion-with-exp-is-5-minutes-in-past-fails', () => refused({ exp: seconds() - 300, iat: seconds() - 360 }));
test('ensure-client-assertion-with-no-exp-fails', () => refused({ exp: undefined }));
test('ensure-client-assertion-with-exp-far-ahead-fails', () => refused({ exp: seconds() + 86400 }));
test('ensure-client-assertion-with-wrong-aud-fails', async () => {
  await refused({ aud: 'https://other.test' });
  await refused({ aud: undefined });
});
test('ensure-client-assertion-with-no-sub-fails', () => refused({ sub: undefined }));
test('ensure-client-assertion-with-other-iss-fails', async () => {
  await refused({ iss: 'https://other.test' });
  await refused({ iss: undefined });
});
test('par-test-array-as-audience-fails', async () => {
  await refused({ aud: [w.issuer] });
  await refused({ aud: [w.issuer, w.metadata.token_endpoint] });
});
test('par-test-par-endpoint-url-as-audience-fails', () => refused({ aud: w.metadata.pushed_authorization_request_endpoint }));
test('par-test-token-endpoint-url-as-audience-fails', () => refused({ aud: w.metadata.token_endpoint }));
test('par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted', async () => {
  const answer = await ask(await signed({ nbf: seconds() + 8, iat: seconds() + 8 }));
  assert.equal(answer.status, 200, answer.text);
});
test('par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails', () => refused({ nbf: seconds() + 65 }));
test('ensure-client-assertion-without-jti-fails', () => refused({ jti: undefined }));
test('a JWT of another kind is no client assertion', async () => {
  for (const typ of ['at+jwt', 'dpop+jwt', 'oauth-id-jag+jwt']) await refused({}, { header: { typ } });
  for (const typ of ['JWT', 'client-authentication+jwt']) assert.equal((await ask(await signed({}, { typ }))).status, 200, typ);
});
test('the alg is the key\'s, and the key is the client\'s', async () => {
  await refused({}, { signer: { ...(await keyPair('ES256')), kid: key.kid } });
  await refused({}, { signer: await keyPair('ES256') });
  await refused({}, { signer: { ...(await keyPair('RS256')), kid: key.kid } });
  const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${(await signed()).split('.')[1]}.`;
  assertTokenError(await ask(none), 'invalid_client');
  assertTokenError(await ask('word'), 'invalid_client');
  await inOrder();
});

test('an assertion counts once, whatever was decided, and one of many racing ones', async () => {
  const once = await signed();
  assertTokenError(await ask(once, { scope: 'never:heard' }), 'invalid_scope');
  const again = await ask(once);
  assertTokenError(again, 'invalid_client');
  assert.equal(again.status, 401);
  const raced = await signed();
  const answers = await Promise.all(Array.from({ length: 8 }, () => ask(raced)));
  assert.equal(answers.filter((answer) => answer.status === 200).length, 1, answers.map((answer) => answer.status).join());
  const trail = w.audit().filter((event) => event.reason === 'client_assertion_replayed');
  assert.ok(trail.length >= 8, 'the trail says why');
  await inOrder();
});

test('one way of authentication a request, and the registered one', async () => {
  const secret = await w.machineClient(NEWS);
  await refused({}, { more: { client_secret: secret.client_secret }, errors: ['invalid_request'] });
  const both = await post(w, 'token_endpoint', secret, {
    grant_type: 'client_credentials', client_assertion_type: ASSERTION_TYPE, client_assertion: await signed(),
  });
  assertTokenError(both, 'invalid_request');
  assertTokenError(await ask(await clientAssertion(w, secret.client_id, key)), 'invalid_client', 'who has a secret does not sign');
  await inOrder();
});

describe('keys behind a jwks_uri', () => {
  let host;
  let client;
  before(async () => {
    host = await Idp.start([await keyPair()]);
    client = await w.machineClient(NEWS, ['--jwks-uri', `${host.url}/keys`]);
  });
  after(() => host?.close());
  const by = async (signer) => ask(await clientAssertion(w, client.client_id, signer));

  test('are fetched once for many requests', async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => by(host.keys[0])));
    for (const answer of answers) assert.equal(answer.status, 200, answer.text);
    assert.equal(host.hits.length, 1, host.hits.join());
  });

  test('an unknown key id makes strangers fetch no more than once in a while', async () => {
    const stranger = await keyPair();
    const before = host.hits.length;
    for (let i = 0; i < 5; i++) assertTokenError(await by(stranger), 'invalid_client');
    assert.ok(host.hits.length <= before + 1, host.hits.join());
    assert.equal((await by(host.keys[0])).status, 200);
  });

  test('a host that does not answer is 503 with Retry-After, and the assertion may come again', async () => {
    const away = await Idp.start([await keyPair()]);
    away.broken = true;
    const other = await w.machineClient(NEWS, ['--jwks-uri', `${away.url}/keys`]);
    const assertion = await clientAssertion(w, other.client_id, away.keys[0]);
    const answer = await ask(assertion);
    assert.equal(answer.status, 503, answer.text);
    assert.equal(answer.body.error, 'temporarily_unavailable');
    assert.ok(answer.headers.get('retry-after'));
    away.broken = false;
    const again = await ask(assertion);
    assert.equal(again.status, 200, again.text);
    await away.close();
  });
});

test('a new key of a rotated set is found', async () => {
  const host = await Idp.start([await keyPair()]);
  const client = await w.machineClient(NEWS, ['--jwks-uri', `${host.url}/keys`]);
  assert.equal((await ask(await clientAssertion(w, client.client_id, host.keys[0]))).status, 200);
  host.keys = [await keyPair()];
  const deadline = Date.now() + 60_000;
  let answer;
  do {
    answer = await ask(await clientAssertion(w, client.client_id, host.keys[0]));
    if (answer.status !== 200) await sleep(2000);
  } while (answer.status !== 200 && Date.now() < deadline);
  assert.equal(answer.status, 200, answer.text);
  await host.close();
});

test('the token endpoint as audience is taken of clients that registered themselves, as hosted ones sign for it', async () => {
  const own = await keyPair('RS256');
  const client = await register(w, { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [own.publicJwk] } });
  const redeemFor = async (world, aud) => {
    const granted = await authorize(world, client);
    return token(world, null, {
      grant_type: 'authorization_code', code: granted.code, code_verifier: granted.verifier, redirect_uri: granted.parameters.redirect_uri,
      client_assertion_type: ASSERTION_TYPE, client_assertion: await clientAssertion(world, client.client_id, own, { aud }),
    });
  };
  for (const aud of [w.metadata.token_endpoint, w.issuer]) {
    const answer = await redeemFor(w, aud);
    assert.equal(answer.status, 200, `${aud}: ${answer.text}`);
  }
  assertTokenError(await redeemFor(w, w.metadata.pushed_authorization_request_endpoint), 'invalid_client');
  assertTokenError(await redeemFor(w, [w.issuer, 'https://other.test']), 'invalid_client');
});

test('a setting takes the token endpoint as audience of all clients', async () => {
  const old = await World.start({ sample: false, env: { WARDER_CLIENT_ASSERTION_AUDIENCE: 'endpoint' } });
  try {
    const file = keysFile([key]);
    const client = await old.machineClient(NEWS, ['--jwks', file]);
    const by = async (aud) => ask(await clientAssertion(old, client.client_id, key, { aud }), {}, old);
    for (const aud of [old.metadata.token_endpoint, old.issuer, [old.issuer, old.metadata.token_endpoint]]) {
      const answer = await by(aud);
      assert.equal(answer.status, 200, `${aud}: ${answer.text}`);
    }
    assertTokenError(await by([old.issuer, 'https://other.test']), 'invalid_client');
    assertTokenError(await by(old.metadata.pushed_authorization_request_endpoint), 'invalid_client');
  } finally {
    await old.stop();
  }
});

test('no assertion is in the trail or the log', async () => {
  const jti = randomUUID();
  const assertion = await signed({ jti });
  assert.equal((await ask(assertion)).status, 200);
  assertTokenError(await ask(assertion), 'invalid_client');
  for (const text of [w.auditText(), w.warder.err]) {
    assert.ok(!text.includes(assertion.split('.')[1]) && !text.includes(assertion.split('.')[2]));
  }
});
