// Real clients against a server in C on the kit: SDK v1, SDK v2 in both eras and the Inspector, over
// HTTP and over standard streams.
import { after, before, describe } from 'node:test';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { SDKS, clientTests, eraTest, inspectorTests } from './lib/client_matrix.mjs';
import { kitProgram, startKit } from './lib/kit.mjs';

// What the clients over HTTP sent.
const requests = [];
function noting(url, init) {
  requests.push({ method: init?.method ?? 'GET', last: new Headers(init?.headers).get('last-event-id') });
  return fetch(url, init);
}

describe('clients of the kit', { concurrency: 2 }, () => {
  describe('HTTP', { concurrency: 1 }, () => {
    let kit;
    before(async () => (kit = await startKit()));
    after(() => kit?.stop());
    const reconnectionOptions = { initialReconnectionDelay: 50, maxReconnectionDelay: 200, reconnectionDelayGrowFactor: 1.2, maxRetries: 5 };
    for (const [name, sdk] of Object.entries(SDKS)) clientTests(name, sdk, 'HTTP', () => new sdk.Http(new URL(kit.url), { reconnectionOptions, fetch: noting }), { requests });
    eraTest('HTTP', () => new StreamableHTTPClientTransport(new URL(kit.url)));
    inspectorTests('HTTP', () => [kit.url, '--transport', 'http']);
  });
  describe('standard streams', { concurrency: 1 }, () => {
    const command = { command: kitProgram(), args: ['--stdio'], stderr: 'pipe' };
    for (const [name, sdk] of Object.entries(SDKS)) clientTests(name, sdk, 'standard streams', () => new sdk.Stdio(command));
    eraTest('standard streams', () => new StdioClientTransport(command));
    inspectorTests('standard streams', () => [command.command, ...command.args]);
  });
});
