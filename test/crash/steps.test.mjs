// kill -9 at the n-th change of a file, n = 1, 2, …: every moment of a sign-in, a refresh, a change of
// keys and a revocation is the last one once, of the server or of the command. With tear, half of
// the bytes are written first. WARDER_CRASH_ROUNDS of 200 and more: each moment; else some.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Browser } from '../e2e/lib/browser.mjs';
import { authorize, redeem, refresh, register } from '../e2e/lib/oauth.mjs';
import { introspect, revoke } from '../e2e/lib/tokens.mjs';
import { BUILD, World, run } from '../e2e/lib/world.mjs';
import { Fault } from './fault.mjs';

const EVERY = Number(process.env.WARDER_CRASH_ROUNDS ?? 5) >= 200;
const SOME = 4; // moments of each kind
const REFUSED = 4;

/** What is done, and what of it was acknowledged. */
class Story {
  constructor(w, fault, client, service) {
    Object.assign(this, { w, fault, client, service, done: {} });
  }

  /** Runs a step; false: the server went meanwhile. */
  async step(name, call) {
    this.begun = name;
    try {
      this.done[name] = await call();
      return true;
    } catch (error) {
      if (!this.w.warder.exited && this.fault.get(16) === 0) throw error;
      return false;
    }
  }

  async rotateKeys() {
    const answer = await run(`${BUILD}/warder`, ['admin', 'key', 'rotate', '--data', this.w.data], { env: this.fault.env });
    if (answer.code !== 0 && answer.code !== REFUSED) throw new Error(`keys: ${answer.code} ${answer.stderr}`);
    return answer.code;
  }

  ok(answer, what) {
    assert.equal(answer.status, 200, `${what}: ${answer.text}`);
    return answer.body;
  }

  async run() {
    const { w, client } = this;
    const steps = [
      ['code', () => authorize(w, client, {}, { browser: new Browser(w.base) })],
      ['tokens', async () => this.ok(await redeem(w, client, this.done.code), 'redeem')],
      ['refreshed', async () => this.ok(await refresh(w, client, this.done.tokens.refresh_token), 'refresh')],
      ['keys', () => this.rotateKeys()],
      ['again', async () => this.ok(await refresh(w, client, this.done.refreshed.refresh_token), 'refresh')],
      ['revoked', async () => this.ok(await revoke(w, client, this.done.again.refresh_token), 'revoke') ?? true],
    ];
    for (const [name, call] of steps) if (!(await this.step(name, call))) return false;
    this.begun = 'over';
    return true;
  }

  /** After the restart: all that was acknowledged holds, and nothing happens twice. */
  async check() {
    const { w, client, done } = this;
    const last = done.again ?? done.refreshed ?? done.tokens;
    if (done.code && !last) await this.checkCode();
    if (!last) return;
    const ended = Boolean(done.revoked) || this.begun === 'revoked';
    const answer = await refresh(w, client, last.refresh_token);
    if (done.revoked) assert.equal(answer.body?.error, 'invalid_grant', 'a revocation is lost');
    else if (ended) assert.ok(answer.status === 200 || answer.body?.error === 'invalid_grant', answer.text);
    else this.ok(answer, 'an acknowledged token family is lost');
    if (!done.revoked) return;
    const told = await introspect(w, this.service, done.again.access_token);
    assert.equal(this.ok(told, 'introspection').active, false, 'a revocation is lost');
  }

  async checkCode() {
    const first = await redeem(this.w, this.client, this.done.code);
    if (this.begun === 'code') this.ok(first, 'an acknowledged code is lost');
    else assert.ok(first.status === 200 || first.body?.error === 'invalid_grant', first.text);
    const second = await redeem(this.w, this.client, this.done.code);
    assert.equal(second.body?.error, 'invalid_grant', 'a code was spent twice');
  }
}

async function checkTrail(w) {
  const verified = await w.cli(['audit', 'verify'], { code: null });
  assert.equal(verified.code, 0, verified.stderr + verified.stdout);
}

/** One story whose n-th call of that kind is the last. False: it has not so many. */
async function die(w, fault, client, service, call, n, what) {
  const story = new Story(w, fault, client, service);
  fault.arm(call, n, what);
  const over = await story.run();
  const struck = fault.disarm() > 0;
  if (w.warder.exited || struck) {
    await Promise.race([w.warder.done, new Promise((resolve) => setTimeout(resolve, 50))]);
    if (w.warder.exited) await w.startWarder(w.port);
    await story.check();
    await checkTrail(w);
  } else assert.ok(over, story.begun);
  return struck;
}

async function world(fault) {
  const w = await World.start({ sample: false, env: { ...fault.env, WARDER_KEY_SET_CACHE_AGE: '1', WARDER_ACCESS_TOKEN_LIFETIME: '60' } });
  const service = await w.addClient(['--name', 'Service', '--resource-server', w.mcp]);
  return { w, client: await register(w), service };
}

for (const [call, what] of [['change', 'kill'], ['write', 'tear'], ['pwrite', 'tear']]) {
  test(`kill -9 at the n-th ${call}, by ${what}: nothing acknowledged is lost, nothing is half there`, { timeout: 900_000 }, async (t) => {
    const fault = new Fault();
    const { w, client, service } = await world(fault);
    try {
      const before = fault.count(call);
      assert.equal(await die(w, fault, client, service, call, 1_000_000, what), false);
      const all = fault.count(call) - before;
      assert.ok(all > 5, String(all));
      let died = 0;
      const step = EVERY ? 1 : all / SOME;
      for (let n = 0; n < all; n += step) died += await die(w, fault, client, service, call, Math.floor(EVERY ? n : n + Math.random() * step), what);
      t.diagnostic(`${all} ${call} calls in a story, ${died} times killed`);
      assert.ok(died > 0);
    } finally {
      fault.disarm();
      await w.stop();
      fault.close();
    }
  });
}
