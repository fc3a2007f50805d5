// The server as a process: as whom it runs, what it may still do, and what signals do to it.
// attack case: OPS-008, OPS-019, OPS-020
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { Gateway } from './lib/gateway.mjs';
import { Load, get, post } from './lib/load.mjs';
import { BUILD, World, freePort, run, sleep, start, stop } from './lib/world.mjs';

const WARDER = path.join(BUILD, 'warder');
const STORM_MS = Number(process.env.WARDER_SOAK_STORM_MS ?? 700);
const isRoot = process.getuid() === 0;

/** A line of /proc/PID/status. */
const status = (pid, name) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1];

/** All processes that this one has started. */
function childrenOf(pid) {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && existsSync(`/proc/${name}/status`))
    .filter((name) => {
      try {
        return status(name, 'PPid') === String(pid);
      } catch {
        return false;
      }
    });
}

function modes(folder) {
  return Object.fromEntries(readdirSync(folder).filter((name) => !name.endsWith('.log') || name === 'audit.log')
    .map((name) => [name, (statSync(path.join(folder, name)).mode & 0o777).toString(8)]));
}

test('the running server is sandboxed, and its log says so', async () => {
  const w = await Gateway.start({ upstream: 'stdio', users: [] });
  try {
    const { pid } = w.warder.child;
    assert.match(w.warder.err, /"the sandbox is closed"|"this kernel cannot hold all of the sandbox"/);
    assert.equal(status(pid, 'NoNewPrivs'), '1');
    assert.equal(status(pid, 'Seccomp'), '2');
    for (const thread of readdirSync(`/proc/${pid}/task`))
      assert.equal(/^Seccomp:\s*(\d)$/m.exec(readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8'))[1], '2', `thread ${thread}`);
    // What starts children has no sandbox, and is all that the server has started.
    const children = childrenOf(pid);
    assert.deepEqual(children.map((child) => status(child, 'Name')), ['warder-spawner']);
    assert.equal(status(children[0], 'Seccomp'), '0');
  } finally {
    await w.stop();
  }
});

test('a reload cannot lead the server out of the sandbox', async (t) => {
  const outside = mkdtempSync(path.join(os.tmpdir(), 'warder-outside-'));
  const settings = (more = '') => `log_level: info\nupstreams:\n  - path: /mcp\n    url: UPSTREAM\n${more}`;
  const w = await Gateway.start({ upstream: 'http://127.0.0.1:9/mcp', settings: settings(), users: [] });
  try {
    if (!/"files":"bounded"/.test(w.warder.err)) return t.skip('this kernel has no Landlock');
    writeFileSync(path.join(outside, 'secret'), 'something\n', { mode: 0o600 });
    const credential = (file) => settings(`    credential: {kind: static, header: X-Key, secret_file: ${file}}\n`);
    assert.match(await w.reload(credential(path.join(outside, 'secret'))), /cannot be read: Permission denied/);
    copyFileSync(path.join(outside, 'secret'), path.join(w.data, 'secret'));
    chmodSync(path.join(w.data, 'secret'), 0o600);
    assert.match(await w.reload(credential('secret')), /loaded anew/);
  } finally {
    await w.stop();
    rmSync(outside, { recursive: true });
  }
});

test('sandbox: off is said, and on is held to', async () => {
  const off = await World.start({ sample: false, users: [], args: ['--sandbox', 'off'] });
  try {
    assert.equal(status(off.warder.child.pid, 'Seccomp'), '0');
    assert.match(off.warder.err, /"the sandbox is off"/);
  } finally {
    await off.stop();
  }
  const wrong = await run(WARDER, ['serve', '--data', mkdtempSync(path.join(os.tmpdir(), 'warder-e2e-')), '--sandbox-connect-ports', 'https']);
  assert.equal(wrong.code, 3);
  assert.match(wrong.stderr, /^warder: sandbox_connect_ports \(from the command line\) is 'https'; give numbers of TCP ports, such as 443$/m);
});

test('started by root it becomes the user of the settings, and keeps nothing of root', { skip: !isRoot && 'only root can become another' }, async () => {
  const data = path.join(mkdtempSync(path.join(os.tmpdir(), 'warder-e2e-')), 'data');
  chmodSync(path.dirname(data), 0o755);
  const port = await freePort();
  const args = ['serve', '--listen', `127.0.0.1:${port}`, '--data', data, '--run-as', 'nobody'];
  const server = await start(WARDER, args);
  try {
    const { pid } = server.child;
    const uid = execFileSync('id', ['-u', 'nobody'], { encoding: 'utf8' }).trim();
    const gid = execFileSync('id', ['-g', 'nobody'], { encoding: 'utf8' }).trim();
    assert.equal(status(pid, 'Uid'), [uid, uid, uid, uid].join('\t'));
    assert.equal(status(pid, 'Gid'), [gid, gid, gid, gid].join('\t'));
    assert.equal(status(pid, 'Groups').trim(), gid);
    // Of capabilities that which binds low ports, and no other.
    assert.equal(status(pid, 'CapPrm'), '0000000000000400');
    assert.equal(status(pid, 'CapInh'), '0000000000000000');
    assert.equal(status(pid, 'NoNewPrivs'), '1');
    assert.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /Max core file size +1 +1 /);
    assert.equal(statSync(data).mode & 0o777, 0o700);
    assert.equal(String(statSync(data).uid), uid);
    for (const [name, mode] of Object.entries(modes(data))) assert.equal(mode, '600', name);
    // What is not dumpable belongs to root in /proc.
    assert.equal(statSync(`/proc/${pid}/environ`).uid, 0);
    // A command of root's leaves no file that the server cannot use.
    const added = await run(WARDER, ['admin', 'user', 'add', 'eve', '--password-stdin', '--data', data, '--run-as', 'nobody'], { input: 'a long password of hers\n' });
    assert.equal(added.code, 0, added.stderr);
    for (const name of readdirSync(data)) assert.equal(String(statSync(path.join(data, name)).uid), uid, name);
    assert.doesNotMatch(server.err, /runs as root/);
  } finally {
    await stop(server);
    rmSync(path.dirname(data), { recursive: true });
  }
});

test('a setting that does nothing is warned of, and stops nothing', async () => {
  const w = await World.start({ sample: false, users: [], args: ['--login-client-id', 'c'] });
  try {
    assert.match(w.warder.err, /"level":"warn","msg":"a setting does nothing","setting":"login_client_id","mend":"set login_issuer too/);
  } finally {
    await w.stop();
  }
});

test('an account that is none, or that it cannot become, stops the start', async () => {
  const data = mkdtempSync(path.join(os.tmpdir(), 'warder-e2e-'));
  const wrong = await run(WARDER, ['serve', '--data', data, '--run-as', 'no-such-account']);
  assert.equal(wrong.code, 3);
  assert.match(wrong.stderr, /^warder: run_as is 'no-such-account', and there is no account of that name$/m);
  if (!isRoot) return;
  chmodSync(data, 0o755);
  const other = await run('setpriv', ['--reuid=nobody', '--regid=nogroup', '--clear-groups', WARDER, 'serve', '--data', data, '--run-as', 'root']);
  assert.equal(other.code, 3);
  assert.match(other.stderr, /only root can become another; start as root or as 'root'/);
});

test('as any user: folder 0700, files 0600 whatever the umask, no core, no privileges', async () => {
  const data = path.join(mkdtempSync(path.join(os.tmpdir(), 'warder-e2e-')), 'data');
  const server = await start(WARDER, ['serve', '--listen', '127.0.0.1:0', '--data', data], { wrap: ['sh', '-c', 'umask 000; exec "$@"', 'sh'] });
  try {
    const { pid } = server.child;
    assert.equal(statSync(data).mode & 0o777, 0o700);
    assert.deepEqual(new Set(Object.values(modes(data))), new Set(['600']), JSON.stringify(modes(data)));
    assert.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /Max core file size +1 +1 /);
    if (isRoot) assert.match(server.err, /the server runs as root; give it an account of its own/);
    // Whatever root gives, tracing, modules, raw packets and mounts are not kept.
    assert.equal(BigInt(`0x${status(pid, 'CapEff')}`) & ~0x40bn, 0n);
  } finally {
    await stop(server);
    rmSync(path.dirname(data), { recursive: true });
  }
});

test('a key file that a group or others can read is refused in one sentence', async () => {
  const data = mkdtempSync(path.join(os.tmpdir(), 'warder-e2e-'));
  const file = path.join(data, 'secret');
  writeFileSync(file, `${Buffer.alloc(32, 7).toString('base64')}\n`);
  const settings = [
    ['--key-file', file], ['--audit-key-file', file], ['--login-issuer', 'https://login.example.com', '--login-client-id', 'x', '--login-client-secret-file', file],
    ['--store', 'postgres', '--postgres', 'host=127.0.0.1 port=1 user=w', '--postgres-password-file', file],
    ['--tls-certificate', new URL('package.json', import.meta.url).pathname, '--tls-key-file', file],
  ];
  for (const mode of [0o640, 0o644, 0o604, 0o660]) {
    chmodSync(file, mode);
    for (const flags of settings) {
      const refused = await run(WARDER, ['serve', '--listen', '127.0.0.1:0', '--data', path.join(data, 'd'), ...flags]);
      assert.equal(refused.code, 3, `${flags}: ${refused.stderr}`);
      assert.match(refused.stderr, /^warder: others can use the .*secret' \(mode \d+\); run: chmod 600 \S+$/m, String(flags));
    }
  }
  // As secrets are mounted: of another account, for a group of this one.
  if (isRoot) {
    chmodSync(file, 0o440);
    chownSync(file, 1, 0);
    const server = await start(WARDER, ['serve', '--listen', '127.0.0.1:0', '--data', path.join(data, 'd2'), '--key-file', file]);
    await stop(server);
  }
  rmSync(data, { recursive: true });
});

test(`${STORM_MS} ms of SIGHUP, SIGUSR1, SIGUSR2 and SIGPIPE at 1 kHz under load, then SIGTERM at 1 kHz: no answer is cut`, async () => {
  const w = await World.start({ sample: false });
  const client = await w.machineClient();
  const basic = Buffer.from(`${client.client_id}:${client.client_secret}`).toString('base64');
  const token = post('/token', String(new URLSearchParams({ grant_type: 'client_credentials', resource: w.mcp })), { authorization: `Basic ${basic}` });
  const load = new Load(w.port, [get('/jwks'), token], { callers: 8 });
  const { pid } = w.warder.child;
  const rain = (signals, ms) => {
    const until = Date.now() + ms;
    return new Promise((resolve) => {
      const timer = setInterval(() => {
        try {
          for (const signal of signals) process.kill(pid, signal);
        } catch {
          clearInterval(timer);
          resolve();
        }
        if (Date.now() < until) return;
        clearInterval(timer);
        resolve();
      }, 1);
    });
  };
  try {
    await sleep(100);
    await rain(['SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGPIPE'], STORM_MS);
    assert.equal(w.warder.exited, null, 'the storm ended it');
    assert.deepEqual(load.failures, {});
    const before = load.answers;
    const began = Date.now();
    await Promise.all([rain(['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGPIPE'], 3000), load.leave(), w.warder.done]);
    assert.deepEqual(w.warder.exited, { code: 0, signal: null });
    assert.ok(Date.now() - began < 10_000, 'drained within its time');
    assert.ok(load.answers > before, 'what was under way was answered');
    assert.deepEqual(load.failures, {});
    assert.deepEqual(Object.keys(load.statuses), ['200']);
    const reloads = w.audit().filter((e) => e.event === 'settings').length;
    assert.ok(reloads > 1 && reloads <= 2 + STORM_MS / 50, `${reloads} reloads`);
  } finally {
    load.abandon();
    await w.stop();
  }
});
