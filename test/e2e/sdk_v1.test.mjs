// The SDK v1 client, with nothing of ours between it and the servers.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { ClientCredentialsProvider } from '@modelcontextprotocol/sdk/client/auth-extensions.js';
import { Browser } from './lib/browser.mjs';
import { Keeper, recordingFetch, said } from './lib/sdk.mjs';
import { ANALYZE, NEWS, PASSWORD, World } from './lib/world.mjs';

let w;
before(async () => (w = await World.start()));
after(() => w?.stop());

async function connect(authProvider, fetchFn) {
  const transport = new StreamableHTTPClientTransport(new URL(w.mcp), { authProvider, fetch: fetchFn });
  const client = new Client({ name: 'e2e', version: '1.0.0' });
  await client.connect(transport);
  return { client, transport };
}

/** Refused, sent to sign in, back with a code. */
async function signIn(keeper, browser, fetchFn) {
  const transport = new StreamableHTTPClientTransport(new URL(w.mcp), { authProvider: keeper, fetch: fetchFn });
  const client = new Client({ name: 'e2e', version: '1.0.0' });
  await assert.rejects(client.connect(transport), UnauthorizedError);
  const left = await browser.authorize(keeper.asked, { user: 'alice', password: PASSWORD });
  assert.equal(left.searchParams.get('error'), null, left.href);
  assert.equal(left.searchParams.get('state'), keeper.lastState);
  await transport.finishAuth(left.searchParams.get('code'));
}

const NEWS_CALL = { name: 'get_news_sentiment', arguments: { ticker: 'ACME' } };
const ANALYZE_CALL = { name: 'analyze_sentiment', arguments: { text: 'Profit rose to 4.1m from 3.2m.' } };

test('SDK v1: 401, metadata, registration, login and consent, token, tools/call', async () => {
  const keeper = new Keeper();
  const { seen, recorder } = recordingFetch();
  await signIn(keeper, new Browser(w.base), recorder);
  const { client } = await connect(keeper, recorder);
  const tools = (await client.listTools()).tools.map((tool) => tool.name);
  assert.ok(tools.includes('get_news_sentiment') && tools.includes('analyze_sentiment'), String(tools));
  const result = await client.callTool(NEWS_CALL);
  assert.ok(!result.isError, JSON.stringify(result));
  assert.ok(said(result), 'a sentiment came back');
  assert.equal(keeper.registrations, 1);
  assert.equal(keeper.kept.scope, NEWS);
  const first = seen.find((one) => one.status === 401);
  assert.match(first.challenge, /^Bearer .*resource_metadata="http/);
  assert.match(first.challenge, /scope="news:read"/);
  assert.ok(seen.some((one) => one.url.includes('/.well-known/oauth-protected-resource')));
  assert.ok(seen.some((one) => one.url.includes('/.well-known/oauth-authorization-server')));
  await client.close();
});

test('SDK v1: a call beyond the granted scope is 403, steps up, and succeeds', async () => {
  // This SDK answers a 403 with a refresh where it has a refresh token, which cannot widen a grant;
  // hosts that step up keep none.
  const keeper = new Keeper({ grants: ['authorization_code'] });
  const browser = new Browser(w.base);
  const { seen, recorder } = recordingFetch();
  await signIn(keeper, browser, recorder);
  const { client, transport } = await connect(keeper, recorder);
  assert.equal(keeper.kept.refresh_token, undefined, 'not asked for, not given');
  assert.ok(!(await client.callTool(NEWS_CALL)).isError);
  await assert.rejects(client.callTool(ANALYZE_CALL), UnauthorizedError);
  const refusal = seen.find((one) => one.status === 403);
  assert.match(refusal.challenge, /error="insufficient_scope"/);
  assert.match(refusal.challenge, /scope="[^"]*sentiment:analyze/);
  const left = await browser.authorize(keeper.asked, { user: 'alice', password: PASSWORD });
  assert.equal(left.searchParams.get('error'), null, left.href);
  await transport.finishAuth(left.searchParams.get('code'));
  assert.ok(keeper.kept.scope.split(' ').includes(ANALYZE));
  const result = await client.callTool(ANALYZE_CALL);
  assert.ok(!result.isError, JSON.stringify(result));
  await client.close();
});

test('SDK v1: a refused access token is refreshed without the person', async () => {
  const keeper = new Keeper();
  await signIn(keeper, new Browser(w.base));
  const { client } = await connect(keeper);
  const before = keeper.kept.refresh_token;
  assert.ok(before, 'a refresh token came');
  keeper.asked = undefined;
  keeper.spoilAccessToken();
  const result = await client.callTool(NEWS_CALL);
  assert.ok(!result.isError);
  assert.equal(keeper.asked, undefined, 'nobody was asked to sign in');
  assert.ok(keeper.kept.refresh_token && keeper.kept.refresh_token !== before, 'the refresh token rotated');
  await client.close();
});

test('SDK v1: registers with a secret and uses it (client_secret_post)', async () => {
  const keeper = new Keeper({ auth: 'client_secret_post' });
  await signIn(keeper, new Browser(w.base));
  assert.ok(keeper.client.client_secret);
  const { client } = await connect(keeper);
  assert.ok(!(await client.callTool(NEWS_CALL)).isError);
  await client.close();
});

test('SDK v1: client credentials of a confidential client make the same call', async () => {
  const machine = await w.machineClient(NEWS);
  const provider = new ClientCredentialsProvider({
    clientId: machine.client_id,
    clientSecret: machine.client_secret,
    expectedIssuer: w.issuer,
  });
  const { client } = await connect(provider);
  assert.ok(!(await client.callTool(NEWS_CALL)).isError);
  await client.close();
});
