// Tasks of 2025-11-25 at a server made with the kit, by the official SDK, straight and by way of
// warder connect.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CallToolResultSchema, ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { ClientHome } from './lib/client_home.mjs';
import { kitProgram, startKit } from './lib/kit.mjs';

const OPTIONAL = 'slow_compute';
const ARGUMENTS = { seconds: 0.3 };
const REQUIRED = 'failing_job';
const ASKS = 'confirm_delete';
let kit;
let home;
before(async () => {
  kit = await startKit();
  home = new ClientHome();
});
after(async () => {
  home?.remove();
  await kit?.stop();
});

const WAYS = {
  'over HTTP': () => new StreamableHTTPClientTransport(new URL(kit.url)),
  'on standard streams': () => new StdioClientTransport({ command: kitProgram(), args: ['--stdio'], stderr: 'pipe' }),
  'by way of the bridge': () => {
    const [command, ...args] = home.words('connect', kit.url, '--grant', 'none');
    return new StdioClientTransport({ command, args, env: home.env, stderr: 'pipe' });
  },
};

async function follow(client, params) {
  const seen = [];
  for await (const message of client.experimental.tasks.callToolStream(params, CallToolResultSchema, { task: { ttl: 60_000 } })) seen.push(message);
  return seen;
}

for (const [way, transport] of Object.entries(WAYS)) {
  describe(`tasks of 2025-11-25, ${way}`, () => {
    let client;
    before(async () => {
      client = new Client({ name: 'e2e', version: '1' }, { capabilities: { elicitation: { form: {} }, tasks: {} } });
      client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
        assert.ok(params._meta['io.modelcontextprotocol/related-task'].taskId);
        const name = Object.keys(params.requestedSchema.properties)[0];
        const { type } = params.requestedSchema.properties[name];
        return { action: 'accept', content: { [name]: type === 'boolean' ? true : type === 'string' ? 'yes' : 1 } };
      });
      await client.connect(transport());
    });
    after(() => client?.close());

    test('a tool that may be a task is made one, and its result is fetched', async () => {
      assert.ok(client.getServerCapabilities().tasks.requests.tools.call);
      const { tools } = await client.listTools();
      assert.equal(tools.find(({ name }) => name === OPTIONAL).execution.taskSupport, 'optional');
      assert.equal(tools.find(({ name }) => name === REQUIRED).execution.taskSupport, 'required');
      const seen = await follow(client, { name: OPTIONAL, arguments: ARGUMENTS });
      assert.equal(seen[0].type, 'taskCreated', JSON.stringify(seen));
      assert.equal(seen.at(-1).type, 'result', JSON.stringify(seen));
      const { taskId } = seen[0].task;
      assert.equal(seen.at(-1).result._meta['io.modelcontextprotocol/related-task'].taskId, taskId);
      assert.equal((await client.experimental.tasks.getTask(taskId)).status, 'completed');
      await assert.rejects(client.experimental.tasks.cancelTask(taskId), /ended already/);
    });

    test('a tool that asks, as a task', async () => {
      const seen = await follow(client, { name: ASKS, arguments: { filename: 'x' } });
      assert.equal(seen.at(-1).type, 'result', JSON.stringify(seen));
    });

    test('nobody else finds a task', async () => {
      await assert.rejects(client.experimental.tasks.getTask('A'.repeat(32)), /Task not found/);
    });
  });
}
