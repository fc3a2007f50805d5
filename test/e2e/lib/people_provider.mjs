// npm's oidc-provider as a stranger's authorization server for people: clients register themselves,
// whoever comes is alice and approves, refresh tokens rotate and a second use of one ends the grant.
import http from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';
import { unheld } from './world.mjs';

// ID tokens are signed with RS256 for clients that ask for nothing else.
const RSA = { ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig', kid: 'people-rsa' };
const SIGNING = { ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'people' };

export class PeopleProvider {
  /** scopes: of every resource, space-separated. */
  static async start(scopes, { ttl = 600, port = 0, configure = (c) => c } = {}) {
    const p = new PeopleProvider();
    p.events = [];
    p.server = http.createServer((request, response) => p.answer(request, response));
    await new Promise((resolve) => unheld(p.server).listen(port, '127.0.0.1', resolve));
    p.issuer = `http://127.0.0.1:${p.server.address().port}`;
    p.provider = new Provider(p.issuer, configure({
      jwks: { keys: [SIGNING, RSA] },
      cookies: { keys: ['test'] },
      scopes: ['openid', 'offline_access', ...scopes.split(' ')],
      clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post'],
      pkce: { required: () => true },
      rotateRefreshToken: true,
      issueRefreshToken: async (_, client) => client.grantTypeAllowed('refresh_token'),
      ttl: { AccessToken: ttl, Grant: 86400, Interaction: 60, RefreshToken: 86400, Session: 86400, AuthorizationCode: 60 },
      findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
      interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
      features: {
        devInteractions: { enabled: false },
        registration: { enabled: true, initialAccessToken: false },
        revocation: { enabled: true },
        dPoP: { enabled: true },
        resourceIndicators: {
          enabled: true,
          useGrantedResource: () => true,
          getResourceServerInfo: (_, resource) => ({
            scope: scopes, audience: resource, accessTokenFormat: 'jwt', accessTokenTTL: ttl, jwt: { sign: { alg: 'ES256' } },
          }),
        },
      },
    }));
    for (const name of ['refresh_token.consumed', 'grant.success', 'grant.error', 'grant.revoked', 'registration_create.success', 'access_token.issued']) {
      p.provider.on(name, (...args) => p.events.push([name, args.at(-1)?.message ?? args.at(-1)?.error_detail ?? '']));
    }
    p.callback = p.provider.callback();
    return p;
  }

  count(name) {
    return this.events.filter(([each]) => each === name).length;
  }

  async answer(request, response) {
    const uid = /^\/interaction\/([\w-]+)/.exec(request.url)?.[1];
    if (!uid) return this.callback(request, response);
    try {
      await this.approve(request, response);
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  }

  /** Signs alice in, and grants all that is asked. */
  async approve(request, response) {
    const { provider } = this;
    const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
    if (prompt.name === 'login') return provider.interactionFinished(request, response, { login: { accountId: 'alice' } });
    const grant = (grantId && (await provider.Grant.find(grantId))) || new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    const { missingOIDCScope, missingResourceScopes } = prompt.details;
    if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(' '));
    for (const [resource, scopes] of Object.entries(missingResourceScopes ?? {})) grant.addResourceScope(resource, scopes.join(' '));
    return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** Goes through its redirects with cookies, until one leads to the client; calls that. */
export function visits(origin) {
  const cookies = new Map();
  return async (url) => {
    for (let hop = 0, at = url; hop < 12; hop++) {
      const inside = new URL(at).origin === origin;
      const headers = inside && cookies.size ? { cookie: [...cookies].map((pair) => pair.join('=')).join('; ') } : {};
      const answer = await fetch(at, { redirect: 'manual', headers });
      for (const line of answer.headers.getSetCookie()) {
        const [pair] = line.split(';');
        cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
      }
      const text = await answer.text();
      const location = answer.headers.get('location');
      if (!location && inside) throw new Error(`stopped at ${answer.status}: ${text.slice(0, 400)}`);
      if (!location) return answer.status;
      at = new URL(location, at).href;
    }
    throw new Error('too many redirects');
  };
}
