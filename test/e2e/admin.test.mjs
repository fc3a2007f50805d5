// The administration commands beside a running server: what they change shows at once, what they
// refuse they refuse in one line.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { assertTokenError, control } from './lib/attack.mjs';
import { claims, jose, machineToken, newBrowser, refresh, register, registerRaw, signIn } from './lib/oauth.mjs';
import { ANALYZE, BUILD, NEWS, World, run, sleep } from './lib/world.mjs';

const DONE = 0;
const USAGE = 2;
const SETTING = 3;
const REFUSED = 4;
const SEEN_MS = 20_000; // by far: another process's change shows within STORE_GENERATION_MS, and a reload

let w;
before(async () => (w = await World.start({ sample: false })));
after(() => w?.stop());

/** The command is refused with `code` and one line that matches. */
async function refused(words, code, says, input) {
  const answer = await w.cli(words, { input, code });
  assert.match(answer.stderr, /^warder: [^\n]+\n$/, `${words.join(' ')}: one line`);
  assert.match(answer.stderr, says, words.join(' '));
  assert.equal(answer.stdout, '');
}

/** Waits until fn answers true. */
async function soon(fn, what) {
  for (const end = Date.now() + SEEN_MS; Date.now() < end; await sleep(25)) if (await fn()) return;
  assert.fail(`${what} does not show`);
}

const jwks = async () => (await (await fetch(`${w.base}${new URL(w.metadata.jwks_uri).pathname}`)).json()).keys;
const kids = async () => (await jwks()).map((key) => key.kid);

/** What `change` appends to the trail. */
async function events(change) {
  const before = w.audit().length;
  await change();
  return w.audit().slice(before);
}

test('an account is added, signs in, changes its password, and is disabled', async () => {
  const client = await register(w);
  const added = await events(() => w.addUser('dora'));
  assert.equal(added.length, 1, JSON.stringify(added));
  const first = await signIn(w, client, {}, { user: 'dora' });
  const { stdout } = await w.cli(['admin', 'user', 'list']);
  const line = stdout.split('\n').find((row) => / dora\b/.test(row));
  assert.equal(line.split(/\s+/)[0], claims(first.access_token).sub, 'the list names the subject');

  const next = 'an entirely new passphrase';
  const changed = await events(() => w.cli(['admin', 'user', 'password', 'dora', '--password-stdin'], { input: `${next}\n` }));
  assert.equal(changed.length, 1);
  assertTokenError(await refresh(w, client, first.refresh_token), 'invalid_grant');
  w.users.dora = next;
  const second = await signIn(w, client, {}, { user: 'dora', browser: await newBrowser(w) });
  assert.equal(claims(second.access_token).sub, claims(first.access_token).sub);

  await w.cli(['admin', 'user', 'disable', 'dora']);
  assertTokenError(await refresh(w, client, second.refresh_token), 'invalid_grant');
  await assert.rejects(signIn(w, client, {}, { user: 'dora', browser: await newBrowser(w) }));
  assert.match((await w.cli(['admin', 'user', 'list'])).stdout, / dora {2}disabled\n/);
  assert.ok(!w.auditText().includes(next));
  await control(w, client);
});

test('accounts that cannot be are refused', async () => {
  const secret = 'correct horse battery staple\n';
  await refused(['admin', 'user', 'add', 'alice', '--password-stdin'], REFUSED, /exists/, secret);
  await refused(['admin', 'user', 'add', 'a/b', '--password-stdin'], REFUSED, /user name/, secret);
  await refused(['admin', 'user', 'add', 'erin', '--password-stdin'], REFUSED, /password|characters/i, 'short\n');
  await refused(['admin', 'user', 'add', 'erin', '--password-stdin'], USAGE, /password/, '');
  await refused(['admin', 'user', 'add', 'erin'], USAGE, /--password-stdin/);
  await refused(['admin', 'user', 'disable', 'nobody'], REFUSED, /nobody/);
  const leaked = await w.cli(['admin', 'user', 'add', 'erin', 'hunter2hunter2'], { code: USAGE });
  assert.ok(!leaked.stderr.includes('hunter2'), 'what may be a password is not echoed');
});

test('a machine client is added, gets tokens within its scope, and is deleted', async () => {
  let machine;
  const added = await events(async () => (machine = await w.machineClient(NEWS)));
  assert.equal(added.length, 1);
  assert.ok(!JSON.stringify(added).includes(machine.client_secret));
  assert.deepEqual(machine.grant_types, ['client_credentials']);
  assert.equal(machine.token_endpoint_auth_method, 'client_secret_basic');
  assert.equal(machine.client_name, 'Machine');
  assert.equal(machine.scope, NEWS);
  const issued = await machineToken(w, machine);
  assert.equal(issued.status, 200, issued.text);
  assert.equal(issued.body.scope, NEWS);
  const more = await machineToken(w, machine, { scope: `${NEWS} ${ANALYZE}` });
  assert.ok(!JSON.stringify(more.body).includes(ANALYZE), 'the scope is a bound');
  const listed = (await w.cli(['admin', 'client', 'list'])).stdout;
  assert.match(listed, new RegExp(`^${machine.client_id} `, 'm'));
  assert.ok(!listed.includes(machine.client_secret));
  await w.cli(['admin', 'client', 'delete', machine.client_id]);
  assertTokenError(await machineToken(w, machine), 'invalid_client');
  await refused(['admin', 'client', 'delete', machine.client_id], REFUSED, /no such client/);
});

test('a client for people signs them in', async () => {
  const client = await w.addClient(['--name', 'Ledger', '--redirect-uri', 'https://ledger.example/cb', '--auth', 'post']);
  assert.deepEqual(client.redirect_uris, ['https://ledger.example/cb']);
  assert.equal(client.token_endpoint_auth_method, 'client_secret_post');
  assert.ok((await signIn(w, client)).refresh_token);
  const open = await w.addClient(['--name', 'Tool', '--redirect-uri', 'http://127.0.0.1/cb', '--public']);
  assert.equal(open.client_secret, undefined);
  assert.equal(open.token_endpoint_auth_method, 'none');
  assert.ok((await signIn(w, open, { redirect_uri: 'http://127.0.0.1:4711/cb' })).access_token);
});

test('clients that cannot be are refused', async () => {
  const add = ['admin', 'client', 'add', '--name', 'X'];
  await refused(add, USAGE, /--redirect-uri/);
  await refused([...add, '--redirect-uri', 'http://evil.example/cb'], REFUSED, /127\.0\.0\.1/);
  await refused([...add, '--redirect-uri', 'javascript:alert(1)'], REFUSED, /scheme/);
  await refused([...add, '--grant', 'client_credentials'], USAGE, /--scope/);
  await refused([...add, '--grant', 'client_credentials', '--scope', 'a"b'], REFUSED, /--scope/);
  await refused([...add, '--grant', 'client_credentials', '--scope', NEWS, '--public'], USAGE, /secret/);
  await refused([...add, '--grant', 'password'], USAGE, /'password'/);
});

test('a scope that no resource has yet is a warning', async () => {
  const { stdout, stderr } = await w.cli(['admin', 'client', 'add', '--name', 'Early', '--grant', 'client_credentials',
    '--scope', `${NEWS} later:read`, '--json']);
  assert.match(stderr, /^warder: [^\n]*'later:read'[^\n]*\n$/);
  const client = JSON.parse(stdout);
  const uri = 'https://later.example/mcp';
  await w.cli(['admin', 'resource', 'add', '--uri', uri, '--scope', 'later:read=Read what comes later']);
  try {
    await soon(async () => (await machineToken(w, client, { resource: uri })).status === 200, 'the resource');
  } finally {
    await w.cli(['admin', 'resource', 'delete', uri]);
  }
  await soon(async () => (await machineToken(w, client, { resource: uri })).body?.error === 'invalid_target', 'its end');
});

test('resources are listed; those that cannot be are refused', async () => {
  assert.ok((await w.cli(['admin', 'resource', 'list'])).stdout.startsWith(`${w.mcp}\n`));
  await refused(['admin', 'resource', 'add', '--uri', 'mcp'], REFUSED, /--uri/);
  await refused(['admin', 'resource', 'add'], USAGE, /--uri/);
  await refused(['admin', 'resource', 'add', '--uri', 'https://x.example', '--scope', 'a b=c'], REFUSED, /name=text/);
  await refused(['admin', 'resource', 'add', '--uri', 'https://x.example', '--scope', 'a=b', '--default-scope', 'c'], REFUSED, /'c'/);
  await refused(['admin', 'resource', 'delete', 'https://nowhere.example'], REFUSED, /no such resource/);
});

test('a registration token registers one client', async () => {
  const strict = await World.start({ sample: false, users: [], env: { WARDER_REGISTRATION: 'token' } });
  try {
    const { stdout, stderr } = await strict.cli(['admin', 'registration-token']);
    assert.match(stdout, /^wrt_[\w-]+\n$/, 'it stands alone, for scripts');
    assert.ok(!stderr.includes(stdout.trim()));
    const bearer = { authorization: `Bearer ${stdout.trim()}` };
    const metadata = { redirect_uris: ['https://c.example/cb'], token_endpoint_auth_method: 'none' };
    assert.equal((await registerRaw(strict, metadata, bearer)).status, 201);
    assert.equal((await registerRaw(strict, metadata, bearer)).status, 401);
    assert.ok(!strict.auditText().includes(stdout.trim()));
  } finally {
    await strict.stop();
  }
});

test('a rotated key is published before it signs', async () => {
  const machine = await w.machineClient(NEWS);
  const old = await kids();
  const added = await events(() => w.cli(['admin', 'key', 'rotate']));
  assert.equal(added.filter((event) => JSON.stringify(event).includes('rotated_by_admin')).length, 1);
  await soon(async () => (await kids()).length === old.length + 1, 'the new key');
  const published = await kids();
  assert.ok(old.every((kid) => published.includes(kid)));
  const issued = await machineToken(w, machine);
  assert.ok(old.includes(jose(issued.body.access_token).kid), 'others may not know the new key yet');
  assert.match((await w.cli(['admin', 'key', 'rotate'])).stdout, /already/);
  assert.equal((await kids()).length, old.length + 1);
});

test('after a leak every key is another one, and the server signs with it', async () => {
  const machine = await w.machineClient(NEWS);
  const old = await kids();
  await w.cli(['admin', 'key', 'rotate', '--at-once']);
  await soon(async () => !(await kids()).some((kid) => old.includes(kid)), 'the new key');
  assert.equal((await kids()).length, 1);
  await soon(async () => {
    const issued = await machineToken(w, machine);
    return issued.status === 200 && !old.includes(jose(issued.body.access_token).kid);
  }, 'a token of the new key');
  await control(w);
});

test('no private part of a key is published', async () => {
  for (const key of await jwks()) for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) assert.equal(key[member], undefined);
});

test('settings are checked and shown', async () => {
  assert.match((await w.cli(['config', 'check'])).stdout, /good/);
  await refused(['config', 'check', '--public-url', 'http://as.example'], SETTING, /https/);
  await refused(['config', 'check', '--workers', 'many'], SETTING, /workers/);
  await refused(['config', 'check', '--nothing'], USAGE, /--nothing/);
  await refused(['admin', 'user', 'list', '--store', 'memory'], SETTING, /sqlite/);
  const shown = await run(path.join(BUILD, 'warder'), ['config', 'show', '--listen', '127.0.0.1:9'], {
    env: { WARDER_CODE_LIFETIME: '30' },
  });
  assert.equal(shown.code, DONE);
  assert.match(shown.stdout, /^listen: "127\.0\.0\.1:9" +# command line$/m);
  assert.match(shown.stdout, /^code_lifetime: 30 +# environment$/m);
  assert.match(shown.stdout, /^refresh_grace: \d+ +# default$/m);
});

test('the command line explains itself', async () => {
  const warder = path.join(BUILD, 'warder');
  const help = await run(warder, ['--help']);
  assert.equal(help.code, DONE);
  assert.match(help.stdout, /warder admin key rotate/);
  assert.match((await run(warder, ['admin', 'client', 'add', '--help'])).stdout, /--redirect-uri/);
  assert.match((await run(warder, ['--version'])).stdout, /^warder \d+\.\d+\.\d+\n$/);
  assert.equal((await run(warder, [])).code, USAGE);
  const unknown = await run(warder, ['make', 'coffee']);
  assert.equal(unknown.code, USAGE);
  assert.match(unknown.stderr, /^warder: [^\n]*'make'[^\n]*\n$/);
});
