// An MCP server with its authorization server on loopback, sound but for one fault.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';

const JSON_TYPE = { 'content-type': 'application/json' };
const OPEN = { 'access-control-allow-origin': '*' };
const LETS = 'authorization, content-type, mcp-protocol-version, mcp-session-id';
const PRM = '/.well-known/oauth-protected-resource';
const AS = '/.well-known/oauth-authorization-server';
const OIDC = '/.well-known/openid-configuration';

const json = (status, body, headers = {}) => ({ status, headers: { ...JSON_TYPE, ...OPEN, ...headers }, body: JSON.stringify(body) });
const page = (status, body = '<!doctype html><p>Hello') => ({ status, headers: { 'content-type': 'text/html' }, body });
const preflight = () => ({ status: 204, headers: { ...OPEN, 'access-control-allow-headers': LETS }, body: '' });

/** The sound site: documents, and an answer for each method and path. */
function sound(base) {
  const s = {
    base,
    resource: { resource: `${base}/mcp`, authorization_servers: [base], scopes_supported: ['mcp:use'], bearer_methods_supported: ['header'] },
    server: {
      issuer: base, authorization_endpoint: `${base}/authorize`, token_endpoint: `${base}/token`, registration_endpoint: `${base}/register`,
      jwks_uri: `${base}/jwks`, response_types_supported: ['code'], grant_types_supported: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_methods_supported: ['none'], code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true, client_id_metadata_document_supported: true,
      subject_types_supported: ['public'], id_token_signing_alg_values_supported: ['ES256'],
    },
    keys: { keys: [{ kty: 'EC', crv: 'P-256', kid: '1', x: 'x', y: 'y' }] },
    challenge: () => `Bearer resource_metadata="${base}${PRM}/mcp", scope="mcp:use"`,
    unknown: () => json(404, { error: 'not_found' }),
  };
  const metadata = (of) => () => json(200, s[of]);
  s.refuse = (error = '') => json(401, { error: 'unauthorized' },
    { 'www-authenticate': s.challenge(error) + error, 'access-control-expose-headers': 'WWW-Authenticate' });
  const mcp = (request) => s.refuse(request.headers.authorization ? ', error="invalid_token"' : '');
  s.routes = {
    'POST /mcp': mcp, 'GET /mcp': mcp, 'POST /mcp/': mcp, 'OPTIONS /mcp': preflight,
    [`GET ${PRM}/mcp`]: metadata('resource'), [`GET ${PRM}/mcp/`]: metadata('resource'), [`GET ${PRM}`]: metadata('resource'),
    [`OPTIONS ${PRM}/mcp`]: preflight, [`OPTIONS ${AS}`]: preflight,
    [`GET ${AS}`]: metadata('server'), [`GET ${OIDC}`]: metadata('server'), 'GET /jwks': metadata('keys'),
    'GET /authorize': () => page(400, '<p>Nobody knows this client'),
    'POST /token': () => json(401, { error: 'invalid_client' }, { 'cache-control': 'no-store' }),
    'OPTIONS /token': preflight, 'OPTIONS /register': preflight,
    'POST /register': () => json(400, { error: 'invalid_client_metadata' }), 'GET /register': () => json(405, {}),
    'OPTIONS /authorize': () => page(405),
  };
  return s;
}

const gone = (...keys) => (s) => keys.forEach((key) => delete s.routes[key]);
const put = (key, answer) => (s) => (s.routes[key] = answer);
const without = (of, ...members) => (s) => members.forEach((member) => delete s[of][member]);
const set = (of, members) => (s) => Object.assign(s[of], typeof members === 'function' ? members(s.base) : members);
const challenge = (value) => (s) => (s.challenge = () => value(s.base));
const headers = (key, change) => (s) => {
  const before = s.routes[key];
  s.routes[key] = (request) => {
    const answer = before(request);
    answer.headers = { ...answer.headers, ...change };
    for (const name of Object.keys(change)) if (change[name] === undefined) delete answer.headers[name];
    return answer;
  };
};
const each = (...changes) => (s) => changes.forEach((change) => change(s));
const pathIssuer = each(
  set('resource', (base) => ({ authorization_servers: [`${base}/tenant`] })), set('server', (base) => ({ issuer: `${base}/tenant` })),
  (s) => (s.routes[`GET ${AS}/tenant`] = s.routes[`GET ${AS}`]), (s) => (s.routes[`OPTIONS ${AS}/tenant`] = preflight), gone(`GET ${AS}`, `GET ${OIDC}`));

/** What is broken: [the change, the check that must find it, what its mend speaks of]. */
export const FAULTS = {
  'slash in resource': [set('resource', (base) => ({ resource: `${base}/mcp/` })), 'resource_slash', /byte for byte/],
  'resource of another path': [set('resource', (base) => ({ resource: `${base}/sse` })), 'resource_other_path', /byte for byte/],
  'resource of an inner host': [set('resource', { resource: 'http://mcp.internal:8080/mcp' }), 'resource_other_origin', /public host/],
  'resource of the origin alone': [set('resource', (base) => ({ resource: base })), 'resource_wider', /whole URL/],
  'issuer with a slash': [set('server', (base) => ({ issuer: `${base}/` })), 'issuer_slash', /one form/],
  'issuer of an inner host': [set('server', { issuer: 'http://localhost:8080' }), 'issuer_other', /behind a proxy/],
  'no list of PKCE': [without('server', 'code_challenge_methods_supported'), 'pkce_unsaid', /code_challenge_methods_supported/],
  'PKCE with plain only': [set('server', { code_challenge_methods_supported: ['plain'] }), 'pkce_no_s256', /S256/],
  'no challenge': [headers('POST /mcp', { 'www-authenticate': undefined }), 'challenge_missing', /WWW-Authenticate/],
  'challenge without metadata': [challenge(() => 'Bearer scope="mcp:use"'), 'challenge_no_metadata', /resource_metadata/],
  'challenge without quotes': [challenge((base) => `Bearer resource_metadata=${base}${PRM}/mcp`), 'challenge_malformed', /quotes/],
  'metadata of the server in the challenge': [challenge((base) => `Bearer resource_metadata="${base}${AS}"`), 'challenge_server_metadata', /protected resource/],
  'relative URL in the challenge': [challenge(() => `Bearer resource_metadata="${PRM}/mcp"`), 'challenge_relative', /whole URL/],
  '403 in place of 401': [put('POST /mcp', () => json(403, { error: 'forbidden' })), 'refused_without_401', /401/],
  '200 in place of 401': [put('POST /mcp', () => json(200, { jsonrpc: '2.0', id: 1, result: {} })), 'token_not_demanded', /401/],
  'offline_access in the challenge': [challenge((base) => `Bearer resource_metadata="${base}${PRM}/mcp", scope="mcp:use offline_access"`), 'offline_in_challenge', /scopes_supported/],
  'offline_access in the metadata': [set('resource', { scopes_supported: ['mcp:use', 'offline_access'] }), 'offline_in_resource', /scopes_supported/],
  'error where no token was': [challenge((base) => `Bearer error="invalid_token", resource_metadata="${base}${PRM}/mcp"`), 'error_without_token', /error/],
  'any token is taken': [(s) => (s.routes['POST /mcp'] = (r) => (r.headers.authorization ? json(200, {}) : s.refuse())), 'bogus_accepted', /signature/],
  'tokens in the URL': [(s) => (s.routes['POST /mcp'] = (r) => s.refuse(r.headers.authorization || r.url.includes('access_token') ? ', error="invalid_token"' : '')), 'token_in_query', /header only/],
  'bad token without invalid_token': [(s) => (s.routes['POST /mcp'] = () => s.refuse()), 'bogus_no_error', /refresh/],
  'session before token': [(s) => (s.routes['POST /mcp'] = (r, body) => (body.includes('tools/list') ? json(400, {}) : s.refuse(r.headers.authorization ? ', error="invalid_token"' : ''))), 'session_before_token', /401/],
  'preflight wants a token': [(s) => (s.routes['OPTIONS /mcp'] = () => s.refuse()), 'preflight_wants_token', /OPTIONS/],
  'preflight without the fields of MCP': [headers('OPTIONS /mcp', { 'access-control-allow-headers': 'authorization, content-type' }), 'preflight_fields', /MCP-Protocol-Version/],
  'challenge not exposed': [headers('POST /mcp', { 'access-control-expose-headers': undefined }), 'challenge_unexposed', /Expose-Headers/],
  'no CORS on the metadata': [headers(`GET ${PRM}/mcp`, { 'access-control-allow-origin': undefined }), 'resource_metadata_cors', /Allow-Origin/],
  'no CORS on the token endpoint': [put('OPTIONS /token', () => page(405)), 'token_cors', /preflight/],
  'HTML for 404': [(s) => (s.unknown = () => page(404)), 'unknown_is_page', /JSON/],
  '200 for all that is unknown': [(s) => (s.unknown = () => page(200)), 'unknown_not_404', /404/],
  'HTML at the well-known place': [each(put(`GET ${PRM}/mcp`, () => page(200)), challenge(() => 'Bearer')), 'resource_metadata_not_json', /JSON/],
  'redirect at the well-known place': [put(`GET ${PRM}`, (r) => ({ status: 302, headers: { location: '/login' }, body: '' })), 'resource_metadata_redirects', /200/],
  'metadata of another type': [headers(`GET ${PRM}/mcp`, { 'content-type': 'text/plain' }), 'resource_metadata_type', /application\/json/],
  'null in the metadata': [set('server', { service_documentation: null }), 'server_metadata_null', /null/],
  'metadata at the root only': [each(gone(`GET ${PRM}/mcp`), challenge(() => 'Bearer')), 'resource_metadata_root_only', /path/],
  'no metadata of the resource': [each(gone(`GET ${PRM}/mcp`, `GET ${PRM}`), challenge(() => 'Bearer')), 'resource_metadata_none', /Publish/],
  'no authorization server': [without('resource', 'authorization_servers'), 'no_authorization_server', /authorization_servers/],
  'no metadata of the server': [gone(`GET ${AS}`, `GET ${OIDC}`), 'server_metadata_none', /oauth-authorization-server/],
  'issuer with a path, at one place': [pathIssuer, 'server_metadata_places', /without a path/],
  'token endpoint over http': [set('server', { token_endpoint: 'http://as.example/token' }), 'endpoint_plain_http', /https/],
  'nobody can register': [without('server', 'registration_endpoint', 'client_id_metadata_document_supported'), 'registration_none', /client_id/],
  'no registration': [without('server', 'registration_endpoint'), 'registration_documents_only', /RFC 7591/],
  'documents, but no public clients': [set('server', { token_endpoint_auth_methods_supported: ['client_secret_basic'] }), 'documents_without_none', /none/],
  'iss not promised': [without('server', 'authorization_response_iss_parameter_supported'), 'iss_unpromised', /iss/],
  'OpenID configuration with gaps': [without('server', 'subject_types_supported'), 'openid_members', /subject_types_supported/],
  'no keys': [set('keys', { keys: [] }), 'keys_none', /public keys/],
  'private keys': [set('keys', { keys: [{ kty: 'EC', d: 'CANARY-PRIVATE-KEY' }] }), 'keys_private', /replace/],
  'open redirect': [put('GET /authorize', (r) => ({ status: 302, headers: { location: `${new URL(r.url, 'http://x').searchParams.get('redirect_uri')}?error=x` }, body: '' })), 'authorize_redirects', /page/],
  'page for an error of the token endpoint': [put('POST /token', () => page(400)), 'token_error_not_json', /error_description/],
  'answer that may be cached': [headers('POST /token', { 'cache-control': undefined }), 'token_may_be_cached', /no-store/],
  'GET gives a document': [put('GET /mcp', () => json(200, { name: 'server' })), 'get_is_json', /405/],
  'no endpoint': [gone('POST /mcp'), 'no_endpoint', /whole URL/],
  'metadata too large': [put(`GET ${PRM}`, () => json(200, { resource: 'x'.repeat(400_000) })), 'answer_too_large', /kilobytes/],
  'a failing place': [put(`GET ${OIDC}`, () => json(500, {})), 'metadata_fails', /404/],
};

function listener(site) {
  return (request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      const route = site().routes[`${request.method} ${request.url.split('?')[0]}`] ?? site().unknown;
      const answer = route(request, body);
      response.writeHead(answer.status, answer.headers).end(answer.body);
    });
  };
}

async function listen(server, scheme, host) {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  const base = `${scheme}://${host}:${server.address().port}`;
  return {
    base,
    url: `${base}/mcp`,
    stop: () => new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    }),
  };
}

/** With one of FAULTS, or sound: {url, stop()}. */
export async function startBroken(name) {
  let site;
  const at = await listen(http.createServer(listener(() => site)), 'http', '127.0.0.1');
  site = sound(at.base);
  if (name) FAULTS[name][0](site);
  return at;
}

/** Over TLS with a certificate: kind is expired, name, self-signed or sound; `ca` is its authority's file. */
export async function startTls(kind) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'warder-doctor-'));
  const file = (name) => path.join(folder, name);
  const openssl = (...args) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  const host = kind === 'name' ? 'other.example' : 'localhost';
  const days = kind === 'expired' ? '-1' : '2';
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=authority of a test');
  openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'key.pem', '-out', 'want.pem', '-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`);
  openssl('x509', '-req', '-in', 'want.pem', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-copy_extensions', 'copy', '-out', 'cert.pem', '-days', days);
  let site;
  const server = https.createServer({ key: readFileSync(file('key.pem')), cert: readFileSync(file('cert.pem')) }, listener(() => site));
  const at = await listen(server, 'https', 'localhost');
  site = sound(at.base);
  const stop = at.stop;
  return { ...at, ca: file('ca.pem'), stop: () => stop().then(() => rmSync(folder, { recursive: true, force: true })) };
}
