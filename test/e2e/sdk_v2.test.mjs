// The SDK v2 client, which also validates `iss` and the issuer of the metadata byte by byte.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  Client,
  ClientCredentialsProvider,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from '@modelcontextprotocol/client';
import { Browser } from './lib/browser.mjs';
import { Authority, DocumentHost, trusting } from './lib/documents.mjs';
import { Keeper, recordingFetch, said } from './lib/sdk.mjs';
import { ANALYZE, NEWS, PASSWORD, World } from './lib/world.mjs';

let w;
before(async () => (w = await World.start()));
after(() => w?.stop());

async function connect(authProvider, fetchFn, world = w) {
  const transport = new StreamableHTTPClientTransport(new URL(world.mcp), { authProvider, fetch: fetchFn });
  const client = new Client({ name: 'e2e', version: '1.0.0' });
  await client.connect(transport);
  return { client, transport };
}

async function signIn(keeper, browser, fetchFn, world = w) {
  const transport = new StreamableHTTPClientTransport(new URL(world.mcp), { authProvider: keeper, fetch: fetchFn });
  const client = new Client({ name: 'e2e', version: '1.0.0' });
  await assert.rejects(client.connect(transport), UnauthorizedError);
  const left = await browser.authorize(keeper.asked, { user: 'alice', password: PASSWORD });
  assert.equal(left.searchParams.get('error'), null, left.href);
  assert.equal(left.searchParams.get('state'), keeper.lastState);
  await transport.finishAuth(left.searchParams);
}

const NEWS_CALL = { name: 'get_news_sentiment', arguments: { ticker: 'ACME' } };
const ANALYZE_CALL = { name: 'analyze_sentiment', arguments: { text: 'Profit rose to 4.1m from 3.2m.' } };

test('SDK v2: 401, metadata, registration, login and consent, token, tools/call', async () => {
  const keeper = new Keeper();
  const { seen, recorder } = recordingFetch();
  await signIn(keeper, new Browser(w.base), recorder);
  const { client } = await connect(keeper, recorder);
  const result = await client.callTool(NEWS_CALL);
  assert.ok(!result.isError, JSON.stringify(result));
  assert.ok(said(result));
  assert.equal(keeper.kept.scope, NEWS);
  assert.equal(keeper.discovered.authorizationServerMetadata.issuer, w.issuer);
  const registration = seen.find((one) => one.url.endsWith(new URL(w.metadata.registration_endpoint).pathname));
  assert.equal(registration.status, 201);
  const exchange = seen.find((one) => one.body.includes('grant_type=authorization_code'));
  assert.equal(new URLSearchParams(exchange.body).get('resource'), w.mcp, 'resource as published');
  await client.close();
});

test('SDK v2: a client that publishes its metadata signs in without registration', async () => {
  const authority = new Authority();
  const host = await DocumentHost.start(authority);
  const world = await World.start({ env: trusting(authority, host) });
  try {
    const document = host.publish('/oauth/client.json', {}, { headers: { 'cache-control': 'max-age=600' } });
    const keeper = Object.assign(new Keeper(), { clientMetadataUrl: document.client_id });
    const { seen, recorder } = recordingFetch();
    await signIn(keeper, new Browser(world.base), recorder, world);
    const { client } = await connect(keeper, recorder, world);
    assert.ok(!(await client.callTool(NEWS_CALL)).isError);
    await client.close();
    assert.equal(keeper.asked.searchParams.get('client_id'), document.client_id);
    const registration = new URL(world.metadata.registration_endpoint).pathname;
    assert.equal(seen.filter((one) => one.url.endsWith(registration)).length, 0, 'nobody registered');
    keeper.spoilAccessToken();
    const again = await connect(keeper, recorder, world);
    assert.ok(!(await again.client.callTool(NEWS_CALL)).isError, 'and is refreshed');
    await again.client.close();
    assert.equal(host.hitsOf('/oauth/client.json'), 1, 'the document was fetched once');
  } finally {
    await world.stop();
    await host.stop();
    authority.stop();
  }
});

test('SDK v2: a call beyond the granted scope is 403, steps up with the union, and succeeds', async () => {
  const keeper = new Keeper();
  const browser = new Browser(w.base);
  await signIn(keeper, browser);
  const { client, transport } = await connect(keeper);
  assert.ok(!(await client.callTool(NEWS_CALL)).isError);
  await assert.rejects(client.callTool(ANALYZE_CALL), UnauthorizedError);
  const asked = keeper.asked.searchParams.get('scope').split(' ');
  assert.ok(asked.includes(ANALYZE) && asked.includes(NEWS), String(asked));
  const left = await browser.authorize(keeper.asked, { user: 'alice', password: PASSWORD });
  assert.equal(left.searchParams.get('error'), null, left.href);
  await transport.finishAuth(left.searchParams);
  assert.deepEqual(keeper.kept.scope.split(' ').sort(), [NEWS, ANALYZE].sort());
  assert.ok(!(await client.callTool(ANALYZE_CALL)).isError);
  assert.ok(!(await client.callTool(NEWS_CALL)).isError, 'what was granted before still works');
  await client.close();
});

test('SDK v2: a refused access token is refreshed without the person', async () => {
  const keeper = new Keeper();
  await signIn(keeper, new Browser(w.base));
  const { client } = await connect(keeper);
  const before = keeper.kept.refresh_token;
  keeper.asked = undefined;
  keeper.spoilAccessToken();
  assert.ok(!(await client.callTool(NEWS_CALL)).isError);
  assert.equal(keeper.asked, undefined, 'nobody was asked to sign in');
  assert.ok(keeper.kept.refresh_token !== before, 'the refresh token rotated');
  await client.close();
});

test('SDK v2: registers with a secret and uses it (client_secret_basic)', async () => {
  const keeper = new Keeper({ auth: 'client_secret_basic' });
  await signIn(keeper, new Browser(w.base));
  assert.ok(keeper.client.client_secret);
  const { client } = await connect(keeper);
  assert.ok(!(await client.callTool(NEWS_CALL)).isError);
  await client.close();
});

test('SDK v2: client credentials of a confidential client make the same call', async () => {
  const machine = await w.machineClient(`${NEWS} ${ANALYZE}`);
  const provider = new ClientCredentialsProvider({
    clientId: machine.client_id,
    clientSecret: machine.client_secret,
    expectedIssuer: w.issuer,
    scope: `${NEWS} ${ANALYZE}`,
  });
  const { client } = await connect(provider);
  assert.ok(!(await client.callTool(NEWS_CALL)).isError);
  await client.close();
});

test('SDK v2: the person says no, and the client hears access_denied', async () => {
  const keeper = new Keeper();
  const transport = new StreamableHTTPClientTransport(new URL(w.mcp), { authProvider: keeper });
  const client = new Client({ name: 'e2e', version: '1.0.0' });
  await assert.rejects(client.connect(transport), UnauthorizedError);
  const left = await new Browser(w.base).authorize(keeper.asked, { user: 'alice', password: PASSWORD, approve: false });
  assert.equal(left.searchParams.get('error'), 'access_denied');
  await assert.rejects(transport.finishAuth(left.searchParams), /access_denied|denied/i);
});
