// One, two and four nodes over one PostgreSQL, one process over SQLite, and pgbench with the very
// statements that the nodes send, all on the same core; the load on another. Rounds in turn, so that
// whatever else the machine does hits all alike; medians.
// Usage: nodes.mjs LOAD_PROGRAM   seconds a measurement: WARDER_BENCH_SECONDS (default 5)
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { basic, register, signIn } from '../e2e/lib/oauth.mjs';
import { Cluster } from '../e2e/lib/postgres.mjs';
import { NEWS, sleep } from '../e2e/lib/world.mjs';
import { started } from './started.mjs';
import { LOAD, SECONDS, SERVER, dir, median } from './peers.mjs';

const [program] = process.argv.slice(2);
const ROUNDS = Number(process.env.WARDER_BENCH_ROUNDS ?? 5);
const CONNECTIONS = 64;
const KINDS = [{ name: 'SQLite', store: 'sqlite', nodes: 1 }, ...[1, 2, 4].map((nodes) => ({ name: `PostgreSQL, ${nodes} node${nodes > 1 ? 's' : ''}`, store: 'postgres', nodes }))];
const QUIET = { WARDER_WORKERS: '1', WARDER_LOG_LEVEL: 'warn', WARDER_REFRESH_GRACE: '600' };
const POOL = 8; // connections of all nodes together, and of pgbench

function run(file, args, env = {}) {
  return new Promise((resolve, reject) =>
    execFile(file, args, { env: { ...process.env, ...env }, maxBuffer: 64 << 20 }, (error, stdout, stderr) =>
      error ? reject(new Error(`${file} ${args.join(' ')}: ${stderr}${stdout}`.slice(0, 3000))) : resolve(stdout + (file.includes('pgbench') ? stderr : ''))));
}

/* ---- nodes ---- */

/** Each node learns of the resource by itself. */
async function knows(w, port, machine) {
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded', Authorization: basic(machine.client_id, machine.client_secret) };
  const body = `grant_type=client_credentials&resource=${encodeURIComponent(w.mcp)}`;
  for (let i = 0; i < 50; i++) {
    const answer = await fetch(`http://127.0.0.1:${port}/token`, { method: 'POST', headers, body });
    if (answer.status === 200) return;
    if (i === 49) throw new Error(await answer.text());
    await sleep(100);
  }
}

async function begin(kind, cluster) {
  const conninfo = kind.store === 'postgres' ? cluster.conninfo(await cluster.database()) : undefined;
  const env = { ...QUIET, ...(conninfo ? { WARDER_POSTGRES_CONNECTIONS: String(Math.max(1, POOL / kind.nodes)) } : {}) };
  const w = await started({ sample: false, wrap: ['taskset', '-c', SERVER], store: kind.store, conninfo, nodes: kind.nodes, env });
  w.mcp = 'https://opaque.example/mcp';
  await w.addResource(w.mcp, ['--format', 'opaque']);
  const ports = kind.nodes > 1 ? w.nodes.map((one) => one.port) : [w.port];
  const machine = await w.machineClient(NEWS);
  await Promise.all(ports.map((port) => knows(w, port, machine)));
  const client = await register(w);
  const tokens = [];
  for (let i = 0; i < CONNECTIONS; i++) tokens.push((await signIn(w, client)).refresh_token);
  return { w, ports, machine, client, tokens, pids: kind.nodes > 1 ? w.nodes.map((one) => one.child.pid) : [w.warder.child.pid] };
}

function request(play, work, port, tokens) {
  const folder = path.join(dir, 'nodes');
  mkdirSync(folder, { recursive: true });
  const head = path.join(folder, `head-${port}-${work}`);
  const host = new URL(play.w.base).host;
  const lines = [`POST /token HTTP/1.1`, `Host: ${host}`, 'Content-Type: application/x-www-form-urlencoded'];
  if (work === 'machine') lines.push(`Authorization: ${basic(play.machine.client_id, play.machine.client_secret)}`);
  writeFileSync(head, `${lines.join('\r\n')}\r\n`);
  if (work === 'machine') return [head, `grant_type=client_credentials&scope=${encodeURIComponent(NEWS)}&resource=${encodeURIComponent(play.w.mcp)}`];
  const file = path.join(folder, `tokens-${port}`);
  writeFileSync(file, `${tokens.join('\n')}\n`);
  return [head, `grant_type=refresh_token&client_id=${play.client.client_id}&refresh_token=`, file];
}

/** One round: answers a second of all nodes together. The tokens are where they were: load.c keeps the
 * last of each in its file. */
async function measure(play, work) {
  const share = CONNECTIONS / play.ports.length;
  const runs = play.ports.map((port, i) =>
    run('taskset', ['-c', LOAD, program, String(port), String(share), '10000', `0:${SECONDS}`, ...request(play, work, port, play.tokens.slice(i * share, (i + 1) * share))], { LOAD_TOKENS_OUT: work === 'refresh' ? path.join(dir, `out-${port}`) : '' }));
  const results = (await Promise.all(runs)).map((text) => JSON.parse(text).phases[0]);
  if (work === 'refresh') play.tokens = (await Promise.all(play.ports.map((port) => run('cat', [path.join(dir, `out-${port}`)])))).join('').trim().split('\n');
  for (const one of results) if (one.other || one.broken || one.late) throw new Error(`wrong answers: ${JSON.stringify(one)}`);
  return { rate: results.reduce((sum, one) => sum + one.ok, 0) / SECONDS, p99: Math.max(...results.map((one) => one.p99)) };
}

/* ---- pgbench ---- */

/** What one request makes a node send, as the server logged it: transactions of [sql, parameters]. */
async function recorded(play, cluster, work) {
  await cluster.set('log_statement', 'all');
  await cluster.set('log_line_prefix', '%v %d ');
  await sleep(500);
  cluster.log = '';
  const [head, body] = request(play, work, play.ports[0], play.tokens.slice(0, 1));
  void head;
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  if (work === 'machine') headers.Authorization = basic(play.machine.client_id, play.machine.client_secret);
  const answer = await fetch(`http://127.0.0.1:${play.ports[0]}/token`, { method: 'POST', headers, body: work === 'machine' ? body : body + play.tokens[0] });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(text);
  if (work === 'refresh') play.tokens[0] = JSON.parse(text).refresh_token;
  await sleep(300);
  await cluster.set('log_statement', 'none');
  return parse(cluster.log);
}

function parse(log) {
  const jobs = new Map();
  let last = null;
  for (const line of log.split('\n')) {
    const said = /^(\S+) (\S+) LOG:  execute (\w+): (.*)$/.exec(line);
    const detail = /DETAIL:  parameters: (.*)$/.exec(line);
    if (said) {
      last = { name: said[3], sql: said[4], parameters: [] };
      if (!jobs.has(said[1])) jobs.set(said[1], []);
      jobs.get(said[1]).push(last);
    } else if (detail && last) {
      last.parameters = [...detail[1].matchAll(/\$\d+ = (NULL|'(?:[^']|'')*')/g)].map((match) => match[1]);
    }
  }
  // What other timers of the node asked meanwhile is no part of the request.
  return [...jobs.values()].filter((job) => job.some((one) => /ACCESS_TOKEN|REFRESH|CLIENT/.test(one.name)));
}

/** To pgbench a colon begins a variable, in a literal, too. */
function literal(text) {
  return text.includes(':') ? `E${text.replaceAll('\\', '\\\\').replaceAll(':', '\\x3A')}` : text;
}

/** A script for pgbench: ids that must be new are made of who and when, all else is as it was. */
function script(jobs, work, pipeline) {
  const ids = new Map(); // a logged hash -> an expression
  const old = "sha256((:client_id || '-' || :i)::text::bytea)";
  const fresh = "sha256((:client_id || '-' || :j)::text::bytea)";
  for (const one of jobs.flat()) {
    if (/REFRESH_ROTATE/.test(one.name)) ids.set(one.parameters[0], old);
    if (/REFRESH_INSERT|ACCESS_TOKEN_INSERT/.test(one.name)) ids.set(one.parameters[0], fresh);
  }
  if (work === 'refresh' && ids.size < 2) throw new Error(`no refresh among ${JSON.stringify(jobs)}`);
  // A hash that comes twice in one pipeline is one expression each time, as in the node.
  const fill = (one) => one.sql.replace(/\$(\d+)/g, (_, n) => ids.get(one.parameters[n - 1]) ?? literal(one.parameters[n - 1]));
  const lines = ['\\set j :i + 1'];
  for (const job of jobs) {
    lines.push(pipeline ? '\\startpipeline' : job.length > 1 ? 'BEGIN;' : '');
    for (const one of job) lines.push(`${fill(one)};`);
    lines.push(pipeline ? '\\endpipeline' : job.length > 1 ? 'COMMIT;' : '');
  }
  lines.push('\\set i :j');
  return `${lines.filter(Boolean).join('\n')}\n`;
}

/** Rows that the first refresh of each client of pgbench finds. */
async function seed(cluster, database, jobs, round) {
  const rotated = jobs.flat().find((one) => /REFRESH_ROTATE/.test(one.name)).parameters[0];
  await cluster.sql(`CREATE TEMP TABLE one AS SELECT * FROM refresh WHERE id=${rotated};
    UPDATE one SET uses=0, rotated_at=0;
    ${Array.from({ length: POOL }, (_, c) => `UPDATE one SET id=sha256('${c}-${round}'::text::bytea); INSERT INTO refresh SELECT * FROM one;`).join('\n')}`, database);
}

let rounds = 0;
async function pgbench(cluster, bench, work, pipeline) {
  const first = ++rounds * 100_000_000;
  if (work === 'refresh') await seed(cluster, bench.database, bench.jobs[work], first);
  const file = path.join(dir, `pgbench-${work}-${pipeline}`);
  writeFileSync(file, script(bench.jobs[work], work, pipeline));
  const out = await run('taskset', ['-c', SERVER, bench.program, '-n', '-M', 'prepared', '-c', String(POOL), '-j', '1', '-T', String(SECONDS), '-D', `i=${first}`, '-f', file,
    '-h', '127.0.0.1', '-p', String(cluster.port), '-U', cluster.user, bench.database]);
  const rate = /tps = ([\d.]+)/.exec(out);
  if (!rate || /ERROR|aborted/.test(out)) throw new Error(out.slice(0, 2000));
  return { rate: Number(rate[1]) };
}

/* ---- all ---- */

const words = ['taskset', '-c', SERVER];
const cluster = await Cluster.start({ limits: words, settings: { shared_buffers: '256MB', max_wal_size: '4GB', checkpoint_timeout: '30min' } });
const results = new Map();
const note = (work, name, one) => {
  const key = `${work}|${name}`;
  if (!results.has(key)) results.set(key, []);
  results.get(key).push(one);
  console.error(`${work}: ${name}: ${one.rate.toFixed(0)}/s`);
};
const plays = new Map();
try {
  for (const kind of KINDS) {
    console.error(`starts ${kind.name}`);
    plays.set(kind.name, await begin(kind, cluster));
  }
  const single = plays.get('PostgreSQL, 1 node');
  const bench = { program: `${path.dirname((await run('bash', ['-c', 'ls -d /usr/lib/postgresql/*/bin/pgbench | sort -V | tail -1'])).trim())}/pgbench`,
    database: /dbname=(\S+)/.exec(single.w.store.WARDER_POSTGRES)[1], jobs: {} };
  for (const work of ['refresh', 'machine']) {
    bench.jobs[work] = await recorded(single, cluster, work);
    console.error(`${work}: ${bench.jobs[work].map((job) => job.map((one) => one.name).join(' ')).join(' | ')}`);
  }
  for (let round = 0; round < ROUNDS; round++)
    for (const work of ['refresh', 'machine']) {
      for (const kind of KINDS) note(work, kind.name, await measure(plays.get(kind.name), work));
      for (const pipeline of [true, false]) note(work, pipeline ? 'pgbench, pipelined' : 'pgbench, one by one', await pgbench(cluster, bench, work, pipeline));
    }
} finally {
  for (const play of plays.values()) await play.w.stop().catch((error) => console.error(error.message));
  await cluster.stop?.();
}

const rate = (key) => median((results.get(key) ?? []).map((one) => one.rate));
console.log(`\nNodes and database on one core (CPU ${SERVER}), the load on ${LOAD === SERVER ? 'the same: FIGURES ARE TOO LOW' : `another (CPU ${LOAD})`}; ${CONNECTIONS} connections, ${POOL} to the database; ${SECONDS} s a run, median of ${ROUNDS} in turn.\n`);
console.log('| work | by | per second | to SQLite | to pgbench |\n|---|---|--:|--:|--:|');
for (const work of ['refresh', 'machine']) {
  const limit = Math.max(rate(`${work}|pgbench, pipelined`), rate(`${work}|pgbench, one by one`));
  for (const key of [...results.keys()].filter((one) => one.startsWith(`${work}|`)))
    console.log(`| ${work} | ${key.split('|')[1]} | ${rate(key).toFixed(0)} | ${(rate(key) / rate(`${work}|SQLite`)).toFixed(2)} | ${(rate(key) / limit).toFixed(2)} |`);
}
process.exit(0);
