// The proxy between Warder and PostgreSQL that fails on purpose: each of its faults happens when and as
// it says, to what it says, and to nothing else.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import { FAULTS, FaultProxy } from './lib/fault_proxy.mjs';
import { HAS_POSTGRES, commonCluster } from './lib/postgres.mjs';

const INSERT = 'INSERT INTO made SELECT 1';
const skip = HAS_POSTGRES ? false : 'no PostgreSQL server is installed';

function frame(type, ...parts) {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
const text = (value) => Buffer.from(`${value}\0`);
const int16 = (value) => Buffer.from([value >> 8, value & 255]);

/** As much of a client as the tests need: unnamed statements without parameters, a Sync after each. */
class Client {
  static async connect(port, database) {
    const c = new Client();
    c.seen = '';
    c.closed = null;
    c.socket = net.connect(port, '127.0.0.1');
    c.socket.on('error', (error) => (c.closed ??= error.code));
    c.socket.on('close', () => (c.closed ??= 'end'));
    let rest = Buffer.alloc(0);
    c.socket.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 5 && rest.length > rest.readInt32BE(1)) {
        c.seen += String.fromCharCode(rest[0]);
        rest = rest.subarray(rest.readInt32BE(1) + 1);
      }
    });
    const words = Buffer.concat([Buffer.from([0, 3, 0, 0]), text('user'), text('postgres'), text('database'), text(database), Buffer.from([0])]);
    const head = Buffer.alloc(4);
    head.writeInt32BE(words.length + 4);
    c.socket.write(Buffer.concat([head, words]));
    await c.readyOrGone();
    return c;
  }

  /** Sends a batch; what came of it: 'ready', 'gone' (reset, or closed), or 'silent' after `ms`. */
  async run(statement, ms = 1000) {
    this.seen = '';
    const none = int16(0);
    this.socket.write(Buffer.concat([
      frame('P', text(''), text(statement), none), frame('B', text(''), text(''), none, none, none),
      frame('E', text(''), Buffer.alloc(4)), frame('S'),
    ]));
    return this.readyOrGone(ms);
  }

  async readyOrGone(ms = 1000) {
    for (const until = Date.now() + ms; Date.now() < until; await new Promise((resolve) => setTimeout(resolve, 2))) {
      if (this.seen.includes('Z')) return 'ready';
      if (this.closed) return 'gone';
    }
    return 'silent';
  }

  end() {
    this.socket.destroy();
  }
}

let cluster;
let database;
let proxy;
let clients = [];
before(async () => {
  if (skip) return;
  cluster = await commonCluster();
  database = await cluster.database();
  await cluster.sql('CREATE TABLE made (one int)', database);
  proxy = await FaultProxy.start(cluster.port);
});
afterEach(async () => {
  for (const one of clients.splice(0)) one.end();
  proxy?.clear();
  if (cluster) await cluster.sql('DELETE FROM made', database);
});
after(() => proxy?.stop());

async function connect() {
  const client = await Client.connect(proxy.port, database);
  clients.push(client);
  return client;
}
const rows = async () => Number(await cluster.sql('SELECT count(*) FROM made', database));

test('without a rule all passes', { skip }, async () => {
  const client = await connect();
  for (let i = 0; i < 3; i++) assert.equal(await client.run(INSERT), 'ready');
  assert.equal(await rows(), 3);
});

test('cut before: nothing reaches the server', { skip }, async () => {
  proxy.rule({ what: FAULTS.CUT_BEFORE, like: /INSERT/, nth: 2 });
  const client = await connect();
  assert.equal(await client.run(INSERT), 'ready');
  assert.equal(await client.run('SELECT 1'), 'ready');
  assert.equal(await client.run(INSERT), 'gone');
  assert.equal(client.closed, 'ECONNRESET');
  assert.equal(await rows(), 1);
  assert.equal(proxy.counts[FAULTS.CUT_BEFORE], 1);
});

test('cut after: the server has it, and the client no answer', { skip }, async () => {
  proxy.rule({ what: FAULTS.CUT_AFTER, like: /INSERT/ });
  const client = await connect();
  assert.equal(await client.run(INSERT), 'gone');
  assert.equal(client.seen, '');
  assert.equal(await rows(), 1);
  assert.equal(await (await connect()).run(INSERT), 'ready');
  assert.equal(await rows(), 2);
});

test('cut at once: the client has no answer', { skip }, async () => {
  proxy.rule({ what: FAULTS.CUT_AT_ONCE, like: /INSERT/ });
  assert.equal(await (await connect()).run(INSERT), 'gone');
});

test('delays hold up a batch, what is behind it, or its answer, and lose nothing', { skip }, async () => {
  for (const what of [FAULTS.DELAY, FAULTS.DELAY_ANSWER]) {
    proxy.rule({ what, like: /INSERT/, ms: 150 });
    const client = await connect();
    const begun = performance.now();
    assert.equal(await client.run(INSERT, 50), 'silent');
    assert.equal(await rows(), what === FAULTS.DELAY ? 0 : 1);
    assert.equal(await client.readyOrGone(), 'ready');
    assert.ok(performance.now() - begun >= 150);
    await cluster.sql('DELETE FROM made', database);
  }
});

test('half open: silence, and a connection that stands', { skip }, async () => {
  for (const what of [FAULTS.HALF_OPEN, FAULTS.HALF_ANSWER]) {
    proxy.rule({ what, like: /INSERT/ });
    const client = await connect();
    assert.equal(await client.run(INSERT, 100), 'silent');
    assert.equal(await client.run('SELECT 1', 100), 'silent');
    assert.equal(client.closed, null);
    assert.equal(await rows(), what === FAULTS.HALF_OPEN ? 0 : 1);
    await cluster.sql('DELETE FROM made', database);
  }
});

test('slow drip: the whole answer, crumb by crumb', { skip }, async () => {
  proxy.rule({ what: FAULTS.DRIP, like: /INSERT/ });
  const client = await connect();
  const begun = performance.now();
  assert.equal(await client.run(INSERT), 'ready');
  assert.ok(performance.now() - begun >= 10);
  assert.equal(await rows(), 1);
});

test('refusing: no connection; a reset ends those there are; deaf: neither a word in nor out', { skip }, async () => {
  const client = await connect();
  proxy.refusing = true;
  assert.equal(await (await connect()).run('SELECT 1', 50), 'gone');
  assert.equal(await client.run('SELECT 1'), 'ready');
  proxy.reset();
  assert.equal(await client.run('SELECT 1'), 'gone');
  proxy.clear();
  const other = await connect();
  proxy.deaf = true;
  assert.equal(await other.run('SELECT 1', 100), 'silent');
});
