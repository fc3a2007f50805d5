// The peer: npm's oidc-provider on the same work. ES256 JWT access tokens, client credentials, and
// the code flow with PKCE; login and consent answer themselves, so that a session and a grant exist.
// Its default adapter keeps everything in memory: nothing it says is durable. Usage: oidc.mjs PORT
import { generateKeyPairSync } from 'node:crypto';
import http from 'node:http';
import Provider from 'oidc-provider';

const port = Number(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
const resource = 'https://mcp.example/mcp';
const scope = 'news:read';
const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
const common = { client_secret: 'a-secret-of-the-benchmark-0123456789', token_endpoint_auth_method: 'client_secret_basic', id_token_signed_response_alg: 'ES256' };

const provider = new Provider(issuer, {
  jwks: { keys: [{ ...key, alg: 'ES256', use: 'sig', kid: 'bench' }] },
  cookies: { keys: ['bench'] },
  scopes: [scope],
  clients: [
    { ...common, client_id: 'machine', grant_types: ['client_credentials'], redirect_uris: [], response_types: [], scope },
    { ...common, client_id: 'web', grant_types: ['authorization_code', 'refresh_token'], redirect_uris: ['https://c.test/cb'], response_types: ['code'], scope },
  ],
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({ scope, audience: resource, accessTokenFormat: 'jwt', accessTokenTTL: 600, jwt: { sign: { alg: 'ES256' } } }),
    },
  },
  issueRefreshToken: () => true,
  findAccount: (context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  interactions: { url: (context, interaction) => `/interaction/${interaction.uid}` },
});

async function interact(request, response) {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  if (prompt.name === 'login') {
    await provider.interactionFinished(request, response, { login: { accountId: 'alice' } });
    return;
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(scope);
  grant.addResourceScope(resource, scope);
  await provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
}

const answer = provider.callback();
const server = http.createServer((request, response) => {
  if (!request.url.startsWith('/interaction/')) {
    answer(request, response);
    return;
  }
  interact(request, response).catch((error) => response.writeHead(500).end(String(error)));
});
server.keepAliveTimeout = 60_000;
server.listen(port, '127.0.0.1', () => console.log(`oidc-provider: ready at ${issuer}`));
process.on('SIGTERM', () => process.exit(0));
