// The disk fails under the whole server: at the n-th call once, and for good. No answer of 200 that
// does not hold, nothing but 503 with Retry-After otherwise, no spin; and when the fault is over the
// server goes on by itself, or says that it wants a restart. attack case: OPS-004
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Browser } from '../e2e/lib/browser.mjs';
import { authorizeUrl, goodRequest, redeem, refresh, register, signIn } from '../e2e/lib/oauth.mjs';
import { revoke } from '../e2e/lib/tokens.mjs';
import { World, sleep } from '../e2e/lib/world.mjs';
import { Fault } from './fault.mjs';

const EVERY = Number(process.env.WARDER_CRASH_ROUNDS ?? 5) >= 200;
const SOME = 2;
const TRIES = 4;

let w;
let fault;
let client;
let browser;
before(async () => {
  fault = new Fault();
  w = await World.start({ sample: false, env: fault.env });
  // One whose consent is remembered: a code is one request then.
  client = await register(w, { redirect_uris: ['https://c.test/cb'], token_endpoint_auth_method: 'client_secret_basic' });
  browser = new Browser(w.base);
  await signIn(w, client, {}, { browser });
});
after(async () => {
  fault.disarm();
  await w.stop();
  fault.close();
});

/** The answer, which is good or 503; the same again while it is 503. `clean`: the first was good. */
async function insist(call, good, tries = TRIES) {
  for (let i = 0; ; i++) {
    const answer = await call();
    if (good(answer)) return { answer, clean: i === 0 };
    assert.equal(w.warder.exited, null, w.warder.err.slice(-2000));
    if (answer.status !== 503) return { answer, clean: false };
    assert.ok(Number(answer.headers.get('retry-after')) > 0, 'a 503 says when to come again');
    if (i + 1 === tries) return { answer, clean: false };
  }
}

/** Code, tokens, rotation, revocation; what of it was acknowledged. */
async function story(tries) {
  const { verifier, parameters } = goodRequest(w, client);
  const at = await insist(() => browser.get(authorizeUrl(w, parameters)), (got) => got.left?.searchParams.has('code'), tries);
  if (!at.answer.left) {
    assert.equal(at.answer.status, 503, at.answer.text?.slice(0, 300));
    return { status: 503 };
  }
  const code = at.answer.left.searchParams.get('code');
  const is200 = (answer) => answer.status === 200;
  const told = { code: { code, verifier, parameters } };
  const tokens = await insist(() => redeem(w, client, told.code), is200, tries);
  if (!is200(tokens.answer)) {
    // It may be spent although nobody heard of it: then it is never good again.
    if (tokens.answer.status !== 503) assert.equal(tokens.answer.body?.error, 'invalid_grant', tokens.answer.text);
    return { ...told, status: tokens.answer.status };
  }
  told.tokens = tokens.answer.body;
  const rotated = await insist(() => refresh(w, client, told.tokens.refresh_token), is200, tries);
  if (!is200(rotated.answer)) {
    assert.equal(rotated.answer.status, 503, rotated.answer.text);
    return { ...told, status: 503 };
  }
  told.rotated = rotated.answer.body;
  const revoked = await insist(() => revoke(w, client, told.rotated.refresh_token), is200, tries);
  if (!is200(revoked.answer)) assert.equal(revoked.answer.status, 503, revoked.answer.text);
  return { ...told, revoked: is200(revoked.answer), status: revoked.answer.status };
}

/** After a restart everything that was answered with 200 holds. */
async function check(told) {
  if (!told.tokens) return;
  const last = told.rotated ?? told.tokens;
  const answer = await refresh(w, client, last.refresh_token);
  if (told.revoked) assert.equal(answer.body?.error, 'invalid_grant', 'a revocation is lost');
  else assert.ok(answer.status === 200 || told.rotated, `a token family is lost: ${answer.text}`);
  const again = await redeem(w, client, told.code);
  assert.equal(again.body?.error, 'invalid_grant', 'a code was spent twice');
}

async function checkTrail() {
  const verified = await w.cli(['audit', 'verify'], { code: null });
  assert.equal(verified.code, 0, verified.stderr + verified.stdout);
}

const wantsRestart = () => /nothing more is recorded/.test(w.warder.err);

async function goesOn() {
  if (wantsRestart()) await w.restart();
  const told = await story();
  assert.equal(told.status, 200, `it does not go on: ${w.warder.err.slice(-1500)}`);
}

const ONCE = [
  ['pwrite', 'fail', 'EIO'], ['pwrite', 'fail', 'ENOSPC'], ['pwrite', 'fail', 'EINTR'], ['pwrite', 'short'],
  ['sync', 'fail', 'EIO'], ['sync', 'fail', 'EINTR'],
  ['write', 'fail', 'EIO'], ['write', 'fail', 'ENOSPC'], ['write', 'fail', 'EINTR'], ['write', 'short'],
  ['pread', 'fail', 'EIO'], ['pread', 'short'], ['pread', 'fail', 'EINTR'], ['open', 'fail', 'EIO'], ['truncate', 'fail', 'EIO'],
];

for (const [call, what, error] of ONCE) {
  test(`${call} ${what} ${error ?? ''} once: no false answer, and the server goes on`, { timeout: 600_000 }, async (t) => {
    let struck = true;
    let n = 0;
    let times = 0;
    const all = [];
    while (struck && (EVERY || times < SOME)) {
      fault.arm(call, n, what, error);
      all.push(await story());
      struck = fault.disarm() > 0;
      times += struck;
      if (struck && error === 'EINTR' && call !== 'sync') assert.equal(all.at(-1).status, 200, 'an interrupted call is made again');
      await goesOn();
      n += EVERY ? 1 : 1 + Math.floor(Math.random() * 3);
    }
    await w.restart();
    for (const told of all) await check(told);
    await checkTrail();
    t.diagnostic(`struck ${times} times`);
  });
}

/** Milliseconds of processor time so far. */
function cpuMs() {
  const fields = readFileSync(`/proc/${w.warder.child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

for (const [call, error, mend] of [['pwrite', 'ENOSPC', /full/], ['pwrite', 'EROFS', /./], ['write', 'ENOSPC', /No space left/], ['sync', 'EIO', /./], ['pread', 'EIO', /./]]) {
  test(`${call} fails by ${error} for good: 503, no spin, and an end of it when the fault is over`, { timeout: 60_000 }, async () => {
    const heard = w.warder.err.length;
    fault.arm(call, 0, 'failEver', error);
    const told = [await story(2), await story(2)];
    for (const one of told) if (call !== 'pread') assert.equal(one.status, 503);
    const before = cpuMs();
    await sleep(1000);
    const spent = cpuMs() - before;
    fault.disarm();
    assert.ok(spent < 300, `${spent} ms of a second`);
    if (call !== 'pread') assert.match(w.warder.err.slice(heard), mend);
    await goesOn();
    await w.restart();
    for (const one of told) await check(one);
    await checkTrail();
  });
}
