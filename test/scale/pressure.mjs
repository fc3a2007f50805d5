// Warder under more load than it can do, and under much load for long. test/e2e/pressure.test.mjs tries
// both for seconds, script/pressure for as long as one likes.
// Usage: pressure.mjs overload|soak SECONDS
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
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
  const args = ['-c', pinned().load, program, String(w.port), String(connections), String(timeout), phases.join(','), request.head, request.body];
  if (request.tokens) args.push(request.tokens);
  return new Promise((resolve, reject) =>
    execFile('taskset', args, { maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
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
  const tokens = [];
  for (let i = 0; i < grants; i++) {
    tokens.push((await signIn(w, client)).refresh_token);
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

function usage(w) {
  const pid = w.warder.child.pid;
  const size = (name) => { try { return statSync(path.join(w.data, name)).size; } catch { return 0; } };
  return {
    rss: Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]),
    files: readdirSync(`/proc/${pid}/fd`).length,
    wal: readdirSync(w.data).filter((name) => name.endsWith('-wal')).reduce((sum, name) => sum + size(name), 0),
    trail: size('audit.log'),
    database: readdirSync(w.data).filter((name) => /\.db$/.test(name)).reduce((sum, name) => sum + size(name), 0),
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

/**
 * Refreshes and opaque tokens of machines at 70 % of what the server can do of both, and a sign-in a
 * second. Samples each second; drift: p99 of the last third over that of the first.
 */
export async function soak({ seconds, grants = 40 }) {
  const w = await World.start({ sample: false, nodes: 1, store: 'sqlite', wrap: pinned().server,
    env: { WARDER_WORKERS: '1', WARDER_LOG_LEVEL: 'warn', WARDER_ACCESS_TOKEN_LIFETIME: '60', WARDER_CLEANUP_INTERVAL: '5' } });
  try {
    w.mcp = 'https://opaque.example/mcp';
    await w.addResource(w.mcp, ['--format', 'opaque']);
    const program = buildLoad(w);
    const machines = await machine(w);
    const refreshes = await refreshing(w, grants);
    const one = async (request, rate, long) => load(w, program, { connections: 64, timeout: 5000, phases: [1, 2, 3].map(() => `${rate}:${long / 3}`), request });
    const can = (await Promise.all([one(machines, 0, 1.5), one({ ...refreshes, tokens: (await refreshing(w, grants)).tokens }, 0, 1.5)]))
      .map((run) => run.phases.reduce((sum, p) => sum + p.ok, 0) / 1.5 * 0.7);
    const idle = usage(w);
    const began = Date.now();
    const samples = [];
    let going = true;
    const client = await register(w);
    const watching = (async () => {
      while (going) {
        samples.push({ at: (Date.now() - began) / 1000, ...usage(w) });
        await sleep(1000);
        await signIn(w, client);
      }
    })();
    const runs = await Promise.all([one(machines, can[0], seconds), one(refreshes, can[1], seconds)]);
    going = false;
    await watching;
    await sleep(300);
    samples.push({ at: (Date.now() - began) / 1000, ...usage(w) });
    return { filesIdle: idle.files, filesAfter: usage(w).files, ...soakFigures(runs, samples, can, seconds) };
  } finally {
    await w.stop();
  }
}

function soakFigures(runs, samples, can, seconds) {
  const sum = (name) => runs.reduce((n, run) => n + run.phases.reduce((m, p) => m + p[name], 0), 0);
  const settled = samples.slice(Math.floor(samples.length / 3));
  const first = samples[0];
  const last = samples.at(-1);
  return {
    rate: Math.round(can[0] + can[1]),
    ok: sum('ok'), shed: sum('shed'), other: sum('other'), late: sum('late'), broken: sum('broken'), unsent: sum('unsent'),
    rssFirst: settled[0].rss, rssLast: last.rss, slope: slope(settled),
    filesLeast: Math.min(...settled.map((s) => s.files)), filesMost: Math.max(...settled.map((s) => s.files)),
    walMost: Math.max(...samples.map((s) => s.wal)),
    trailEach: (last.trail - first.trail) / sum('ok'),
    databaseEach: (last.database - first.database) / sum('ok'),
    p99: runs.map((run) => run.phases.map((p) => p.p99)),
    drift: Math.max(...runs.map((run) => run.phases[2].p99 / Math.max(1, run.phases[0].p99))),
    seconds, said: runs.map((run) => run.said).join(''),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [what, seconds] = [process.argv[2], Number(process.argv[3] ?? 20)];
  if (what === 'overload') console.table(await overload({ seconds, factors: [2, 5, 10] }));
  else if (what === 'soak') console.log(await soak({ seconds }));
  else throw new Error('pressure.mjs overload|soak SECONDS');
}
