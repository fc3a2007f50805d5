// Several nodes on one store, and callers that all come at once: of each code and of each refresh
// token exactly one redemption wins, every time. WARDER_RACE_ROUNDS sets how often; 500 is a proof,
// the default a reminder. test/crash/races does a million.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { control } from './lib/attack.mjs';
import { Browser } from './lib/browser.mjs';
import { KINDS, skipOf } from './lib/kinds.mjs';
import { authorize, register } from './lib/oauth.mjs';
import { World } from './lib/world.mjs';

const CALLERS = 64;
const ROUNDS = Number(process.env.WARDER_RACE_ROUNDS ?? 4);

/** All at once, at all nodes in turn: the bodies of those that won. */
async function race(w, parameters) {
  const body = String(new URLSearchParams(parameters));
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const answers = await Promise.all(Array.from({ length: CALLERS }, async (_, i) => {
    const answer = await fetch(`${w.nodes[i % w.nodes.length].base}/token`, { method: 'POST', headers, body });
    return { status: answer.status, body: await answer.json() };
  }));
  for (const one of answers) {
    if (one.status !== 200) assert.deepEqual([one.status, one.body.error], [400, 'invalid_grant'], JSON.stringify(one));
  }
  return answers.filter((one) => one.status === 200).map((one) => one.body);
}

for (const [name, kind] of Object.entries(KINDS)) {
  describe(`races over ${name}`, { skip: skipOf(name) }, () => {
    let w;
    before(async () => (w = await World.start({ sample: false, env: { WARDER_REFRESH_GRACE: '0' }, ...kind })));
    after(() => w?.stop());

    test(`${CALLERS} redemptions of one code and of one refresh token, ${ROUNDS} rounds`, { timeout: 1_800_000 }, async (t) => {
      const browser = new Browser(w.base);
      const client = await register(w);
      const wins = { code: 0, refresh: 0 };
      for (let round = 0; round < ROUNDS; round++) {
        const granted = await authorize(w, client, {}, { browser });
        const tokens = await race(w, {
          grant_type: 'authorization_code', client_id: client.client_id, code: granted.code,
          code_verifier: granted.verifier, redirect_uri: granted.parameters.redirect_uri,
        });
        assert.equal(tokens.length, 1, `code, round ${round}`);
        wins.code++;
        // The replays of the code have ended that grant; the refresh token comes of another one.
        const again = await authorize(w, client, {}, { browser });
        const answer = await fetch(`${w.base}/token`, {
          method: 'POST',
          body: new URLSearchParams({
            grant_type: 'authorization_code', client_id: client.client_id, code: again.code, code_verifier: again.verifier,
          }),
        });
        const pair = await answer.json();
        assert.equal(answer.status, 200, JSON.stringify(pair));
        const rotated = await race(w, { grant_type: 'refresh_token', client_id: client.client_id, refresh_token: pair.refresh_token });
        assert.equal(rotated.length, 1, `refresh token, round ${round}`);
        wins.refresh++;
      }
      t.diagnostic(`${ROUNDS} rounds of ${CALLERS} callers: ${wins.code} winners of codes, ${wins.refresh} of refresh tokens`);
      await control(w, client);
    });
  });
}
