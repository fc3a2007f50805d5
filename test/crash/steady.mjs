// Load that goes on whatever happens to the database, as good clients do: who is told 503, or nothing,
// comes again with the same. What was acknowledged is written down and looked for in the end. Nothing
// but success and "503, come again" may be answered meanwhile.
import { startEcho, CALL } from '../e2e/lib/echo.mjs';
import { Browser } from '../e2e/lib/browser.mjs';
import { Gateway, USE } from '../e2e/lib/gateway.mjs';
import { authorizeUrl, goodRequest, machineToken, mcpPost, redeem, refresh, register, registerRaw, signIn } from '../e2e/lib/oauth.mjs';
import { revoke } from '../e2e/lib/tokens.mjs';
import { sleep } from '../e2e/lib/world.mjs';

const REFRESHERS = 4;
const VISITORS = 2;
const MACHINES = 2;
const CALLERS = 2;
const PAUSE_MS = 10; // between two requests of one: the machine is not to be full
const AGAIN_MS = 40; // before coming again
const PATIENCE_MS = 30_000;
const SCOPE = { scope: USE };

/** The answer to `ask`, which comes again as 503 says it should: what is away for a moment is not lost. */
async function again(ask) {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask();
    if (answer.status !== 503 || Date.now() > until) return answer;
    await sleep(AGAIN_MS);
  }
}

/** A gateway of some nodes with everything that Steady needs. */
export async function startSteadyWorld(options) {
  const echo = await startEcho();
  const w = await Gateway.start({ upstream: echo.url, ...options });
  w.closeEcho = () => echo.close();
  return w;
}

export async function stopSteadyWorld(w) {
  await w?.stop();
  w?.closeEcho();
}

export class Steady {
  /** strict: 503, and no answer, are faults. */
  constructor(w, { strict = false } = {}) {
    this.w = w;
    this.strict = strict;
    this.counts = { refreshed: 0, signedIn: 0, machine: 0, called: 0, revoked: 0, registered: 0, again: 0, unanswered: 0, burnt: 0 };
    this.faults = [];
    this.successes = []; // [when, what], newest last
    this.grants = []; // acknowledged, and not touched since
    this.ended = []; // acknowledged as revoked
    this.clients = []; // acknowledged registrations
    this.unready = 0;
  }

  async prepare() {
    const { w } = this;
    this.refreshers = [];
    for (let i = 0; i < REFRESHERS; i++) {
      const client = await register(w);
      this.refreshers.push({ client, last: (await signIn(w, client, SCOPE)).refresh_token });
    }
    this.visitors = [];
    for (let i = 0; i < VISITORS; i++) {
      const client = await register(w, { redirect_uris: ['https://c.test/cb'], token_endpoint_auth_method: 'client_secret_basic' });
      const browser = new Browser(w.base);
      await signIn(w, client, SCOPE, { browser });
      this.visitors.push({ client, browser });
    }
    this.machines = [];
    for (let i = 0; i < MACHINES; i++) this.machines.push(await w.machineClient(USE));
    this.bearer = (await machineToken(w, this.machines[0])).body.access_token;
  }

  /** The answer to one request: what it may be is held up here. null: none came. */
  async once(what, call) {
    let answer;
    const sent = Date.now();
    try {
      answer = await call();
    } catch (error) {
      this.counts.unanswered++;
      this.lastError = `${what}: ${error.cause?.code ?? error.message}`;
      if (this.strict) this.faults.push(this.lastError);
      return null;
    }
    if (answer.status === 503) {
      if (!answer.headers.get('retry-after')) this.faults.push(`${what}: 503 without Retry-After: ${answer.text.slice(0, 200)}`);
      if (Date.now() - sent > this.slowest) this.slowest = Date.now() - sent;
      this.unready++;
      if (this.strict) this.faults.push(`${what}: 503`);
      return null;
    }
    return answer;
  }

  /** The same again until it is answered with something else than 503. tries: how many it took. */
  async persist(what, call) {
    const until = Date.now() + PATIENCE_MS;
    for (let tries = 1; Date.now() < until; tries++) {
      const answer = await this.once(what, call);
      if (answer) return { answer, tries };
      this.counts.again++;
      await sleep(AGAIN_MS);
    }
    throw new Error(`${what} was not served for ${PATIENCE_MS} ms (${this.lastError ?? '503'})`);
  }

  good(what, status, wanted, text) {
    if (status === wanted) this.successes.push([Date.now(), what]);
    else this.faults.push(`${what}: ${status} ${text.slice(0, 300)}`);
    return status === wanted;
  }

  async refreshOnce(one) {
    const { answer } = await this.persist('refresh', () => refresh(this.w, one.client, one.last));
    if (!this.good('refresh', answer.status, 200, answer.text)) {
      one.lost = true;
      return;
    }
    this.counts.refreshed++;
    one.last = answer.body.refresh_token;
  }

  async visit(one) {
    const { verifier, parameters } = goodRequest(this.w, one.client, SCOPE);
    const { answer: at } = await this.persist('authorize', () => one.browser.get(authorizeUrl(this.w, parameters)));
    const code = at.left?.searchParams.get('code');
    if (!code) {
      this.faults.push(`authorize: ${at.status} ${String(at.left ?? at.page?.title ?? at.text).slice(0, 300)}`);
      await sleep(AGAIN_MS);
      return;
    }
    const { answer, tries } = await this.persist('redeem', () => redeem(this.w, one.client, { code, verifier, parameters }));
    // A code whose first redemption was not answered may be spent; the client begins anew.
    if (tries > 1 && answer.status === 400 && answer.body?.error === 'invalid_grant') {
      this.counts.burnt++;
      return;
    }
    if (!this.good('redeem', answer.status, 200, answer.text)) return;
    this.counts.signedIn++;
    if (this.counts.signedIn % 2) this.grants.push({ client: one.client, last: answer.body.refresh_token });
    else await this.end(one.client, answer.body.refresh_token);
  }

  async end(client, token) {
    const { answer } = await this.persist('revoke', () => revoke(this.w, client, token));
    if (!this.good('revoke', answer.status, 200, answer.text)) return;
    this.counts.revoked++;
    this.ended.push({ client, token });
  }

  async machine(one) {
    const { answer } = await this.persist('machine', () => machineToken(this.w, one));
    if (this.good('machine', answer.status, 200, answer.text)) this.counts.machine++;
  }

  async call() {
    const { answer } = await this.persist('call', () => mcpPost(`${this.w.base}/mcp`, CALL, { bearer: this.bearer }));
    if (this.good('call', answer.status, 200, answer.text)) this.counts.called++;
  }

  async registerOnce() {
    const { answer } = await this.persist('register', () => registerRaw(this.w, { redirect_uris: ['https://c.test/cb'], token_endpoint_auth_method: 'none' }));
    if (this.good('register', answer.status, 201, answer.text)) this.counts.registered++;
    await sleep(100);
  }

  start() {
    this.going = true;
    this.slowest = 0;
    const forever = async (step) => {
      while (this.going) {
        await step();
        await sleep(PAUSE_MS);
      }
    };
    this.all = Promise.all([
      ...this.refreshers.map((one) => forever(() => (one.lost ? sleep(100) : this.refreshOnce(one)))),
      ...this.visitors.map((one) => forever(() => this.visit(one))),
      ...this.machines.map((one) => forever(() => this.machine(one))),
      ...Array.from({ length: CALLERS }, () => forever(() => this.call())),
      forever(() => this.registerOnce()),
    ]).catch((error) => this.faults.push(error.message));
  }

  async stop() {
    this.going = false;
    await this.all;
  }

  /** How long after `moment` each of these kinds succeeded for the first time, ms; Infinity: not yet. */
  backAfter(moment, kinds = ['refresh', 'redeem', 'machine', 'call']) {
    return Object.fromEntries(kinds.map((kind) => {
      const first = this.successes.find(([when, what]) => when >= moment && what === kind);
      return [kind, first ? first[0] - moment : Infinity];
    }));
  }

  /** Waits until each kind has succeeded after `moment`. */
  async untilBack(moment, limit = PATIENCE_MS) {
    for (const until = Date.now() + limit; Date.now() < until; await sleep(20)) {
      const back = this.backAfter(moment);
      if (Math.max(...Object.values(back)) < Infinity) {
        this.successes = this.successes.slice(-200);
        return back;
      }
    }
    return this.backAfter(moment);
  }

  /** What was acknowledged and is not so; everything that was answered and may not be. */
  async check() {
    const said = (what, answer) => this.faults.push(`${what}: ${answer.status} ${answer.text.slice(0, 200)}`);
    for (const one of [...this.grants, ...this.refreshers.filter((each) => !each.lost)]) {
      const answer = await again(() => refresh(this.w, one.client, one.last));
      if (answer.status !== 200) said(answer.status === 503 ? 'still unavailable' : 'an acknowledged grant is lost', answer);
    }
    for (const one of this.ended) {
      const answer = await again(() => refresh(this.w, one.client, one.token));
      if (answer.status !== 400) said(answer.status === 503 ? 'still unavailable' : 'a revoked token lives', answer);
    }
    const bad = await this.w.faultsOfTrails();
    return [...this.faults, ...bad];
  }
}
