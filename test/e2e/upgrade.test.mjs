// A newer version beside the older one on one database, under load, and back again.
import assert from 'node:assert/strict';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { assertTokenError } from './lib/attack.mjs';
import { Browser } from './lib/browser.mjs';
import { authorize, post, refresh, register, signIn } from './lib/oauth.mjs';
import { Load, NEXT, beside, sameBrowser, schema, through } from './lib/two_versions.mjs';
import { BUILD, World, sleep, stop } from './lib/world.mjs';

const OLD = path.join(BUILD, 'warder');

let w;
before(async () => (w = await World.start({ sample: false, env: { WARDER_REFRESH_GRACE: '5' } })));
after(() => w?.stop());

/** Whatever a test left running. */
const started = [];
after(async () => {
  for (const server of started) if (!server.exited) await stop(server);
});
async function begin(file, name) {
  const server = await beside(w, file, name);
  started.push(server);
  return server;
}

function sql(text) {
  const db = new DatabaseSync(path.join(w.data, 'warder.db'));
  try {
    db.exec('PRAGMA busy_timeout=5000');
    return db.prepare(text).all();
  } finally {
    db.close();
  }
}

test('a newer version starts beside an older one, takes over, and is taken back: no request fails', { timeout: 120_000 }, async () => {
  // attack case: OPS-013
  const older = await schema(w);
  const person = new Browser(w.base);
  const client = await register(w);
  const kept = await signIn(w, client, {}, { browser: person });
  const ended = await signIn(w, client);
  await post(w, 'revocation_endpoint', client, { token: ended.refresh_token });

  const load = await new Load(w, [w.base]).begin();
  await load.more(20);

  const newer = await begin(NEXT, 'newer');
  assert.equal(await schema(w, NEXT), older + 1, 'the newer one has changed the schema');
  load.bases = [w.base, newer.at];
  await load.more(60);

  // The older one leaves the rotation, then ends.
  load.bases = [newer.at];
  await load.more(20);
  await stop(w.warder);
  const there = through(w, newer.at);
  const next = await refresh(there, client, kept.refresh_token);
  assert.equal(next.status, 200, next.text);
  assertTokenError(await refresh(there, client, ended.refresh_token), 'invalid_grant', 'what was revoked stays revoked');
  // Nobody could sign in under that name: the session is what is taken.
  const session = await authorize(there, client, {}, { browser: sameBrowser(person, there), user: 'nobody' });
  assert.ok(session.code, 'the browser is still signed in');
  // What the newer one keeps in columns of its own.
  sql("UPDATE refresh SET next_mark=7");
  sql("UPDATE client SET next_note='kept'");
  await load.more(20);

  // Back: the older one starts on the newer schema, beside the newer one.
  const older2 = await begin(OLD, 'older');
  load.bases = [newer.at, older2.at];
  await load.more(60);
  load.bases = [older2.at];
  await load.more(20);
  await stop(newer);
  await load.more(20);
  await load.end();

  assert.deepEqual(load.failures, []);
  assert.ok(load.done.authorize > 10, `${load.done.authorize} sign-ins`);
  const back = through(w, older2.at);
  const last = await refresh(back, client, next.body.refresh_token);
  assert.equal(last.status, 200, last.text);
  assertTokenError(await refresh(back, client, ended.refresh_token), 'invalid_grant', 'and here');
  const again = await authorize(back, client, {}, { browser: sameBrowser(person, back), user: 'nobody' });
  assert.ok(again.code);
  assert.ok(sql("SELECT count(*) AS n FROM refresh WHERE next_mark=7")[0].n > 10, 'marks survive the older version');
  assert.equal(sql("SELECT count(*) AS n FROM client WHERE next_note='kept'")[0].n > 0, true);
  assert.equal(await schema(w), older + 1, 'the older one does not take the schema back');
  await stop(older2);
  await w.restart();
});

test('a record with a value of a newer version is refused and logged, others are served', async () => {
  // attack case: OPS-013
  const client = await register(w);
  const other = await register(w);
  const one = await signIn(w, client);
  const two = await signIn(w, other);
  const { changes } = new DatabaseSync(path.join(w.data, 'warder.db')).prepare('UPDATE client SET auth=99 WHERE id=?').run(client.client_id);
  assert.equal(Number(changes), 1);
  const answer = await refresh(w, client, one.refresh_token);
  assert.ok(answer.status >= 500, `${answer.status} ${answer.text}`);
  assert.match(w.warder.err, /the store could not read/);
  assert.equal((await refresh(w, other, two.refresh_token)).status, 200);
  const { stdout, code } = await w.cli(['store', 'check'], { code: null });
  assert.equal(code, 4);
  assert.match(stdout, /1 records of the table client have a form that is not known/);
});

test('a database that older programs would do wrong with is refused at the start', async () => {
  // attack case: OPS-013
  await stop(w.warder);
  const { user_version: version } = sql('PRAGMA user_version')[0];
  const db = new DatabaseSync(path.join(w.data, 'warder.db'));
  db.exec(`PRAGMA user_version=${version + 1}; UPDATE meta SET value=${version + 1} WHERE name='schema_min'`);
  db.close();
  const answer = await w.cli(['admin', 'user', 'list'], { code: 3 });
  assert.match(answer.stderr, /cannot use; start the newer program/);
  const back = new DatabaseSync(path.join(w.data, 'warder.db'));
  back.exec(`PRAGMA user_version=${version}; UPDATE meta SET value=7 WHERE name='schema_min'`);
  back.close();
  await w.startWarder(w.port);
  await sleep(0);
});
