import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crashLoop } from './loop.mjs';

const ROUNDS = Number(process.env.WARDER_CRASH_ROUNDS ?? 5);

test(`kill -9 under load, ${ROUNDS} times: nothing acknowledged is lost, nothing happens twice`, { timeout: 60_000 + ROUNDS * 10_000 }, async () => {
  const began = Date.now();
  const counts = await crashLoop(ROUNDS, {
    onRound: (round) => round % 100 === 0 && console.log(`${round} rounds, ${((Date.now() - began) / round).toFixed(0)} ms each`),
  });
  console.log(JSON.stringify(counts));
  assert.ok(counts.codes > 0 && counts.redeemed > 0 && counts.refreshed > 0 && counts.machine > 0 && counts.replays > 0, 'there was load');
});
