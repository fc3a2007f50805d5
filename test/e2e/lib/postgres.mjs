// Throw-away PostgreSQL servers on loopback: a cluster, a primary with a streaming replica, a pooler.
// Everything stands in one folder under /tmp and ends with the tests.
import { execFile, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { freePort, sleep } from './world.mjs';

const DEBIAN = '/usr/lib/postgresql';
const BIN = newestBin();
const SERVER_USER = 'postgres';
const OWNER = 'warder'; // of databases, and no superuser
const READY_MS = 20_000;
const CONFIG = {
  listen_addresses: '127.0.0.1',
  max_connections: 60,
  shared_buffers: '32MB',
  max_wal_size: '256MB',
  wal_level: 'replica',
  max_wal_senders: 4,
  logging_collector: 'off',
  log_line_prefix: '%m [%p] ',
  timezone: 'UTC',
};

function newestBin() {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).filter((one) => existsSync(`${DEBIAN}/${one}/bin/initdb`)) : [];
  return versions.length ? `${DEBIAN}/${versions.sort((a, b) => b - a)[0]}/bin` : null;
}

export const HAS_POSTGRES = BIN !== null;

// A server refuses to run as root; then it runs as the user of Debian's package.
const ROOT = process.getuid() === 0;
const AS = ROOT ? ['setpriv', `--reuid=${SERVER_USER}`, `--regid=${SERVER_USER}`, '--clear-groups'] : [];
// Tests that are killed leave no server behind.
const SERVE = ['setpriv', '--pdeathsig', 'QUIT', ...AS.slice(1)];

function own(file) {
  return ROOT ? command(['chown', '-R', SERVER_USER, file]) : Promise.resolve();
}

const servers = new Set();
process.on('exit', () => {
  for (const one of servers) {
    one.killAtOnce();
    rmSync(one.folder, { recursive: true, force: true });
  }
});

/** Runs a program to its end; its standard output. */
function command(words, { input, env = {}, timeout = 60_000 } = {}) {
  return new Promise((resolve, reject) => {
    const child = execFile(words[0], words.slice(1), { env: { ...process.env, ...env }, timeout, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${words.join(' ')}: ${error.code ?? error.signal} ${stderr}${stdout.slice(-500)}`));
      else resolve(stdout);
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input ?? '');
  });
}

function settingsText(settings) {
  return Object.entries(settings).map(([name, value]) => `${name} = '${String(value).replaceAll("'", "''")}'\n`).join('');
}

/** The processes whose parent is `pid`. */
function childrenOf(pid) {
  const found = [];
  for (const one of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${one}/stat`, 'utf8');
      if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid) found.push(Number(one));
    } catch {
      // It ended meanwhile.
    }
  }
  return found;
}

function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch {
    // It is gone.
  }
}

function listens(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('connect', () => resolve(true));
    socket.on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

export class Cluster {
  /**
   * An empty cluster that runs. settings: of postgresql.conf, beside CONFIG. hba: its lines; all are
   * trusted unless it is given. tls: with a certificate of its own. limits: words before the
   * server's own, such as prlimit and its options.
   */
  static async start({ settings = {}, hba, tls = false, limits = [], user = 'postgres' } = {}) {
    const c = await Cluster.bare({ limits, user });
    await command([...AS, `${BIN}/initdb`, '-D', c.data, '-U', c.user, '--auth=trust', '--no-sync', '-E', 'UTF8', '--locale=C']);
    if (tls) await c.certificate();
    const own = tls ? { ssl: 'on', ssl_cert_file: path.join(c.folder, 'server.crt'), ssl_key_file: path.join(c.folder, 'server.key') } : {};
    await c.write('postgresql.auto.conf', settingsText({ ...CONFIG, unix_socket_directories: c.folder, ...own, ...settings }));
    if (hba) await c.write('pg_hba.conf', `${hba.join('\n')}\n`);
    await c.run();
    await c.sql(`CREATE ROLE ${OWNER} LOGIN`);
    return c;
  }

  /** A cluster's names, without its data. */
  static async bare({ limits = [], user = 'postgres' } = {}) {
    const c = new Cluster();
    c.folder = mkdtempSync('/tmp/warder-pg-');
    c.data = path.join(c.folder, 'data');
    c.port = await freePort();
    c.user = user;
    c.limits = limits;
    c.databases = 0;
    c.log = '';
    await own(c.folder);
    chmodSync(c.folder, 0o755); // its socket is for others, too
    servers.add(c);
    return c;
  }

  async certificate() {
    const [key, certificate] = [path.join(this.folder, 'server.key'), path.join(this.folder, 'server.crt')];
    await command(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
      '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', certificate]);
    chmodSync(key, 0o600);
    await own(this.folder);
    this.ca = certificate;
  }

  async write(name, text) {
    writeFileSync(path.join(this.data, name), text);
    await own(path.join(this.data, name));
  }

  /** Starts the server; waits until it takes connections, unless `ready` is false. */
  async run({ args = [], ready = true } = {}) {
    const words = [...SERVE, ...this.limits, `${BIN}/postgres`, '-D', this.data, '-p', String(this.port), ...args];
    const child = spawn(words[0], words.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.on('data', (chunk) => (this.log = (this.log + chunk).slice(-100_000)));
    this.child = child;
    this.ended = null;
    this.done = new Promise((resolve) => child.on('close', (code, name) => resolve((this.ended = { code, name }))));
    if (ready) await this.ready();
  }

  /** Waits for the first answer of the server; its time. */
  async ready(limit = READY_MS) {
    const until = Date.now() + limit;
    while (Date.now() < until && !this.ended) {
      if ((await listens(this.port)) && (await this.sql('SELECT 1').catch(() => null)) === '1') return Date.now();
      await sleep(20);
    }
    throw new Error(`the database server does not answer: ${this.log.slice(-2000)}`);
  }

  /** One or several statements through psql: rows, one a line, columns parted by "|". */
  async sql(text, database = 'postgres', timeout = 60_000) {
    const out = await command([`${BIN}/psql`, '-XqAt', '-v', 'ON_ERROR_STOP=1', '-h', this.folder, '-p', String(this.port), '-U', this.user, '-d', database],
      { input: text, env: { PGCONNECT_TIMEOUT: '5' }, timeout });
    return out.trimEnd();
  }

  /** A session that stays open: what it was told, it holds (locks, open transactions), until end(). */
  async session(text, database = 'postgres') {
    const child = spawn(`${BIN}/psql`, ['-XqAt', '-h', this.folder, '-p', String(this.port), '-U', this.user, '-d', database], { stdio: ['pipe', 'pipe', 'ignore'] });
    let out = '';
    child.stdout.on('data', (chunk) => (out += chunk));
    const gone = new Promise((resolve) => child.on('close', resolve));
    child.stdin.on('error', () => {});
    child.stdin.write(`${text}\n\\echo it-is-done\n`);
    while (!out.includes('it-is-done') && child.exitCode === null) await sleep(5);
    return {
      end: () => {
        child.stdin.end();
        return gone;
      },
    };
  }

  /** A new database; its name. */
  async database(name = `w${process.pid}_${++this.databases}`) {
    await this.sql(`CREATE DATABASE ${name} OWNER ${OWNER}`);
    return name;
  }

  conninfo(database, more = '') {
    return `host=127.0.0.1 port=${this.port} user=${OWNER} dbname=${database}${more && ` ${more}`}`;
  }

  /** ALTER SYSTEM and a reload. */
  async set(name, value) {
    await this.sql(`ALTER SYSTEM SET ${name} = '${value}'; SELECT pg_reload_conf()`);
  }

  /** Ends all connections of clients but one's own, to `database` alone if it is given; how many. */
  async terminate(database = '%') {
    return Number(await this.sql(`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' AND datname LIKE '${database}'`));
  }

  /** 'fast' (SIGINT) or 'immediate' (SIGQUIT, as after a crash). */
  async halt(how = 'fast') {
    if (!this.child || this.ended) return;
    signal(this.child.pid, how === 'fast' ? 'SIGINT' : 'SIGQUIT');
    await this.done;
  }

  async restart(how = 'fast') {
    await this.halt(how);
    await this.run();
  }

  killAtOnce() {
    if (!this.child || this.ended) return;
    const { pid } = this.child;
    signal(pid, 'SIGSTOP'); // so that it makes no further children
    const all = [pid, ...childrenOf(pid)];
    for (const one of all) signal(one, 'SIGKILL');
  }

  /** SIGKILL of the server with all its processes, as when a machine is gone. */
  async kill9() {
    this.killAtOnce();
    await this.done;
  }

  async stop() {
    await this.halt('immediate');
    servers.delete(this);
    // A thousand files: whoever is measured in this process meanwhile must not stand still for them.
    await rm(this.folder, { recursive: true, force: true });
  }
}

const STANDBY = 'standby';

/** A primary, and a replica that every commit waits for. */
export class Pair {
  static async start({ settings = {} } = {}) {
    const p = new Pair();
    p.primary = await Cluster.start({ settings });
    p.ports = [p.primary.port];
    p.replica = null;
    await p.addReplica();
    return p;
  }

  /** A new replica of the primary, in the place (and under the port) of one that is gone. */
  async addReplica() {
    const { primary } = this;
    const free = this.ports.find((port) => port !== primary.port);
    const r = await Cluster.bare();
    if (free) r.port = free;
    else this.ports.push(r.port);
    await command([...AS, `${BIN}/pg_basebackup`, '-h', primary.folder, '-p', String(primary.port), '-U', primary.user, '-D', r.data, '-X', 'stream', '-c', 'fast', '--no-sync']);
    await r.write('standby.signal', '');
    const kept = readFileSync(path.join(r.data, 'postgresql.auto.conf'), 'utf8')
      .split('\n').filter((line) => !/^(primary_conninfo|synchronous_standby_names|unix_socket_directories)/.test(line)).join('\n');
    await r.write('postgresql.auto.conf', `${kept}\n${settingsText({
      unix_socket_directories: r.folder,
      primary_conninfo: `host=127.0.0.1 port=${primary.port} user=${primary.user} application_name=${STANDBY}`,
    })}`);
    await r.run();
    this.replica = r;
    await primary.set('synchronous_standby_names', STANDBY);
    while ((await primary.sql(`SELECT sync_state FROM pg_stat_replication WHERE application_name = '${STANDBY}'`)) !== 'sync') await sleep(20);
  }

  conninfo(database) {
    return `host=127.0.0.1,127.0.0.1 port=${this.ports.join(',')} user=${OWNER} dbname=${database} target_session_attrs=read-write`;
  }

  /** The replica becomes the primary; when it first answered. The old one must be gone. */
  async promote() {
    this.old = this.primary;
    this.primary = this.replica;
    this.replica = null;
    await this.primary.sql('SELECT pg_promote(true)');
    return Date.now();
  }

  /** The primary dies with all its processes, and after `pause` ms the replica takes over. */
  async failOver(pause = 0) {
    await this.primary.kill9();
    const died = Date.now();
    await sleep(pause);
    const back = await this.promote();
    await this.old.stop();
    return { died, back };
  }

  async stop() {
    await this.replica?.stop();
    await this.primary.stop();
  }
}

/** pgbouncer in transaction mode before a server. */
export class Pooler {
  static async start(cluster, { port = cluster.port, settings = {} } = {}) {
    const p = new Pooler();
    p.folder = mkdtempSync('/tmp/warder-pgb-');
    p.port = await freePort();
    p.cluster = cluster;
    const all = {
      listen_addr: '127.0.0.1', listen_port: p.port, unix_socket_dir: '', auth_type: 'trust', auth_file: `${p.folder}/users`,
      pool_mode: 'transaction', default_pool_size: 20, max_client_conn: 400, server_login_retry: 1, admin_users: OWNER, ...settings,
    };
    writeFileSync(`${p.folder}/users`, `"${OWNER}" ""\n`);
    writeFileSync(`${p.folder}/ini`, `[databases]\n* = host=127.0.0.1 port=${port}\n[pgbouncer]\n${Object.entries(all).map(([name, value]) => `${name} = ${value}\n`).join('')}`);
    await own(p.folder);
    servers.add(p);
    await p.run();
    return p;
  }

  async run() {
    const words = [...SERVE, 'pgbouncer', `${this.folder}/ini`];
    this.child = spawn(words[0], words.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] });
    this.log = '';
    this.child.stderr.on('data', (chunk) => (this.log = (this.log + chunk).slice(-50_000)));
    this.ended = null;
    this.done = new Promise((resolve) => this.child.on('close', (code) => resolve((this.ended = { code }))));
    const until = Date.now() + READY_MS;
    while (!(await listens(this.port))) {
      if (this.ended || Date.now() > until) throw new Error(`pgbouncer does not start: ${this.log}`);
      await sleep(10);
    }
  }

  conninfo(database) {
    return `host=127.0.0.1 port=${this.port} user=${OWNER} dbname=${database}`;
  }

  async kill9() {
    this.killAtOnce();
    await this.done;
  }

  async restart() {
    await this.kill9();
    await this.run();
  }

  killAtOnce() {
    if (this.child && !this.ended) signal(this.child.pid, 'SIGKILL');
  }

  async stop() {
    await this.kill9();
    servers.delete(this);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

// One cluster, and one pooler, for all tests of a process that do not disturb it. They do not keep the
// process alive, and end with it.
let common = null;
let commonPooler = null;

function unheldServer(server) {
  server.child.unref();
  server.child.stderr.unref();
  return server;
}

export function commonCluster() {
  common ??= Cluster.start({ settings: { max_connections: 200 } }).then(unheldServer);
  return common;
}

export function commonPool() {
  commonPooler ??= commonCluster().then((cluster) => Pooler.start(cluster)).then(unheldServer);
  return commonPooler;
}
