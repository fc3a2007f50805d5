// An authorization server as small as one can be, whose every answer a test can bend: registers whoever
// comes, approves at once, gives tokens that count up.
import { createHash, randomUUID } from 'node:crypto';
import http from 'node:http';
import { unheld } from './world.mjs';

export class SmallAs {
  /** bend(as, request, response, form): true where it has answered. metadata(m): the document, changed. */
  static async start({ bend = () => false, metadata = (m) => m } = {}) {
    const a = new SmallAs();
    Object.assign(a, { bend, change: metadata, seen: [], codes: new Map(), tokens: new Map(), refreshes: new Map(), count: 0 });
    a.server = http.createServer((request, response) => a.answer(request, response));
    await new Promise((resolve) => unheld(a.server).listen(0, '127.0.0.1', resolve));
    a.issuer = `http://127.0.0.1:${a.server.address().port}`;
    return a;
  }

  metadata() {
    return this.change({
      issuer: this.issuer,
      authorization_endpoint: `${this.issuer}/authorize`,
      token_endpoint: `${this.issuer}/token`,
      registration_endpoint: `${this.issuer}/register`,
      revocation_endpoint: `${this.issuer}/revoke`,
      response_types_supported: ['code'],
      grant_types_supported: ['authorization_code', 'refresh_token'],
      code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: ['none'],
      authorization_response_iss_parameter_supported: true,
    }, this);
  }

  send(response, status, body, headers = {}) {
    response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers }).end(JSON.stringify(body));
  }

  async answer(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const url = new URL(request.url, this.issuer);
    const form = request.method === 'POST' ? new URLSearchParams(body) : url.searchParams;
    this.seen.push({ method: request.method, path: url.pathname, headers: request.headers, form, body });
    if (await this.bend(this, request, response, form)) return;
    const route = {
      '/.well-known/oauth-authorization-server': () => this.send(response, 200, this.metadata()),
      '/register': () => (body ? this.send(response, 201, { ...JSON.parse(body), client_id: randomUUID() }) : this.send(response, 405, {})),
      '/authorize': () => this.authorize(response, form),
      '/token': () => this.token(response, form),
      '/revoke': () => this.send(response, 200, {}),
    }[url.pathname];
    return route ? route() : this.send(response, 404, { error: 'not_found' });
  }

  authorize(response, form) {
    const code = randomUUID();
    this.codes.set(code, Object.fromEntries(form));
    const to = new URL(form.get('redirect_uri'));
    to.search = new URLSearchParams({ code, state: form.get('state'), iss: this.issuer });
    response.writeHead(302, { location: to.href }).end();
  }

  token(response, form) {
    let asked;
    if (form.get('grant_type') === 'authorization_code') {
      asked = this.codes.get(form.get('code'));
      this.codes.delete(form.get('code'));
      const challenge = createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url');
      if (asked?.code_challenge !== challenge || asked.redirect_uri !== form.get('redirect_uri')) asked = null;
    } else {
      asked = this.refreshes.get(form.get('refresh_token'));
      this.refreshes.delete(form.get('refresh_token'));
    }
    if (!asked) return this.send(response, 400, { error: 'invalid_grant' });
    return this.send(response, 200, this.issue(asked));
  }

  issue(asked) {
    const access_token = `at-${++this.count}-${randomUUID()}`;
    const refresh_token = `rt-${this.count}-${randomUUID()}`;
    this.tokens.set(access_token, asked.scope ?? '');
    this.refreshes.set(refresh_token, asked);
    return { access_token, refresh_token, token_type: 'Bearer', expires_in: 3600, ...(asked.scope ? { scope: asked.scope } : {}) };
  }

  /** For SmallMcp: the scope of a token of this server, or null. */
  get accepts() {
    return (token) => (this.tokens.has(token) ? this.tokens.get(token) || ' ' : null);
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
