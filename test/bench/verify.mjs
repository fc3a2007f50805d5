// What people put behind nginx's auth_request: a small Node service that verifies the token with
// jose, keys fetched once. Usage: verify.mjs PORT JWKS_URL ISSUER AUDIENCE
import http from 'node:http';
import { createRemoteJWKSet, jwtVerify } from 'jose';

const [port, jwks, issuer, audience] = process.argv.slice(2);
const keys = createRemoteJWKSet(new URL(jwks));

http
  .createServer(async (request, response) => {
    try {
      const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
      const { payload } = await jwtVerify(token, keys, { issuer, audience, typ: 'at+jwt' });
      response.writeHead(payload.scope?.split(' ').includes('mcp:use') ? 204 : 403).end();
    } catch {
      response.writeHead(401).end();
    }
  })
  .listen(Number(port), '127.0.0.1');
