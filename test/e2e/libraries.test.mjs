// oauth4webapi and openid-client, code flow: plain, with pushed requests, with bound tokens, with both.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { control } from './lib/attack.mjs';
import { Browser } from './lib/browser.mjs';
import { CALLBACK, claims, register } from './lib/oauth.mjs';
import { NEWS, PASSWORD, World } from './lib/world.mjs';

const insecure = { [oauth.allowInsecureRequests]: true };
const WAYS = [
  { name: 'plain', push: false, bind: false },
  { name: 'with pushed requests', push: true, bind: false },
  { name: 'with bound tokens', push: false, bind: true },
  { name: 'with both', push: true, bind: true },
];

let w;
let client;
before(async () => {
  w = await World.start({ sample: false });
  client = await register(w);
});
after(() => w?.stop());

const visit = (url) => new Browser(w.base).authorize(url, { password: PASSWORD });

/** What the tokens of either library must be. */
function check(tokens, bind) {
  assert.equal(tokens.token_type.toLowerCase(), bind ? 'dpop' : 'bearer');
  const said = claims(tokens.access_token);
  assert.equal(said.aud, w.mcp);
  assert.equal(typeof said.cnf?.jkt, bind ? 'string' : 'undefined');
}

async function request(verifier, state) {
  return {
    client_id: client.client_id,
    redirect_uri: CALLBACK,
    response_type: 'code',
    scope: NEWS,
    state,
    resource: w.mcp,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  };
}

for (const { name, push, bind } of WAYS) {
  test(`oauth4webapi: code flow and refresh, ${name}`, async () => {
    const as = await oauth.processDiscoveryResponse(new URL(w.issuer),
      await oauth.discoveryRequest(new URL(w.issuer), { algorithm: 'oauth2', ...insecure }));
    const verifier = oauth.generateRandomCodeVerifier();
    const state = oauth.generateRandomState();
    const DPoP = bind ? oauth.DPoP(client, await oauth.generateKeyPair('ES256')) : undefined;
    const options = { ...insecure, DPoP };
    let parameters = await request(verifier, state);
    if (push) {
      const pushed = await oauth.pushedAuthorizationRequest(as, client, oauth.None(), parameters, options);
      const { request_uri } = await oauth.processPushedAuthorizationResponse(as, client, pushed);
      parameters = { client_id: client.client_id, request_uri };
    }
    const url = new URL(as.authorization_endpoint);
    url.search = String(new URLSearchParams(parameters));
    const answer = oauth.validateAuthResponse(as, client, await visit(url), state);
    const tokens = await oauth.processAuthorizationCodeResponse(as, client,
      await oauth.authorizationCodeGrantRequest(as, client, oauth.None(), answer, CALLBACK, verifier, options));
    check(tokens, bind);
    check(await oauth.processRefreshTokenResponse(as, client,
      await oauth.refreshTokenGrantRequest(as, client, oauth.None(), tokens.refresh_token, options)), bind);
    await control(w, client);
  });

  test(`openid-client: code flow and refresh, ${name}`, async () => {
    const config = await openid.discovery(new URL(w.issuer), client.client_id, undefined, openid.None(),
      { algorithm: 'oauth2', execute: [openid.allowInsecureRequests] });
    const verifier = openid.randomPKCECodeVerifier();
    const state = openid.randomState();
    const DPoP = bind ? openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256')) : undefined;
    const parameters = await request(verifier, state);
    const url = push
      ? await openid.buildAuthorizationUrlWithPAR(config, parameters, { DPoP })
      : openid.buildAuthorizationUrl(config, parameters);
    assert.equal(url.searchParams.has('request_uri'), push);
    const tokens = await openid.authorizationCodeGrant(config, await visit(url),
      { pkceCodeVerifier: verifier, expectedState: state }, undefined, { DPoP });
    check(tokens, bind);
    check(await openid.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP }), bind);
    await control(w, client);
  });
}
