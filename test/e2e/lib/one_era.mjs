// Lets a server that speaks both eras of MCP seem to speak one: a proxy that refuses the other as
// servers of its kind do.
import http from 'node:http';
import { unheld } from './world.mjs';

const STATELESS = '2026-07-28';

function refusal(era, request, body) {
  let message = {};
  try {
    message = JSON.parse(body || '{}');
  } catch {
    // the server says what is wrong with it
  }
  const error = (status, code, text, data) => ({ status, body: { jsonrpc: '2.0', id: message.id ?? null, error: { code, message: text, data } } });
  if (era === 'stateless') {
    if (request.method !== 'POST') return error(405, -32000, 'Method not allowed');
    if (message.method === 'initialize') return error(404, -32601, 'Method not found');
    return null;
  }
  if (request.headers['mcp-protocol-version'] === STATELESS) {
    return error(400, -32000, 'Bad Request: Unsupported protocol version (supported versions: 2025-11-25, 2025-06-18, 2025-03-26)');
  }
  if (message.method === 'server/discover') return error(400, -32000, 'Bad Request: Server not initialized');
  return null;
}

export class OneEra {
  /** era: 'handshake' or 'stateless'; target: the URL of the server. */
  static async start(era, target) {
    const p = new OneEra();
    p.server = http.createServer((request, response) => p.pass(era, new URL(target), request, response));
    await new Promise((resolve) => unheld(p.server).listen(0, '127.0.0.1', resolve));
    p.url = `http://127.0.0.1:${p.server.address().port}/mcp`;
    return p;
  }

  async pass(era, target, request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const refused = refusal(era, request, body.toString());
    if (refused) return response.writeHead(refused.status, { 'content-type': 'application/json' }).end(JSON.stringify(refused.body));
    const headers = { ...request.headers, host: target.host };
    const onward = http.request(target, { method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      response.flushHeaders();
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    onward.end(body);
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
