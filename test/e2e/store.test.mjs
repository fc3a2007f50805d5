// Saving, restoring and moving whole stores, while people are signed in.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { assertTokenError } from './lib/attack.mjs';
import { Browser } from './lib/browser.mjs';
import { authorize, claims, post, refresh, register, signIn } from './lib/oauth.mjs';
import { HAS_POSTGRES, commonCluster } from './lib/postgres.mjs';
import { Load, beside, sameBrowser, through } from './lib/two_versions.mjs';
import { BUILD, World, run, sleep, stop } from './lib/world.mjs';

// What is made in the second in which all is ended ends, too.
const MOMENT_MS = 1100;

const WARDER = path.join(BUILD, 'warder');

let w;
const folders = [];
// What is saved and moved here is a file, whatever store other tests run on; PostgreSQL comes in by name.
before(async () => (w = await World.start({ sample: false, store: 'sqlite', nodes: 1, env: { WARDER_REFRESH_GRACE: '0' } })));
after(async () => {
  await w?.stop();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A new machine: an empty folder. */
function place() {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'warder-e2e-'));
  folders.push(folder);
  return folder;
}

async function cli(data, ...words) {
  const answer = await run(WARDER, ['store', ...words, '--data', data]);
  assert.equal(answer.code, 0, `${words.join(' ')}: ${answer.stderr}${answer.stdout}`);
  return answer.stdout;
}

/** Serves the store in another folder, for the time of `fn`, as what clients know as `w`. */
async function serving(data, args, fn) {
  const other = Object.assign(Object.create(w), { data, args });
  const server = await beside(other, WARDER, 'elsewhere');
  try {
    await fn(through(other, server.at));
  } finally {
    await stop(server);
  }
}

async function revocations(at, since) {
  const answer = await fetch(`${at.base}/revocations?since=${since}`);
  assert.equal(answer.status, 200);
  return answer.json();
}

test('a backup under load is whole; what it revives is ended by --revoke-after-restore', { timeout: 120_000 }, async () => {
  // attack case: OPS-014
  const person = new Browser(w.base);
  const client = await register(w);
  const before = await signIn(w, client, {}, { browser: person });
  const revoked = await signIn(w, client);
  const load = await new Load(w, [w.base]).begin();
  await load.more(20);
  const file = path.join(place(), 'saved.db');
  await cli(w.data, 'backup', file);
  await load.more(20);
  await load.end();
  assert.deepEqual(load.failures, [], 'nobody waits for the backup');
  assert.equal(statSync(file).mode & 0o777, 0o600);

  // After the backup the token is rotated, another grant revoked, and the revocation seen.
  const rotated = await refresh(w, client, before.refresh_token);
  assert.equal(rotated.status, 200, rotated.text);
  await post(w, 'revocation_endpoint', client, { token: revoked.refresh_token });
  const seen = await revocations(w, 0);
  assert.ok(seen.seq > 0);

  const plain = place();
  await cli(plain, 'restore', file);
  assert.match(await cli(plain, 'check'), /sound/);
  await serving(plain, [], async (at) => {
    // As docs/BACKUP.md says: what had ended is there again.
    const old = await refresh(at, client, before.refresh_token);
    assert.equal(old.status, 200, old.text);
    assertTokenError(await refresh(at, client, rotated.body.refresh_token), 'invalid_grant', 'the successor is not known');
    const again = await refresh(at, client, revoked.refresh_token);
    assert.equal(again.status, 200, 'a grant that was revoked after the backup lives again');
    // A follower that asks from what it has seen learns of the next one.
    await post(at, 'revocation_endpoint', client, { token: again.body.refresh_token });
    const next = await revocations(at, seen.seq);
    assert.equal(next.entries.length, 1, JSON.stringify(next));
    assert.ok(next.seq > seen.seq);
  });

  const safe = place();
  await cli(safe, 'restore', file, '--revoke-after-restore');
  assert.match(await cli(safe, 'check'), /sound/);
  await serving(safe, [], async (at) => {
    assertTokenError(await refresh(at, client, before.refresh_token), 'invalid_grant', 'the rotated one');
    assertTokenError(await refresh(at, client, revoked.refresh_token), 'invalid_grant', 'the revoked one');
    assertTokenError(await refresh(at, client, rotated.body.refresh_token), 'invalid_grant', 'the successor');
    const all = await revocations(at, seen.seq);
    assert.deepEqual(all.entries.map((one) => one.kind), ['all']);
    await assert.rejects(authorize(at, client, {}, { browser: sameBrowser(person, at), user: 'nobody' }), /stopped at/, 'nobody is signed in');
    await sleep(MOMENT_MS);
    const anew = await signIn(at, client, {}, { browser: sameBrowser(new Browser(at.base), at) });
    assert.equal((await refresh(at, client, anew.refresh_token)).status, 200, 'people sign in again');
  });
});

/** Signs in, moves the store by `move`, and goes on there: nobody notices. */
async function goesOn(move) {
  const person = new Browser(w.base);
  const client = await register(w);
  const kept = await signIn(w, client, {}, { browser: person });
  const ended = await signIn(w, client);
  await post(w, 'revocation_endpoint', client, { token: ended.refresh_token });
  const seen = await revocations(w, 0);
  const device = await post(w, 'device_authorization_endpoint', await deviceClient(), { scope: 'news:read', resource: w.mcp });
  assert.equal(device.status, 200, device.text);
  const keys = await (await fetch(w.metadata.jwks_uri)).json();
  await stop(w.warder);
  try {
    const [data, ...args] = await move();
    await serving(data, args, async (at) => {
      const next = await refresh(at, client, kept.refresh_token);
      assert.equal(next.status, 200, next.text);
      assert.equal(claims(next.body.access_token).sub, claims(kept.access_token).sub);
      assertTokenError(await refresh(at, client, ended.refresh_token), 'invalid_grant', 'what was revoked stays revoked');
      const session = await authorize(at, client, {}, { browser: sameBrowser(person, at), user: 'nobody' });
      assert.ok(session.code, 'the browser is still signed in');
      assert.deepEqual(await (await fetch(`${at.base}${new URL(w.metadata.jwks_uri).pathname}`)).json(), keys);
      const page = await new Browser(at.base).get(`${at.base}/device?user_code=${device.body.user_code}`);
      assert.equal(page.status, 200);
      // A follower misses nothing and sees nothing twice.
      assert.deepEqual((await revocations(at, seen.seq)).entries, []);
      await post(at, 'revocation_endpoint', client, { token: next.body.refresh_token });
      const more = await revocations(at, seen.seq);
      assert.equal(more.entries.length, 1);
      assert.ok(more.seq > seen.seq);
    });
    assert.match((await run(WARDER, ['store', 'check', '--data', data, ...args])).stdout, /sound/);
  } finally {
    await w.startWarder(w.port);
  }
}

let device;
async function deviceClient() {
  device ??= await w.addClient(['--name', 'Telly', '--public', '--grant', 'device_code', '--grant', 'refresh_token', '--scope', 'news:read']);
  return { ...device, token_endpoint_auth_method: 'none' };
}

test('a store is moved to another folder, and everybody goes on', () => goesOn(async () => {
  const data = place();
  assert.match(await cli(w.data, 'migrate', '--to-store', 'sqlite', '--to-data', data), /moved, and read again/);
  return [data];
}));

test('a store is exported and imported, and everybody goes on', () => goesOn(async () => {
  const data = place();
  const file = path.join(data, 'store.jsonl');
  await cli(w.data, 'export', file);
  await cli(data, 'import', file);
  return [data];
}));

const served = { skip: HAS_POSTGRES ? false : 'there is no PostgreSQL', timeout: 120_000 };

/** An empty database, and the options that name it. */
async function database() {
  const cluster = await commonCluster();
  const conninfo = cluster.conninfo(await cluster.database());
  return [conninfo, ['--store', 'postgres', '--postgres', conninfo]];
}

test('a store is moved to PostgreSQL, and everybody goes on', served, () => goesOn(async () => {
  const [conninfo, args] = await database();
  assert.match(await cli(w.data, 'migrate', '--to-store', 'postgres', '--to-postgres', conninfo), /moved, and read again/);
  return [place(), ...args];
}));

test('a store is moved to PostgreSQL and back, and everybody goes on', served, () => goesOn(async () => {
  const [conninfo, args] = await database();
  await cli(w.data, 'migrate', '--to-store', 'postgres', '--to-postgres', conninfo);
  const data = place();
  await cli(place(), 'migrate', '--to-store', 'sqlite', '--to-data', data, ...args);
  return [data];
}));

test('a PostgreSQL store that a node serves is not moved, and a backup is restored into one', served, async () => {
  const [, args] = await database();
  const file = path.join(place(), 'saved.db');
  const data = place();
  await cli(w.data, 'backup', file);
  await cli(data, 'restore', file, ...args);
  assert.match(await cli(data, 'check', ...args), /sound/);
  await serving(data, args, async () => {
    const moved = await run(WARDER, ['store', 'migrate', '--to-store', 'sqlite', '--to-data', place(), '--data', data, ...args]);
    assert.equal(moved.code, 4, moved.stderr);
    assert.match(moved.stderr, /another process uses the store/);
  });
});

test('a store in use is neither moved nor replaced, and none is written to a terminal', async () => {
  const file = path.join(place(), 'saved.db');
  await cli(w.data, 'backup', file);
  const moved = await w.cli(['store', 'migrate', '--to-store', 'sqlite', '--to-data', place()], { code: 4 });
  assert.match(moved.stderr, /another process uses the store/);
  const replaced = await w.cli(['store', 'restore', file, '--replace'], { code: 4 });
  assert.match(replaced.stderr, /another process uses the store/);
  assert.ok(!existsSync(path.join(w.data, 'warder.db.restoring')));
  const seen = await run('script', ['-qec', `${WARDER} store export --data ${w.data}`, '/dev/null']);
  assert.match(seen.stdout, /not written to a terminal/);
  assert.doesNotMatch(seen.stdout, /"table"/);
  assert.match(readFileSync(path.join(w.data, 'audit.log'), 'utf8'), /"saved"/);
});
