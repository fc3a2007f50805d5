// Tokens of somebody else's authorization server (npm's oidc-provider) at the gateway.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Foreign } from './lib/foreign.mjs';
import { Gateway, USE } from './lib/gateway.mjs';
import { Issuer } from './lib/issuer.mjs';
import { callTool, challenge, machineToken, mcpOpen } from './lib/oauth.mjs';
import { sleep } from './lib/world.mjs';

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

describe('oidc-provider as the authorization server', () => {
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

  test('an expired token, a changed one, and an ID token are not taken', async () => {
    f.ttl = 1;
    const short = await f.token(w.mcp);
    f.ttl = undefined;
    const good = await f.token(w.mcp);
    await refused(w, `${good.slice(0, -6)}AAAAAA`, 'changed');
    await sleep(1000);
    const [head, body, mac] = good.split('.');
    const typed = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(head, 'base64url')), typ: 'JWT' })).toString('base64url');
    await refused(w, [typed, body, mac].join('.'), 'another type');
    assert.ok(short);
    await taken(w, good, 'control');
  });

  test('its keys rotate without a failed call', { timeout: 60_000 }, async () => {
    let calls = 0;
    let token = await f.token(w.mcp);
    let stop = false;
    const load = (async () => {
      const session = await mcpOpen(w.mcp, token);
      assert.equal(session.status, 200);
      while (!stop) {
        await taken(w, token, `call ${calls}`);
        calls++;
      }
    })();
    f.rotate();
    token = await f.token(w.mcp);
    await taken(w, token, 'by the new key');
    stop = true;
    await load;
    assert.ok(calls > 0);
  });
});

test('an issuer that is away: known keys serve within their bound, then it fails closed', { timeout: 60_000 }, async () => {
  const f = await Foreign.start(USE);
  const w = await Gateway.start({ settings: settingsOf(f.issuer, `        keys_fresh_s: 30\n        keys_stale_s: 2\n`) });
  try {
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
    await w.stop();
    await f.down().catch(() => {});
  }
});

test('an issuer that nobody can reach at the start: 503, and in as soon as it is there', { timeout: 60_000 }, async () => {
  const f = await Foreign.start(USE);
  await f.down();
  const w = await Gateway.start({ settings: settingsOf(f.issuer) });
  try {
    await f.up();
    const token = await f.token(w.mcp);
    await f.down();
    assert.equal((await mcpOpen(w.mcp, token)).status, 503, 'nobody can tell');
    await f.up();
    for (let i = 0; i < 60 && (await mcpOpen(w.mcp, token)).status !== 200; i++) await sleep(250);
    await taken(w, token, 'it is there');
  } finally {
    await w.stop();
    await f.down().catch(() => {});
  }
});

test('opaque tokens are asked about', { timeout: 60_000 }, async () => {
  const f = await Foreign.start(USE, { format: 'opaque' });
  const secret = `provider-secret`;
  const w = await Gateway.start({
    settings: settingsOf(f.issuer, `        client_id: ${f.clientId}\n        client_secret_file: ${secret}\n`),
    prepare: (data) => writeFileSync(path.join(data, secret), f.secret, { mode: 0o600 }),
  });
  try {
    await taken(w, await f.token(w.mcp), 'an opaque token');
    await refused(w, 'made-up-token-of-nobody', 'made up');
    await refused(w, await f.token('https://other.example/mcp'), 'another audience');
    await taken(w, await f.token(w.mcp), 'control');
  } finally {
    await w.stop();
    await f.down();
  }
});
