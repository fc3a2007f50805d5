// Signs in and calls one tool, with nothing but the official SDK: discovery, registration, PKCE and
// tokens are the SDK's. Usage: client.mjs MCP_URL TOOL [JSON]
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
let arrived = () => {};
const listener = createServer((request, response) => {
  const query = new URL(request.url, 'http://127.0.0.1').searchParams;
  response.end('You can close this window.\n');
  if (query.has('code') || query.has('error')) arrived(query);
});
await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
const redirectUrl = `http://127.0.0.1:${listener.address().port}/callback`;

const kept = {};
const provider = {
  redirectUrl,
  clientMetadata: {
    client_name: 'SDK sample client',
    application_type: 'native',
    redirect_uris: [redirectUrl],
    // It runs once and needs no refresh token. With one, this SDK would answer "insufficient scope"
    // with a refresh, which cannot widen what was granted.
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  },
  state: () => (kept.state = crypto.randomUUID()),
  clientInformation: () => kept.client,
  saveClientInformation: (client) => (kept.client = client),
  tokens: () => kept.tokens,
  saveTokens: (tokens) => (kept.tokens = tokens),
  codeVerifier: () => kept.verifier,
  saveCodeVerifier: (verifier) => (kept.verifier = verifier),
  redirectToAuthorization(where) {
    kept.answer = new Promise((resolve) => (arrived = resolve));
    console.error(`Open this in a browser and sign in:\n\n  ${where}\n`);
  },
};

/** Where the SDK has sent the person to the browser, waits for the answer and takes the token. */
async function signIn(transport, error) {
  if (!(error instanceof UnauthorizedError)) throw error;
  const answer = await kept.answer;
  if (answer.get('state') !== kept.state) throw new Error('the answer is not for this request');
  if (answer.has('error')) throw new Error(`${answer.get('error')}: ${answer.get('error_description') ?? ''}`);
  await transport.finishAuth(answer.get('code'));
}

async function connect() {
  const transport = new StreamableHTTPClientTransport(new URL(url), { authProvider: provider });
  const client = new Client({ name: 'sdk-client', version: '1.0.0' });
  try {
    await client.connect(transport);
    return { client, transport };
  } catch (error) {
    await signIn(transport, error);
    return connect();
  }
}

/** Calls the tool; one that needs more than was granted sends the person to the browser again. */
async function call({ client, transport }) {
  const request = { name: tool, arguments: JSON.parse(json) };
  try {
    return await client.callTool(request);
  } catch (error) {
    await signIn(transport, error);
    return client.callTool(request);
  }
}

try {
  const connection = await connect();
  const result = await call(connection);
  console.log(JSON.stringify(result.structuredContent ?? result.content, null, 2));
  await connection.client.close();
} catch (error) {
  console.error(`sdk-client: ${error.message}`);
  process.exitCode = 1;
} finally {
  listener.close();
  listener.closeAllConnections();
}
