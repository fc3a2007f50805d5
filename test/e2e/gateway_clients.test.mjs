// Real clients through the gateway, in both eras: sign-in, lists cut to what the caller may use,
// step-up, long calls with progress, cancel, and going on after a cut with Last-Event-ID.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { UnauthorizedError as UnauthorizedV1 } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import { Browser } from './lib/browser.mjs';
import { Gateway, STDIO } from './lib/gateway.mjs';
import { inspect } from './lib/inspector.mjs';
import { machineToken, mcpOpen, mcpPost, signIn as tokensOf, register } from './lib/oauth.mjs';
import { Keeper, recordingFetch } from './lib/sdk.mjs';
import { PASSWORD, sleep } from './lib/world.mjs';

const READ = 'mcp:tools:read';
const SLOW = 'mcp:tools:slow';
const PROMPTS = 'mcp:prompts';

const SETTINGS = `
upstreams:
  - path: /mcp
    url: UPSTREAM
    name: Everything
    policy: everything
    scopes:
      "${READ}": Read simple things
      "${SLOW}": Run long calls
      "${PROMPTS}": Use prompts
policies:
  - name: everything
    rules:
      - name: read
        tools: [test_simple_text, test_echo, test_tool_with_progress]
        resources: ["test://static-*"]
        scopes: ["${READ}"]
        initial: true
      - name: slow
        tools: [test_slow, test_stopped, test_reconnection]
        scopes: ["${SLOW}"]
      - name: prompts
        prompts: ["*"]
        scopes: ["${PROMPTS}"]
`;

const textOf = (result) => result.content[0].text;

/** What the two SDKs do differently. */
const SDKS = {
  'SDK v1': {
    Client: ClientV1,
    Transport: TransportV1,
    Unauthorized: UnauthorizedV1,
    finish: (transport, left) => transport.finishAuth(left.searchParams.get('code')),
    options: {},
  },
  'SDK v2, handshake era': {
    Client,
    Transport: StreamableHTTPClientTransport,
    Unauthorized: UnauthorizedError,
    finish: (transport, left) => transport.finishAuth(left.searchParams),
    options: { versionNegotiation: { mode: 'legacy' } },
  },
  'SDK v2, stateless era': {
    Client,
    Transport: StreamableHTTPClientTransport,
    Unauthorized: UnauthorizedError,
    finish: (transport, left) => transport.finishAuth(left.searchParams),
    options: { versionNegotiation: { mode: 'auto' } },
    modern: true,
  },
};

function clientTests(name, sdk, world) {
  const connect = async (keeper, fetchFn) => {
    const transport = new sdk.Transport(new URL(world().mcp), {
      authProvider: keeper,
      fetch: fetchFn,
      reconnectionOptions: { initialReconnectionDelay: 50, maxReconnectionDelay: 200, reconnectionDelayGrowFactor: 1.2, maxRetries: 5 },
    });
    const client = new sdk.Client({ name: 'e2e', version: '1.0.0' }, { ...sdk.options });
    await client.connect(transport);
    return { client, transport };
  };
  const signIn = async (keeper, browser, scope) => {
    const transport = new sdk.Transport(new URL(world().mcp), { authProvider: keeper });
    const client = new sdk.Client({ name: 'e2e', version: '1.0.0' }, { ...sdk.options });
    await assert.rejects(client.connect(transport), sdk.Unauthorized);
    if (scope) keeper.asked.searchParams.set('scope', scope);
    const left = await browser.authorize(keeper.asked, { user: 'alice', password: PASSWORD });
    assert.equal(left.searchParams.get('error'), null, left.href);
    await sdk.finish(transport, left);
  };
  // SDK v1 answers a 403 with a refresh where it has a refresh token, which cannot widen a grant.
  const keeperOf = () => new Keeper({ grants: ['authorization_code'] });

  test(`${name}: signs in and calls; the era is what the client wants`, async () => {
    const keeper = keeperOf();
    const { seen, recorder } = recordingFetch();
    await signIn(keeper, new Browser(world().base));
    assert.equal(keeper.kept.scope, READ, 'the challenge asks for the first scopes alone');
    const { client } = await connect(keeper, recorder);
    assert.equal(textOf(await client.callTool({ name: 'test_simple_text', arguments: {} })), 'This is a simple text response for testing.');
    const initialized = seen.some((one) => one.body.includes('"method":"initialize"'));
    assert.equal(initialized, !sdk.modern, 'initialize belongs to the handshake era');
    await client.close();
  });

  test(`${name}: lists hold what the caller may use`, async () => {
    const keeper = keeperOf();
    await signIn(keeper, new Browser(world().base));
    const { client } = await connect(keeper);
    const list = await client.listTools();
    assert.deepEqual(list.tools.map((tool) => tool.name).sort(), ['test_echo', 'test_simple_text', 'test_tool_with_progress']);
    if (sdk.modern) assert.equal(list.cacheScope ?? 'private', 'private');
    assert.deepEqual((await client.listPrompts()).prompts, []);
    const resources = (await client.listResources()).resources.map((one) => one.uri).sort();
    assert.deepEqual(resources, ['test://static-binary', 'test://static-text']);
    assert.equal((await client.readResource({ uri: 'test://static-text' })).contents[0].text, 'This is the content of the static text resource.');
    await assert.rejects(client.readResource({ uri: 'test://watched-resource' }), 'no rule names it');
    await client.close();
  });

  test(`${name}: a call beyond the granted scope steps up, and succeeds`, async () => {
    const keeper = keeperOf();
    const browser = new Browser(world().base);
    await signIn(keeper, browser);
    const { client, transport } = await connect(keeper);
    const call = () => client.callTool({ name: 'test_slow', arguments: { seconds: 0 } });
    await assert.rejects(call(), sdk.Unauthorized);
    const asked = keeper.asked.searchParams.get('scope').split(' ');
    assert.ok(asked.includes(SLOW), String(asked));
    const left = await browser.authorize(keeper.asked, { user: 'alice', password: PASSWORD });
    await sdk.finish(transport, left);
    assert.equal(textOf(await call()), 'counted to 0');
    assert.equal(textOf(await client.callTool({ name: 'test_simple_text', arguments: {} })), 'This is a simple text response for testing.');
    await client.close();
  });

  test(`${name}: a long call says how far it is`, async () => {
    const keeper = keeperOf();
    await signIn(keeper, new Browser(world().base), `${READ} ${SLOW}`);
    const { client } = await connect(keeper);
    const progress = [];
    const result = await client.callTool({ name: 'test_slow', arguments: { seconds: 1 } }, ...callOptions(sdk, { onprogress: (one) => progress.push([one.progress, Date.now()]) }));
    assert.equal(textOf(result), 'counted to 10');
    assert.deepEqual(progress.map(([step]) => step), [2, 4, 6, 8, 10]);
    assert.ok(progress.at(-1)[1] - progress[0][1] > 300, 'as it happened, not all at the end');
    await client.close();
  });

  test(`${name}: a cancelled call stops at the server`, async () => {
    const keeper = keeperOf();
    await signIn(keeper, new Browser(world().base), `${READ} ${SLOW}`);
    const { client } = await connect(keeper);
    const stoppedNow = async () => Number(textOf(await client.callTool({ name: 'test_stopped', arguments: {} })));
    const before = await stoppedNow();
    const abort = new AbortController();
    const call = client.callTool({ name: 'test_slow', arguments: { seconds: 8 } }, ...callOptions(sdk, { signal: abort.signal, onprogress: () => {} }));
    await sleep(400);
    abort.abort('enough');
    await assert.rejects(call);
    for (let i = 0; i < 60 && (await stoppedNow()) === before; i++) await sleep(100);
    assert.equal(await stoppedNow(), before + 1, 'the server was told');
    await client.close();
  });
}

/** Options of callTool: SDK v1 has the result's schema before them. */
function callOptions(sdk, options) {
  return sdk.Client === ClientV1 ? [undefined, options] : [options];
}

// Half of the time is waiting for processes to start: the groups wait together.
describe('clients through the gateway', { concurrency: 3 }, () => {
  for (const upstream of [undefined, 'stdio']) {
    describe(`${upstream ?? 'http'} upstream`, { concurrency: 1 }, () => {
      let w;
      before(async () => {
        const settings = upstream ? SETTINGS.replace('url: UPSTREAM', `command: ${JSON.stringify(STDIO)}`) : SETTINGS;
        w = await Gateway.start({ upstream, settings });
      });
      after(() => w?.stop());

      for (const [name, sdk] of Object.entries(SDKS)) clientTests(name, sdk, () => w);

      // Each of its calls is a process that starts for seconds; what is behind the gateway is nothing to it.
      if (!upstream) test('Inspector CLI: lists what the token may use, and calls it', async () => {
        const machine = await w.machineClient(READ);
        const token = (await machineToken(w, machine)).body.access_token;
        const list = await inspect(w.mcp, token, '--method', 'tools/list');
        assert.equal(list.code, 0, list.stderr);
        const tools = JSON.parse(list.stdout).tools.map((tool) => tool.name).sort();
        assert.deepEqual(tools, ['test_echo', 'test_simple_text', 'test_tool_with_progress']);
        const call = await inspect(w.mcp, token, '--method', 'tools/call', '--tool-name', 'test_echo', '--tool-arg', 'value=hello');
        assert.equal(call.code, 0, call.stderr);
        assert.equal(textOf(JSON.parse(call.stdout)), 'hello');
        const denied = await inspect(w.mcp, token, '--method', 'tools/call', '--tool-name', 'test_slow', '--tool-arg', 'seconds=0');
        assert.notEqual(denied.code, 0, 'beyond its scope');
      });
    });
  }

  describe('going on after a cut', { concurrency: 1 }, () => {
    let w;
    let session;
    let bearer;
    before(async () => {
      w = await Gateway.start({ settings: SETTINGS });
      const client = await register(w, { scope: `${READ} ${SLOW}` });
      bearer = (await tokensOf(w, client, { scope: `${READ} ${SLOW}`, resource: w.mcp })).access_token;
      session = await mcpOpen(w.mcp, bearer);
    });
    after(() => w?.stop());

    /** The first `count` events of a stream. */
    async function events(response, count) {
      const reader = response.body.getReader();
      const decoder = new TextDecoder();
      let text = '';
      const found = () => text.split('\n\n').slice(0, -1).filter((event) => /^(id|data|event):/m.test(event));
      while (found().length < count) {
        const { done, value } = await reader.read();
        if (done) break;
        text += decoder.decode(value, { stream: true });
      }
      await reader.cancel().catch(() => {});
      return found().map((event) => ({
        id: /^id: ?(.*)$/m.exec(event)?.[1],
        data: /^data: ?(.+)$/m.exec(event)?.[1],
      }));
    }

    const headers = () => ({
      authorization: `Bearer ${bearer}`,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      'mcp-protocol-version': '2025-11-25',
      ...session.headers,
    });

    test('the answer of a call whose stream was cut comes by Last-Event-ID', async () => {
      const response = await fetch(w.mcp, {
        method: 'POST',
        headers: headers(),
        body: JSON.stringify({ jsonrpc: '2.0', id: 71, method: 'tools/call', params: { name: 'test_slow', arguments: { seconds: 1 }, _meta: { progressToken: 'p' } } }),
      });
      assert.equal(response.status, 200);
      const seen = await events(response, 2);
      const last = seen.at(-1).id;
      assert.ok(last, 'events have ids');
      await sleep(1300);
      const resumed = await fetch(w.mcp, { headers: { ...headers(), 'last-event-id': last } });
      assert.equal(resumed.status, 200, await (resumed.ok ? '' : resumed.text()));
      const rest = await events(resumed, 5);
      const answer = rest.map((event) => event.data && JSON.parse(event.data)).find((message) => message?.id === 71);
      assert.equal(textOf(answer.result), 'counted to 10');
      const steps = rest.map((event) => event.data && JSON.parse(event.data)).filter((message) => message?.params?.progressToken === 'p');
      assert.ok(steps.every((message) => message.params.progress > 2), 'nothing twice');
    });

    test('an id that is not of this stream is refused', async () => {
      for (const id of ['1', 'x'.repeat(300), 'bm90IG91cnM.AAAAAAAAAAAAAAAAAAAAAA']) {
        const answer = await fetch(w.mcp, { headers: { ...headers(), 'last-event-id': id } });
        assert.ok([400, 403, 404].includes(answer.status), `${answer.status}`);
        await answer.text();
      }
      const control = await mcpPost(w.mcp, { jsonrpc: '2.0', id: 72, method: 'ping' }, { bearer, headers: session.headers });
      assert.equal(control.status, 200);
    });
  });
});
