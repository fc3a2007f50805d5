// Signs in and calls one tool, with nothing but the official SDK: discovery, registration, PKCE and
// tokens are the SDK's. Usage: client.mjs MCP_URL TOOL [JSON]
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';

const [url, tool, json = '{}'] = process.argv.slice(2);
if (!url || !tool) {
  console.error('usage: client.mjs MCP_URL TOOL [JSON]');
  process.exit(2);
}

// The browser comes back to a port of this machine that the system picks.
let arrived;
const callback = new Promise((resolve) => (arrived = resolve));
const listener = createServer((request, response) => {
  const query = new URL(request.url, 'http://127.0.0.1').searchParams;
  response.end('You can close this window.\n');
  if (query.has('code') || query.has('error')) arrived(query);
});
await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
const redirectUrl = `http://127.0.0.1:${listener.address().port}/callback`;

const kept = { state: randomUUID() };
const provider = {
  redirectUrl,
  clientMetadata: {
    client_name: 'SDK sample client',
    application_type: 'native',
    redirect_uris: [redirectUrl],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  },
  state: () => kept.state,
  clientInformation: () => kept.client,
  saveClientInformation: (client) => (kept.client = client),
  tokens: () => kept.tokens,
  saveTokens: (tokens) => (kept.tokens = tokens),
  codeVerifier: () => kept.verifier,
  saveCodeVerifier: (verifier) => (kept.verifier = verifier),
  redirectToAuthorization: (where) => console.error(`Open this in a browser and sign in:\n\n  ${where}\n`),
};

async function connect() {
  const transport = new StreamableHTTPClientTransport(new URL(url), { authProvider: provider });
  const client = new Client({ name: 'sdk-client', version: '1.0.0' });
  try {
    await client.connect(transport);
    return client;
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
  }
  await signIn(transport);
  return connect();
}

async function signIn(transport) {
  const answer = await callback;
  if (answer.get('state') !== kept.state) throw new Error('the answer is not for this request');
  if (answer.has('error')) throw new Error(`${answer.get('error')}: ${answer.get('error_description') ?? ''}`);
  await transport.finishAuth(answer.get('code'));
}

try {
  const client = await connect();
  const result = await client.callTool({ name: tool, arguments: JSON.parse(json) });
  console.log(JSON.stringify(result.structuredContent ?? result.content, null, 2));
  await client.close();
} catch (error) {
  console.error(`sdk-client: ${error.message}`);
  process.exitCode = 1;
} finally {
  listener.close();
  listener.closeAllConnections();
}
