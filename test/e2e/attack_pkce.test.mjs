// Attack cases of the area as-pkce, from outside.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertRefused, assertTokenError, control, play } from './lib/attack.mjs';
import { authorize, pkce, redeem, register, token } from './lib/oauth.mjs';
import { World } from './lib/world.mjs';

let w;
let client;
before(async () => {
  w = await World.start({ sample: false });
  client = await register(w);
});
after(() => w?.stop());

test('PKCE-002 plain is refused and metadata says S256 only', async () => {
  assert.deepEqual(w.metadata.code_challenge_methods_supported, ['S256']);
  for (const method of ['plain', undefined, 's256', 'S512', 'S256 ', 'none', '']) {
    assertRefused(await play(w, client, { code_challenge_method: method }), ['invalid_request'], `method ${method}`);
  }
  assertRefused(await play(w, client, { code_challenge: undefined, code_challenge_method: undefined }), ['invalid_request'], 'no challenge');
  await control(w, client);
});

test('PKCE-003 verifier missing, wrong, short, long, in a bad charset', async () => {
  const { verifier: other } = pkce();
  const bad = {
    missing: () => undefined,
    wrong: () => other,
    'of 42 characters': (right) => right.slice(0, 42),
    'of 129 characters': (right) => right.repeat(4).slice(0, 129),
    'with a plus': (right) => `+${right.slice(1)}`,
    'the challenge itself': (right) => pkce(right).challenge,
    'with a trailing NUL': (right) => `${right}\0`,
    'given twice': (right) => [right, right],
  };
  for (const [name, bend] of Object.entries(bad)) {
    const granted = await authorize(w, client);
    const answer = await redeem(w, client, granted, { code_verifier: bend(granted.verifier) });
    assertTokenError(answer, ['invalid_grant', 'invalid_request'], name);
  }
  // However often it is tried wrongly, the code is gone after its time at the latest; with the right
  // verifier it yields at most one answer with tokens.
  const granted = await authorize(w, client);
  await redeem(w, client, granted, { code_verifier: other });
  const right = await redeem(w, client, granted);
  if (right.status === 200) assertTokenError(await redeem(w, client, granted), 'invalid_grant', 'again');
  else assertTokenError(right, 'invalid_grant', 'burnt by the wrong verifier');
  await control(w, client);
});

test('PKCE-006 challenge syntax is enforced', async () => {
  const { challenge } = pkce();
  const bad = [challenge.slice(0, 42), `${challenge}A`, challenge.repeat(3), `${challenge.slice(0, 42)}=`, `${challenge}=`,
    `/${challenge.slice(1)}`, `+${challenge.slice(1)}`, `${challenge.slice(0, 42)}é`, ''];
  for (const one of bad) {
    assertRefused(await play(w, client, { code_challenge: one }), ['invalid_request'], `challenge ${one}`);
  }
  assertRefused(await play(w, client, { code_challenge: [challenge, challenge] }), ['invalid_request'], 'two challenges');
  await control(w, client);
});

test('PKCE-007 RFC 7636 appendix B vector', async () => {
  const granted = await authorize(w, client, { code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM' });
  const answer = await redeem(w, client, granted, { code_verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk' });
  assert.equal(answer.status, 200, answer.text);
  assert.ok(answer.body.access_token);
});

test('PKCE a confidential client is not excused', async () => {
  const confidential = await register(w, { token_endpoint_auth_method: 'client_secret_basic' });
  assertRefused(await play(w, confidential, { code_challenge: undefined, code_challenge_method: undefined }), ['invalid_request']);
  const granted = await authorize(w, confidential);
  assertTokenError(await token(w, confidential, {
    grant_type: 'authorization_code', code: granted.code, redirect_uri: granted.parameters.redirect_uri,
  }), ['invalid_grant', 'invalid_request']);
  await control(w, confidential);
});
