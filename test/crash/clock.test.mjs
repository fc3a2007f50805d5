// The clock of the day jumps: a day ahead, an hour back. Nothing is accepted twice, nobody is locked
// out for good, and keys rotate, cleaning goes on, and the trail verifies.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser } from '../e2e/lib/browser.mjs';
import { newKey, proof } from '../e2e/lib/dpop.mjs';
import { authorizeUrl, goodRequest, jose, machineToken, redeem, refresh, register, signIn } from '../e2e/lib/oauth.mjs';
import { World, sleep } from '../e2e/lib/world.mjs';
import { Fault } from './fault.mjs';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let w;
let fault;
let client;
let machine;
let browser;
before(async () => {
  fault = new Fault();
  w = await World.start({ sample: false, env: { ...fault.env, WARDER_CLEANUP_INTERVAL: '1', WARDER_KEY_SET_CACHE_AGE: '1', WARDER_KEY_ROTATION_INTERVAL: '2' } });
  client = await register(w, { redirect_uris: ['https://c.test/cb'], token_endpoint_auth_method: 'client_secret_basic' });
  machine = await w.machineClient();
  browser = new Browser(w.base);
  await signIn(w, client, {}, { browser });
});
after(async () => {
  await w.stop();
  fault.close();
});

async function newCode() {
  const { verifier, parameters } = goodRequest(w, client);
  const { left, status, text } = await browser.get(authorizeUrl(w, parameters));
  assert.ok(left?.searchParams.get('code'), `no code from a live session: ${status} ${text?.slice(0, 200)}`);
  return { code: left.searchParams.get('code'), verifier, parameters };
}

const tokenUrl = () => w.metadata.token_endpoint;
const withProof = (value) => machineToken(w, machine, {}, { headers: { dpop: value } });

/** The cleaner has run at least twice. */
const cleaned = () => sleep(2300);

test('a day ahead and back: nothing is accepted twice, and nobody loses what was good', { timeout: 60_000 }, async () => {
  const spent = await newCode();
  const open = await newCode();
  const tokens = await redeem(w, client, spent);
  assert.equal(tokens.status, 200, tokens.text);
  const once = proof(newKey(), tokenUrl());
  assert.equal((await withProof(once)).status, 200);
  fault.moveClock(DAY);
  await cleaned();
  assert.equal((await machineToken(w, machine)).status, 200);
  assert.equal((await redeem(w, client, open)).body?.error, 'invalid_grant', 'a code of yesterday is over');
  assert.equal((await withProof(once)).status, 400, 'a proof of yesterday is over');
  await signIn(w, client); // with a browser of its own: whoever comes is let in
  fault.moveClock(0);
  assert.notEqual((await withProof(once)).status, 200, 'a proof was taken twice');
  assert.equal((await redeem(w, client, spent)).status, 400, 'a code was taken twice');
  const fresh = await newCode(); // the session lives
  assert.equal((await redeem(w, client, fresh)).status, 200);
});

test('an hour back: sessions, tokens, codes and limits go on', { timeout: 60_000 }, async () => {
  const code = await newCode();
  const kept = (await redeem(w, client, await newCode())).body;
  fault.moveClock(-HOUR);
  await cleaned();
  assert.equal((await redeem(w, client, code)).status, 200, 'an open code');
  assert.equal((await redeem(w, client, code)).status, 400, 'a code was taken twice');
  assert.equal((await refresh(w, client, kept.refresh_token)).status, 200, 'a token family');
  assert.equal((await redeem(w, client, await newCode())).status, 200, 'a session');
  await signIn(w, client);
  for (let i = 0; i < 20; i++) assert.equal((await machineToken(w, machine)).status, 200);
  fault.moveClock(0);
  assert.equal((await redeem(w, client, await newCode())).status, 200);
});

test('keys go on rotating after the jumps, and the trail verifies', { timeout: 60_000 }, async () => {
  const seen = new Set();
  for (const end = Date.now() + 30_000; seen.size < 2; await sleep(100)) {
    assert.ok(Date.now() < end, 'no key was replaced');
    const answer = await machineToken(w, machine);
    assert.equal(answer.status, 200, answer.text);
    seen.add(jose(answer.body.access_token).kid);
  }
  const verified = await w.cli(['audit', 'verify'], { code: null });
  assert.equal(verified.code, 0, verified.stderr + verified.stdout);
});
