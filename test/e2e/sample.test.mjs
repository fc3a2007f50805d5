// The audit trail of the protected server: each call of a tool and each refusal is one event that
// says who, which client, which tool, what was decided and why; and the chain verifies. And the
// client that README shows.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Browser } from './lib/browser.mjs';
import { analyze, callTool, getNews, machineToken, mcpOpen, mcpPost } from './lib/oauth.mjs';
import { NEWS, PASSWORD, ROOT, World } from './lib/world.mjs';

let w;
let machine;
let bearer;
before(async () => {
  w = await World.start();
  machine = await w.machineClient();
  bearer = (await machineToken(w, machine, { scope: NEWS })).body.access_token;
});
after(() => w?.stop());

const file = () => path.join(w.data, 'sample', 'audit.log');
const trail = () => readFileSync(file(), 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));

/** The events that `act` has left. */
async function eventsOf(act) {
  const before_ = trail().length;
  const answer = await act();
  return { answer, events: trail().slice(before_) };
}

const WHO = () => ({ user: machine.client_id, client: machine.client_id, scope: NEWS });
const CASES = {
  'a call': [() => getNews(w, bearer), 200, () => ({ event: 'tool_call', decision: 'allow', reason: 'ok', tool: 'get_news_sentiment', ...WHO() })],
  'arguments beside the schema': [() => callTool(w.mcp, bearer, 'get_news_sentiment', { ticker: 7 }), 200,
    () => ({ event: 'tool_call', decision: 'deny', reason: 'invalid_arguments', tool: 'get_news_sentiment', ...WHO() })],
  'a call that the tool refuses': [() => callTool(w.mcp, bearer, 'get_news_sentiment', { ticker: 'NOPE' }), 200,
    () => ({ event: 'tool_call', decision: 'allow', reason: 'tool_error', tool: 'get_news_sentiment', ...WHO() })],
  'too little scope': [() => analyze(w, bearer), 403,
    () => ({ event: 'tool_call', decision: 'deny', reason: 'insufficient_scope', tool: 'analyze_sentiment', ...WHO() })],
  'no such tool': [() => callTool(w.mcp, bearer, 'rm', {}), 200, () => ({ event: 'tool_call', decision: 'deny', reason: 'unknown_tool', tool: 'rm', ...WHO() })],
  'no token': [() => mcpOpen(w.mcp), 401, () => ({ event: 'access', decision: 'deny', reason: 'no_token' })],
  'a token that was changed': [() => mcpOpen(w.mcp, `${bearer.slice(0, -8)}AAAAAAAA`), 401, () => ({ event: 'access', decision: 'deny', reason: 'jws_signature' })],
  'a foreign page': [() => mcpPost(w.mcp, { jsonrpc: '2.0', id: 1, method: 'ping' }, { bearer, headers: { origin: 'https://evil.test' } }), 403,
    () => ({ event: 'access', decision: 'deny', reason: 'foreign_origin' })],
};

for (const [name, [act, status, expected]] of Object.entries(CASES)) {
  test(`sample's audit: ${name} is one event`, async () => {
    const { answer, events } = await eventsOf(act);
    assert.equal(answer.status, status, answer.text);
    assert.equal(events.length, 1, JSON.stringify(events));
    const [event] = events;
    assert.deepEqual({ ...event, ...expected() }, event);
    assert.equal(event.resource, w.mcp);
    assert.equal(event.address, '127.0.0.1');
    assert.match(event.request_id, /^[0-9a-f]{32}$/);
    assert.ok(Math.abs(Date.parse(event.time) - Date.now()) < 60_000, event.time);
    assert.equal('tool' in event, 'tool' in expected());
  });
}

test("sample's audit: the chain verifies, and a changed line is found", async () => {
  assert.match((await w.cli(['audit', 'verify', file()])).stdout, /the chain holds: [1-9]\d* lines/);
  const text = readFileSync(file(), 'utf8');
  assert.ok(!text.includes(bearer.split('.')[2]), 'no token in the trail');
  const forged = path.join(w.data, 'forged.log');
  writeFileSync(forged, text.replace('"decision":"deny"', '"decision":"allow"'), { mode: 0o600 });
  const found = await w.cli(['audit', 'verify', forged], { code: null });
  assert.notEqual(found.code, 0, found.stdout);
});

/** Runs samples/sdk-client over the SDK that these tests use, and plays the person. */
function runClient(tool, json) {
  const folder = path.join(w.data, 'client');
  mkdirSync(folder, { recursive: true });
  copyFileSync(path.join(ROOT, 'samples/sdk-client/client.mjs'), path.join(folder, 'client.mjs'));
  try {
    symlinkSync(path.join(ROOT, 'test/e2e/node_modules'), path.join(folder, 'node_modules'));
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  const browser = new Browser(w.base);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path.join(folder, 'client.mjs'), w.mcp, tool, json]);
    const answer = { out: '', err: '', asked: 0 };
    const visit = async (url) => (await fetch(await browser.authorize(url, { user: 'alice', password: PASSWORD }))).text();
    child.stdout.on('data', (chunk) => (answer.out += chunk));
    child.stderr.on('data', (chunk) => {
      answer.err += chunk;
      const urls = [...answer.err.matchAll(/^ {2}(http\S+)\n/gm)].map((match) => match[1]);
      for (; answer.asked < urls.length; answer.asked++) visit(urls[answer.asked]).catch(reject);
    });
    child.on('close', (code) => resolve({ ...answer, code }));
  });
}

test('sample client: signs in once and calls', { timeout: 30_000 }, async () => {
  const { code, out, err, asked } = await runClient('get_news_sentiment', '{"ticker":"ACME"}');
  assert.equal(code, 0, err);
  assert.equal(JSON.parse(out).ticker, 'ACME');
  assert.equal(asked, 1);
});

test('sample client: a tool beyond what was granted sends the person back, once', { timeout: 30_000 }, async () => {
  const { code, out, err, asked } = await runClient('analyze_sentiment', '{"text":"Profit rose to 4.1m from 3.2m."}');
  assert.equal(code, 0, err);
  assert.ok(JSON.parse(out).score > 0);
  assert.equal(asked, 2);
});
