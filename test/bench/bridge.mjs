// The bridge and the one on npm: the same host's lines through both to the same server, turn about.
// The bridge on one core; the host's part and the server on another. Usage: bridge.mjs
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, lstatSync, realpathSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { Gateway, USE } from '../e2e/lib/gateway.mjs';
import { machineToken } from '../e2e/lib/oauth.mjs';
import { BUILD, sleep, start, stop } from '../e2e/lib/world.mjs';
import { LOAD, SERVER, children, cpuOf, dir, end, kinOf, median, memory } from './peers.mjs';

const here = path.dirname(new URL(import.meta.url).pathname);
const ROUNDS = 20;
const CALLS = 100; // one after another, in each round
const STARTS = 20;
const CROWD = 16; // calls in flight
const CROWDED = 200; // calls so, in each round
const WARM = 500; // calls before the memory is looked at
const IDLE_MS = 3000; // in which nobody says anything
const VERSION = '2025-11-25';
const WAIT_MS = 20_000;

const call = (id) => JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'test_echo', arguments: { value: 'v'.repeat(200) } } });
const INITIALIZE = JSON.stringify({
  jsonrpc: '2.0', id: 0, method: 'initialize', params: { protocolVersion: VERSION, capabilities: {}, clientInfo: { name: 'bench', version: '1' } },
});
const INITIALIZED = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' });

/** Answers by the ids of their requests; `write(text)` sends one. */
class Peer {
  constructor(write) {
    this.write = write;
    this.waiting = new Map();
  }

  take(text) {
    const message = JSON.parse(text);
    if (message.id === undefined || message.method) return;
    const one = this.waiting.get(message.id);
    if (!one) throw new Error(`an answer to nothing: ${text.slice(0, 200)}`);
    this.waiting.delete(message.id);
    if (message.error || message.result.isError) one.reject(new Error(text.slice(0, 500)));
    else one.resolve(message.result);
  }

  fail(error) {
    for (const one of this.waiting.values()) one.reject(error);
    this.waiting.clear();
  }

  ask(id, text) {
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.write(text);
    });
  }
}

/** A host's side of a bridge on standard streams. */
function bridge(kind, url) {
  const { file, args, env } = kind.of(url);
  const child = spawn('taskset', ['-c', SERVER, file, ...args], { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  children.add(child);
  const peer = new Peer((text) => child.stdin.write(`${text}\n`));
  let said = '';
  let rest = '';
  child.stderr.on('data', (chunk) => (said = (said + chunk).slice(-2000)));
  child.stdin.on('error', () => {});
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    for (const line of lines) if (line) peer.take(line);
  });
  child.on('close', () => peer.fail(new Error(`${kind.name} ended: ${said}`)));
  peer.child = child;
  peer.begin = async () => {
    const late = setTimeout(() => peer.fail(new Error(`${kind.name} is silent: ${said}`)), WAIT_MS);
    const result = await peer.ask(0, INITIALIZE);
    clearTimeout(late);
    return result;
  };
  peer.stop = () => {
    child.removeAllListeners('close');
    return end(child);
  };
  return peer;
}

/** The end of the answer that `text` begins with, and its message; null: more is to come. */
function answerIn(text) {
  const head = text.indexOf('\r\n\r\n');
  if (head < 0) return null;
  const fields = text.slice(0, head);
  const length = /\r\ncontent-length: *(\d+)/i.exec(fields);
  const till = length ? head + 4 + Number(length[1]) : text.indexOf('\r\n0\r\n\r\n', head) + 7;
  if ((!length && till < head) || text.length < till) return null;
  const body = text.slice(head + 4, till);
  return { till, fields, status: Number(fields.slice(9, 12)), message: body.slice(body.indexOf('{'), body.lastIndexOf('}') + 1) };
}

/** The same calls without a bridge, on connections that stay. */
class Direct {
  constructor(url, token) {
    const { host, pathname, port } = new URL(url);
    this.port = port;
    this.free = [];
    this.queue = [];
    this.session = '';
    this.head = `POST ${pathname} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n` +
      `MCP-Protocol-Version: ${VERSION}\r\n${token ? `Authorization: Bearer ${token}\r\n` : ''}`;
  }

  async connect() {
    const socket = net.connect({ port: this.port, host: '127.0.0.1', noDelay: true });
    socket.setEncoding('utf8');
    await new Promise((resolve, reject) => socket.on('connect', resolve).on('error', reject));
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
      const answer = answerIn(text);
      if (!answer) return;
      text = text.slice(answer.till);
      socket.done(answer);
    });
    socket.on('close', () => socket.done?.({ status: 0, message: 'closed' }));
    return socket;
  }

  async send(text) {
    const socket = this.free.pop() ?? (await this.connect());
    const answer = await new Promise((resolve) => {
      socket.done = resolve;
      socket.write(`${this.head}${this.session}Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
    });
    this.free.push(socket);
    return answer;
  }

  async begin() {
    const answer = await this.send(INITIALIZE);
    const id = /\r\nmcp-session-id: *(\S+)/i.exec(answer.fields);
    this.session = id ? `Mcp-Session-Id: ${id[1]}\r\n` : '';
  }

  write(text) {
    void this.send(text);
  }

  async ask(id, text) {
    const { status, message } = await this.send(text);
    const { result } = JSON.parse(message);
    if (status !== 200 || !result || result.isError) throw new Error(`${status} ${message}`);
    return result;
  }

  async stop() {
    for (const socket of this.free) socket.destroy();
  }
}

let lastId = 0;
async function oneCall(peer) {
  const id = ++lastId;
  const begin = process.hrtime.bigint();
  await peer.ask(id, call(id));
  return Number(process.hrtime.bigint() - begin) / 1e3;
}

async function oneByOne(peer, count) {
  const times = [];
  while (times.length < count) times.push(await oneCall(peer));
  return times;
}

/** Calls a second, with so many in flight. */
async function crowd(peer) {
  let left = CROWDED;
  const begin = process.hrtime.bigint();
  await Promise.all(Array.from({ length: CROWD }, async () => {
    while (left-- > 0) await oneCall(peer);
  }));
  return CROWDED / (Number(process.hrtime.bigint() - begin) / 1e9);
}

const at = (times, part) => [...times].sort((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * part))];
const pss = (pid) => kinOf(pid).reduce((sum, one) => sum + memory(one, 'Pss'), 0);

/** How often its threads wake up while nobody says anything: times a second. */
async function wakesOf(pid) {
  const count = () => kinOf(pid).reduce((sum, one) => sum + readdirSync(`/proc/${one}/task`).reduce((wakes, thread) =>
    wakes + Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(readFileSync(`/proc/${one}/task/${thread}/status`, 'utf8'))[1]), 0), 0);
  await sleep(500);
  const before = count();
  await sleep(IDLE_MS);
  return (count() - before) / (IDLE_MS / 1000);
}

/** How long from the start of the process to the answer to initialize: milliseconds. */
async function startOnce(kind, url) {
  const begin = process.hrtime.bigint();
  const peer = bridge(kind, url);
  await peer.begin();
  const took = Number(process.hrtime.bigint() - begin) / 1e6;
  await peer.stop();
  return took;
}

async function measure(place, url, kinds, token) {
  const figures = kinds.map((kind) => ({ place, name: kind.name, starts: [], times: [], rates: [], cpu: NaN, mib: NaN }));
  for (let i = 0; i < STARTS; i++)
    for (const [k, kind] of kinds.entries()) figures[k].starts.push(await startOnce(kind, url));
  const peers = kinds.map((kind) => bridge(kind, url));
  const direct = new Direct(url, token);
  const own = { place, name: 'no bridge', starts: [], times: [], rates: [], cpu: NaN, mib: NaN };
  try {
    for (const peer of [...peers, direct]) {
      await peer.begin();
      peer.write(INITIALIZED);
      await sleep(200);
      await oneByOne(peer, WARM);
    }
    for (const [k, peer] of peers.entries()) {
      figures[k].mib = pss(peer.child.pid);
      figures[k].wakes = await wakesOf(peer.child.pid);
    }
    const used = peers.map(() => 0);
    const all = [[direct, own], ...peers.map((peer, k) => [peer, figures[k]])];
    for (let round = 0; round < ROUNDS; round++) {
      for (const [peer, f] of all) {
        const before = peer.child ? cpuOf(peer.child.pid) : 0;
        f.times.push(...(await oneByOne(peer, CALLS)));
        if (peer.child) used[peers.indexOf(peer)] += cpuOf(peer.child.pid) - before;
      }
      for (const [peer, f] of all) f.rates.push(await crowd(peer));
    }
    for (const [k, f] of figures.entries()) f.cpu = used[k] / (ROUNDS * CALLS);
  } finally {
    for (const peer of [...peers, direct]) await peer.stop();
  }
  for (const f of [own, ...figures])
    console.error(`${place}, ${f.name}: p50 ${at(f.times, 0.5).toFixed(0)} us, ${median(f.rates).toFixed(0)}/s with ${CROWD} in flight, start ${f.starts.length ? median(f.starts).toFixed(0) : '-'} ms, ${f.mib.toFixed(1)} MiB`);
  return [own, ...figures];
}

/** What lies on the disk: KiB. Libraries that the system has anyway are counted too. */
const sizeOf = (file) => lstatSync(file).isDirectory()
  ? readdirSync(file).reduce((sum, name) => sum + sizeOf(path.join(file, name)), 0)
  : lstatSync(file).size / 1024;

function librariesOf(program) {
  const text = execFileSync('ldd', [program], { encoding: 'utf8' });
  return [...text.matchAll(/(\/\S+) \(0x/g)].reduce((sum, [, file]) => sum + sizeOf(realpathSync(file)), 0);
}

/** mcp-remote and what it needs, by its own words. */
function packagesOf(name, seen = new Set()) {
  const folder = path.join(here, 'node_modules', name);
  if (seen.has(name)) return seen;
  seen.add(name);
  const { dependencies = {} } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  for (const one of Object.keys(dependencies)) packagesOf(one, seen);
  return seen;
}

const warder = path.join(BUILD, 'warder');
const proxy = path.join(here, 'node_modules/mcp-remote/dist/proxy.js');
const keep = path.join(dir, 'mcp-remote');
mkdirSync(keep);
const npm = (...more) => ({
  name: 'mcp-remote',
  of: (url) => ({ file: process.execPath, args: [proxy, url, '--transport', 'http-only', '--allow-http', ...more], env: { MCP_REMOTE_CONFIG_DIR: keep, HOME: keep, NODE_ENV: 'production' } }),
});
const ours = (...more) => ({
  name: 'warder connect',
  of: (url) => ({ file: warder, args: ['connect', url, '--keep', 'memory', ...more], env: { HOME: keep, WARDER_LOG_LEVEL: 'warn' } }),
});

async function startServer() {
  return start(path.join(BUILD, 'warder-conformance-server'), ['--listen', '127.0.0.1:0'], { wrap: ['taskset', '-c', LOAD] });
}

/** Without a token; and behind the gateway, to which each bridge goes with its own credentials. */
async function all() {
  const server = await startServer();
  try {
    const rows = await measure('open', server.url, [ours('--grant', 'none'), npm()]);
    const w = await Gateway.start({ upstream: server.url, env: { WARDER_WORKERS: '1', WARDER_LOG_LEVEL: 'warn' }, wrap: ['taskset', '-c', LOAD] });
    try {
      const machine = await w.machineClient(USE);
      const token = (await machineToken(w, machine)).body.access_token;
      const secret = path.join(dir, 'secret');
      const info = path.join(dir, 'client.json');
      writeFileSync(secret, machine.client_secret, { mode: 0o600 });
      writeFileSync(info, JSON.stringify({ client_id: machine.client_id, client_secret: machine.client_secret }), { mode: 0o600 });
      rows.push(...(await measure('protected', w.mcp, [
        ours('--grant', 'client_credentials', '--client-id', machine.client_id, '--client-secret-file', secret),
        npm('--client-credentials', '--static-oauth-client-info', `@${info}`),
      ], token)));
    } finally {
      await w.stop();
    }
    return rows;
  } finally {
    await stop(server);
  }
}

const number = (x, digits) => (Number.isFinite(x) ? x.toFixed(digits) : '');
const rows = await all();
const version = JSON.parse(readFileSync(path.join(here, 'node_modules/mcp-remote/package.json'), 'utf8')).version;

console.log(`\nA tools/call with an argument of 200 bytes through a bridge on standard streams. The bridge on one core (CPU ${SERVER}), host and server on ${LOAD === SERVER ? 'the same: FIGURES ARE TOO LOW' : `another (CPU ${LOAD})`}; ${os.cpus()[0].model.trim()}.`);
console.log(`${ROUNDS * CALLS} calls one after another and ${ROUNDS * CROWDED} with ${CROWD} in flight, in ${ROUNDS} rounds turn about; median of ${STARTS} starts until initialize is answered; Pss after ${WARM} calls.`);
console.log(`mcp-remote ${version} on node ${process.version}, --transport http-only --allow-http; protected: the gateway, client credentials.\n`);
console.log(`| server | bridge | p50 ms | p90 ms | p99 ms | a second, ${CROWD} in flight | CPU us a call | start ms | MiB | wakes a second, idle |\n|---|---|--:|--:|--:|--:|--:|--:|--:|--:|`);
for (const f of rows)
  console.log(`| ${f.place} | ${f.name} | ${[0.5, 0.9, 0.99].map((part) => number(at(f.times, part) / 1e3, 3)).join(' | ')} | ${number(median(f.rates), 0)} | ${number(f.cpu, 0)} | ${f.starts.length ? number(median(f.starts), 1) : ''} | ${number(f.mib, 1)} | ${number(f.wakes, 1)} |`);

console.log('\n| mcp-remote to warder connect | open | protected |\n|---|--:|--:|');
const of = (place, name) => rows.find((f) => f.place === place && f.name === name);
const added = (f, part) => at(f.times, part) - at(of(f.place, 'no bridge').times, part);
const versus = (name, value, digits = 1) =>
  console.log(`| ${name} | ${['open', 'protected'].map((place) => number(value(of(place, 'mcp-remote')) / value(of(place, 'warder connect')), digits)).join(' | ')} |`);
versus('latency added to a call, p50', (f) => added(f, 0.5));
versus('latency added to a call, p90', (f) => added(f, 0.9));
versus('calls a second with many in flight', (f) => median(f.rates), 2);
versus('processor time a call', (f) => f.cpu);
versus('start', (f) => median(f.starts));
versus('memory', (f) => f.mib);
const names = [...packagesOf('mcp-remote')];
const packages = names.reduce((sum, name) => sum + sizeOf(path.join(here, 'node_modules', name)), 0);
console.log(`\nOn the disk: warder ${number(sizeOf(warder) / 1024, 1)} MiB and the system's libraries that it loads ${number(librariesOf(warder) / 1024, 1)}; mcp-remote and its ${names.length - 1} packages ${number(packages / 1024, 1)} MiB and node ${number(sizeOf(realpathSync(process.execPath)) / 1024, 1)}.`);
