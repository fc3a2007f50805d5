// Warder and its peers on the same work, each pinned to one core, the load on another.
// Usage: bench.mjs BUILD_DIR BARE_PROGRAM; seconds a measurement: WARDER_BENCH_SECONDS (default 5)
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Browser } from '../e2e/lib/browser.mjs';
import { authorizeUrl, basic, claims, goodRequest, machineToken, register, signIn } from '../e2e/lib/oauth.mjs';
import { NEWS, World, freePort } from '../e2e/lib/world.mjs';
import { CALLBACK, SECRET, configure, prepareFiles } from './glewlwyd.mjs';
import { LOAD, SECONDS, SERVER, best, children, dir, end, median, memory, serve, wrk } from './peers.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const [build, bare] = process.argv.slice(2);
const ROUNDS = 3;
const CONNECTIONS = [16, 64];
const STARTS = 15;
const VECTOR = { verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk', challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM' };
const FORM = 'Content-Type: application/x-www-form-urlencoded';

/** The middle of some rounds at the number of connections that suits the server best. */
async function measure(script, url, args, rounds = ROUNDS) {
  const first = [];
  for (const connections of CONNECTIONS) first.push(await wrk(script, url, args, connections));
  const top = best(first);
  const all = [top];
  while (all.length < rounds) all.push(await wrk(script, url, args, top.connections));
  const middle = median(all.map((one) => one.rate));
  return all.find((one) => one.rate === middle);
}

const rows = [];
const figures = {};
function note(group, name, result, remark = '') {
  figures[`${group}: ${name}`] = result.rate;
  rows.push({ group, name, ...result, remark });
  console.error(`${group}: ${name}: ${result.rate.toFixed(0)}/s ${remark}`);
}

function signingRate() {
  const text = execFileSync('taskset', ['-c', SERVER, 'openssl', 'speed', '-mr', '-seconds', '3', 'ecdsap256'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const row = text.split('\n').find((line) => line.startsWith('+F4:'));
  return Number(row.split(':')[3]);
}

const codeBody = (callback, extra = '') => `grant_type=authorization_code&redirect_uri=${encodeURIComponent(callback)}&code_verifier=${VECTOR.verifier}${extra}&code=`;

async function benchWarder() {
  const w = await World.start({ sample: false, wrap: ['taskset', '-c', SERVER], env: { WARDER_WORKERS: '1', WARDER_LOG_LEVEL: 'warn' } });
  try {
    await warderToken(w);
    await warderFlow(w);
    await warderMetadata(w);
  } finally {
    await w.stop();
  }
}

async function warderToken(w) {
  const machine = await w.machineClient(NEWS);
  const control = await machineToken(w, machine);
  if (control.status !== 200 || claims(control.body.access_token).aud !== w.mcp) throw new Error(control.text);
  const before = w.audit().length;
  const result = await measure('load.lua', w.metadata.token_endpoint,
    ['POST', `grant_type=client_credentials&scope=${encodeURIComponent(NEWS)}&resource=${encodeURIComponent(w.mcp)}`, FORM, `Authorization: ${basic(machine.client_id, machine.client_secret)}`]);
  const events = w.audit().length - before;
  note('token', 'warder', result, `audited (${events} events written) and durable`);
}

async function warderFlow(w) {
  const client = await register(w, { redirect_uris: [CALLBACK], token_endpoint_auth_method: 'client_secret_basic' });
  const browser = new Browser(w.base);
  await signIn(w, client, {}, { browser });
  const { parameters } = goodRequest(w, client, { code_challenge: VECTOR.challenge, state: 'x' });
  const url = authorizeUrl(w, parameters);
  note('flow', 'warder', await measure('flow.lua', w.base,
    [url.pathname + url.search, browser.cookieHeader(), new URL(w.metadata.token_endpoint).pathname, basic(client.client_id, client.client_secret), codeBody(CALLBACK)]),
  'audited and durable');
}

async function warderMetadata(w) {
  const url = `${w.base}/.well-known/oauth-authorization-server`;
  const bytes = Buffer.from(await (await fetch(url)).arrayBuffer());
  note('metadata', 'warder', await measure('load.lua', url, ['GET', '']));
  await benchNginx(bytes);
}

async function benchNginx(bytes) {
  const port = await freePort();
  const root = path.join(dir, 'nginx');
  mkdirSync(path.join(root, 'www/.well-known'), { recursive: true });
  writeFileSync(path.join(root, 'www/.well-known/oauth-authorization-server'), bytes);
  writeFileSync(path.join(root, 'nginx.conf'), `
    ${process.getuid() === 0 ? 'user root;' : ''} daemon off; worker_processes 1; pid ${root}/pid; error_log stderr error;
    events { worker_connections 1024; }
    http {
      access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; open_file_cache max=16;
      client_body_temp_path ${root}/b; proxy_temp_path ${root}/p; fastcgi_temp_path ${root}/f; uwsgi_temp_path ${root}/u; scgi_temp_path ${root}/s;
      server {
        listen 127.0.0.1:${port}; root ${root}/www; default_type application/json;
        location / { add_header Access-Control-Allow-Origin *; add_header Cache-Control "public, max-age=300"; add_header X-Content-Type-Options nosniff; }
      }
    }`);
  const url = `http://127.0.0.1:${port}/.well-known/oauth-authorization-server`;
  const child = await serve('nginx', 'nginx', ['-p', root, '-c', path.join(root, 'nginx.conf')], url);
  try {
    note('metadata', 'nginx', await measure('load.lua', url, ['GET', '']), 'the same bytes, one worker, sendfile, open_file_cache');
  } finally {
    await end(child);
  }
}

async function benchBare() {
  const port = await freePort();
  const child = await serve('bare', bare, [String(port), path.join(dir, 'bare.db')], `http://127.0.0.1:${port}/`);
  try {
    note('token', 'bare', await measure('load.lua', `http://127.0.0.1:${port}/`, ['POST', 'grant_type=client_credentials', FORM]),
      'one signature and one durable row, nothing else');
  } finally {
    await end(child);
  }
}

async function benchOidcProvider() {
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const child = await serve('oidc-provider', process.execPath, ['--no-warnings', path.join(here, 'oidc.mjs'), String(port)], `${base}/.well-known/openid-configuration`,
    { env: { ...process.env, NODE_ENV: 'production' } });
  try {
    const resource = encodeURIComponent('https://mcp.example/mcp');
    note('token', 'oidc-provider', await measure('load.lua', `${base}/token`,
      ['POST', `grant_type=client_credentials&scope=news%3Aread&resource=${resource}`, FORM, `Authorization: ${basic('machine', SECRET)}`]), 'in memory: not durable, not audited');
    const authorize = `/auth?response_type=code&client_id=web&redirect_uri=${encodeURIComponent(CALLBACK)}&scope=news%3Aread&resource=${resource}&state=x&code_challenge=${VECTOR.challenge}&code_challenge_method=S256`;
    const browser = new Browser(base);
    const { left } = await browser.get(base + authorize);
    if (!left?.searchParams.get('code')) throw new Error('oidc-provider gave no code');
    note('flow', 'oidc-provider', await measure('flow.lua', base, [authorize, browser.cookieHeader(), '/token', basic('web', SECRET), codeBody(CALLBACK)]), 'in memory: not durable, not audited');
  } finally {
    await end(child);
  }
}

async function benchGlewlwyd() {
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const child = await serve('glewlwyd', 'glewlwyd', ['-c', prepareFiles(dir, port)], base);
  try {
    const cookie = await configure(base);
    note('token', 'glewlwyd', await measure('load.lua', `${base}/api/oidc/token`, ['POST', 'grant_type=client_credentials&scope=news', FORM, `Authorization: ${basic('machine', SECRET)}`], 1), 'SQLite, its own settings');
    const authorize = `/api/oidc/auth?response_type=code&client_id=web&redirect_uri=${encodeURIComponent(CALLBACK)}&scope=news&state=x&g_continue&code_challenge=${VECTOR.challenge}&code_challenge_method=S256`;
    note('flow', 'glewlwyd', await measure('flow.lua', base, [authorize, cookie, '/api/oidc/token', basic('web', SECRET), codeBody(CALLBACK)], 1), 'SQLite, its own settings');
  } finally {
    await end(child);
  }
}

/** From exec to the first answered request, on a data folder that has been used before. */
async function startTimes() {
  const w = await World.start({ sample: false, users: [] });
  await w.stop({ keep: true });
  const times = [];
  for (let i = 0; i < STARTS; i++) {
    const port = await freePort();
    const begin = process.hrtime.bigint();
    const child = spawn(path.join(build, 'warder'), ['serve', '--listen', `127.0.0.1:${port}`, '--data', w.data], { stdio: ['ignore', 'pipe', 'ignore'] });
    children.add(child);
    await new Promise((resolve, reject) => {
      let text = '';
      child.stdout.on('data', (chunk) => /ready at/.test((text += chunk)) && resolve());
      child.on('close', (code) => reject(new Error(`warder ended: ${code}`)));
    });
    const ready = Number(process.hrtime.bigint() - begin) / 1e6;
    await (await fetch(`http://127.0.0.1:${port}/.well-known/oauth-authorization-server`)).text();
    times.push({ ready, rss: memory(child.pid, 'Rss'), pss: memory(child.pid, 'Pss') });
    child.removeAllListeners('close');
    await end(child);
  }
  rmSync(w.data, { recursive: true, force: true });
  return { ready: median(times.map((one) => one.ready)), rss: median(times.map((one) => one.rss)), pss: median(times.map((one) => one.pss)) };
}

function binarySize() {
  const file = path.join(build, 'warder');
  const copy = path.join(dir, 'stripped');
  copyFileSync(file, copy);
  execFileSync('strip', [copy]);
  return { whole: statSync(file).size / 1024, stripped: statSync(copy).size / 1024 };
}

function ratio(a, b) {
  const x = figures[a];
  const y = figures[b];
  return x && y ? (x / y).toFixed(2) : 'not measured';
}

async function step(name, run) {
  try {
    await run();
  } catch (error) {
    rows.push({ group: name, name: 'failed', rate: NaN, p50: NaN, p99: NaN, connections: '', remark: error.message.slice(0, 300) });
    console.error(`${name}: ${error.message}`);
    process.exitCode = 1;
  }
}

function version(file, args) {
  try {
    return execFileSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim().split('\n')[0];
  } catch (error) {
    return String(error.stderr ?? '').trim().split('\n')[0];
  }
}

const signing = signingRate();
figures['token: signing'] = signing;
rows.push({ group: 'token', name: 'openssl ES256', rate: signing, p50: NaN, p99: NaN, connections: '', remark: 'signing alone, no request' });
await step('bare', benchBare);
await step('warder', benchWarder);
await step('oidc-provider', benchOidcProvider);
await step('glewlwyd', benchGlewlwyd);
let start = { ready: NaN, rss: NaN, pss: NaN };
await step('start', async () => (start = await startTimes()));
let size = { whole: NaN, stripped: NaN };
await step('size', async () => (size = binarySize()));

const number = (x, digits = 2) => (Number.isFinite(x) ? x.toFixed(digits) : '');
console.log(`\nOne core for the server (CPU ${SERVER}), ${LOAD === SERVER ? 'the same one for the load: FIGURES ARE TOO LOW' : `another for the load (CPU ${LOAD})`}; ${os.cpus()[0].model.trim()}.`);
console.log(`${SECONDS} s a run, median of ${ROUNDS} (glewlwyd: one), ${CONNECTIONS.join(' or ')} connections, whichever is better; ${version('openssl', ['version'])}; node ${process.version}.\n`);
console.log('| work | server | per second | p50 ms | p99 ms | connections | remark |\n|---|---|--:|--:|--:|--:|---|');
for (const row of rows) {
  console.log(`| ${row.group} | ${row.name} | ${number(row.rate, 0)} | ${number(row.p50)} | ${number(row.p99)} | ${row.connections} | ${row.remark} |`);
}
console.log('\n| ratio | value | aim |\n|---|--:|--:|');
for (const [name, value, aim] of [
  ['token endpoint to bare program', ratio('token: warder', 'token: bare'), '0.65'],
  ['token endpoint to signing alone', ratio('token: warder', 'token: signing'), ''],
  ['token endpoint to oidc-provider', ratio('token: warder', 'token: oidc-provider'), '6'],
  ['token endpoint to glewlwyd', ratio('token: warder', 'token: glewlwyd'), '50'],
  ['code flow to oidc-provider', ratio('flow: warder', 'flow: oidc-provider'), '7'],
  ['code flow to glewlwyd', ratio('flow: warder', 'flow: glewlwyd'), ''],
  ['metadata to nginx', ratio('metadata: warder', 'metadata: nginx'), '0.9'],
  ['start until ready, ms', start.ready.toFixed(1), '< 50'],
  ['idle memory (Pss), MiB', start.pss.toFixed(1), '< 12'],
  ['idle memory (Rss, shared libraries counted whole), MiB', start.rss.toFixed(1), ''],
  ['binary, KiB (stripped)', `${size.whole.toFixed(0)} (${size.stripped.toFixed(0)})`, ''],
]) console.log(`| ${name} | ${value} | ${aim} |`);
