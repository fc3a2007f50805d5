// The real binaries on free ports of loopback, with a fresh data folder each; ended with the tests.
import { execFile, spawn } from 'node:child_process';
import { appendFileSync, createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Browser } from './browser.mjs';
import { Front } from './front.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
export const ROOT = path.resolve(here, '../../..');
export const BUILD = path.resolve(process.env.WARDER_BUILD ?? path.join(ROOT, 'build'));
export const ARTIFACTS = path.resolve(process.env.WARDER_E2E_OUT ?? path.join(here, '../out'));
// Programs that are watched by another take longer for everything.
const READY_MS = Number(process.env.WARDER_E2E_READY_MS ?? 10_000);

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export const NEWS = 'news:read';
export const ANALYZE = 'sentiment:analyze';
export const PASSWORD = 'correct horse battery staple';

const PORTS = [20_000, 32_000];

function canListen(port) {
  const server = net.createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/**
 * A port that was free a moment ago. It is below those that the system gives to whoever asks for any: else
 * another's connection could have it before the program that is started over it.
 */
export async function freePort() {
  for (;;) {
    const port = PORTS[0] + Math.floor(Math.random() * (PORTS[1] - PORTS[0]));
    if (await canListen(port)) return port;
  }
}

/** A server of a test's own does not keep the process alive when the test has failed before its end. */
export function unheld(server) {
  server.unref();
  return server.on('connection', (socket) => socket.unref());
}

// What no test sends: the program went wrong, and no second try of a test undoes that.
const CRASHES = new Set(['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGSYS']);

function tellCrash(name, signal) {
  if (CRASHES.has(signal) && process.env.E2E_CRASHED) appendFileSync(process.env.E2E_CRASHED, `${name}: ${signal}\n`);
}

// Whatever happens to the tests, nothing they started outlives them.
const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a program and waits for its line "NAME: ready at URL" on standard output. */
export async function start(file, args, { env = {}, data, name = path.basename(file), wrap = [] } = {}) {
  const [program, ...words] = [...wrap, file, ...args];
  const child = spawn(program, words, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  const log = data ? createWriteStream(path.join(data, `${name}.log`), { flags: 'a' }) : null;
  const server = { child, name, out: '', err: '', url: null, exited: null };
  child.stdout.on('data', (chunk) => (server.out += chunk));
  child.stderr.on('data', (chunk) => {
    server.err = (server.err + chunk).slice(-200_000);
    log?.write(chunk);
  });
  server.done = new Promise((resolve) => {
    child.on('error', (error) => {
      server.exited = { error };
      running.delete(child);
      resolve(server.exited);
    });
    child.on('close', (code, signal) => {
      server.exited ??= { code, signal };
      tellCrash(name, signal);
      running.delete(child);
      log?.end();
      resolve(server.exited);
    });
  });
  const deadline = Date.now() + READY_MS;
  while (!server.url) {
    server.url = /ready at (\S+)/.exec(server.out)?.[1] ?? null;
    if (server.exited || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`${name} did not start: ${JSON.stringify(server.exited)} ${server.err.slice(-2000)}`);
    }
    if (!server.url) await sleep(5);
  }
  return server;
}

/** SIGTERM, and a clean end within the drain time; a sanitizer's report fails the test. */
export async function stop(server) {
  if (!server.exited) server.child.kill('SIGTERM');
  let late;
  const deadline = new Promise((resolve) => (late = setTimeout(resolve, READY_MS + 5_000, null)));
  const ended = await Promise.race([server.done, deadline]);
  clearTimeout(late);
  if (!ended) {
    server.child.kill('SIGKILL');
    throw new Error(`${server.name} did not end on SIGTERM`);
  }
  assertClean(server);
  if (ended.code !== 0) {
    throw new Error(`${server.name} ended with ${JSON.stringify(ended)}: ${server.err.slice(-3000)}`);
  }
}

function assertClean(server) {
  const report = /(ERROR: \w+Sanitizer|runtime error:)[^]*/.exec(server.err);
  if (report) throw new Error(`${server.name}: ${report[0].slice(0, 4000)}`);
}

/** Runs one command of the command line to its end. */
export function run(file, args, { env = {}, input } = {}) {
  return new Promise((resolve) => {
    const child = execFile(file, args, { env: { ...process.env, ...env }, timeout: 2 * READY_MS }, (error, stdout, stderr) => {
      tellCrash(path.basename(file), error?.signal);
      resolve({ code: error ? (error.code ?? error.signal ?? 1) : 0, stdout, stderr });
    });
    if (input !== undefined) child.stdin.end(input);
    else child.stdin.end();
  });
}

// Tests send far more than people do; the tests of the limits set their own.
export const GENEROUS = {
  WARDER_REGISTRATION_PER_MINUTE: '100000',
  WARDER_REGISTRATION_ADDRESS_PER_MINUTE: '100000',
  WARDER_TOKEN_REQUESTS_PER_MINUTE: '0',
  WARDER_TOKEN_FAILURES_PER_MINUTE: '100000',
  WARDER_PAGE_REQUESTS_PER_MINUTE: '100000',
  WARDER_FETCHES_PER_MINUTE: '100000',
  WARDER_WORKERS: '2',
};

// Where tests remember, unless they say so themselves: sqlite, postgres, or pgbouncer (postgres behind a
// pooler); and how many nodes serve.
const STORE = process.env.E2E_STORE || 'sqlite';
const NODES = Number(process.env.E2E_NODES || 1);

/** The settings of a new, empty store. conninfo: of a server that the test has by itself. */
export async function storeSettings(store, conninfo) {
  if (conninfo) return { WARDER_STORE: 'postgres', WARDER_POSTGRES: conninfo };
  if (store !== 'postgres' && store !== 'pgbouncer') return { WARDER_STORE: store };
  const { commonCluster, commonPool } = await import('./postgres.mjs');
  const cluster = await commonCluster();
  const database = await cluster.database();
  const at = store === 'postgres' ? cluster : await commonPool();
  return { WARDER_STORE: 'postgres', WARDER_POSTGRES: at.conninfo(database) };
}

/** Warder, and the sample behind it unless `sample` is false. */
export class World {
  /** nodes: with more than one, they stand behind a front that gives each request to the next. */
  static async start({ env = {}, args = [], sample = true, sampleArgs = [], users = ['alice'], wrap = [], store = STORE, conninfo, nodes = NODES } = {}) {
    const w = new World();
    w.data = mkdtempSync(path.join(os.tmpdir(), 'warder-e2e-'));
    w.args = args;
    w.sampleArgs = sampleArgs;
    w.wrap = wrap;
    w.users = {};
    try {
      w.samplePort = await freePort();
      w.mcp = `http://127.0.0.1:${w.samplePort}/mcp`;
      await w.settle({ env, store, conninfo, nodes });
      if (w.isMemory()) w.declareResource();
      await w.startAll(0);
      for (const user of users) await w.addUser(user);
      if (!w.isMemory()) await w.addResource(w.mcp);
      if (sample) await w.startSample();
    } catch (error) {
      await w.stop().catch(() => {});
      throw error;
    }
    return w;
  }

  /** Where it remembers, and who serves. */
  async settle({ env = {}, store = STORE, conninfo, nodes = NODES }) {
    this.store = await storeSettings(store, conninfo);
    this.env = { ...GENEROUS, ...this.store, ...env };
    this.nodes = [];
    this.count = nodes;
    if (nodes === 1) return;
    this.front = await Front.start();
    this.env = {
      WARDER_PUBLIC_URL: this.front.url, WARDER_TRUSTED_PROXIES: '127.0.0.1', WARDER_AUDIT_CHECKPOINT_INTERVAL: '1', ...this.env,
    };
  }

  /** Then no command reaches the store: it is in another process. */
  isMemory() {
    return this.store.WARDER_STORE === 'memory';
  }

  async startAll(port) {
    if (this.count === 1) {
      await this.startWarder(port);
      return;
    }
    await Promise.all(Array.from({ length: this.count }, (_, i) => this.startNode(i)));
    await this.meet(this.front.url);
  }

  /** The node of that place; on the port that it had before, if it is started again. */
  async startNode(i, { program = 'warder', env = {} } = {}) {
    const shared = this.store.WARDER_STORE === 'sqlite'; // one file and one trail
    const data = shared ? this.data : path.join(this.data, `node${i + 1}`);
    mkdirSync(data, { recursive: true });
    const before = this.nodes[i]?.port ?? 0;
    const server = await start(
      path.join(BUILD, program),
      ['serve', '--listen', `127.0.0.1:${before}`, '--data', data, ...this.args],
      { env: { ...this.env, ...(shared ? {} : { WARDER_NODE: `node${i + 1}` }), ...env }, data, wrap: this.wrap, name: `warder${i + 1}` },
    );
    const port = Number(/listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(server.out)[1]);
    this.nodes[i] = Object.assign(server, { port, base: `http://127.0.0.1:${port}`, data });
    this.front.put(port, i);
    return server;
  }

  async killNode(i) {
    this.nodes[i].child.kill('SIGKILL');
    await this.nodes[i].done;
    assertClean(this.nodes[i]);
  }

  async startWarder(port) {
    this.warder = await start(
      path.join(BUILD, 'warder'),
      ['serve', '--listen', `127.0.0.1:${port}`, '--data', this.data, ...this.args],
      { env: this.env, data: this.data, wrap: this.wrap },
    );
    // The port that was picked at first is kept by restarts.
    this.port = Number(/http:\/\/127\.0\.0\.1:(\d+)/.exec(this.warder.out)?.[1] ?? port);
    this.nodes = [Object.assign(this.warder, { port: this.port, base: `http://127.0.0.1:${this.port}`, data: this.data })];
    await this.meet(`http://127.0.0.1:${this.port}`);
  }

  async meet(base) {
    this.base = base;
    this.issuer = this.env.WARDER_PUBLIC_URL ?? this.base;
    const answer = await fetch(`${this.base}/.well-known/oauth-authorization-server`);
    if (answer.status !== 200) throw new Error(`metadata answered ${answer.status}`);
    this.metadata = await answer.json();
  }

  async startSample(issuer = this.issuer) {
    this.sample = await start(
      path.join(BUILD, 'finance-sentiment'),
      ['--listen', `127.0.0.1:${this.samplePort}`, '--issuer', issuer, '--resource', this.mcp,
        '--data', path.join(this.data, 'sample'), ...this.sampleArgs],
      { data: this.data, env: this.sampleEnv },
    );
  }

  /** Without a drain, as a power cut would. */
  async kill9() {
    this.warder.child.kill('SIGKILL');
    await this.warder.done;
    assertClean(this.warder);
  }

  async restart() {
    if (!this.warder.exited) await stop(this.warder);
    await this.startWarder(this.port);
  }

  /** `warder WORDS… --data DIR`; throws with its message unless `code` is what came out. */
  async cli(words, { input, code = 0 } = {}) {
    const answer = await run(path.join(BUILD, 'warder'), [...words, '--data', this.data], { input, env: this.store });
    if (code !== null && answer.code !== code) {
      throw new Error(`warder ${words.join(' ')}: exit ${answer.code}: ${answer.stderr}${answer.stdout}`);
    }
    return answer;
  }

  async addUser(name, password = PASSWORD) {
    if (this.isMemory()) await this.addFirst(name, password);
    else await this.addByCommand(name, password);
    this.users[name] = password;
  }

  /** By the link that a new server shows. */
  async addFirst(name, password) {
    const browser = new Browser(this.base);
    const { page } = await browser.get(/first account: (\S+)/.exec(this.warder.out)[1]);
    const form = page.forms[0];
    const typed = Object.fromEntries(form.fields.filter((one) => one.type === 'password').map((one) => [one.name, password]));
    const named = form.fields.find((one) => one.type === 'text');
    const done = await browser.submit(form, { ...typed, [named.name]: name });
    if (done.status >= 400) throw new Error(`no first account: ${done.text}`);
  }

  async addByCommand(name, password) {
    await this.cli(['admin', 'user', 'add', name, '--password-stdin'], { input: `${password}\n` });
  }

  /** Registers a client through the command line; the answer of --json. */
  async addClient(args) {
    const { stdout } = await this.cli(['admin', 'client', 'add', ...args, '--json']);
    return JSON.parse(stdout);
  }

  machineClient(scope = `${NEWS} ${ANALYZE}`, extra = []) {
    return this.addClient(['--name', 'Machine', '--grant', 'client_credentials', '--scope', scope, ...extra]);
  }

  addResource(uri, extra = []) {
    return this.cli(['admin', 'resource', 'add', '--uri', uri, '--name', 'Finance sentiment',
      '--scope', `${NEWS}=Read market news and its sentiment`,
      '--scope', `${ANALYZE}=Score texts that you send`,
      '--default-scope', NEWS, ...extra]);
  }

  /** The same in a settings file. */
  declareResource() {
    const file = path.join(this.data, 'resources.yaml');
    writeFileSync(file, `resources:\n  - uri: ${this.mcp}\n    name: Finance sentiment\n    scopes:\n` +
      `      "${NEWS}": Read market news and its sentiment\n      "${ANALYZE}": Score texts that you send\n    default_scopes: ["${NEWS}"]\n`);
    this.args = [...this.args, '--config', file];
  }

  /** The audit trails of all nodes, and of commands beside them, as parsed lines by their time, without
   * the checkpoints that come by the clock. */
  audit() {
    const lines = this.auditText().split('\n').filter(Boolean).map((line) => JSON.parse(line));
    const trail = lines.filter((line) => line.event !== 'checkpoint');
    return this.nodes.length > 1 ? trail.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0)) : trail;
  }

  auditText() {
    return this.trails().map((file) => readFileSync(file, 'utf8')).join('');
  }

  /** The file of each trail. */
  trails() {
    const folders = [...new Set([this.data, ...this.nodes.map((one) => one.data)])];
    return folders.map((folder) => path.join(folder, 'audit.log')).filter((file) => existsSync(file));
  }

  /** What `audit verify` says against a node's trail; none where all are good. The first signature under
   * a trail comes by the clock. */
  async faultsOfTrails() {
    const faults = [];
    for (const folder of new Set(this.nodes.map((one) => one.data))) {
      let verified = null;
      for (let tries = 0; tries < 20 && (!verified || /unproven/.test(verified.stderr)); tries++) {
        if (verified) await sleep(150);
        verified = await run(path.join(BUILD, 'warder'), ['audit', 'verify', '--max-unproven', '1000000', '--data', folder]);
      }
      if (verified.code !== 0) faults.push(`${folder}: ${verified.stdout}${verified.stderr}`);
    }
    return faults;
  }

  async stop({ keep = Boolean(process.env.WARDER_E2E_KEEP) } = {}) {
    const faults = [];
    for (const server of new Set([this.sample, this.warder, ...(this.nodes ?? [])])) {
      if (server) await stop(server).catch((fault) => faults.push(fault));
    }
    await this.front?.stop();
    if (!faults.length && !keep) rmSync(this.data, { recursive: true, force: true });
    else if (faults.length && existsSync(this.data)) console.error(`kept ${this.data}`);
    if (faults.length) throw new AggregateError(faults, faults.map((f) => f.message).join('; '));
  }
}
