// One server after the other on the same sockets, under load. attack case: OPS-015
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { Load, get, post } from './lib/load.mjs';
import { BUILD, World, sleep, start, unheld } from './lib/world.mjs';

const ROUNDS = Number(process.env.WARDER_SOAK_UPGRADES ?? 3);
// Old servers keep idle connections for three quarters of it.
const QUICK = ['--drain-timeout', '2'];
const ROUND_MS = Number(process.env.WARDER_SOAK_UPGRADE_MS ?? 300);

/** The server's own command line, and the old one's end. */
async function upgrade(w, more = []) {
  const old = w.warder;
  w.warder = await start(path.join(BUILD, 'warder'),
    ['serve', '--listen', `127.0.0.1:${w.port}`, '--data', w.data, ...w.args, '--take-over', ...more], { env: w.env, data: w.data });
  return old;
}

async function tokenRequest(w) {
  const client = await w.machineClient();
  const basic = Buffer.from(`${client.client_id}:${client.client_secret}`).toString('base64');
  return post('/token', String(new URLSearchParams({ grant_type: 'client_credentials', resource: w.mcp })), { authorization: `Basic ${basic}` });
}

test(`${ROUNDS} upgrades under load fail no request, and the audit trail stays one chain`, { timeout: 60_000 + ROUNDS * 15_000 }, async () => {
  const w = await World.start({ sample: false, args: QUICK });
  const load = new Load(w.port, [get('/.well-known/oauth-authorization-server'), get('/jwks'), await tokenRequest(w)]);
  try {
    const ended = [];
    for (let i = 0; i < ROUNDS; i++) {
      await sleep(ROUND_MS);
      const old = await upgrade(w);
      ended.push(old.done);
      assert.equal(statSync(path.join(w.data, 'take-over.sock')).mode & 0o777, 0o600);
    }
    await sleep(ROUND_MS);
    const rate = await load.stop();
    for (const end of await Promise.all(ended)) assert.deepEqual(end, { code: 0, signal: null });
    console.log(JSON.stringify({ upgrades: ROUNDS, answers: load.answers, rate, failures: load.failures }));
    assert.deepEqual(load.failures, {});
    assert.deepEqual(Object.keys(load.statuses), ['200']);
    assert.ok(load.answers > ROUNDS * 100, JSON.stringify(load.statuses));
    assert.match((await w.cli(['audit', 'verify'])).stdout, /the chain holds/);
  } finally {
    load.abandon();
    await w.stop();
  }
});

test('a server that does not start leaves the running one as it is', async () => {
  const w = await World.start({ sample: false, args: QUICK });
  const load = new Load(w.port, [get('/jwks')], { callers: 4 });
  const other = unheld(net.createServer());
  try {
    const running = w.warder;
    await new Promise((resolve) => other.listen(0, '127.0.0.1', resolve));
    const failing = [
      [['--workers', '1'], /as many workers as the running server/],
      [['--metrics-listen', `127.0.0.1:${other.address().port}`], /cannot listen on .* \(metrics_listen\)/],
    ];
    for (let i = 0; i < failing.length; i++) {
      await assert.rejects(upgrade(w, failing[i][0]), failing[i][1]);
      w.warder = running;
      await sleep(200);
      assert.equal(running.err.split('did not start; this one goes on').length, i + 2);
    }
    await upgrade(w).then((old) => old.done);
    await load.stop();
    assert.deepEqual(load.failures, {});
  } finally {
    other.close();
    load.abandon();
    await w.stop();
  }
});

/** One that asks for the sockets and then says nothing any more. */
const HANGING = `
import socket, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(sys.argv[1])
s.recv(64)
print('has them', flush=True)
time.sleep(60)
`;

test('one that hangs with the sockets is named to the next one, and keeps it out no longer than it lives', async () => {
  const w = await World.start({ sample: false, args: QUICK });
  const running = w.warder;
  const hanging = spawn('python3', ['-c', HANGING, path.join(w.data, 'take-over.sock')], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await new Promise((resolve) => hanging.stdout.once('data', resolve));
    await assert.rejects(upgrade(w), /another server is about to take over already/);
    w.warder = running;
    hanging.kill('SIGKILL');
    await new Promise((resolve) => hanging.once('exit', resolve));
    await upgrade(w).then((old) => old.done);
  } finally {
    hanging.kill('SIGKILL');
    await w.stop();
  }
});

test('a server that is stopped is not waited for, and goes on when it is let', async () => {
  const w = await World.start({ sample: false, args: QUICK });
  const running = w.warder;
  try {
    running.child.kill('SIGSTOP');
    const began = Date.now();
    await assert.rejects(upgrade(w), /does not answer at take-over.sock; is it stopped, or hanging\?/);
    w.warder = running;
    assert.ok(Date.now() - began < 15_000);
    running.child.kill('SIGCONT');
    await upgrade(w).then((old) => old.done);
  } finally {
    running.child.kill('SIGCONT');
    await w.stop();
  }
});

test('without a running server --take-over is a start like any other', async () => {
  const w = await World.start({ sample: false, args: ['--take-over'] });
  try {
    assert.match(w.warder.err, /no server runs on the data folder/);
  } finally {
    await w.stop();
  }
});

test('what only memory holds is not taken over', async () => {
  const w = await World.start({ sample: false });
  const running = w.warder;
  try {
    await assert.rejects(upgrade(w, ['--store', 'memory']), /restart it instead/);
  } finally {
    w.warder = running;
    await w.stop();
  }
});

/** As a service manager: it listens, passes that on as descriptor 3, and starts the service again on
 *  SIGUSR1 while clients wait at the socket. */
const MANAGER = `
import os, signal, socket, sys
s = socket.socket()
s.bind(('127.0.0.1', 0))
s.listen(512)
os.dup2(s.fileno(), 3) if s.fileno() != 3 else os.set_inheritable(3, True)
words = [w.replace(':0', ':%d' % s.getsockname()[1]) for w in sys.argv[1:]]
pid, going = 0, True
def run():
    global pid
    pid = os.fork()
    if pid == 0:
        os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1')
        os.execv(words[0], words)
def end(sig, frame):
    global going
    going = sig == signal.SIGUSR1
    os.kill(pid, signal.SIGTERM)
signal.signal(signal.SIGUSR1, end)
signal.signal(signal.SIGTERM, end)
run()
while True:
    status = os.waitpid(pid, 0)[1]
    if not going or status:
        sys.exit(os.waitstatus_to_exitcode(status) & 255)
    run()
`;

test('a socket of the service manager is used, and a restart behind it fails no request', async () => {
  const w = await World.start({ sample: false, wrap: ['python3', '-c', MANAGER] });
  const load = new Load(w.port, [get('/jwks'), await tokenRequest(w)], { callers: 8 });
  try {
    for (let i = 1; i <= 2; i++) {
      await sleep(200);
      w.warder.child.kill('SIGUSR1');
      for (let k = 0; k < 400 && w.warder.out.split('ready at').length < i + 2; k++) await sleep(10);
    }
    await sleep(200);
    await load.stop();
    assert.equal(w.warder.out.split('ready at').length, 4, 'three starts');
    assert.deepEqual(load.failures, {});
    assert.deepEqual(Object.keys(load.statuses), ['200']);
  } finally {
    load.abandon();
    await w.stop();
  }
});
