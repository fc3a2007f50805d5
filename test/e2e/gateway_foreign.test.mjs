// Tokens of somebody else's authorization server (npm's oidc-provider) at the gateway.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Foreign } from './lib/foreign.mjs';
import { Gateway, USE } from './lib/gateway.mjs';
import { Issuer } from './lib/issuer.mjs';
import { callTool, challenge, claims, jose, machineToken, mcpOpen } from './lib/oauth.mjs';
import { sleep } from './lib/world.mjs';

const REFETCH_MS = 10_000;
const SETTLED_MS = 1100; // keys fetched less than a second ago are not fetched again

const settingsOf = (issuer, more = '') => `
upstreams:
  - path: /mcp
    url: UPSTREAM
    authorization_servers:
      - issuer: ${issuer}
${more}`;

const call = (w, token) => callTool(w.mcp, token, 'test_simple_text');

async function taken(w, token, note) {
  const answer = await call(w, token);
  assert.equal(answer.status, 200, `${note}: ${answer.status} ${answer.text}`);
}

async function refused(w, token, note) {
  const answer = await mcpOpen(w.mcp, token);
  assert.equal(answer.status, 401, `${note}: ${answer.status} ${answer.text}`);
  assert.equal(challenge(answer.answerHeaders).error, 'invalid_token', note);
}

// Mostly they wait for keys to age, so they wait together.
describe('oidc-provider as the authorization server', { concurrency: 4 }, () => {
  describe('tokens and keys', { concurrency: 1 }, () => {
    let f;
    let w;
    before(async () => {
      f = await Foreign.start(USE);
      w = await Gateway.start({ settings: settingsOf(f.issuer) });
    });
    after(async () => {
      await w?.stop();
      await f?.down();
    });

    test('the metadata of the resource names it, and it alone', async () => {
      const metadata = await (await fetch(`${w.base}/.well-known/oauth-protected-resource/mcp`)).json();
      assert.deepEqual(metadata.authorization_servers, [f.issuer]);
      assert.equal(metadata.resource, w.mcp);
    });

    // By design an unknown key is looked for at once, but only once in ten seconds: else strangers with
    // invented key ids could make a gateway hammer its authorization server.
    test('its keys rotate without a failed call', { timeout: 60_000 }, async () => {
      let calls = 0;
      let token = await f.token(w.mcp);
      let stop = false;
      await taken(w, token, 'before');
      const load = (async () => {
        for (; !stop; calls++) await taken(w, token, `call ${calls}`);
      })();
      try {
        f.announce();
        await sleep(SETTLED_MS);
        f.rotate({ announced: true });
        const next = await f.token(w.mcp);
        assert.notEqual(jose(next).kid, jose(token).kid);
        token = next;
        await taken(w, token, 'by the announced key');
        f.rotate();
        const sudden = await f.token(w.mcp);
        assert.notEqual(jose(sudden).kid, jose(token).kid);
        const begin = Date.now();
        while ((await mcpOpen(w.mcp, sudden)).status !== 200) {
          assert.ok(Date.now() - begin < REFETCH_MS + 10_000, 'a key that nobody announced waits for one look at most');
          await sleep(100);
        }
        token = sudden;
        await taken(w, token, 'by the sudden key');
      } finally {
        stop = true;
        await load;
      }
      assert.ok(calls > 10, `${calls} calls meanwhile`);
    });

    test('its tokens are taken; those for another audience are not', async () => {
      await taken(w, await f.token(w.mcp), 'its token');
      await refused(w, await f.token('https://other.example/mcp'), 'another audience');
      await refused(w, await f.token(`${w.mcp}/more`), 'a longer audience');
      await taken(w, await f.token(w.mcp), 'control');
    });

    test('tokens of this server and of strangers are not taken', async () => {
      const machine = await w.machineClient(USE);
      const own = await machineToken(w, machine);
      if (own.status === 200) await refused(w, own.body.access_token, 'our own');
      const stranger = await Issuer.start();
      await refused(w, stranger.sign(stranger.published[0], stranger.claims(w.mcp, { scope: USE })), 'an unknown issuer');
      await refused(w, stranger.sign(stranger.published[0], stranger.claims(w.mcp, { scope: USE, iss: f.issuer })), 'an unknown key');
      await stranger.down();
      await taken(w, await f.token(w.mcp), 'control');
    });

    test('an expired token, one of another type, issuer or time, and a changed one are not taken', async () => {
      const good = await f.token(w.mcp);
      const { iat, exp } = claims(good);
      await taken(w, f.resign(good, { claims: { jti: 'another' } }), 'signed again');
      const bent = {
        expired: { claims: { iat: iat - 7200, exp: iat - 3600 } },
        'without an end': { claims: { exp: undefined } },
        'not yet': { claims: { nbf: exp + 3600 } },
        'another issuer': { claims: { iss: `${f.issuer}/` } },
        'another audience': { claims: { aud: 'https://other.example/mcp' } },
        'an ID token': { header: { typ: 'JWT' } },
        'no type': { header: { typ: undefined } },
      };
      for (const [note, parts] of Object.entries(bent)) await refused(w, f.resign(good, parts), note);
      await refused(w, `${good.slice(0, -6)}AAAAAA`, 'changed');
      await taken(w, good, 'control');
    });
  });

  test('an issuer that is away: known keys serve within their bound, then it fails closed', { timeout: 60_000 }, async () => {
    const f = await Foreign.start(USE);
    let w;
    try {
      w = await Gateway.start({ settings: settingsOf(f.issuer, `        keys_fresh_s: 30\n        keys_stale_s: 1\n`) });
      const token = await f.token(w.mcp);
      await taken(w, token, 'before');
      await f.down();
      await taken(w, token, 'within the bound');
      let last;
      for (let i = 0; i < 80; i++) {
        last = await mcpOpen(w.mcp, token);
        if (last.status !== 200) break;
        await sleep(500);
      }
      assert.equal(last.status, 503, 'without keys nobody is let in');
      assert.ok(last.answerHeaders.get('retry-after'));
      await f.up();
      for (let i = 0; i < 60 && (await mcpOpen(w.mcp, token)).status !== 200; i++) await sleep(250);
      await taken(w, token, 'it is back');
    } finally {
      await w?.stop();
      await f.down().catch(() => {});
    }
  });

  test('an issuer that nobody can reach at the start: 503, and in as soon as it is there', { timeout: 60_000 }, async () => {
    const f = await Foreign.start(USE);
    let w;
    try {
      await f.down();
      w = await Gateway.start({ settings: settingsOf(f.issuer) });
      await f.up();
      const token = await f.token(w.mcp);
      await f.down();
      assert.equal((await mcpOpen(w.mcp, token)).status, 503, 'nobody can tell');
      await f.up();
      for (let i = 0; i < 60 && (await mcpOpen(w.mcp, token)).status !== 200; i++) await sleep(250);
      await taken(w, token, 'it is there');
    } finally {
      await w?.stop();
      await f.down().catch(() => {});
    }
  });

  test('opaque tokens are asked about', { timeout: 60_000 }, async () => {
    const f = await Foreign.start(USE, { format: 'opaque' });
    const secret = 'provider-secret';
    let w;
    try {
      w = await Gateway.start({
        settings: settingsOf(f.issuer, `        client_id: ${f.clientId}\n        client_secret_file: ${secret}\n`),
        prepare: (data) => writeFileSync(path.join(data, secret), f.secret, { mode: 0o600 }),
      });
      await taken(w, await f.token(w.mcp), 'an opaque token');
      await refused(w, 'made-up-token-of-nobody', 'made up');
      await refused(w, await f.token('https://other.example/mcp'), 'another audience');
      await taken(w, await f.token(w.mcp), 'control');
    } finally {
      await w?.stop();
      await f.down();
    }
  });
});
