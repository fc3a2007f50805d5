// Whatever comes over HTTP, a server on the kit answers as the protocol says, and goes on: requests of
// both eras, changed at random places from a seed, many at once, some of them left in the middle.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startKit } from './lib/kit.mjs';

const SEED = Number(process.env.WARDER_SEED ?? 20260728);
const REQUESTS = Number(process.env.WARDER_REQUESTS ?? 3000);
const AT_ONCE = 12;
// 500 and 503 are of the machine, and nothing that comes makes it fail.
const STATUSES = new Set([200, 202, 204, 400, 403, 404, 405, 406, 409, 413, 415, 429]);

/** Numbers below n, the same for the same seed (mulberry32). */
function dice(seed) {
  let state = seed;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

const ODD = [null, true, 0, -1, 1e308, 1.5, '', 'a', '\0', 'x'.repeat(5000), [], {}, [[[[]]]], { a: { b: {} } }, '\u202e', '../..', 9007199254740993, '=?base64?AAA?='];
const TOOLS = [
  'test_simple_text', 'test_echo', 'json_schema_2020_12_tool', 'test_header_region', 'test_tool_with_progress', 'test_elicitation', 'test_sampling', 'greet',
  'slow_compute', 'confirm_delete', 'multi_input', 'test_tool_with_task', 'test_input_required_result_multi_round', 'test_input_required_result_request_state',
  'test_input_required_result_multiple_inputs', 'test_reconnection', 'test_trigger_tool_change', 'failing_job', 'nothing',
];
const ARGUMENTS = [{}, { value: 'v' }, { region: 'r' }, { seconds: 0 }, { message: 'm' }, { prompt: 'p' }, { name: 'n' }, { filename: 'f' }, { phone: '1' }];
const ANSWERS = [{ action: 'accept', content: { name: 'x', confirm: true, ok: true, color: 'c' } }, { action: 'decline' }, { role: 'assistant', content: { type: 'text', text: 't' } }, { roots: [] }, 7, null];
const QUESTIONS = ['user_name', 'confirm', 'name', 'step1', 'step2', 'greeting', 'client_roots', 'answer'];
const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'e2e', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} }, sampling: {}, roots: {}, extensions: { 'io.modelcontextprotocol/tasks': {} } },
};
const NAMED = ['tools/call', 'prompts/get', 'resources/read', 'tasks/get', 'tasks/update', 'tasks/cancel'];

class Visitor {
  constructor(url, seed) {
    this.url = url;
    this.below = dice(seed);
    this.known = { states: ['AAAA'], tasks: ['none'], sessions: ['none'] };
    this.seen = new Map();
  }
  pick(list) {
    return list[this.below(list.length)];
  }
  one(n) {
    return this.below(n) === 0;
  }

  /** [method, params] that could be meant. */
  meant() {
    const { states, tasks } = this.known;
    const answers = () => ({ [this.pick(QUESTIONS)]: this.pick(ANSWERS) });
    const rounds = () => (this.one(3) ? { inputResponses: answers(), requestState: this.pick(states) } : {});
    return this.pick([
      () => ['tools/call', { name: this.pick(TOOLS), arguments: this.pick(ARGUMENTS), ...rounds() }],
      () => ['tools/call', { name: this.pick(TOOLS), arguments: this.pick(ARGUMENTS), ...rounds() }],
      () => ['tools/list', this.one(2) ? {} : { cursor: this.pick(ODD) }],
      () => ['resources/read', { uri: this.pick(['test://static-text', 'test://template/%41/data', 'test://template/%/data', 'x']) }],
      () => ['resources/list', {}],
      () => ['resources/templates/list', {}],
      () => ['prompts/list', {}],
      () => ['prompts/get', { name: this.pick(['test_simple_prompt', 'test_prompt_with_arguments', 'test_input_required_result_prompt']), arguments: this.pick([{}, { arg1: 'a', arg2: 'b' }, { arg1: 1 }]), ...rounds() }],
      () => ['completion/complete', { ref: this.pick([{ type: 'ref/prompt', name: 'test_prompt_with_arguments' }, { type: 'ref/resource', uri: 'test://template/{id}/data' }, { type: 'x' }]), argument: { name: this.pick(['arg1', 'id', 'q']), value: 'p' } }],
      () => ['server/discover', {}],
      () => ['tasks/get', { taskId: this.pick(tasks) }],
      () => ['tasks/cancel', { taskId: this.pick(tasks) }],
      () => ['tasks/update', { taskId: this.pick(tasks), inputResponses: answers() }],
      () => ['initialize', { protocolVersion: this.pick(['2025-11-25', '2025-06-18', '2024-01-01']), capabilities: { elicitation: {}, sampling: {} }, clientInfo: { name: 'e2e', version: '1' } }],
      () => ['ping', {}],
      () => ['logging/setLevel', { level: this.pick(['debug', 'x']) }],
      () => ['resources/subscribe', { uri: 'test://watched-resource' }],
      () => ['notifications/cancelled', { requestId: this.below(50) }],
      () => ['notifications/initialized', {}],
      () => ['subscriptions/listen', { notifications: this.pick([{}, { toolsListChanged: true }, { resourceSubscriptions: ['test://watched-resource'] }, { resourceSubscriptions: 7 }]) }],
    ])();
  }

  /** The value with something in it changed, left out or put in. */
  changed(v, depth = 0) {
    if (this.one(depth > 0 ? 8 : 40)) return this.pick(ODD);
    if (!v || typeof v !== 'object' || depth > 5) return v;
    const out = Array.isArray(v) ? [...v] : { ...v };
    const keys = Object.keys(out);
    if (keys.length === 0) return out;
    const key = this.pick(keys);
    if (this.one(6) && !Array.isArray(out)) delete out[key];
    else out[key] = this.changed(out[key], depth + 1);
    if (this.one(10) && !Array.isArray(out)) out[this.pick(['task', '_meta', 'x'])] = this.pick(ODD);
    return out;
  }

  headersOf(method, params, modern) {
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
    if (!modern) {
      if (!this.one(4)) headers['mcp-protocol-version'] = '2025-11-25';
      if (method !== 'initialize') headers['mcp-session-id'] = this.pick(this.known.sessions);
      return headers;
    }
    Object.assign(headers, { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method });
    const name = params.name ?? params.uri ?? params.taskId;
    if (NAMED.includes(method)) headers['mcp-name'] = name;
    if (params.arguments?.region) headers['mcp-param-region'] = params.arguments.region;
    return headers;
  }

  request(id) {
    const [method, params] = this.meant();
    const modern = !this.one(3);
    let message = { jsonrpc: '2.0', id, method, params: modern ? { ...params, _meta: { ...META, ...(this.one(3) ? { progressToken: `p${id}` } : {}) } } : params };
    if (method.startsWith('notifications/')) delete message.id;
    const headers = this.headersOf(method, params, modern);
    for (let changes = this.below(4) - 1; changes > 0; changes--) message = this.changed(message);
    let body = JSON.stringify(this.one(20) ? [message, message] : message);
    if (this.one(25)) body = body.slice(0, this.below(body.length + 1));
    if (this.one(40)) body = '['.repeat(this.below(300)) + body;
    if (this.one(15)) {
      const field = this.pick(['mcp-protocol-version', 'mcp-method', 'mcp-name', 'mcp-session-id', 'last-event-id', 'accept', 'content-type', 'origin']);
      headers[field] = this.pick(['', 'x', '2025-11-25', '=?base64?!!?=', 'http://evil.example', 'text/plain', 'q'.repeat(300)]);
    }
    const verb = this.one(40) ? this.pick(['GET', 'DELETE', 'PUT', 'OPTIONS', 'HEAD']) : 'POST';
    return { method: verb, headers, body: verb === 'POST' || verb === 'PUT' ? body : undefined };
  }

  remember(response, text) {
    const add = (list, value) => {
      if (value) list.push(value);
      if (list.length > 20) list.shift();
    };
    add(this.known.sessions, response.headers.get('mcp-session-id'));
    add(this.known.tasks, /"taskId":"([^"]+)"/.exec(text)?.[1]);
    const state = /"requestState":"([^"]+)"/.exec(text)?.[1];
    add(this.known.states, state && this.one(4) ? `${state.slice(0, -2)}AA` : state);
  }

  async visit(id) {
    const request = this.request(id);
    const cut = AbortSignal.timeout(this.one(8) ? 1 + this.below(20) : 400);
    const response = await fetch(this.url, { ...request, signal: cut }).catch((error) => error);
    if (response instanceof Error) {
      assert.ok(cut.aborted, `${response.cause?.code ?? response}: ${JSON.stringify(request).slice(0, 2000)}`);
      return;
    }
    const text = await response.text().catch(() => '');
    assert.ok(STATUSES.has(response.status), `${response.status} ${text}: ${JSON.stringify(request).slice(0, 2000)}`);
    // Other methods have no meaning to the protocol.
    if (request.method === 'POST' && text && /^application\/json/.test(response.headers.get('content-type') ?? ''))
      assert.equal(JSON.parse(text).jsonrpc, '2.0', `${response.status} ${text}: ${JSON.stringify(request).slice(0, 2000)}`);
    this.remember(response, text);
    this.seen.set(response.status, (this.seen.get(response.status) ?? 0) + 1);
  }
}

test(`${REQUESTS} requests from seed ${SEED}`, { timeout: 120_000 }, async () => {
  const kit = await startKit();
  try {
    const visitor = new Visitor(kit.url, SEED);
    let next = 0;
    const run = async () => {
      while (next < REQUESTS) await visitor.visit(next++);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, run));
    console.log(JSON.stringify(Object.fromEntries([...visitor.seen].sort())));
    for (const status of [200, 202, 400, 404, 413]) assert.ok(visitor.seen.get(status) > 0, `${status} was among the answers`);
    const control = await fetch(kit.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'greet' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'greet', arguments: { name: 'control' }, _meta: META } }),
    });
    assert.equal((await control.json()).result.content[0].text, 'Hello, control!');
  } finally {
    await kit.stop(); // with what sanitizers have to say
  }
});
