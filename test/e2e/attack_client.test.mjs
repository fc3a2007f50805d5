// Hostile servers and authorization servers against the client's commands.
import assert from 'node:assert/strict';
import http from 'node:http';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { ClientHome, followsRedirects } from './lib/client_home.mjs';
import { SmallAs } from './lib/small_as.mjs';
import { SmallMcp } from './lib/small_mcp.mjs';
import { unheld } from './lib/world.mjs';

let started;
let home;
beforeEach(() => {
  started = [];
  home = new ClientHome({ visit: followsRedirects });
});
afterEach(async () => {
  for (const each of started) await each.stop();
  home.remove();
});
const keep = (server) => (started.push(server), server);

/** An authorization server and a server that takes its tokens. */
async function pair({ as: asOptions = {}, mcp: mcpOptions = {} } = {}) {
  const as = keep(await SmallAs.start(asOptions));
  const mcp = keep(await SmallMcp.start({ issuer: as.issuer, accepts: as.accepts, ...mcpOptions }));
  return { as, mcp };
}
const call = (mcp, more = []) => home.run(['call', mcp.url, 'echo', '{"text":"hi"}', '--json', '--interactive', ...more]);
const control = async () => {
  const { mcp } = await pair();
  const answer = await call(mcp);
  assert.equal(answer.code, 0, answer.stderr);
  assert.equal(answer.json.content[0].text, 'hi');
};
/** Somebody who only notes who comes. */
async function stranger(answer = (request, response) => response.writeHead(204).end()) {
  const seen = [];
  const server = unheld(http.createServer((request, response) => {
    seen.push({ url: request.url, headers: request.headers, method: request.method });
    answer(request, response);
  }));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return keep({
    seen,
    origin: `http://127.0.0.1:${server.address().port}`,
    stop: () => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))),
  });
}

describe('discovery', () => {
  // attack case: CLI-004
  test('issuer_mismatch: metadata of another issuer is thrown away, and nobody is sent anywhere', async () => {
    for (const issuer of ['https://honest.test', (own) => `${own}/`]) {
      const { mcp, as } = await pair({ as: { metadata: (m) => ({ ...m, issuer: typeof issuer === 'string' ? issuer : issuer(m.issuer) }) } });
      const answer = await call(mcp);
      assert.equal(answer.code, 5, answer.stderr);
      assert.match(answer.stderr, /another issuer/);
      assert.equal(home.pages().length, 0);
      assert.ok(!as.seen.some(({ path }) => ['/register', '/token'].includes(path)));
    }
    await control();
  });

  // attack case: CLI-005
  test('places are tried in order, until a document is there', async () => {
    const as = keep(await SmallAs.start({
      bend: (s, request, response) => {
        const { pathname } = new URL(request.url, s.issuer);
        if (pathname === '/.well-known/oauth-authorization-server/t') return response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'), true;
        if (pathname === '/.well-known/openid-configuration/t') return response.writeHead(302, { location: 'http://127.0.0.1:9/evil' }).end(), true;
        if (pathname === '/t/.well-known/openid-configuration') return s.send(response, 200, { ...s.metadata(), issuer: `${s.issuer}/t` }), true;
        if (pathname === '/authorize') {
          const asked = new URL(request.url, s.issuer).searchParams;
          const to = new URL(asked.get('redirect_uri'));
          s.codes.set('c', Object.fromEntries(asked));
          to.search = new URLSearchParams({ code: 'c', state: asked.get('state'), iss: `${s.issuer}/t` });
          return response.writeHead(302, { location: to.href }).end(), true;
        }
        return false;
      },
    }));
    const mcp = keep(await SmallMcp.start({ issuer: `${as.issuer}/t`, accepts: as.accepts }));
    const answer = await call(mcp);
    assert.equal(answer.code, 0, answer.stderr);
    const places = as.seen.map(({ path }) => path).filter((path) => path.includes('.well-known'));
    assert.deepEqual([...new Set(places)], ['/.well-known/oauth-authorization-server/t', '/.well-known/openid-configuration/t', '/t/.well-known/openid-configuration']);
  });

  test('a page that is no http URL is never opened', async () => {
    for (const evil of ['javascript:alert(1)', 'file:///etc/passwd', 'data:text/html,x', 'vscode://evil', '-rf http://127.0.0.1']) {
      const { mcp } = await pair({ as: { metadata: (m) => ({ ...m, authorization_endpoint: evil }) } });
      const answer = await call(mcp);
      assert.equal(answer.code, 5, `${evil}: ${answer.stderr}`);
      assert.equal(home.pages().length, 0, evil);
    }
    await control();
  });

  test('metadata without end, or nested without end, is bounded', async () => {
    for (const body of [`{"resource":"${'x'.repeat(8 << 20)}"}`, '['.repeat(200_000)]) {
      const { mcp } = await pair({
        mcp: {
          bend: (s, request, response) => {
            if (!request.url.startsWith('/.well-known')) return false;
            response.writeHead(200, { 'content-type': 'application/json' }).end(body);
            return true;
          },
        },
      });
      const began = Date.now();
      const answer = await call(mcp);
      assert.notEqual(answer.code, 0);
      assert.ok(Date.now() - began < 10_000);
    }
    await control();
  });

  test('pkce_missing: without S256 nobody signs in', async () => {
    for (const methods of [undefined, [], ['plain']]) {
      const { mcp } = await pair({ as: { metadata: (m) => ({ ...m, code_challenge_methods_supported: methods }) } });
      const answer = await call(mcp);
      assert.equal(answer.code, 5, answer.stderr);
      assert.match(answer.stderr, /S256/);
      assert.equal(home.pages().length, 0);
    }
  });

  test('resource_mismatch: metadata of another origin is refused', async () => {
    const { mcp } = await pair();
    mcp.metadata = () => ({ resource: 'https://honest.test/mcp', authorization_servers: [mcp.issuer] });
    const answer = await call(mcp);
    assert.equal(answer.code, 5, answer.stderr);
    assert.match(answer.stderr, /another resource/);
  });
});

describe('the answer of the browser', () => {
  // attack case: CLI-008
  test('state_wrong: a callback without the right state ends nothing, and the right one still counts', async () => {
    const { mcp, as } = await pair();
    home.visit = async (url) => {
      const to = new URL(new URL(url).searchParams.get('redirect_uri'));
      for (const query of ['code=evil', 'code=evil&state=x', `code=evil&state=x&iss=${as.issuer}`]) {
        const answer = await fetch(`${to}?${query}`);
        await answer.text();
        assert.equal(answer.status, 400, query);
      }
      await followsRedirects(url);
    };
    const answer = await call(mcp);
    assert.equal(answer.code, 0, answer.stderr);
    assert.ok(!as.seen.some(({ form }) => form.get('code') === 'evil'));
  });

  // attack case: CLI-011
  test('iss_wrong: a code of one server never goes to another', async () => {
    const honest = await pair();
    const { mcp, as } = await pair();
    home.visit = async (url) => {
      const asked = new URL(url).searchParams;
      const to = new URL(asked.get('redirect_uri'));
      to.search = new URLSearchParams({ code: 'of-the-other', state: asked.get('state'), iss: honest.as.issuer });
      await (await fetch(to)).text();
    };
    const answer = await call(mcp);
    assert.equal(answer.code, 5, answer.stderr);
    assert.match(answer.stderr, /another authorization server/);
    assert.ok(!as.seen.some(({ path }) => path === '/token'));
    assert.ok(!honest.as.seen.some(({ path }) => path === '/token'));
  });

  test('iss_missing: a server that promises iss must send it', async () => {
    const { mcp, as } = await pair();
    home.visit = async (url) => {
      const asked = new URL(url).searchParams;
      const to = new URL(asked.get('redirect_uri'));
      to.search = new URLSearchParams({ code: 'c', state: asked.get('state') });
      await (await fetch(to)).text();
    };
    const answer = await call(mcp);
    assert.equal(answer.code, 5, answer.stderr);
    assert.match(answer.stderr, /iss/);
    assert.ok(!as.seen.some(({ path }) => path === '/token'));
  });

  // attack case: CLI-010
  test('the page after it says nothing of what came', async () => {
    const { mcp, as } = await pair();
    let page;
    home.visit = async (url) => {
      const asked = new URL(url).searchParams;
      const to = new URL(asked.get('redirect_uri'));
      to.search = new URLSearchParams({ error: '<script>', error_description: '<svg onload=x>', state: asked.get('state'), iss: as.issuer });
      const answer = await fetch(to);
      page = { headers: answer.headers, text: await answer.text() };
    };
    const answer = await call(mcp);
    assert.equal(answer.code, 5);
    assert.doesNotMatch(page.text, /script|svg/);
    assert.equal(page.headers.get('cache-control'), 'no-store');
    assert.equal(page.headers.get('referrer-policy'), 'no-referrer');
    assert.match(page.headers.get('content-security-policy'), /default-src 'none'/);
  });
});

describe('where tokens go', () => {
  // attack case: CLI-014
  test('a redirect of the server is not followed, with or without the token', async () => {
    for (const status of [301, 302, 307, 308]) {
      const evil = await stranger();
      const { mcp } = await pair({
        mcp: {
          bend: (s, request, response) => {
            if (request.url !== '/mcp' || !request.headers.authorization) return false;
            response.writeHead(status, { location: `${evil.origin}/mcp` }).end();
            return true;
          },
        },
      });
      const answer = await call(mcp);
      assert.notEqual(answer.code, 0, String(status));
      assert.deepEqual(evil.seen, [], String(status));
    }
    await control();
  });

  test('a redirect of the token endpoint is not followed with the code', async () => {
    const evil = await stranger();
    const { mcp } = await pair({
      as: {
        bend: (s, request, response) => {
          if (request.url !== '/token') return false;
          response.writeHead(307, { location: `${evil.origin}/token` }).end();
          return true;
        },
      },
    });
    const answer = await call(mcp);
    assert.equal(answer.code, 5, answer.stderr);
    assert.deepEqual(evil.seen, []);
  });

  // attack case: CLI-013
  test('an assertion names the issuer of the metadata that was checked, whoever owns the token endpoint', async () => {
    const { generateKeyPairSync } = await import('node:crypto');
    const { writeFileSync } = await import('node:fs');
    const key = `${home.data}/key.pem`;
    writeFileSync(key, generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    const honest = await pair();
    const { mcp, as } = await pair({ as: { metadata: (m) => ({ ...m, token_endpoint: `${honest.as.issuer}/token`, grant_types_supported: ['client_credentials'], token_endpoint_auth_methods_supported: ['private_key_jwt'] }) } });
    await call(mcp, ['--grant', 'client_credentials', '--client-id', 'me', '--client-key-file', key]);
    const sent = honest.as.seen.find(({ path }) => path === '/token')?.form.get('client_assertion');
    if (!sent) return; // a token endpoint of another origin may be refused as well
    const { aud } = JSON.parse(Buffer.from(sent.split('.')[1], 'base64url'));
    assert.equal(aud, as.issuer);
  });
});

describe('loops', () => {
  // attack case: CLI-017
  test('a server that refuses every fresh token is asked a few times, and the browser opens a few times', async () => {
    const { mcp, as } = await pair({ mcp: { accepts: () => null } });
    const answer = await call(mcp);
    assert.equal(answer.code, 5, answer.stderr);
    assert.match(answer.stderr, /just issued/);
    assert.ok(home.pages().length <= 2, `${home.pages().length} pages`);
    assert.ok(as.seen.filter(({ path }) => path === '/token').length <= 4);
    assert.ok(mcp.seen.filter(({ url }) => url === '/mcp').length <= 8);
  });

  test('a step-up that never ends, ends', async () => {
    let n = 0;
    const { mcp } = await pair({
      mcp: {
        bend: (s, request, response, body) => {
          if (!body.includes('tools/call') || !request.headers.authorization) return false;
          s.send(response, 403, { error: 'insufficient_scope' }, { 'www-authenticate': `Bearer error="insufficient_scope", scope="more:${n++ % 2}"` });
          return true;
        },
      },
    });
    const answer = await call(mcp);
    assert.equal(answer.code, 5, answer.stderr);
    assert.match(answer.stderr, /again and again/);
    assert.ok(home.pages().length <= 4, `${home.pages().length} pages`);
  });

  test('403 without a scope that would help is the end of it', async () => {
    const { mcp } = await pair({
      mcp: {
        bend: (s, request, response, body) => {
          if (!body.includes('tools/call')) return false;
          s.send(response, 403, { error: 'forbidden' });
          return true;
        },
      },
    });
    const answer = await call(mcp);
    assert.equal(answer.code, 5, answer.stderr);
    assert.equal(home.pages().length, 1);
  });
});

describe('scopes', () => {
  // attack case: CLI-018
  test('the challenge counts, else what the metadata lists, else none; a step-up adds', async () => {
    const asked = (as, n = 0) => as.seen.filter(({ path }) => path === '/authorize')[n].form.get('scope');
    const challenge = (scope) => (s, request, response) => {
      if (request.url !== '/mcp' || request.headers.authorization) return false;
      s.send(response, 401, {}, { 'www-authenticate': `Bearer resource_metadata="${s.origin}/.well-known/oauth-protected-resource/mcp"${scope ? `, scope="${scope}"` : ''}` });
      return true;
    };
    const first = await pair({ mcp: { bend: challenge('a b') } });
    await call(first.mcp);
    assert.equal(asked(first.as), 'a b');
    const second = await pair({ mcp: { bend: challenge() } });
    second.mcp.metadata = () => ({ resource: second.mcp.url, authorization_servers: [second.as.issuer], scopes_supported: ['x', 'y', 'offline_access'] });
    await call(second.mcp);
    assert.deepEqual(asked(second.as).split(' ').filter((one) => one !== 'offline_access').sort(), ['x', 'y']);
    const third = await pair({ mcp: { bend: challenge() } });
    third.mcp.metadata = () => ({ resource: third.mcp.url, authorization_servers: [third.as.issuer] });
    await call(third.mcp);
    assert.equal(asked(third.as), null);
    const fourth = await pair({ mcp: { scopes: { '': 'use', echo: 'say' } } });
    const answer = await call(fourth.mcp);
    assert.equal(answer.code, 0, answer.stderr);
    assert.equal(asked(fourth.as), 'use');
    assert.deepEqual(asked(fourth.as, 1).split(' ').sort(), ['say', 'use']);
  });
});

describe('lines for hosts', () => {
  // attack case: CLI-023
  test('what a URL or a name holds cannot become a command, an option or an environment', async () => {
    const evil = 'http://127.0.0.1:1/mcp?x=$(touch%20/tmp/x)&y=;id';
    for (const host of ['claude', 'vscode', 'cursor', 'codex']) {
      const { stdout, code } = await home.run(['connect', evil, '--print-config', host, '--server-name', '../../"],"command":"/bin/sh","x":["']);
      assert.equal(code, 0);
      assert.doesNotMatch(stdout, /"\/bin\/sh"|\.\.\//);
      if (host === 'codex') continue;
      const [rows] = Object.values(JSON.parse(stdout));
      const [row] = Object.values(rows);
      assert.deepEqual(row.args.slice(0, 2), ['connect', evil]);
      assert.equal(row.env, undefined);
    }
    assert.equal((await home.run(['connect', '--server=x'])).code, 2);
    assert.equal((await home.run(['connect', '$(id)'])).code, 2);
    for (const unusable of ['https://user:secret@mcp.example.com/mcp', 'file:///etc/passwd', '$(id)', 'http://127.0.0.1:1/mcp?y=`id`']) {
      const { code, stdout } = await home.run(['connect', unusable, '--print-config', 'claude']);
      assert.equal(code, 2, unusable);
      assert.equal(stdout, '', 'no line for a host that would never run, and no password in one');
    }
  });
});
