// What real clients do with the server of test/conformance/server, however they reach it: SDK v1, SDK
// v2 in both eras, and the Inspector.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { inspectWith } from './inspector.mjs';
import { sleep } from './world.mjs';

const CAPABILITIES = { elicitation: { form: {} }, sampling: {}, roots: {} };
const textOf = (result) => result.content.map((part) => part.text).join('\n');
const until = async (done, ms = 30_000) => {
  for (const end = Date.now() + ms; !(await done()) && Date.now() < end; ) await sleep(25);
};

/** What the SDKs do differently: v1 names what it hears by schemas, and a call's result by another. */
export const SDKS = {
  'SDK v1': {
    Client: ClientV1,
    Http: HttpV1,
    Stdio: StdioV1,
    options: {},
    on: {
      'elicitation/create': ElicitRequestSchema,
      'sampling/createMessage': CreateMessageRequestSchema,
      'roots/list': ListRootsRequestSchema,
      'notifications/message': LoggingMessageNotificationSchema,
      'notifications/resources/updated': ResourceUpdatedNotificationSchema,
      'notifications/tools/list_changed': ToolListChangedNotificationSchema,
    },
    call: (client, params, options) => client.callTool(params, undefined, options),
  },
  'SDK v2, handshake era': {
    Client,
    Http: StreamableHTTPClientTransport,
    Stdio: StdioClientTransport,
    options: { versionNegotiation: { mode: 'legacy' } },
    call: (client, params, options) => client.callTool(params, options),
  },
  'SDK v2, stateless era': {
    Client,
    Http: StreamableHTTPClientTransport,
    Stdio: StdioClientTransport,
    options: { versionNegotiation: { mode: { pin: '2026-07-28' } } },
    call: (client, params, options) => client.callTool(params, options),
    modern: true,
  },
};
const heard = (sdk, method) => sdk.on?.[method] ?? method;

function answersOf(sdk, client, asked) {
  const answers = {
    'elicitation/create': { action: 'accept', content: { username: 'alice', email: 'alice@example.com', name: 'Alice' } },
    'sampling/createMessage': { role: 'assistant', model: 'm', content: { type: 'text', text: 'Paris' } },
    'roots/list': { roots: [{ uri: 'file:///home/alice', name: 'home' }] },
  };
  for (const [method, answer] of Object.entries(answers)) {
    client.setRequestHandler(heard(sdk, method), async (request) => {
      asked.push(method);
      // A form gets what it asks for, and no more.
      const wanted = Object.keys(request.params?.requestedSchema?.properties ?? {});
      if (!wanted.length) return answer;
      return { ...answer, content: Object.fromEntries(wanted.map((name) => [name, answer.content[name]])) };
    });
  }
}

/** transportOf(sdk): a new transport each time. requests: what was sent over HTTP, where that is known. */
export function clientTests(name, sdk, carrier, transportOf, { requests } = {}) {
  const connect = async (capabilities = CAPABILITIES) => {
    const transport = transportOf(sdk);
    const client = new sdk.Client({ name: 'e2e', version: '1.0.0' }, { ...sdk.options, capabilities });
    const asked = [];
    if (capabilities.sampling) answersOf(sdk, client, asked);
    await client.connect(transport);
    return { client, transport, asked };
  };
  const calling = (client, tool, args = {}, options) => sdk.call(client, { name: tool, arguments: args }, options);
  const it = (what, run) =>
    test(`${name} over ${carrier}: ${what}`, async () => {
      const world = await connect();
      let errors = '';
      world.transport.stderr?.on('data', (chunk) => (errors += chunk));
      try {
        await run(world);
      } finally {
        await world.client.close();
      }
      assert.doesNotMatch(errors, /Sanitizer|runtime error/);
    });

  it('lists tools, resources, templates and prompts', async ({ client }) => {
    const { tools } = await client.listTools();
    assert.ok(tools.length >= 35, `${tools.length} tools`);
    const rich = tools.find((tool) => tool.name === 'json_schema_2020_12_tool');
    assert.equal(rich.inputSchema.$defs.address.$anchor, 'addressDef', 'schemas come as they were written');
    assert.equal((await client.listResources()).resources.length, 3);
    assert.equal((await client.listResourceTemplates()).resourceTemplates[0].uriTemplate, 'test://template/{id}/data');
    assert.ok((await client.listPrompts()).prompts.length >= 5);
  });

  it('calls, with structured content and every kind of content', async ({ client }) => {
    const echo = await calling(client, 'test_echo', { value: 'häßlich \u{1f600}' });
    assert.equal(textOf(echo), 'häßlich \u{1f600}');
    assert.deepEqual(echo.structuredContent, { value: 'häßlich \u{1f600}' });
    const kinds = (await calling(client, 'test_multiple_content_types')).content.map((part) => part.type);
    assert.deepEqual(kinds, ['text', 'image', 'resource']);
    const failed = await calling(client, 'test_error_handling');
    assert.equal(failed.isError, true);
  });

  it('arguments that do not fit are refused in words', async ({ client }) => {
    const bad = await calling(client, 'test_slow', { seconds: 61 }).catch((error) => ({ isError: true, content: [{ text: error.message }] }));
    assert.equal(bad.isError, true);
    assert.match(textOf(bad), /seconds.*at most 60/);
    assert.equal(textOf(await calling(client, 'test_slow', { seconds: 0 })), 'counted to 0');
  });

  it('a function that breaks is an error of the protocol', async ({ client }) => {
    await assert.rejects(calling(client, 'protocol_error_job'), (error) => error.code === -32603);
    assert.equal(textOf(await calling(client, 'greet', { name: 'control' })), 'Hello, control!');
  });

  it('reads resources and prompts, and completes', async ({ client }) => {
    assert.equal((await client.readResource({ uri: 'test://static-text' })).contents[0].text, 'This is the content of the static text resource.');
    assert.ok(Buffer.from((await client.readResource({ uri: 'test://static-binary' })).contents[0].blob, 'base64').length > 50);
    const { contents } = await client.readResource({ uri: 'test://template/a%22b/data' });
    assert.deepEqual(JSON.parse(contents[0].text), { id: 'a"b', templateTest: true, data: 'Data for ID: a"b' });
    await assert.rejects(client.readResource({ uri: 'test://nothing' }));
    const prompt = await client.getPrompt({ name: 'test_prompt_with_arguments', arguments: { arg1: 'x', arg2: 'y' } });
    assert.equal(prompt.messages[0].content.text, "Prompt with arguments: arg1='x', arg2='y'");
    const { completion } = await client.complete({ ref: { type: 'ref/prompt', name: 'test_prompt_with_arguments' }, argument: { name: 'arg1', value: 'pari' } });
    assert.deepEqual(completion.values, ['paris']);
  });

  it('a long call says how far it is', async ({ client }) => {
    const progress = [];
    const result = await calling(client, 'test_slow', { seconds: 1 }, { onprogress: (one) => progress.push([one.progress, Date.now()]) });
    assert.equal(textOf(result), 'counted to 10');
    // SDK v1 may lose the last one, which comes in one piece with the answer.
    assert.deepEqual(progress.map(([step]) => step).slice(0, 4), [2, 4, 6, 8]);
    assert.ok(progress.at(-1)[1] - progress[0][1] > 300, 'as it happened, not all at the end');
  });

  it('a cancelled call stops', async ({ client }) => {
    const stoppedNow = async () => Number(textOf(await calling(client, 'test_stopped')));
    const before = await stoppedNow();
    const abort = new AbortController();
    const call = calling(client, 'test_slow', { seconds: 8 }, { signal: abort.signal, onprogress: () => {} });
    await sleep(300);
    abort.abort('enough');
    await assert.rejects(call);
    await until(async () => (await stoppedNow()) > before);
    assert.equal(await stoppedNow(), before + 1, 'the function noticed');
  });

  it('the function asks a person, a model and for roots', async ({ client, asked }) => {
    assert.match(textOf(await calling(client, 'test_elicitation', { message: 'Who?' })), /action=accept.*alice@example\.com/);
    assert.match(textOf(await calling(client, 'test_sampling', { prompt: 'say "Paris"' })), /LLM response: Paris/);
    assert.match(textOf(await calling(client, 'test_input_required_result_list_roots')), /file:\/\/\/home\/alice/);
    assert.deepEqual(asked, ['elicitation/create', 'sampling/createMessage', 'roots/list']);
    const all = await calling(client, 'test_input_required_result_multiple_inputs');
    assert.match(textOf(all), /Hello, Alice: all three came/);
    assert.equal(asked.length, 6);
  });

  test(`${name} over ${carrier}: what the client cannot do is not asked of it`, async () => {
    const { client } = await connect({});
    try {
      const none = await calling(client, 'test_input_required_result_capabilities');
      assert.match(textOf(none), /nothing left to ask/);
      const outcome = await calling(client, 'test_sampling', { prompt: 'x' }).then((result) => result.isError === true, () => true);
      assert.equal(outcome, true);
    } finally {
      await client.close();
    }
  });

  it('is told what changes', async ({ client }) => {
    const told = [];
    for (const method of ['notifications/tools/list_changed', 'notifications/resources/updated'])
      client.setNotificationHandler(heard(sdk, method), ({ params }) => void told.push([method, params?.uri]));
    let subscription;
    if (sdk.modern) subscription = await client.listen({ toolsListChanged: true, resourceSubscriptions: ['test://watched-resource'] });
    else await client.subscribeResource({ uri: 'test://watched-resource' });
    await sleep(200); // the stream that carries it
    await calling(client, 'test_trigger_resource_update', { uri: 'test://static-text' });
    await calling(client, 'test_trigger_resource_update', { uri: 'test://watched-resource' });
    await calling(client, 'test_trigger_tool_change');
    await until(() => told.length >= 2);
    assert.deepEqual(told.sort(), [
      ['notifications/resources/updated', 'test://watched-resource'],
      ['notifications/tools/list_changed', undefined],
    ]);
    if (subscription) await subscription.close();
    else await client.unsubscribeResource({ uri: 'test://watched-resource' });
    await calling(client, 'test_trigger_resource_update', { uri: 'test://watched-resource' });
    await sleep(200);
    assert.equal(told.filter(([method]) => method.endsWith('updated')).length, 1, 'not any more');
  });

  if (!sdk.modern)
    it('logs from the level on that it wants', async ({ client }) => {
      const lines = [];
      client.setNotificationHandler(heard(sdk, 'notifications/message'), ({ params }) => void lines.push(params.data));
      await client.setLoggingLevel('error');
      await calling(client, 'test_logging_tool');
      await client.setLoggingLevel('debug');
      await calling(client, 'test_logging_tool');
      await until(() => lines.length > 0);
      assert.deepEqual(lines, ['logged once']);
    });

  if (!sdk.modern && requests)
    it('comes back for the answer of a call that let it go', async ({ client }) => {
      const resumed = () => requests.filter(({ method, last }) => method === 'GET' && last).length;
      const before = resumed();
      const result = await calling(client, 'test_reconnection', {}, { timeout: 10_000 });
      assert.equal(textOf(result), 'Reconnection test completed successfully.');
      assert.ok(resumed() > before, 'by Last-Event-ID');
    });
}

/** A client that takes what it finds finds the newest. */
export function eraTest(carrier, transportOf) {
  test(`SDK v2 over ${carrier}: both eras are found on one endpoint`, async () => {
    const versions = [];
    for (const mode of ['auto', 'legacy']) {
      const client = new Client({ name: 'e2e', version: '1.0.0' }, { versionNegotiation: { mode } });
      await client.connect(transportOf());
      versions.push(client.getNegotiatedProtocolVersion());
      assert.equal(textOf(await client.callTool({ name: 'greet', arguments: { name: mode } })), `Hello, ${mode}!`);
      await client.close();
    }
    assert.deepEqual(versions, ['2026-07-28', '2025-11-25']);
  });
}

/** target(): the words that name the server to the Inspector. */
export function inspectorTests(carrier, target) {
  test(`Inspector CLI over ${carrier}: lists, calls, reads and gets`, async () => {
    const ask = async (...args) => {
      const { code, stdout, stderr } = await inspectWith(target(), ...args);
      assert.equal(code, 0, stderr);
      return JSON.parse(stdout);
    };
    assert.ok((await ask('--method', 'tools/list')).tools.length >= 35);
    assert.equal(textOf(await ask('--method', 'tools/call', '--tool-name', 'test_echo', '--tool-arg', 'value=hello')), 'hello');
    assert.equal((await ask('--method', 'resources/read', '--uri', 'test://static-text')).contents[0].mimeType, 'text/plain');
    const prompt = await ask('--method', 'prompts/get', '--prompt-name', 'test_simple_prompt');
    assert.equal(prompt.messages[0].role, 'user');
  });
}
