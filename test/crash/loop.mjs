// kill -9 under load, again and again: what was acknowledged must still be there, and nothing may
// happen twice. Every acknowledged answer is written down by the load before the next request.
import { Browser } from '../e2e/lib/browser.mjs';
import { authorizeUrl, goodRequest, machineToken, redeem, refresh, register, signIn } from '../e2e/lib/oauth.mjs';
import { World, sleep } from '../e2e/lib/world.mjs';

const FLOWS = 3; // browsers with a live session and remembered consent
const FAMILIES = 4; // refresh chains
const MACHINES = 3;
// Thousands of rounds are short ones: what counts then is how many moments are met.
const MANY = 500;
const RUN_MS = { few: [60, 350], many: [5, 60] };
const TRAIL_EVERY = 25; // with many rounds; the trail is checked from its beginning each time
const GO_ON_MS = 60;
const ALL_DIE = 0.25;
const GONE = { status: 0 };

/** An answer, or GONE when the server was killed before it came (a front says 502 then). */
async function attempt(call) {
  try {
    const answer = await call();
    return answer.status === 502 ? GONE : answer;
  } catch {
    return GONE;
  }
}

class Load {
  constructor(w) {
    this.w = w;
    this.acknowledged = new Map(); // client id → answers that must be in the audit trail
    this.counts = { codes: 0, redeemed: 0, refreshed: 0, machine: 0, replays: 0, unsure: 0 };
  }

  heard(client, n = 1) {
    this.acknowledged.set(client.client_id, (this.acknowledged.get(client.client_id) ?? 0) + n);
  }

  async prepare() {
    this.flows = [];
    for (let i = 0; i < FLOWS; i++) {
      const client = await register(this.w, { redirect_uris: ['https://c.test/cb'], token_endpoint_auth_method: 'client_secret_basic' });
      const browser = new Browser(this.w.base);
      await signIn(this.w, client, {}, { browser });
      this.flows.push({ client, browser, open: [], spent: [], unsure: [] });
    }
    this.families = [];
    for (let i = 0; i < FAMILIES; i++) {
      const client = await register(this.w);
      this.families.push({ client, last: (await signIn(this.w, client)).refresh_token });
    }
    this.machines = [];
    for (let i = 0; i < MACHINES; i++) this.machines.push(await this.w.machineClient());
  }

  async flow(one) {
    const { verifier, parameters } = goodRequest(this.w, one.client);
    const at = await attempt(() => one.browser.get(authorizeUrl(this.w, parameters)));
    const code = at.left?.searchParams.get('code');
    if (!code) {
      if (at !== GONE) throw new Error(`no code from a live session: ${at.status} ${at.text?.slice(0, 200)}`);
      return;
    }
    this.counts.codes++;
    this.heard(one.client);
    const granted = { code, verifier, parameters };
    // Half of the codes are left for after the crash.
    if (this.counts.codes % 2) {
      one.open.push(granted);
      return;
    }
    const answer = await attempt(() => redeem(this.w, one.client, granted));
    if (answer === GONE) one.unsure.push(granted);
    else if (answer.status === 200) {
      this.counts.redeemed++;
      this.heard(one.client);
      one.spent.push({ ...granted, refresh: answer.body.refresh_token });
    } else throw new Error(`an open code was refused: ${answer.status} ${answer.text}`);
  }

  async rotate(one) {
    const answer = await attempt(() => refresh(this.w, one.client, one.last));
    if (answer === GONE) return;
    if (answer.status !== 200) throw new Error(`a live refresh token was refused: ${answer.status} ${answer.text}`);
    one.last = answer.body.refresh_token;
    this.counts.refreshed++;
    this.heard(one.client);
  }

  async machine(one) {
    const answer = await attempt(() => machineToken(this.w, one));
    if (answer === GONE) return;
    if (answer.status !== 200) throw new Error(`a machine was refused: ${answer.status} ${answer.text}`);
    this.counts.machine++;
    this.heard(one);
  }

  async run([least, most]) {
    let going = true;
    const forever = async (step) => {
      while (going) await step();
    };
    const all = Promise.all([
      ...this.flows.map((one) => forever(() => this.flow(one))),
      ...this.families.map((one) => forever(() => this.rotate(one))),
      ...this.machines.map((one) => forever(() => this.machine(one))),
    ]);
    const fault = all.catch((error) => error);
    await sleep(least + Math.random() * (most - least));
    await this.kill(() => (going = false));
    const ended = await fault;
    if (ended instanceof Error) throw ended;
  }

  /** One node dies while the others go on; the only one, or now and then all, end the load. */
  async kill(over) {
    const { w } = this;
    if (w.count === 1) {
      over();
      await w.kill9();
      return;
    }
    const all = Math.random() < ALL_DIE;
    if (all) over();
    this.dead = w.nodes.map((_, i) => i);
    if (!all) this.dead = [Math.floor(Math.random() * w.count)];
    await Promise.all(this.dead.map((i) => w.killNode(i)));
    if (!all) await sleep(GO_ON_MS);
    over();
  }

  async raise() {
    if (this.w.count === 1) await this.w.startWarder(this.w.port);
    else await Promise.all(this.dead.map((i) => this.w.startNode(i)));
  }

  async check(trail) {
    await Promise.all(this.flows.map((one) => this.checkCodes(one)));
    await Promise.all(this.families.map((one) => this.checkFamily(one)));
    if (trail) await this.checkAudit();
  }

  async checkFamily(one) {
    const answer = await refresh(this.w, one.client, one.last);
    if (answer.status !== 200) throw new Error(`an acknowledged token family is lost: ${answer.text}`);
    one.last = answer.body.refresh_token;
    this.heard(one.client);
  }

  async checkCodes(one) {
    for (const granted of one.open.splice(0)) {
      const answer = await redeem(this.w, one.client, granted);
      if (answer.status !== 200) throw new Error(`an acknowledged code is lost: ${answer.text}`);
      this.heard(one.client);
      one.spent.push({ ...granted, refresh: answer.body.refresh_token });
    }
    for (const granted of one.unsure.splice(0)) {
      this.counts.unsure++;
      const answer = await redeem(this.w, one.client, granted);
      if (answer.status === 200) {
        this.heard(one.client);
        one.spent.push(granted);
      } else if (answer.body?.error !== 'invalid_grant') throw new Error(`odd answer: ${answer.text}`);
    }
    // Families of spent codes live; then each code is tried a second time.
    for (const granted of one.spent.splice(0)) {
      if (granted.refresh) {
        const live = await refresh(this.w, one.client, granted.refresh);
        if (live.status !== 200) throw new Error(`an acknowledged token family is lost: ${live.text}`);
        this.heard(one.client);
      }
      const again = await redeem(this.w, one.client, granted);
      if (again.status === 200) throw new Error('a code was spent twice');
      this.counts.replays++;
    }
  }

  async checkAudit() {
    const faults = await this.w.faultsOfTrails();
    if (faults.length) throw new Error(`the audit chain does not verify: ${faults.join('; ')}`);
    const trail = this.w.auditText();
    for (const [id, acknowledged] of this.acknowledged) {
      const events = trail.split(id).length - 1;
      if (events < acknowledged) throw new Error(`${acknowledged} acknowledged answers of ${id}, but ${events} audit events`);
    }
  }
}

/** Rounds of load, kill -9, restart and check; what happened in them. */
export async function crashLoop(rounds, { onRound = () => {}, env = {}, ...kind } = {}) {
  const w = await World.start({ sample: false, env, ...kind });
  const load = new Load(w);
  try {
    await load.prepare();
    for (let round = 1; round <= rounds; round++) {
      await load.run(rounds < MANY ? RUN_MS.few : RUN_MS.many);
      await load.raise();
      await load.check(rounds < MANY || round % TRAIL_EVERY === 0 || round === rounds);
      onRound(round, load.counts);
    }
  } finally {
    await w.stop();
  }
  return load.counts;
}
