// A proxy that adds a token to each request, for clients that take none; streams pass through, and
// Host and Origin stay as they came.
import http from 'node:http';

/** `token` may be a string or a function that gives one. Returns {port, stop()}. */
export async function injector(target, token) {
  const tokenNow = typeof token === 'function' ? token : () => token;
  const server = http.createServer((request, response) => {
    const headers = { ...request.headers, authorization: `Bearer ${tokenNow()}` };
    const up = http.request({ host: '127.0.0.1', port: target, path: request.url, method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    up.on('error', () => response.destroy());
    response.on('close', () => up.destroy());
    request.pipe(up);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: server.address().port,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
