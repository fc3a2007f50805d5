// What runs out: room on the disk, the right to write, descriptors, randomness. A start that cannot
// be says why and what to do; a server that runs refuses, does not spin, and goes on by itself.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, statSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Browser } from '../e2e/lib/browser.mjs';
import { authorizeUrl, goodRequest, machineToken, register, signIn } from '../e2e/lib/oauth.mjs';
import { BUILD, World, sleep } from '../e2e/lib/world.mjs';
import { Fault } from './fault.mjs';

const REQUESTS = Number(process.env.WARDER_CRASH_REQUESTS ?? 2000);

let w;
let fault;
let machine;
before(async () => {
  fault = new Fault();
  w = await World.start({ sample: false, env: fault.env });
  machine = await w.machineClient();
});
after(async () => {
  fault.disarm();
  fault.endRandomness(0);
  await w.stop();
  fault.close();
});

const limit = (what, value) => execFileSync('prlimit', ['--pid', String(w.warder.child.pid), `--${what}=${value}`]);
const descriptors = () => readdirSync(`/proc/${w.warder.child.pid}/fd`).length;
const open = () => readdirSync(`/proc/${w.warder.child.pid}/fd`).map((fd) => readlinkSync(`/proc/${w.warder.child.pid}/fd/${fd}`));

function cpuMs() {
  const fields = readFileSync(`/proc/${w.warder.child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function cpuOfASecond() {
  const before = cpuMs();
  await sleep(1000);
  return cpuMs() - before;
}

async function issues() {
  const answer = await machineToken(w, machine);
  assert.equal(answer.status, 200, answer.text);
}

/** `warder serve` on that folder, which must not come up; what it said. */
async function startRefused(data, { wrap = [], fresh = fault } = {}) {
  const [program, ...words] = [...wrap, path.join(BUILD, 'warder'), 'serve', '--listen', '127.0.0.1:0', '--data', data];
  const child = spawn(program, words, { env: { ...process.env, ...fresh.env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (err += chunk));
  const late = setTimeout(() => child.kill('SIGKILL'), 15_000);
  const { code, signal } = await new Promise((resolve) => child.on('close', (status, by) => resolve({ code: status, signal: by })));
  clearTimeout(late);
  assert.equal(signal, null, `${signal}: ${err}`);
  assert.notEqual(code, 0, out);
  assert.doesNotMatch(out, /ready at/);
  return err;
}

const STARTS = [
  ['pwrite', 'ENOSPC', /database .* the disk is full; make room/],
  ['pwrite', 'EROFS', /database .* cannot be used/],
  ['open', 'EROFS', /database .*Read-only file system.*give the setting data a folder that this user may write/],
  ['sync', 'EIO', /database .* the disk failed; look into the system's log/],
];
for (const [call, error, said] of STARTS) {
  test(`start where ${call} fails by ${error} says why and what to do`, async () => {
    const data = mkdtempSync(path.join(os.tmpdir(), 'warder-e2e-'));
    const own = new Fault();
    own.arm(call, 0, 'failEver', error);
    assert.match(await startRefused(data, { fresh: own }), said);
    own.close();
    rmSync(data, { recursive: true });
  });
}

test('attack case: OPS-021: without randomness nothing starts', async () => {
  for (const mode of [1, 2]) {
    const data = mkdtempSync(path.join(os.tmpdir(), 'warder-e2e-'));
    const own = new Fault();
    own.endRandomness(mode);
    assert.match(await startRefused(data, { fresh: own }), /no random bytes/);
    own.close();
    rmSync(data, { recursive: true });
  }
});

test('attack case: OPS-021: without randomness nothing is issued, nobody is let in, and the server stays', async () => {
  const client = await register(w);
  const browser = new Browser(w.base);
  const { parameters } = goodRequest(w, client);
  fault.endRandomness(1);
  // Where not even a name for the request can be drawn, the connection ends without a word.
  const silent = () => ({ status: 0 });
  const answers = [];
  for (let i = 0; i < 40; i++) {
    answers.push(await machineToken(w, machine).catch(silent), await browser.get(authorizeUrl(w, parameters)).catch(silent));
  }
  fault.endRandomness(0);
  for (const answer of answers) {
    assert.ok(answer.status === 0 || answer.status === 503, `${answer.status} ${answer.text}`);
    if (answer.status === 503) assert.ok(Number(answer.headers.get('retry-after')) > 0);
  }
  assert.equal(w.warder.exited, null);
  await issues();
  await signIn(w, client);
});

test('room for files runs out while the server runs, and comes back', async () => {
  const size = statSync(path.join(w.data, 'warder.db-wal')).size;
  limit('fsize', `${Math.min(size, statSync(path.join(w.data, 'audit.log')).size)}:unlimited`);
  const answer = await machineToken(w, machine);
  const spent = await cpuOfASecond();
  limit('fsize', 'unlimited:unlimited');
  assert.equal(answer.status, 503, answer.text);
  assert.ok(Number(answer.headers.get('retry-after')) > 0);
  assert.ok(spent < 300, `${spent} ms of a second`);
  await issues();
});

test('attack case: OPS-007: a start with few descriptors says so', async () => {
  const data = mkdtempSync(path.join(os.tmpdir(), 'warder-e2e-'));
  for (const few of [16, 64, 127]) {
    const said = await startRefused(data, { wrap: ['prlimit', `--nofile=${few}:${few}`] });
    assert.match(said, /the limit of open files is \d+; allow 128 at least/, `${few}: ${said}`);
  }
  rmSync(data, { recursive: true });
});

/** One connection that is kept; requests one after the other. */
function kept() {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const ask = (method, where, headers, body) => new Promise((resolve, reject) => {
    const request = http.request(`${w.base}${where}`, { method, agent, headers }, (response) => {
      let text = '';
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode, text }));
    });
    request.on('error', reject);
    request.end(body);
  });
  return { ask, end: () => agent.destroy() };
}

/** A request that has begun: its last line is sent, and the answer waited for, by end(). An idle
 * connection would be closed to make room. */
function begun() {
  const socket = net.connect(w.port, '127.0.0.1');
  const text = new Promise((resolve, reject) => {
    let all = '';
    socket.on('data', (chunk) => (all += chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(all));
  });
  socket.write(`GET /.well-known/oauth-authorization-server HTTP/1.1\r\nhost: 127.0.0.1:${w.port}\r\nconnection: close\r\n`);
  return { end: () => (socket.write('\r\n'), text) };
}

test('attack case: OPS-007: no descriptor is left: whose request has begun is served, nothing spins, nothing leaks', async () => {
  await issues();
  const used = descriptors();
  const one = begun();
  for (let i = 0; i < 50 && descriptors() === used; i++) await sleep(20);
  limit('nofile', `${descriptors()}:`);
  const waiting = Array.from({ length: 20 }, () => net.connect(w.port, '127.0.0.1').on('error', () => {}));
  const spent = await cpuOfASecond();
  const answer = await one.end();
  for (const socket of waiting) socket.destroy();
  limit('nofile', '4096:');
  assert.match(answer, /^HTTP\/1\.1 200 /);
  assert.ok(spent < 300, `${spent} ms of a second`);
  await issues();
  for (let i = 0; i < 50 && descriptors() > used + 1; i++) await sleep(20);
  assert.ok(descriptors() <= used + 1, open().join(' '));
});

test(`attack case: OPS-007: descriptors are as many after ${REQUESTS} requests as before`, { timeout: 3_600_000 }, async (t) => {
  const basic = `Basic ${Buffer.from(`${machine.client_id}:${machine.client_secret}`).toString('base64')}`;
  const headers = { authorization: basic, 'content-type': 'application/x-www-form-urlencoded' };
  const body = new URLSearchParams({ grant_type: 'client_credentials', resource: w.mcp }).toString();
  let left = 0;
  // Some connections end after some requests, some requests are bad, and one of ten is a token's.
  const run = async (i) => {
    let one = kept();
    for (let n = left--; n > 0; n = left--) {
      const bad = n % 50 === 0;
      const token = n % 10 === 0;
      const answer = token ? await one.ask('POST', '/token', headers, bad ? 'grant_type=none' : body) : await one.ask('GET', '/.well-known/oauth-authorization-server', {});
      assert.equal(answer.status, token && bad ? 400 : 200, answer.text);
      if (n % 100 === i) {
        one.end();
        one = kept();
      }
    }
    one.end();
  };
  /** So many requests; the descriptors when all connections are closed, or `most` of them stay open. */
  const descriptorsAfter = async (requests, most) => {
    left = requests;
    await Promise.all(Array.from({ length: 16 }, (_, i) => run(i)));
    for (let i = 0; i < 100 && descriptors() > most; i++) await sleep(20);
    return descriptors();
  };
  // Each worker opens the store, the trail and the randomness with its first request.
  const before = await descriptorsAfter(200, 0);
  const then = await descriptorsAfter(REQUESTS, before);
  t.diagnostic(`${before} descriptors before, ${then} after`);
  assert.ok(then <= before, open().join(' '));
});
