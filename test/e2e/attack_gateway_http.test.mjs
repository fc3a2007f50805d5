// Attack cases of the area gw-http, byte by byte at the gateway, with an upstream that keeps what came.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { Gateway, USE } from './lib/gateway.mjs';
import { bytes, machineToken, mcpOpen, mcpPost } from './lib/oauth.mjs';
import { Recorder, rawUpstream } from './lib/recorder.mjs';
import { sleep } from './lib/world.mjs';

const BODY = '{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"ping_tool","arguments":{}}}';

let r;
let w;
let bearer;
let session;
before(async () => {
  r = await Recorder.start();
  w = await Gateway.start({ upstream: r.url, users: [] });
  bearer = (await machineToken(w, await w.machineClient(USE))).body.access_token;
  session = (await mcpOpen(w.mcp, bearer)).headers;
});
after(async () => {
  await w?.stop();
  await r?.stop();
});
beforeEach(() => r.forget());

/** A request that is in order, with lines of one's own: put null to leave one out. */
function request({ line = 'POST /mcp HTTP/1.1', host = `127.0.0.1:${w.port}`, length = `Content-Length: ${Buffer.byteLength(BODY)}`, more = [], body = BODY, auth = true } = {}) {
  return [line, host === null ? null : `Host: ${host}`, auth ? `Authorization: Bearer ${bearer}` : null, 'Content-Type: application/json',
    'Accept: application/json, text/event-stream', 'MCP-Protocol-Version: 2025-11-25', `Mcp-Session-Id: ${session['mcp-session-id']}`, length, ...more, '', body]
    .filter((one) => one !== null).join('\r\n');
}

const statuses = (text) => [...text.matchAll(/HTTP\/1\.[01] (\d{3})/g)].map((match) => Number(match[1]));

async function control() {
  const text = await bytes(w.mcp, request({ more: ['Connection: close'] }));
  assert.deepEqual(statuses(text), [200], text.slice(0, 300));
  assert.match(text, /ran ping_tool/);
}

/** Ticks of the processor that a process has used (proc(5)). */
function readStat(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return { utime: Number(fields[11]), stime: Number(fields[12]) };
}

/** Refused, nothing reached the upstream, and the connection takes no second request. */
async function refused(data, wanted, note) {
  r.forget();
  const text = await bytes(w.mcp, typeof data === 'string' ? data + request() : Buffer.concat([data, Buffer.from(request())]), 2500);
  const got = statuses(text);
  assert.ok(got.length <= 1, `${note}: ${got}`);
  if (got.length) assert.ok(wanted.includes(got[0]), `${note}: ${text.slice(0, 200)}`);
  assert.equal(r.seen.length, 0, `${note}: ${JSON.stringify(r.seen.map((one) => [one.method, one.body]))}`);
}

test('GWH-001 length and coding at once: refused, closed, and nothing goes on', async () => {
  const smuggled = '0\r\n\r\nG';
  await refused(request({ length: `Content-Length: ${smuggled.length}`, more: ['Transfer-Encoding: chunked'], body: smuggled }), [400], 'CL.TE');
  await refused(request({ length: 'Transfer-Encoding: chunked', more: ['Content-Length: 3'], body: '1\r\nG\r\n0\r\n\r\n' }), [400], 'TE.CL');
  for (const coding of ['Transfer-Encoding: chunked, chunked', 'Transfer-Encoding: identity', 'Transfer-Encoding: gzip, chunked', 'Transfer-Encoding : chunked', 'Transfer-Encoding: \x0bchunked',
    'Transfer_Encoding: chunked', 'Transfer-Encoding: xchunked', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: cow']) {
    await refused(request({ length: coding, body: '1\r\nG\r\n0\r\n\r\n' }), [400, 411, 501], coding);
  }
  await control();
});

test('GWH-003 forms of Content-Length: never octal, never wrapped, never forwarded twice', async () => {
  for (const value of ['+5', '-0', '0x5', '5,5', '5, 6', '5 5', '', '18446744073709551616', '-5', '5\r\nContent-Length: 6', '5\r\nContent-Length: 5', '99999999999999999999999']) {
    await refused(request({ length: `Content-Length: ${value}`, body: '12345' }), [400, 413], `"${value}"`);
  }
  await refused(request({ length: `Content_Length: ${BODY.length}` }), [400, 411], 'an underscore is no length');
  await refused(request({ length: `Content-Length: ${BODY.length}`, more: ['Content_Length: 5'] }).slice(0, -1), [400], 'nor beside one');
  await control();
});

test('GWH-005 request line and fields: whatever two readers could take differently is refused', async () => {
  const good = request();
  const host = `127.0.0.1:${w.port}`;
  const lines = ['post /mcp HTTP/1.1', 'POST  /mcp HTTP/1.1', 'POST /mcp  HTTP/1.1', 'POST /mcp#x HTTP/1.1', 'POST /mcp HTTP/1.2', 'POST /mcp HTTP/2.0', 'POST /mcp', 'POST mcp HTTP/1.1',
    `POST http://other.example/mcp HTTP/1.1`, `POST http://user@${host}/mcp HTTP/1.1`, 'POST /mcp HTTP/1.1 x', ' POST /mcp HTTP/1.1', 'POST /mcp http/1.1', 'POST /m\x00cp HTTP/1.1', 'POST /m\x7fcp HTTP/1.1',
    'PO ST /mcp HTTP/1.1', 'POST /mcp\tHTTP/1.1', 'GET /mcp HTTP/0.9'];
  for (const line of lines) await refused(request({ line }), [400, 404, 405, 421, 501, 505], line);
  const fields = ['X: a\nY: b', 'X: a\rb', 'X: a\x00b', 'X: a\r\n b', ' X: a', 'X : a', ': a', 'X y: a', 'X', 'X(y): a', `Host: ${host}`, 'X: a\r\n\tb', 'X\xe9: a'];
  for (const field of fields) await refused(request({ more: [field] }), [400, 431], JSON.stringify(field));
  for (const bad of [null, '', `${host},other.example`, 'user@127.0.0.1', '127.0.0.1:port', 'a/b']) {
    await refused(request({ host: bad }), [400, 403, 421], `Host ${bad}`);
  }
  await refused(good.replaceAll('\r\n', '\n'), [400], 'bare line feeds');
  for (const chunk of ['1 \r\nG\r\n0\r\n\r\n', '0x1\r\nG\r\n0\r\n\r\n', '1\nG\n0\n\n', '+1\r\nG\r\n0\r\n\r\n', '1;\x00\r\nG\r\n0\r\n\r\n', '1\r\nGG\r\n0\r\n\r\n', 'FFFFFFFFFFFFFFFFF\r\nG', '0\r\nContent-Length: 5\r\nbad\r\n\r\n']) {
    await refused(request({ length: 'Transfer-Encoding: chunked', body: chunk }), [400, 413], JSON.stringify(chunk));
  }
  await control();
});

test('GWH-006 Expect and early answers: no desync', async () => {
  await refused(request({ more: ['Expect: x'] }), [417], 'an unknown expectation');
  const go = await bytes(w.mcp, request({ more: ['Expect: 100-continue', 'Connection: close'] }));
  assert.deepEqual(statuses(go).filter((one) => one !== 100), [200], go);
  r.forget();
  for (const line of ['GET /mcp HTTP/1.1', 'HEAD /mcp HTTP/1.1', 'OPTIONS * HTTP/1.1', 'DELETE /nothing HTTP/1.1']) {
    const text = await bytes(w.mcp, request({ line }) + request({ more: ['Connection: close'] }), 2000);
    assert.ok(r.calls().length <= 1, `${line}: what stood in a body was taken for a request`);
    assert.ok(statuses(text).length <= 2, `${line}: ${statuses(text)}`);
    r.forget();
  }
  const early = await rawUpstream((socket, text) => {
    if (text.includes('\r\n\r\n') && !socket.answered) {
      socket.answered = true;
      socket.end('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 36\r\nConnection: close\r\n\r\n{"jsonrpc":"2.0","id":5,"result":{}}');
    }
  });
  const g = await Gateway.start({ upstream: early.url, users: [] });
  try {
    const token = (await machineToken(g, await g.machineClient(USE))).body.access_token;
    for (let i = 0; i < 5; i++) {
      const answer = await mcpPost(g.mcp, { jsonrpc: '2.0', id: 5, method: 'tools/call', params: { name: 'x', arguments: { a: 'a'.repeat(300_000) } } }, { bearer: token });
      assert.ok([200, 502].includes(answer.status), answer.text);
    }
  } finally {
    await g.stop();
    early.stop();
  }
  await control();
});

test('GWH-007 GWH-008 HTTP/2 is not spoken: its preface and its floods end the connection', async () => {
  const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
  const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
  const reset = Buffer.from([0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 8]);
  for (const flood of [settings, reset, Buffer.from([0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]), Buffer.from([0, 0, 0, 9, 0, 0, 0, 0, 1])]) {
    const begin = Date.now();
    const text = await bytes(w.base, Buffer.concat([Buffer.from(preface), ...Array.from({ length: 20_000 }, () => flood)]), 20_000);
    assert.ok(Date.now() - begin < 20_000, 'closed');
    assert.ok(statuses(text).every((one) => [400, 501, 505].includes(one)), text.slice(0, 200));
  }
  const upgrade = await bytes(w.mcp, request({ more: ['Connection: Upgrade, HTTP2-Settings, close', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'] }));
  assert.ok(!statuses(upgrade).includes(101), upgrade);
  r.forget();
  await control();
});

test('GWH-011 preflight and error paths: nothing goes on without a token, and no identity with it', async () => {
  const forged = ['X-Warder-Subject: root', 'X-Forwarded-User: root', 'X_Forwarded_User: root'];
  for (const line of ['OPTIONS /mcp HTTP/1.1', 'POST /nothing HTTP/1.1', 'PUT /mcp HTTP/1.1', 'PATCH /mcp HTTP/1.1', 'TRACE /mcp HTTP/1.1', 'CONNECT /mcp HTTP/1.1', 'GET /mcp HTTP/1.1']) {
    await bytes(w.mcp, request({ line, auth: false, more: [...forged, 'Connection: close'] }), 1500);
  }
  await bytes(w.mcp, request({ auth: false, more: forged, length: 'Content-Length: 999999999' }), 1500);
  await bytes(w.mcp, request({ auth: false, more: ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=='], line: 'GET /mcp HTTP/1.1' }), 1500);
  assert.deepEqual(r.seen, []);
  const text = await bytes(w.mcp, request({ more: [...forged, 'Connection: close'] }));
  assert.ok([200, 400].includes(statuses(text)[0]), text.slice(0, 200));
  for (const one of r.seen) assert.ok(!one.raw.includes('root'), JSON.stringify(one.raw));
  await control();
});

test('GWH-013 20,000 connections with 1,024 descriptors: no spinning, and it recovers', { timeout: 120_000 }, async () => {
  const g = await Gateway.start({ upstream: r.url, users: [], wrap: ['prlimit', '--nofile=1024:1024'] });
  const sockets = new Set();
  try {
    const token = (await machineToken(g, await g.machineClient(USE))).body.access_token;
    const ticks = () => {
      const fields = readStat(g.warder.child.pid);
      return fields.utime + fields.stime;
    };
    for (let i = 0; i < 20_000; i++) {
      const socket = net.connect(g.port, '127.0.0.1');
      socket.on('error', () => {}).on('close', () => sockets.delete(socket));
      sockets.add(socket);
      if (i % 3 === 0) socket.write('POST /mcp HTTP/1.1\r\nHost: x\r\n');
      if (i % 250 === 0) await sleep(5);
    }
    await sleep(500);
    const before = ticks();
    await sleep(2000);
    const used = ticks() - before;
    assert.ok(used < 100, `${used} ticks of 10 ms in two seconds of doing nothing`);
    assert.equal(g.warder.exited, null);
    for (const socket of sockets) socket.destroy();
    let answer;
    for (let i = 0; i < 50; i++) {
      answer = await mcpOpen(g.mcp, token).catch(() => null);
      if (answer?.status === 200) break;
      await sleep(200);
    }
    assert.equal(answer?.status, 200, 'recovers without a restart');
  } finally {
    for (const socket of sockets) socket.destroy();
    await g.stop();
  }
});

test('GWH-015 header bombs: 431 and 414', async () => {
  await refused(request({ more: Array.from({ length: 10_000 }, (_, i) => `X-${i}: a`) }), [431], '10,000 fields');
  await refused(request({ more: [`X: ${'a'.repeat(1 << 20)}`] }), [431], 'a field of 1 MiB');
  await refused(request({ more: [`Cookie: ${Array.from({ length: 100_000 }, (_, i) => `c${i}=1`).join('; ')}`] }), [431], '100,000 cookies');
  await refused(request({ line: `POST /mcp?${'a'.repeat(1 << 20)} HTTP/1.1` }), [414, 431], 'a URL of 1 MiB');
  await control();
});

test('GWH-016 names that collide cost no more than others', async () => {
  // Lists are bounded and compared one by one; what has many members is JSON, whose duplicates are
  // found without a hash that a stranger could know. The same number of random names is the yardstick.
  const of = (name) => JSON.stringify({ jsonrpc: '2.0', id: 5, method: 'tools/call', params: { name: 'ping_tool', arguments: Object.fromEntries(Array.from({ length: 8000 }, (_, i) => [name(i), 1])) } });
  const time = async (body) => {
    const times = [];
    for (let i = 0; i < 7; i++) {
      const begin = performance.now();
      const text = await bytes(w.mcp, request({ body, length: `Content-Length: ${body.length}`, more: ['Connection: close'] }));
      times.push(performance.now() - begin);
      assert.ok([200, 400, 413].includes(statuses(text)[0]), text.slice(0, 200));
    }
    return times.sort((a, b) => a - b)[3];
  };
  const pairs = ['Aa', 'BB'];
  const colliding = (i) => Array.from({ length: 13 }, (_, bit) => pairs[(i >> bit) & 1]).join('');
  const random = (i) => `${(i * 2654435761 % 4294967296).toString(36)}${'x'.repeat(26)}`.slice(0, 26);
  const [a, b] = [await time(of(random)), await time(of(colliding))];
  assert.ok(b < 3 * a + 30, `random ${a} ms, colliding ${b} ms`);
  await control();
});

test('GWH-018 Host and target choose no upstream', async () => {
  for (const host of ['internal.svc', '169.254.169.254', 'evil.test', `evil.test:${w.port}`, `127.0.0.1.evil.test:${w.port}`]) {
    await refused(request({ host }), [400, 403, 404, 421], host);
  }
  for (const line of [`POST http://evil.test/mcp HTTP/1.1`, 'POST http://169.254.169.254/mcp HTTP/1.1', 'POST //evil.test/mcp HTTP/1.1', 'POST /mcp/../../etc HTTP/1.1', 'POST /mcp/%2e%2e/admin HTTP/1.1',
    'POST /mcp%2fadmin HTTP/1.1', 'POST /MCP HTTP/1.1', 'POST /mcp;x HTTP/1.1', 'POST /mcp\\x HTTP/1.1', 'POST /mcp/x HTTP/1.1']) {
    await refused(request({ line }), [400, 403, 404, 421], line);
  }
  await control();
});

test('GWH-019 DNS rebinding and foreign pages at a loopback gateway: 403 by default', async () => {
  for (const origin of ['https://evil.test', 'null', 'http://evil.test:80', 'http://localhost.evil.test', 'file://']) {
    await refused(request({ more: [`Origin: ${origin}`] }), [403], origin);
    await refused(request({ more: [`Origin: ${origin}`], auth: false }), [403], `${origin} without a token`);
  }
  await refused(request({ host: 'evil.test' }), [403, 421], 'a foreign Host');
  const simple = await bytes(w.mcp, request({ more: ['Connection: close'] }).replace('Content-Type: application/json', 'Content-Type: text/plain'));
  assert.deepEqual(statuses(simple), [415], 'a simple request of a form');
  assert.equal(r.seen.length, 0);
  const local = await bytes(w.mcp, request({ more: ['Origin: http://localhost:6274', 'Connection: close'] }));
  assert.deepEqual(statuses(local), [200], 'a local inspector may');
  await control();
});

const ANSWERS = {
  'endless headers': (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n');
    const line = `X: ${'a'.repeat(1000)}\r\n`.repeat(50);
    const more = () => {
      while (!socket.destroyed && socket.write(line));
    };
    socket.on('drain', more);
    more();
  },
  'invalid chunking': (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n'),
  'length and coding': (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n'),
  'a flood of 1xx': (socket) => socket.write('HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n'.repeat(5000)),
  'a reset within the body': (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"jsonrpc"');
    setTimeout(() => socket.resetAndDestroy(), 20);
  },
  'no HTTP at all': (socket) => socket.end('220 smtp ready\r\n'),
  'switching protocols': (socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nrest'),
  'another type': (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>'),
};

for (const [name, say] of Object.entries(ANSWERS)) {
  test(`GWH-021 a hostile upstream, ${name}: 502, bounded, and nothing bleeds`, async () => {
    const up = await rawUpstream((socket, text) => {
      if (text.includes('\r\n\r\n') && !socket.answered) {
        socket.answered = true;
        say(socket);
      }
    });
    const g = await Gateway.start({ upstream: up.url, users: [] });
    try {
      const token = (await machineToken(g, await g.machineClient(USE))).body.access_token;
      const answer = await mcpPost(g.mcp, { jsonrpc: '2.0', id: 5, method: 'tools/call', params: { name: 'x' } }, { bearer: token }).catch((error) => ({ status: 'cut', text: String(error) }));
      assert.ok([502, 504, 'cut'].includes(answer.status), `${answer.status} ${answer.text}`);
      const after = await fetch(`${g.base}/healthz`);
      assert.equal(after.status, 200, 'and the gateway lives');
    } finally {
      await g.stop();
      up.stop();
    }
  });
}

test('GWH-021 two answers to one request: the second reaches nobody', async () => {
  const one = (id, text) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text }] } });
    return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nSet-Cookie: a=b; Domain=example.com\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\nX-Hop: x\r\n\r\n${body}`;
  };
  const up = await rawUpstream((socket, text) => {
    const requests = text.split('POST /mcp').length - 1;
    if (requests > (socket.done ?? 0) && text.endsWith('}')) {
      socket.done = requests;
      socket.write(one(5, 'mine') + one(5, 'poison'));
    }
  });
  const g = await Gateway.start({ upstream: up.url, users: [] });
  try {
    const token = (await machineToken(g, await g.machineClient(USE))).body.access_token;
    for (let i = 0; i < 10; i++) {
      const answer = await mcpPost(g.mcp, { jsonrpc: '2.0', id: 5, method: 'tools/call', params: { name: 'x' } }, { bearer: token });
      assert.ok(answer.status === 502 || answer.body.result.content[0].text === 'mine', answer.text);
      assert.equal(answer.headers.get('set-cookie'), null);
      assert.equal(answer.headers.get('keep-alive'), null);
    }
  } finally {
    await g.stop();
    up.stop();
  }
});
