// The primary dies with all its processes under load, and its replica takes over: nobody loses a grant
// (a refresher who comes again with the same token is no thief), nothing acknowledged is lost, meanwhile
// there is 503 with Retry-After and nothing else, and service is back soon after the new primary answers.
// E2E_FAILOVERS says how often.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HAS_POSTGRES, Pair } from '../e2e/lib/postgres.mjs';
import { sleep } from '../e2e/lib/world.mjs';
import { Steady, startSteadyWorld, stopSteadyWorld } from './steady.mjs';

const FAILOVERS = Number(process.env.E2E_FAILOVERS ?? 1);
const BACK_MS = 2000;
const RUN_MS = 500;
const DEAD_MS = [0, 1500]; // between the death of the old primary and the promotion of the new one

const skip = HAS_POSTGRES ? false : 'no PostgreSQL server is installed';

test(`a primary fails over, ${FAILOVERS} times`, { skip, timeout: 60_000 + FAILOVERS * 30_000 }, async (t) => {
  const pair = await Pair.start();
  let w;
  let load;
  try {
    const database = await pair.primary.database();
    w = await startSteadyWorld({ conninfo: pair.conninfo(database), nodes: 2 });
    load = new Steady(w);
    await load.prepare();
    load.start();
    const times = [];
    const late = [];
    for (let i = 0; i < FAILOVERS; i++) {
      await sleep(RUN_MS);
      const pause = FAILOVERS === 1 ? 500 : DEAD_MS[0] + Math.random() * (DEAD_MS[1] - DEAD_MS[0]);
      const { died, back } = await pair.failOver(pause);
      const after = await load.untilBack(back);
      times.push(after);
      if (Math.max(...Object.values(after)) > BACK_MS) late.push(after);
      t.diagnostic(`dead for ${back - died} ms; back after ${JSON.stringify(after)}`);
      await pair.addReplica();
    }
    await load.stop();
    assert.deepEqual((await load.check()).slice(0, 5), []);
    const all = times.flatMap((one) => Object.values(one)).sort((a, b) => a - b);
    t.diagnostic(`${JSON.stringify(load.counts)}, ${load.unready} times 503, the slowest after ${load.slowest} ms; back after ${all[all.length >> 1]} ms (median), ${all.at(-1)} ms (worst)`);
    assert.deepEqual(late, [], `back within ${BACK_MS} ms of the new primary's first answer`);
    assert.ok(load.unready > 0, 'there was a time without a database');
  } finally {
    await load?.stop();
    await stopSteadyWorld(w);
    await pair.stop();
  }
});
