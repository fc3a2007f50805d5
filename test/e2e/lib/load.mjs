// Steady load on raw sockets: connections that are kept, and now and then new ones; each request must
// be answered in whole. Leaner than fetch, which could not ask as often as the server answers.
import net from 'node:net';

/** One connection after the other, each with one request after the other. */
class Caller {
  constructor(load, request) {
    Object.assign(this, { load, request, asked: 0, waits: false });
    this.connect();
  }

  connect() {
    this.seen = '';
    this.left = 1 + Math.floor(Math.random() * this.load.most);
    this.socket = net.connect({ port: this.load.port, host: '127.0.0.1', noDelay: true });
    const socket = this.socket;
    socket.setEncoding('latin1');
    socket.on('connect', () => this.ask());
    socket.on('data', (text) => this.hear(text));
    socket.on('error', (error) => this.fail(socket, error.code));
    socket.on('close', () => this.fail(socket, 'closed'));
  }

  ask() {
    this.waits = true;
    this.left--;
    this.socket.write(this.left > 0 ? this.request : this.request.replace('\r\n', '\r\nConnection: close\r\n'));
  }

  /** Whatever ends a connection that owes an answer, or that never came about, is a failed request. */
  fail(socket, why) {
    if (socket !== this.socket || this.load.over) return;
    if (this.load.leaving && !this.waits) return this.next();
    this.load.failures[why] = (this.load.failures[why] ?? 0) + 1;
    this.next();
  }

  next() {
    const old = this.socket;
    this.socket = null;
    this.waits = false;
    old.destroy();
    if (this.load.over || this.load.leaving) this.load.left();
    else this.connect();
  }

  hear(text) {
    this.seen += text;
    const end = this.seen.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = Number(/content-length: *(\d+)/i.exec(this.seen)?.[1] ?? NaN);
    if (this.seen.length < end + 4 + length) return;
    const status = this.seen.slice(9, 12);
    this.load.statuses[status] = (this.load.statuses[status] ?? 0) + 1;
    const last = /^connection: *close/im.test(this.seen.slice(0, end));
    this.seen = '';
    this.waits = false;
    if (last || this.load.over) this.next();
    else this.ask();
  }
}

export class Load {
  /** `callers` of each request's text; connections carry up to `most` requests. */
  constructor(port, requests, { callers = 16, most = 500 } = {}) {
    Object.assign(this, { port, most, statuses: {}, failures: {}, over: false, leaving: false, began: Date.now() });
    this.open = requests.length * callers;
    this.ended = new Promise((resolve) => (this.resolve = resolve));
    this.callers = requests.flatMap((request) => Array.from({ length: callers }, () => new Caller(this, request)));
  }

  left() {
    if (--this.open === 0) this.resolve();
  }

  get answers() {
    return Object.values(this.statuses).reduce((sum, n) => sum + n, 0);
  }

  /** The server is about to end: everybody goes on asking on the connection that is open, until an
   *  answer says that it was the last. Whoever is owed an answer then has a failed request. */
  leave() {
    this.leaving = true;
    return this.ended;
  }

  /** For the end of a test that has failed: nobody asks any more. */
  abandon() {
    this.over = true;
    for (const caller of this.callers) caller.socket?.destroy();
  }

  /** Lets every request under way be answered; how many a second there were. */
  async stop() {
    this.over = true;
    this.seconds = (Date.now() - this.began) / 1000;
    await this.ended;
    return Math.round(this.answers / this.seconds);
  }
}

export const get = (path) => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;

export function post(path, body, headers = {}) {
  const lines = Object.entries({ 'content-type': 'application/x-www-form-urlencoded', 'content-length': body.length, ...headers });
  return `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines.map(([k, v]) => `${k}: ${v}\r\n`).join('')}\r\n${body}`;
}
