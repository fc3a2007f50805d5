// warder doctor: before servers that are broken in one way each, and before sound ones.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { FAULTS, startBroken, startTls } from './lib/broken.mjs';
import { ClientHome, approves, followsRedirects } from './lib/client_home.mjs';
import { Gateway } from './lib/gateway.mjs';
import { startKit } from './lib/kit.mjs';
import { PeopleProvider, visits } from './lib/people_provider.mjs';
import { SmallAs } from './lib/small_as.mjs';
import { SmallMcp, jwtScope } from './lib/small_mcp.mjs';
import { BUILD, World, run } from './lib/world.mjs';

const folder = mkdtempSync(path.join(os.tmpdir(), 'warder-doctor-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const WARDER = path.join(BUILD, 'warder');
const doctor = (url, ...args) => run(WARDER, ['doctor', url, ...args]);

/** The report as JSON; `code` is what must come out. */
async function examine(url, code, ...args) {
  const answer = await doctor(url, '--json', ...args);
  assert.equal(answer.code, code, `${answer.stderr}\n${answer.stdout}`);
  return JSON.parse(answer.stdout);
}

const ids = (report) => report.findings.map((finding) => finding.id);
const faults = (report) => report.findings.filter((finding) => finding.grade === 'fault').map((finding) => finding.id);

test('there are at least 25 broken set-ups', () => assert.ok(Object.keys(FAULTS).length >= 25));

describe('broken', { concurrency: 8 }, () => {
  for (const name of Object.keys(FAULTS)) {
    const [, id, mend] = FAULTS[name];
    test(name, async () => {
      const server = await startBroken(name);
      try {
        const answer = await doctor(server.url, '--json');
        const report = JSON.parse(answer.stdout);
        const found = report.findings.find((finding) => finding.id === id);
        assert.ok(found, `${id} is not among ${ids(report)}`);
        assert.match(found.mend, mend);
        assert.ok(found.seen && found.rule && found.sentence, JSON.stringify(found));
        assert.equal(answer.code, faults(report).length ? 4 : 0);
        assert.ok(!answer.stdout.includes('CANARY'));
        for (const client of report.clients) {
          if (client.verdict === 'fails') assert.ok(client.check, `${client.name} fails without a reason: ${JSON.stringify(client)}`);
        }
      } finally {
        await server.stop();
      }
    });
  }
});

for (const [kind, id] of [['expired', 'certificate_expired'], ['name', 'certificate_name']]) {
  test(`broken: certificate, ${kind}`, async () => {
    const server = await startTls(kind);
    const report = await examine(server.url, 1, '--ca-file', server.ca);
    assert.deepEqual(ids(report), [id]);
    await server.stop();
  });
}

test('broken: certificate of an authority that nobody knows; with its file it is sound', async () => {
  const server = await startTls('sound');
  const report = await examine(server.url, 1);
  assert.deepEqual(ids(report), ['certificate_untrusted']);
  assert.match(report.findings[0].mend, /--ca-file/);
  assert.deepEqual(ids(await examine(server.url, 0, '--ca-file', server.ca)), []);
  await server.stop();
});

test('broken: nobody answers', async () => {
  const report = await examine('http://127.0.0.1:1/mcp', 1);
  assert.deepEqual(ids(report), ['unreachable']);
  assert.equal(report.reached, false);
});

test('a sound server is clean, for every client that can reach it', async () => {
  const server = await startBroken();
  const report = await examine(server.url, 0);
  assert.deepEqual(ids(report), []);
  assert.equal(report.grade, 'fine');
  assert.ok(report.requests > 20 && report.requests <= report.budget);
  for (const client of report.clients) {
    const hosted = ['claude', 'chatgpt'].includes(client.name);
    assert.equal(client.verdict, hosted ? 'cannot_reach' : 'connects', client.name);
  }
  await server.stop();
});

test('the budget is kept, and what it left out is said', async () => {
  const server = await startBroken();
  const report = await examine(server.url, 0, '--budget', '5');
  assert.equal(report.requests, 5);
  assert.ok(report.beyond_budget.length > 0);
  const { stdout } = await doctor(server.url, '--budget', '5');
  assert.match(stdout, /not looked at, as the budget was used up/);
  await server.stop();
});

test('one client alone, and a page that holds nothing live', async () => {
  const server = await startBroken('slash in resource');
  const file = path.join(folder, 'report.html');
  writeFileSync(file, 'an older page', { mode: 0o644 });
  const report = await examine(server.url, 4, '--client', 'vscode', '--html', file);
  assert.deepEqual(report.clients.map((c) => [c.name, c.verdict, c.check]), [['vscode', 'fails', 'resource_slash']]);
  const html = readFileSync(file, 'utf8');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.match(html, /resource_slash/);
  assert.doesNotMatch(html, /<script|src=|href=|url\(/i);
  assert.equal((await doctor(server.url, '--client', 'nobody')).code, 2);
  await server.stop();
});

test('text names the fault, the rule, the mend, and who fails', async () => {
  const server = await startBroken('slash in resource');
  const { stdout, code } = await doctor(server.url);
  assert.equal(code, 4);
  for (const part of [/^fault/m, /resource_slash/, /rule +RFC 9728 section 3\.3/, /mend +/, /fails +.*Visual Studio Code/, /1 fault/]) assert.match(stdout, part);
  await server.stop();
});

test('a URL that is none is refused as such', async () => {
  for (const url of ['mcp.example/mcp', 'ftp://mcp.example/', 'https://user:pass@mcp.example/mcp']) {
    assert.equal((await doctor(url)).code, 2, url);
  }
});

test("Warder's sample is clean", async () => {
  const w = await World.start();
  try {
    const report = await examine(w.mcp, 0);
    assert.deepEqual(ids(report), ['slash_is_another'], 'a note: the sample has its endpoint at one URL');
    assert.equal(report.grade, 'note');
  } finally {
    await w.stop();
  }
});

test("Warder's gateway is clean", async () => {
  const w = await Gateway.start();
  try {
    const report = await examine(w.mcp, 0);
    assert.deepEqual(ids(report), []);
  } finally {
    await w.stop();
  }
});

test('a server of the kit without authorization is open, and nothing else is wrong', async () => {
  const kit = await startKit();
  try {
    const report = await examine(`${kit.url.replace(/\/mcp$/, '')}/mcp`, 0);
    assert.deepEqual(faults(report), []);
    assert.ok(ids(report).includes('open_to_all'), String(ids(report)));
  } finally {
    await kit.stop();
  }
});

/** A report with a sign-in; whatever the servers gave as secrets is not in it. */
async function examineSigned(url, visit, code, secrets = () => []) {
  const home = new ClientHome({ visit });
  try {
    const answer = await home.run(['doctor', url, '--sign-in', '--interactive', '--json']);
    assert.equal(answer.code, code, `${answer.stderr}\n${answer.stdout}`);
    const pages = home.visited.flatMap((page) => ['state', 'code_challenge'].map((name) => new URL(page).searchParams.get(name)));
    for (const secret of [...secrets(), ...pages]) assert.ok(!secret || !answer.stdout.includes(secret), 'no secret in a report');
    assert.ok(!answer.stdout.includes('Bearer '), 'no header with a token');
    return { report: answer.json, visited: home.visited };
  } finally {
    home.remove();
  }
}

test("Warder's sample is clean with a sign-in, too, and all that a token does was looked at", async () => {
  const w = await World.start();
  try {
    const { report, visited } = await examineSigned(w.mcp, approves(w), 0);
    assert.equal(report.signed_in, true);
    assert.deepEqual(ids(report), ['slash_is_another']);
    assert.equal(visited.length, 1, 'one page, and none for the refresh');
    const token = ['token_refused', 'token_audience', 'token_issuer', 'token_lives_long', 'refresh_failed', 'tools_unlisted', 'port_compared'];
    for (const id of token) assert.ok(!report.not_looked_at.includes(id), `${id} was looked at`);
    const events = w.audit().map((event) => event.event);
    assert.ok(events.some((event) => /revoke/.test(event)), `the grant was taken back: ${events}`);
  } finally {
    await w.stop();
  }
});

const jwt = (claims) => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;
const isRefresh = (form) => form.get('grant_type') === 'refresh_token';
const isCode = (form) => form.get('grant_type') === 'authorization_code';

// What is broken, how the authorization server bends, and the check that must find it.
const SIGN_IN_FAULTS = {
  'port compared exactly': [(as, request, response, form) => {
    if (!request.url.startsWith('/authorize') || !form.get('redirect_uri')) return false;
    as.port ??= new URL(form.get('redirect_uri')).port;
    if (as.port === new URL(form.get('redirect_uri')).port) return false;
    as.send(response, 400, { error: 'invalid_request' });
    return true;
  }, 'port_compared', /port/],
  'iss promised, and not sent': [(as, request, response, form) => {
    if (!request.url.startsWith('/authorize') || !form.get('state')) return false;
    const to = new URL(form.get('redirect_uri') ?? as.issuer);
    to.search = new URLSearchParams({ code: 'a-code-of-nothing', state: form.get('state') });
    response.writeHead(302, { location: to.href }).end();
    return true;
  }, 'sign_in_failed', /seen/],
  'refresh token does not work': [(as, request, response, form) => isRefresh(form) && (as.send(response, 400, { error: 'invalid_grant' }), true), 'refresh_failed', /client and the resource/],
  'no refresh token': [(as, request, response, form) => {
    if (!isCode(form) || !as.codes.has(form.get('code'))) return false;
    const { refresh_token: _, ...answer } = as.issue(as.codes.get(form.get('code')));
    as.send(response, 200, answer);
    return true;
  }, 'refresh_none', /refresh_token/],
  'token for another resource': [(as, request, response, form) => {
    if (!isCode(form) || !as.codes.has(form.get('code'))) return false;
    const access_token = jwt({ iss: as.issuer, aud: 'https://other.example/', exp: 4e9 });
    as.tokens.set(access_token, 'use');
    as.send(response, 200, { access_token, token_type: 'Bearer', expires_in: 3600 });
    return true;
  }, 'token_audience', /aud/],
  'token of another issuer, for a month': [(as, request, response, form) => {
    if (!isCode(form) || !as.codes.has(form.get('code'))) return false;
    const access_token = jwt({ iss: `${as.issuer}/`, aud: form.get('resource'), exp: 4e9 });
    as.tokens.set(access_token, 'use');
    as.send(response, 200, { access_token, token_type: 'Bearer', expires_in: 2_592_000 });
    return true;
  }, 'token_issuer', /iss/],
};

/** Preflights, and who comes without a registration, are refused. */
const sound = (as, request, response, form) => {
  if (request.method === 'OPTIONS' || `${request.method} ${request.url}` === 'GET /register') return as.send(response, 405, {}), true;
  if (!(form.get('client_id') ?? '').startsWith('warder-doctor')) return false;
  return as.send(response, 401, { error: 'invalid_client' }), true;
};

// The small server asks preflights for a token, which is a fault of its own: the code is 4 each time.
describe('broken, as a sign-in shows', { concurrency: 4 }, () => {
  for (const name of Object.keys(SIGN_IN_FAULTS)) {
    const [bend, id, mend] = SIGN_IN_FAULTS[name];
    test(name, async () => {
      const as = await SmallAs.start({ bend: (...args) => sound(...args) || bend(...args) });
      const mcp = await SmallMcp.start({ issuer: as.issuer, accepts: as.accepts });
      try {
        const given = () => [...as.tokens.keys(), ...as.refreshes.keys()];
        const { report } = await examineSigned(mcp.url, followsRedirects, 4, given);
        const found = report.findings.find((finding) => finding.id === id);
        assert.ok(found, `${id} is not among ${ids(report)}`);
        assert.match(found.mend, mend);
      } finally {
        await mcp.stop();
        await as.stop();
      }
    });
  }

  test('the endpoint refuses the token that was issued for it', async () => {
    const as = await SmallAs.start({ bend: sound });
    const mcp = await SmallMcp.start({ issuer: as.issuer, accepts: () => null });
    const { report } = await examineSigned(mcp.url, followsRedirects, 4, () => [...as.tokens.keys(), ...as.refreshes.keys()]);
    assert.ok(ids(report).includes('token_refused'), String(ids(report)));
    await mcp.stop();
    await as.stop();
  });

  test('the control: nothing of it at a sound one, and tokens go to the endpoint alone', async () => {
    const as = await SmallAs.start({ bend: sound });
    const mcp = await SmallMcp.start({ issuer: as.issuer, accepts: as.accepts });
    const { report } = await examineSigned(mcp.url, followsRedirects, 4, () => [...as.tokens.keys(), ...as.refreshes.keys()]);
    assert.deepEqual(report.findings.filter((finding) => finding.phase === 'token'), []);
    for (const seen of as.seen) assert.ok(!/^(Bearer|DPoP)/i.test(seen.headers.authorization ?? ''), 'no token at the authorization server');
    for (const seen of mcp.seen) assert.ok(!as.tokens.has(new URL(seen.url, mcp.origin).searchParams.get('access_token')));
    await mcp.stop();
    await as.stop();
  });
});

test('oidc-provider: no fault is told of it, and its token stands all checks', async () => {
  const provider = await PeopleProvider.start('use');
  const mcp = await SmallMcp.start({ issuer: provider.issuer, accepts: jwtScope(() => mcp.url) });
  try {
    const { report } = await examineSigned(mcp.url, visits(provider.issuer), 4);
    assert.deepEqual(faults(report), ['preflight_wants_token'], 'of the small server in front of it');
    assert.deepEqual(report.findings.filter((finding) => finding.phase === 'token'), []);
    assert.equal(report.signed_in, true);
  } finally {
    await mcp.stop();
    await provider.stop();
  }
});
