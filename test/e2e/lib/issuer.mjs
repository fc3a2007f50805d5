// An issuer of our own for the resource server: it signs whatever a test wants to see refused, and
// its key set can fail in every way that a network offers.
import { createHmac, createPublicKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import http from 'node:http';
import { unheld } from './world.mjs';

export const b64 = (value) => Buffer.from(typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value)).toString('base64url');

const HOW = {
  ES256: (data, key) => sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' }),
  RS256: (data, key) => sign('sha256', data, key),
  PS256: (data, key) => sign('sha256', data, { key, padding: 6, saltLength: 32 }),
  EdDSA: (data, key) => sign(null, data, key),
};

export class Issuer {
  static async start() {
    const issuer = new Issuer();
    issuer.keys = {
      ec: issuer.key('ec', { namedCurve: 'P-256' }, 'ES256'),
      rsa: issuer.key('rsa', { modulusLength: 2048 }, 'RS256'),
      ps: issuer.key('rsa', { modulusLength: 2048 }, 'PS256'),
      ed: issuer.key('ed25519', {}, 'EdDSA'),
      stranger: issuer.key('ec', { namedCurve: 'P-256' }, 'ES256'),
    };
    issuer.published = ['ec', 'rsa', 'ps', 'ed'];
    issuer.fetches = 0;
    issuer.mode = 'ok';
    await issuer.listen(0);
    return issuer;
  }

  key(type, options, alg) {
    const { publicKey, privateKey } = generateKeyPairSync(type, options);
    const kid = randomUUID();
    return { privateKey, publicKey, alg, kid, jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' } };
  }

  async listen(port) {
    this.server = http.createServer((request, response) => this.answer(request, response));
    await new Promise((resolve) => unheld(this.server).listen(port, '127.0.0.1', resolve));
    this.port = this.server.address().port;
    this.url = `http://127.0.0.1:${this.port}`;
  }

  answer(request, response) {
    const json = (value) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(value));
    };
    if (request.url.startsWith('/.well-known/')) {
      json({
        issuer: this.url,
        jwks_uri: this.jwksUri ?? `${this.url}/jwks`,
        authorization_endpoint: `${this.url}/authorize`,
        token_endpoint: `${this.url}/token`,
        response_types_supported: ['code'],
        code_challenge_methods_supported: ['S256'],
      });
      return;
    }
    this.fetches++;
    const modes = {
      ok: () => json({ keys: this.published.map((name) => this.keys[name].jwk) }),
      500: () => response.writeHead(500).end('no'),
      hang: () => {},
      html: () => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
    };
    modes[this.mode]();
  }

  async down() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  async up() {
    await this.listen(this.port);
  }

  claims(resource, overrides = {}) {
    const now = Math.floor(Date.now() / 1000);
    const all = {
      iss: this.url, sub: 'alice', aud: resource, client_id: 'c', scope: 'news:read', iat: now, exp: now + 300, jti: randomUUID(),
      ...overrides,
    };
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  }

  /** A JWS over any header and payload; strings are taken byte for byte. */
  sign(name, payload, header = {}) {
    const key = this.keys[name];
    const full = typeof header === 'string' ? header : { typ: 'at+jwt', alg: key.alg, kid: key.kid, ...header };
    const clean = typeof full === 'string' ? full : Object.fromEntries(Object.entries(full).filter(([, value]) => value !== undefined));
    const input = `${b64(clean)}.${b64(payload)}`;
    return `${input}.${HOW[key.alg](Buffer.from(input), key.privateKey).toString('base64url')}`;
  }

  hmac(secret, payload, header = {}) {
    const input = `${b64({ typ: 'at+jwt', alg: 'HS256', ...header })}.${b64(payload)}`;
    return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
  }

  pem(name) {
    return createPublicKey(this.keys[name].privateKey).export({ type: 'spki', format: 'pem' });
  }

  der(name) {
    return createPublicKey(this.keys[name].privateKey).export({ type: 'spki', format: 'der' });
  }
}
