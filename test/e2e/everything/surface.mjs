// Everything that an MCP server can offer, as the official suite expects it: one factory for both
// eras and both transports. http.mjs and stdio.mjs serve it.
import {
  McpServer,
  ResourceTemplate,
  createRequestStateCodec,
  fromJsonSchema,
  inputRequired,
} from '@modelcontextprotocol/server';

// One red pixel, and a tenth of a second of silence.
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg==';
const WAV = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=';

const codec = createRequestStateCodec({ key: 'a key that only this test server knows, 32 bytes' });
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const text = (value) => ({ content: [{ type: 'text', text: value }] });
const object = (properties = {}, required = Object.keys(properties)) => ({ type: 'object', properties, required });
const STRING = { type: 'string' };

/** What the caller's client can do, in either era. */
const abilities = (server, ctx) =>
  ctx.mcpReq.envelope?.['io.modelcontextprotocol/clientCapabilities'] ?? server.server.getClientCapabilities() ?? {};

const ask = (message, schema) => inputRequired.elicit({ message, requestedSchema: schema });
const sample = (question, maxTokens) =>
  inputRequired.createMessage({ messages: [{ role: 'user', content: { type: 'text', text: question } }], maxTokens });
// On the stream of the call that asks: the one of GET may not be open yet.
const fromClient = (ctx, method, params) => ctx.mcpReq.send({ method, params });
const answerOf = (ctx, key) => ctx.mcpReq.inputResponses?.[key];
const contentOf = (ctx, key) => {
  const answer = answerOf(ctx, key);
  return answer?.action === 'accept' && answer.content && typeof answer.content === 'object' ? answer.content : undefined;
};

const DEFAULTS = object(
  {
    name: { type: 'string', default: 'John Doe' },
    age: { type: 'integer', default: 30 },
    score: { type: 'number', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', default: true },
  },
  [],
);
const titled = (word, ...names) => names.map((title, i) => ({ const: `${word}${i + 1}`, title }));
const ENUMS = object(
  {
    untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
    titledSingle: { type: 'string', oneOf: titled('value', 'First Option', 'Second Option', 'Third Option') },
    legacyEnum: {
      type: 'string',
      enum: ['opt1', 'opt2', 'opt3'],
      enumNames: ['Option One', 'Option Two', 'Option Three'],
    },
    untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
    titledMulti: { type: 'array', items: { anyOf: titled('value', 'First Choice', 'Second Choice', 'Third Choice') } },
  },
  [],
);
const RICH_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: { address: { $anchor: 'addressDef', type: 'object', properties: { street: STRING, city: STRING } } },
  properties: {
    name: STRING,
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: STRING,
    email: STRING,
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
};

/** name -> [description, input schema, what it does] */
const TOOLS = {
  test_simple_text: ['Plain text', object(), () => text('This is a simple text response for testing.')],
  test_image_content: [
    'An image',
    object(),
    () => ({ content: [{ type: 'image', data: PNG, mimeType: 'image/png' }] }),
  ],
  test_audio_content: [
    'A sound',
    object(),
    () => ({ content: [{ type: 'audio', data: WAV, mimeType: 'audio/wav' }] }),
  ],
  test_embedded_resource: [
    'A resource within the answer',
    object(),
    () => ({
      content: [
        {
          type: 'resource',
          resource: {
            uri: 'test://embedded-resource',
            mimeType: 'text/plain',
            text: 'This is an embedded resource content.',
          },
        },
      ],
    }),
  ],
  test_multiple_content_types: [
    'Several kinds at once',
    object(),
    () => ({
      content: [
        { type: 'text', text: 'Multiple content types test:' },
        { type: 'image', data: PNG, mimeType: 'image/png' },
        {
          type: 'resource',
          resource: {
            uri: 'test://mixed-content-resource',
            mimeType: 'application/json',
            text: JSON.stringify({ test: 'data', value: 123 }),
          },
        },
      ],
    }),
  ],
  test_tool_with_logging: [
    'Logs while it works',
    object(),
    async (_, ctx) => {
      await ctx.mcpReq.log('info', 'Tool execution started');
      await wait(50);
      await ctx.mcpReq.log('info', 'Tool processing data');
      await wait(50);
      await ctx.mcpReq.log('info', 'Tool execution completed');
      return text('Logged three times.');
    },
  ],
  test_tool_with_progress: [
    'Says how far it is',
    object(),
    async (_, ctx) => {
      const progressToken = ctx.mcpReq._meta?.progressToken;
      for (const progress of [0, 50, 100]) {
        if (progressToken !== undefined)
          await ctx.mcpReq.notify({
            method: 'notifications/progress',
            params: { progressToken, progress, total: 100, message: `Completed step ${progress} of 100` },
          });
        if (progress < 100) await wait(50);
      }
      return text(`Done, for token ${progressToken}.`);
    },
  ],
  test_error_handling: [
    'Always fails',
    object(),
    () => {
      throw new Error('This tool intentionally returns an error for testing');
    },
  ],
  test_slow: [
    'Counts for a while, and says when it is stopped',
    object({ seconds: { type: 'number' } }),
    async ({ seconds }, ctx) => {
      const progressToken = ctx.mcpReq._meta?.progressToken;
      ctx.mcpReq.signal.addEventListener('abort', () => stopped.push(ctx.mcpReq.id));
      for (let step = 1; step <= seconds * 10 && !ctx.mcpReq.signal.aborted; step++) {
        await wait(100);
        if (progressToken !== undefined && step % 2 === 0)
          await ctx.mcpReq.notify({
            method: 'notifications/progress',
            params: { progressToken, progress: step, total: seconds * 10 },
          });
      }
      return text(`counted to ${seconds * 10}`);
    },
  ],
  test_stopped: ['How many slow calls were stopped', object(), () => text(String(stopped.length))],
  test_what_came: [
    'The header fields of this very request',
    object(),
    (_, ctx) => text(JSON.stringify(Object.fromEntries(ctx.http?.req?.headers ?? []))),
  ],
  test_echo: [
    'Says what it was told',
    object({ value: STRING }),
    ({ value }) => ({ ...text(value), structuredContent: { value } }),
  ],
  test_sampling: [
    'Asks the model',
    object({ prompt: STRING }),
    async ({ prompt }, ctx) => {
      const answer = await fromClient(ctx, 'sampling/createMessage', {
        messages: [{ role: 'user', content: { type: 'text', text: prompt } }],
        maxTokens: 100,
      });
      return text(`LLM response: ${answer.content?.text ?? ''}`);
    },
  ],
  test_elicitation: [
    'Asks the person',
    object({ message: STRING }),
    async ({ message }, ctx) => {
      const answer = await fromClient(ctx, 'elicitation/create', {
        message,
        requestedSchema: object({
          username: { type: 'string', description: "User's response" },
          email: { type: 'string', description: "User's email address" },
        }),
      });
      return text(`User response: action=${answer.action}, content=${JSON.stringify(answer.content ?? {})}`);
    },
  ],
  ...Object.fromEntries(
    [
      ['test_elicitation_sep1034_defaults', DEFAULTS],
      ['test_elicitation_sep1330_enums', ENUMS],
    ].map(([name, requestedSchema]) => [
      name,
      [
        'Asks the person by a form',
        object(),
        async (_, ctx) => {
          const message = 'Please look at these values';
          const answer = await fromClient(ctx, 'elicitation/create', { message, requestedSchema });
          return text(
            `Elicitation completed: action=${answer.action}, content=${JSON.stringify(answer.content ?? {})}`,
          );
        },
      ],
    ]),
  ),
  test_reconnection: [
    'Closes its stream while it works',
    object(),
    async (_, ctx) => {
      ctx.http?.closeSSE?.();
      await wait(100);
      return text('Reconnection test completed successfully.');
    },
  ],
  json_schema_2020_12_tool: [
    'Tool with JSON Schema 2020-12 features',
    RICH_SCHEMA,
    (args) => text(JSON.stringify(args)),
  ],
  test_header_region: [
    'One argument is repeated as a header field',
    object({ region: { type: 'string', 'x-mcp-header': 'Region' } }),
    ({ region }) => text(`region ${region}`),
  ],
  // The library refuses to ask a client for what it did not declare.
  test_missing_capability: [
    'Needs a client that samples',
    object(),
    (_, ctx) =>
      answerOf(ctx, 'greeting')
        ? text('The client can sample.')
        : inputRequired({ inputRequests: { greeting: sample('Generate a greeting', 50) } }),
  ],
  test_streaming_elicitation: [
    'Says how far it is, then asks',
    object(),
    async (_, ctx) => {
      const name = contentOf(ctx, 'user_name')?.name;
      if (typeof name === 'string') return text(`Hello, ${name}!`);
      const progressToken = ctx.mcpReq._meta?.progressToken;
      if (progressToken !== undefined)
        await ctx.mcpReq.notify({
          method: 'notifications/progress',
          params: { progressToken, progress: 1, total: 2 },
        });
      return inputRequired({ inputRequests: { user_name: ask('What is your name?', object({ name: STRING })) } });
    },
  ],
  test_logging_tool: [
    'Logs once',
    object(),
    async (_, ctx) => {
      await ctx.mcpReq.log('info', 'logged once');
      return text('Logged, if that was asked for.');
    },
  ],
  test_input_required_result_elicitation: [
    'Asks for a name first',
    object(),
    (_, ctx) => {
      const name = contentOf(ctx, 'user_name')?.name;
      if (typeof name === 'string') return text(`Hello, ${name}!`);
      return inputRequired({ inputRequests: { user_name: ask('What is your name?', object({ name: STRING })) } });
    },
  ],
  test_input_required_result_sampling: [
    'Asks the model first',
    object(),
    (_, ctx) => {
      const answer = answerOf(ctx, 'capital_question');
      const said = Array.isArray(answer?.content) ? answer.content[0] : answer?.content;
      if (typeof said?.text === 'string') return text(said.text);
      return inputRequired({ inputRequests: { capital_question: sample('What is the capital of France?', 100) } });
    },
  ],
  test_input_required_result_list_roots: [
    'Asks for the roots first',
    object(),
    (_, ctx) => {
      const { roots } = answerOf(ctx, 'client_roots') ?? {};
      if (Array.isArray(roots)) return text(`Roots: ${roots.map((root) => root.uri).join(', ')}`);
      return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } });
    },
  ],
  test_input_required_result_request_state: [
    'Keeps its state at the client',
    object(),
    async (_, ctx) => {
      if (contentOf(ctx, 'confirm') && ctx.mcpReq.requestState()?.step === 1) return text('state-ok');
      return inputRequired({
        inputRequests: { confirm: ask('Please confirm', object({ ok: { type: 'boolean' } })) },
        requestState: await codec.mint({ step: 1 }),
      });
    },
  ],
  test_input_required_result_multiple_inputs: [
    'Asks three things at once',
    object(),
    async (_, ctx) => {
      const name = contentOf(ctx, 'user_name')?.name;
      if (name && answerOf(ctx, 'greeting') && answerOf(ctx, 'client_roots') && ctx.mcpReq.requestState())
        return text(`Hello, ${name}: all three came.`);
      return inputRequired({
        inputRequests: {
          user_name: ask('What is your name?', object({ name: STRING })),
          greeting: sample('Generate a greeting', 50),
          client_roots: inputRequired.listRoots(),
        },
        requestState: await codec.mint({ step: 1 }),
      });
    },
  ],
  test_input_required_result_multi_round: [
    'Asks one thing after the other',
    object(),
    async (_, ctx) => {
      const state = ctx.mcpReq.requestState();
      const color = contentOf(ctx, 'step2')?.color;
      if (state?.name && color) return text(`${state.name} likes ${color}.`);
      const name = contentOf(ctx, 'step1')?.name;
      if (name)
        return inputRequired({
          inputRequests: { step2: ask('Step 2: What is your favorite color?', object({ color: STRING })) },
          requestState: await codec.mint({ name }),
        });
      return inputRequired({
        inputRequests: { step1: ask('Step 1: What is your name?', object({ name: STRING })) },
        requestState: await codec.mint({ step: 1 }),
      });
    },
  ],
  test_input_required_result_tampered_state: [
    'Notices when its state was changed',
    object(),
    async (_, ctx) => {
      if (contentOf(ctx, 'confirm') && ctx.mcpReq.requestState()) return text('untouched');
      return inputRequired({
        inputRequests: { confirm: ask('Please confirm', object({ ok: { type: 'boolean' } })) },
        requestState: await codec.mint({ step: 1 }),
      });
    },
  ],
  test_input_required_result_capabilities: [
    'Asks only for what the client can do',
    object(),
    (_, ctx, server) => {
      const can = abilities(server, ctx);
      const inputRequests = {};
      if (can.sampling) inputRequests.greeting = sample('Generate a greeting', 50);
      if (can.elicitation) inputRequests.user_name = ask('What is your name?', object({ name: STRING }));
      if (can.roots) inputRequests.client_roots = inputRequired.listRoots();
      if (Object.keys(inputRequests).length === 0 || Object.keys(inputRequests).every((key) => answerOf(ctx, key)))
        return text('There is nothing left to ask.');
      return inputRequired({ inputRequests });
    },
  ],
};

const stopped = [];

const PROMPTS = {
  test_simple_prompt: [
    'No arguments',
    undefined,
    () => ({
      messages: [{ role: 'user', content: { type: 'text', text: 'This is a simple prompt for testing.' } }],
    }),
  ],
  test_prompt_with_image: [
    'With an image',
    undefined,
    () => ({
      messages: [
        { role: 'user', content: { type: 'image', data: PNG, mimeType: 'image/png' } },
        { role: 'user', content: { type: 'text', text: 'Please analyze the image above.' } },
      ],
    }),
  ],
  test_prompt_with_arguments: [
    'Two arguments',
    object({
      arg1: { type: 'string', description: 'First test argument' },
      arg2: { type: 'string', description: 'Second test argument' },
    }),
    ({ arg1, arg2 }) => ({
      messages: [
        { role: 'user', content: { type: 'text', text: `Prompt with arguments: arg1='${arg1}', arg2='${arg2}'` } },
      ],
    }),
  ],
  test_prompt_with_embedded_resource: [
    'With a resource',
    object({ resourceUri: { type: 'string', description: 'URI of the resource to embed' } }),
    ({ resourceUri }) => ({
      messages: [
        {
          role: 'user',
          content: {
            type: 'resource',
            resource: { uri: resourceUri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' },
          },
        },
        { role: 'user', content: { type: 'text', text: 'Please process the embedded resource above.' } },
      ],
    }),
  ],
  test_input_required_result_prompt: [
    'Asks for the context first',
    undefined,
    (_, ctx) => {
      const context = contentOf(ctx, 'user_context')?.context;
      if (typeof context === 'string')
        return { messages: [{ role: 'user', content: { type: 'text', text: `In this context: ${context}` } }] };
      return inputRequired({
        inputRequests: { user_context: ask('What context should the prompt use?', object({ context: STRING })) },
      });
    },
  ],
};

function addTools(server, changed) {
  for (const [name, [description, schema, run]] of Object.entries(TOOLS)) {
    const inputSchema = fromJsonSchema(schema);
    server.registerTool(name, { description, inputSchema }, (args, ctx) => run(args, ctx, server));
  }
  for (const [kind, tell] of Object.entries(changed)) {
    server.registerTool(
      `test_trigger_${kind}_change`,
      { description: 'Says that a list has changed', inputSchema: fromJsonSchema(object()) },
      async () => {
        await tell();
        return text('told');
      },
    );
  }
}

function addPrompts(server) {
  for (const [name, [description, schema, run]] of Object.entries(PROMPTS)) {
    if (schema) server.registerPrompt(name, { description, argsSchema: fromJsonSchema(schema) }, run);
    else server.registerPrompt(name, { description }, (ctx) => run({}, ctx));
  }
}

function addResources(server) {
  const add = (name, uri, mimeType, contents) =>
    server.registerResource(name, uri, { description: name, mimeType }, () => ({
      contents: [{ uri, mimeType, ...contents }],
    }));
  add('static text', 'test://static-text', 'text/plain', { text: 'This is the content of the static text resource.' });
  add('static binary', 'test://static-binary', 'image/png', { blob: PNG });
  add('watched', 'test://watched-resource', 'text/plain', { text: 'Watched resource content.' });
  server.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined }),
    { description: 'Data by id', mimeType: 'application/json' },
    (uri, { id }) => ({
      contents: [
        {
          uri: uri.href,
          mimeType: 'application/json',
          text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }),
        },
      ],
    }),
  );
}

/** A server with everything. `notify` tells open subscriptions of the stateless era. */
export function everything(notify) {
  const server = new McpServer(
    { name: 'everything', version: '1.0.0' },
    {
      capabilities: {
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        logging: {},
        completions: {},
      },
      cacheHints: Object.fromEntries(
        ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list', 'resources/read'].map((method) => [
          method,
          { ttlMs: 60_000, cacheScope: 'public' },
        ]),
      ),
      requestState: { verify: codec.verify },
      instructions: 'A server for tests.',
    },
  );
  addTools(server, {
    tool: async () => (notify ? notify.toolsChanged() : server.sendToolListChanged()),
    prompt: async () => (notify ? notify.promptsChanged() : server.sendPromptListChanged()),
  });
  addPrompts(server);
  addResources(server);
  server.server.setRequestHandler('completion/complete', ({ params }) => {
    const words = ['paris', 'park', 'party'].filter((word) => word.startsWith(params.argument.value));
    return { completion: { values: words, total: words.length, hasMore: false } };
  });
  const watched = new Set();
  server.server.setRequestHandler('resources/subscribe', ({ params }) => (watched.add(params.uri), {}));
  server.server.setRequestHandler('resources/unsubscribe', ({ params }) => (watched.delete(params.uri), {}));
  return server;
}
