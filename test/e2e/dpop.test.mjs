// Tokens bound to a key of their client (DPoP, RFC 9449): at the authorization server, at the
// sample, and with clients that others wrote.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Client, DpopSession, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { assertTokenError, control } from './lib/attack.mjs';
import { Browser } from './lib/browser.mjs';
import { Authority, DocumentHost, trusting } from './lib/documents.mjs';
import { ath, newKey, now, proof } from './lib/dpop.mjs';
import { authorize, CALLBACK, challenge, claims, getNews, httpRaw, machineToken, mcpPost, read, redeem, refresh, register, signIn } from './lib/oauth.mjs';
import { Keeper, said } from './lib/sdk.mjs';
import { introspect, serviceClient } from './lib/tokens.mjs';
import { ANALYZE, BUILD, freePort, NEWS, PASSWORD, start, stop, World } from './lib/world.mjs';

const insecure = { [oauth.allowInsecureRequests]: true };
const PING = { jsonrpc: '2.0', id: 1, method: 'ping' };
const CALL = { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'get_news_sentiment', arguments: { ticker: 'ACME' } } };

const tokenUrl = (w) => w.metadata.token_endpoint;
const dpop = (value) => ({ headers: { dpop: value } });

/** A token of `key` from the token endpoint, by the code flow. */
async function boundSignIn(w, key, overrides = {}) {
  const client = await register(w);
  const granted = await authorize(w, client, overrides);
  const answer = await redeem(w, client, granted, {}, dpop(proof(key, tokenUrl(w))));
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.body.token_type, 'DPoP');
  assert.deepEqual(claims(answer.body.access_token).cnf, { jkt: key.jkt });
  return { client, ...answer.body };
}

/** A POST to the sample with a bound token and this proof (undefined: none). */
function ask(w, token, value, { scheme = 'DPoP', message = PING, headers = {} } = {}) {
  const all = { authorization: `${scheme} ${token}`, ...headers };
  if (value !== undefined) all.dpop = value;
  return mcpPost(w.mcp, message, { headers: all });
}

function assertDpopError(answer, error, note = '') {
  assert.equal(answer.status, 401, `${note} ${answer.status} ${answer.text}`);
  const said = challenge(answer.headers);
  assert.equal(said.scheme, 'DPoP', `${note} ${said.value}`);
  assert.equal(said.error, error, note);
  assert.match(said.algs, /ES256/);
  assert.match(said.resource_metadata, /oauth-protected-resource/);
}

async function mcpControl(w, key, token) {
  const answer = await ask(w, token, proof(key, w.mcp, { token }), { message: CALL });
  assert.equal(answer.status, 200, answer.text);
  assert.ok(!answer.body.result.isError, answer.text);
}

describe('as it comes', () => {
  let w;
  let key;
  before(async () => {
    w = await World.start();
    key = newKey();
  });
  after(() => w?.stop());

  test('both metadata documents say so, and the challenge offers both schemes', async () => {
    assert.deepEqual(w.metadata.dpop_signing_alg_values_supported, ['ES256', 'EdDSA', 'Ed25519', 'PS256']);
    const answer = await mcpPost(w.mcp, PING);
    assert.equal(answer.status, 401);
    assert.match(answer.headers.get('www-authenticate'), /^Bearer .*resource_metadata="[^"]+", DPoP .*algs="ES256 EdDSA Ed25519 PS256"$/);
    assert.match(answer.headers.get('access-control-expose-headers'), /DPoP-Nonce/);
    const said = challenge(answer.headers);
    const metadata = await (await fetch(said.resource_metadata)).json();
    assert.deepEqual(metadata.dpop_signing_alg_values_supported, ['ES256', 'EdDSA', 'Ed25519', 'PS256']);
    assert.equal(metadata.dpop_bound_access_tokens_required, undefined);
    const preflight = await fetch(w.mcp, { method: 'OPTIONS', headers: { origin: 'http://localhost:3000', 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization, dpop' } });
    assert.match(preflight.headers.get('access-control-allow-headers'), /DPoP/);
    assert.match(preflight.headers.get('access-control-allow-headers'), /Authorization/);
  });

  for (const alg of ['ES256', 'EdDSA', 'Ed25519', 'PS256']) {
    test(`a token bound to a key for ${alg} works with its proofs, and a bearer token beside it`, async () => {
      const own = newKey(alg);
      const { access_token: token } = await boundSignIn(w, own);
      await mcpControl(w, own, token);
      await mcpControl(w, own, token);
      const bearer = await control(w);
      assert.equal(bearer.token_type, 'Bearer');
      assert.equal(claims(bearer.access_token).cnf, undefined);
      assert.ok((await getNews(w, bearer.access_token)).body.result);
    });
  }

  test('a resource has two spellings, and a proxy may turn one into the other', async () => {
    const { access_token: token } = await boundSignIn(w, key);
    for (const [htu, status] of [[w.mcp, 200], [`${w.mcp}/`, 200], [`${w.mcp}//`, 401]]) {
      const answer = await ask(w, token, proof(key, htu, { token }));
      assert.equal(answer.status, status, `${htu}: ${answer.text}`);
    }
  });

  test('client credentials give a bound token, too', async () => {
    const machine = await w.machineClient();
    const answer = await machineToken(w, machine, { scope: NEWS }, dpop(proof(key, tokenUrl(w))));
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.body.token_type, 'DPoP');
    await mcpControl(w, key, answer.body.access_token);
  });

  test('ADP-002 a code that was asked for with dpop_jkt is redeemed with that key alone', async () => {
    const client = await register(w);
    const granted = await authorize(w, client, { dpop_jkt: key.jkt });
    assertTokenError(await redeem(w, client, granted, {}, dpop(proof(newKey(), tokenUrl(w)))), ['invalid_grant', 'invalid_dpop_proof']);
    assertTokenError(await redeem(w, client, granted), ['invalid_grant', 'invalid_dpop_proof']);
    const answer = await redeem(w, client, granted, {}, dpop(proof(key, tokenUrl(w))));
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(claims(answer.body.access_token).cnf, { jkt: key.jkt });
    for (const jkt of ['short', `${key.jkt}A`, key.jkt.replace(/^./, '+')]) {
      const { left } = await authorize(w, client, { dpop_jkt: jkt }, { browser: granted.browser });
      assert.equal(left.searchParams.get('error'), 'invalid_request', jkt);
    }
    await control(w, client);
  });

  test('ADP-003 the refresh token of a public client is bound to its key, and does not rotate', async () => {
    const { client, refresh_token: token } = await boundSignIn(w, key);
    assertTokenError(await refresh(w, client, token, {}, dpop(proof(newKey(), tokenUrl(w)))), 'invalid_grant');
    assertTokenError(await refresh(w, client, token), 'invalid_dpop_proof');
    const basic = { headers: { authorization: `Bearer ${token}` } };
    assertTokenError(await refresh(w, client, token, {}, basic), ['invalid_client', 'invalid_request', 'invalid_dpop_proof']);
    for (let i = 0; i < 3; i++) {
      const answer = await refresh(w, client, token, {}, dpop(proof(key, tokenUrl(w))));
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.body.token_type, 'DPoP');
      assert.equal(answer.body.refresh_token, undefined);
      assert.deepEqual(claims(answer.body.access_token).cnf, { jkt: key.jkt });
      await mcpControl(w, key, answer.body.access_token);
    }
    // From many processes at once, as real clients do: none is locked out, nothing forks.
    const racing = await Promise.all(Array.from({ length: 12 }, () => refresh(w, client, token, {}, dpop(proof(key, tokenUrl(w))))));
    for (const answer of racing) assert.equal(answer.status, 200, answer.text);
    const plain = await control(w);
    assert.ok(plain.refresh_token);
  });

  test('a confidential client may come with another key', async () => {
    const client = await register(w, { token_endpoint_auth_method: 'client_secret_basic' });
    const granted = await authorize(w, client);
    const first = await redeem(w, client, granted, {}, dpop(proof(key, tokenUrl(w))));
    assert.equal(first.status, 200, first.text);
    const other = newKey();
    const second = await refresh(w, client, first.body.refresh_token, {}, dpop(proof(other, tokenUrl(w))));
    assert.equal(second.status, 200, second.text);
    assert.ok(second.body.refresh_token);
    assert.deepEqual(claims(second.body.access_token).cnf, { jkt: other.jkt });
    await mcpControl(w, other, second.body.access_token);
  });

  test('a machine that an administrator bound gets no bearer token', async () => {
    const machine = await w.machineClient(NEWS, ['--dpop-bound']);
    assertTokenError(await machineToken(w, machine), 'invalid_dpop_proof');
    const answer = await machineToken(w, machine, {}, dpop(proof(key, tokenUrl(w))));
    assert.equal(answer.status, 200, answer.text);
    await mcpControl(w, key, answer.body.access_token);
  });

  test('a client that registered for bound tokens gets no others', async () => {
    const client = await register(w, { dpop_bound_access_tokens: true });
    assert.equal(client.dpop_bound_access_tokens, true);
    const granted = await authorize(w, client);
    assertTokenError(await redeem(w, client, granted), 'invalid_dpop_proof');
    const answer = await redeem(w, client, granted, {}, dpop(proof(key, tokenUrl(w))));
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.body.token_type, 'DPoP');
  });

  test('RDP-003 a bound token is no bearer token', async () => {
    const { access_token: token } = await boundSignIn(w, key);
    await mcpControl(w, key, token);
    assertDpopError(await ask(w, token, undefined, { scheme: 'Bearer' }), 'invalid_token');
    assertDpopError(await ask(w, token, proof(key, w.mcp, { token }), { scheme: 'Bearer' }), 'invalid_token');
    await mcpControl(w, key, token);
  });

  test('a bearer token is none of the scheme DPoP', async () => {
    const { access_token: token } = await control(w);
    assertDpopError(await ask(w, token, proof(key, w.mcp, { token })), 'invalid_token');
    assert.ok((await getNews(w, token)).body.result);
  });

  test('RDP-006 the htu is the configured URL, whatever the request says of its place', async () => {
    const { access_token: token } = await boundSignIn(w, key);
    const spoofed = { 'x-forwarded-host': 'evil.test', 'x-forwarded-proto': 'https', forwarded: 'host=evil.test;proto=https' };
    for (const htu of ['https://evil.test/mcp', 'http://localhost:1/mcp', `${new URL(w.mcp).origin}/internal`]) {
      assertDpopError(await ask(w, token, proof(key, htu, { token }), { headers: spoofed }), 'invalid_dpop_proof', htu);
    }
    const answer = await ask(w, token, proof(key, w.mcp, { token }), { headers: spoofed });
    assert.equal(answer.status, 200, answer.text);
    // The authorization server likewise.
    const machine = await w.machineClient();
    const bad = await machineToken(w, machine, {}, { headers: { dpop: proof(key, 'https://evil.test/token'), ...spoofed } });
    assertTokenError(bad, 'invalid_dpop_proof');
    const good = await machineToken(w, machine, {}, { headers: { dpop: proof(key, tokenUrl(w)), ...spoofed } });
    assert.equal(good.status, 200, good.text);
  });

  test('more scope is asked for in the scheme of the token', async () => {
    const { access_token: token } = await boundSignIn(w, key);
    const message = { ...CALL, params: { name: 'analyze_sentiment', arguments: { text: 'Profit rose.' } } };
    const answer = await ask(w, token, proof(key, w.mcp, { token }), { message });
    assert.equal(answer.status, 403, answer.text);
    const said = challenge(answer.headers);
    assert.equal(said.scheme, 'DPoP');
    assert.equal(said.error, 'insufficient_scope');
    assert.equal(said.scope, ANALYZE);
    await mcpControl(w, key, token);
  });

  test('a resource that takes bound tokens only gets no others, as JWT or as handle, and introspection says the key', async () => {
    const resource = 'https://bound.test/mcp';
    await w.addResource(resource, ['--binding', 'dpop', '--format', 'opaque']);
    const service = await serviceClient(w, resource);
    const client = await register(w);
    const granted = await authorize(w, client, { resource });
    assertTokenError(await redeem(w, client, granted), 'invalid_dpop_proof');
    const answer = await redeem(w, client, granted, {}, dpop(proof(key, tokenUrl(w))));
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.body.token_type, 'DPoP');
    const { body } = await introspect(w, service, answer.body.access_token);
    assert.equal(body.active, true);
    assert.equal(body.token_type, 'DPoP');
    assert.deepEqual(body.cnf, { jkt: key.jkt });
    await control(w, client);
  });

  test('the trail never holds a proof', async () => {
    const { client, refresh_token: token } = await boundSignIn(w, key);
    const value = proof(key, tokenUrl(w));
    assert.equal((await refresh(w, client, token, {}, dpop(value))).status, 200);
    assertTokenError(await refresh(w, client, token, {}, dpop(value)), 'invalid_dpop_proof');
    assert.match(w.auditText(), /dpop_replayed/);
    assert.ok(!w.auditText().includes(value.split('.')[2]));
    assert.ok(!w.warder.err.includes(value.split('.')[2]));
  });
});

// What an OpenID conformance suite tries of proofs, at both places that check them.
const good = () => ({});
const ACCEPTED = {
  'with an unknown claim': () => ({ claims: { content_digest: 'x', nested: { a: [1] } } }),
  'with an unknown header member': () => ({ header: { 'x-more': 1 } }),
  'with an htu that has a query': (url) => ({ claims: { htu: `${url}?a=b` } }),
  'with an htu that has a fragment': (url) => ({ claims: { htu: `${url}#top` } }),
  'with an htu whose host is in upper case': (url) => ({ claims: { htu: url.replace('http://127.0.0.1', 'HTTP://127.0.0.1') } }),
  'with an iat 10 seconds ago': () => ({ claims: { iat: now() - 10 } }),
  'with an iat 10 seconds ahead': () => ({ claims: { iat: now() + 10 } }),
  'with an iat that has a fraction': () => ({ claims: { iat: now() - 0.5 } }),
  'with nbf and exp around now': () => ({ claims: { nbf: now() - 5, exp: now() + 60 } }),
  'with a key that names use, alg and kid': (url, key) => ({ header: { jwk: { ...key.jwk, use: 'sig', alg: 'ES256', kid: 'k', key_ops: ['verify'] } } }),
};
const REFUSED = {
  'without typ': () => ({ header: { typ: undefined } }),
  'with the typ JWT': () => ({ header: { typ: 'JWT' } }),
  'without alg': () => ({ header: { alg: undefined } }),
  'with the alg none': () => ({ header: { alg: 'none' }, signature: '' }),
  'with the alg none and a signature': () => ({ header: { alg: 'none' } }),
  'with the alg HS256': () => ({ header: { alg: 'HS256' } }),
  'with another alg than the key is for': () => ({ header: { alg: 'EdDSA' } }),
  'without jwk': () => ({ header: { jwk: undefined } }),
  'with a private key in jwk': (url, key) => ({ header: { jwk: key.privateJwk } }),
  'with a symmetric key in jwk': () => ({ header: { jwk: { kty: 'oct', k: 'c2VjcmV0' } } }),
  'with another key in jwk': () => ({ header: { jwk: newKey().jwk } }),
  'with a URL of keys instead': () => ({ header: { jwk: undefined, jku: 'https://evil.test/keys' } }),
  'with a critical extension': () => ({ header: { crit: ['x'], x: 1 } }),
  'with a bad signature': () => ({ signature: Buffer.alloc(64, 1).toString('base64url') }),
  'with no signature': () => ({ signature: '' }),
  'without jti': () => ({ claims: { jti: undefined } }),
  'with an empty jti': () => ({ claims: { jti: '' } }),
  'with an overlong jti': () => ({ claims: { jti: 'a'.repeat(257) } }),
  'without htm': () => ({ claims: { htm: undefined } }),
  'with the htm PUT': () => ({ claims: { htm: 'PUT' } }),
  'with the htm post': () => ({ claims: { htm: 'post' } }),
  'without htu': () => ({ claims: { htu: undefined } }),
  'with another htu': () => ({ claims: { htu: 'https://other.test/mcp' } }),
  'with a longer path in htu': (url) => ({ claims: { htu: `${url}/more` } }),
  'without iat': () => ({ claims: { iat: undefined } }),
  'with an iat an hour ago': () => ({ claims: { iat: now() - 3600 } }),
  'with an iat in an hour': () => ({ claims: { iat: now() + 3600 } }),
  'with an iat in quotes': () => ({ claims: { iat: String(now()) } }),
  'with an exp that has passed': () => ({ claims: { exp: now() - 60 } }),
  'with an nbf ahead': () => ({ claims: { nbf: now() + 60 } }),
};
const BYTES = {
  'that is empty': () => '',
  'that is no JWS': () => 'not-a-proof',
  'of two proofs in one header': (value) => `${value}, ${value}`,
  'with a part more': (value) => `${value}.e30`,
  'with padding': (value) => `${value}=`,
};

describe('proofs, bent in each way', () => {
  let w;
  let machine;
  const key = newKey();
  before(async () => {
    w = await World.start();
    machine = await w.machineClient();
  });
  after(() => w?.stop());

  const places = {
    'the token endpoint': {
      url: () => tokenUrl(w),
      async send(make, { token, twice } = {}) {
        const headers = new Headers({ authorization: `Basic ${Buffer.from(`${machine.client_id}:${machine.client_secret}`).toString('base64')}` });
        const answer = await httpRaw(tokenUrl(w), {
          method: 'POST', body: String(new URLSearchParams({ grant_type: 'client_credentials', resource: w.mcp })),
          headers: { ...Object.fromEntries(headers), 'content-type': 'application/x-www-form-urlencoded', [twice === 'upper' ? 'DPOP' : 'DPoP']: make() },
        });
        return { answer, good: answer.status === 200, error: answer.body?.error, bad: answer.status === 400 };
      },
    },
    'the protected server': {
      url: () => w.mcp,
      token: true,
      async send(make, { token, twice } = {}) {
        const answer = await httpRaw(w.mcp, {
          method: 'POST', body: JSON.stringify(PING),
          headers: { authorization: `DPoP ${token}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream', [twice === 'upper' ? 'DPOP' : 'DPoP']: make() },
        });
        return { answer, good: answer.status === 200, error: challenge(answer.headers).error, bad: answer.status === 401 };
      },
    },
  };

  for (const [place, at] of Object.entries(places)) {
    describe(place, () => {
      let token;
      before(async () => ({ access_token: token } = await boundSignIn(w, key)));
      const make = (bend) => proof(key, at.url(), { token: at.token ? token : undefined, ...bend(at.url(), key) });
      const mustBe = async (value, wanted, options = {}) => {
        const { answer, good: taken, bad, error } = await at.send(() => value, { token, ...options });
        assert.ok(wanted ? taken : bad, `${answer.status} ${answer.text}`);
        if (!wanted) assert.equal(error, 'invalid_dpop_proof', answer.text);
      };

      for (const [name, bend] of Object.entries(ACCEPTED)) {
        test(`RDP-002 a proof ${name} is accepted`, () => mustBe(make(bend), true));
      }
      test('RDP-002 a header in upper case is accepted', () => mustBe(make(good), true, { twice: 'upper' }));
      for (const [name, bend] of Object.entries(REFUSED)) {
        test(`a proof ${name} is refused`, () => mustBe(make(bend), false));
      }
      for (const [name, change] of Object.entries(BYTES)) {
        test(`a header ${name} is refused`, () => mustBe(change(make(good)), false));
      }
      test('two headers are refused', () => mustBe([make(good), make(good)], false));
      test('an RS256 proof is refused', () => {
        const rsa = newKey('RS256');
        return mustBe(proof(rsa, at.url(), { token: at.token ? token : undefined }), false);
      });
      test('a jti counts once', async () => {
        const value = make(good);
        await mustBe(value, true);
        await mustBe(value, false);
        const jti = randomUUID();
        await mustBe(make(() => ({ claims: { jti } })), true);
        await mustBe(make(() => ({ claims: { jti } })), false);
      });
      if (at.token) {
        test('a proof without ath is refused', () => mustBe(make(() => ({ claims: { ath: undefined } })), false));
        test('a proof with another ath is refused', () => mustBe(make(() => ({ claims: { ath: ath('other') } })), false));
        test('a proof with the ath of the token without its last character is refused', () => mustBe(make(() => ({ claims: { ath: ath(token.slice(0, -1)) } })), false));
        test('a proof of another key is refused', async () => {
          assertDpopError(await ask(w, token, proof(newKey(), w.mcp, { token })), 'invalid_token');
        });
        test('no proof is refused', async () => assertDpopError(await ask(w, token, undefined), 'invalid_dpop_proof'));
        test('RDP-002 the scheme is accepted in any case', async () => {
          for (const scheme of ['dpop', 'DPOP', 'dPoP']) {
            assert.equal((await ask(w, token, proof(key, w.mcp, { token }), { scheme })).status, 200, scheme);
          }
        });
        test('a proof for another method is refused', async () => {
          const answer = await read(await fetch(w.mcp, { method: 'DELETE', headers: { authorization: `DPoP ${token}`, dpop: proof(key, w.mcp, { token }) } }));
          assertDpopError(answer, 'invalid_dpop_proof');
        });
      }
      test('after all of that a good proof is accepted', async () => {
        await mustBe(make(good), true);
        await mcpControl(w, key, token);
      });
    });
  }
});

describe('with nonces', () => {
  let w;
  let other;
  const key = newKey();
  before(async () => {
    w = await World.start({ env: { WARDER_DPOP_NONCE: 'true' }, sampleArgs: ['--dpop-nonce', 'on', '--dpop', 'required'] });
    other = await World.start({ sample: false, env: { WARDER_DPOP_NONCE: 'true' } });
  });
  after(async () => {
    await w?.stop();
    await other?.stop();
  });

  const nonceOf = (answer) => answer.headers.get('dpop-nonce');

  test('ADP-004 the server asks for its nonce, and takes no other', async () => {
    const machine = await w.machineClient();
    const send = (nonce) => machineToken(w, machine, {}, dpop(proof(key, tokenUrl(w), { nonce })));
    const first = await send(undefined);
    assert.equal(first.status, 400);
    assert.equal(first.body.error, 'use_dpop_nonce');
    assert.match(nonceOf(first), /^[A-Za-z0-9_-]{20,}$/);
    for (const stale of ['', 'made-up', nonceOf(first).slice(0, -2), `${nonceOf(first)}AA`]) {
      const answer = await send(stale);
      assert.equal(answer.body.error, 'use_dpop_nonce', stale);
      assert.ok(nonceOf(answer));
    }
    const machineElsewhere = await other.machineClient();
    const elsewhere = await machineToken(other, machineElsewhere, {}, dpop(proof(key, tokenUrl(other))));
    assert.ok(nonceOf(elsewhere));
    assert.equal((await send(nonceOf(elsewhere))).body.error, 'use_dpop_nonce', 'of another server');
    const answer = await send(nonceOf(first));
    assert.equal(answer.status, 200, answer.text);
    assert.ok(nonceOf(answer), 'the next one comes along');
    assert.equal((await send(nonceOf(answer))).status, 200);
    // One who brings no proof is not asked for a nonce, and a bad proof gets its own error.
    assert.equal((await machineToken(w, machine)).status, 200);
    assertTokenError(await machineToken(w, machine, {}, dpop(proof(key, 'https://evil.test/'))), 'invalid_dpop_proof');
  });

  test('the protected server has nonces of its own', async () => {
    const { access_token: token, nonce } = await boundByOauth(w, key);
    const first = await ask(w, token, proof(key, w.mcp, { token }));
    assertDpopError(first, 'use_dpop_nonce');
    assert.match(first.headers.get('access-control-expose-headers'), /DPoP-Nonce/);
    assertDpopError(await ask(w, token, proof(key, w.mcp, { token, nonce })), 'use_dpop_nonce', 'that of the authorization server');
    const answer = await ask(w, token, proof(key, w.mcp, { token, nonce: nonceOf(first) }));
    assert.equal(answer.status, 200, answer.text);
    assert.ok(nonceOf(answer), 'the next one comes along');
    assert.equal((await ask(w, token, proof(key, w.mcp, { token, nonce: nonceOf(answer) }))).status, 200);
  });

  test('where bound tokens are required, bearer tokens are refused and the metadata says so', async () => {
    const { access_token: token } = await signIn(w, await register(w));
    assertDpopError(await ask(w, token, undefined, { scheme: 'Bearer' }), 'invalid_token');
    const answer = await mcpPost(w.mcp, PING);
    const said = challenge(answer.headers);
    assert.equal(said.scheme, 'DPoP');
    assert.equal(said.error, undefined);
    assert.equal(said.scope, NEWS);
    const metadata = await (await fetch(said.resource_metadata)).json();
    assert.equal(metadata.dpop_bound_access_tokens_required, true);
  });

  test('SDK v2: sign-in, calls and a refresh with a bound token, nonces on both sides', async () => {
    await sdkFlow(w);
  });

  test('oauth4webapi: code flow, refresh and calls with nonces', async () => {
    await oauthFlow(w);
  });

  test('openid-client: code flow, refresh, client credentials and calls with nonces', async () => {
    await openidFlow(w);
  });
});

async function boundByOauth(w, key) {
  const client = await register(w);
  const granted = await authorize(w, client);
  const first = await redeem(w, client, granted, {}, dpop(proof(key, tokenUrl(w))));
  assert.equal(first.body.error, 'use_dpop_nonce', first.text);
  const nonce = first.headers.get('dpop-nonce');
  const answer = await redeem(w, client, granted, {}, dpop(proof(key, tokenUrl(w), { nonce })));
  assert.equal(answer.status, 200, answer.text);
  return { ...answer.body, nonce };
}

async function sdkFlow(w) {
  const keeper = new Keeper();
  const session = DpopSession.create();
  keeper.dpop = () => session;
  const connect = async () => {
    const transport = new StreamableHTTPClientTransport(new URL(w.mcp), { authProvider: keeper });
    return { transport, client: new Client({ name: 'e2e', version: '1.0.0' }) };
  };
  const first = await connect();
  await assert.rejects(first.client.connect(first.transport), UnauthorizedError);
  const left = await new Browser(w.base).authorize(keeper.asked, { user: 'alice', password: PASSWORD });
  await first.transport.finishAuth(left.searchParams);
  assert.equal(keeper.kept.token_type.toLowerCase(), 'dpop');
  assert.ok(claims(keeper.kept.access_token).cnf.jkt);
  const { transport, client } = await connect();
  await client.connect(transport);
  const result = await client.callTool(CALL.params);
  assert.ok(!result.isError, JSON.stringify(result));
  assert.ok(said(result));
  // A refused token is refreshed with the same key; the refresh token is kept.
  const kept = keeper.kept.refresh_token;
  keeper.spoilAccessToken();
  keeper.asked = undefined;
  assert.ok(!(await client.callTool(CALL.params)).isError);
  assert.equal(keeper.asked, undefined, 'nobody was asked again');
  assert.equal(keeper.kept.refresh_token, kept);
  const stolen = await ask(w, keeper.kept.access_token, undefined, { scheme: 'Bearer' });
  assert.equal(stolen.status, 401);
  await client.close();
}


async function oauthFlow(w) {
  const issuer = new URL(w.issuer);
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }));
  const client = await register(w);
  const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'));
  const options = { DPoP, ...insecure };
  const jkt = await DPoP.calculateThumbprint();
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const url = new URL(as.authorization_endpoint);
  url.search = new URLSearchParams({
    client_id: client.client_id, redirect_uri: CALLBACK, response_type: 'code', scope: NEWS, state, resource: w.mcp,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', dpop_jkt: jkt,
  });
  const left = await new Browser(w.base).authorize(url, { user: 'alice', password: PASSWORD });
  const parameters = oauth.validateAuthResponse(as, client, left, state);
  const redeemOnce = async () => oauth.processAuthorizationCodeResponse(as, client,
    await oauth.authorizationCodeGrantRequest(as, client, oauth.None(), parameters, CALLBACK, verifier, options));
  const again = (once) => once().catch((error) => (oauth.isDPoPNonceError(error) ? once() : Promise.reject(error)));
  const tokens = await again(redeemOnce);
  assert.equal(tokens.token_type, 'dpop');
  assert.deepEqual(claims(tokens.access_token).cnf, { jkt });
  const call = (token) => oauth.protectedResourceRequest(token, 'POST', new URL(w.mcp),
    new Headers({ 'content-type': 'application/json', accept: 'application/json, text/event-stream' }), JSON.stringify(CALL), options);
  assert.equal((await again(() => call(tokens.access_token))).status, 200);
  const refreshed = await again(async () => oauth.processRefreshTokenResponse(as, client,
    await oauth.refreshTokenGrantRequest(as, client, oauth.None(), tokens.refresh_token, options)));
  assert.equal(refreshed.token_type, 'dpop');
  assert.equal(refreshed.refresh_token, undefined);
  assert.equal((await again(() => call(refreshed.access_token))).status, 200);
  // Another key has nothing of it.
  const thief = { DPoP: oauth.DPoP(client, await oauth.generateKeyPair('ES256')), ...insecure };
  await assert.rejects(again(async () => oauth.processRefreshTokenResponse(as, client,
    await oauth.refreshTokenGrantRequest(as, client, oauth.None(), tokens.refresh_token, thief))), { error: 'invalid_grant' });
  await assert.rejects(again(() => oauth.protectedResourceRequest(tokens.access_token, 'POST', new URL(w.mcp),
    new Headers({ 'content-type': 'application/json' }), JSON.stringify(CALL), thief)), (error) => error.status === 401);
  assert.equal((await again(() => call(refreshed.access_token))).status, 200);
}

async function openidFlow(w) {
  const registered = await register(w);
  const execute = { execute: [openid.allowInsecureRequests], algorithm: 'oauth2' };
  const config = await openid.discovery(new URL(w.issuer), registered.client_id, undefined, openid.None(), execute);
  const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'));
  const verifier = openid.randomPKCECodeVerifier();
  const state = openid.randomState();
  const url = openid.buildAuthorizationUrl(config, {
    redirect_uri: CALLBACK, scope: NEWS, state, resource: w.mcp, dpop_jkt: await DPoP.calculateThumbprint(),
    code_challenge: await openid.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  });
  const left = await new Browser(w.base).authorize(url, { user: 'alice', password: PASSWORD });
  const tokens = await openid.authorizationCodeGrant(config, left, { pkceCodeVerifier: verifier, expectedState: state }, undefined, { DPoP });
  assert.equal(tokens.token_type, 'dpop');
  const call = (token, handle) => openid.fetchProtectedResource(config, token, new URL(w.mcp), 'POST', JSON.stringify(CALL),
    new Headers({ 'content-type': 'application/json', accept: 'application/json, text/event-stream' }), { DPoP: handle });
  assert.equal((await call(tokens.access_token, DPoP)).status, 200);
  const refreshed = await openid.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
  assert.equal(refreshed.token_type, 'dpop');
  assert.equal((await call(refreshed.access_token, DPoP)).status, 200);
  const machine = await w.machineClient();
  const own = await openid.discovery(new URL(w.issuer), machine.client_id, undefined, openid.ClientSecretBasic(machine.client_secret), execute);
  const ownDPoP = openid.getDPoPHandle(own, await openid.randomDPoPKeyPair('Ed25519'));
  const machineTokens = await openid.clientCredentialsGrant(own, { resource: w.mcp, scope: NEWS }, { DPoP: ownDPoP });
  assert.equal(machineTokens.token_type, 'dpop');
}

describe('without nonces', () => {
  let w;
  before(async () => (w = await World.start()));
  after(() => w?.stop());

  test('SDK v2: sign-in, calls and a refresh with a bound token', () => sdkFlow(w));
  test('oauth4webapi: code flow, refresh and calls', () => oauthFlow(w));
  test('openid-client: code flow, refresh, client credentials and calls', () => openidFlow(w));
});

test('a client whose document asks for bound tokens gets no others', async () => {
  const authority = new Authority();
  const host = await DocumentHost.start(authority);
  const w = await World.start({ sample: false, env: trusting(authority, host) });
  try {
    const key = newKey();
    const client = host.publish('/bound.json', { dpop_bound_access_tokens: true });
    const granted = await authorize(w, client);
    assertTokenError(await redeem(w, client, granted), 'invalid_dpop_proof');
    const answer = await redeem(w, client, granted, {}, dpop(proof(key, tokenUrl(w))));
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.body.token_type, 'DPoP');
  } finally {
    await w.stop();
    await host.stop();
    authority.stop();
  }
});

test('RDP-004 a resource without DPoP refuses bound tokens as well', async () => {
  const w = await World.start({ sampleArgs: ['--dpop', 'off'] });
  try {
    const key = newKey();
    const { access_token: token } = await boundSignIn(w, key);
    const answer = await ask(w, token, undefined, { scheme: 'Bearer' });
    assert.equal(answer.status, 401);
    assert.equal(challenge(answer.headers).scheme, 'Bearer');
    assert.equal(challenge(answer.headers).error, 'invalid_token');
    assert.equal((await ask(w, token, proof(key, w.mcp, { token }))).status, 401);
    const plain = await control(w);
    assert.ok((await getNews(w, plain.access_token)).body.result);
  } finally {
    await w.stop();
  }
});

test('ADP-005 when no further proof can be remembered, proofs are refused, and never unchecked', async () => {
  const ROOM = 200;
  const w = await World.start({ sample: false, env: { WARDER_SPENT_MAX: String(ROOM) } });
  try {
    const key = newKey();
    const machine = await w.machineClient();
    const send = (value) => machineToken(w, machine, {}, dpop(value));
    const first = proof(key, tokenUrl(w));
    assert.equal((await send(first)).status, 200);
    let taken = 1;
    let refused = 0;
    for (let i = 0; i < ROOM + 50; i++) {
      const answer = await send(proof(key, tokenUrl(w)));
      taken += answer.status === 200;
      refused += answer.status === 503;
    }
    assert.equal(taken, ROOM);
    assert.equal(refused, 51);
    const replay = await send(first);
    assert.notEqual(replay.status, 200, 'a replay is not let through');
    assert.equal((await machineToken(w, machine)).status, 200, 'who brings no proof is not held up');
  } finally {
    await w.stop();
  }
});

test('RDP-006 behind a gateway the htu is the public URL, never the one that was asked inside', async () => {
  const issuer = 'https://auth.example.test';
  const w = await World.start({ sample: false, env: { WARDER_PUBLIC_URL: issuer } });
  const resource = 'https://mcp.example.test/mcp';
  try {
    const key = newKey();
    const machine = await w.machineClient();
    const send = (htu) => machineToken(w, machine, {}, { headers: { dpop: proof(key, htu), 'x-forwarded-host': 'auth.example.test' } });
    assertTokenError(await send(`${w.base}/token`), 'invalid_dpop_proof');
    assert.equal((await send(`${issuer}/token`)).status, 200);
  } finally {
    await w.stop();
  }
  const v = await World.start({ sample: false });
  let inside;
  try {
    const key = newKey();
    await v.addResource(resource);
    const port = await freePort();
    inside = await start(path.join(BUILD, 'finance-sentiment'), ['--listen', `127.0.0.1:${port}`, '--issuer', v.issuer,
      '--resource', resource, '--data', path.join(v.data, 'inside'), '--dpop', 'required'], { data: v.data });
    const machine = await v.machineClient();
    const { body } = await machineToken(v, machine, { resource, scope: NEWS }, dpop(proof(key, tokenUrl(v))));
    const at = `http://127.0.0.1:${port}/mcp`;
    const send = (htu, headers = {}) => mcpPost(at, PING, {
      headers: { authorization: `DPoP ${body.access_token}`, dpop: proof(key, htu, { token: body.access_token }), ...headers },
    });
    const forged = { 'x-forwarded-host': 'evil.test', 'x-forwarded-proto': 'https', forwarded: 'host=evil.test;proto=https' };
    assertDpopError(await send(at), 'invalid_dpop_proof', 'the inner URL');
    assertDpopError(await send('https://evil.test/mcp', forged), 'invalid_dpop_proof', 'a forged place');
    const answer = await send(resource, forged);
    assert.equal(answer.status, 200, answer.text);
  } finally {
    if (inside) await stop(inside);
    await v.stop();
  }
});

test('where bound tokens are required of all, a proof is asked of all', async () => {
  const w = await World.start({ sample: false, env: { WARDER_DPOP: 'required' } });
  try {
    const key = newKey();
    const machine = await w.machineClient();
    assertTokenError(await machineToken(w, machine), 'invalid_dpop_proof');
    const answer = await machineToken(w, machine, {}, dpop(proof(key, tokenUrl(w))));
    assert.equal(answer.status, 200, answer.text);
  } finally {
    await w.stop();
  }
});
