// attack case: OPS-010. Another program holds the lock of the database, or reads for long, under 64
// writers: who waits too long hears 503 with Retry-After, nothing is lost, the log stays bounded, and
// afterwards answers are as quick as before. Ten seconds with WARDER_CRASH_ROUNDS of 200 and more.
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { DatabaseSync } from 'node:sqlite';
import { Browser } from '../e2e/lib/browser.mjs';
import { authorizeUrl, goodRequest, redeem, refresh, register, signIn } from '../e2e/lib/oauth.mjs';
import { World, sleep } from '../e2e/lib/world.mjs';

const LONG = Number(process.env.WARDER_CRASH_ROUNDS ?? 5) >= 200;
const HOLD_MS = LONG ? 10_000 : 700;
const WAIT_MS = 5000; // what a write waits for the lock
const WRITERS = 64;
const LOG_BYTES = 64 * 1024 * 1024;

let w;
let writers;
before(async () => {
  w = await World.start({ sample: false });
  const client = await register(w, { redirect_uris: ['https://c.test/cb'], token_endpoint_auth_method: 'client_secret_basic' });
  const browser = new Browser(w.base);
  await signIn(w, client, {}, { browser });
  writers = await Promise.all(Array.from({ length: WRITERS }, async () => {
    const { verifier, parameters } = goodRequest(w, client);
    const { left } = await browser.get(authorizeUrl(w, parameters));
    const answer = await redeem(w, client, { code: left.searchParams.get('code'), verifier, parameters });
    return { client, last: answer.body.refresh_token };
  }));
});
after(() => w.stop());

const database = () => new DatabaseSync(path.join(w.data, 'warder.db'));

/** All writers rotate without end while `during` runs: {ms of each answer, refused}. */
async function load(during) {
  const heard = { ms: [], refused: 0 };
  let going = true;
  const rotate = async (one) => {
    while (going) {
      const since = performance.now();
      const answer = await refresh(w, one.client, one.last);
      heard.ms.push(performance.now() - since);
      if (answer.status === 200) one.last = answer.body.refresh_token;
      else {
        assert.equal(answer.status, 503, answer.text);
        assert.ok(Number(answer.headers.get('retry-after')) > 0);
        heard.refused++;
      }
    }
  };
  const all = writers.map(rotate);
  await during();
  going = false;
  await Promise.all(all);
  return heard;
}

const p99 = ({ ms }) => ms.sort((a, b) => a - b)[Math.floor(ms.length * 0.99)];

test('a lock that is held, and a reader that stays, under 64 writers', { timeout: 120_000 }, async (t) => {
  const before = await load(() => sleep(500));
  const other = database();
  other.exec('BEGIN IMMEDIATE');
  const held = await load(() => sleep(HOLD_MS).then(() => other.exec('ROLLBACK')));
  assert.ok(Math.max(...held.ms) < 2 * WAIT_MS + 2000, `${Math.max(...held.ms)} ms`);
  assert.equal(held.refused > 0, HOLD_MS > WAIT_MS);
  const afterLock = await load(() => sleep(500));
  other.exec('BEGIN');
  other.prepare('SELECT count(*) FROM family').get();
  const read = await load(() => sleep(LONG ? HOLD_MS : 500));
  const grown = statSync(path.join(w.data, 'warder.db-wal')).size;
  other.exec('COMMIT');
  other.close();
  const afterReader = await load(() => sleep(500));
  const log = statSync(path.join(w.data, 'warder.db-wal')).size;
  t.diagnostic(`p99 in ms: ${[before, held, afterLock, read, afterReader].map((one) => p99(one).toFixed(0)).join(', ')} ` +
    `(before, lock held, after, reader, after); ${held.refused} refused; log ${grown} bytes with the reader, ${log} after`);
  assert.ok(log <= LOG_BYTES, String(log));
  for (const one of [afterLock, afterReader]) {
    assert.equal(one.refused, 0);
    assert.ok(p99(one) < Math.max(2000, 4 * p99(before)), `${p99(one)} ms after, ${p99(before)} ms before`);
  }
  assert.equal(read.refused, 0, 'a reader refuses nobody');
  for (const one of writers) assert.equal((await refresh(w, one.client, one.last)).status, 200, 'a token family is lost');
});
