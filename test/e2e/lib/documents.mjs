// A host of client metadata documents: https on loopback under a certificate authority of the tests,
// which the server trusts by SSL_CERT_FILE and by nothing else.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { CALLBACK } from './oauth.mjs';

/** An authority, and certificates it signs. */
export class Authority {
  constructor() {
    this.folder = mkdtempSync(path.join(os.tmpdir(), 'warder-ca-'));
    this.file = path.join(this.folder, 'ca.pem');
    this.made = 0;
    this.openssl(['req', '-x509', ...this.newKey('ca'), '-out', this.file, '-subj', '/CN=Test authority', '-days', '2']);
  }

  openssl(words) {
    execFileSync('openssl', words, { cwd: this.folder, stdio: ['ignore', 'ignore', 'pipe'] });
  }

  newKey(name) {
    return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`];
  }

  /** {key, cert} for `host`; days may be negative: expired. */
  issue(host = 'localhost', { days = 2, selfSigned = false } = {}) {
    const name = `c${this.made++}`;
    const subject = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`];
    if (selfSigned) {
      this.openssl(['req', '-x509', ...this.newKey(name), '-out', `${name}.pem`, ...subject, '-days', String(days)]);
    } else {
      this.openssl(['req', ...this.newKey(name), '-out', `${name}.csr`, ...subject]);
      this.openssl(['x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-days', String(days),
        '-copy_extensions', 'copyall', '-out', `${name}.pem`]);
    }
    return { key: readFileSync(path.join(this.folder, `${name}.key`)), cert: readFileSync(path.join(this.folder, `${name}.pem`)) };
  }

  stop() {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Serves what `pages` says; counts who comes. */
export class DocumentHost {
  static async start(authority, { tls = authority.issue(), options = {} } = {}) {
    const host = new DocumentHost();
    host.pages = new Map();
    host.hits = new Map();
    host.server = https.createServer({ ...tls, ...options }, (request, response) => host.answer(request, response));
    host.server.on('tlsClientError', () => {});
    await new Promise((resolve) => host.server.listen(0, '127.0.0.1', resolve));
    host.name = `localhost:${host.server.address().port}`;
    host.url = `https://${host.name}`;
    return host;
  }

  answer(request, response) {
    this.hits.set(request.url, this.hitsOf(request.url) + 1);
    response.on('error', () => {});
    const page = this.pages.get(request.url);
    if (!page) response.writeHead(404).end();
    else page(request, response);
  }

  hitsOf(where) {
    return this.hits.get(where) ?? 0;
  }

  /** The members of a client's document at `where`; undefined ones are left out. */
  document(where, members = {}) {
    return {
      client_id: `${this.url}${where}`,
      client_name: 'Published client',
      redirect_uris: [CALLBACK],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      ...members,
    };
  }

  /** Publishes it; the client as the helpers of oauth.mjs want it. */
  publish(where, members = {}, { headers = { 'cache-control': 'no-store' }, type = 'application/json', status = 200 } = {}) {
    const document = this.document(where, members);
    this.serve(where, JSON.stringify(document), { status, headers: { 'content-type': type, ...headers } });
    return document;
  }

  serve(where, body, { status = 200, headers = {} } = {}) {
    this.pages.set(where, (request, response) => response.writeHead(status, headers).end(body));
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** What the server needs to know of these hosts. */
export function trusting(authority, ...hosts) {
  return {
    SSL_CERT_FILE: authority.file,
    WARDER_CLIENT_DOCUMENT_PRIVATE_HOSTS: hosts.map((host) => host.name).join(','),
  };
}
