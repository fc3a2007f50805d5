// kill -9 of nodes over PostgreSQL, again and again: mostly one of two, while the other goes on with what
// the dead one began; now and then both. E2E_CRASH_ROUNDS says how often.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KINDS, skipOf } from '../e2e/lib/kinds.mjs';
import { crashLoop } from './loop.mjs';

const ROUNDS = Number(process.env.E2E_CRASH_ROUNDS ?? 3);
const KIND = 'postgres x2';

test(`kill -9 of nodes over ${KIND}, ${ROUNDS} times`, { skip: skipOf(KIND), timeout: 60_000 + ROUNDS * 10_000 }, async (t) => {
  const counts = await crashLoop(ROUNDS, {
    ...KINDS[KIND],
    onRound: (round, now) => round % 50 === 0 && console.log(round, JSON.stringify(now)),
  });
  t.diagnostic(JSON.stringify(counts));
  assert.ok(counts.codes > 0 && counts.redeemed > 0 && counts.refreshed > 0 && counts.machine > 0 && counts.replays > 0, 'there was load');
});
