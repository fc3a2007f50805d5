// A proxy between Warder and its database fails at the very transaction of a write: every fault, for
// every kind of write. What is answered with success is durable and happened once; what is answered with
// 503 can be sent again without harm. Where the database has it and only the answer was lost, the caller
// hears of success all the same.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Browser, consentForm, loginForm } from '../e2e/lib/browser.mjs';
import { FAULTS, FaultProxy } from '../e2e/lib/fault_proxy.mjs';
import { authorizeUrl, goodRequest, jose, machineToken, post, redeem, refresh, register, signIn } from '../e2e/lib/oauth.mjs';
import { Cluster, HAS_POSTGRES, Pooler } from '../e2e/lib/postgres.mjs';
import { isActive, revoke, serviceClient } from '../e2e/lib/tokens.mjs';
import { NEWS, PASSWORD, World, sleep } from '../e2e/lib/world.mjs';

const TIMEOUT_MS = 1200;
const OPAQUE = 'https://opaque.test/mcp';
const TRIES = 8;
const skip = HAS_POSTGRES ? false : 'no PostgreSQL server is installed';

let w; // of the describe that runs
let service;

/** An answer of 200 or 503 (a command: 0, or not), and in the end 200. {answer, first, tries} */
async function persist(call) {
  let first = null;
  for (let tries = 1; tries <= TRIES; tries++) {
    const answer = await call();
    first ??= answer;
    if (answer.status !== 503) return { answer, first, tries };
    assert.ok(answer.headers.get('retry-after'), '503 says when to come again');
    await sleep(50);
  }
  throw new Error(`503 again and again: ${first.text}`);
}

async function command(words) {
  const answer = await w.cli(words, { code: null });
  return { status: answer.code === 0 ? 200 : 503, text: answer.stderr, headers: new Headers({ 'retry-after': '1' }), stdout: answer.stdout };
}

async function opened(scope = NEWS, resource = w.mcp) {
  const client = await register(w, { redirect_uris: ['https://c.test/cb'], token_endpoint_auth_method: 'client_secret_basic' });
  const browser = new Browser(w.base);
  const tokens = await signIn(w, client, { scope, resource }, { browser });
  return { client, browser, tokens };
}

async function ask(one) {
  const { verifier, parameters } = goodRequest(w, one.client);
  const at = await one.browser.get(authorizeUrl(w, parameters));
  return { code: at.left.searchParams.get('code'), verifier, parameters };
}

/** like: the statement at which it fails; make: what stands before; act: the request, more than once if
 * need be; hold: what must be so when it was answered with success. */
const WRITES = {
  'a code is redeemed': {
    all: true,
    burns: true,
    like: /UPDATE code SET consumed_at/,
    make: async () => {
      const one = await opened();
      return { ...one, granted: await ask(one) };
    },
    act: (it) => redeem(w, it.client, it.granted),
    hold: async (it, answer) => {
      assert.equal((await refresh(w, it.client, answer.body.refresh_token)).status, 200, 'what was given is there');
      assert.equal((await redeem(w, it.client, it.granted)).status, 400, 'it is spent');
    },
  },
  'a token is refreshed': {
    like: /UPDATE refresh SET uses/,
    make: opened,
    act: (it) => refresh(w, it.client, it.tokens.refresh_token),
    hold: async (it, answer) => assert.equal((await refresh(w, it.client, answer.body.refresh_token)).status, 200),
  },
  'a grant is revoked': {
    like: /UPDATE family SET revoked_at/,
    make: opened,
    act: (it) => revoke(w, it.client, it.tokens.refresh_token),
    hold: async (it) => {
      assert.equal((await refresh(w, it.client, it.tokens.refresh_token)).status, 400);
      assert.equal(await isActive(w, service, it.tokens.access_token), false);
    },
  },
  'an opaque token is given out': {
    like: /INSERT INTO access_token/,
    make: async () => ({ machine: await w.machineClient(NEWS) }),
    act: (it) => machineToken(w, it.machine, { resource: OPAQUE }),
    hold: async (it, answer) => assert.equal(await isActive(w, service, answer.body.access_token), true),
  },
  'a request is pushed': {
    like: /INSERT INTO pushed/,
    make: opened,
    act: (it) => {
      it.request = goodRequest(w, it.client);
      return post(w, 'pushed_authorization_request_endpoint', it.client, { ...it.request.parameters, client_id: undefined });
    },
    good: 201,
    hold: async (it, answer) => {
      const at = await it.browser.get(authorizeUrl(w, { client_id: it.client.client_id, request_uri: answer.body.request_uri }));
      assert.ok(at.left.searchParams.get('code'), String(at.left));
    },
  },
  'a person signs in': {
    like: /INSERT INTO session/,
    make: async () => {
      const client = await register(w);
      const browser = new Browser(w.base);
      return { client, browser, at: await browser.get(authorizeUrl(w, goodRequest(w, client).parameters)) };
    },
    act: (it) => it.browser.login(it.at.page, 'alice', PASSWORD),
    hold: async (it, at) => assert.ok(consentForm(at.page), at.text),
  },
  'a person approves, and the client is registered for good': {
    like: /INSERT INTO code/,
    make: async () => {
      const client = await register(w);
      const browser = new Browser(w.base);
      const { verifier, parameters } = goodRequest(w, client);
      let at = await browser.get(authorizeUrl(w, parameters));
      if (loginForm(at.page)) at = await browser.login(at.page, 'alice', PASSWORD);
      return { client, browser, at, verifier, parameters };
    },
    act: (it) => it.browser.decide(it.at.page),
    good: null, // it leads away
    hold: async (it, at) => {
      const granted = { code: at.left?.searchParams.get('code'), verifier: it.verifier, parameters: it.parameters };
      assert.ok(granted.code, at.text);
      assert.equal((await redeem(w, it.client, granted)).status, 200);
      const listed = (await w.cli(['admin', 'client', 'list'])).stdout;
      assert.ok(listed.includes(it.client.client_id), 'it has a row');
    },
  },
  'an administrator adds a person': {
    unwitnessed: true,
    like: /INSERT INTO "user"/,
    make: async () => ({ name: `p${Math.random().toString(36).slice(2)}` }),
    act: async (it) => {
      const answer = await w.cli(['admin', 'user', 'add', it.name, '--password-stdin'], { code: null, input: `${PASSWORD}\n` });
      // Who was not told and comes again hears that the person is there already.
      const there = answer.code !== 0 && /already|exists|taken/.test(answer.stderr) && it.tried;
      it.tried = true;
      return { status: answer.code === 0 || there ? 200 : 503, headers: new Headers({ 'retry-after': '1' }), text: answer.stderr };
    },
    hold: async (it) => assert.equal((await w.cli(['admin', 'user', 'list'])).stdout.split(it.name).length, 2),
  },
  'all keys are replaced': {
    unwitnessed: true,
    like: /INSERT INTO key/,
    make: async () => ({ before: await kids() }),
    act: () => command(['admin', 'key', 'rotate', '--at-once']),
    hold: async (it) => {
      const answer = await machineToken(w, await w.machineClient(NEWS));
      assert.equal(answer.status, 200, answer.text);
      assert.ok(!it.before.includes(jose(answer.body.access_token).kid), 'signed by a new key');
      const published = await kids();
      assert.ok(published.length === 1 && !it.before.includes(published[0]), `${published}`);
    },
  },
};

async function kids() {
  await sleep(200); // documents show a change of another process within STORE_GENERATION_MS
  const answer = await fetch(`${w.base}${new URL(w.metadata.jwks_uri).pathname}`);
  return (await answer.json()).keys.map((key) => key.kid);
}

// Without E2E_LONG only these, and all of them where it matters most.
const SHORT = [FAULTS.CUT_BEFORE, FAULTS.CUT_AFTER, FAULTS.HALF_ANSWER];
// Where the server has it and nothing but the answer was lost, there is time to find that out.
const MUST_SUCCEED = [FAULTS.CUT_BEFORE, FAULTS.CUT_AFTER, FAULTS.CUT_AT_ONCE, FAULTS.DELAY, FAULTS.DELAY_ANSWER, FAULTS.DRIP];
const MAY_BURN = [FAULTS.HALF_ANSWER, FAULTS.DRIP];

async function tryFault(proxy, what, write) {
  const it = await write.make();
  const rule = proxy.rule({ what, like: write.like, ms: 150 });
  let outcome;
  try {
    outcome = await persist(() => write.act(it));
  } finally {
    proxy.clear();
    it.tries = outcome?.tries ?? TRIES;
  }
  assert.equal(rule.done, 1, 'it met the transaction');
  const { answer, tries } = outcome;
  // It was silent for all the time there is (a drip on a busy machine, too), and had it: the code is
  // burnt, and the client begins anew.
  if (MAY_BURN.includes(what) && write.burns && tries > 1 && answer.status === 400) return 'burnt';
  if (write.good !== null) assert.equal(answer.status, write.good ?? 200, answer.text);
  await write.hold(it, answer);
  // Where nothing in the store can tell whose it is, nobody knows; it can be sent again.
  if (MUST_SUCCEED.includes(what) && !(write.unwitnessed && what !== FAULTS.CUT_BEFORE)) assert.equal(tries, 1, `it was told to come again: ${outcome.first.text}`);
  return tries;
}

for (const pooled of [false, true]) {
  describe(`the link ${pooled ? 'to a pooler' : 'to the server'}`, { skip: skip || (pooled && !process.env.E2E_LONG ? 'only with E2E_LONG' : false) }, () => {
    let cluster;
    let pooler;
    let proxy;
    before(async () => {
      cluster = await Cluster.start();
      pooler = pooled ? await Pooler.start(cluster) : null;
      proxy = await FaultProxy.start((pooler ?? cluster).port);
      const conninfo = (pooler ?? cluster).conninfo(await cluster.database()).replace(/port=\d+/, `port=${proxy.port}`);
      w = await World.start({ sample: false, nodes: 1, conninfo, env: { WARDER_POSTGRES_TIMEOUT: String(TIMEOUT_MS) } });
      await w.addResource(OPAQUE, ['--format', 'opaque']);
      service = await serviceClient(w, w.mcp, [], ['--resource-server', OPAQUE]);
    });
    after(async () => {
      await w?.stop();
      await proxy?.stop();
      await pooler?.stop();
      await cluster?.stop();
    });

    for (const [name, write] of Object.entries(WRITES)) {
      test(name, { timeout: 60_000 }, async (t) => {
        const tries = [];
        for (const what of process.env.E2E_LONG || write.all ? Object.values(FAULTS) : SHORT) {
          tries.push(`${what} ${await tryFault(proxy, what, write).catch((error) => {
            throw new Error(`${what}: ${error.message}`, { cause: error });
          })}`);
        }
        t.diagnostic(`tries: ${tries.join(', ')}`);
      });
    }

    test('no connection at all, and one that went deaf', { timeout: 30_000 }, async () => {
      const one = await opened();
      for (const trouble of [() => ((proxy.refusing = true), proxy.reset()), () => (proxy.deaf = true)]) {
        trouble();
        const begun = Date.now();
        const answer = await refresh(w, one.client, one.tokens.refresh_token);
        assert.equal(answer.status, 503, answer.text);
        assert.ok(answer.headers.get('retry-after'));
        assert.ok(Date.now() - begun < TIMEOUT_MS + 500, `${Date.now() - begun} ms`);
        proxy.clear();
        proxy.reset();
        const { answer: later } = await persist(() => refresh(w, one.client, one.tokens.refresh_token));
        assert.equal(later.status, 200, later.text);
        one.tokens = later.body;
      }
    });
  });
}
