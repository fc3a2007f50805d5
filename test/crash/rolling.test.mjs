// attack case: OPS-013. Nodes are replaced one after the other under load, by a newer version and back by
// the older one, over one store: no request fails, no session or token is lost.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { KINDS, skipOf } from '../e2e/lib/kinds.mjs';
import { sleep, stop } from '../e2e/lib/world.mjs';
import { Steady, startSteadyWorld, stopSteadyWorld } from './steady.mjs';

const ROUNDS = Number(process.env.E2E_UPGRADES ?? 1);
const NEXT = 'warder-next'; // the same with one migration more
const MIX_MS = 400; // both versions at work

/** Takes a node out by SIGTERM and puts one of `program` in its place. */
async function replace(w, i, program) {
  await stop(w.nodes[i]);
  await w.startNode(i, { program });
  await sleep(MIX_MS);
}

for (const name of ['postgres x2', 'pgbouncer x2']) {
  describe(`an upgrade under load over ${name}`, { skip: skipOf(name) }, () => {
    test(`OPS-013 to the next version and back, ${ROUNDS} times: no request fails`, { timeout: 60_000 + ROUNDS * 60_000 }, async (t) => {
      const w = await startSteadyWorld(KINDS[name]);
      let load;
      try {
        load = new Steady(w, { strict: true });
        await load.prepare();
        w.front.watch();
        load.start();
        await sleep(MIX_MS);
        for (let round = 0; round < ROUNDS; round++) {
          for (const program of [NEXT, 'warder']) {
            for (let i = 0; i < w.nodes.length; i++) await replace(w, i, program);
          }
        }
        await load.stop();
        assert.deepEqual((await load.check()).slice(0, 5), []);
        assert.equal(w.front.counts.failed, 0, w.front.fault);
        t.diagnostic(`${w.front.counts.requests} requests, ${w.front.counts.elsewhere} of them sent elsewhere at once; ${JSON.stringify(load.counts)}`);
      } finally {
        await load?.stop();
        await stopSteadyWorld(w);
      }
    });
  });
}
