// What clients do with a server of every kind of message, with the gateway between: progress, cancels,
// questions to the person, the model and for roots, and what changes, in both eras; before a server over
// HTTP and before one on standard streams. Nothing stalls, and no answer is taken for another's.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { SDKS, clientTests, eraTest } from './lib/client_matrix.mjs';
import { Gateway, USE } from './lib/gateway.mjs';
import { kitProgram, startKit } from './lib/kit.mjs';
import { machineToken } from './lib/oauth.mjs';

const CHILD = `
upstreams:
  - path: /mcp
    command: ["${kitProgram()}", --stdio]
    child: {memory_mb: 0}
`;
const reconnectionOptions = { initialReconnectionDelay: 50, maxReconnectionDelay: 200, reconnectionDelayGrowFactor: 1.2, maxRetries: 5 };

function suite(carrier, startGateway) {
  describe(carrier, { concurrency: 1 }, () => {
    let world;
    let bearer;
    before(async () => {
      world = await startGateway();
      bearer = (await machineToken(world.w, await world.w.machineClient(USE))).body.access_token;
    });
    after(() => world?.stop());
    const options = () => ({ reconnectionOptions, requestInit: { headers: { authorization: `Bearer ${bearer}` } } });
    for (const [name, sdk] of Object.entries(SDKS)) clientTests(name, sdk, carrier, () => new sdk.Http(new URL(world.w.mcp), options()));
    eraTest(carrier, () => new StreamableHTTPClientTransport(new URL(world.w.mcp), options()));
    test(`${carrier}: no answer of all this was dropped`, () => {
      const dropped = world.w.audit().filter((one) => one.event === 'answer.dropped' || one.reason === 'foreign_answer');
      assert.deepEqual(dropped, []);
    });
  });
}

describe('every kind of message through the gateway', { concurrency: 2 }, () => {
  suite('the gateway and HTTP', async () => {
    const kit = await startKit();
    const w = await Gateway.start({ upstream: kit.url });
    return { w, stop: async () => { await w.stop(); await kit.stop(); } };
  });
  suite('the gateway and a child', async () => {
    const w = await Gateway.start({ upstream: 'stdio', settings: CHILD });
    return { w, stop: () => w.stop() };
  });
});
