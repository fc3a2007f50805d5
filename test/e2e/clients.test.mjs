// Each client of the catalogue as it is met in the field: the registration it sends, the redirect URI
// and the quirks of its requests. Each must end with a token that works.
//
// Rows of the field that are tried elsewhere: 22 (private_key_jwt, as ChatGPT does) in
// client_auth.test.mjs, and 36 (identity assertions) in jwt_bearer.test.mjs.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Browser } from './lib/browser.mjs';
import { Authority, DocumentHost, trusting } from './lib/documents.mjs';
import { authorizeUrl, claims, getNews, pkce, read, redeem, refresh, registerRaw } from './lib/oauth.mjs';
import { ANALYZE, NEWS, ROOT, World } from './lib/world.mjs';

const CATALOGUE = readFileSync(path.join(ROOT, 'share/clients.yaml'), 'utf8');

/** The entries of the catalogue: {id, redirect_uris, …}, as plain as the file is. */
function catalogue() {
  return CATALOGUE.split(/^  - id: /m).slice(1).map((text) => {
    const list = (name) => {
      const block = new RegExp(`^    ${name}:\\n((?:      - .*\\n)+)`, 'm').exec(text)?.[1] ?? '';
      return [...block.matchAll(/^ {6}- (.*)$/gm)].map(([, item]) => item.replace(/^"|"$/g, ''));
    };
    const auth = /^    auth: (\S+)$/m.exec(text)?.[1];
    return { id: text.split('\n')[0], auth, redirect_uris: list('redirect_uris'), text };
  });
}

const both = ['authorization_code', 'refresh_token'];

// registration: the body it sends. asked: the redirect URI of its request, where it is not the first
// of the registration. request: parameters that differ from a tidy request; undefined: left out.
// also: what else it does with its tokens.
const PROFILES = {
  claude: {
    registration: {
      client_name: 'Claude', redirect_uris: ['https://claude.ai/api/mcp/auth_callback'], response_types: ['code'], token_endpoint_auth_method: 'none', scope: NEWS,
      grant_types: [...both, 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
    },
    also: { parallelRefresh: 2 },
  },
  'claude-code': {
    registration: { client_name: 'Claude Code', redirect_uris: ['http://localhost:51111/callback'], grant_types: both, response_types: ['code'], token_endpoint_auth_method: 'none' },
    asked: 'http://localhost:52222/callback',
    request: (w) => ({ scope: undefined, resource: new URL(w.mcp).origin }),
    also: { parallelRefresh: 5 },
  },
  chatgpt: {
    registration: {
      client_name: 'ChatGPT', redirect_uris: ['https://chatgpt.com/connector/oauth/abc123'], grant_types: both, response_types: ['code'], token_endpoint_auth_method: 'client_secret_post',
    },
    also: { iss: true },
  },
  codex: {
    registration: { client_name: 'Codex', redirect_uris: ['http://127.0.0.1:1455/callback/a1b2c3'], grant_types: both, response_types: ['code'], token_endpoint_auth_method: 'none' },
    asked: 'http://127.0.0.1:41555/callback/a1b2c3',
    also: { parallelRefresh: 2 },
  },
  cursor: {
    registration: {
      client_name: 'Cursor', application_type: 'web', token_endpoint_auth_method: 'none', grant_types: both, response_types: ['code'],
      redirect_uris: ['cursor://anysphere.cursor-mcp/oauth/callback', 'https://www.cursor.com/agents/mcp/oauth/callback', 'http://localhost:8787/callback'],
    },
    request: () => ({ state: undefined }),
    also: { registered: (body) => assert.equal(body.application_type, 'native') },
  },
  vscode: {
    registration: {
      client_name: 'Visual Studio Code', client_uri: 'https://code.visualstudio.com', grant_types: [...both, 'urn:ietf:params:oauth:grant-type:device_code'], response_types: ['code'],
      redirect_uris: ['https://insiders.vscode.dev/redirect', 'https://vscode.dev/redirect', 'http://127.0.0.1/', 'http://127.0.0.1:33418/'], token_endpoint_auth_method: 'none', application_type: 'native',
    },
    asked: 'http://127.0.0.1:55881/',
    request: (w) => ({ resource: `${w.mcp}/` }),
  },
  inspector: {
    registration: {
      client_name: 'MCP Inspector', client_uri: 'https://github.com/modelcontextprotocol/inspector', redirect_uris: ['http://localhost:6274/oauth/callback'], grant_types: both,
      response_types: ['code'], token_endpoint_auth_method: 'none', scope: '',
    },
    also: { origin: 'http://localhost:6274' },
  },
  'mcp-remote': {
    registration: {
      client_name: 'MCP CLI Proxy', client_uri: 'https://github.com/modelcontextprotocol/mcp-cli', redirect_uris: ['http://localhost:3334/oauth/callback'], grant_types: both, response_types: ['code'],
      token_endpoint_auth_method: 'none', software_id: '2e6dc280-f3c3-4e01-99a7-8181dbd1d23d', software_version: '0.1.29',
    },
    asked: 'http://127.0.0.1:4044/oauth/callback',
    request: () => ({ scope: 'openid email profile' }),
    also: { parallelRefresh: 2 },
  },
  'gemini-cli': {
    registration: {
      client_name: 'Gemini CLI MCP Client', redirect_uris: ['http://localhost:7777/oauth/callback'], grant_types: both, response_types: ['code'], token_endpoint_auth_method: 'none',
      code_challenge_method: ['S256'], scope: '',
    },
    request: () => ({ scope: undefined }),
  },
  opencode: {
    registration: { client_name: 'OpenCode', client_uri: 'https://opencode.ai', redirect_uris: ['http://127.0.0.1:19876/mcp/oauth/callback'], grant_types: both, response_types: ['code'], token_endpoint_auth_method: 'none' },
  },
  'copilot-cli': {
    registration: { client_name: 'GitHub Copilot CLI', redirect_uris: ['http://127.0.0.1/'], grant_types: both, response_types: ['code'], token_endpoint_auth_method: 'none', resource: 'x' },
    asked: 'http://127.0.0.1:60123',
    request: () => ({ scope: `${NEWS} offline_access` }),
  },
  perplexity: {
    registration: {
      client_name: 'Perplexity', redirect_uris: ['https://www.perplexity.ai/rest/connections/oauth_callback'], grant_types: both, response_types: ['code'], token_endpoint_auth_method: 'client_secret_post',
      logo_uri: '', tos_uri: null,
    },
  },
  n8n: {
    registration: { client_name: 'n8n', client_uri: 'https://n8n.io', redirect_uris: ['https://oauth.n8n.cloud/oauth2/callback'], grant_types: both, response_types: ['code'] },
    request: () => ({ scope: `${NEWS} ${ANALYZE}` }),
  },
};

let w;
before(async () => (w = await World.start()));
after(() => w?.stop());

/** Authorizes as the client does: what the profile leaves out is left out. */
async function walk(client, profile) {
  const proof = pkce();
  const parameters = {
    response_type: 'code', client_id: client.client_id, redirect_uri: profile.asked ?? client.redirect_uris[0], code_challenge: proof.challenge, code_challenge_method: 'S256',
    scope: NEWS, state: 's-123', resource: w.mcp, ...profile.request?.(w),
  };
  const left = await new Browser(w.base).authorize(authorizeUrl(w, parameters), { user: 'alice', password: w.users.alice, approve: true });
  return { left, code: left.searchParams.get('code'), verifier: proof.verifier, parameters };
}

async function refreshAll(client, refreshToken, times) {
  const answers = await Promise.all(Array.from({ length: times }, () => refresh(w, client, refreshToken)));
  for (const answer of answers) {
    assert.equal(answer.status, 200, answer.text);
    assert.equal((await getNews(w, answer.body.access_token)).status, 200);
    assert.equal((await refresh(w, client, answer.body.refresh_token)).status, 200);
  }
}

for (const [id, profile] of Object.entries(PROFILES)) {
  test(`the client ${id} ends with a working token`, async () => {
    const origin = profile.also?.origin;
    const answer = await registerRaw(w, profile.registration, origin ? { origin } : {});
    assert.equal(answer.status, 201, answer.text);
    const client = answer.body;
    if (origin) assert.equal(answer.headers.get('access-control-allow-origin'), '*');
    profile.also?.registered?.(client);
    assert.equal(Boolean(client.client_secret), (profile.registration.token_endpoint_auth_method ?? 'client_secret_basic') !== 'none');
    const granted = await walk(client, profile);
    assert.ok(granted.code, `${granted.left}`);
    assert.ok(granted.left.href.startsWith(granted.parameters.redirect_uri), granted.left.href);
    assert.equal(granted.left.searchParams.get('state'), granted.parameters.state ?? null);
    assert.equal(granted.left.searchParams.get('iss'), w.issuer);
    const tokens = await redeem(w, client, granted, { resource: granted.parameters.resource }, origin ? { headers: { origin } } : {});
    assert.equal(tokens.status, 200, tokens.text);
    assert.equal(claims(tokens.body.access_token).aud, w.mcp);
    assert.equal((await getNews(w, tokens.body.access_token)).status, 200);
    await refreshAll(client, tokens.body.refresh_token, profile.also?.parallelRefresh ?? 1);
  });
}

test('every client of the catalogue is replayed, with callbacks that the catalogue has', () => {
  const known = catalogue();
  assert.deepEqual(known.map((one) => one.id).sort(), Object.keys(PROFILES).sort());
  const plain = (uri) => uri.replace(/^http:\/\/(127\.0\.0\.1|\[::1\]|localhost)(:\d+)?/, 'http://loopback');
  for (const one of known) {
    const patterns = one.redirect_uris.map((uri) => new RegExp(`^${plain(uri).replace(/[.?+^$()[\]{}|\\]/g, '\\$&').replaceAll('*', '[^/]+')}$`));
    for (const uri of PROFILES[one.id].registration.redirect_uris) {
      assert.ok(patterns.some((pattern) => pattern.test(plain(uri))), `${one.id}: ${uri} is not in the catalogue`);
    }
  }
});

test('pain row 10: registering again and again leaves no row; the first consent does, and the id stays good over a restart', async () => {
  const rows = async () => (await w.cli(['admin', 'client', 'list'])).stdout.split('\n').filter(Boolean).length;
  const before = await rows();
  const answers = [];
  for (let i = 0; i < 58; i++) answers.push(await registerRaw(w, PROFILES.claude.registration));
  assert.equal(new Set(answers.map((one) => one.body.client_id)).size, 58);
  assert.ok(answers.every((one) => !one.body.client_id.startsWith('https://') && one.body.client_id.length < 512));
  assert.equal(await rows(), before);
  await w.restart();
  const client = answers[7].body;
  const granted = await walk(client, PROFILES.claude);
  assert.equal(await rows(), before + 1);
  const tokens = await redeem(w, client, granted);
  assert.equal(tokens.status, 200, tokens.text);
  assert.equal((await getNews(w, tokens.body.access_token)).status, 200);
});

test('pain row 11: one client that registers too often is 429, and the callbacks of a hosted one have their own bucket', async () => {
  const limited = await World.start({ env: { WARDER_REGISTRATION_PER_MINUTE: '3' }, sample: false });
  try {
    const flood = [];
    for (let i = 0; i < 6; i++) flood.push(await registerRaw(limited, { ...PROFILES.opencode.registration }));
    assert.deepEqual(flood.map((one) => one.status), [201, 201, 201, 429, 429, 429]);
    assert.ok(Number(flood[3].headers.get('retry-after')) >= 1);
    assert.equal((await registerRaw(limited, PROFILES.vscode.registration)).status, 201, 'another software at the same address');
    for (let i = 0; i < 30; i++) assert.equal((await registerRaw(limited, PROFILES.claude.registration)).status, 201, `Claude ${i}`);
  } finally {
    await limited.stop();
  }
});

test('pain row 25: grants that nobody offers are left out of what is registered', async () => {
  const answer = await registerRaw(w, PROFILES.claude.registration);
  assert.deepEqual(answer.body.grant_types, both);
});

test('pain row 34: the endpoints a client guesses at the origin are the real ones', async () => {
  const { base } = w;
  const client = (await registerRaw({ base, metadata: { registration_endpoint: `${base}/register` } }, PROFILES.opencode.registration)).body;
  assert.ok(client.client_id);
  const guessed = { ...w, base, users: w.users, metadata: { authorization_endpoint: `${base}/authorize`, token_endpoint: `${base}/token` } };
  const proof = pkce();
  const url = authorizeUrl(guessed, {
    response_type: 'code', client_id: client.client_id, redirect_uri: client.redirect_uris[0], code_challenge: proof.challenge, code_challenge_method: 'S256', resource: w.mcp,
  });
  const left = await new Browser(base).authorize(url, { user: 'alice', password: w.users.alice, approve: true });
  const answer = await read(await fetch(`${base}/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'authorization_code', code: left.searchParams.get('code'), code_verifier: proof.verifier, client_id: client.client_id, redirect_uri: client.redirect_uris[0] }),
  }));
  assert.equal(answer.status, 200, answer.text);
});

test('pain row 35: a client id from a person works without any registration', async () => {
  const added = await w.addClient(['--name', 'Claude Code', '--public', '--redirect-uri', 'http://localhost/callback']);
  const client = { client_id: added.client_id, redirect_uris: ['http://localhost:61234/callback'], token_endpoint_auth_method: 'none' };
  const granted = await walk(client, {});
  const tokens = await redeem(w, client, granted);
  assert.equal(tokens.status, 200, tokens.text);
  assert.equal((await getNews(w, tokens.body.access_token)).status, 200);
});

describe('clients whose document lists another loopback path than they ask for', () => {
  let authority;
  let host;
  let folder;
  let server;
  before(async () => {
    authority = new Authority();
    host = await DocumentHost.start(authority);
    folder = mkdtempSync(path.join(os.tmpdir(), 'warder-clients-'));
    const file = path.join(folder, 'clients.yaml');
    const entry = (id, where) => `  - id: ${id}\n    name: ${id}\n    documents: ["${host.url}${where}"]\n    redirect_uris: ["http://127.0.0.1/callback"]\n    lenient_loopback: true\n`;
    writeFileSync(file, `clients:\n${entry('opencode', '/opencode/client.json')}${entry('codex', '/codex/client.json')}`);
    server = await World.start({ env: { ...trusting(authority, host), WARDER_CLIENT_CATALOGUE: file } });
  });
  after(async () => {
    await server?.stop();
    await host?.stop();
    authority?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const ask = async (client, redirect_uri) => {
    const proof = pkce();
    const url = authorizeUrl(server, {
      response_type: 'code', client_id: client.client_id, redirect_uri, code_challenge: proof.challenge, code_challenge_method: 'S256', resource: server.mcp, state: 's',
    });
    return { url, proof };
  };
  const works = async (client, redirect_uri) => {
    const { url, proof } = await ask(client, redirect_uri);
    const left = await new Browser(server.base).authorize(url, { user: 'alice', password: server.users.alice, approve: true });
    assert.ok(left.href.startsWith(redirect_uri), left.href);
    const tokens = await redeem(server, client, { code: left.searchParams.get('code'), verifier: proof.verifier, parameters: { redirect_uri } });
    assert.equal(tokens.status, 200, tokens.text);
    assert.equal((await getNews(server, tokens.body.access_token)).status, 200);
  };

  test('pain row 16: opencode asks for /mcp/oauth/callback, and the catalogue lets it', async () => {
    const client = host.publish('/opencode/client.json', { client_name: 'OpenCode', redirect_uris: ['http://127.0.0.1/callback'] });
    await works(client, 'http://127.0.0.1:19876/mcp/oauth/callback');
  });

  test('pain row 17: Codex appends an id to its callback, and the catalogue lets it', async () => {
    const client = host.publish('/codex/client.json', { client_name: 'Codex', redirect_uris: ['http://127.0.0.1/callback'] });
    await works(client, 'http://127.0.0.1:1455/callback/a1b2c3');
  });

  test('pain row 16: any other client is refused, by a page that names both paths', async () => {
    const client = host.publish('/stranger/client.json', { redirect_uris: ['http://127.0.0.1/callback'] });
    const { url } = await ask(client, 'http://127.0.0.1:19876/mcp/oauth/callback');
    const page = await new Browser(server.base).request('GET', url);
    assert.equal(page.status, 400);
    assert.equal(page.headers.get('location'), null);
    assert.ok(page.text.includes('/mcp/oauth/callback') && page.text.includes('127.0.0.1/callback'), page.text.slice(0, 2000));
    await works(client, 'http://127.0.0.1:19876/callback');
  });

  test('pain row 16: leniency ends at loopback', async () => {
    const client = host.publish('/opencode/client.json', { redirect_uris: ['http://127.0.0.1/callback', 'https://c.test/cb'] });
    for (const uri of ['https://c.test/other', 'http://192.0.2.1/callback', 'http://localhost.evil.test/callback']) {
      const { url } = await ask(client, uri);
      assert.equal((await new Browser(server.base).request('GET', url)).status, 400, uri);
    }
  });
});

describe('a public server', () => {
  const PUBLIC = { WARDER_PUBLIC_URL: 'https://auth.example.com', WARDER_REGISTRATION: 'open' };
  const cursor = PROFILES.cursor.registration;

  test('takes private-use schemes where the operator says so, and says no otherwise', async () => {
    const strict = await World.start({ env: PUBLIC, sample: false, users: [] });
    try {
      const answer = await registerRaw(strict, cursor);
      assert.equal(answer.status, 201, 'the other callbacks are registered');
      assert.deepEqual(answer.body.redirect_uris, cursor.redirect_uris.slice(1));
      const alone = await registerRaw(strict, { ...cursor, redirect_uris: cursor.redirect_uris.slice(0, 1) });
      assert.equal(alone.status, 400);
      assert.equal(alone.body.error, 'invalid_redirect_uri');
      assert.match(alone.body.error_description, /redirect_profile/);
    } finally {
      await strict.stop();
    }
    const desktop = await World.start({ env: { ...PUBLIC, WARDER_REDIRECT_PROFILE: 'desktop' }, sample: false, users: [] });
    try {
      assert.deepEqual((await registerRaw(desktop, cursor)).body.redirect_uris, cursor.redirect_uris);
      const other = await registerRaw(desktop, { ...cursor, redirect_uris: ['other://app/cb'] });
      assert.equal(other.status, 400);
    } finally {
      await desktop.stop();
    }
  });

  test('asks for a registration token unless it is open', async () => {
    const closed = await World.start({ env: { WARDER_PUBLIC_URL: PUBLIC.WARDER_PUBLIC_URL }, sample: false, users: [] });
    try {
      const answer = await registerRaw(closed, cursor);
      assert.equal(answer.status, 401);
      assert.equal(answer.headers.get('www-authenticate'), 'Bearer');
    } finally {
      await closed.stop();
    }
  });
});
