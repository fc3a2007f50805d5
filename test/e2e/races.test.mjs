// Two servers on one database, and callers that all come at once: of each code and of each refresh
// token exactly one redemption wins, every time. WARDER_RACE_ROUNDS sets how often; 500 is a proof,
// the default a reminder.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import path from 'node:path';
import { control } from './lib/attack.mjs';
import { Browser } from './lib/browser.mjs';
import { authorize, register } from './lib/oauth.mjs';
import { BUILD, World, start, stop } from './lib/world.mjs';

const CALLERS = 64;
const ROUNDS = Number(process.env.WARDER_RACE_ROUNDS ?? 10);

let w;
let second;
let bases;
before(async () => {
  const env = { WARDER_REFRESH_GRACE: '0' };
  w = await World.start({ sample: false, env });
  second = await start(path.join(BUILD, 'warder'), ['serve', '--listen', '127.0.0.1:0', '--data', w.data],
    { env: { ...w.env, WARDER_PUBLIC_URL: w.issuer }, data: w.data, name: 'second' });
  bases = [w.base, /http:\/\/127\.0\.0\.1:\d+/.exec(second.out)[0]];
});
after(async () => {
  if (second) await stop(second);
  await w?.stop();
});

/** All at once, at both servers in turn: how many of each answer. */
async function race(parameters) {
  const body = String(new URLSearchParams(parameters));
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const answers = await Promise.all(Array.from({ length: CALLERS }, async (_, i) => {
    const answer = await fetch(`${bases[i % 2]}/token`, { method: 'POST', headers, body });
    return { status: answer.status, body: await answer.json() };
  }));
  for (const one of answers) {
    if (one.status !== 200) assert.deepEqual([one.status, one.body.error], [400, 'invalid_grant'], JSON.stringify(one));
  }
  return answers.filter((one) => one.status === 200).map((one) => one.body);
}

test(`${CALLERS} redemptions of one code and of one refresh token, ${ROUNDS} rounds, two processes`, { timeout: 1_800_000 }, async (t) => {
  const browser = new Browser(w.base);
  const client = await register(w);
  const wins = { code: 0, refresh: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const granted = await authorize(w, client, {}, { browser });
    const tokens = await race({
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
    const rotated = await race({ grant_type: 'refresh_token', client_id: client.client_id, refresh_token: pair.refresh_token });
    assert.equal(rotated.length, 1, `refresh token, round ${round}`);
    wins.refresh++;
  }
  t.diagnostic(`${ROUNDS} rounds of ${CALLERS} callers: ${wins.code} winners of codes, ${wins.refresh} of refresh tokens`);
  await control(w, client);
});
