// What a host application adds to the SDKs: a provider that keeps things in memory and hands the
// authorization URL to the headless browser.
import { randomUUID } from 'node:crypto';
import { CALLBACK } from './oauth.mjs';

/** An OAuthClientProvider of either SDK. */
export class Keeper {
  constructor({ grants = ['authorization_code', 'refresh_token'], redirectUrl = CALLBACK, auth = 'none' } = {}) {
    this.redirectUrl = redirectUrl;
    this.clientMetadata = {
      client_name: 'SDK end-to-end client',
      application_type: 'native',
      redirect_uris: [redirectUrl],
      grant_types: grants,
      response_types: ['code'],
      token_endpoint_auth_method: auth,
    };
    this.registrations = 0;
    this.saved = [];
  }
  state() {
    return (this.lastState = randomUUID());
  }
  clientInformation() {
    return this.client;
  }
  saveClientInformation(client) {
    this.registrations++;
    this.client = client;
  }
  tokens() {
    return this.kept;
  }
  saveTokens(tokens) {
    this.saved.push(tokens);
    this.kept = tokens;
  }
  codeVerifier() {
    return this.verifier;
  }
  saveCodeVerifier(verifier) {
    this.verifier = verifier;
  }
  discoveryState() {
    return this.discovered;
  }
  saveDiscoveryState(state) {
    this.discovered = state;
  }
  redirectToAuthorization(url) {
    this.asked = url;
  }
  /** The access token is no longer taken, the refresh token is. */
  spoilAccessToken() {
    this.kept = { ...this.kept, access_token: `${this.kept.access_token.slice(0, -6)}AAAAAA` };
  }
}

/** A fetch that remembers each request and the status it got. */
export function recordingFetch() {
  const seen = [];
  const recorder = async (url, init) => {
    const response = await fetch(url, init);
    seen.push({
      method: init?.method ?? 'GET',
      url: String(url),
      body: init?.body === undefined ? '' : String(init.body),
      status: response.status,
      challenge: response.headers.get('www-authenticate'),
    });
    return response;
  };
  return { seen, recorder };
}

/** What a tool said, as an object. */
export function said(result) {
  return result.structuredContent ?? JSON.parse(result.content[0].text);
}
