// warder connect as the command that local hosts run: SDK v1, SDK v2 in both eras and the Inspector,
// in front of a server that Warder protects, and of servers that speak one era alone.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { SDKS, clientTests, eraTest, inspectorTests } from './lib/client_matrix.mjs';
import { ClientHome, approves } from './lib/client_home.mjs';
import { Gateway } from './lib/gateway.mjs';
import { kitProgram, startKit } from './lib/kit.mjs';
import { OneEra } from './lib/one_era.mjs';
import { ROOT, sleep, start, stop } from './lib/world.mjs';

let kit;
let home;
let w;
before(async () => {
  kit = await startKit();
  w = await Gateway.start({ upstream: kit.url });
  home = new ClientHome({ visit: approves(w) });
  const answer = await home.run(['token', w.mcp, '--fresh', '--interactive', '--json']);
  assert.equal(answer.code, 0, answer.stderr);
});
after(async () => {
  home?.remove();
  await w?.stop();
  await kit?.stop();
});

const commandOf = (url, ...more) => {
  const [command, ...args] = home.words('connect', url, ...more);
  return { command, args, env: home.env, stderr: 'pipe' };
};

describe('clients of the bridge', { concurrency: 3 }, () => {
  describe('the same era on both sides', { concurrency: 1 }, () => {
    for (const [name, sdk] of Object.entries(SDKS)) clientTests(name, sdk, 'the bridge', () => new sdk.Stdio(commandOf(w.mcp)));
    eraTest('the bridge', () => new StdioClientTransport(commandOf(w.mcp)));
    inspectorTests('the bridge', () => {
      const { command, args } = commandOf(w.mcp);
      return ['/usr/bin/env', `XDG_STATE_HOME=${home.env.XDG_STATE_HOME}`, command, ...args];
    });
  });
  for (const [era, wanted] of [['stateless', (sdk) => !sdk.modern], ['handshake', (sdk) => sdk.modern]]) {
    describe(`a server of the ${era} era alone`, { concurrency: 1 }, () => {
      let own; // counts and changes are a server's, and others use the first one meanwhile
      let one;
      before(async () => {
        own = await startKit();
        one = await OneEra.start(era, own.url);
      });
      after(async () => {
        await one?.stop();
        await own?.stop();
      });
      for (const [name, sdk] of Object.entries(SDKS))
        if (wanted(sdk)) clientTests(name, sdk, `the bridge to a ${era} server`, () => new sdk.Stdio(commandOf(one.url, '--grant', 'none')));
    });
  }
});

describe('what happens in between', () => {
  for (const [name, sdk] of Object.entries(SDKS)) {
    test(`${name}: the server is started anew between two calls`, async () => {
      const data = mkdtempSync(path.join(os.tmpdir(), 'warder-kit-'));
      let server = await start(kitProgram(), ['--listen', '127.0.0.1:0'], { data, name: 'warder-conformance-server' });
      const { port } = new URL(server.url);
      const client = new sdk.Client({ name: 'e2e', version: '1' }, { ...sdk.options, capabilities: {} });
      try {
        await client.connect(new sdk.Stdio(commandOf(server.url, '--grant', 'none')));
        const greet = async (who) => (await sdk.call(client, { name: 'greet', arguments: { name: who } })).content[0].text;
        assert.equal(await greet('before'), 'Hello, before!');
        await stop(server);
        const late = greet('meanwhile');
        await sleep(300);
        server = await start(kitProgram(), ['--listen', `127.0.0.1:${port}`], { data, name: 'warder-conformance-server' });
        assert.equal(await late, 'Hello, meanwhile!', 'a call that was never sent waits for the server');
        assert.equal(await greet('after'), 'Hello, after!');
      } finally {
        await client.close();
        await stop(server);
        rmSync(data, { recursive: true, force: true });
      }
    });
  }

  test('Warder is started anew: nobody signs in again', async () => {
    const client = new SDKS['SDK v1'].Client({ name: 'e2e', version: '1' }, { capabilities: {} });
    const pages = home.pages().length;
    await client.connect(new SDKS['SDK v1'].Stdio(commandOf(w.mcp)));
    try {
      const call = () => client.callTool({ name: 'greet', arguments: { name: 'x' } });
      await call();
      await w.restart();
      assert.equal((await call()).content[0].text, 'Hello, x!');
      assert.equal(home.pages().length, pages);
    } finally {
      await client.close();
    }
  });
});

/** A bridge by hand: lines in, lines out. */
function byHand(url, ...more) {
  const { command, args, env } = commandOf(url, ...more);
  const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  const lines = [];
  let rest = '';
  let errors = '';
  child.stdout.on('data', (chunk) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop();
    lines.push(...parts);
  });
  child.stderr.on('data', (chunk) => (errors += chunk));
  const ended = new Promise((resolve) => child.on('close', (code) => resolve({ code, lines, rest, errors })));
  const say = (message) => child.stdin.write(`${typeof message === 'string' ? message : JSON.stringify(message)}\n`);
  const until = async (done, ms = 10_000) => {
    for (const end = Date.now() + ms; !done(); await sleep(10)) if (Date.now() > end) throw new Error(`${lines}\n${errors}`);
  };
  return { child, lines, say, until, ended, end: () => (child.stdin.end(), ended) };
}
const INITIALIZE = { jsonrpc: '2.0', id: 0, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'hand', version: '1' } } };

describe('by hand', () => {
  test('a standard stream that is closed is no riddle', async () => {
    const { command, args, env } = commandOf(w.mcp);
    for (const closed of ['<&-', '>&-', '<&- >&- 2>&-']) {
      const child = spawn('/bin/sh', ['-c', `exec "$0" "$@" ${closed}`, command, ...args], { env, stdio: ['pipe', 'ignore', 'ignore'] });
      child.stdin.on('error', () => {});
      if (closed === '>&-') child.stdin.end(`${JSON.stringify(INITIALIZE)}\n`);
      const ended = await Promise.race([new Promise((resolve) => child.on('close', () => resolve(true))), sleep(8000)]);
      if (!ended) child.kill('SIGKILL');
      assert.ok(ended, closed);
    }
  });

  test('nothing but messages comes out, and the end of input ends it', async () => {
    const b = byHand(w.mcp);
    b.say(INITIALIZE);
    await b.until(() => b.lines.length === 1);
    b.say({ jsonrpc: '2.0', method: 'notifications/initialized' });
    b.say('this is no message');
    b.say({ jsonrpc: '2.0', id: 'a', method: 'tools/call', params: { name: 'greet', arguments: { name: 'you' } } });
    await b.until(() => b.lines.some((line) => line.includes('Hello, you!')));
    const { code, lines, rest } = await b.end();
    assert.equal(code, 0);
    assert.equal(rest, '');
    const messages = lines.map((line) => JSON.parse(line));
    assert.ok(messages.every((message) => message.jsonrpc === '2.0'));
    assert.equal(messages.find((message) => message.id === 'a').result.content[0].text, 'Hello, you!');
    assert.ok(messages.some((message) => message.error?.code === -32700));
  });

  test('a server that is not there is an error of the call, in words', async () => {
    const b = byHand('http://127.0.0.1:9/mcp');
    b.say(INITIALIZE);
    await b.until(() => b.lines.length === 1, 25_000);
    const { error, id } = JSON.parse(b.lines[0]);
    assert.equal(id, 0);
    assert.match(error.message, /reach/i);
    assert.equal((await b.end()).code, 0);
  });

  test('who does not sign in gets words, not silence', async () => {
    const other = new ClientHome();
    try {
      const [command, ...args] = other.words('connect', w.mcp, '--sign-in-seconds', '1');
      const child = spawn(command, args, { env: other.env, stdio: ['pipe', 'pipe', 'ignore'] });
      child.stdin.write(`${JSON.stringify(INITIALIZE)}\n`);
      const [line] = await new Promise((resolve) => child.stdout.once('data', (chunk) => resolve(String(chunk).split('\n'))));
      assert.match(JSON.parse(line).error.message, /signed in in time/i);
      child.stdin.end();
      await new Promise((resolve) => child.on('close', resolve));
    } finally {
      other.remove();
    }
  });

  test('the lines for hosts run the bridge', async () => {
    const words = ['connect', w.mcp, '--print-config'];
    const claude = JSON.parse((await home.run([...words, 'claude'])).stdout);
    const vscode = JSON.parse((await home.run([...words, 'vscode', '--server-name', 'news'])).stdout);
    const codex = (await home.run([...words, 'codex'])).stdout;
    const [row] = Object.values(claude.mcpServers);
    assert.ok(path.isAbsolute(row.command));
    assert.deepEqual(row.args.slice(0, 2), ['connect', w.mcp]);
    assert.equal(vscode.servers.news.type, 'stdio');
    assert.match(codex, /^\[mcp_servers\.[\w-]+\]\ncommand = "\/[^"]+"\nargs = \["connect", /);
    const child = spawn(row.command, row.args, { env: home.env, stdio: ['pipe', 'pipe', 'ignore'], cwd: ROOT });
    child.stdin.write(`${JSON.stringify(INITIALIZE)}\n`);
    const [line] = await new Promise((resolve) => child.stdout.once('data', (chunk) => resolve(String(chunk).split('\n'))));
    assert.ok(JSON.parse(line).result.serverInfo.name);
    child.stdin.end();
    await new Promise((resolve) => child.on('close', resolve));
  });
});
