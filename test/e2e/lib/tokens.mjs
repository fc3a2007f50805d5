// Introspection, revocation and exchange by hand and by real clients.
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { post, token } from './oauth.mjs';

export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
export const HTTP = { [oauth.allowInsecureRequests]: true };

/** A client that is the server of `uri`, and may exchange its tokens for those of `targets`. */
export function serviceClient(w, uri, targets = [], extra = []) {
  const more = targets.flatMap((target) => ['--exchange-to', target]);
  return w.addClient(['--name', 'Service', '--resource-server', uri, ...more, ...extra]);
}

export async function introspect(w, client, value, more = {}) {
  return post(w, 'introspection_endpoint', client, { token: value, ...more });
}

export async function isActive(w, client, value) {
  const answer = await introspect(w, client, value);
  if (answer.status !== 200) throw new Error(`introspection: ${answer.status} ${answer.text}`);
  return answer.body.active;
}

export function revoke(w, client, value, more = {}) {
  return post(w, 'revocation_endpoint', client, { token: value, ...more });
}

export function exchange(w, client, subject, more = {}) {
  return token(w, client, { grant_type: TOKEN_EXCHANGE, subject_token: subject, subject_token_type: ACCESS_TOKEN, ...more });
}

/** The page of the list of revocations behind `since`. */
export async function revocations(w, since) {
  const url = new URL(w.metadata.warder_revocations_endpoint);
  if (since !== undefined) url.searchParams.set('since', since);
  const answer = await fetch(url);
  return { status: answer.status, headers: answer.headers, text: await answer.clone().text(), body: answer.ok ? await answer.json() : null };
}

/** The server as oauth4webapi sees it. */
export async function discover(w) {
  const issuer = new URL(w.issuer);
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...HTTP }));
}

/** A client as openid-client sees it. */
export function openidClient(w, client) {
  return openid.discovery(new URL(w.issuer), client.client_id, client.client_secret,
    openid.ClientSecretBasic(client.client_secret), { algorithm: 'oauth2', execute: [openid.allowInsecureRequests] });
}
