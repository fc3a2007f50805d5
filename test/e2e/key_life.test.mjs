// The life of the server's keys: they rotate under load and nobody's token fails, they lie encrypted
// in the database, and a server without the right key does not start.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { control } from './lib/attack.mjs';
import { claims, jose, machineToken, mcpOpen, mcpPost, refresh, register, signIn } from './lib/oauth.mjs';
import { BUILD, NEWS, World, run, sleep, stop } from './lib/world.mjs';

const ROTATIONS = Number(process.env.E2E_ROTATIONS ?? (process.env.E2E_LONG ? 20 : 8));
const CACHE_AGE_S = 1;
const SETTING = 3;
const REFUSED = 4;
const worlds = [];
after(async () => {
  for (const w of worlds) await w.stop();
});

async function world(options) {
  const w = await World.start(options);
  worlds.push(w);
  return w;
}

const jwksUrl = (w) => new URL(`${w.base}${new URL(w.metadata.jwks_uri).pathname}`);
const kids = async (w) => (await (await fetch(jwksUrl(w))).json()).keys.map((key) => key.kid);

/** Issues tokens and has each validated, new and old ones, until it is told to end. */
class Load {
  constructor(w, machine) {
    Object.assign(this, { w, machine, issued: 0, bySample: 0, byJose: 0, failures: [], tokens: [], kids: new Set(), ends: false });
    // Keeps the key set as long as the server allows and asks for nothing in between, whatever kid it meets.
    this.keys = createRemoteJWKSet(jwksUrl(w), { cacheMaxAge: CACHE_AGE_S * 1000, cooldownDuration: 3_600_000 });
  }

  async open() {
    const bearer = await this.issue();
    const session = await mcpOpen(this.w.mcp, bearer);
    assert.equal(session.status, 200, session.text);
    this.headers = session.headers;
  }

  async issue() {
    const answer = await machineToken(this.w, this.machine, { scope: NEWS });
    assert.equal(answer.status, 200, answer.text);
    const token = answer.body.access_token;
    this.issued++;
    this.kids.add(jose(token).kid);
    this.tokens.push({ token, until: claims(token).exp * 1000 - 3000 });
    return token;
  }

  async validate(token) {
    try {
      await jwtVerify(token, this.keys, { issuer: this.w.issuer, audience: this.w.mcp, typ: 'at+jwt' });
      this.byJose++;
    } catch (error) {
      this.failures.push(`jose: ${error.code} ${jose(token).kid}`);
    }
    const answer = await mcpPost(this.w.mcp, { jsonrpc: '2.0', id: 1, method: 'ping' }, { bearer: token, headers: this.headers });
    if (answer.status === 200) this.bySample++;
    else this.failures.push(`sample: ${answer.status} ${answer.text} ${jose(token).kid}`);
  }

  old() {
    while (this.tokens[0].until < Date.now()) this.tokens.shift();
    return this.tokens[Math.floor(Math.random() * this.tokens.length)].token;
  }

  async loop() {
    while (!this.ends) {
      await this.validate(await this.issue());
      await this.validate(this.old());
      await sleep(5);
    }
  }
}

test(`keys: ${ROTATIONS} rotations under load, and not one token fails`, { timeout: 170_000 }, async (t) => {
  const w = await world({ sampleArgs: ['--refetch', '1'], env: { WARDER_KEY_SET_CACHE_AGE: String(CACHE_AGE_S), WARDER_ACCESS_TOKEN_LIFETIME: '60' } });
  const load = new Load(w, await w.machineClient());
  await load.open();
  const loops = [load.loop(), load.loop(), load.loop()];
  const began = Date.now();
  for (let i = 0; i < ROTATIONS; i++) {
    const signing = load.kids.size;
    await w.cli(['admin', 'key', 'rotate']);
    for (const end = Date.now() + 20_000; load.kids.size === signing && !load.ends; await sleep(20)) {
      if (Date.now() > end) assert.fail('the new key does not sign');
    }
  }
  await sleep(CACHE_AGE_S * 1000);
  load.ends = true;
  await Promise.all(loops);
  t.diagnostic(`${ROTATIONS} rotations in ${((Date.now() - began) / 1000).toFixed(1)} s, ${load.issued} tokens issued by ${load.kids.size} keys, ` +
    `${load.bySample} validated by the sample, ${load.byJose} by jose, ${load.failures.length} failures`);
  assert.deepEqual(load.failures.slice(0, 5), []);
  assert.equal(load.kids.size, ROTATIONS + 1);
  assert.ok(load.issued > ROTATIONS * 5, String(load.issued));
  assert.equal(w.audit().filter((event) => event.event === 'key.changed' && event.reason === 'rotation').length, ROTATIONS);
  assert.equal((await kids(w)).length, ROTATIONS + 1, 'retired keys stay for their tokens');
});

test('keys: they rotate by themselves at key_rotation_interval', { timeout: 60_000 }, async () => {
  const w = await world({ sample: false, users: [], env: { WARDER_KEY_SET_CACHE_AGE: '1', WARDER_KEY_ROTATION_INTERVAL: '1' } });
  const machine = await w.machineClient();
  const seen = new Set();
  for (const end = Date.now() + 30_000; seen.size < 3; await sleep(100)) {
    assert.ok(Date.now() < end, 'no key was replaced');
    seen.add(jose((await machineToken(w, machine)).body.access_token).kid);
  }
});

function keyFile(w, name) {
  const file = path.join(w.data, name);
  writeFileSync(file, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
  return file;
}

/** All bytes of the database and what SQLite keeps beside it. */
const database = (w) => Buffer.concat(readdirSync(w.data).filter((name) => name.startsWith('warder.db')).map((name) => readFileSync(path.join(w.data, name))));

/** How often the database shows the beginning of a private key: PKCS#8 with an EC key on P-256 in it. */
function privateKeys(w) {
  const begins = Buffer.from('3081870201003013', 'hex');
  const bytes = database(w);
  let n = 0;
  for (let at = bytes.indexOf(begins); at >= 0; at = bytes.indexOf(begins, at + 1)) n++;
  return n;
}

/** A start that must fail: its code and its one line. */
function serve(w, args = [], env = {}) {
  return run(path.join(BUILD, 'warder'), ['serve', '--listen', `127.0.0.1:${w.port}`, '--data', w.data, ...args], { env });
}

test('keys: encrypted at rest, with the key of a file; changed in one step', { timeout: 60_000 }, async () => {
  const w = await world({ sample: false });
  const client = await register(w);
  const before = await signIn(w, client);
  const published = await kids(w);
  await stop(w.warder);
  assert.ok(privateKeys(w) >= 1, 'plain keys are found where there are some');

  const first = keyFile(w, 'first');
  await w.cli(['admin', 'key', 'reseal', '--new-key-file', first]);
  w.env.WARDER_KEY_FILE = first;
  await w.startWarder(w.port);
  assert.deepEqual(await kids(w), published, 'the same keys');
  await control(w, client);
  assert.equal((await (await fetch(jwksUrl(w))).text()).includes('"d"'), false);
  await stop(w.warder);
  assert.equal(privateKeys(w), 0, 'no private key in the database');

  chmodSync(first, 0o644);
  const open = await serve(w, ['--key-file', first]);
  assert.equal(open.code, SETTING);
  assert.match(open.stderr, /^warder: others can use the key file [^\n]*; run: chmod 600 [^\n]*\n$/);
  chmodSync(first, 0o600);

  const none = await serve(w);
  assert.equal(none.code, SETTING);
  assert.match(none.stderr, /^warder: the keys in the store are encrypted under the key named '[^']+'; give it by [^\n]*$/m);

  const second = keyFile(w, 'second');
  const wrong = await serve(w, ['--key-file', second]);
  assert.equal(wrong.code, SETTING);
  assert.match(wrong.stderr, /and the one given is '/);

  const resealed = await w.cli(['admin', 'key', 'reseal', '--new-key-file', second, '--key-file', first]);
  assert.match(resealed.stdout, /all keys are encrypted under key /);
  assert.equal((await serve(w, ['--key-file', first])).code, SETTING);
  const { WARDER_KEY_FILE: _, ...rest } = w.env;
  w.env = { ...rest, WARDER_KEY: readFileSync(second, 'utf8').trim() };
  await w.startWarder(w.port);
  const environ = readFileSync(`/proc/${w.warder.child.pid}/environ`, 'latin1');
  assert.ok(!environ.includes(w.env.WARDER_KEY), 'the key is not in the environment of the process');
  assert.deepEqual(await kids(w), published);
  const { payload } = await jwtVerify(before.access_token, createRemoteJWKSet(jwksUrl(w)), { issuer: w.issuer });
  assert.equal(payload.sub, claims(before.access_token).sub);
  await control(w, client);
  const events = w.audit().filter((event) => event.event === 'key.changed').map((event) => event.reason);
  assert.deepEqual(events, ['start', 'resealed_by_admin', 'resealed_by_admin']);
  assert.ok(!w.auditText().includes(w.env.WARDER_KEY));
});

test('keys: the first start with a key makes new signing keys in place of plain ones, and grants go on', { timeout: 60_000 }, async () => {
  const w = await world({ sample: false });
  const client = await register(w);
  const before = await signIn(w, client);
  const [plain] = await kids(w);
  await stop(w.warder);
  w.env.WARDER_KEY_FILE = keyFile(w, 'first');
  await w.startWarder(w.port);
  const now = await kids(w);
  assert.equal(now.length, 1);
  assert.notEqual(now[0], plain);
  const refreshed = await refresh(w, client, before.refresh_token);
  assert.equal(refreshed.status, 200);
  await jwtVerify(refreshed.body.access_token, createRemoteJWKSet(jwksUrl(w)), { issuer: w.issuer });
  await stop(w.warder);
  assert.equal(privateKeys(w), 0, 'no private key in the database');
  await w.startWarder(w.port);
  assert.deepEqual(await kids(w), now);
});

test('keys: listed, removed one by one, replaced at once', { timeout: 60_000 }, async () => {
  const w = await world({ sample: false });
  const client = await register(w);
  const list = async () => (await w.cli(['admin', 'key', 'list'])).stdout.trim().split('\n').map((line) => line.split(/ {2,}/));
  const named = async (use, state) => (await list()).find(([, forWhat, , how]) => forWhat === use && how.startsWith(state))?.[0];
  assert.deepEqual((await list()).map((row) => row[1]).sort(), ['derive', 'seal', 'sign']);
  const old = await named('sign', 'current');
  assert.deepEqual(await kids(w), [old]);
  assert.match((await w.cli(['admin', 'key', 'remove', old], { code: REFUSED })).stderr, /no other key is published/);
  await w.cli(['admin', 'key', 'rotate']);
  const next = await named('sign', 'next');
  await w.cli(['admin', 'key', 'remove', old]);
  for (let i = 0; i < 1000 && (await kids(w)).includes(old); i++) await sleep(20);
  assert.deepEqual(await kids(w), [next]);
  assert.equal(jose((await control(w, client)).access_token).kid, next);

  const seal = await named('seal', 'current');
  await w.cli(['admin', 'key', 'rotate', '--at-once', '--keep-clients']);
  assert.equal(await named('seal', 'retired'), seal);
  await w.cli(['admin', 'key', 'rotate', '--at-once']);
  assert.equal(await named('seal', 'retired'), undefined);
  assert.equal((await list()).length, 3);
  for (let i = 0; i < 1000 && (await kids(w)).includes(next); i++) await sleep(20);
  const tokens = await control(w, client);
  assert.notEqual(jose(tokens.access_token).kid, next);
});
