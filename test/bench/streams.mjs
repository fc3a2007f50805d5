// A server of event streams that idle, and a client that holds many of them open.
import http from 'node:http';
import net from 'node:net';

/** POST opens a stream; `tell` sends one event to all that are open. */
export async function streamServer() {
  const open = new Set();
  const server = http.createServer((request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write('data: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"begun"}}\n\n');
    open.add(response);
    response.on('close', () => open.delete(response));
  });
  server.keepAliveTimeout = 600_000;
  server.requestTimeout = 0;
  await new Promise((resolve) => server.listen(0, '127.0.0.1', 4096, resolve));
  return {
    open,
    port: server.address().port,
    tell() {
      for (const response of open) response.write('data: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"told"}}\n\n');
    },
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Opens `count` streams; rejects when one is refused. */
export async function holdStreams(port, request, count) {
  const sockets = [];
  let told = 0;
  let onTold = () => {};
  const one = () =>
    new Promise((resolve, reject) => {
      const socket = net.connect(port, '127.0.0.1', () => socket.write(request));
      let text = '';
      let began = false;
      socket.on('data', (chunk) => {
        text = (text + chunk).slice(-2000);
        if (!began && /\r\n\r\n[^]*begun/.test(text)) {
          began = true;
          text = '';
          resolve();
        } else if (began && text.includes('told')) {
          text = '';
          told++;
          onTold();
        } else if (!began && !/^HTTP\/1.1 200/.test(text)) {
          reject(new Error(text.slice(0, 300)));
        }
      });
      socket.on('error', reject);
      socket.on('close', () => reject(new Error(`closed: ${text.slice(0, 200)}`)));
      sockets.push(socket);
    });
  for (let i = 0; i < count; i += 100) await Promise.all(Array.from({ length: Math.min(100, count - i) }, one));
  return {
    /** Resolves when every stream has heard the next event. */
    heard() {
      told = 0;
      return new Promise((resolve) => (onTold = () => told >= count && resolve()));
    },
    stop() {
      for (const socket of sockets) socket.removeAllListeners('close').destroy();
    },
  };
}
