// npm's oidc-provider as somebody else's authorization server, whose keys can be rotated and which
// can be away.
import { createPrivateKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import http from 'node:http';
import Provider from 'oidc-provider';
import { b64 } from './issuer.mjs';
import { unheld } from './world.mjs';

const SECRET = 'a-secret-of-the-machine-0123456789';

function newKey() {
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
  return { ...key, alg: 'ES256', use: 'sig', kid: randomUUID() };
}

export class Foreign {
  /** scopes: space-separated, of every resource. */
  static async start(scopes, { format = 'jwt' } = {}) {
    const f = new Foreign();
    Object.assign(f, { scopes, format, keys: [newKey()], port: 0 });
    await f.up();
    return f;
  }

  async up() {
    this.server = http.createServer((request, response) => this.answer(request, response));
    await new Promise((resolve) => unheld(this.server).listen(this.port, '127.0.0.1', resolve));
    this.port = this.server.address().port;
    this.issuer = `http://127.0.0.1:${this.port}`;
    this.provide();
  }

  async down() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** Publishes a key that does not sign yet, as careful providers do before each rotation. */
  announce() {
    this.keys = [...this.keys, newKey()];
    this.provide();
  }

  /** What was announced signs from now on, or else a key that nobody has seen; the others stay published. */
  rotate({ announced = false } = {}) {
    this.keys = announced ? [this.keys.at(-1), ...this.keys.slice(0, -1)] : [newKey(), ...this.keys];
    this.provide();
  }

  provide() {
    const { scopes, format } = this;
    this.provider = new Provider(this.issuer, {
      jwks: { keys: this.keys },
      cookies: { keys: ['test'] },
      scopes: scopes.split(' '),
      clients: [{
        client_id: 'machine', client_secret: SECRET, token_endpoint_auth_method: 'client_secret_basic',
        grant_types: ['client_credentials'], redirect_uris: [], response_types: [], scope: scopes, id_token_signed_response_alg: 'ES256',
      }],
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        introspection: { enabled: true, allowedPolicy: () => true },
        resourceIndicators: {
          enabled: true,
          useGrantedResource: () => true,
          getResourceServerInfo: (_, resource) => ({
            scope: scopes, audience: resource, accessTokenFormat: format, accessTokenTTL: this.ttl ?? 600,
            ...(format === 'jwt' ? { jwt: { sign: { alg: 'ES256' } } } : {}),
          }),
        },
      },
    });
    this.callback = this.provider.callback();
  }

  answer(request, response) {
    this.callback(request, response);
  }

  /** An access token of the machine for `resource`. */
  async token(resource, { scope = this.scopes } = {}) {
    const answer = await fetch(`${this.issuer}/token`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Basic ${Buffer.from(`machine:${SECRET}`).toString('base64')}`,
      },
      body: String(new URLSearchParams({ grant_type: 'client_credentials', resource, scope })),
    });
    const body = await answer.json();
    if (answer.status !== 200) throw new Error(`oidc-provider: ${answer.status} ${JSON.stringify(body)}`);
    return body.access_token;
  }

  /** A token with members of header and claims put otherwise, under the key that signs now. */
  resign(token, { header = {}, claims = {} }) {
    const [head, body] = token.split('.').slice(0, 2).map((part) => JSON.parse(Buffer.from(part, 'base64url')));
    const input = `${b64({ ...head, kid: this.keys[0].kid, ...header })}.${b64({ ...body, ...claims })}`;
    const key = createPrivateKey({ key: this.keys[0], format: 'jwk' });
    return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  }

  get clientId() {
    return 'machine';
  }
  get secret() {
    return SECRET;
  }
}
