// OAuth by hand: every request can be bent, nothing is corrected on the way.
import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';
import net from 'node:net';
import { Browser } from './browser.mjs';
import { NEWS, PASSWORD } from './world.mjs';

export const CALLBACK = 'http://127.0.0.1:7654/callback';

export function pkce(verifier = randomBytes(32).toString('base64url')) {
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

export async function read(response) {
  const text = await response.text();
  let body = null;
  try {
    body = JSON.parse(text);
  } catch {
    // Not JSON: the caller looks at text.
  }
  return { status: response.status, headers: response.headers, text, body };
}

/** POST to the registration endpoint. */
export async function registerRaw(w, metadata, headers = {}) {
  const body = typeof metadata === 'string' ? metadata : JSON.stringify(metadata);
  return read(
    await fetch(`${w.base}${new URL(w.metadata.registration_endpoint).pathname}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    }),
  );
}

export async function register(w, metadata = {}) {
  const answer = await registerRaw(w, {
    client_name: 'Probe',
    redirect_uris: [CALLBACK],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    ...metadata,
  });
  if (answer.status !== 201) throw new Error(`registration: ${answer.status} ${answer.text}`);
  return answer.body;
}

/** An authorization URL. Parameters that are undefined are left out; arrays repeat. */
export function authorizeUrl(w, parameters) {
  const url = new URL(`${w.base}${new URL(w.metadata.authorization_endpoint).pathname}`);
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of [value].flat()) if (one !== undefined) url.searchParams.append(name, one);
  }
  return url;
}

/** The parameters of a request that is in order. */
export function goodRequest(w, client, overrides = {}) {
  const proof = pkce();
  return {
    verifier: proof.verifier,
    parameters: {
      response_type: 'code',
      client_id: client.client_id,
      redirect_uri: client.redirect_uris?.[0] ?? CALLBACK,
      code_challenge: proof.challenge,
      code_challenge_method: 'S256',
      scope: NEWS,
      state: randomBytes(8).toString('hex'),
      resource: w.mcp,
      ...overrides,
    },
  };
}

export async function newBrowser(w) {
  return new Browser(w.base);
}

/** Authorize up to the client's redirect URI: {left, code, verifier, parameters}. */
export async function authorize(w, client, overrides = {}, { browser = new Browser(w.base), approve = true, user = 'alice' } = {}) {
  const { verifier, parameters } = goodRequest(w, client, overrides);
  const left = await browser.authorize(authorizeUrl(w, parameters), {
    user,
    password: w.users[user] ?? PASSWORD,
    approve,
  });
  return { left, code: left.searchParams.get('code'), verifier, parameters, browser };
}

export function basic(id, secret) {
  const encode = (text) => encodeURIComponent(text).replace(/%20/g, '+');
  return `Basic ${Buffer.from(`${encode(id)}:${encode(secret)}`).toString('base64')}`;
}

/** POST to an endpoint of the metadata with client authentication as registered. */
export async function post(w, endpoint, client, parameters, { headers = {} } = {}) {
  const body = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of [value].flat()) if (one !== undefined) body.append(name, one);
  }
  const all = { 'content-type': 'application/x-www-form-urlencoded', ...headers };
  const method = client?.token_endpoint_auth_method ?? (client?.client_secret ? 'client_secret_basic' : 'none');
  if (client && method === 'client_secret_basic') all.authorization ??= basic(client.client_id, client.client_secret);
  if (client && method !== 'client_secret_basic') body.append('client_id', client.client_id);
  if (client && method === 'client_secret_post') body.append('client_secret', client.client_secret);
  const url = `${w.base}${new URL(w.metadata[endpoint]).pathname}`;
  return read(await fetch(url, { method: 'POST', headers: all, body: String(body) }));
}

export function token(w, client, parameters, options) {
  return post(w, 'token_endpoint', client, parameters, options);
}

export function redeem(w, client, granted, overrides = {}, options) {
  return token(w, client, {
    grant_type: 'authorization_code',
    code: granted.code,
    code_verifier: granted.verifier,
    redirect_uri: granted.parameters.redirect_uri,
    ...overrides,
  }, options);
}

export function refresh(w, client, refreshToken, overrides = {}, options) {
  return token(w, client, { grant_type: 'refresh_token', refresh_token: refreshToken, ...overrides }, options);
}

export function machineToken(w, client, overrides = {}, options) {
  return token(w, client, { grant_type: 'client_credentials', resource: w.mcp, ...overrides }, options);
}

/** The whole flow: the body of a token answer of 200. */
export async function signIn(w, client, overrides = {}, options) {
  const granted = await authorize(w, client, overrides, options);
  const answer = await redeem(w, client, granted, { resource: overrides.resource === undefined ? undefined : granted.parameters.resource });
  if (answer.status !== 200) throw new Error(`token: ${answer.status} ${answer.text}`);
  return { ...answer.body, granted };
}

export function claims(accessToken) {
  return JSON.parse(Buffer.from(accessToken.split('.')[1], 'base64url'));
}

export function jose(accessToken) {
  return JSON.parse(Buffer.from(accessToken.split('.')[0], 'base64url'));
}

// The MCP side.

let nextId = 1;
export async function mcpPost(url, message, { bearer, headers = {} } = {}) {
  const all = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2025-11-25',
    ...headers,
  };
  if (bearer !== undefined) all.authorization = `Bearer ${bearer}`;
  const answer = await read(await fetch(url, { method: 'POST', headers: all, body: JSON.stringify(message), redirect: 'manual' }));
  if (!answer.body && answer.text.includes('data:')) {
    const line = answer.text.split('\n').find((one) => one.startsWith('data:') && one.length > 6);
    if (line) answer.body = JSON.parse(line.slice(5));
  }
  return answer;
}

/** Opens an MCP session: the answer of initialize, and the headers that later requests carry. */
export async function mcpOpen(url, bearer) {
  const answer = await mcpPost(url, {
    jsonrpc: '2.0',
    id: nextId++,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'probe', version: '1' } },
  }, { bearer });
  const session = answer.headers.get('mcp-session-id');
  const headers = session ? { 'mcp-session-id': session } : {};
  if (answer.status === 200) {
    await mcpPost(url, { jsonrpc: '2.0', method: 'notifications/initialized' }, { bearer, headers });
  }
  return { ...answer, session, headers: headers, answerHeaders: answer.headers };
}

/** tools/call within a session of its own. */
export async function callTool(url, bearer, name, args = {}) {
  const session = await mcpOpen(url, bearer);
  if (session.status !== 200) return { ...session, headers: session.answerHeaders };
  return mcpPost(url, { jsonrpc: '2.0', id: nextId++, method: 'tools/call', params: { name, arguments: args } },
    { bearer, headers: session.headers });
}

export function getNews(w, bearer) {
  return callTool(w.mcp, bearer, 'get_news_sentiment', { ticker: 'ACME' });
}

export function analyze(w, bearer) {
  return callTool(w.mcp, bearer, 'analyze_sentiment', { text: 'Profit rose to 4.1m from 3.2m.' });
}

/** The parameters of a WWW-Authenticate header: {scheme, error, scope, …}. */
export function challenge(headers) {
  const value = headers.get('www-authenticate') ?? '';
  const found = { scheme: value.split(' ')[0], value };
  for (const [, name, quoted, plain] of value.matchAll(/([a-z_]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/g)) {
    found[name] = quoted?.replace(/\\(.)/g, '$1') ?? plain;
  }
  return found;
}

// Requests that fetch would not send.

/** node:http with any header, also Host, and from any local address: {status, headers, text}. */
export function httpRaw(url, { method = 'GET', headers = {}, body, localAddress, path } = {}) {
  const at = new URL(url);
  return new Promise((resolve, reject) => {
    const request = http.request(
      { host: at.hostname, port: at.port, path: path ?? at.pathname + at.search, method, headers, localAddress, agent: false },
      (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          const answerHeaders = new Headers();
          for (let i = 0; i < response.rawHeaders.length; i += 2) answerHeaders.append(response.rawHeaders[i], response.rawHeaders[i + 1]);
          let parsed = null;
          try {
            parsed = JSON.parse(text);
          } catch {
            // Not JSON.
          }
          resolve({ status: response.statusCode, headers: answerHeaders, text, body: parsed });
        });
      },
    );
    request.setTimeout(15_000, () => request.destroy(new Error('timeout')));
    request.on('error', reject);
    request.end(body);
  });
}

/** Bytes as they are; what comes back until the server closes, or for `ms`. */
export function bytes(url, data, ms = 3000) {
  const at = new URL(url);
  return new Promise((resolve) => {
    const chunks = [];
    const socket = net.connect(Number(at.port), at.hostname, () => socket.write(data));
    const done = () => {
      socket.destroy();
      resolve(Buffer.concat(chunks).toString('latin1'));
    };
    const timer = setTimeout(done, ms);
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', done);
    socket.on('close', () => {
      clearTimeout(timer);
      done();
    });
  });
}
