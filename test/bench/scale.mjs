// How soon a server answers that is started over very many live grants; and what a token request costs
// where there are 10^3, 10^5 and more: processor time of server and database, pages, bytes. The stores of
// all sizes stand side by side and are asked in turn; each request is of another grant, of 50,000 at most.
// `refresh` asks for grants spread over all, whose tokens are of any age; `recent` for the tokens that this
// run has issued, in the order in which they came: grants as random as before, rows that are neighbours.
// Usage: scale.mjs LOAD_PROGRAM [SIZE...]   sizes 1000 100000 1000000 where nothing is said, and then an
// end within MOST_MS: what would take longer is left out, or measured less often, and that is said.
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
const ROUNDS = Number(process.env.WARDER_BENCH_ROUNDS ?? 4); // half as many of what is beside
const SECONDS = Number(process.env.WARDER_BENCH_SECONDS ?? 1.5);
const STARTS = 3;
const MOST_MS = 280_000; // of the process
const MEASURE_MS = 60_000; // of one store, once it is filled
const SLOWER = 2; // as much may a fill take longer than the one before says: trees outgrow caches
/** Milliseconds that are left to a store: each has its share, and what those before it have left over. */
const left = (storesAfter) => (words.length ? Infinity : (MOST_MS * (STORES.length - storesAfter)) / STORES.length - performance.now());
const TIMES = { refresh: ROUNDS, recent: Math.ceil(ROUNDS / 2), machine: Math.ceil(ROUNDS / 2) };
const WORKS = Object.keys(TIMES);
const AT_ONCE = 16;
const DETAILS = process.env.WARDER_BENCH_STATEMENTS;
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

/** Of each table and index of a database since the last time: its pages that were looked at. */
async function relations(cluster, database) {
  const text = await cluster.sql(`SELECT relname, heap_blks_hit+heap_blks_read FROM pg_statio_user_tables UNION ALL SELECT indexrelname, idx_blks_hit+idx_blks_read FROM pg_statio_user_indexes ORDER BY 2 DESC`, database);
  await cluster.sql('SELECT pg_stat_reset()', database);
  return text.split('\n').filter(Boolean).map((line) => line.split('|')).map(([name, pages]) => ({ name, pages: Number(pages) }));
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
  return { store, size, w, database, client, machine, tokens, issued: 0, took: Date.now() - since, figures: Object.fromEntries(WORKS.map((work) => [work, []])) };
}

function request(play, work) {
  const { w } = play;
  const head = path.join(dir, `head-${work}`);
  const lines = ['POST /token HTTP/1.1', `Host: ${new URL(w.base).host}`, 'Content-Type: application/x-www-form-urlencoded'];
  if (work === 'machine') lines.push(`Authorization: ${basic(play.machine.client_id, play.machine.client_secret)}`);
  writeFileSync(head, `${lines.join('\r\n')}\r\n`);
  return [head, work === 'machine' ? `grant_type=client_credentials&scope=${encodeURIComponent(NEWS)}&resource=${encodeURIComponent(OPAQUE)}` : `grant_type=refresh_token&client_id=${play.client.client_id}&refresh_token=`];
}

/** The tokens that a load takes, first the one whose turn was longest ago, and those it leaves alone. */
function taken(play, work) {
  const at = work === 'recent' ? Math.max(0, play.tokens.length - play.issued) : 0;
  return { kept: play.tokens.slice(0, at), taken: play.tokens.slice(at) };
}

async function load(play, work, seconds) {
  const tokens = path.join(dir, 'tokens');
  const of = taken(play, work);
  writeFileSync(tokens, `${of.taken.join('\n')}\n`);
  const refresh = work !== 'machine';
  const out = await run('taskset', ['-c', LOAD, program, String(play.w.port), String(AT_ONCE), '10000', `0:${seconds}`, ...request(play, work), ...(refresh ? [tokens] : [])], { LOAD_TOKENS_OUT: refresh ? tokens : '' });
  const one = JSON.parse(out).phases[0];
  if (refresh) play.tokens = [...of.kept, ...readFileSync(tokens, 'utf8').trim().split('\n')];
  if (work === 'refresh') play.issued += one.ok;
  if (one.other || one.broken || one.late) throw new Error(`wrong answers: ${out.slice(0, 200)}`);
  return one.ok;
}

async function measure(play, work, cluster) {
  const before = await counted(play, cluster);
  const n = await load(play, work, SECONDS);
  const after = await counted(play, cluster);
  const each = Object.fromEntries(Object.keys(after).map((name) => [name, (after[name] - before[name]) / n]));
  play.figures[work].push({ ...each, n, cpu: each.server + each.database, rate: n / SECONDS });
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

async function restarts(play, cluster, storesAfter) {
  const all = [];
  do {
    all.push(await restart(play, cluster));
    await play.w.startWarder(play.w.port);
  } while (all.length < STARTS && left(storesAfter) > 0);
  const of = (name) => median(all.map((one) => one[name])).toFixed(0);
  return `| ${play.store} | ${play.size} | ${of('ready')} | ${of('token')} | ${of('server')} | ${cluster ? of('database') : ''} |`;
}

// ---- the run ----

/** Whether a store of `size` is filled in time, by how long the two before took: what each takes besides
 * its grants is the same. */
function fits(plays, size, storesAfter) {
  const [other, before] = plays.slice(-2);
  if (!before) return true;
  const ms = SLOWER * (before.took + (Math.max(0, before.took - other.took) * (size - before.size)) / (before.size - other.size));
  if (ms + MEASURE_MS < left(storesAfter)) return true;
  console.error(`${size} grants are left out: filling them may take ${(ms / 1000).toFixed(0)} s; say the sizes to have them however long it takes`);
  return false;
}

/** Asks all stores in turn, as often as there is time for, once at least. */
async function rounds(plays, work, cluster, storesAfter) {
  await cluster?.sql('CHECKPOINT'); // all alike: a page that is changed goes into the log whole, once
  for (const play of plays) await load(play, work, 0.5); // what is prepared once, is
  if (DETAILS && cluster) for (const play of plays) await relations(cluster, play.database);
  const rest = (MEASURE_MS * (WORKS.length - WORKS.indexOf(work))) / WORKS.length;
  let round = 0;
  do for (const play of plays) await measure(play, work, cluster); while (++round < TIMES[work] && left(storesAfter) > rest);
  if (round < TIMES[work]) console.error(`${work}: the median of ${round}, not of ${TIMES[work]}, for want of time`);
  if (DETAILS && cluster) for (const play of plays) await details(play, work, cluster);
}

async function details(play, work, cluster) {
  const n = play.figures[work].reduce((sum, one) => sum + one.n, 0);
  await sleep(1500); // until the database's processes have told what they counted
  console.error(play.size, work, (await statements(cluster, play.database)).filter((one) => one.calls > 500).map((one) => `\n  ${one.calls} calls, ${(one.pages / one.calls).toFixed(2)} pages, ${(one.wal / one.calls).toFixed(0)} B, ${(one.whole / one.calls).toFixed(3)} whole: ${one.query}`).join(''),
    (await relations(cluster, play.database)).filter((one) => one.pages / n > 0.05).map((one) => `\n  ${(one.pages / n).toFixed(2)} pages of ${one.name}`).join(''));
}

const number = (x) => (x > 0 ? x.toFixed(x < 10 ? 1 : 0) : '');
const rows = [];
const starts = [];
for (const [i, store] of STORES.entries()) {
  const after = STORES.length - 1 - i;
  const cluster = store === 'postgres' ? await Cluster.start({ settings: DATABASE }) : null;
  const plays = [];
  try {
    if (cluster) await cluster.sql('CREATE EXTENSION pg_stat_statements');
    for (const size of SIZES) if (fits(plays, size, after)) plays.push(await begin(store, cluster, size));
    if (cluster) for (const pid of processesOf(cluster)) await run('taskset', ['-pc', SERVER, String(pid)]).catch(() => {}); // one may have ended
    for (const work of WORKS) await rounds(plays, work, cluster, after);
    starts.push(await restarts(plays.at(-1), cluster, after));
    for (const work of WORKS) for (const play of plays) {
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
