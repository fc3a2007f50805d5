// Warder under more load than it can do, and under much load for long. test/e2e/pressure.test.mjs tries
// both for seconds, script/pressure for as long as one likes.
// Usage: pressure.mjs overload SECONDS | soak SECONDS [PERCENT]
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { Browser } from '../e2e/lib/browser.mjs';
import { basic, register, signIn } from '../e2e/lib/oauth.mjs';
import { NEWS, World, sleep } from '../e2e/lib/world.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));

/** One core for the server and another for the load, where there are two. */
function pinned() {
  const list = readFileSync('/proc/self/status', 'utf8').match(/Cpus_allowed_list:\s*(\S+)/)[1];
  const cores = list.split(',').flatMap((range) => range.split('-')).map(Number);
  return { server: ['taskset', '-c', String(cores[0])], load: String(cores.at(-1)) };
}

/** Builds the generator of load into a world's folder. */
function buildLoad(w) {
  const program = path.join(w.data, 'load');
  execFileSync('gcc', ['-O2', '-D_GNU_SOURCE', '-o', program, path.join(here, 'load.c')]);
  return program;
}

let files = 0;
function head(w, lines) {
  const file = path.join(w.data, `head-${files++}`);
  writeFileSync(file, [`POST /token HTTP/1.1`, `Host: 127.0.0.1:${w.port}`, 'Content-Type: application/x-www-form-urlencoded', ...lines, ''].join('\r\n'));
  return file;
}

/** Runs phases "RATE:SECONDS" of one kind of request; what load.c prints. */
function load(w, program, { connections, timeout, phases, request }) {
  const env = { ...process.env, LOAD_TOKENS_OUT: request.tokens ?? '' }; // whoever comes next goes on with them
  const args = ['-c', pinned().load, program, String(w.port), String(connections), String(timeout), phases.join(','), request.head, request.body];
  if (request.tokens) args.push(request.tokens);
  return new Promise((resolve, reject) =>
    execFile('taskset', args, { env, maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${error.message} ${stderr.slice(0, 2000)}`));
      else resolve({ ...JSON.parse(stdout), said: stderr.slice(0, 2000) });
    }));
}

async function machine(w) {
  const client = await w.machineClient(NEWS);
  return {
    head: head(w, [`Authorization: ${basic(client.client_id, client.client_secret)}`]),
    body: `grant_type=client_credentials&scope=${encodeURIComponent(NEWS)}&resource=${encodeURIComponent(w.mcp)}`,
  };
}

async function refreshing(w, grants) {
  const client = await register(w);
  const browser = new Browser(w.base); // who signed in once is asked no more
  const tokens = [];
  for (let i = 0; i < grants; i++) {
    tokens.push((await signIn(w, client, {}, { browser })).refresh_token);
  }
  const file = path.join(w.data, `tokens-${files++}`);
  writeFileSync(file, `${tokens.join('\n')}\n`);
  return { head: head(w, []), body: `grant_type=refresh_token&client_id=${client.client_id}&refresh_token=`, tokens: file };
}

/**
 * FACTORS times what the server can do, for so many seconds each, with half of it before and behind.
 * Everybody gives up after a second. goodput: answers in time, in parts of the capacity; recovery:
 * seconds after the load has dropped until everybody is answered within the usual time again.
 */
export async function overload({ seconds, factors, connections = 4000, after = 5, look = 2 }) {
  // Signatures by RSA are slow: a machine that also makes the load can make ten times too much of it.
  const w = await World.start({ sample: false, nodes: 1, wrap: pinned().server,
    env: { WARDER_WORKERS: '1', WARDER_SIGNING_ALG: 'RS256', WARDER_LOG_LEVEL: 'warn', WARDER_MAX_CONNECTIONS_PER_ADDRESS: '100000' } });
  try {
    const program = buildLoad(w);
    const request = await machine(w);
    const capacity = async () => {
      const run = await load(w, program, { connections: 64, timeout: 5000, phases: [`0:${look}`], request });
      return run.phases[0].ok / look;
    };
    const rows = [];
    for (const factor of factors) {
      const can = await capacity();
      const phases = [`${can / 2}:1`, `${can * factor}:${seconds}`, `${can / 2}:${after}`];
      const run = await load(w, program, { connections, timeout: 1000, phases, request });
      const can2 = await capacity();
      const mean = (can + can2) / 2; // others share the machine
      rows.push({ factor, capacity: Math.round(mean), said: run.said, ...overloadFigures(run, seconds, after, mean) });
    }
    return rows;
  } finally {
    await w.stop();
  }
}

function overloadFigures(run, seconds, after, capacity) {
  const during = run.phases[1];
  const slices = run.slices.slice((1 + seconds) * 10, (1 + seconds + after) * 10);
  const bad = slices.map(([meant, ok, , , slowest]) => ok < meant || slowest > 500);
  return {
    goodput: during.ok / seconds / capacity,
    shed: during.shed,
    late: during.late,
    unsent: during.unsent,
    other: during.other,
    p99: during.p99,
    shed_p99: during.shed_p99,
    recovery: (bad.lastIndexOf(true) + 1) / 10,
  };
}

/* ---- soak ---- */

const PARTS = 3;
const TOKEN_S = 60; // opaque tokens live that long
const KEPT_S = 60; // after their end: CLOCKS_SLACK_S of src/as/maintenance.c
const CLEAN_S = 5;
const SETTLED_S = TOKEN_S + KEPT_S + 3 * CLEAN_S; // from then on as much is deleted as is issued
const AT_ONCE = 512; // connections of each kind: more than wait in any usual stall, so that all is sent

/** What the server has used up to now, and what it holds. */
function usage(w) {
  const pid = w.warder.child.pid;
  const size = (name) => { try { return statSync(path.join(w.data, name)).size; } catch { return 0; } };
  const sizes = (form) => readdirSync(w.data).filter((name) => form.test(name)).reduce((sum, name) => sum + size(name), 0);
  const ticks = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
  return {
    rss: Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]),
    files: readdirSync(`/proc/${pid}/fd`).length,
    cpu: (Number(ticks[11]) + Number(ticks[12])) * 10, // ms: Linux counts to user space in hundredths
    written: Number(/^write_bytes: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1] ?? 0),
    wal: sizes(/-wal$/),
    trail: size('audit.log'),
    database: sizes(/\.db$/),
  };
}

/** KiB a minute, by least squares. */
function slope(samples) {
  const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
  const x = samples.map((one) => one.at / 60);
  const y = samples.map((one) => one.rss);
  const top = x.reduce((sum, xi, i) => sum + (xi - mean(x)) * (y[i] - mean(y)), 0);
  return top / x.reduce((sum, xi) => sum + (xi - mean(x)) ** 2, 0);
}

/** Samples each second, and signs somebody in, until it ends; what it saw comes of `end`. */
function watch(w, client) {
  const began = Date.now();
  const samples = [];
  const look = () => samples.push({ at: (Date.now() - began) / 1000, ...usage(w) });
  look();
  // A server that is gone is for whoever asks it to tell of.
  const timer = setInterval(() => { try { look(); } catch { clearInterval(timer); } }, 1000);
  let going = true;
  const visits = { ok: 0, failed: 0 };
  const visiting = (async () => {
    while (going) {
      // As all the others somebody may be turned away for a moment.
      await signIn(w, client).then(() => visits.ok++, () => visits.failed++);
      await sleep(1000);
    }
  })();
  const stop = async () => {
    going = false;
    await visiting;
    clearInterval(timer);
  };
  const end = async () => {
    await stop();
    await sleep(300);
    look();
    return { samples, visits };
  };
  return { stop, end };
}

const SOAK = {
  WARDER_WORKERS: '1', WARDER_LOG_LEVEL: 'warn', WARDER_MAX_CONNECTIONS_PER_ADDRESS: '100000',
  WARDER_ACCESS_TOKEN_LIFETIME: String(TOKEN_S), WARDER_CLEANUP_INTERVAL: String(CLEAN_S),
};

async function soakWorld() {
  const w = await World.start({ sample: false, nodes: 1, store: 'sqlite', wrap: pinned().server, env: SOAK });
  w.mcp = 'https://opaque.example/mcp';
  await w.addResource(w.mcp, ['--format', 'opaque']);
  return w;
}

/** Two kinds at once, as they take turns in the soak; answers a second of each. */
async function soakCapacity(w, program, kinds, look = 2) {
  const phases = ['0:1', `0:${look}`];
  const runs = await Promise.all(kinds.map((request) => load(w, program, { connections: 64, timeout: 5000, phases, request })));
  return runs.map((run) => run.phases[1].ok / look);
}

/**
 * Refreshes and opaque tokens of machines, and a sign-in a second, for SECONDS, at SHARE of what the
 * server can do over an empty store; SETTLE seconds of the same come before, until as much is deleted
 * as is issued. Then it can do less: what it can is measured in the end, and `share` is of that.
 * Samples each second. drift: p99 of the last third over that of the first; driftUsual: likewise of
 * the median over tenths of a second of the slowest answer, which a stall of the machine does not
 * change. beside: the same of a server on the same core and disk that is asked for nothing but 20
 * tokens a second: what changes there is not this server's. Where `unsent` is not 0, the load was not
 * what it says.
 */
export async function soak({ seconds, grants = AT_ONCE, share = 0.35, settle = SETTLED_S }) {
  const w = await soakWorld();
  let beside, watching;
  try {
    beside = await soakWorld();
    const program = buildLoad(w);
    const kinds = [await machine(w), await refreshing(w, grants)];
    const quiet = await machine(beside);
    const idle = usage(w);
    const empty = await soakCapacity(w, program, kinds);
    const rates = empty.map((can) => can * share);
    const lengths = [settle, ...Array(PARTS).fill(seconds / PARTS)].filter((s) => s > 0);
    const one = (at, request, rate) => load(at, program, { connections: AT_ONCE, timeout: 5000, phases: lengths.map((s) => `${rate}:${s}`), request });
    watching = watch(w, await register(w));
    const runs = await Promise.all([...kinds.map((request, i) => one(w, request, rates[i])), one(beside, quiet, 20)]);
    const left = overdue(w);
    const { samples, visits } = await watching.end();
    const filesAfter = usage(w).files;
    const then = await soakCapacity(w, program, kinds);
    const measured = samples.filter((each) => each.at >= settle);
    return {
      seconds,
      capacity: { empty: Math.round(total(empty)), settled: Math.round(total(then)) },
      rate: Math.round(total(rates)),
      share: Number((total(rates) / total(then)).toFixed(2)),
      filesIdle: idle.files, filesAfter, visits, overdue: left,
      ...soakFigures(runs, measured, settle, seconds),
    };
  } finally {
    await watching?.stop();
    await w.stop();
    await beside?.stop();
  }
}

/** Tokens that should have been deleted: more of them each second are a cleaning that is too slow. */
function overdue(w) {
  const db = new DatabaseSync(path.join(w.data, 'warder.db'), { readOnly: true });
  const { n } = db.prepare('SELECT count(*) AS n FROM access_token WHERE expires_at < ?').get(Math.floor(Date.now() / 1000) - KEPT_S - 2 * CLEAN_S);
  db.close();
  return n;
}

/** What the server used in a part of the time for one answer. */
function costs(samples, from, to, answers) {
  const at = (when) => samples.find((one) => one.at >= when) ?? samples.at(-1);
  const part = samples.filter((one) => one.at >= from && one.at <= to);
  const used = (name) => (at(to)[name] - at(from)[name]) / answers;
  return { cpu_us: Math.round(used('cpu') * 1000), written_kib: Number((used('written') / 1024).toFixed(2)), rss: median(part.map((one) => one.rss)) };
}

const total = (list) => list.reduce((a, b) => a + b, 0);
/** Bytes that went into a file of these sizes, which begins anew now and then. */
const written = (sizes) => total(sizes.slice(1).map((size, i) => (size >= sizes[i] ? size - sizes[i] : size)));
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

/** Of each part the median of the slowest answers of tenths of a second, ms. */
function usual(run, settle, seconds) {
  const each = Math.floor((seconds * 10) / PARTS);
  return Array.from({ length: PARTS }, (_, i) => median(run.slices.slice(settle * 10 + i * each, settle * 10 + (i + 1) * each).map((slice) => slice[4])));
}

function soakFigures(all, samples, settle, seconds) {
  const [beside, ...runs] = [all[2], all[0], all[1]].map((run) => run.phases.slice(-PARTS));
  const sum = (name, phases = runs.flat()) => total(phases.map((p) => p[name]));
  const [first, last] = [samples[0], samples.at(-1)];
  const warm = samples.filter((one) => one.at - first.at >= seconds / PARTS);
  const grown = (list) => Number((list.at(-1) / Math.max(0.1, list[0])).toFixed(2));
  const p99 = (phases) => phases.map((p) => p.p99);
  const slowest = all.map((run) => usual(run, settle, seconds));
  return {
    ok: sum('ok'), shed: sum('shed'), other: sum('other'), late: sum('late'), broken: sum('broken'), unsent: sum('unsent'),
    rssFirst: warm[0].rss, rssLast: last.rss, slope: slope(warm),
    filesLeast: Math.min(...warm.map((s) => s.files)), filesMost: Math.max(...warm.map((s) => s.files)),
    walMost: Math.max(...samples.map((s) => s.wal)),
    trailEach: written(samples.map((one) => one.trail)) / sum('ok'),
    databaseEach: (last.database - first.database) / sum('ok'),
    parts: beside.map((probe, i) => ({
      p50: runs.map((run) => run[i].p50), p99: runs.map((run) => run[i].p99), usual: slowest.slice(0, 2).map((list) => list[i]),
      beside_p50: probe.p50, beside_p99: probe.p99, beside_usual: slowest[2][i],
      sent_p99: Math.max(...runs.map((run) => run[i].sent_p99)), load_busy: sum('busy', runs.map((run) => run[i])),
      ...costs(samples, first.at + (i * seconds) / PARTS, first.at + ((i + 1) * seconds) / PARTS, sum('ok', runs.map((run) => run[i]))),
    })),
    drift: Math.max(...runs.map((run) => grown(p99(run)))),
    driftUsual: Math.max(...slowest.slice(0, 2).map(grown)),
    besideDrift: grown(p99(beside)), besideDriftUsual: grown(slowest[2]),
    said: all.map((run) => run.said).join(''),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [what, seconds] = [process.argv[2], Number(process.argv[3] ?? 20)];
  if (what === 'overload') console.table(await overload({ seconds, factors: [2, 5, 10] }));
  else if (what === 'soak') console.dir(await soak({ seconds, share: Number(process.argv[4] ?? 35) / 100 }), { depth: 4 });
  else throw new Error('pressure.mjs overload SECONDS | soak SECONDS [PERCENT]');
}
