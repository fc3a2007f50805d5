// warder doctor: before servers that are broken in one way each, and before sound ones.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { FAULTS, startBroken, startTls } from './lib/broken.mjs';
import { Gateway } from './lib/gateway.mjs';
import { startKit } from './lib/kit.mjs';
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

for (const name of Object.keys(FAULTS)) {
  const [, id, mend] = FAULTS[name];
  test(`broken: ${name}`, async () => {
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
