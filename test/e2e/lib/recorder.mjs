// An upstream that keeps what reached it, byte by byte, and answers what a test wants.
import http from 'node:http';
import net from 'node:net';
import { unheld } from './world.mjs';

const result = (id, value) => JSON.stringify({ jsonrpc: '2.0', id, result: value });
const json = (response, text, headers = {}) =>
  response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(text);

export const TOOLS = ['ping_tool', 'secretTool', 'weather'].map((name) => ({ name, description: `The tool ${name}`, inputSchema: { type: 'object' } }));

export class Recorder {
  /** answer(message, response, request) may answer by itself: then it returns true. */
  static async start({ answer = () => false } = {}) {
    const r = new Recorder();
    Object.assign(r, { seen: [], own: answer, tools: TOOLS, sessions: 0 });
    r.server = http.createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      let message;
      try {
        message = body === '' ? undefined : JSON.parse(body);
      } catch {
        message = body;
      }
      r.seen.push({ method: request.method, url: request.url, raw: request.rawHeaders, headers: request.headers, body, message });
      if (!(await r.own(message, response, request))) r.answer(message, response, request);
    });
    await new Promise((resolve) => unheld(r.server).listen(0, '127.0.0.1', resolve));
    r.port = r.server.address().port;
    r.url = `http://127.0.0.1:${r.port}/mcp`;
    return r;
  }

  answer(message, response, request) {
    const { id, method, params } = message ?? {};
    if (request.method === 'DELETE') return response.writeHead(200).end();
    if (request.method === 'GET') return response.writeHead(405).end();
    if (id === undefined) return response.writeHead(202).end();
    if (method === 'initialize') {
      const about = { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'recorder', version: '1' } };
      return json(response, result(id, about), { 'mcp-session-id': `upstream-${++this.sessions}` });
    }
    if (method === 'tools/list') return json(response, result(id, { tools: this.tools }));
    if (method === 'tools/call') return json(response, result(id, { content: [{ type: 'text', text: `ran ${params.name}` }] }));
    return json(response, result(id, {}));
  }

  /** Whether something is in anything that came, header or body. */
  holds(text) {
    return this.seen.some((one) => JSON.stringify([one.raw, one.url]).includes(text) || one.body.includes(text));
  }

  calls(tool) {
    return this.seen.filter((one) => one.message?.method === 'tools/call' && (tool === undefined || one.message.params.name === tool));
  }

  forget() {
    this.seen = [];
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }
}

/** An upstream of bare bytes: say(socket, text so far) whenever something has come. */
export async function rawUpstream(say) {
  const sockets = new Set();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      say(socket, text);
    });
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise((resolve) => unheld(server).listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/mcp`,
    stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
