// What a database can do beside failing over, under load at two nodes: restarts, a pooler that dies, its
// sessions ended again and again, a full disk, a server that only reads, no connection to be had, a table
// that is locked, and a node whose clock is ahead. Each time: 503 with Retry-After or success, nothing
// acknowledged is lost, no grant ends, and service is back when the database is.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Cluster, HAS_POSTGRES, Pooler } from '../e2e/lib/postgres.mjs';
import { machineToken, refresh, register, signIn } from '../e2e/lib/oauth.mjs';
import { USE } from '../e2e/lib/gateway.mjs';
import { sleep } from '../e2e/lib/world.mjs';
import { Steady, startSteadyWorld, stopSteadyWorld } from './steady.mjs';

const LONG = Boolean(process.env.E2E_LONG);
const BACK_MS = 2000;
const TIMEOUT_MS = 1000;
const LOCKED_MS = LONG ? 10_000 : 2500;
const TERMINATING_MS = LONG ? 20_000 : 1500;
const RESTARTS = LONG ? 20 : 1;
const AHEAD_S = 30;

// What the others show as well.
const only = LONG ? false : 'with E2E_LONG alone';
const skip = HAS_POSTGRES ? false : 'no PostgreSQL server is installed';
const folder = mkdtempSync(path.join(os.tmpdir(), 'warder-shim-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A library that stands before the system's own. */
function shim(name, source) {
  const file = path.join(folder, `${name}.so`);
  writeFileSync(path.join(folder, `${name}.c`), source);
  execFileSync('gcc', ['-shared', '-fPIC', '-O1', '-o', file, path.join(folder, `${name}.c`), '-ldl']);
  return file;
}

// Files under base/ do not grow while the file FULL is there; WAL has its room.
const NO_SPACE = (full) => `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>
static int refused(int fd, off_t end)
{
    struct stat st;
    char link[64], name[4096];
    if (access("${full}", F_OK) != 0 || fstat(fd, &st) != 0 || end <= st.st_size)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, name, sizeof name - 1);
    name[n > 0 ? n : 0] = 0;
    return strstr(name, "/base/") != NULL;
}
ssize_t pwrite64(int fd, const void *p, size_t n, off_t at)
{
    static ssize_t (*real)(int, const void *, size_t, off_t);
    if (!real) real = dlsym(RTLD_NEXT, "pwrite64");
    if (refused(fd, at + (off_t)n)) { errno = ENOSPC; return -1; }
    return real(fd, p, n, at);
}
ssize_t pwrite(int fd, const void *p, size_t n, off_t at) { return pwrite64(fd, p, n, at); }
`;

// The clock on the wall is ahead; the one that never goes back is not touched.
const CLOCK = `
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t which, struct timespec *t)
{
    int rc = (int)syscall(SYS_clock_gettime, which, t);
    if (rc == 0 && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) t->tv_sec += ${AHEAD_S};
    return rc;
}
time_t time(time_t *out)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    if (out) *out = t.tv_sec;
    return t.tv_sec;
}
int gettimeofday(struct timeval *v, void *zone)
{
    struct timespec t;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &t);
    v->tv_sec = t.tv_sec; v->tv_usec = t.tv_nsec / 1000;
    return 0;
}
`;

/** Load at two nodes while `trouble(load)` goes on; it returns when the database was well again. */
async function under(t, world, trouble) {
  const load = new Steady(world());
  await load.prepare();
  load.start();
  try {
    await sleep(200);
    const well = await trouble(load);
    const back = await load.untilBack(well, 10_000);
    for (const [what, ms] of Object.entries(back)) assert.ok(ms <= BACK_MS, `${what} was back after ${ms} ms: ${JSON.stringify(load.faults.slice(0, 3))}, ${load.lastError}`);
    t.diagnostic(`back after ${JSON.stringify(back)}; ${load.unready} times 503, the slowest after ${load.slowest} ms; ${load.counts.burnt} codes burnt`);
  } finally {
    await load.stop();
  }
  assert.deepEqual((await load.check()).slice(0, 5), []);
  return load;
}

/** Until the load has met 503, or `limit` ms. */
async function untilUnready(load, limit = 10_000) {
  const before_ = load.unready;
  for (const until = Date.now() + limit; load.unready === before_ && Date.now() < until; ) await sleep(20);
  assert.ok(load.unready > before_, 'nobody was told to come again');
}

describe('a database in trouble', { skip }, () => {
  let cluster;
  let database;
  let w;
  const full = path.join(folder, 'full');
  before(async () => {
    execFileSync('chmod', ['755', folder]);
    cluster = await Cluster.start({ limits: ['env', `LD_PRELOAD=${shim('space', NO_SPACE(full))}`] });
    database = await cluster.database();
    w = await startSteadyWorld({ conninfo: cluster.conninfo(database), nodes: 2, env: { WARDER_POSTGRES_TIMEOUT: String(TIMEOUT_MS) } });
  });
  after(async () => {
    await stopSteadyWorld(w);
    await cluster?.stop();
  });

  for (const how of ['fast', 'immediate']) {
    test(`it is restarted (${how})`, { skip: how === 'fast' && only }, (t) => under(t, () => w, async () => {
      let well;
      for (let i = 0; i < RESTARTS; i++) {
        await sleep(300);
        await cluster.halt(how);
        await sleep(200);
        await cluster.run();
        well = Date.now();
      }
      return well;
    }));
  }

  test('its sessions are ended every 100 ms', { skip: only }, (t) => under(t, () => w, async (load) => {
    for (const until = Date.now() + TERMINATING_MS; Date.now() < until; await sleep(100)) await cluster.terminate();
    assert.ok(load.successes.length > 0, 'something was served all the same');
    return Date.now();
  }));

  test('its disk is full', (t) => under(t, () => w, async (load) => {
    writeFileSync(full, '');
    await untilUnready(load, 20_000);
    await sleep(500);
    rmSync(full);
    return Date.now();
  }));

  test('it only reads', { skip: only }, (t) => under(t, () => w, async (load) => {
    await cluster.set('default_transaction_read_only', 'on');
    await untilUnready(load);
    await sleep(300);
    await cluster.sql('SET default_transaction_read_only = off; ALTER SYSTEM RESET default_transaction_read_only');
    await cluster.sql('SELECT pg_reload_conf()');
    return Date.now();
  }));

  test('it takes no connection', (t) => under(t, () => w, async (load) => {
    await cluster.sql('ALTER ROLE warder CONNECTION LIMIT 0');
    await cluster.terminate(database);
    await untilUnready(load);
    await sleep(300);
    await cluster.sql('ALTER ROLE warder CONNECTION LIMIT -1');
    return Date.now();
  }));

  test('a statement hangs', (t) => under(t, () => w, async (load) => {
    const tables = await cluster.sql(`SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables WHERE schemaname = 'public'`, database);
    const holder = await cluster.session(`BEGIN; LOCK TABLE ${tables} IN ACCESS EXCLUSIVE MODE;`, database);
    await sleep(LOCKED_MS);
    assert.ok(load.unready > 0, 'nobody was told to come again');
    await holder.end();
    assert.ok(load.slowest < TIMEOUT_MS + 1500, `503 after ${load.slowest} ms`);
    return Date.now();
  }));

  test('the clock of one node is ahead', async () => {
    await w.killNode(1);
    w.wrap = ['env', `LD_PRELOAD=${shim('clock', CLOCK)}`];
    await w.startNode(1);
    w.wrap = [];
    try {
      const client = await register(w);
      const machine = await w.machineClient(USE);
      for (let i = 0; i < 4; i++) {
        const tokens = await signIn(w, client, { scope: USE });
        let last = tokens.refresh_token;
        for (let k = 0; k < 4; k++) {
          const answer = await refresh(w, client, last);
          assert.equal(answer.status, 200, answer.text);
          last = answer.body.refresh_token;
        }
        assert.equal((await machineToken(w, machine)).status, 200);
      }
      const load = new Steady(w);
      await load.prepare();
      load.start();
      await sleep(1000);
      await load.stop();
      assert.deepEqual((await load.check()).slice(0, 5), []);
    } finally {
      await w.killNode(1);
      await w.startNode(1);
    }
  });
});

describe('a pooler in trouble', { skip }, () => {
  let cluster;
  let pooler;
  let w;
  before(async () => {
    cluster = await Cluster.start();
    pooler = await Pooler.start(cluster);
    w = await startSteadyWorld({ conninfo: pooler.conninfo(await cluster.database()), nodes: 2, env: { WARDER_POSTGRES_TIMEOUT: String(TIMEOUT_MS) } });
  });
  after(async () => {
    await stopSteadyWorld(w);
    await pooler?.stop();
    await cluster?.stop();
  });

  test('it is killed and started again', (t) => under(t, () => w, async () => {
    for (let i = 0; i < RESTARTS; i++) {
      await sleep(300);
      await pooler.kill9();
      await sleep(200);
      await pooler.run();
    }
    return Date.now();
  }));

  test('the server behind it is restarted', { skip: only }, (t) => under(t, () => w, async () => {
    await cluster.halt('immediate');
    await sleep(200);
    await cluster.run();
    return Date.now();
  }));
});
