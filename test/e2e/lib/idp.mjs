// Who signs assertions: a client, an identity provider, or the platform of a workload. Its keys are
// published by a small server of its own.
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';

export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
export const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
export const ID_JAG_TYP = 'oauth-id-jag+jwt';

export const seconds = () => Math.floor(Date.now() / 1000);

/** A key pair: {alg, kid, privateKey, publicJwk, privateJwk}. */
export async function keyPair(alg = 'ES256', kid = randomUUID()) {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const more = { kid, alg, use: 'sig' };
  return {
    alg,
    kid,
    privateKey,
    publicJwk: { ...(await exportJWK(publicKey)), ...more },
    privateJwk: { ...(await exportJWK(privateKey)), ...more },
  };
}

/** Signs claims; undefined ones are left out. */
export function sign(key, claims, header = {}) {
  const present = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
  const all = { alg: key.alg, kid: key.kid, ...header };
  for (const name of Object.keys(all)) if (all[name] === undefined) delete all[name];
  return new SignJWT(present).setProtectedHeader(all).sign(key.privateKey);
}

/** A client assertion that is in order, but for the overrides (RFC 7523 section 3). */
export function clientAssertion(w, clientId, key, overrides = {}, header = {}) {
  const now = seconds();
  return sign(key, { iss: clientId, sub: clientId, aud: w.issuer, jti: randomUUID(), iat: now, exp: now + 60, ...overrides }, header);
}

/** Publishes keys, and metadata that say where they are. */
export class Idp {
  static async start(keys = []) {
    const idp = new Idp();
    idp.keys = keys;
    idp.hits = [];
    idp.broken = false;
    idp.server = http.createServer((request, response) => idp.answer(request, response));
    await new Promise((resolve) => idp.server.listen(0, '127.0.0.1', resolve));
    idp.url = `http://127.0.0.1:${idp.server.address().port}`;
    idp.named = idp.url; // what its metadata say it is
    return idp;
  }

  answer(request, response) {
    this.hits.push(request.url);
    const documents = {
      '/keys': { keys: this.keys.map((key) => key.publicJwk) },
      '/.well-known/openid-configuration': { issuer: this.named, jwks_uri: `${this.url}/keys` },
    };
    const document = this.broken ? undefined : documents[request.url];
    response.writeHead(this.broken ? 503 : document ? 200 : 404, { 'content-type': 'application/json', 'cache-control': 'max-age=60' });
    response.end(JSON.stringify(document ?? {}));
  }

  /** An ID-JAG that is in order, but for the overrides. */
  idJag(w, clientId, overrides = {}, header = {}) {
    const now = seconds();
    return sign(this.keys[0], {
      iss: this.url, sub: 'employee-1', aud: w.issuer, client_id: clientId, resource: w.mcp,
      scope: 'news:read', jti: randomUUID(), iat: now, exp: now + 120, ...overrides,
    }, { typ: ID_JAG_TYP, ...header });
  }

  /** The token of a workload that is in order, but for the overrides. */
  workload(w, overrides = {}, header = {}) {
    const now = seconds();
    return sign(this.keys[0], {
      iss: this.url, sub: 'repo:acme/app:main', environment: 'production', aud: w.issuer,
      jti: randomUUID(), iat: now, exp: now + 600, ...overrides,
    }, { typ: 'JWT', ...header });
  }

  close() {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }
}
