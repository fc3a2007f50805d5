// How soon a server answers that is started over very many live grants; and what a token request costs
// where there are 10^3, 10^5 and more: processor time of server and database, pages, bytes. The stores of
// all sizes stand side by side and are asked in turn; each request is of another grant, of 50,000 at most.
// Usage: scale.mjs LOAD_PROGRAM [SIZE...]   sizes 1000 100000 1000000 where nothing is said
import { execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { basic, register, signIn } from '../e2e/lib/oauth.mjs';
import { Cluster } from '../e2e/lib/postgres.mjs';
import { BUILD, NEWS, sleep, stop } from '../e2e/lib/world.mjs';
import { fill } from './scale_fill.mjs';
import { started } from './started.mjs';
import { LOAD, SERVER, dir, median } from './peers.mjs';

const [program, ...words] = process.argv.slice(2);
const SIZES = words.length ? words.map(Number) : [1000, 100_000, 1_000_000];
const STORES = (process.env.WARDER_BENCH_STORES ?? 'sqlite,postgres').split(',');
const ROUNDS = Number(process.env.WARDER_BENCH_ROUNDS ?? 4); // half as many of what does not grow
const SECONDS = Number(process.env.WARDER_BENCH_SECONDS ?? 1.5);
const STARTS = 3;
const AT_ONCE = 16;
const OPAQUE = 'https://opaque.example/mcp';
const ENV = { WARDER_WORKERS: '1', WARDER_LOG_LEVEL: 'warn', WARDER_REFRESH_GRACE: '600', WARDER_CLEANUP_INTERVAL: '86400', WARDER_AUDIT_ROTATE_SIZE: '1073741824' };
// What runs beside is no part of a request, and would come to one size and not to the other.
const DATABASE = { shared_buffers: '1GB', max_wal_size: '8GB', checkpoint_timeout: '30min', autovacuum: 'off', wal_level: 'minimal', max_wal_senders: '0',
  shared_preload_libraries: 'pg_stat_statements', 'pg_stat_statements.track': 'all' };

const run = (file, args, env = {}) => new Promise((resolve, reject) =>
  execFile(file, args, { env: { ...process.env, ...env }, maxBuffer: 64 << 20 }, (error, out, err) => (error ? reject(new Error(`${file}: ${err}${out}`.slice(0, 2000))) : resolve(out))));

// ---- what the kernel and the database counted ----

/** What a file of a process says; '' where it has ended. */
function proc(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** Microseconds on a processor, of all threads of a process. */
function cpuOf(pid) {
  const tasks = existsSync(`/proc/${pid}/task`) ? readdirSync(`/proc/${pid}/task`) : [];
  return tasks.reduce((sum, task) => sum + Number(proc(pid, `task/${task}/schedstat`).split(' ')[0]) / 1000, 0);
}

const processesOf = (cluster) => [cluster.child.pid, ...proc(cluster.child.pid, `task/${cluster.child.pid}/children`).split(' ').filter(Boolean).map(Number)];

/** Bytes that a process has read and written, from files or memory of files. */
function bytesOf(pid) {
  const text = proc(pid, 'io');
  return { read: Number(/rchar: (\d+)/.exec(text)[1]), written: Number(/wchar: (\d+)/.exec(text)[1]) };
}

/** The processes of the database that serve `database`. */
const backendsOf = (cluster, database) => processesOf(cluster).filter((pid) => proc(pid, 'cmdline').includes(` ${database} `));

/** Milliseconds that all processes of the database have had, with those that have ended. */
function databaseCpu(cluster) {
  if (!cluster) return 0;
  const ended = proc(cluster.child.pid, 'stat').split(') ')[1].split(' ').slice(13, 15).map(Number);
  return (ended[0] + ended[1]) * 10 + processesOf(cluster).reduce((sum, pid) => sum + cpuOf(pid) / 1000, 0);
}

/** Of each statement of a database so far: calls, pages looked at, bytes of log, whole pages in it. */
async function statements(cluster, database) {
  const text = await cluster.sql(`SELECT queryid, calls, shared_blks_hit+shared_blks_read, wal_bytes, wal_fpi, replace(left(query, 60), E'\\n', ' ') FROM pg_stat_statements s JOIN pg_database d ON d.oid=s.dbid WHERE datname='${database}'`);
  return text.split('\n').filter(Boolean).map((line) => line.split('|')).map(([id, calls, pages, wal, whole, ...query]) => ({ id, calls: Number(calls), pages: Number(pages), wal: Number(wal), whole: Number(whole), query: query.join('|') }));
}

async function counted(play, cluster) {
  const { pid } = play.w.warder.child;
  const now = { server: cpuOf(pid), database: 0, ...bytesOf(pid), pages: 0, wal: 0, whole: 0 };
  if (!cluster) return now;
  for (const one of backendsOf(cluster, play.database)) now.database += cpuOf(one);
  for (const one of await statements(cluster, play.database)) for (const name of ['pages', 'wal', 'whole']) now[name] += one[name];
  return now;
}

// ---- stores ----

async function begin(store, cluster, size) {
  const database = cluster && (await cluster.database());
  const w = await started({ sample: false, wrap: ['taskset', '-c', SERVER], store, conninfo: cluster?.conninfo(database), nodes: 1, env: ENV });
  await w.addResource(OPAQUE, ['--format', 'opaque']);
  const machine = await w.machineClient(NEWS);
  const client = await register(w);
  await signIn(w, client);
  await stop(w.warder);
  const since = Date.now();
  const { tokens, mib } = await fill(w, cluster, size);
  await w.startWarder(w.port);
  console.error(`${store}: ${size} grants, ${mib.toFixed(0)} MiB, in ${((Date.now() - since) / 1000).toFixed(0)} s`);
  return { store, size, w, database, client, machine, tokens, figures: { refresh: [], machine: [] } };
}

function request(play, work) {
  const { w } = play;
  const head = path.join(dir, `head-${work}`);
  const lines = ['POST /token HTTP/1.1', `Host: ${new URL(w.base).host}`, 'Content-Type: application/x-www-form-urlencoded'];
  if (work === 'machine') lines.push(`Authorization: ${basic(play.machine.client_id, play.machine.client_secret)}`);
  writeFileSync(head, `${lines.join('\r\n')}\r\n`);
  return [head, work === 'machine' ? `grant_type=client_credentials&scope=${encodeURIComponent(NEWS)}&resource=${encodeURIComponent(OPAQUE)}` : `grant_type=refresh_token&client_id=${play.client.client_id}&refresh_token=`];
}

async function load(play, work, seconds) {
  const tokens = path.join(dir, 'tokens');
  writeFileSync(tokens, `${play.tokens.join('\n')}\n`);
  const refresh = work === 'refresh';
  const out = await run('taskset', ['-c', LOAD, program, String(play.w.port), String(AT_ONCE), '10000', `0:${seconds}`, ...request(play, work), ...(refresh ? [tokens] : [])], { LOAD_TOKENS_OUT: refresh ? tokens : '' });
  const one = JSON.parse(out).phases[0];
  if (refresh) play.tokens = readFileSync(tokens, 'utf8').trim().split('\n');
  if (one.other || one.broken || one.late) throw new Error(`wrong answers: ${out.slice(0, 200)}`);
  return one.ok;
}

async function measure(play, work, cluster) {
  const before = await counted(play, cluster);
  const n = await load(play, work, SECONDS);
  const after = await counted(play, cluster);
  const each = Object.fromEntries(Object.keys(after).map((name) => [name, (after[name] - before[name]) / n]));
  play.figures[work].push({ ...each, cpu: each.server + each.database, rate: n / SECONDS });
}

/** From exec to /readyz and to a token, on the store as it is: milliseconds, and those on a processor. */
async function restart(play, cluster) {
  const { w } = play;
  await stop(w.warder);
  const before = databaseCpu(cluster);
  const since = performance.now();
  const child = spawn(path.join(BUILD, 'warder'), ['serve', '--listen', `127.0.0.1:${w.port}`, '--data', w.data], { env: { ...process.env, ...w.env }, stdio: 'ignore' });
  const poll = async (ask) => { for (;;) { try { const answer = await ask(); await answer.text(); if (answer.status === 200) return performance.now() - since; } catch { /* not yet */ } await sleep(2); } };
  const ready = await poll(() => fetch(`${w.base}/readyz`));
  const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: play.client.client_id, refresh_token: play.tokens[0] });
  const token = await poll(() => fetch(`${w.base}/token`, { method: 'POST', body }));
  const one = { ready, token, server: cpuOf(child.pid) / 1000, database: databaseCpu(cluster) - before };
  const gone = new Promise((resolve) => child.on('close', resolve));
  child.kill('SIGTERM');
  await gone;
  return one;
}

async function restarts(play, cluster) {
  const all = [];
  for (let i = 0; i < STARTS; i++) {
    all.push(await restart(play, cluster));
    await play.w.startWarder(play.w.port);
  }
  const of = (name) => median(all.map((one) => one[name])).toFixed(0);
  return `| ${play.store} | ${play.size} | ${of('ready')} | ${of('token')} | ${of('server')} | ${cluster ? of('database') : ''} |`;
}

// ---- the run ----

const number = (x) => (x > 0 ? x.toFixed(x < 10 ? 1 : 0) : '');
const rows = [];
const starts = [];
for (const store of STORES) {
  const cluster = store === 'postgres' ? await Cluster.start({ settings: DATABASE }) : null;
  const plays = [];
  try {
    if (cluster) await cluster.sql('CREATE EXTENSION pg_stat_statements');
    for (const size of SIZES) plays.push(await begin(store, cluster, size));
    if (cluster) for (const pid of processesOf(cluster)) await run('taskset', ['-pc', SERVER, String(pid)]).catch(() => {}); // one may have ended
    for (const work of ['refresh', 'machine']) {
      for (const play of plays) await load(play, work, 0.5); // what is prepared once, is
      for (let round = 0; round < (work === 'refresh' ? ROUNDS : Math.ceil(ROUNDS / 2)); round++) for (const play of plays) await measure(play, work, cluster);
      if (process.env.WARDER_BENCH_STATEMENTS && cluster) for (const play of plays) console.error(play.size, (await statements(cluster, play.database)).filter((one) => one.calls > 500).map((one) => `\n  ${one.calls} calls, ${(one.pages / one.calls).toFixed(2)} pages, ${(one.wal / one.calls).toFixed(0)} B, ${(one.whole / one.calls).toFixed(3)} whole: ${one.query}`).join(''));
    }
    starts.push(await restarts(plays.at(-1), cluster));
    for (const work of ['refresh', 'machine']) for (const play of plays) {
      const of = (p, name) => median(p.figures[work].map((one) => one[name]));
      const pages = cluster ? of(play, 'pages') : of(play, 'read') / 4096;
      rows.push(`| ${store} | ${work} | ${play.size} | ${number(of(play, 'cpu'))} | ${(of(play, 'cpu') / of(plays[0], 'cpu')).toFixed(2)} | ${number(of(play, 'server'))} | ${number(of(play, 'database'))} | ${number(pages)} | ${number(cluster ? of(play, 'wal') : of(play, 'written'))} | ${cluster ? of(play, 'whole').toFixed(2) : ''} | ${number(of(play, 'rate'))} |`);
    }
  } finally {
    for (const play of plays) await play.w.stop().catch((error) => console.error(error.message));
    await cluster?.stop();
  }
}
console.log('\n| store | grants | ready after ms | a token after ms | CPU ms of the server | of the database |\n|---|--:|--:|--:|--:|--:|');
console.log(starts.join('\n'));
console.log('\n| store | token request | grants | CPU us | to the first | server us | database us | pages | bytes written | whole pages | a second |\n|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|');
console.log(rows.join('\n'));
process.exit(0);
