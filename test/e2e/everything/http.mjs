// Serves everything over Streamable HTTP, both eras on one endpoint: node http.mjs [PORT]
// Prints "everything: ready at URL" once it does.
import { createServer } from 'node:http';
import { randomUUID } from 'node:crypto';
import {
  NodeStreamableHTTPServerTransport,
  localhostHostValidation,
  localhostOriginValidation,
  toNodeHandler,
  toWebRequest,
} from '@modelcontextprotocol/node';
import { createMcpHandler, isLegacyRequest } from '@modelcontextprotocol/server';
import { everything } from './surface.mjs';

/** What was sent on a session's streams, so that a client can go on where it was cut off. */
class Events {
  #events = [];
  async storeEvent(streamId, message) {
    const id = `${streamId}_${this.#events.length}`;
    this.#events.push({ id, streamId, message });
    return id;
  }
  async getStreamIdForEventId(id) {
    return this.#events.find((event) => event.id === id)?.streamId;
  }
  async replayEventsAfter(lastId, { send }) {
    const at = this.#events.findIndex((event) => event.id === lastId);
    const { streamId } = this.#events[at];
    for (const event of this.#events.slice(at + 1))
      if (event.streamId === streamId && event.message?.jsonrpc) await send(event.id, event.message);
    return streamId;
  }
}

const modern = createMcpHandler(() => everything(modern.notify), { legacy: 'reject' });
const serveModern = toNodeHandler(modern);
const sessions = new Map();

async function openSession() {
  const transport = new NodeStreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    eventStore: new Events(),
    retryInterval: 100,
    onsessioninitialized: (id) => void sessions.set(id, transport),
    onsessionclosed: (id) => void sessions.delete(id),
  });
  await everything().connect(transport);
  return transport;
}

async function serveSession(request, response, body) {
  const id = request.headers['mcp-session-id'];
  const transport = id === undefined ? await openSession() : sessions.get(id);
  if (transport) return transport.handleRequest(request, response, body);
  response.writeHead(404, { 'content-type': 'application/json' });
  response.end('{"jsonrpc":"2.0","error":{"code":-32001,"message":"Session not found"},"id":null}');
}

async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  const bytes = Buffer.concat(parts).toString();
  try {
    return bytes === '' ? undefined : JSON.parse(bytes);
  } catch {
    return bytes;
  }
}

const hostFits = localhostHostValidation();
const originFits = localhostOriginValidation();

const server = createServer(async (request, response) => {
  if (!hostFits(request, response) || !originFits(request, response)) return;
  const body = await bodyOf(request);
  const legacy = await isLegacyRequest(await toWebRequest(request, body), body);
  await (legacy ? serveSession(request, response, body) : serveModern(request, response, body));
});
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  console.log(`everything: ready at http://localhost:${server.address().port}/mcp`);
});
