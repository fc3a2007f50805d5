// Attack cases of the areas rs-jwt and rs-challenge, from outside, at the sample server.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Issuer, b64 } from './lib/issuer.mjs';
import { analyze, bytes, callTool, challenge, getNews, httpRaw, machineToken, mcpOpen, mcpPost, post, read, register, signIn } from './lib/oauth.mjs';
import { ANALYZE, BUILD, NEWS, World, freePort, sleep, start, stop } from './lib/world.mjs';

/** The sample alone, trusting an issuer of ours. */
async function sampleOf(issuer, w) {
  const port = await freePort();
  const mcp = `http://127.0.0.1:${port}/mcp`;
  const data = path.join(w.data, `sample-${port}`);
  mkdirSync(data, { mode: 0o700 });
  const server = await start(path.join(BUILD, 'finance-sentiment'),
    ['--listen', `127.0.0.1:${port}`, '--issuer', issuer.url ?? issuer, '--resource', mcp, '--data', data], { data });
  return { server, mcp };
}

async function assertRefused(mcp, bearer, note) {
  const answer = await mcpOpen(mcp, bearer);
  assert.equal(answer.status, 401, `${note}: ${answer.status} ${answer.text}`);
  const said = challenge(answer.answerHeaders);
  assert.equal(said.scheme, 'Bearer', note);
  assert.equal(said.error, 'invalid_token', note);
  assert.ok(said.resource_metadata, note);
  return answer;
}

async function assertTaken(mcp, bearer, note) {
  const answer = await callTool(mcp, bearer, 'get_news_sentiment', { ticker: 'ACME' });
  assert.equal(answer.status, 200, `${note ?? 'control'}: ${answer.status} ${answer.text} ${answer.headers.get?.('www-authenticate')}`);
}

let w;
before(async () => (w = await World.start({ users: ['alice'] })));
after(() => w?.stop());

describe('rs-jwt, tokens that an issuer really signed', () => {
  let issuer;
  let sample;
  before(async () => {
    issuer = await Issuer.start();
    sample = await sampleOf(issuer, w);
  });
  after(async () => {
    if (sample) await stop(sample.server);
    await issuer?.down();
  });
  const good = (overrides) => issuer.claims(sample.mcp, overrides);
  const refused = (token, note) => assertRefused(sample.mcp, token, note);
  const taken = (token, note) => assertTaken(sample.mcp, token, note);

  test('each algorithm of the key set is taken', async () => {
    for (const name of issuer.published) await taken(issuer.sign(name, good()), name);
  });

  test('JWT-001 alg none in every spelling', async () => {
    const signature = issuer.sign('ec', good()).split('.')[2];
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '', null, undefined, 0, ['RS256'], ['none'], 'HS256']) {
      const header = { typ: 'at+jwt', alg, kid: issuer.keys.ec.kid };
      for (const end of ['.', '', `.${signature}`]) {
        await refused(`${b64(header)}.${b64(good())}${end}`, `alg ${JSON.stringify(alg)}, end "${end}"`);
      }
      await refused(issuer.sign('ec', good(), { alg }), `signed, alg ${JSON.stringify(alg)}`);
    }
    for (const one of ['none', '.', '..', '...', `${b64({ alg: 'none' })}`]) await refused(one, one);
    await taken(issuer.sign('ec', good()));
  });

  test('JWT-002 an RSA public key used as HMAC secret', async () => {
    for (const name of ['rsa', 'ec']) {
      const { jwk, kid } = issuer.keys[name];
      const secrets = [issuer.pem(name), issuer.pem(name).trim(), issuer.der(name), JSON.stringify(jwk), jwk.n ?? jwk.x, Buffer.from(jwk.n ?? jwk.x, 'base64url'), ''];
      for (const secret of secrets) await refused(issuer.hmac(secret, good(), { kid }), name);
    }
    await refused(issuer.sign('rsa', good(), { alg: 'ES256' }), 'the header of another algorithm');
    await refused(issuer.sign('ps', good(), { alg: 'RS256' }), 'PS256 key, RS256 header');
    await taken(issuer.sign('rsa', good()));
  });

  test('JWT-008 RSA edge signatures', async () => {
    const token = issuer.sign('rsa', good());
    const [header, payload, signature] = token.split('.');
    const raw = Buffer.from(signature, 'base64url');
    const flip = Buffer.from(raw);
    flip[10] ^= 1;
    for (const [name, bytes_] of Object.entries({
      flipped: flip, short: raw.subarray(1), long: Buffer.concat([Buffer.from([0]), raw]), zeros: Buffer.alloc(256), ones: Buffer.alloc(256, 255), empty: Buffer.alloc(0),
    })) await refused(`${header}.${payload}.${bytes_.toString('base64url')}`, name);
    await taken(token);
  });

  test('JWT-009 Ed25519 edge signatures', async () => {
    const [header, payload, signature] = issuer.sign('ed', good()).split('.');
    const raw = Buffer.from(signature, 'base64url');
    const L = Buffer.from('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010', 'hex');
    const malleable = Buffer.from(raw);
    let carry = 0;
    for (let i = 0; i < 32; i++) {
      const sum = raw[32 + i] + L[i] + carry;
      malleable[32 + i] = sum & 255;
      carry = sum >> 8;
    }
    for (const [name, one] of Object.entries({ 's + L': malleable, '63 bytes': raw.subarray(0, 63), '65 bytes': Buffer.concat([raw, Buffer.from([0])]), zeros: Buffer.alloc(64) })) {
      await refused(`${header}.${payload}.${one.toString('base64url')}`, name);
    }
    await taken(issuer.sign('ed', good()));
  });

  test('JWT-010 duplicate JSON members', async () => {
    const kid = issuer.keys.rsa.kid;
    const text = JSON.stringify(good());
    for (const header of [`{"alg":"RS256","alg":"none","kid":"${kid}","typ":"at+jwt"}`, `{"alg":"none","alg":"RS256","kid":"${kid}","typ":"at+jwt"}`,
      `{"alg":"RS256","kid":"${kid}","kid":"${kid}","typ":"at+jwt"}`]) await refused(issuer.sign('rsa', text, header), header);
    for (const [name, value] of [['aud', sample.mcp], ['exp', 9_999_999_999], ['scope', 'sentiment:analyze'], ['sub', 'root'], ['\\u0073ub', 'root']]) {
      await refused(issuer.sign('rsa', `${text.slice(0, -1)},"${name}":${JSON.stringify(value)}}`), name);
    }
    await taken(issuer.sign('rsa', text));
  });

  test('JWT-013 base64url strictness', async () => {
    const token = issuer.sign('ec', good());
    const [header, payload, signature] = token.split('.');
    const nonzero = signature.slice(0, -1) + String.fromCharCode(signature.charCodeAt(signature.length - 1) + 1);
    for (const bent of [`${token}=`, `${token}==`, `${header}=.${payload}.${signature}`, `${header}.${payload}..${signature}`, `.${payload}.${signature}`,
      `${header}..${signature}`, `${header}.${payload}.`, `${token}A`, `${token}AAA`, `${header}.${payload}.${signature.replace(/[-_]/g, '+')}+`, nonzero === signature ? `${token}A` : `${header}.${payload}.${nonzero}`,
      `${token}.`, `${token}.${signature}`]) {
      const answer = await mcpOpen(sample.mcp, bent);
      assert.ok([400, 401].includes(answer.status), `${bent.slice(-30)}: ${answer.status}`);
    }
    await taken(token);
  });

  test('JWT-015 deep nesting and numbers', async () => {
    const text = JSON.stringify(good({ exp: undefined }));
    const withExp = (exp) => `${text.slice(0, -1)},"exp":${exp}}`;
    const future = Math.floor(Date.now() / 1000) + 300;
    for (const exp of ['-1', '0', `"${future}"`, 'true', 'null', '[]', '{}', 'NaN', 'Infinity', '1700000000', '-1e300', '1e-5', '01']) {
      await refused(issuer.sign('ec', withExp(exp)), `exp ${exp}`);
    }
    // A time no clock reaches is refused or means "not expired"; it never wraps into a fault.
    for (const exp of ['1e300', '9223372036854775808', '18446744073709551616']) {
      const answer = await mcpOpen(sample.mcp, issuer.sign('ec', withExp(exp)));
      assert.ok([200, 401].includes(answer.status), `exp ${exp}: ${answer.status}`);
    }
    const nested = `${text.slice(0, -1)},"exp":${future},"x":${'['.repeat(5000)}${']'.repeat(5000)}}`;
    const deep = await mcpOpen(sample.mcp, issuer.sign('ec', nested));
    assert.ok([400, 401, 431].includes(deep.status), String(deep.status));
    const fractional = await mcpOpen(sample.mcp, issuer.sign('ec', withExp(`${future}.5`)));
    assert.equal(fractional.status, 200, 'a fractional exp in the future is a NumericDate');
    await taken(issuer.sign('ec', good()));
  });

  test('JWT-016 compression', async () => {
    const bomb = gzipSync(Buffer.alloc(1 << 20)).toString('base64url').slice(0, 2000);
    await refused(issuer.sign('ec', good(), { zip: 'DEF', crit: ['zip'] }), 'zip in crit');
    const jwe = `${b64({ alg: 'dir', enc: 'A256GCM', zip: 'DEF' })}..${b64('x'.repeat(12))}.${bomb}.${b64('x'.repeat(16))}`;
    await refused(jwe, 'JWE');
    await taken(issuer.sign('ec', good()));
  });

  test('JWT-019 audience', async () => {
    const at = new URL(sample.mcp);
    for (const aud of [undefined, 'https://other.test/mcp', sample.mcp.slice(0, -1), `${sample.mcp}/x`, `${at.origin}/other`, 'MCP', '', [], 7, null,
      `HTTP://127.0.0.1:${at.port}/mcp`, `http://localhost:${at.port}/mcp`, ['https://a.test', 'https://b.test'], [[sample.mcp]], { 0: sample.mcp }, `${sample.mcp},https://a.test`]) {
      await refused(issuer.sign('ec', good({ aud })), `aud ${JSON.stringify(aud)}`);
    }
    await taken(issuer.sign('ec', good({ aud: [sample.mcp] })), 'array of one');
    await taken(issuer.sign('ec', good({ aud: ['https://other.test/mcp', sample.mcp] })), 'array with us');
    await taken(issuer.sign('ec', good()), 'string');
  });

  test('JWT-020 token type confusion', async () => {
    for (const typ of ['JWT', undefined, 'id_token', 'dpop+jwt', 'logout+jwt', 'oauth-authz-req+jwt', 'secevent+jwt', 'at+jwt2', 'xat+jwt', '', null, 7]) {
      await refused(issuer.sign('ec', good(), { typ }), `typ ${typ}`);
    }
    for (const typ of ['at+jwt', 'application/at+jwt', 'AT+JWT', 'Application/AT+JWT']) await taken(issuer.sign('ec', good(), { typ }), typ);
  });

  test('JWT-021 issuer, key and required claims are exact', async () => {
    await refused(issuer.sign('stranger', good()), 'a key that is not published');
    await refused(issuer.sign('stranger', good(), { kid: issuer.keys.ec.kid }), 'with the kid of one that is');
    for (const iss of [undefined, `${issuer.url}/`, 'https://evil.test', issuer.url.toUpperCase(), [issuer.url]]) {
      await refused(issuer.sign('ec', good({ iss })), `iss ${iss}`);
    }
    for (const name of ['exp', 'sub']) await refused(issuer.sign('ec', good({ [name]: undefined })), `without ${name}`);
    const soon = Math.floor(Date.now() / 1000) + 3600;
    await refused(issuer.sign('ec', good({ nbf: soon })), 'not yet valid');
    for (const header of [{ crit: ['exp'] }, { crit: ['b64'], b64: false }, { crit: [] }, { jku: 'https://evil.test/jwks' }, { x5u: 'https://evil.test/x' }, { jwk: issuer.keys.stranger.jwk }]) {
      await refused(issuer.sign(header.jwk ? 'stranger' : 'ec', good(), header), JSON.stringify(Object.keys(header)));
    }
    await taken(issuer.sign('ec', good()));
  });

  test('JWT-022 validation cache and expiry', async () => {
    const now = Math.floor(Date.now() / 1000);
    const long = issuer.sign('ec', good({ exp: now - 3600, iat: now - 7200 }));
    await refused(long, 'expired an hour ago');
    // Used until it is cached; then altered in its last byte, which a cache by anything less than
    // the whole token would not see.
    const token = issuer.sign('ec', good());
    for (let i = 0; i < 5; i++) await taken(token);
    const at = token.length - 20;
    await refused(token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1), 'changed after caching');
    await taken(token);
  });

  test('JWT-022 a cached token ends with its time', { timeout: 150_000 }, async () => {
    const LEEWAY_MAX = 60;
    const now = Math.floor(Date.now() / 1000);
    // As far behind as the leeway may reach: still taken where it is, refused seconds later.
    let taken_ = null;
    for (let behind = LEEWAY_MAX - 4; behind >= -4 && !taken_; behind -= 2) {
      const token = issuer.sign('ec', good({ exp: now - behind, iat: now - 300 }));
      if ((await mcpOpen(sample.mcp, token)).status === 200) taken_ = token;
    }
    assert.ok(taken_, 'a token within the leeway is taken');
    for (let i = 0; i < 3; i++) assert.ok([200, 401].includes((await mcpOpen(sample.mcp, taken_)).status));
    await sleep(8000);
    await refused(taken_, 'after its time, although it was cached');
    await taken(issuer.sign('ec', good()));
  });

  test('JWT-023 a token in the query, in a form, twice', async () => {
    const token = issuer.sign('ec', good());
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } } });
    const tries = {
      query: () => httpRaw(`${sample.mcp}?access_token=${token}`, { method: 'POST', headers, body }),
      'query GET': () => httpRaw(`${sample.mcp}?access_token=${token}`, { headers: { accept: 'text/event-stream' } }),
      form: () => httpRaw(sample.mcp, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: `access_token=${token}` }),
      'two headers': () => httpRaw(sample.mcp, { method: 'POST', headers: { ...headers, authorization: [`Bearer ${token}`, `Bearer ${token}`] }, body }),
      'a list': () => httpRaw(sample.mcp, { method: 'POST', headers: { ...headers, authorization: `Bearer ${token}, Bearer ${token}` }, body }),
      'two words': () => httpRaw(sample.mcp, { method: 'POST', headers: { ...headers, authorization: `Bearer ${token} x` }, body }),
      'another scheme': () => httpRaw(sample.mcp, { method: 'POST', headers: { ...headers, authorization: `Basic ${token}` }, body }),
    };
    for (const [name, send] of Object.entries(tries)) {
      const answer = await send();
      assert.ok([400, 401].includes(answer.status), `${name}: ${answer.status}`);
    }
    const lower = await httpRaw(sample.mcp, { method: 'POST', headers: { ...headers, authorization: `bearer ${token}` }, body });
    assert.equal(lower.status, 200, 'the scheme is compared without case');
    await taken(token);
  });

  test('JWT-026 the key set is away: known keys go on, unknown ones are refused, nothing piles up', { timeout: 60_000 }, async () => {
    await taken(issuer.sign('ec', good()), 'keys are known');
    for (const mode of ['500', 'hang', 'html', 'down']) {
      if (mode === 'down') await issuer.down();
      else issuer.mode = mode;
      await taken(issuer.sign('ec', good()), `known kid while ${mode}`);
      const begin = Date.now();
      const unknown = await mcpOpen(sample.mcp, issuer.sign('stranger', good()));
      assert.ok([401, 503].includes(unknown.status), `unknown kid while ${mode}: ${unknown.status}`);
      if (unknown.status === 503) assert.match(unknown.answerHeaders.get('retry-after'), /^[1-9]\d*$/);
      assert.ok(Date.now() - begin < 15_000, 'bounded');
      await taken(issuer.sign('ec', good()), `still known while ${mode}`);
      if (mode === 'down') await issuer.up();
      issuer.mode = 'ok';
    }
    // While the key set hangs and a stranger invents key ids, good tokens wait for nobody.
    await sleep(10_500); // so that an unknown key id is looked for again
    const asked = issuer.fetches;
    issuer.mode = 'hang';
    const flood = Array.from({ length: 50 }, () => mcpOpen(sample.mcp, issuer.sign('stranger', good(), { kid: crypto.randomUUID() })));
    for (let i = 0; i < 5; i++) {
      const begin = Date.now();
      await taken(issuer.sign('ec', good()), 'during a flood');
      assert.ok(Date.now() - begin < 4000, `${Date.now() - begin} ms during a flood`);
    }
    assert.equal(issuer.fetches, asked + 1, 'one fetch hangs meanwhile');
    issuer.mode = 'ok';
    for (const one of await Promise.all(flood)) assert.ok([401, 503].includes(one.status), String(one.status));
    const before = issuer.fetches;
    await Promise.all(Array.from({ length: 50 }, () => mcpOpen(sample.mcp, issuer.sign('stranger', good(), { kid: crypto.randomUUID() }))));
    assert.ok(issuer.fetches - before <= 5, `${issuer.fetches - before} fetches for 50 unknown kids`);
    await taken(issuer.sign('ec', good()));
  });

  test('JWT-029 constant error surface', async () => {
    const now = Math.floor(Date.now() / 1000);
    const bodies = [];
    for (const token of [
      issuer.sign('stranger', good(), { kid: issuer.keys.ec.kid }),
      issuer.sign('stranger', good()),
      issuer.sign('ec', good({ exp: now - 3600 })),
      issuer.sign('ec', good({ aud: 'https://secret-audience.test' })),
    ]) {
      const answer = await refused(token, 'surface');
      bodies.push(answer.text.replace(/[0-9a-f-]{16,}/g, 'ID'));
      for (const leak of ['secret-audience', issuer.keys.ec.kid, 'alice', 'stack', token]) {
        assert.ok(!answer.text.includes(leak) && !answer.answerHeaders.get('www-authenticate').includes(leak), `leaks ${leak}`);
      }
    }
    assert.equal(new Set(bodies.map((body) => body.length < 400)).size, 1);
  });
});

test('JWT-027 keys over http or redirect', async () => {
  const issuer = await Issuer.start();
  // An issuer on loopback whose key set is elsewhere over plain http: never fetched from there.
  issuer.jwksUri = 'http://192.0.2.1/jwks';
  let sample;
  try {
    sample = await sampleOf(issuer, w);
    const answer = await mcpOpen(sample.mcp, issuer.sign('ec', issuer.claims(sample.mcp)));
    assert.equal(answer.status, 503, 'the keys cannot be had');
    assert.match(answer.answerHeaders.get('retry-after'), /^[1-9]\d*$/);
    assert.equal(issuer.fetches, 0);
  } catch (error) {
    assert.match(error.message, /did not start/, 'or the start is refused');
  } finally {
    if (sample) await stop(sample.server);
    await issuer.down();
  }
  const { code } = await new Promise((resolve) => {
    start(path.join(BUILD, 'finance-sentiment'), ['--listen', '127.0.0.1:0', '--issuer', 'http://issuer.example', '--resource', 'https://mcp.example/mcp'])
      .then(async (server) => {
        await stop(server);
        resolve({ code: 0 });
      }, () => resolve({ code: 1 }));
  });
  assert.notEqual(code, 0, 'an issuer over plain http that is not on loopback is refused');
});

test('JWT-021 a token for one resource is refused at another', async () => {
  const other = await sampleOf(w.issuer, w);
  try {
    await w.addResource(other.mcp);
    const machine = await w.machineClient();
    const here = (await machineToken(w, machine)).body.access_token;
    const there = (await machineToken(w, machine, { resource: other.mcp })).body.access_token;
    const refused = await assertRefused(other.mcp, here, 'ours at the other');
    assert.ok(challenge(refused.answerHeaders).resource_metadata.includes(new URL(other.mcp).host), 'the metadata of the other');
    await assertRefused(w.mcp, there, 'the other at ours');
    await assertTaken(w.mcp, here);
    await assertTaken(other.mcp, there);
  } finally {
    await w.cli(['admin', 'resource', 'delete', other.mcp], { code: null });
    await stop(other.server);
  }
});

test('JWT-020 other artefacts of the same server are no access tokens', async () => {
  const client = await register(w);
  const tokens = await signIn(w, client);
  for (const artefact of [tokens.refresh_token, tokens.granted.code, client.client_id]) await assertRefused(w.mcp, artefact, artefact);
  await assertTaken(w.mcp, tokens.access_token);
});

test('CHL-001 no token: 401 with the way to one, and no error', async () => {
  const answer = await mcpOpen(w.mcp);
  assert.equal(answer.status, 401);
  const said = challenge(answer.answerHeaders);
  assert.equal(said.scheme, 'Bearer');
  assert.equal(said.error, undefined, said.value);
  assert.match(said.resource_metadata, /^http:\/\/127\.0\.0\.1:\d+\/\.well-known\/oauth-protected-resource\/mcp$/);
  assert.equal(said.scope, NEWS);
  assert.match(answer.answerHeaders.get('cache-control') ?? '', /no-store/);
});

test('CHL-002 403 insufficient_scope names all scopes of the operation', async () => {
  const machine = await w.machineClient();
  const small = (await machineToken(w, machine, { scope: NEWS })).body.access_token;
  const answer = await analyze(w, small);
  assert.equal(answer.status, 403, answer.text);
  const said = challenge(answer.headers);
  assert.equal(said.error, 'insufficient_scope');
  assert.equal(said.scope, ANALYZE, 'what this operation needs, not the catalogue');
  assert.ok(said.resource_metadata);
  const full = (await machineToken(w, machine, { scope: `${NEWS} ${ANALYZE}` })).body.access_token;
  assert.equal((await analyze(w, full)).status, 200);
  assert.equal((await getNews(w, small)).status, 200);
});

test('CHL-003 challenge injection', async () => {
  const tries = [
    { path: '/mcp"%0d%0aX-Evil:%201' },
    { path: '/mcp?x="%0d%0aX-Evil: 1'.replace(' ', '%20') },
    { headers: { host: 'evil.test"' } },
    { headers: { host: 'evil.test' } },
    { headers: { origin: 'https://evil.test", error="x' } },
  ];
  for (const { path: target, headers = {} } of tries) {
    const answer = await httpRaw(w.mcp, { method: 'POST', path: target, headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers }, body: '{"jsonrpc":"2.0","id":1,"method":"ping"}' });
    assert.ok(answer.status >= 400 && answer.status < 500, String(answer.status));
    assert.equal(answer.headers.get('x-evil'), null);
    assert.ok(!(answer.headers.get('www-authenticate') ?? '').includes('evil'), answer.headers.get('www-authenticate'));
  }
  const machine = await w.machineClient(NEWS);
  const bearer = (await machineToken(w, machine)).body.access_token;
  for (const name of ['x"\r\nX-Evil: 1', 'a, Bearer error="x"', 'get_news_sentiment"']) {
    const answer = await callTool(w.mcp, bearer, name, {});
    assert.equal(answer.headers.get('x-evil'), null);
    assert.ok(!(answer.headers.get('www-authenticate') ?? '').includes('Evil'));
    assert.ok(answer.status < 500);
  }
  await assertTaken(w.mcp, bearer);
});

test('CHL-004 protected resource metadata', async () => {
  const origin = new URL(w.mcp).origin;
  const inserted = await httpRaw(`${origin}/.well-known/oauth-protected-resource/mcp`);
  const steered = await httpRaw(`${origin}/.well-known/oauth-protected-resource/mcp`, { headers: { host: 'evil.test', 'x-forwarded-host': 'evil.test' } });
  const root = await httpRaw(`${origin}/.well-known/oauth-protected-resource`);
  for (const answer of [inserted, root]) {
    assert.equal(answer.status, 200, answer.text);
    assert.match(answer.headers.get('content-type'), /^application\/json/);
    assert.equal(answer.body.resource, w.mcp);
    assert.deepEqual(answer.body.authorization_servers, [w.issuer]);
    for (const scope of [NEWS, ANALYZE]) assert.ok(answer.body.scopes_supported.includes(scope));
    assert.deepEqual(answer.body.bearer_methods_supported, ['header']);
  }
  assert.ok([200, 400, 403, 421].includes(steered.status));
  assert.ok(!steered.text.includes('evil.test'));
  const unknown = await httpRaw(`${origin}/.well-known/oauth-protected-resource/other`);
  assert.equal(unknown.status, 404);
});

test('CHL-006 an MCP session is bound to the principal that opened it', async () => {
  const alice = await w.machineClient();
  const bob = await w.machineClient();
  const mine = (await machineToken(w, alice)).body.access_token;
  const theirs = (await machineToken(w, bob)).body.access_token;
  const opened = await mcpOpen(w.mcp, mine);
  assert.equal(opened.status, 200);
  if (!opened.session) return;
  const list = { jsonrpc: '2.0', id: 9, method: 'tools/list' };
  const foreign = await mcpPost(w.mcp, list, { bearer: theirs, headers: opened.headers });
  assert.equal(foreign.status, 404, 'as if it did not exist');
  const del = await read(await fetch(w.mcp, { method: 'DELETE', headers: { authorization: `Bearer ${theirs}`, ...opened.headers } }));
  assert.ok([403, 404, 405].includes(del.status), String(del.status));
  assert.equal((await mcpPost(w.mcp, list, { bearer: mine, headers: opened.headers })).status, 200);
});

test('bytes that are not a request do not stop the sample', async () => {
  for (const data of ['\0\0\r\n\r\n', `POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n`]) {
    const answer = await bytes(w.mcp, data, 1500);
    assert.match(answer, /^(HTTP\/1\.1 4\d\d|$)/);
  }
  const machine = await w.machineClient(NEWS);
  await assertTaken(w.mcp, (await machineToken(w, machine)).body.access_token);
});

test('a revoked access token', async () => {
  const client = await register(w);
  const tokens = await signIn(w, client);
  const answer = await post(w, 'revocation_endpoint', client, { token: tokens.access_token, token_type_hint: 'access_token' });
  assert.equal(answer.status, 200, answer.text);
});

beforeEach(() => {
  assert.ok(!w?.warder.exited && !w?.sample.exited, 'the servers still run');
});
