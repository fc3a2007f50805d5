// A load balancer before several nodes: each request goes to the next one, none sticks. It takes out
// who is not ready, and sends a request elsewhere only where no connection was made.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_MS = 25;

export class Front {
  static async start({ port = 0 } = {}) {
    const f = new Front();
    f.nodes = []; // { port, up }
    f.turn = 0;
    f.counts = { requests: 0, elsewhere: 0, failed: 0 };
    f.server = http.createServer((request, response) => f.pass(request, response));
    f.server.keepAliveTimeout = 60_000;
    await new Promise((resolve) => f.server.listen(port, '127.0.0.1', resolve));
    f.server.unref();
    f.server.on('connection', (socket) => socket.unref());
    f.port = f.server.address().port;
    f.url = `http://127.0.0.1:${f.port}`;
    return f;
  }

  /** In the place of the one that was there before, if `place` is given. */
  put(port, place = this.nodes.length) {
    this.nodes[place] = { port, up: true };
  }

  next(tried) {
    for (let i = 0; i < this.nodes.length; i++) {
      const node = this.nodes[this.turn++ % this.nodes.length];
      if (node.up && !tried.has(node)) return node;
    }
    return null;
  }

  pass(request, response) {
    this.counts.requests++;
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => this.send(request, Buffer.concat(parts), response, new Set()));
  }

  send(request, body, response, tried) {
    const node = this.next(tried);
    if (!node) {
      this.fail(response, 'no node is up');
      return;
    }
    tried.add(node);
    // A connection for each request: none can be closed by the node just when it is used again.
    const headers = [...request.rawHeaders];
    for (let i = headers.length - 2; i >= 0; i -= 2) if (/^(connection|keep-alive|transfer-encoding)$/i.test(headers[i])) headers.splice(i, 2);
    headers.push('connection', 'close', 'x-forwarded-for', request.socket.remoteAddress);
    if (request.headers['transfer-encoding'] && !request.headers['content-length']) headers.push('content-length', String(body.length));
    const onward = http.request({ host: '127.0.0.1', port: node.port, method: request.method, path: request.url, headers, agent: false });
    let connected = false;
    onward.on('socket', (socket) => socket.on('connect', () => (connected = true)));
    onward.on('response', (answer) => this.answer(answer, response));
    onward.on('error', (error) => {
      if (!connected) {
        this.counts.elsewhere++;
        this.send(request, body, response, tried);
      } else this.fail(response, error.message);
    });
    response.on('close', () => onward.destroy());
    onward.end(body);
  }

  answer(answer, response) {
    const headers = [...answer.rawHeaders];
    for (let i = headers.length - 2; i >= 0; i -= 2) if (/^(connection|keep-alive|transfer-encoding)$/i.test(headers[i])) headers.splice(i, 2);
    response.writeHead(answer.statusCode, headers);
    response.flushHeaders();
    answer.on('error', () => response.destroy());
    answer.pipe(response);
  }

  fail(response, why) {
    this.counts.failed++;
    this.fault = why;
    if (response.headersSent) response.destroy();
    else response.writeHead(502, { 'content-type': 'text/plain' }).end(why);
  }

  /** Asks each node again and again whether it is ready, until stop(). */
  watch() {
    this.watching ??= this.look();
  }

  async look() {
    while (!this.stopped) {
      await Promise.all(this.nodes.map(async (node) => {
        const answer = await fetch(`http://127.0.0.1:${node.port}/readyz`).catch(() => null);
        await answer?.arrayBuffer().catch(() => {});
        node.up = answer?.status === 200;
      }));
      await sleep(LOOK_MS);
    }
  }

  async stop() {
    this.stopped = true;
    await this.watching;
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
