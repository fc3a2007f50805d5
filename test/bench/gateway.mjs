// The gateway and its peers on the same authenticated tool call: the proxy on one core, the load and
// the server behind it on another. Usage: gateway.mjs BUILD_DIR
import { execFileSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { Gateway, USE } from '../e2e/lib/gateway.mjs';
import { claims, machineToken } from '../e2e/lib/oauth.mjs';
import { freePort, sleep } from '../e2e/lib/world.mjs';
import { LOAD, SECONDS, SERVER, children, cpuOf, dir, end, kinOf, median, memory, serve, wrk } from './peers.mjs';
import { holdStreams, streamServer } from './streams.mjs';

const CONNECTIONS = [1, 64, 512];
const ROUNDS = 3;
const NEW_TOKENS = Number(process.env.WARDER_BENCH_TOKENS ?? 40_000);
// Two sockets a stream, in the proxy and here.
const PAIRS = Math.min(30_000, Math.floor((Number(execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' })) - 500) / 2));
const STREAMS = Math.min(PAIRS, Number(process.env.WARDER_BENCH_STREAMS ?? 10_000));
const here = path.dirname(new URL(import.meta.url).pathname);

const BODY = JSON.stringify({
  jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'test_echo', arguments: { value: 'v'.repeat(200) } },
});
const ANSWER = JSON.stringify({ jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text: 'a'.repeat(940) }] } });
const HEADERS = ['MCP-Protocol-Version: 2025-11-25'];

const file = (name, text) => {
  const at = path.join(dir, name);
  mkdirSync(path.dirname(at), { recursive: true });
  writeFileSync(at, text, { mode: 0o600 });
  return at;
};
const bodyFile = file('body.json', BODY);
const figures = {};
const rows = [];

/** `pids`: whose processor time a call costs, without the load and the server. It says more than the
 *  rate where others use the machine. */
async function measure(name, port, tokens, pids, { connections = CONNECTIONS, rounds = ROUNDS, remark = '' } = {}) {
  const cpu = () => pids.reduce((sum, pid) => sum + cpuOf(pid), 0);
  for (const c of connections) {
    const runs = [];
    for (let i = 0; i < rounds; i++) {
      const before = cpu();
      const run = await wrk('gateway.lua', `http://127.0.0.1:${port}/mcp`, [bodyFile, tokens, ...HEADERS], c);
      runs.push({ ...run, cpu: (cpu() - before) / run.calls });
    }
    const middle = median(runs.map((one) => one.rate));
    const result = runs.find((one) => one.rate === middle);
    figures[`${name} ${c}`] = result;
    rows.push({ name, ...result, remark });
    console.error(`${name}, ${c} connections: ${result.rate.toFixed(0)}/s, p50 ${result.p50} ms, p99 ${result.p99} ms, ${result.cpu.toFixed(1)} us of processor time a call`);
  }
}

const nginxHead = (root) => `
  ${process.getuid() === 0 ? 'user root;' : ''} daemon off; worker_processes 1; pid ${root}/pid; error_log stderr error;
  events { worker_connections 60000; }
  http {
    access_log off; keepalive_requests 1000000000; keepalive_timeout 600s;
    client_body_temp_path ${root}/b; proxy_temp_path ${root}/p; fastcgi_temp_path ${root}/f; uwsgi_temp_path ${root}/u; scgi_temp_path ${root}/s;`;

async function nginx(name, config, port, core = SERVER) {
  const root = path.join(dir, name);
  mkdirSync(root, { recursive: true });
  const conf = file(`${name}/nginx.conf`, config(root));
  const child = spawn('taskset', ['-c', core, 'nginx', '-p', root, '-c', conf], { stdio: ['ignore', 'ignore', 'inherit'] });
  children.add(child);
  await answers(name, child, port);
  return child;
}

async function answers(name, child, port) {
  for (let i = 0; i < 400; i++) {
    if (child.exitCode !== null) throw new Error(`${name} ended`);
    try {
      await fetch(`http://127.0.0.1:${port}/`);
      return;
    } catch {
      await sleep(25);
    }
  }
  throw new Error(`${name} did not answer`);
}

const backendConfig = (port) => (root) => `${nginxHead(root)}
    server { listen 127.0.0.1:${port} backlog=4096; location / { default_type application/json; return 200 '${ANSWER}'; } }
  }`;

const proxyConfig = (port, backend, auth) => (root) => `${nginxHead(root)}
    upstream backend { server 127.0.0.1:${backend}; keepalive 600; keepalive_requests 1000000000; keepalive_timeout 600s; }
    ${auth ? `upstream auth { server 127.0.0.1:${auth}; keepalive 600; keepalive_requests 1000000000; }` : ''}
    server {
      listen 127.0.0.1:${port} backlog=4096;
      location / {
        ${auth ? 'auth_request /auth;' : ''}
        proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; proxy_read_timeout 3600s;
      }
      ${auth ? 'location = /auth { internal; proxy_pass http://auth; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass_request_body off; proxy_set_header Content-Length ""; }' : ''}
    }
  }`;

const haproxyConfig = (port, backend, { pem, issuer, audience } = {}) => `
  global
    nbthread 1
    maxconn ${PAIRS}
  defaults
    mode http
    timeout connect 5s
    timeout client 3600s
    timeout server 3600s
    http-reuse always
  frontend in
    bind 127.0.0.1:${port} backlog 4096
    ${pem ? `http-request set-var(txn.bearer) http_auth_bearer
    http-request set-var(txn.iss) http_auth_bearer,jwt_payload_query('$.iss')
    http-request set-var(txn.aud) http_auth_bearer,jwt_payload_query('$.aud')
    http-request set-var(txn.exp) http_auth_bearer,jwt_payload_query('$.exp','int')
    http-request set-var(txn.now) date()
    http-request deny deny_status 401 unless { http_auth_bearer,jwt_header_query('$.alg') -m str ES256 }
    http-request deny deny_status 401 unless { var(txn.iss) -m str ${issuer} }
    http-request deny deny_status 401 unless { var(txn.aud) -m str ${audience} }
    http-request deny deny_status 401 unless { var(txn.exp),sub(txn.now) -m int gt 0 }
    http-request deny deny_status 401 unless { http_auth_bearer,jwt_verify("ES256","${pem}") 1 }` : ''}
    default_backend out
  backend out
    server one 127.0.0.1:${backend} maxconn ${PAIRS}
`;

async function haproxy(name, config, port) {
  const child = spawn('taskset', ['-c', SERVER, 'haproxy', '-db', '-f', file(`${name}.cfg`, config)], { stdio: ['ignore', 'ignore', 'ignore'] });
  children.add(child);
  await answers(name, child, port);
  return child;
}

const apacheConfig = (root, port, backend, jwks) => `
  ServerName localhost
  PidFile ${root}/pid
  ErrorLog ${root}/error.log
  LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
  LoadModule authn_core_module /usr/lib/apache2/modules/mod_authn_core.so
  LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
  LoadModule authz_user_module /usr/lib/apache2/modules/mod_authz_user.so
  LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
  LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
  LoadModule oauth2_module /usr/lib/apache2/modules/mod_oauth2.so
  ${process.getuid() === 0 ? 'User www-data\n  Group www-data' : ''}
  Listen 127.0.0.1:${port}
  ServerLimit 4
  ThreadLimit 256
  ThreadsPerChild 256
  MaxRequestWorkers 1024
  KeepAlive On
  MaxKeepAliveRequests 0
  KeepAliveTimeout 600
  Mutex posixsem
  OAuth2TokenVerify jwks_uri ${jwks} verify.iat.slack_before=3600
  ProxyPass /mcp http://127.0.0.1:${backend}/mcp keepalive=On
  <Location /mcp>
    AuthType oauth2
    Require valid-user
    Require oauth2_claim scope:${USE}
  </Location>
`;

async function apache(port, backend, jwks) {
  const root = path.join(dir, 'apache');
  mkdirSync(root, { recursive: true, mode: 0o755 });
  const child = spawn('taskset', ['-c', SERVER, 'apache2', '-DFOREGROUND', '-f', file('apache/apache.conf', apacheConfig(root, port, backend, jwks))],
    { stdio: ['ignore', 'ignore', 'inherit'] });
  children.add(child);
  await answers('apache', child, port);
  return child;
}

const settings = (more = '') => `
max_connections: 30000
max_connections_per_address: 30000
upstreams:
  - path: /mcp
    url: UPSTREAM
    max_connections: 20000
    streams_per_subject: 20000
${more}`;

const gatewayOf = (port) =>
  Gateway.start({
    upstream: `http://127.0.0.1:${port}/mcp`,
    settings: settings(),
    env: { WARDER_WORKERS: '1', WARDER_LOG_LEVEL: 'warn' },
    wrap: ['taskset', '-c', SERVER],
  });

async function tokens(w, count) {
  const machine = await w.machineClient(USE);
  const list = [];
  while (list.length < count) {
    const answers = await Promise.all(Array.from({ length: Math.min(64, count - list.length) }, () => machineToken(w, machine)));
    list.push(...answers.map((one) => one.body.access_token));
  }
  return list;
}

async function calls() {
  const backend = await freePort();
  const back = await nginx('backend', backendConfig(backend), backend, LOAD);
  const w = await gatewayOf(backend);
  try {
    const list = await tokens(w, NEW_TOKENS);
    const one = file('token', `${list[0]}\n`);
    const all = file('tokens', `${list.join('\n')}\n`);
    const { iss: issuer, aud: audience } = claims(list[0]);
    const { keys } = await (await fetch(w.metadata.jwks_uri)).json();
    await measure('the server itself', backend, one, [back.pid], { remark: 'no proxy; beside its own load on one core' });
    await measure('warder', w.port, one, [w.warder.child.pid], { remark: 'token (cached), policy, audit (two events a call, written)' });
    // Once: each run begins with the first token, which a run before would have made known.
    await measure('warder, every token new', w.port, all, [w.warder.child.pid], { connections: [64], rounds: 1, remark: 'one signature to verify for each call' });
    const plain = await freePort();
    const bare = await nginx('plain', proxyConfig(plain, backend), plain);
    await during(bare, () => measure('nginx proxy_pass', plain, one, [bare.pid], { remark: 'no authorization, no audit' }));
    const auth = await freePort();
    const verifier = await serve('verify', process.execPath, ['--no-warnings', path.join(here, 'verify.mjs'), String(auth), w.metadata.jwks_uri, issuer, audience],
      `http://127.0.0.1:${auth}`, { env: { ...process.env, NODE_ENV: 'production' } });
    await during(verifier, async () => {
      const port = await freePort();
      const asking = await nginx('auth', proxyConfig(port, backend, auth), port);
      await during(asking, () =>
        measure('nginx auth_request', port, one, [asking.pid, verifier.pid], { remark: 'to a Node service with jose on the same core; no audit' }));
    });
    const pem = file('key.pem', createPublicKey({ key: keys[0], format: 'jwk' }).export({ type: 'spki', format: 'pem' }));
    const hap = await freePort();
    const verifying = await haproxy('haproxy', haproxyConfig(hap, backend, { pem, issuer, audience }), hap);
    await during(verifying, () =>
      measure('haproxy jwt_verify', hap, one, [verifying.pid], { remark: 'verifies each time; no scope, no audit' }));
    const apa = await freePort();
    const http = await apache(apa, backend, w.metadata.jwks_uri);
    await during(http, () =>
      measure('apache mod_oauth2', apa, one, [http.pid], { connections: [1, 64], remark: 'no audit' }));
  } finally {
    await w.stop();
    await end(back);
  }
}

async function during(child, run) {
  try {
    await run();
  } finally {
    await end(child);
  }
}

/** A proxy and its children: MiB. */
const memoryOf = (pid) => kinOf(pid).reduce((sum, one) => sum + memory(one, 'Rss'), 0);

const idle = [];
async function holdThrough(name, pid, port, server, token) {
  const request = `POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${token ? `Authorization: Bearer ${token}\r\n` : ''}` +
    `Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n${HEADERS[0]}\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`;
  const warm = await holdStreams(port, request, 50);
  await sleep(500);
  const before = memoryOf(pid);
  const held = await holdStreams(port, request, STREAMS);
  await sleep(4000);
  const after = memoryOf(pid);
  const times = [];
  for (let i = 0; i < ROUNDS; i++) {
    const heard = held.heard();
    const begin = performance.now();
    server.tell();
    await heard;
    times.push(performance.now() - begin);
    await sleep(300);
  }
  held.stop();
  warm.stop();
  idle.push({ name, each: ((after - before) * 1024) / STREAMS, fan: median(times) });
  console.error(`${name}: ${idle.at(-1).each.toFixed(1)} KiB a stream, all told in ${idle.at(-1).fan.toFixed(0)} ms`);
}

async function streams() {
  const server = await streamServer();
  try {
    const w = await gatewayOf(server.port);
    try {
      const [token] = await tokens(w, 1);
      await holdThrough('warder', w.warder.child.pid, w.port, server, token);
    } finally {
      await w.stop();
    }
    const plain = await freePort();
    const n = await nginx('plain', proxyConfig(plain, server.port), plain);
    await during(n, () => holdThrough('nginx', n.pid, plain, server));
    const hap = await freePort();
    const h = await haproxy('haproxy-plain', haproxyConfig(hap, server.port), hap);
    await during(h, () => holdThrough('haproxy', h.pid, hap, server));
  } finally {
    server.stop();
  }
}

async function step(name, run) {
  try {
    await run();
  } catch (error) {
    console.error(`${name}: ${error.stack}`);
    process.exitCode = 1;
  }
}

await step('calls', calls);
await step('streams', streams);

const verify = Number(execFileSync('taskset', ['-c', SERVER, 'openssl', 'speed', '-mr', '-seconds', '3', 'ecdsap256'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  .split('\n').find((line) => line.startsWith('+F4:')).split(':')[4]);
const rate = (name) => figures[name]?.rate ?? NaN;
const cpu = (name) => figures[name]?.cpu ?? NaN;
const number = (x, digits = 2) => (Number.isFinite(x) ? x.toFixed(digits) : 'not measured');

console.log(`\nA tools/call with an argument of 200 bytes and an answer of 1 KB. The proxy on one core (CPU ${SERVER}), load and server on ${LOAD === SERVER ? 'the same: FIGURES ARE TOO LOW' : `another (CPU ${LOAD})`}; ${os.cpus()[0].model.trim()}; ${SECONDS} s a run, median of ${ROUNDS}.\n`);
console.log('| proxy | connections | per second | p50 ms | p99 ms | CPU us a call | remark |\n|---|--:|--:|--:|--:|--:|---|');
for (const row of rows) console.log(`| ${row.name} | ${row.connections} | ${number(row.rate, 0)} | ${number(row.p50, 3)} | ${number(row.p99, 3)} | ${number(row.cpu, 1)} | ${row.remark} |`);
console.log(`\n| ${STREAMS} idle event streams | KiB each (Rss) | all told, ms |\n|---|--:|--:|`);
for (const row of idle) console.log(`| ${row.name} | ${number(row.each, 1)} | ${number(row.fan, 0)} |`);
const kib = (name) => idle.find((one) => one.name === name)?.each ?? NaN;
console.log('\n| ratio | value | aim |\n|---|--:|--:|');
for (const [name, value, aim] of [
  ['to nginx proxy_pass, 64 connections', number(rate('warder 64') / rate('nginx proxy_pass 64')), '0.85'],
  ['the same by processor time a call', number(cpu('nginx proxy_pass 64') / cpu('warder 64')), '0.85'],
  ['to nginx auth_request, 64 connections', number(rate('warder 64') / rate('nginx auth_request 64'), 1), '5'],
  ['to haproxy jwt_verify, 64 connections', number(rate('warder 64') / rate('haproxy jwt_verify 64'), 1), '5'],
  ['to apache mod_oauth2, 64 connections', number(rate('warder 64') / rate('apache mod_oauth2 64'), 1), ''],
  ['every token new, to openssl verifying alone', number(rate('warder, every token new 64') / verify), '0.9'],
  ['a new token over a known one, to openssl verifying alone, by processor time', number(1e6 / verify / (cpu('warder, every token new 64') - cpu('warder 64'))), '0.9'],
  ['p50 over nginx proxy_pass at one connection, ms', number((figures['warder 1']?.p50 ?? NaN) - (figures['nginx proxy_pass 1']?.p50 ?? NaN), 3), '0.03'],
  ['p99 over nginx proxy_pass at 64 connections, ms', number((figures['warder 64']?.p99 ?? NaN) - (figures['nginx proxy_pass 64']?.p99 ?? NaN), 3), ''],
  ['KiB an idle stream', number(kib('warder'), 1), '8'],
]) console.log(`| ${name} | ${value} | ${aim} |`);
