// The peer: Debian's glewlwyd on SQLite, set up through its own API for the same work. ES256 JWT
// access tokens, client credentials, the code flow with PKCE, a live session and a stored consent.
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const SQL = '/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3';
const PACKAGED = '/etc/glewlwyd/glewlwyd.conf';
export const SECRET = 'a-secret-of-the-benchmark-0123456789';
export const CALLBACK = 'https://c.test/cb';
const PASSWORD = 'correct horse battery staple';

/** Writes database and settings into `dir`; the path of the settings. */
export function prepareFiles(dir, port) {
  const database = path.join(dir, 'glewlwyd.db');
  execFileSync('sqlite3', [database], { input: readFileSync(SQL) });
  const settings = readFileSync(PACKAGED, 'utf8')
    .replace(/^@include.*$/m, '')
    .replace(/^port=.*$/m, `port=${port}`)
    .replace(/^external_url=.*$/m, `external_url="http://127.0.0.1:${port}"`)
    .replace(/^log_mode=.*$/m, 'log_mode="console"')
    .replace(/^log_level=.*$/m, 'log_level="ERROR"');
  const file = path.join(dir, 'glewlwyd.conf');
  writeFileSync(file, `${settings}\nbind_address="127.0.0.1"\ndatabase = { type = "sqlite3"; path = "${database}"; };\n`);
  return file;
}

/** Adds plugin, scope, person and clients; the cookie of a session that has consented. */
export async function configure(base) {
  const { publicKey, privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  let cookie = '';
  const api = async (method, where, body) => {
    const response = await fetch(`${base}/api/${where}`, {
      method,
      headers: { 'content-type': 'application/json', cookie },
      body: JSON.stringify(body),
    });
    const set = response.headers.getSetCookie().map((one) => one.split(';')[0]).join('; ');
    if (set) cookie = set;
    if (!response.ok) throw new Error(`glewlwyd: ${method} ${where}: ${response.status} ${await response.text()}`);
  };
  await api('POST', 'auth/', { username: 'admin', password: 'password' });
  await api('POST', 'mod/plugin/', {
    module: 'oidc', name: 'oidc', display_name: 'bench', order_rank: 0,
    parameters: {
      iss: base, 'jwt-type': 'ecdsa', 'jwt-key-size': '256', key: privateKey, cert: publicKey,
      'access-token-duration': 600, 'refresh-token-duration': 1209600, 'code-duration': 60, 'refresh-token-rolling': true,
      'allow-non-oidc': true, 'auth-type-client-enabled': true, 'auth-type-code-enabled': true, 'auth-type-code-revoke-replayed': true,
      'auth-type-refresh-enabled': true, 'auth-type-token-enabled': false, 'auth-type-id-token-enabled': false,
      'auth-type-password-enabled': false, 'auth-type-none-enabled': false, 'auth-type-device-enabled': false, 'auth-type-implicit-enabled': false,
      'pkce-allowed': true, 'pkce-method-plain-allowed': false, 'pkce-required': false, 'allowed-scope': ['openid'],
      'subject-type': 'public', 'oauth-as-iss-id': true,
    },
  });
  await api('POST', 'scope/', { name: 'news', display_name: 'News', description: 'News', password_required: true, scheme: {} });
  await api('POST', 'user/', { username: 'alice', name: 'Alice', password: PASSWORD, scope: ['news', 'openid', 'g_profile'], enabled: true });
  const client = { confidential: true, client_secret: SECRET, token_endpoint_auth_method: ['client_secret_basic'], enabled: true };
  await api('POST', 'client/', { ...client, client_id: 'machine', name: 'machine', authorization_type: ['client_credentials'], scope: ['news'], redirect_uri: [] });
  await api('POST', 'client/', { ...client, client_id: 'web', name: 'web', authorization_type: ['code', 'refresh_token'], scope: [], redirect_uri: [CALLBACK] });
  cookie = '';
  await api('POST', 'auth/', { username: 'alice', password: PASSWORD });
  await api('PUT', 'auth/grant/web', { scope: 'news openid' });
  return cookie;
}
