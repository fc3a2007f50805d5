// Holds test/ATTACK-CASES.md to what it says.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ROOT } from './lib/world.mjs';

const AREAS = ['as-redirect', 'as-pkce', 'as-authorize', 'as-par', 'as-token', 'as-refresh', 'as-dcr', 'as-cimd',
  'as-meta', 'as-dpop', 'as-ui', 'as-tokenmgmt', 'rs-jwt', 'rs-challenge', 'rs-dpop', 'gw-http', 'gw-mcp', 'audit',
  'client', 'ops'];
const LIST = path.join(process.env.WARDER_SHARED ?? path.join(ROOT, '../shared'), 'attack-cases.jsonl');

function table() {
  const rows = new Map();
  for (const line of readFileSync(path.join(ROOT, 'test/ATTACK-CASES.md'), 'utf8').split('\n')) {
    const [, id, , , where] = line.split('|').map((cell) => cell.trim());
    if (/^[A-Z]+-\d{3}$/.test(id ?? '')) rows.set(id, where);
  }
  return rows;
}

test('each row of the table of attack cases names files that bear its id, or a reason', () => {
  const rows = table();
  assert.ok(rows.size > 0);
  for (const [id, where] of rows) {
    const files = [...where.matchAll(/`([^`]+\.(?:mjs|c))`/g)].map((match) => match[1]);
    if (!files.length) assert.ok(where.length > 30, `${id} has neither a file nor a reason`);
    for (const file of files) assert.ok(readFileSync(path.join(ROOT, file), 'utf8').includes(id), `${file} does not bear ${id}`);
  }
});

test('each case of the areas that bind has a row', { skip: existsSync(LIST) ? false : 'the list of cases is not here' }, () => {
  const rows = table();
  const cases = readFileSync(LIST, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
  for (const one of cases.filter((each) => AREAS.includes(each.area))) assert.ok(rows.has(one.id), `${one.id} ${one.title}`);
});
