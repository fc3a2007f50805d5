// What the signing process costs: token requests with it and without, round by round, both servers in
// one run, by the processor time of all their processes.
import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { basic, machineToken } from '../e2e/lib/oauth.mjs';
import { NEWS, World } from '../e2e/lib/world.mjs';
import { SERVER, median, wrk } from './peers.mjs';

const ROUNDS = Number(process.env.WARDER_BENCH_ROUNDS ?? 5);
const CONNECTIONS = Number(process.env.WARDER_BENCH_CONNECTIONS ?? 64);
const TICK_US = 10_000;
const FORM = 'Content-Type: application/x-www-form-urlencoded';

const parent = (pid) => Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))[1]);

function processes(pid) {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return [pid, ...all.filter((other) => {
    try {
      return parent(other) === pid;
    } catch {
      return false;
    }
  })];
}

/** User and system time of the server and what it has forked, in microseconds. */
function spent(pid) {
  return processes(pid).reduce((sum, one) => {
    const fields = readFileSync(`/proc/${one}/stat`, 'utf8').split(') ')[1].split(' ');
    return sum + (Number(fields[11]) + Number(fields[12])) * TICK_US;
  }, 0);
}

async function make(process) {
  const w = await World.start({ sample: false, wrap: ['taskset', '-c', SERVER], env: { WARDER_WORKERS: '1', WARDER_LOG_LEVEL: 'warn', WARDER_KEY: randomBytes(32).toString('base64'), WARDER_SIGNING_PROCESS: String(process) } });
  const machine = await w.machineClient(NEWS);
  const control = await machineToken(w, machine);
  if (control.status !== 200) throw new Error(control.text);
  const args = ['POST', `grant_type=client_credentials&scope=${encodeURIComponent(NEWS)}&resource=${encodeURIComponent(w.mcp)}`, FORM, `Authorization: ${basic(machine.client_id, machine.client_secret)}`];
  return { w, args, rates: [], costs: [], p50: [], p99: [] };
}

async function round(one) {
  const { pid } = one.w.warder.child;
  let before, result;
  // A disk that others keep busy has the server turn requests away: that round says nothing.
  for (let tries = 0; !result; tries++) {
    before = spent(pid);
    result = await wrk('load.lua', one.w.metadata.token_endpoint, one.args, CONNECTIONS).catch((error) => {
      if (tries === 5) throw error;
    });
  }
  one.rates.push(result.rate);
  one.costs.push((spent(pid) - before) / result.calls);
  one.p50.push(result.p50);
  one.p99.push(result.p99);
}

const inside = await make(false);
const outside = await make(true);
try {
  for (const one of [inside, outside]) await round(one);
  for (const one of [inside, outside]) Object.assign(one, { rates: [], costs: [], p50: [], p99: [] });
  for (let i = 0; i < ROUNDS; i++) for (const one of i % 2 ? [outside, inside] : [inside, outside]) await round(one);
  const row = (name, one) => `${name}: ${median(one.rates).toFixed(0)} tokens/s, ${median(one.costs).toFixed(1)} us of processor each (${one.costs.map((c) => c.toFixed(1)).join(' ')}), p50 ${median(one.p50)} ms, p99 ${median(one.p99)} ms`;
  console.log(row('in the server', inside));
  console.log(row('signing process', outside));
  console.log(`ratio of rates ${(median(outside.rates) / median(inside.rates)).toFixed(3)}, of processor ${(median(outside.costs) / median(inside.costs)).toFixed(3)}, ${(median(outside.costs) - median(inside.costs)).toFixed(1)} us more a token`);
} finally {
  await inside.w.stop();
  await outside.w.stop();
}
