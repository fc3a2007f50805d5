// Private keys in a process of their own: where they are and are not, and what its end means.
// attack case: OPS-019
import assert from 'node:assert/strict';
import { createDecipheriv, createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, readSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { Load, get, post } from './lib/load.mjs';
import { machineToken } from './lib/oauth.mjs';
import { BUILD, World, run, sleep, start } from './lib/world.mjs';

const WARDER = path.join(BUILD, 'warder');
const isRoot = process.getuid() === 0;
const status = (pid, name) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1];

/** The process that signs for a server; undefined: there is none. */
function signerOf(server) {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).find((pid) => {
    try {
      return status(pid, 'PPid') === String(server.child.pid) && status(pid, 'Name') === 'warder-signer';
    } catch {
      return false;
    }
  });
}

async function goneSoon(pid) {
  for (let i = 0; i < 500; i++) {
    try {
      if (status(pid, 'State').startsWith('Z')) return true;
    } catch {
      return true;
    }
    await sleep(10);
  }
  return false;
}

/** A world whose keys are encrypted under the key of a file in a folder of its own. */
async function world({ env = {}, args = [], users = [] } = {}) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'warder-keys-'));
  const key = randomBytes(32);
  const file = path.join(folder, 'kek', 'key');
  mkdirSync(path.dirname(file));
  writeFileSync(file, `${key.toString('base64')}\n`, { mode: 0o600 });
  const w = await World.start({ sample: false, users, env: { WARDER_KEY_FILE: file, ...env }, args, store: 'sqlite', nodes: 1 });
  return Object.assign(w, { kek: key, keyFile: file, leave: async () => {
    await w.stop();
    rmSync(folder, { recursive: true });
  } });
}

async function tokenRequest(w) {
  const client = await w.machineClient();
  const basic = Buffer.from(`${client.client_id}:${client.client_secret}`).toString('base64');
  return post('/token', String(new URLSearchParams({ grant_type: 'client_credentials', resource: w.mcp })), { authorization: `Basic ${basic}` });
}

/** The private keys of the database, opened with the key of the file, as their 32 bytes. */
function scalars(w) {
  const db = new DatabaseSync(path.join(w.data, 'warder.db'), { readOnly: true });
  const table = db.prepare("SELECT name FROM sqlite_master WHERE type='table' AND sql LIKE '%sealed_by%'").get().name;
  const rows = db.prepare(`SELECT * FROM ${table}`).all();
  db.close();
  return rows.map((row) => {
    const sealed = Buffer.from(Object.values(row).find((value) => value instanceof Uint8Array && value.length > 70) ?? []);
    if (!sealed.length) return null;
    const open = createDecipheriv('aes-256-gcm', w.kek, sealed.subarray(0, 12));
    open.setAAD(Buffer.from(`sign ${row.kid}`));
    open.setAuthTag(sealed.subarray(-16));
    const der = Buffer.concat([open.update(sealed.subarray(12, -16)), open.final()]);
    return Buffer.from(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({ format: 'jwk' }).d, 'base64url');
  }).filter(Boolean);
}

/** Whether the bytes are anywhere in what a process has of its own, in either order: numbers of many
 *  words lie with the least one first. */
function remembers(pid, bytes) {
  const mem = openSync(`/proc/${pid}/mem`, 'r');
  const orders = [bytes, Buffer.from(bytes).reverse()];
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').trim().split('\n')) {
      const [, from, to, mode] = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/.exec(line);
      if (!mode.startsWith('rw')) continue;
      for (let at = BigInt(`0x${from}`); at < BigInt(`0x${to}`); at += 1n << 24n) {
        const left = BigInt(`0x${to}`) - at;
        const part = Buffer.alloc(Number(left < (1n << 24n) + 64n ? left : (1n << 24n) + 64n));
        let n = 0;
        try {
          n = readSync(mem, part, 0, part.length, at);
        } catch {
          continue; // a page that is a guard, or the kernel's
        }
        if (orders.some((order) => part.subarray(0, n).includes(order))) return true;
      }
    }
    return false;
  } finally {
    closeSync(mem);
  }
}

test('private keys, and the key they are encrypted under, are in the signing process and not in the server', { skip: !isRoot && 'only root may read memory' }, async () => {
  for (const alg of ['ES256', 'EdDSA']) {
    const w = await world({ env: { WARDER_SIGNING_ALG: alg } });
    const text = Buffer.from(w.kek.toString('base64'));
    try {
      if (alg === 'EdDSA') {
        const { WARDER_KEY_FILE: _, ...rest } = w.env;
        w.env = { ...rest, WARDER_KEY: String(text) };
        await w.restart();
      }
      const server = w.warder.child.pid;
      const signer = signerOf(w.warder);
      const request = await tokenRequest(w);
      const load = new Load(w.port, [request, get('/jwks')], { callers: 2 });
      await sleep(300);
      await w.cli(['admin', 'key', 'rotate', '--at-once', '--key-file', w.keyFile]);
      await sleep(500);
      await load.stop();
      assert.ok(load.statuses['200'] > 20, JSON.stringify(load.statuses));
      const keys = scalars(w);
      assert.equal(keys.length, 1);
      assert.ok(!remembers(server, text), 'nor as it was given');
      for (const secret of [...keys, w.kek]) {
        assert.equal(secret.length, 32);
        assert.ok(remembers(signer, secret), `${alg}: it is found where it is`);
        assert.ok(!remembers(server, secret), `${alg}: the server has it not`);
      }
    } finally {
      await w.leave();
    }
  }
});

test('without the process they are in the server: the search finds what is there', { skip: !isRoot && 'only root may read memory' }, async () => {
  const w = await world({ env: { WARDER_SIGNING_PROCESS: 'false' } });
  try {
    assert.equal(signerOf(w.warder), undefined);
    assert.match(w.warder.err, /the server signs in its own process.*signing_process is off/);
    assert.equal((await machineToken(w, await w.machineClient())).status, 200);
    for (const secret of [...scalars(w), w.kek]) assert.ok(remembers(w.warder.child.pid, secret));
  } finally {
    await w.leave();
  }
});

test('the process is walled in, and neither file of keys can be read by the server', async () => {
  const audit = mkdtempSync(path.join(os.tmpdir(), 'warder-audit-key-'));
  const file = path.join(audit, 'audit.pem');
  await run('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', file]);
  const w = await world({ env: { WARDER_AUDIT_KEY_FILE: file, WARDER_AUDIT_CHECKPOINT_INTERVAL: '1' } });
  try {
    const signer = signerOf(w.warder);
    assert.match(w.warder.err, /a process of its own signs/);
    assert.doesNotMatch(w.warder.err, /the server may read a key/);
    assert.equal(status(signer, 'NoNewPrivs'), '1');
    if (/"system_calls":"filtered"/.test(w.warder.err)) {
      for (const thread of readdirSync(`/proc/${signer}/task`))
        assert.equal(/^Seccomp:\s*(\d)$/m.exec(readFileSync(`/proc/${signer}/task/${thread}/status`, 'utf8'))[1], '2', `thread ${thread}`);
    }
    assert.equal(BigInt(`0x${status(signer, 'CapEff')}`), 0n);
    assert.match(readFileSync(`/proc/${signer}/limits`, 'utf8'), /Max core file size +(1|0) +(1|0) /);
    for (let i = 0; i < 3; i++) {
      assert.equal((await machineToken(w, await w.machineClient())).status, 200);
      await sleep(1000);
    }
    const verified = await w.cli(['audit', 'verify', '--public-key', file.replace('.pem', '.pub.pem')]);
    assert.match(verified.stdout, /the chain holds/);
    assert.ok(w.auditText().split('"event":"checkpoint"').length > 2, 'signed by the process');
  } finally {
    await w.leave();
    rmSync(audit, { recursive: true });
  }
});

test('a key file that lies where the server reads is named in the log', async () => {
  const w = await World.start({ sample: false, users: [], store: 'sqlite', nodes: 1 });
  try {
    const file = path.join(w.data, 'key');
    writeFileSync(file, randomBytes(32).toString('base64'), { mode: 0o600 });
    w.env.WARDER_KEY_FILE = file;
    await w.restart();
    if (/"files":"bounded"/.test(w.warder.err)) assert.match(w.warder.err, /the server may read a key that is the signing process's alone.*key"/);
    assert.equal((await machineToken(w, await w.machineClient())).status, 200);
  } finally {
    await w.stop();
  }
});

test('a key file that the programs of upstreams, or a server without a sandbox, may read is named in the log', async () => {
  const w = await world();
  const { WARDER_KEY_FILE: file, ...rest } = w.env;
  try {
    assert.doesNotMatch(w.warder.err, /programs of upstreams may read a key/);
    w.env.WARDER_UPSTREAM_COMMAND = '/bin/cat';
    await w.restart();
    assert.match(w.warder.err, /programs of upstreams may read a key.*give it by WARDER_KEY/);
    w.env.WARDER_SANDBOX = 'off';
    await w.restart();
    assert.match(w.warder.err, /the server may read a key that is the signing process's alone, as nothing keeps it from files/);
    w.env = { ...rest, WARDER_UPSTREAM_COMMAND: '/bin/cat', WARDER_KEY: readFileSync(file, 'utf8') };
    await w.restart();
    assert.match(w.warder.err, /a process of its own signs/);
    assert.doesNotMatch(w.warder.err, /may read a key/);
  } finally {
    await w.leave();
  }
});

/** Changes the table of keys as who holds the server can, and with it the database. */
function withKeys(w, change) {
  const db = new DatabaseSync(path.join(w.data, 'warder.db'));
  const { name } = db.prepare("SELECT name FROM sqlite_master WHERE type='table' AND sql LIKE '%sealed_by%'").get();
  try {
    return change(db, name);
  } finally {
    db.close();
  }
}

test('a signing key that was put into the database is never published', async () => {
  const w = await world();
  try {
    const mine = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'der', type: 'pkcs8' });
    const kids = async () => (await (await fetch(`${w.base}/jwks`)).json()).keys.map((key) => key.kid);
    const before = await kids();
    withKeys(w, (db, name) => {
      const row = db.prepare(`SELECT * FROM ${name}`).all().find((one) => one.kid === before[0]);
      const secret = Object.keys(row).find((column) => row[column] instanceof Uint8Array && row[column].length > 70);
      // All others go: nothing is encrypted any more, as in a store that had no key.
      db.exec(`DELETE FROM ${name}`);
      const planted = { ...row, kid: 'planted', [secret]: mine, sealed_by: null };
      db.prepare(`INSERT INTO ${name} (${Object.keys(planted).join()}) VALUES (${Object.keys(planted).map(() => '?').join()})`).run(...Object.values(planted));
    });
    await w.restart();
    const after = await kids();
    assert.equal(after.length, 1);
    assert.ok(!after.includes('planted') && !after.includes(before[0]), `${after}`);
    assert.equal((await machineToken(w, await w.machineClient())).status, 200);
    assert.match(w.auditText(), /signing keys that were plain are deleted/);
  } finally {
    await w.leave();
  }
});

test('kill -9 of it: 503 at worst, the server ends with an error, and the next start goes on', async () => {
  const w = await world();
  try {
    const request = await tokenRequest(w);
    const load = new Load(w.port, [request], { callers: 4 });
    const published = await (await fetch(`${w.base}/jwks`)).text();
    await sleep(200);
    process.kill(signerOf(w.warder), 'SIGKILL');
    await w.warder.done;
    load.abandon();
    assert.deepEqual(w.warder.exited, { code: 1, signal: null });
    assert.match(w.warder.err, /the signing process has ended; the server ends with it/);
    assert.ok(load.statuses['200'] > 10, JSON.stringify(load.statuses));
    for (const code of Object.keys(load.statuses)) assert.ok(['200', '503'].includes(code), code);
    await w.startWarder(w.port);
    assert.equal(await (await fetch(`${w.base}/jwks`)).text(), published);
    assert.equal((await machineToken(w, await w.machineClient())).status, 200);
    assert.match((await w.cli(['audit', 'verify'])).stdout, /the chain holds/);
  } finally {
    await w.leave();
  }
});

test('kill -9 of the server ends it as well', async () => {
  const w = await world();
  try {
    const signer = signerOf(w.warder);
    await w.kill9();
    assert.ok(await goneSoon(signer));
    await w.restart();
    assert.equal((await machineToken(w, await w.machineClient())).status, 200);
  } finally {
    await w.leave();
  }
});

test('keys rotate under load, by themselves and by hand, and no request fails', { timeout: 60_000 }, async () => {
  const w = await world({ env: { WARDER_KEY_SET_CACHE_AGE: '1', WARDER_KEY_ROTATION_INTERVAL: '1' } });
  const load = new Load(w.port, [get('/jwks'), await tokenRequest(w)], { callers: 2 });
  try {
    const kids = new Set();
    for (let i = 0; i < 40 && kids.size < 4; i++) {
      for (const key of (await (await fetch(`${w.base}/jwks`)).json()).keys) kids.add(key.kid);
      if (i === 5) await w.cli(['admin', 'key', 'rotate', '--at-once', '--key-file', w.keyFile]);
      await sleep(250);
    }
    await load.stop();
    assert.ok(kids.size >= 4, `${kids.size} keys`);
    assert.deepEqual(load.failures, {});
    assert.deepEqual(Object.keys(load.statuses), ['200']);
    assert.doesNotMatch(w.warder.err, /"level":"error"/);
  } finally {
    load.abandon();
    await w.leave();
  }
});

test('the next server has a process of its own, and takes over under load', { timeout: 60_000 }, async () => {
  const w = await world({ args: ['--drain-timeout', '2'] });
  const load = new Load(w.port, [get('/jwks'), await tokenRequest(w)], { callers: 2 });
  try {
    for (let i = 0; i < 2; i++) {
      await sleep(200);
      const old = w.warder;
      const before = signerOf(old);
      w.warder = await start(WARDER, ['serve', '--listen', `127.0.0.1:${w.port}`, '--data', w.data, ...w.args, '--take-over'], { env: w.env, data: w.data });
      assert.deepEqual(await old.done, { code: 0, signal: null });
      assert.ok(await goneSoon(before));
      assert.ok(signerOf(w.warder));
    }
    await load.stop();
    assert.deepEqual(load.failures, {});
    assert.deepEqual(Object.keys(load.statuses), ['200']);
    assert.match((await w.cli(['audit', 'verify'])).stdout, /the chain holds/);
  } finally {
    load.abandon();
    await w.leave();
  }
});
