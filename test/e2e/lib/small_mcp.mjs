// A protected MCP server as small as one can be, whose every answer a test can bend: initialize, two
// tools, JSON answers. It takes the tokens that `accepts` takes.
import http from 'node:http';
import { unheld } from './world.mjs';

const TOOLS = [
  { name: 'echo', description: 'Says it again', inputSchema: { type: 'object', properties: { text: { type: 'string' } } } },
  { name: 'write', description: 'Needs more scope', inputSchema: { type: 'object', properties: {} } },
];

export class SmallMcp {
  /** issuer: of its authorization server. scopes: what tools need: {'': first, write: more}. */
  static async start({ issuer, accepts = () => true, scopes = { '': 'use' }, bend = () => false, port = 0 }) {
    const s = new SmallMcp();
    Object.assign(s, { issuer, accepts, scopes, bend, seen: [], refused: new Set() });
    s.server = http.createServer((request, response) => s.answer(request, response));
    await new Promise((resolve) => unheld(s.server).listen(port, '127.0.0.1', resolve));
    s.origin = `http://127.0.0.1:${s.server.address().port}`;
    s.url = `${s.origin}/mcp`;
    return s;
  }

  metadata() {
    return { resource: this.url, authorization_servers: [this.issuer], scopes_supported: [this.scopes['']] };
  }

  send(response, status, body, headers = {}) {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body === undefined ? '' : JSON.stringify(body));
  }

  challenge(more = '') {
    return `Bearer resource_metadata="${this.origin}/.well-known/oauth-protected-resource/mcp", scope="${this.scopes['']}"${more}`;
  }

  async answer(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const token = /^(?:Bearer|DPoP) (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
    this.seen.push({ method: request.method, url: request.url, headers: request.headers, body, token });
    if (await this.bend(this, request, response, body)) return;
    if (request.url === '/.well-known/oauth-protected-resource/mcp') return this.send(response, 200, this.metadata());
    if (request.url !== '/mcp') return this.send(response, 404, { error: 'not_found' });
    if (!token) return this.send(response, 401, { error: 'unauthorized' }, { 'www-authenticate': this.challenge() });
    const granted = this.refused.has(token) ? null : await this.accepts(token);
    if (!granted) return this.send(response, 401, { error: 'invalid_token' }, { 'www-authenticate': this.challenge(', error="invalid_token"') });
    if (request.method !== 'POST') return this.send(response, 405, { error: 'method' });
    return this.speak(response, JSON.parse(body), typeof granted === 'string' ? granted.split(' ') : null);
  }

  /** All tokens that came so far are refused from now on. */
  refuseAll() {
    for (const { token } of this.seen) if (token) this.refused.add(token);
  }

  speak(response, message, granted) {
    const { id, method, params } = message;
    const result = (value) => this.send(response, 200, { jsonrpc: '2.0', id, result: value });
    if (id === undefined) return this.send(response, 202);
    if (method === 'initialize') {
      return result({ protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'small', version: '1' } });
    }
    if (method === 'tools/list') return result({ tools: TOOLS });
    if (method !== 'tools/call') return this.send(response, 200, { jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } });
    const needed = this.scopes[params.name];
    if (needed && granted && !granted.includes(needed)) {
      return this.send(response, 403, { error: 'insufficient_scope' }, {
        'www-authenticate': `Bearer error="insufficient_scope", scope="${needed}", resource_metadata="${this.origin}/.well-known/oauth-protected-resource/mcp"`,
      });
    }
    return result({ content: [{ type: 'text', text: params.arguments?.text ?? 'done' }] });
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** The scope of a JWT of that audience, not verified: whose tests look at other things. */
export function jwtScope(audience) {
  return (token) => {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString() || '{}');
    return [claims.aud].flat().includes(audience()) ? (claims.scope ?? ' ') : null;
  };
}
