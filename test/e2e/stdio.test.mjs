// A server on standard streams behind the gateway: both SDK clients, in both eras.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as v2 from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { Browser } from './lib/browser.mjs';
import { Gateway } from './lib/gateway.mjs';
import { Keeper } from './lib/sdk.mjs';
import { PASSWORD } from './lib/world.mjs';

let w;
let keeper;

before(async () => {
  w = await Gateway.start({ upstream: 'stdio' });
  keeper = new Keeper();
  const transport = new StreamableHTTPClientTransport(new URL(w.mcp), { authProvider: keeper });
  await assert.rejects(new Client({ name: 'e2e', version: '1' }).connect(transport), UnauthorizedError);
  const left = await new Browser(w.base).authorize(keeper.asked, { user: 'alice', password: PASSWORD });
  await transport.finishAuth(left.searchParams.get('code'));
});
after(() => w?.stop());

async function connect(capabilities = {}) {
  const transport = new StreamableHTTPClientTransport(new URL(w.mcp), { authProvider: keeper });
  const client = new Client({ name: 'e2e', version: '1' }, { capabilities });
  await client.connect(transport);
  return { client, transport };
}

test('SDK v1: handshake, list, call, progress, end of the session', async () => {
  const { client, transport } = await connect();
  assert.match(transport.sessionId, /./);
  const { tools } = await client.listTools();
  assert.ok(tools.length > 5);
  const said = await client.callTool({ name: 'test_simple_text', arguments: {} });
  assert.equal(said.content[0].type, 'text');
  const steps = [];
  await client.callTool({ name: 'test_tool_with_progress', arguments: {} }, undefined, { onprogress: (p) => steps.push(p.progress) });
  assert.ok(steps.length > 1, String(steps));
  await transport.terminateSession();
  await client.close();
});

test('SDK v1: two sessions at once', async () => {
  const sessions = await Promise.all([connect(), connect()]);
  const answers = await Promise.all(sessions.map(({ client }) => client.callTool({ name: 'test_simple_text', arguments: {} })));
  for (const answer of answers) assert.ok(!answer.isError);
  for (const { client, transport } of sessions) {
    await transport.terminateSession();
    await client.close();
  }
});

test('SDK v1: the server asks its client', async () => {
  const { client } = await connect({ elicitation: {} });
  let asked;
  client.setRequestHandler(ElicitRequestSchema, async (request) => {
    asked = request.params.message;
    return { action: 'accept', content: { username: 'u', email: 'u@example.com' } };
  });
  const answer = await client.callTool({ name: 'test_elicitation', arguments: { message: 'Who are you?' } });
  assert.ok(!answer.isError, JSON.stringify(answer));
  assert.equal(asked, 'Who are you?');
  await client.close();
});

test('SDK v2: the stateless era', async () => {
  const transport = new v2.StreamableHTTPClientTransport(new URL(w.mcp), { authProvider: keeper });
  const client = new v2.Client({ name: 'e2e', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(transport);
  assert.equal(transport.sessionId, undefined);
  const { tools } = await client.listTools();
  assert.ok(tools.length > 5);
  const said = await client.callTool({ name: 'test_simple_text', arguments: {} });
  assert.equal(said.content[0].type, 'text');
  await client.close();
});
