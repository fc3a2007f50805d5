// Several nodes behind a load balancer that never sticks, over one store: each flow takes its steps at
// nodes in turn, and what one node did counts at the others. E2E_KINDS picks some.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { assertTokenError } from './lib/attack.mjs';
import { Browser, consentForm, loginForm } from './lib/browser.mjs';
import { newKey, proof } from './lib/dpop.mjs';
import { CALL, startEcho } from './lib/echo.mjs';
import { Gateway, USE } from './lib/gateway.mjs';
import { KINDS, skipOf } from './lib/kinds.mjs';
import { authorizeUrl, goodRequest, httpRaw, jose, machineToken, post, redeem, refresh, register, signIn, token } from './lib/oauth.mjs';
import { introspect, isActive, revoke, serviceClient } from './lib/tokens.mjs';
import { PASSWORD, sleep } from './lib/world.mjs';

const BOUND_MS = 2000; // a revocation counts everywhere by then, docs/REVOCATION.md
const CACHE_AGE_S = 1;
const ROTATIONS = Number(process.env.E2E_NODE_ROTATIONS ?? 1);
const REFETCH_MS = 10_000; // a gateway asks for keys that it does not know once in that time
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';
const URN = 'urn:ietf:params:oauth:request_uri:';

const ENV = {
  WARDER_AUDIT_CHECKPOINT_INTERVAL: '1',
  WARDER_DPOP_NONCE: 'true', WARDER_KEY_SET_CACHE_AGE: String(CACHE_AGE_S), WARDER_REFRESH_GRACE: '0',
  WARDER_DEVICE_ATTEMPTS_PER_MINUTE: '10000', WARDER_REGISTRATION: 'open', WARDER_DPOP_REPLAY: 'store',
};

/** A call of a tool at one node's gateway, past the front. */
async function callAt(w, node, bearer, { scheme = 'Bearer', headers = {} } = {}) {
  return httpRaw(`${node.base}/mcp`, {
    method: 'POST',
    headers: {
      host: new URL(w.base).host, authorization: `${scheme} ${bearer}`, 'content-type': 'application/json',
      accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-11-25', ...headers,
    },
    body: JSON.stringify(CALL),
  });
}

async function callEverywhere(w, bearer, options) {
  for (const node of w.nodes) {
    const answer = await callAt(w, node, bearer, options);
    assert.equal(answer.status, 200, answer.text);
  }
}

/** The world as it is seen through one node alone. */
const through = (w, node) => Object.assign(Object.create(w), { base: node.base });

const SCOPE = { scope: USE };
const enter = (w, client, options) => signIn(w, client, SCOPE, options);

async function untilRefused(w, node, bearer, since) {
  for (;;) {
    const sent = performance.now();
    const answer = await callAt(w, node, bearer);
    if (answer.status === 401) return;
    assert.equal(answer.status, 200, answer.text);
    assert.ok(sent - since <= BOUND_MS, `taken ${Math.round(sent - since)} ms after its end`);
    await sleep(50);
  }
}

const FLOWS = {
  'a registration that is its own id is known at every node': async (w) => {
    for (const metadata of [{}, { token_endpoint_auth_method: 'client_secret_basic' }]) {
      const client = await register(w, metadata);
      for (const node of w.nodes) {
        const at = await new Browser(w.base).get(authorizeUrl(through(w, node), goodRequest(w, client, SCOPE).parameters));
        assert.equal(at.status, 200, at.text);
        assert.ok(loginForm(at.page));
      }
    }
  },

  'login, consent, code and refresh over nodes in turn; what is spent at one is spent at all': async (w) => {
    const client = await register(w);
    const browser = new Browser(w.base);
    const tokens = await enter(w, client, { browser });
    for (const node of w.nodes) assertTokenError(await redeem(through(w, node), client, tokens.granted), 'invalid_grant');
    const second = await enter(w, client, { browser });
    let last = second.refresh_token;
    for (const node of [...w.nodes, ...w.nodes]) {
      const answer = await refresh(through(w, node), client, last);
      assert.equal(answer.status, 200, answer.text);
      last = answer.body.refresh_token;
    }
    assertTokenError(await refresh(through(w, w.nodes.at(-1)), client, second.refresh_token), 'invalid_grant');
    assertTokenError(await refresh(through(w, w.nodes[0]), client, last), 'invalid_grant');
  },

  'a request that was pushed to one node is answered at another, once': async (w) => {
    const client = await register(w);
    const { verifier, parameters } = goodRequest(w, client, SCOPE);
    const { client_id: id, ...rest } = parameters;
    const answer = await post(w, 'pushed_authorization_request_endpoint', client, rest);
    assert.equal(answer.status, 201, answer.text);
    assert.ok(answer.body.request_uri.startsWith(URN));
    const url = authorizeUrl(w, { client_id: id, request_uri: answer.body.request_uri });
    const browser = new Browser(w.base);
    const left = await browser.authorize(url, { user: 'alice', password: PASSWORD, approve: true });
    const tokens = await redeem(w, client, { code: left.searchParams.get('code'), verifier, parameters });
    assert.equal(tokens.status, 200, tokens.text);
    for (const node of w.nodes) {
      const again = await browser.get(authorizeUrl(through(w, node), { client_id: id, request_uri: answer.body.request_uri }));
      assert.equal(again.left, undefined);
      assert.equal(again.status, 400, again.text);
    }
  },

  'who signs out at one node is out at all': async (w) => {
    const browser = new Browser(w.base);
    const client = await register(w);
    await enter(w, client, { browser });
    const page = (await browser.get(`${w.base}/logout`)).page;
    const out = await browser.submit(page.forms.find((form) => form.action.endsWith('/logout')));
    assert.equal(out.status, 200);
    for (const node of w.nodes) {
      const at = await browser.get(authorizeUrl(through(w, node), goodRequest(w, client, SCOPE).parameters));
      assert.ok(loginForm(at.page), 'asked for the password');
    }
  },

  'calls go through the gateway of every node in turn': async (w) => {
    const tokens = await enter(w, await register(w));
    for (let i = 0; i < 3; i++) await callEverywhere(w, tokens.access_token);
  },
};

// With clients and resources that commands beside the nodes make.
const COMMANDED = {
  'a device polls at one node, a person approves at another': async (w) => {
    const one = await w.addClient(['--name', 'Living room', '--grant', 'device_code', '--grant', 'refresh_token', '--public']);
    const client = { ...one, token_endpoint_auth_method: 'none' };
    const asked = await post(w, 'device_authorization_endpoint', client, { ...SCOPE, resource: w.mcp });
    assert.equal(asked.status, 200, asked.text);
    const poll = (node) => token(through(w, node), client, { grant_type: DEVICE, device_code: asked.body.device_code });
    assertTokenError(await poll(w.nodes[0]), 'authorization_pending');
    const browser = new Browser(w.base);
    let at = await browser.get(asked.body.verification_uri_complete);
    at = await browser.submit(at.page.forms.find((form) => form.fields.some((field) => field.name === 'user_code')));
    if (loginForm(at.page)) at = await browser.login(at.page, 'alice', PASSWORD);
    assert.ok(consentForm(at.page), at.text);
    await browser.decide(at.page);
    const tokens = await poll(w.nodes.at(-1));
    assert.equal(tokens.status, 200, tokens.text);
    for (const node of w.nodes) assertTokenError(await poll(node), 'invalid_grant');
  },

  'the nonce of one node is taken at another, a proof only once among all': async (w) => {
    const key = newKey();
    const machine = await w.machineClient(USE);
    const send = (node, value) => machineToken(through(w, node), machine, {}, { headers: { dpop: value } });
    const first = await send(w.nodes[0], proof(key, w.metadata.token_endpoint));
    assertTokenError(first, 'use_dpop_nonce');
    const nonce = first.headers.get('dpop-nonce');
    const value = proof(key, w.metadata.token_endpoint, { nonce });
    const bound = await send(w.nodes[1], value);
    assert.equal(bound.status, 200, bound.text);
    for (const node of w.nodes) assertTokenError(await send(node, value), 'invalid_dpop_proof');
    const bearer = bound.body.access_token;
    const asked = await callAt(w, w.nodes[0], bearer, { scheme: 'DPoP', headers: { dpop: proof(key, w.mcp, { token: bearer }) } });
    const own = asked.headers.get('dpop-nonce') ?? undefined;
    for (const node of w.nodes) {
      const answer = await callAt(w, node, bearer, { scheme: 'DPoP', headers: { dpop: proof(key, w.mcp, { token: bearer, nonce: own }) } });
      assert.equal(answer.status, 200, answer.text);
    }
    const once = proof(key, w.mcp, { token: bearer, nonce: own });
    const call = (node) => callAt(w, node, bearer, { scheme: 'DPoP', headers: { dpop: once } });
    assert.equal((await call(w.nodes[0])).status, 200);
    for (const node of w.nodes) {
      const answer = await call(node);
      assert.equal(answer.status, 401, answer.text);
      assert.match(answer.headers.get('www-authenticate'), /invalid_dpop_proof/);
    }
  },

  'what is revoked at one node ends at the gateway of every other, and in introspection at once': async (w) => {
    const service = await serviceClient(w, w.mcp);
    const client = await register(w);
    const browser = new Browser(w.base);
    for (const what of ['access_token', 'refresh_token']) {
      const tokens = await enter(w, client, { browser });
      await callEverywhere(w, tokens.access_token);
      for (const node of w.nodes) assert.equal(await isActive(through(w, node), service, tokens.access_token), true);
      assert.equal((await revoke(through(w, w.nodes[0]), client, tokens[what])).status, 200);
      const since = performance.now();
      for (const node of w.nodes) assert.equal(await isActive(through(w, node), service, tokens.access_token), false);
      await Promise.all(w.nodes.map((node) => untilRefused(w, node, tokens.access_token, since)));
    }
  },

  'opaque tokens are known at every node, and end at every node': async (w) => {
    const uri = 'https://opaque.test/mcp';
    await w.cli(['admin', 'resource', 'add', '--uri', uri, '--scope', `${USE}=Use`, '--format', 'opaque']);
    const service = await serviceClient(w, uri);
    const client = await register(w);
    const tokens = await signIn(w, client, { ...SCOPE, resource: uri });
    for (const node of w.nodes) assert.equal((await introspect(through(w, node), service, tokens.access_token)).body.username, 'alice');
    await revoke(through(w, w.nodes[1]), client, tokens.access_token);
    for (const node of w.nodes) assert.equal(await isActive(through(w, node), service, tokens.access_token), false);
  },

  'commands beside the nodes count at all of them from the next request on': async (w) => {
    await w.addUser('carol');
    const client = await register(w);
    const tokens = await signIn(w, client, SCOPE, { user: 'carol' });
    const machine = await w.machineClient(USE);
    for (const node of w.nodes) assert.equal((await machineToken(through(w, node), machine)).status, 200);
    await w.cli(['admin', 'client', 'delete', machine.client_id]);
    for (const node of w.nodes) assertTokenError(await machineToken(through(w, node), machine), 'invalid_client');
    await w.cli(['admin', 'user', 'disable', 'carol']);
    const since = performance.now();
    for (const node of w.nodes) assertTokenError(await refresh(through(w, node), client, tokens.refresh_token), 'invalid_grant');
    await Promise.all(w.nodes.map((node) => untilRefused(w, node, tokens.access_token, since)));
  },

  'keys rotate while all nodes serve: no token fails at any': async (w) => {
    // Nodes with clocks of their own wait half a minute longer before they sign with a new key.
    if (w.store.WARDER_STORE === 'postgres' && !process.env.E2E_LONG) return 'it takes half a minute; with E2E_LONG alone';
    const machine = await w.machineClient(USE);
    const keys = createRemoteJWKSet(new URL(w.metadata.jwks_uri), { cacheMaxAge: CACHE_AGE_S * 1000, cooldownDuration: 3_600_000 });
    const seen = new Set();
    let turn = 0;
    let ends = false;
    const loop = async () => {
      while (!ends) {
        const answer = await machineToken(through(w, w.nodes[turn++ % w.nodes.length]), machine);
        assert.equal(answer.status, 200, answer.text);
        const bearer = answer.body.access_token;
        seen.add(jose(bearer).kid);
        await jwtVerify(bearer, keys, { issuer: w.issuer, audience: w.mcp, typ: 'at+jwt' });
        await callEverywhere(w, bearer);
      }
    };
    const loops = Promise.all([loop(), loop()]);
    loops.catch(() => (ends = true));
    while (seen.size === 0 && !ends) await sleep(5);
    for (let i = 0; i < ROTATIONS && !ends; i++) {
      const before_ = seen.size;
      if (i > 0) await sleep(REFETCH_MS);
      await w.cli(['admin', 'key', 'rotate']);
      for (const until = Date.now() + 50_000; seen.size === before_ && !ends; await sleep(20)) assert.ok(Date.now() < until, 'the new key does not sign');
    }
    ends = true;
    await loops;
    assert.ok(seen.size > ROTATIONS, `${seen.size} keys signed`);
  },
};

for (const [name, kind] of Object.entries(KINDS)) {
  describe(`nodes over ${name}`, { skip: skipOf(name) }, () => {
    let w;
    let echo;
    before(async () => {
      echo = await startEcho();
      w = await Gateway.start({ upstream: echo.url, env: ENV, ...kind });
    });
    after(async () => {
      await w?.stop();
      echo?.close();
    });

    // No command reaches the memory of another process.
    const flows = kind.store === 'memory' ? FLOWS : { ...FLOWS, ...COMMANDED };
    for (const [title, flow] of Object.entries(flows)) test(title, { timeout: 120_000 }, async (t) => {
      const skipped = await flow(w);
      if (skipped) t.skip(skipped);
    });

    test('every trail verifies, and no node was left out', async () => {
      assert.deepEqual(await w.faultsOfTrails(), []);
      assert.equal(w.front?.counts.failed ?? 0, 0, w.front?.fault);
    });
  });
}
