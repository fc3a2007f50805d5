// More load than can be done, and much load for a while. script/pressure does both for longer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { overload, soak } from '../scale/pressure.mjs';

// attack case: OPS-023
test('five times too much load costs no throughput, is told to come again, and leaves nothing behind', { timeout: 90_000 }, async () => {
  const [row] = await overload({ seconds: 2, factors: [5], connections: 2000, after: 3, look: 1 });
  const all = JSON.stringify(row);
  // Nine tenths where server and load have a core each; here others may share them.
  assert.ok(row.goodput > 0.5, all);
  assert.ok(row.shed > 0, all);
  assert.equal(row.other, 0, all);
  assert.ok(row.shed_p99 <= 1000, all);
  assert.ok(row.recovery < 3, all);
});

// attack case: OPS-016
test('mixed load leaves memory, descriptors, log and trail as they are', { timeout: 90_000 }, async () => {
  const run = await soak({ seconds: 4, grants: 10, settle: 0 });
  const all = JSON.stringify(run);
  assert.ok(run.ok > 0 && run.other === 0 && run.broken === 0 && run.visits.ok > 0, all);
  assert.ok(run.rssLast - run.rssFirst < 8 * 1024, all); // KiB: what seconds can tell
  assert.ok(run.filesAfter - run.filesIdle <= 4, all);
  assert.ok(run.walMost < 32 << 20, all);
  assert.ok(run.trailEach < 1000, all);
});
