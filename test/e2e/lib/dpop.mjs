// Proofs of possession by hand (RFC 9449): each part can be bent, nothing is corrected on the way.
import { constants, createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';

const encode = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

const KINDS = {
  ES256: ['ec', { namedCurve: 'P-256' }, (key, data) => sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' })],
  EdDSA: ['ed25519', {}, (key, data) => sign(null, data, key)],
  Ed25519: ['ed25519', {}, (key, data) => sign(null, data, key)],
  PS256: ['rsa', { modulusLength: 2048 }, (key, data) =>
    sign('sha256', data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 })],
  RS256: ['rsa', { modulusLength: 2048 }, (key, data) => sign('sha256', data, key)],
};

/** A key of the client: {alg, jwk, jkt, sign}. */
export function newKey(alg = 'ES256') {
  const [kind, options, signer] = KINDS[alg];
  const { publicKey, privateKey } = generateKeyPairSync(kind, options);
  const jwk = publicKey.export({ format: 'jwk' });
  const members = Object.fromEntries(Object.keys(jwk).sort().map((name) => [name, jwk[name]]));
  return {
    alg, jwk,
    jkt: createHash('sha256').update(JSON.stringify(members)).digest('base64url'),
    privateJwk: privateKey.export({ format: 'jwk' }),
    sign: (data) => signer(privateKey, data),
  };
}

export const now = () => Math.floor(Date.now() / 1000);

export const ath = (token) => createHash('sha256').update(token).digest('base64url');

/** A proof for a POST to `htu`. `claims` and `header` override; a member that is undefined is left
 *  out. `token`: the access token it comes with. `signature` replaces the right one. */
export function proof(key, htu, { token, nonce, claims = {}, header = {}, signature } = {}) {
  const input = `${encode({ typ: 'dpop+jwt', alg: key.alg, jwk: key.jwk, ...header })}.${encode({
    jti: randomUUID(), htm: 'POST', htu, iat: now(),
    ath: token && ath(token), nonce, ...claims,
  })}`;
  return `${input}.${signature ?? key.sign(Buffer.from(input)).toString('base64url')}`;
}
