// A store with a million live grants: how soon a restarted server answers; and what a token request costs
// where there are 10^3, 10^5 and more grants: processor time of server and database, and pages that the
// database looks at. All sizes run side by side and are asked in turn.
// Usage: scale.mjs LOAD_PROGRAM [SIZE...]   sizes 1000 100000 1000000 where nothing is said
import { createHash, randomBytes } from 'node:crypto';
import { execFile, spawn } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { basic, register, signIn } from '../e2e/lib/oauth.mjs';
import { Cluster } from '../e2e/lib/postgres.mjs';
import { BUILD, NEWS, sleep, stop } from '../e2e/lib/world.mjs';
import { started } from './started.mjs';
import { LOAD, SERVER, cpuOf, dir, median } from './peers.mjs';

const [program, ...words] = process.argv.slice(2);
const SIZES = words.length ? words.map(Number) : [1000, 100_000, 1_000_000];
const STORES = (process.env.WARDER_BENCH_STORES ?? 'sqlite,postgres').split(',');
const ROUNDS = 5;
const ASKED = 4000; // grants that the measurement uses, spread over all
const SECONDS = 2;

const run = (file, args, env = {}) => new Promise((resolve, reject) =>
  execFile(file, args, { env: { ...process.env, ...env }, maxBuffer: 64 << 20 }, (error, out, err) => (error ? reject(new Error(`${file}: ${err}${out}`.slice(0, 2000))) : resolve(out))));

/** How statements are run, and what a row of random bytes and a series are called. */
function sqlOf(w, cluster) {
  if (!cluster) {
    const file = path.join(w.data, readdirSync(w.data).find((name) => /\.db$/.test(name)));
    return {
      columns: async (table) => { const db = new DatabaseSync(file); const names = db.prepare(`PRAGMA table_info(${table})`).all().map((row) => row.name); db.close(); return names; },
      exec: async (text) => { const db = new DatabaseSync(file); db.exec('PRAGMA busy_timeout=60000; PRAGMA synchronous=OFF'); db.exec(text); db.close(); },
      series: (from, to) => `WITH RECURSIVE s(n) AS (SELECT ${from} UNION ALL SELECT n+1 FROM s WHERE n<${to}) `,
      from: 's', hash: 'randomblob(32)', name: "lower(hex(randomblob(4)))||'-'||s.n", literal: (hex) => `x'${hex}'`, settle: 'PRAGMA wal_checkpoint(TRUNCATE)', begin: 'BEGIN;', end: 'COMMIT;',
    };
  }
  const database = /dbname=(\S+)/.exec(w.store.WARDER_POSTGRES)[1];
  return {
    columns: async (table) => (await cluster.sql(`SELECT column_name FROM information_schema.columns WHERE table_name='${table}' AND table_schema='public' ORDER BY ordinal_position`, database)).split('\n'),
    exec: (text) => cluster.sql(text, database),
    series: () => '', from: null, hash: "sha256((random()::text||s.n)::bytea)", name: "substr(md5(random()::text),1,8)||'-'||s.n", literal: (hex) => `'\\x${hex}'::bytea`,
    of: (from, to) => `generate_series(${from},${to}) AS s(n)`, settle: 'VACUUM ANALYZE', begin: 'BEGIN;', end: 'COMMIT;',
    blocks: async () => Number(await cluster.sql(`SELECT blks_hit+blks_read FROM pg_stat_database WHERE datname='${database}'`, database)),
    wal: async () => Number(await cluster.sql("SELECT pg_current_wal_lsn()-'0/0'::pg_lsn", database)),
  };
}

/** `n` grants like the one there is, and tokens of some more that are known; the tokens. */
async function fill(sql, n) {
  const family = await sql.columns('family');
  const refresh = await sql.columns('refresh');
  const put = (table, columns, values) => `INSERT INTO ${table}(${columns.join(', ')}) SELECT ${columns.map((c) => values[c] ?? `one.${c}`).join(', ')} FROM`;
  // One is the model; families of that batch get refresh tokens of the same names.
  const tokens = [];
  let text = `CREATE TABLE one_family AS SELECT * FROM family LIMIT 1; CREATE TABLE one_refresh AS SELECT * FROM refresh WHERE rotated_at=0 LIMIT 1;${sql.begin}`;
  for (let i = 0; i < ASKED; i++) {
    const token = `wrr_${randomBytes(32).toString('base64url')}`;
    const id = `'known-${i}'`;
    text += `${put('family', family, { id })} one_family AS one;${put('refresh', refresh, { id: sql.literal(createHash('sha256').update(token).digest('hex')), family_id: id })} one_refresh AS one;`;
    tokens.push(token);
  }
  await sql.exec(`${text}${sql.end}`);
  for (let from = 1; from <= n; from += 200_000) {
    const to = Math.min(n, from + 199_999);
    const s = sql.of ? sql.of(from, to) : sql.from;
    await sql.exec(`${sql.begin}${sql.series(from, to)}${put('family', family, { id: `'f'||s.n` })} one_family AS one, ${s};${sql.series(from, to)}${put('refresh', refresh, { id: sql.hash, family_id: `'f'||s.n` })} one_refresh AS one, ${s};${sql.end}`);
  }
  await sql.exec('DROP TABLE one_family; DROP TABLE one_refresh;');
  await sql.exec(sql.settle);
  return tokens;
}

async function begin(store, cluster, size) {
  const conninfo = store === 'postgres' ? cluster.conninfo(await cluster.database()) : undefined;
  const env = { WARDER_WORKERS: '1', WARDER_LOG_LEVEL: 'warn', WARDER_REFRESH_GRACE: '600', WARDER_CLEANUP_INTERVAL: '86400' };
  const w = await started({ sample: false, wrap: ['taskset', '-c', SERVER], store, conninfo, nodes: 1, env });
  const opaque = 'https://opaque.example/mcp';
  await w.addResource(opaque, ['--format', 'opaque']);
  const machine = await w.machineClient(NEWS);
  const client = await register(w);
  await signIn(w, client);
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded', Authorization: basic(machine.client_id, machine.client_secret) };
  for (let i = 0; i < 50; i++) {
    const answer = await fetch(w.metadata.token_endpoint, { method: 'POST', headers, body: `grant_type=client_credentials&resource=${encodeURIComponent(opaque)}` });
    if (answer.status === 200) break;
    await sleep(100);
  }
  const sql = sqlOf(w, store === 'postgres' ? cluster : null);
  const since = Date.now();
  const tokens = await fill(sql, size);
  console.error(`${store}: ${size} grants in ${((Date.now() - since) / 1000).toFixed(0)} s`);
  return { store, size, w, sql, client, machine, opaque, tokens, figures: { refresh: [], machine: [] } };
}

async function measure(play, work, cluster) {
  const { w } = play;
  const head = path.join(dir, `head-${work}`);
  const lines = ['POST /token HTTP/1.1', `Host: ${new URL(w.base).host}`, 'Content-Type: application/x-www-form-urlencoded'];
  if (work === 'machine') lines.push(`Authorization: ${basic(play.machine.client_id, play.machine.client_secret)}`);
  writeFileSync(head, `${lines.join('\r\n')}\r\n`);
  const tokens = path.join(dir, 'tokens');
  writeFileSync(tokens, `${play.tokens.join('\n')}\n`);
  const body = work === 'machine' ? `grant_type=client_credentials&scope=${encodeURIComponent(NEWS)}&resource=${encodeURIComponent(play.opaque)}` : `grant_type=refresh_token&client_id=${play.client.client_id}&refresh_token=`;
  const pids = [w.warder.child.pid, ...(play.store === 'postgres' ? [cluster.child.pid] : [])];
  const cpu = () => pids.reduce((sum, pid) => sum + cpuOf(pid), 0);
  const before = { cpu: cpu(), blocks: await play.sql.blocks?.(), wal: await play.sql.wal?.() };
  const out = await run('taskset', ['-c', LOAD, program, String(w.port), '16', '10000', `0:${SECONDS}`, head, body, ...(work === 'refresh' ? [tokens] : [])], { LOAD_TOKENS_OUT: work === 'refresh' ? tokens : '' });
  const one = JSON.parse(out).phases[0];
  if (work === 'refresh') play.tokens = (await run('cat', [tokens])).trim().split('\n');
  if (one.other || one.broken || one.late) throw new Error(`wrong answers: ${out.slice(0, 500)}`);
  const spent = cpu() - before.cpu;
  if (play.sql.blocks) await sleep(1200); // statistics come late
  play.figures[work].push({ rate: one.ok / SECONDS, cpu: spent / one.ok, blocks: play.sql.blocks ? ((await play.sql.blocks()) - before.blocks) / one.ok : NaN, wal: play.sql.wal ? ((await play.sql.wal()) - before.wal) / one.ok : NaN });
}

/** From exec to /readyz and to a token, on the store as it is: milliseconds. */
async function restart(play) {
  const { w } = play;
  await stop(w.warder);
  const since = performance.now();
  const child = spawn(path.join(BUILD, 'warder'), ['serve', '--listen', `127.0.0.1:${w.port}`, '--data', w.data], { env: { ...process.env, ...w.env }, stdio: 'ignore' });
  const poll = async (ask) => { for (;;) { try { const answer = await ask(); if (answer.status === 200) return performance.now() - since; } catch { /* not yet */ } await sleep(2); } };
  const ready = await poll(() => fetch(`${w.base}/readyz`));
  const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: play.client.client_id, refresh_token: play.tokens[0] });
  const token = await poll(() => fetch(`${w.base}/token`, { method: 'POST', body }));
  const gone = new Promise((resolve) => child.on('close', resolve));
  child.kill('SIGTERM');
  await gone;
  await w.startWarder(w.port);
  return { ready, token };
}

const number = (x) => (Number.isFinite(x) ? x.toFixed(x < 10 ? 1 : 0) : '');
const rows = [];
for (const store of STORES) {
  const cluster = store === 'postgres' ? await Cluster.start({ limits: ['taskset', '-c', SERVER], settings: { shared_buffers: '1GB', max_wal_size: '8GB', checkpoint_timeout: '30min' } }) : null;
  const plays = [];
  try {
    for (const size of SIZES) plays.push(await begin(store, cluster, size));
    for (let round = 0; round < ROUNDS; round++)
      for (const work of ['refresh', 'machine']) for (const play of plays) await measure(play, work, cluster);
    const started = await restart(plays.at(-1));
    console.log(`\n${store}: restarted over ${SIZES.at(-1)} grants: ready after ${started.ready.toFixed(0)} ms, a token after ${started.token.toFixed(0)} ms`);
    for (const work of ['refresh', 'machine']) for (const play of plays) {
      const of = (p, name) => median(p.figures[work].map((one) => one[name]));
      rows.push(`| ${store} | ${work} | ${play.size} | ${number(of(play, 'cpu'))} | ${(of(play, 'cpu') / of(plays[0], 'cpu')).toFixed(2)} | ${number(of(play, 'blocks'))} | ${number(of(play, 'wal'))} | ${number(of(play, 'rate'))} |`);
    }
  } finally {
    for (const play of plays) await play.w.stop().catch((error) => console.error(error.message));
    await cluster?.stop();
  }
}
console.log('\n| store | token request | grants | CPU us | to the first | pages | WAL bytes | a second |\n|---|---|--:|--:|--:|--:|--:|--:|');
console.log(rows.join('\n'));
process.exit(0);
