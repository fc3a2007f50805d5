// What the benchmarks share: peers pinned to one core, load on another, and wrk.
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { sleep } from '../e2e/lib/world.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
export const SECONDS = Number(process.env.WARDER_BENCH_SECONDS ?? 5);

const cores = readFileSync('/proc/self/status', 'utf8').match(/Cpus_allowed_list:\s*(\S+)/)[1]
  .split(',').flatMap((range) => {
    const [from, to = from] = range.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
export const SERVER = String(cores[0]);
export const LOAD = String(cores.at(-1));
export const pinned = (file, args) => ['taskset', ['-c', SERVER, file, ...args]];

export const dir = mkdtempSync(path.join(os.tmpdir(), 'warder-bench-'));
export const children = new Set();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

/** Starts a peer and waits until `url` answers. */
export async function serve(name, file, args, url, options = {}) {
  const child = spawn(...pinned(file, args), { stdio: ['ignore', 'ignore', 'pipe'], ...options });
  children.add(child);
  let text = '';
  child.stderr.on('data', (chunk) => (text += chunk));
  child.on('error', (error) => (text += error));
  for (let i = 0; i < 400; i++) {
    if (child.exitCode !== null) throw new Error(`${name} ended: ${text.slice(-500)}`);
    try {
      await fetch(url);
      return child;
    } catch {
      await sleep(25);
    }
  }
  throw new Error(`${name} did not answer: ${text.slice(-500)}`);
}

export async function end(child) {
  const gone = new Promise((resolve) => child.on('close', resolve));
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 3000);
  await gone;
  clearTimeout(late);
  children.delete(child);
}

/** One run of wrk: {rate, p50, p99}; throws where anything but the wanted answer came. */
export function wrk(script, url, args, connections) {
  return new Promise((resolve, reject) => {
    execFile('taskset', ['-c', LOAD, 'wrk', '-t1', `-c${connections}`, `-d${SECONDS}`, '-s', path.join(here, script), url, '--', ...args],
      { timeout: (SECONDS + 20) * 1000 }, (error, stdout, stderr) => {
        const found = /result n=(\d+) us=(\d+) p50=(\d+) p99=(\d+) errors=(\d+) bad=(.*)/.exec(stdout);
        if (error || !found) return reject(new Error(`wrk: ${error ?? ''} ${stderr} ${stdout}`));
        const [, n, us, p50, p99, errors, bad] = found;
        if (bad !== 'none' || Number(n) === 0) return reject(new Error(`${url} answered wrongly: ${bad} (errors ${errors})`));
        resolve({ calls: Number(n), rate: (Number(n) * 1e6) / Number(us), p50: p50 / 1000, p99: p99 / 1000, connections });
      });
  });
}

export const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
export const best = (list) => list.reduce((a, b) => (b.rate > a.rate ? b : a));

/** MiB of a process, by the kernel's count: Rss, Pss, … */
export function memory(pid, name) {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]) / 1024;
}

const childrenOf = (pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);

/** A process and all that it started. */
export const kinOf = (pid) => [pid, ...childrenOf(pid).flatMap(kinOf)];

/** Processor time of a process, its threads and its children: microseconds, in steps of 10 ms. */
export function cpuOf(pid) {
  return kinOf(pid).reduce((sum, one) => {
    const fields = readFileSync(`/proc/${one}/stat`, 'utf8').split(') ')[1].split(' ');
    return sum + (Number(fields[11]) + Number(fields[12])) * 10_000;
  }, 0);
}
