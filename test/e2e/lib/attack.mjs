// What the attack tests share: how a refusal looks, and the control that must still succeed.
import assert from 'node:assert/strict';
import http from 'node:http';
import { Browser } from './browser.mjs';
import { authorizeUrl, goodRequest, register, signIn } from './oauth.mjs';
import { PASSWORD } from './world.mjs';

/** A browser that is signed in and has answered one consent page. */
export async function signedIn(w, user = 'alice') {
  const browser = new Browser(w.base);
  const client = await register(w);
  await signIn(w, client, {}, { browser, user });
  return browser;
}

/** Plays an authorization request: {left} at the client, or {status, page} where the server kept it. */
export async function play(w, client, overrides = {}, { browser = new Browser(w.base), approve = true, user = 'alice' } = {}) {
  const { verifier, parameters } = goodRequest(w, client, overrides);
  return { ...(await playUrl(w, authorizeUrl(w, parameters), { browser, approve, user })), verifier, parameters };
}

export async function playUrl(w, url, { browser = new Browser(w.base), approve = true, user = 'alice' } = {}) {
  try {
    const left = await browser.authorize(url, { user, password: w.users[user] ?? PASSWORD, approve });
    return { left, code: left.searchParams.get('code'), error: left.searchParams.get('error'), browser };
  } catch (error) {
    if (!error.at) throw error;
    return { ...error.at, code: null, error: null, browser };
  }
}

/** The server showed a page of its own, sent nobody anywhere, and minted nothing. */
export function assertPage(result, note) {
  assert.equal(result.left, undefined, `${note ?? ''} led to ${result.left}`);
  assert.ok(result.status >= 400 && result.status < 500, `${note ?? ''} answered ${result.status}: ${result.text?.slice(0, 300)}`);
  assert.equal(result.headers.get('location'), null);
  assert.match(result.headers.get('content-type') ?? '', /^text\/html/);
  assert.equal(result.page.refresh, null);
}

/** No code: a page of 4xx, or an error at the client with one of these names. */
export function assertRefused(result, errors, note = '') {
  assert.equal(result.code ?? null, null, `${note} got a code`);
  if (!result.left) {
    assertPage(result, note);
    return;
  }
  assert.ok(errors.includes(result.error), `${note}: ${result.left}`);
}

export function assertTokenError(answer, errors, note = '') {
  assert.ok(answer.status >= 400 && answer.status < 500, `${note} answered ${answer.status}: ${answer.text}`);
  assert.equal(answer.body?.access_token, undefined, note);
  assert.ok([errors].flat().includes(answer.body?.error), `${note}: ${answer.status} ${answer.text}`);
}

/** After the negatives: an ordinary sign-in works. */
export async function control(w, client) {
  const tokens = await signIn(w, client ?? (await register(w)));
  assert.ok(tokens.access_token);
  return tokens;
}

/** A server that counts who comes; for hosts that must never be contacted. */
export async function trap() {
  const hits = [];
  const server = http.createServer((request, response) => {
    hits.push(`${request.method} ${request.url}`);
    response.end('{}');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    hits,
    url: `http://127.0.0.1:${server.address().port}`,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
