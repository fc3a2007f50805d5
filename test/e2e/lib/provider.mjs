// An OpenID provider for people, strict where providers are: exact redirect URI, PKCE, client secret
// by Basic, codes that are good once. Whatever it answers a test can bend.
import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';

const CLIENT = 'warder-at-provider';
const SECRET = 'sec:ret with +signs%';

export class Provider {
  static async start() {
    const p = new Provider();
    Object.assign(p, { clientId: CLIENT, secret: SECRET, codes: new Map(), asked: [], exchanges: 0, says: {} });
    p.keys = { now: await p.key('k1'), stranger: await p.key('k1') };
    p.server = http.createServer((request, response) => p.answer(request, response).catch((error) => {
      p.fault = error;
      response.writeHead(500).end();
    }));
    await p.listen(0);
    p.url = `http://127.0.0.1:${p.port}`;
    p.person();
    return p;
  }

  async key(kid) {
    const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
    return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' } };
  }

  async listen(port) {
    await new Promise((resolve) => this.server.listen(port, '127.0.0.1', resolve));
    this.port = this.server.address().port;
  }

  async down() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  up() {
    return this.listen(this.port);
  }

  /** Who signs in from now on, and that nothing is bent. */
  person(claims = {}) {
    this.says = { claims: { sub: 'sub-1', preferred_username: 'Dana', email: 'dana@example.com', email_verified: true, ...claims } };
  }

  async answer(request, response) {
    const url = new URL(request.url, this.url);
    const json = (status, value) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    if (url.pathname === '/.well-known/openid-configuration') {
      return json(200, {
        issuer: this.url, authorization_endpoint: `${this.url}/authorize`, token_endpoint: `${this.url}/token`, jwks_uri: `${this.url}/jwks`,
        response_types_supported: ['code'], subject_types_supported: ['public'], id_token_signing_alg_values_supported: ['RS256'],
        authorization_response_iss_parameter_supported: true, ...this.metadata,
      });
    }
    if (url.pathname === '/jwks') return json(200, { keys: [this.keys.now.jwk] });
    if (url.pathname === '/authorize') return this.authorize(url.searchParams, response);
    if (url.pathname === '/token') return this.token(request, json);
    return json(404, {});
  }

  authorize(query, response) {
    const asked = Object.fromEntries(query);
    this.asked.push(asked);
    const back = new URL(asked.redirect_uri);
    if (asked.client_id !== CLIENT || asked.response_type !== 'code' || asked.redirect_uri !== this.redirectUri || asked.code_challenge_method !== 'S256') {
      return response.writeHead(400).end('bad request');
    }
    const code = randomBytes(16).toString('base64url');
    this.codes.set(code, asked);
    const answer = this.says.error ? { error: this.says.error, state: asked.state, iss: this.url } : { code, state: asked.state, iss: this.url };
    for (const [name, value] of Object.entries({ ...answer, ...this.says.answer })) if (value !== undefined) back.searchParams.set(name, value);
    return response.writeHead(302, { location: back.href }).end();
  }

  async token(request, json) {
    this.exchanges++;
    let body = '';
    for await (const chunk of request) body += chunk;
    const form = new URLSearchParams(body);
    const [id, secret] = Buffer.from(request.headers.authorization?.replace(/^Basic /, '') ?? '', 'base64').toString().split(':')
      .map((part) => decodeURIComponent(part.replaceAll('+', ' ')));
    if (id !== CLIENT || secret !== SECRET) return json(401, { error: 'invalid_client' });
    const asked = this.codes.get(form.get('code'));
    if (!this.says.lenient) this.codes.delete(form.get('code'));
    const challenge = createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url');
    if (!asked || form.get('grant_type') !== 'authorization_code' || form.get('redirect_uri') !== asked.redirect_uri || challenge !== asked.code_challenge) {
      return json(400, { error: 'invalid_grant' });
    }
    const body_ = { access_token: 'provider-access-token', refresh_token: 'provider-refresh-token', token_type: 'Bearer', expires_in: 60,
      id_token: await this.idToken(asked) };
    return json(200, { ...body_, ...this.says.token });
  }

  async idToken(asked) {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: this.url, aud: CLIENT, iat: now, exp: now + 300, auth_time: now, nonce: asked.nonce, ...this.says.claims };
    const key = this.keys[this.says.key ?? 'now'];
    return new SignJWT(Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined)))
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: key.kid, ...this.says.header }).sign(key.privateKey);
  }
}
