// kill -9 while calls go through the gateway: each call that was answered has its two lines in the
// trail, and what is left of the trail verifies with the public key alone.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import http from 'node:http';
import path from 'node:path';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Gateway, USE } from '../e2e/lib/gateway.mjs';
import { machineToken } from '../e2e/lib/oauth.mjs';
import { sleep } from '../e2e/lib/world.mjs';

const ROUNDS = Number(process.env.WARDER_CRASH_ROUNDS ?? 5);
const CALLERS = 8;
const RUN_MS = [40, 400];

/** A server that answers every call at once. */
async function startUpstream() {
  const server = http.createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      const { id } = JSON.parse(Buffer.concat(parts));
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: 'done' }] } }));
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** Calls without end; the hash of each answered call's arguments goes to `answered`. */
async function callUntilGone(w, bearer, name, answered) {
  for (let i = 0; ; i++) {
    const args = JSON.stringify({ value: `${name}-${i}` });
    const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":${args}}}`;
    let answer;
    try {
      answer = await fetch(w.mcp, {
        method: 'POST',
        headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-11-25' },
        body,
      });
      await answer.text();
    } catch {
      return;
    }
    assert.equal(answer.status, 200);
    answered.push(createHash('sha256').update(args).digest('hex'));
  }
}

/** The ids of the requests that began with each hash, and of those that ended, in all files. */
function readTrail(w) {
  const begun = new Map();
  const ended = new Set();
  for (const name of readdirSync(w.data).filter((one) => one.startsWith('audit.log')))
    for (const line of readFileSync(path.join(w.data, name), 'utf8').split('\n').filter(Boolean)) {
      const e = JSON.parse(line);
      if (e.event === 'call.begin') begun.set(e.arguments_hash, [...(begun.get(e.arguments_hash) ?? []), e.request_id]);
      if (e.event === 'call.end') ended.add(e.request_id);
    }
  return { begun, ended };
}

test(`kill -9 under calls, ${ROUNDS} times: each answered call is in the trail`, { timeout: 60_000 + ROUNDS * 20_000 }, async () => {
  const upstream = await startUpstream();
  const w = await Gateway.start({ upstream: `http://127.0.0.1:${upstream.address().port}/mcp`, args: ['--audit-rotate-size', '200000'], users: [] });
  try {
    const machine = await w.machineClient(USE);
    const bearer = (await machineToken(w, machine)).body.access_token;
    const answered = [];
    for (let round = 0; round < ROUNDS; round++) {
      const callers = Array.from({ length: CALLERS }, (_, i) => callUntilGone(w, bearer, `${round}-${i}`, answered));
      await sleep(RUN_MS[0] + Math.random() * (RUN_MS[1] - RUN_MS[0]));
      await w.kill9();
      await Promise.all(callers);
      await w.startWarder(w.port);
      const { begun, ended } = readTrail(w);
      for (const hash of answered) {
        assert.equal(begun.get(hash)?.length, 1, 'the beginning of an answered call');
        assert.ok(ended.has(begun.get(hash)[0]), 'its end');
      }
      const verified = await w.cli(['audit', 'verify'], { code: null });
      assert.equal(verified.code, 0, verified.stderr);
      assert.match(verified.stdout, /^signed: up to \d+/m);
    }
    assert.ok(answered.length > ROUNDS * CALLERS, 'there was load');
    console.log(JSON.stringify({ answered: answered.length }));
  } finally {
    await w.stop();
    upstream.close();
  }
});
