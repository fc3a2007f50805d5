// warder call, tools, token, logout against a server protected by Warder itself: sign-in in the
// browser, step-up, what is kept, what is printed, how it ends, and what processes are started.
import assert from 'node:assert/strict';
import { existsSync, lstatSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { ClientHome, approves } from './lib/client_home.mjs';
import { claims } from './lib/oauth.mjs';
import { SmallMcp } from './lib/small_mcp.mjs';
import { ANALYZE, BUILD, NEWS, World, run } from './lib/world.mjs';

let w;
before(async () => (w = await World.start()));
after(() => w?.stop());

let home;
beforeEach(() => (home = new ClientHome({ visit: approves(w) })));
afterEach(() => home.remove());

const signIn = async (url = w.mcp, more = []) => {
  const answer = await home.run(['token', url, '--fresh', '--json', '--interactive', ...more]);
  assert.equal(answer.code, 0, answer.stderr);
  return answer.json;
};
const NEWS_CALL = ['get_news_sentiment', '{"ticker":"ACME","limit":1}'];
const ANALYZE_CALL = ['analyze_sentiment', '{"texts":["Profit rose."]}'];

describe('a person at the command line', () => {
  test('signs in once, and calls again and again', async () => {
    const kept = await signIn();
    assert.equal(kept.resource, w.mcp);
    assert.equal(kept.issuer, w.issuer);
    assert.equal(home.visited.length, 1);
    for (let i = 0; i < 2; i++) {
      const answer = await home.run(['call', w.mcp, ...NEWS_CALL, '--json']);
      assert.equal(answer.code, 0, answer.stderr);
      assert.equal(answer.json.structuredContent.articles.length, 1);
    }
    assert.equal(home.visited.length, 1, 'no second page');
  });

  test('is asked for more scope where a tool needs it, and keeps what it had', async () => {
    const before = await signIn();
    assert.equal(before.scope, NEWS);
    const answer = await home.run(['call', w.mcp, ...ANALYZE_CALL, '--json', '--interactive']);
    assert.equal(answer.code, 0, answer.stderr);
    assert.ok(answer.json.structuredContent.results[0].score > 0);
    assert.equal(home.visited.length, 2);
    const { json } = await home.run(['token', w.mcp, '--json']);
    assert.deepEqual(json.scope.split(' ').sort(), [ANALYZE, NEWS].sort());
  });

  test('who is not there is not waited for', async () => {
    const answer = await home.run(['call', w.mcp, ...NEWS_CALL]);
    assert.equal(answer.code, 5, answer.stderr);
    assert.match(answer.stderr, /person must sign in/i);
    assert.equal(home.visited.length, 0);
  });

  test('lists tools, as lines and as JSON', async () => {
    await signIn();
    const lines = await home.run(['tools', w.mcp]);
    assert.equal(lines.code, 0, lines.stderr);
    assert.match(lines.stdout, /^get_news_sentiment {2}\S/m);
    const { json } = await home.run(['tools', w.mcp, '--json']);
    assert.ok(json.some((tool) => tool.name === 'get_news_sentiment' && tool.inputSchema));
  });

  test('the token is shown with its claims, and itself only when asked', async () => {
    const kept = await signIn();
    const shown = await home.run(['token', w.mcp]);
    const secret = (await home.run(['token', w.mcp, '--secret'])).stdout.trim();
    assert.equal(claims(secret).aud, w.mcp);
    assert.equal(kept.claims.aud, w.mcp);
    for (const text of [shown.stdout, shown.stderr, JSON.stringify(kept)]) {
      assert.ok(!text.includes(secret));
      assert.ok(!text.includes(secret.split('.')[2]));
    }
    assert.match(shown.stdout, /^issuer +http/m);
  });

  test('logout revokes, and forgets', async () => {
    await signIn();
    const secret = (await home.run(['token', w.mcp, '--secret'])).stdout.trim();
    const left = await home.run(['logout', w.mcp, '--json']);
    assert.deepEqual([left.code, left.json], [0, { kept: true, revoked: true }]);
    assert.equal((await home.run(['token', w.mcp])).code, 4);
    assert.equal((await home.run(['logout', w.mcp])).code, 4);
    for (let i = 0; i < 40; i++) {
      const answer = await fetch(w.mcp, { method: 'POST', headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream' }, body: '{"jsonrpc":"2.0","id":1,"method":"ping"}' });
      await answer.text();
      if (answer.status === 401) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.fail('the revoked token is still taken');
  });

  test('without a browser the page is printed, and the sign-in goes on', async () => {
    const seen = [];
    const other = new ClientHome();
    try {
      const { spawn } = await import('node:child_process');
      const [program, ...words] = other.words('token', w.mcp, '--fresh', '--json', '--interactive', '--no-browser');
      const child = spawn(program, words, { env: other.env, stdio: ['ignore', 'pipe', 'pipe'] });
      let out = '';
      child.stdout.on('data', (chunk) => (out += chunk));
      child.stderr.on('data', async (chunk) => {
        const url = /open this page to sign in: (\S+)/.exec(String(chunk))?.[1];
        if (url) seen.push(url), await approves(w)(url);
      });
      assert.equal(await new Promise((resolve) => child.on('close', resolve)), 0);
      assert.equal(JSON.parse(out).resource, w.mcp);
      assert.equal(seen.length, 1);
      assert.deepEqual(other.pages(), []);
    } finally {
      other.remove();
    }
  });

  test('a machine calls with its secret, and nobody is asked', async () => {
    const machine = await w.machineClient();
    const file = path.join(home.data, 'secret');
    writeFileSync(file, `${machine.client_secret}\n`, { mode: 0o600 });
    const options = ['--grant', 'client_credentials', '--client-id', machine.client_id, '--client-secret-file', file, '--scope', `${NEWS} ${ANALYZE}`];
    const answer = await home.run(['call', w.mcp, ...ANALYZE_CALL, '--json', ...options]);
    assert.equal(answer.code, 0, answer.stderr);
    assert.equal(home.visited.length, 0);
  });

  test('with --dpop the token is bound to a key, and good without it nowhere', async () => {
    const kept = await signIn(w.mcp, ['--dpop']);
    assert.equal(kept.token_type, 'DPoP');
    assert.ok(kept.claims.cnf.jkt);
  });
});

describe('how it ends', () => {
  test('arguments are a word, a file, or standard input', async () => {
    await signIn();
    const file = path.join(home.data, 'arguments.json');
    writeFileSync(file, NEWS_CALL[1]);
    for (const [word, input] of [[NEWS_CALL[1]], [`@${file}`], ['-', NEWS_CALL[1]]]) {
      const answer = await home.run(['call', w.mcp, NEWS_CALL[0], word, '--json'], { input });
      assert.equal(answer.code, 0, answer.stderr);
      assert.equal(answer.json.structuredContent.articles.length, 1);
    }
    const answer = await home.run(['call', w.mcp, NEWS_CALL[0], '@/nowhere']);
    assert.equal(answer.code, 2);
    assert.match(answer.stderr, /'\/nowhere': No such file/);
  });

  test('the codes are those of the page', async () => {
    await signIn();
    const rows = [
      [['call', w.mcp], 2],
      [['call', w.mcp, 'x', 'no json'], 2],
      [['call', 'javascript:alert(1)', 'x'], 2],
      [['call', 'file:///etc/passwd', 'x'], 2],
      [['call', w.mcp, 'no_such_tool'], 4],
      [['call', w.mcp, 'get_news_sentiment', '{"ticker":5}'], 6],
      [['tools', 'http://127.0.0.1:9/mcp'], 1],
      [['token', w.mcp, '--grant', 'password'], 2],
    ];
    for (const [words, code] of rows) {
      const answer = await home.run(words);
      // A server may refuse bad arguments as an error of the protocol, too.
      assert.ok(answer.code === code || (code === 6 && answer.code === 4), `${words.join(' ')}: ${answer.code} ${answer.stderr}`);
      assert.notEqual(answer.stderr, '');
    }
  });

  test('with --json a failure is an object, with what mends it', async () => {
    const failure = async (words, code) => {
      const answer = await home.run([...words, '--json']);
      assert.equal(answer.code, code, answer.stderr);
      assert.equal(answer.json.exit, code);
      assert.ok(answer.json.error.message && answer.json.error.mend, answer.stdout);
      assert.match(answer.stderr, /^warder: /);
      return answer.json.error;
    };
    const asked = await failure(['tools', w.mcp], 5);
    assert.equal(asked.code, 'sign_in_needed');
    assert.match(asked.rule, /^MCP 2025-11-25/);
    const missing = await failure(['tools', `${w.mcp}/`], 1);
    assert.equal(missing.code, 'http_status');
    assert.equal(missing.status, 404);
    assert.match(missing.mend, /last slash/);
    assert.equal((await failure(['call', 'http://127.0.0.1:9/mcp', 'x'], 1)).code, 'unreachable');
    assert.equal((await failure(['token', w.mcp], 4)).code, 'not_kept');
    assert.equal((await failure(['token', 'http://127.0.0.1:9/mcp', '--fresh'], 1)).code, 'unreachable');
    await signIn();
    const refused = await failure(['call', w.mcp, 'no_such_tool'], 4);
    assert.equal(refused.code, 'server_error');
    assert.equal(refused.rpc.code, -32602);
  });

  test('who wants no token, or brings one that is not taken, is told so', async () => {
    const other = new ClientHome();
    try {
      const none = await other.run(['tools', w.mcp, '--grant', 'none']);
      assert.equal(none.code, 5);
      assert.match(none.stderr, /wants a token.*--grant none/s);
      const file = path.join(other.data, 'token');
      writeFileSync(file, 'no-such-token', { mode: 0o600 });
      const given = await other.run(['tools', w.mcp, '--token-file', file]);
      assert.equal(given.code, 5);
      assert.match(given.stderr, /refuses the token that was given/);
      assert.deepEqual(other.pages(), []);
    } finally {
      other.remove();
    }
  });

  test('a secret file that others may read is refused', async () => {
    const file = path.join(home.data, 'secret');
    writeFileSync(file, 'x\n', { mode: 0o644 });
    const answer = await home.run(['call', w.mcp, 'x', '--client-id', 'a', '--client-secret-file', file]);
    assert.equal(answer.code, 3, answer.stderr);
  });
});

describe('what is kept', () => {
  // attack case: CLI-015
  test('files are for their owner alone, and hold no token in the clear', async () => {
    await signIn();
    const secret = (await home.run(['token', w.mcp, '--secret'])).stdout.trim();
    assert.equal(lstatSync(home.folder).mode & 0o777, 0o700);
    const files = readdirSync(home.folder);
    assert.ok(files.length >= 3, String(files));
    for (const name of files) {
      const file = path.join(home.folder, name);
      assert.equal(lstatSync(file).mode & 0o777, 0o600, name);
      assert.ok(!readFileSync(file).includes(secret), name);
    }
    assert.ok(!files.some((name) => name.includes('tmp')), String(files));
  });

  test('another authorization server gets another registration', async () => {
    await signIn();
    const other = await World.start();
    try {
      home.visit = approves(other);
      await signIn(other.mcp);
      const ids = await Promise.all([w, other].map(async (each) => (await home.run(['token', each.mcp, '--json'])).json.client_id));
      assert.notEqual(ids[0], ids[1]);
    } finally {
      await other.stop();
    }
  });
});

describe('what servers say', () => {
  // attack case: CLI-022
  test('no escape sequence of a server reaches a terminal', async () => {
    const EVIL = '\u001b]52;c;ZXZpbA==\u0007\u001b[2J\u009b31m\u202egnp.exe\r\nwarder: trust me';
    const evil = await SmallMcp.start({
      issuer: 'http://127.0.0.1:9',
      bend: (s, request, response, body) => {
        if (request.url !== '/mcp') return false;
        const { id, method } = JSON.parse(body || '{}');
        if (id === undefined) return s.send(response, 202), true;
        const answers = {
          initialize: { result: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: EVIL, version: EVIL } } },
          'tools/list': { result: { tools: [{ name: `x${EVIL}`, description: EVIL, inputSchema: { type: 'object' } }] } },
          'tools/call': { result: { content: [{ type: 'text', text: EVIL }] } },
        };
        const answer = answers[method] ?? { error: { code: -32601, message: EVIL } };
        return s.send(response, 200, { jsonrpc: '2.0', id, ...answer }), true;
      },
    });
    try {
      for (const words of [['tools', evil.url], ['tools', evil.url, '--json'], ['call', evil.url, 'x'], ['call', evil.url, 'x', '--json']]) {
        const { stdout, stderr, code } = await home.run([...words, '--grant', 'none']);
        assert.equal(code, 0, stderr);
        assert.doesNotMatch(stdout + stderr, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/, words.join(' '));
      }
    } finally {
      await evil.stop();
    }
  });
});

describe('what is started', () => {
  const strace = '/usr/bin/strace';
  test('no program but the one that opens the page, with one plain argument', { skip: existsSync(strace) ? false : 'there is no strace' }, async () => {
    const log = path.join(home.data, 'strace');
    const answer = await home.run(['call', w.mcp, ...NEWS_CALL, '--interactive'], { wrap: [strace, '-f', '-qq', '-s', '4096', '-e', 'trace=execve,execveat', '-o', log] });
    assert.equal(answer.code, 0, answer.stderr);
    const calls = readFileSync(log, 'utf8').split('\n').filter((line) => /execve(at)?\(/.test(line));
    assert.equal(calls.length, 2, calls.join('\n'));
    assert.match(calls[0], new RegExp(`execve\\("${path.join(BUILD, 'warder')}"`));
    const opened = /execve\("([^"]+)", \["([^"]+)", "(http:\/\/127\.0\.0\.1[^"]+)"\],/.exec(calls[1]);
    assert.ok(opened, calls[1]);
    assert.deepEqual([opened[1], opened[2]], [home.opener, home.opener]);
    assert.equal(opened[3], home.visited[0]);
  });

  test('completion and pages name the commands', async () => {
    for (const shell of ['bash', 'zsh']) {
      const script = (await run(path.join(BUILD, 'warder'), ['completion', shell])).stdout;
      assert.match(script, /'call'\) warder_options='[^']*--client-id /);
    }
    const words = 'COMP_WORDS=(warder ca) COMP_CWORD=1; _warder; echo "${COMPREPLY[@]}"; COMP_WORDS=(warder admin user "") COMP_CWORD=3; _warder; echo "${COMPREPLY[@]}"; COMP_WORDS=(warder call http://x y --js) COMP_CWORD=4; _warder; echo "${COMPREPLY[@]}"';
    const { stdout } = await run('/bin/bash', ['-c', `source <(${path.join(BUILD, 'warder')} completion bash); ${words}`]);
    assert.deepEqual(stdout.trim().split('\n').map((line) => line.trim()), ['call', 'add disable groups list password --help --version', '--json']);
  });
});
