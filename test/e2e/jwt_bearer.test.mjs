// Assertions as grants: people whom an identity provider vouches for (ID-JAG), and workloads whom
// their platform vouches for. Both issuers are small servers here. After each refusal a request in
// order still succeeds.
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Client, CrossAppAccessProvider, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { SignJWT, calculateJwkThumbprint } from 'jose';
import { assertTokenError, control } from './lib/attack.mjs';
import { Authority, DocumentHost, trusting } from './lib/documents.mjs';
import { ID_JAG_TYP, Idp, JWT_BEARER, keyPair, seconds } from './lib/idp.mjs';
import { claims, getNews, post, register, registerRaw, signIn, token } from './lib/oauth.mjs';
import { ANALYZE, BUILD, NEWS, World, run } from './lib/world.mjs';

const PROFILE = 'urn:ietf:params:oauth:grant-profile:id-jag';
const OTHER = 'https://other.example.com/mcp';

let w;
let idp; // of people
let platform; // of workloads, found by its metadata
let files; // of workloads whose tokens come out of files, its keys in a file
let client; // of people, with a secret
let authority, documents; // of clients that are known by their documents

function writeSettings(name, issuers) {
  const file = path.join(w.data, name);
  writeFileSync(file, JSON.stringify({ trusted_issuers: issuers }));
  return file;
}

const nightly = (more = {}) => ({
  name: 'nightly', claims: { sub: 'repo:acme/*', environment: 'production' }, resources: [w.mcp], scopes: [NEWS], ...more,
});

before(async () => {
  [idp, platform, files] = await Promise.all([1, 2, 3].map(async () => Idp.start([await keyPair()])));
  authority = new Authority();
  documents = await DocumentHost.start(authority);
  const env = trusting(authority, documents);
  env.WARDER_CLIENT_DOCUMENT_PRIVATE_HOSTS += ',127.0.0.1';
  w = await World.start({ env });
  await w.addResource(OTHER);
  writeFileSync(path.join(w.data, 'files.json'), JSON.stringify({ keys: files.keys.map((key) => key.publicJwk) }));
  const settings = writeSettings('warder.yaml', [
    { issuer: idp.url, uses: ['id-jag'], jwks_uri: `${idp.url}/keys`, algorithms: ['ES256'], resources: [w.mcp] },
    { issuer: platform.url, uses: ['workload'], rules: [nightly()] },
    { issuer: files.url, uses: ['workload'], jwks_file: 'files.json', reuse: true, rules: [nightly({ name: 'daily' })] },
  ]);
  w.args = ['--config', settings];
  await w.restart();
  client = await w.addClient(['--name', 'Agent', '--grant', JWT_BEARER, '--scope', `${NEWS} ${ANALYZE}`]);
});
after(async () => {
  await w?.stop();
  await Promise.all([idp, platform, files].map((one) => one?.close()));
  await documents?.stop();
  authority?.stop();
});

const ask = (assertion, more = {}, by = client, options = {}) => token(w, by, { grant_type: JWT_BEARER, assertion, ...more }, options);

async function person(overrides = {}, header = {}, more = {}) {
  const answer = await ask(await idp.idJag(w, client.client_id, overrides, header), more);
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
}

/** An ID-JAG that is refused with the error and, in the trail, the reason. */
async function personRefused(reason, overrides = {}, { header, more, errors = 'invalid_grant' } = {}) {
  const answer = await ask(await idp.idJag(w, client.client_id, overrides, header), more);
  assertTokenError(answer, errors, reason);
  assert.equal(w.audit().at(-1).reason, reason);
  await person();
}

async function workload(overrides = {}, header = {}, more = {}, of = platform) {
  const answer = await ask(await of.workload(w, overrides, header), more, null);
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
}

async function workloadRefused(reason, overrides = {}, { header, more, of = platform, errors = 'invalid_grant' } = {}) {
  const answer = await ask(await of.workload(w, overrides, header), more, null);
  assertTokenError(answer, errors, reason);
  assert.equal(w.audit().at(-1).reason, reason);
  await workload();
}

describe('settings', () => {
  test('the metadata name grant and profile, and nobody who is trusted', async () => {
    assert.ok(w.metadata.grant_types_supported.includes(JWT_BEARER));
    assert.deepEqual(w.metadata.authorization_grant_profiles_supported, [PROFILE]);
    for (const one of [idp, platform, files]) assert.ok(!JSON.stringify(w.metadata).includes(one.url));
  });

  test('without trusted issuers the grant is neither named nor taken, and naming it refuses no client', async () => {
    const plain = await World.start({ sample: false });
    try {
      assert.ok(!plain.metadata.grant_types_supported.includes(JWT_BEARER));
      assert.equal(plain.metadata.authorization_grant_profiles_supported, undefined);
      const stranger = await register(plain, { grant_types: ['authorization_code', 'refresh_token', JWT_BEARER] });
      assert.deepEqual(stranger.grant_types, ['authorization_code', 'refresh_token']);
      assertTokenError(await token(plain, stranger, { grant_type: JWT_BEARER, assertion: 'a.b.c' }), 'unsupported_grant_type');
      await control(plain, stranger);
    } finally {
      await plain.stop();
    }
  });

  test('wrong ones stop the start with one sentence', async () => {
    const bad = {
      'each issuer is a map': ['https://idp.example.com'],
      'say what the issuer is trusted for': [{ issuer: 'https://idp.example.com' }],
      'without them no workload may do anything': [{ issuer: 'https://idp.example.com', uses: ['workload'] }],
      'would be everybody': [{ issuer: 'https://p.example.com', uses: ['workload'], rules: [nightly({ claims: { sub: '*' } })] }],
      'cannot be read': [{ issuer: 'https://p.example.com', uses: ['id-jag'], jwks_file: 'nowhere.json' }],
    };
    for (const [says, issuers] of Object.entries(bad)) {
      const file = writeSettings('bad.yaml', issuers);
      const answer = await run(path.join(BUILD, 'warder'), ['serve', '--config', file, '--data', path.join(w.data, 'bad'), '--listen', '127.0.0.1:0']);
      assert.equal(answer.code, 3, answer.stderr);
      assert.match(answer.stderr, /^warder: [^\n]+\n$/);
      assert.ok(answer.stderr.includes(says), answer.stderr);
    }
  });
});

describe('people (ID-JAG)', () => {
  test('a person of the identity provider gets a token for the resource of the assertion, and no refresh token', async () => {
    const answer = await person();
    assert.equal(answer.refresh_token, undefined);
    assert.equal(answer.scope, NEWS);
    const said = claims(answer.access_token);
    assert.equal(said.aud, w.mcp);
    assert.equal(said.client_id, client.client_id);
    assert.ok(!JSON.stringify(said).includes('employee-1'), 'the subject is not the foreign one');
    assert.equal((await getNews(w, answer.access_token)).status, 200);
    const again = await person();
    assert.equal(claims(again.access_token).sub, said.sub, 'the same person each time');
    const other = await person({ sub: 'employee-2' });
    assert.notEqual(claims(other.access_token).sub, said.sub);
    const event = w.audit().findLast((one) => one.event === 'token' && one.user === said.sub);
    assert.equal(event.client, client.client_id);
    assert.equal(event.resource, w.mcp);
    assert.ok(event.detail.endsWith(`for employee-1 of ${idp.url}`), event.detail);
  });

  test('MCP SDK v2: CrossAppAccessProvider connects and calls a tool', async () => {
    const agent = await w.addClient(['--name', 'Agent', '--grant', JWT_BEARER, '--scope', NEWS]);
    const provider = new CrossAppAccessProvider({
      assertion: ({ authorizationServerUrl, resourceUrl }) =>
        idp.idJag(w, agent.client_id, { aud: authorizationServerUrl, resource: resourceUrl }),
      clientId: agent.client_id, clientSecret: agent.client_secret, expectedIssuer: w.issuer,
    });
    const mcp = new Client({ name: 'e2e', version: '1.0.0' });
    await mcp.connect(new StreamableHTTPClientTransport(new URL(w.mcp), { authProvider: provider }));
    const result = await mcp.callTool({ name: 'get_news_sentiment', arguments: { ticker: 'ACME' } });
    assert.ok(!result.isError, JSON.stringify(result));
    await mcp.close();
  });

  test('a client that registered itself, with a secret or public, may use it', async () => {
    for (const method of ['none', 'client_secret_basic']) {
      const stranger = await register(w, { token_endpoint_auth_method: method, grant_types: ['authorization_code', JWT_BEARER] });
      assert.ok(stranger.grant_types.includes(JWT_BEARER));
      const answer = await ask(await idp.idJag(w, stranger.client_id), {}, stranger);
      assert.equal(answer.status, 200, answer.text);
    }
  });

  test('a public client that is known by its document may use it', async () => {
    const known = documents.publish('/agent.json', { grant_types: ['authorization_code', JWT_BEARER] });
    const answer = await ask(await idp.idJag(w, known.client_id), {}, known);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(claims(answer.body.access_token).client_id, known.client_id);
    const without = documents.publish('/other.json');
    assertTokenError(await ask(await idp.idJag(w, without.client_id), {}, without), 'unauthorized_client');
    await person();
  });

  test('the client authenticates as always', async () => {
    const jag = await idp.idJag(w, client.client_id);
    assertTokenError(await ask(jag, {}, null), 'invalid_client');
    assertTokenError(await ask(jag, {}, { ...client, client_secret: 'wrong' }), 'invalid_client');
    const without = await w.machineClient(NEWS);
    assertTokenError(await ask(await idp.idJag(w, without.client_id), {}, without), 'unauthorized_client');
    await person();
  });

  test('the scope is what assertion, request, issuer and client all allow', async () => {
    assert.equal((await person({ scope: `${NEWS} ${ANALYZE} never:heard` })).scope, `${NEWS} ${ANALYZE}`);
    assert.equal((await person({ scope: `${NEWS} ${ANALYZE}` }, {}, { scope: ANALYZE })).scope, ANALYZE);
    assert.equal((await person({ scope: NEWS }, {}, { scope: `${NEWS} ${ANALYZE}` })).scope, NEWS);
    await personRefused('scope_empty', { scope: NEWS }, { more: { scope: ANALYZE }, errors: 'invalid_scope' });
    await personRefused('scope_empty', { scope: 'never:heard' }, { errors: 'invalid_scope' });
  });

  const REFUSALS = {
    'another typ': ['bearer_typ', {}, { typ: 'at+jwt' }],
    'no typ: an identity provider is no platform': ['bearer_issuer', {}, { typ: undefined }],
    'an issuer that is not trusted': ['bearer_issuer', { iss: 'https://idp.example.com' }],
    'no issuer': ['bearer_issuer', { iss: undefined }],
    'no subject': ['bearer_subject', { sub: undefined }],
    'another audience': ['bearer_audience', { aud: 'https://other.test' }],
    'the token endpoint as audience': ['bearer_audience', () => ({ aud: w.metadata.token_endpoint })],
    'two audiences': ['bearer_audience', () => ({ aud: [w.issuer, 'https://other.test'] })],
    'no audience': ['bearer_audience', { aud: undefined }],
    'an end in the past': ['bearer_expired', () => ({ exp: seconds() - 300 })],
    'no end': ['bearer_expired', { exp: undefined }],
    'an end of tomorrow': ['bearer_lifetime', () => ({ exp: seconds() + 86400 })],
    'a beginning ahead': ['bearer_not_yet', () => ({ nbf: seconds() + 120 })],
    'no iat': ['bearer_not_yet', { iat: undefined }],
    'no jti': ['bearer_jti', { jti: undefined }],
    'another client': ['bearer_client', { client_id: 'another' }],
    'no client': ['bearer_client', { client_id: undefined }],
    'no resource': ['bearer_resource', { resource: undefined }],
    'an unknown resource': ['bearer_resource', { resource: 'https://unknown.test' }],
    'a resource beyond what the issuer may': ['bearer_resource', { resource: OTHER }],
    'a certificate as confirmation': ['bearer_other_key', { cnf: { 'x5t#S256': 'x' } }],
  };
  for (const [name, [reason, overrides, header]] of Object.entries(REFUSALS)) {
    test(`refused: ${name}`, () => personRefused(reason, typeof overrides === 'function' ? overrides() : overrides, { header }));
  }

  test('refused: signed by others, by nobody, or with another algorithm', async () => {
    const own = idp.keys[0];
    const claimsOf = (jwt) => jwt.split('.')[1];
    for (const [signer, reason] of [[{ ...(await keyPair()), kid: own.kid }, 'bearer_signature'], [{ ...(await keyPair('RS256')), kid: own.kid }, 'bearer_alg']]) {
      idp.keys = [signer, own];
      const forged = await idp.idJag(w, client.client_id);
      idp.keys = [own];
      assertTokenError(await ask(forged), 'invalid_grant');
      assert.equal(w.audit().at(-1).reason, reason);
    }
    const header = Buffer.from(JSON.stringify({ alg: 'none', typ: ID_JAG_TYP })).toString('base64url');
    assertTokenError(await ask(`${header}.${claimsOf(await idp.idJag(w, client.client_id))}.`), 'invalid_grant');
    assertTokenError(await ask('word'), 'invalid_grant');
    assertTokenError(await ask(undefined), 'invalid_request');
    await person();
  });

  test('an ID-JAG counts once, and one of many racing ones', async () => {
    const once = await idp.idJag(w, client.client_id);
    assert.equal((await ask(once)).status, 200);
    assertTokenError(await ask(once), 'invalid_grant');
    assert.equal(w.audit().at(-1).reason, 'bearer_replayed');
    const raced = await idp.idJag(w, client.client_id, { sub: 'employee-race' });
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(raced)));
    assert.equal(answers.filter((answer) => answer.status === 200).length, 1, answers.map((answer) => answer.status).join());
    await person();
  });

  test('bound to a key, it is for who proves possession of the key', async () => {
    const own = await keyPair();
    const jkt = await calculateJwkThumbprint(own.publicJwk);
    const { alg, kid, use, ...jwk } = own.publicJwk;
    const proof = () => new SignJWT({ htm: 'POST', htu: w.metadata.token_endpoint, jti: randomUUID(), iat: seconds() })
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk }).sign(own.privateKey);
    const by = async (cnf, headers) => ask(await idp.idJag(w, client.client_id, { cnf }), {}, client, { headers });
    assertTokenError(await by({ jkt }), 'invalid_dpop_proof');
    const other = createHash('sha256').update('another').digest('base64url');
    assertTokenError(await by({ jkt: other }, { dpop: await proof() }), 'invalid_grant');
    assert.equal(w.audit().at(-1).reason, 'bearer_other_key');
    const answer = await by({ jkt }, { dpop: await proof() });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.body.token_type, 'DPoP');
    assert.equal(claims(answer.body.access_token).cnf.jkt, jkt);
    await person();
  });

  test('a person can be disabled, and a grant revoked', async () => {
    const { access_token: issued } = await person({ sub: 'leaver' });
    const { sub, jti } = claims(issued);
    const revoked = await post(w, 'revocation_endpoint', client, { token: issued });
    assert.equal(revoked.status, 200);
    assert.equal(w.audit().at(-1).family, jti.split('.')[0]);
    const { stdout } = await w.cli(['admin', 'user', 'list']);
    assert.ok(stdout.includes(`${sub}  ${sub}  leaver of ${idp.url}\n`), stdout);
    await w.cli(['admin', 'user', 'disable', sub]);
    await personRefused('user_gone', { sub: 'leaver' });
  });

  test('nobody signs in with the account of such a person', async () => {
    const { sub } = claims((await person({ sub: 'no-password' })).access_token);
    const probe = await register(w);
    for (const password of ['', 'x', sub]) {
      w.users[sub] = password;
      await assert.rejects(signIn(w, probe, {}, { user: sub }), `signed in with '${password}'`);
    }
    await control(w, probe);
  });
});

describe('workloads', () => {
  test('a workload without a client gets what its rule says', async () => {
    const answer = await workload();
    const said = claims(answer.access_token);
    assert.equal(said.client_id, 'workload:nightly');
    assert.equal(said.aud, w.mcp);
    assert.equal(said.scope, NEWS);
    assert.equal(answer.refresh_token, undefined);
    assert.ok(!JSON.stringify(said).includes('repo:acme'), 'nothing is copied');
    assert.equal((await getNews(w, answer.access_token)).status, 200);
    assert.equal(w.audit().findLast((one) => one.event === 'token').client, 'workload:nightly');
    assert.equal(claims((await workload({ sub: 'repo:acme/app:main' })).access_token).sub, said.sub);
    assert.notEqual(claims((await workload({ sub: 'repo:acme/other:main' })).access_token).sub, said.sub);
  });

  test('issuer or token endpoint as audience, the resource named or not', async () => {
    await workload({ aud: w.metadata.token_endpoint });
    await workload({ aud: [w.issuer] });
    await workload({}, {}, { resource: w.mcp, scope: NEWS });
    await workload({}, { typ: undefined });
  });

  const REFUSALS = {
    'a subject that fits no rule': ['bearer_rule', { sub: 'repo:other/app' }],
    'a subject that only ends so': ['bearer_rule', { sub: 'x-repo:acme/app' }],
    'a claim that differs': ['bearer_rule', { environment: 'staging' }],
    'a claim that is missing': ['bearer_rule', { environment: undefined }],
    'an issuer that is not trusted for workloads': ['bearer_issuer', () => ({ iss: idp.url })],
    'the typ of an ID-JAG': [undefined, {}, { typ: ID_JAG_TYP }],
    'another kind of token': ['bearer_typ', {}, { typ: 'at+jwt' }],
    'another audience': ['bearer_audience', { aud: 'https://kubernetes.default.svc' }],
    'an end in the past': ['bearer_expired', () => ({ exp: seconds() - 300 })],
  };
  for (const [name, [reason, overrides, header]] of Object.entries(REFUSALS)) {
    test(`refused: ${name}`, async () => {
      const bent = typeof overrides === 'function' ? overrides() : overrides;
      if (reason) return workloadRefused(reason, bent, { header });
      assertTokenError(await ask(await platform.workload(w, bent, header), {}, null), 'invalid_client');
      return workload();
    });
  }

  test('refused: a resource or a scope that its rule has not', async () => {
    await workloadRefused('workload_resource', {}, { more: { resource: OTHER }, errors: 'invalid_target' });
    await workloadRefused('scope_empty', {}, { more: { scope: ANALYZE }, errors: 'invalid_scope' });
  });

  test('a token counts once, but for the issuer whose tokens come out of a file', async () => {
    for (const jti of [randomUUID(), undefined]) {
      const once = await platform.workload(w, { jti, nonce: randomUUID() });
      assert.equal((await ask(once, {}, null)).status, 200);
      assertTokenError(await ask(once, {}, null), 'invalid_grant');
      assert.equal(w.audit().at(-1).reason, 'bearer_replayed');
    }
    const many = await files.workload(w);
    for (let i = 0; i < 3; i++) {
      const answer = await ask(many, {}, null);
      assert.equal(answer.status, 200, answer.text);
      assert.equal(claims(answer.body.access_token).client_id, 'workload:daily');
    }
    assert.equal(files.hits.length, 0, 'keys of a file are not fetched');
  });

  test('keys are found by the metadata, once for many, and an unknown key id fetches no more than once in a while', async () => {
    const before = platform.hits.length;
    assert.ok(platform.hits.includes('/.well-known/openid-configuration') && platform.hits.includes('/keys'));
    await Promise.all(Array.from({ length: 6 }, () => workload()));
    assert.equal(platform.hits.length, before, platform.hits.join());
    const [own] = platform.keys;
    platform.keys = [await keyPair()];
    const strange = await Promise.all([1, 2, 3].map(() => platform.workload(w)));
    platform.keys = [own];
    for (const one of strange) assertTokenError(await ask(one, {}, null), 'invalid_grant');
    assert.ok(platform.hits.length <= before + 1, platform.hits.join());
    await workload();
  });
});

describe('an issuer that does not answer, or is another one', () => {
  let other;
  let strange;
  before(async () => {
    strange = await Idp.start([await keyPair()]);
    other = await World.start({ sample: false, env: { WARDER_CLIENT_DOCUMENT_PRIVATE_HOSTS: '127.0.0.1' } });
    const file = path.join(other.data, 'warder.yaml');
    writeFileSync(file, JSON.stringify({ trusted_issuers: [{
      issuer: strange.url, uses: ['workload'], rules: [{ name: 'nightly', claims: { sub: 'repo:acme/*' }, resources: [other.mcp], scopes: [NEWS] }],
    }] }));
    other.args = ['--config', file];
    await other.restart();
  });
  after(async () => {
    await other?.stop();
    await strange?.close();
  });
  const by = async () => token(other, null, { grant_type: JWT_BEARER, assertion: await strange.workload(other) });

  test('is 503, not a refusal, until it answers; metadata that name another issuer lead nowhere', async () => {
    strange.broken = true;
    const answer = await by();
    assert.equal(answer.status, 503, answer.text);
    assert.equal(answer.body.error, 'temporarily_unavailable');
    assert.ok(answer.headers.get('retry-after'));
    assert.equal(other.audit().at(-1).reason, 'bearer_keys_unavailable');
    strange.broken = false;
    strange.named = 'https://idp.example.com';
    assertTokenError(await by(), 'invalid_grant');
    assert.ok(!strange.hits.includes('/keys'));
    strange.named = strange.url;
    const good = await by();
    assert.equal(good.status, 200, good.text);
  });
});

test('no assertion is in the trail or the log', async () => {
  const jag = await idp.idJag(w, client.client_id);
  const own = await platform.workload(w);
  assert.equal((await ask(jag)).status, 200);
  assert.equal((await ask(own, {}, null)).status, 200);
  assertTokenError(await ask(jag), 'invalid_grant');
  for (const text of [w.auditText(), w.warder.err]) {
    for (const one of [jag, own]) assert.ok(!text.includes(one.split('.')[1]) && !text.includes(one.split('.')[2]));
  }
});

test('a stranger may name the grant in a registration', async () => {
  const answer = await registerRaw(w, { redirect_uris: ['https://c.test/cb'], token_endpoint_auth_method: 'none', grant_types: ['authorization_code', JWT_BEARER, 'made:up'] });
  assert.equal(answer.status, 201, answer.text);
  assert.deepEqual(answer.body.grant_types, ['authorization_code', JWT_BEARER]);
});
