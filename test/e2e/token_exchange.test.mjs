// Token exchange (RFC 8693): a protected server calls the next one for the person that called it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { assertTokenError, control } from './lib/attack.mjs';
import { claims, getNews, machineToken, mcpPost, register, registerRaw, signIn } from './lib/oauth.mjs';
import { ACCESS_TOKEN, HTTP, TOKEN_EXCHANGE, discover, exchange, introspect, isActive, openidClient, revoke, serviceClient } from './lib/tokens.mjs';
import { ANALYZE, NEWS, World, sleep } from './lib/world.mjs';

const FRONT = 'https://front.test/mcp'; // what the person's client calls; its server calls the sample
const BACK = 'https://back.test/mcp'; // and the sample's server calls this one

let w;
let front; // the server of FRONT
let middle; // the server of the sample's resource
let back; // the server of BACK
before(async () => {
  w = await World.start();
  await w.addResource(FRONT);
  await w.cli(['admin', 'resource', 'add', '--uri', BACK, '--scope', `${NEWS}=Read`, '--scope', 'back:write=Write', '--format', 'opaque', '--lifetime', '60']);
  front = await serviceClient(w, FRONT, [w.mcp]);
  middle = await serviceClient(w, w.mcp, [BACK], ['--scope', `${NEWS} back:write`]);
  back = await serviceClient(w, BACK);
});
after(() => w?.stop());

const asked = async (scope = NEWS) => {
  const client = await register(w);
  return { client, tokens: await signIn(w, client, { resource: FRONT, scope }) };
};

test('a service calls the next one on behalf of the person, and is named', async () => {
  const { client, tokens } = await asked();
  const answer = await exchange(w, front, tokens.access_token, { resource: w.mcp });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  const { issued_token_type: issued, token_type: type, scope, refresh_token: none, expires_in: life } = answer.body;
  assert.deepEqual({ issued, type, scope, none }, { issued: ACCESS_TOKEN, type: 'Bearer', scope: NEWS, none: undefined });
  const before_ = claims(tokens.access_token);
  const now = claims(answer.body.access_token);
  assert.equal(now.sub, before_.sub);
  assert.equal(now.aud, w.mcp);
  assert.equal(now.client_id, front.client_id);
  assert.deepEqual(now.act, { sub: front.client_id, client_id: front.client_id });
  assert.ok(now.exp <= before_.exp && life <= tokens.expires_in, 'it ends no later');
  assert.equal(now.jti.split('.')[0], before_.jti.split('.')[0], 'it belongs to the same grant');
  assert.equal((await getNews(w, answer.body.access_token)).status, 200);
  const event = w.audit().findLast((one) => one.event === 'token');
  assert.equal(event.client, front.client_id);
  assert.ok(event.detail.includes(client.client_id) && event.detail.includes(before_.jti), 'the trail names both');
  assert.ok(!w.auditText().includes(tokens.access_token));
});

test('the token that the person gave opens no other door, and neither does its own client exchange it', async () => {
  const { client, tokens } = await asked();
  const passed = await mcpPost(w.mcp, { jsonrpc: '2.0', id: 1, method: 'ping' }, { bearer: tokens.access_token });
  assert.equal(passed.status, 401);
  assertTokenError(await exchange(w, client, tokens.access_token, { resource: w.mcp }), ['unauthorized_client', 'invalid_client']);
  assertTokenError(await exchange(w, middle, tokens.access_token, { resource: BACK }), 'invalid_request');
  assertTokenError(await exchange(w, back, tokens.access_token, { resource: w.mcp }), 'unauthorized_client');
  assert.equal((await exchange(w, front, tokens.access_token)).status, 200);
});

test('delegation nests, and the last of the chain sees it whole', async () => {
  const { tokens } = await asked();
  const first = await exchange(w, front, tokens.access_token, { audience: w.mcp });
  const second = await exchange(w, middle, first.body.access_token, { resource: BACK });
  assert.equal(second.status, 200, second.text);
  assert.match(second.body.access_token, /^wra_/);
  assert.equal(second.body.expires_in, 60);
  assert.equal(second.body.scope, `${NEWS} back:write`);
  const { body } = await introspect(w, back, second.body.access_token);
  assert.deepEqual(body.act, {
    sub: middle.client_id, client_id: middle.client_id, act: { sub: front.client_id, client_id: front.client_id },
  });
  assert.equal(body.username, 'alice');
  assert.equal(await isActive(w, middle, second.body.access_token), false, 'it is for the next one alone');
});

test('scopes: no more than the subject token holds, and what only the target knows by the administrator alone', async () => {
  const { tokens } = await asked();
  assertTokenError(await exchange(w, front, tokens.access_token, { resource: w.mcp, scope: ANALYZE }), 'invalid_scope');
  assert.equal((await exchange(w, front, tokens.access_token, { scope: `${NEWS} ${ANALYZE}` })).body.scope, NEWS);
  const wide = await asked(`${NEWS} ${ANALYZE}`);
  assert.equal((await exchange(w, front, wide.tokens.access_token)).body.scope, `${NEWS} ${ANALYZE}`);
  const first = await exchange(w, front, wide.tokens.access_token, { scope: NEWS });
  assert.equal((await exchange(w, middle, first.body.access_token, { scope: 'back:write' })).body.scope, 'back:write');
});

test('what cannot be exchanged', async () => {
  const { client, tokens } = await asked();
  const unknown = `${tokens.access_token.slice(0, -4)}AAAA`;
  const type = (name) => `urn:ietf:params:oauth:token-type:${name}`;
  const cases = [
    [{ resource: FRONT }, 'invalid_target'], [{ resource: 'https://unknown.test' }, 'invalid_target'],
    [{ resource: [w.mcp, BACK] }, 'invalid_target'], [{ audience: BACK }, 'invalid_target'],
    [{ subject_token: unknown }, 'invalid_request'], [{ subject_token: tokens.refresh_token }, 'invalid_request'],
    [{ subject_token: undefined }, 'invalid_request'], [{ subject_token_type: undefined }, 'invalid_request'],
    [{ subject_token_type: type('id_token') }, 'invalid_request'], [{ requested_token_type: type('refresh_token') }, 'invalid_request'],
    [{ actor_token: tokens.access_token }, 'invalid_request'], [{ actor_token_type: ACCESS_TOKEN }, 'invalid_request'],
    [{ actor_token: tokens.access_token, actor_token_type: ACCESS_TOKEN }, 'invalid_request'],
  ];
  for (const [bent, error] of cases) {
    assertTokenError(await exchange(w, front, tokens.access_token, bent), error, JSON.stringify(bent));
  }
  assertTokenError(await exchange(w, { ...front, client_secret: 'wrong' }, tokens.access_token), 'invalid_client');
  const machine = await w.machineClient();
  const own = await machineToken(w, machine);
  assertTokenError(await exchange(w, front, own.body.access_token), 'invalid_request', 'a token of another resource');
  assert.equal((await exchange(w, front, tokens.access_token)).status, 200);
  await revoke(w, client, tokens.access_token);
  assertTokenError(await exchange(w, front, tokens.access_token), 'invalid_request', 'a revoked token');
});

test('the end of the grant ends what it was exchanged for, there and at the resource', async () => {
  const { client, tokens } = await asked();
  const first = await exchange(w, front, tokens.access_token);
  const second = await exchange(w, middle, first.body.access_token);
  assert.equal((await getNews(w, first.body.access_token)).status, 200);
  await revoke(w, client, tokens.refresh_token);
  assert.equal(await isActive(w, middle, first.body.access_token), false);
  assert.equal(await isActive(w, back, second.body.access_token), false);
  await sleep(2100);
  assert.equal((await getNews(w, first.body.access_token)).status, 401);
  await control(w);
});

test('a service ends its own token, and not the grant', async () => {
  const { client, tokens } = await asked();
  const first = await exchange(w, front, tokens.access_token);
  assert.equal((await revoke(w, client, first.body.access_token)).status, 200);
  assert.equal(await isActive(w, middle, first.body.access_token), true, "it is not the person's client's");
  assert.equal((await revoke(w, front, first.body.access_token)).status, 200);
  assert.equal(await isActive(w, middle, first.body.access_token), false);
  assert.equal(await isActive(w, front, tokens.access_token), true);
});

test('strangers cannot register for it', async () => {
  const answer = await registerRaw(w, {
    client_name: 'Stranger', grant_types: [TOKEN_EXCHANGE], token_endpoint_auth_method: 'client_secret_basic',
    redirect_uris: ['https://c.test/cb'], response_types: [],
  });
  assert.equal(answer.status, 400, answer.text);
  const mixed = await register(w, {
    grant_types: ['authorization_code', TOKEN_EXCHANGE], token_endpoint_auth_method: 'client_secret_basic',
    resources: [FRONT], exchange_to: [w.mcp],
  });
  assert.ok(!mixed.grant_types.includes(TOKEN_EXCHANGE));
  const { tokens } = await asked();
  assertTokenError(await exchange(w, mixed, tokens.access_token), 'unauthorized_client');
  assert.equal((await introspect(w, mixed, tokens.access_token)).text, '{"active":false}');
});

test('oauth4webapi and openid-client exchange tokens', async () => {
  const { tokens } = await asked();
  const parameters = { subject_token: tokens.access_token, subject_token_type: ACCESS_TOKEN, resource: w.mcp };
  const as = await discover(w);
  assert.ok(as.grant_types_supported.includes(TOKEN_EXCHANGE));
  const who = { client_id: front.client_id };
  const response = await oauth.genericTokenEndpointRequest(as, who, oauth.ClientSecretBasic(front.client_secret), TOKEN_EXCHANGE, parameters, HTTP);
  const one = await oauth.processGenericTokenEndpointResponse(as, who, response);
  assert.equal(one.issued_token_type, ACCESS_TOKEN);
  const two = await openid.genericGrantRequest(await openidClient(w, front), TOKEN_EXCHANGE, parameters);
  assert.equal(claims(two.access_token).aud, w.mcp);
  assert.equal((await getNews(w, two.access_token)).status, 200);
});
