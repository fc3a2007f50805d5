// Racing redemptions in bulk, over two nodes: each code, and each first refresh token of a grant, is
// redeemed by CALLERS callers at the same moment, half of them at either node. Of each, exactly one
// may win. Counted is every request that tried to redeem what others were redeeming.
import net from 'node:net';
import { Browser } from '../e2e/lib/browser.mjs';
import { authorizeUrl, basic, goodRequest, register, signIn } from '../e2e/lib/oauth.mjs';

const GROUPS = 4; // races at the same time
const CALLERS = 64;

/** A connection that is kept, with one request after the other; no client library in between. */
class Line {
  constructor(port) {
    this.port = port;
  }

  send(method, path, headers, body = '') {
    const head = [`${method} ${path} HTTP/1.1`, 'host: 127.0.0.1', ...headers, ...(body ? [`content-length: ${body.length}`] : [])];
    const bytes = `${head.join('\r\n')}\r\n\r\n${body}`;
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.got = '';
      if (!this.socket || this.socket.destroyed) this.open();
      this.socket.write(bytes, 'latin1');
    });
  }

  open() {
    this.socket = net.connect(this.port, '127.0.0.1');
    this.socket.setNoDelay(true);
    this.socket.setEncoding('latin1');
    this.socket.on('data', (chunk) => this.take(chunk));
    this.socket.on('error', (error) => this.lost(error));
    this.socket.on('close', () => this.lost(new Error('closed')));
  }

  lost(error) {
    this.waiting?.reject(error);
    this.waiting = null;
  }

  take(chunk) {
    this.got += chunk;
    const end = this.got.indexOf('\r\n\r\n');
    if (end < 0) return;
    const head = this.got.slice(0, end);
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (this.got.length < end + 4 + length) return;
    const { resolve } = this.waiting;
    this.waiting = null;
    resolve({ status: Number(head.slice(9, 12)), head, body: this.got.slice(end + 4) });
  }

  close() {
    this.socket?.destroy();
  }
}

class Group {
  constructor(w, counts) {
    this.w = w;
    this.counts = counts;
    this.lines = Array.from({ length: CALLERS }, (_, i) => new Line(w.nodes[i % w.nodes.length].port));
  }

  async prepare() {
    // Such a client gets its codes silently, once it has been approved.
    this.client = await register(this.w, { redirect_uris: ['https://c.test/cb'], token_endpoint_auth_method: 'client_secret_basic' });
    this.form = ['content-type: application/x-www-form-urlencoded', `authorization: ${basic(this.client.client_id, this.client.client_secret)}`];
    this.browser = new Browser(this.w.base);
    await signIn(this.w, this.client, {}, { browser: this.browser });
    this.turn = 0;
  }

  /** A code of a live session with a remembered consent; its parameters for the token endpoint. */
  async code() {
    const { verifier, parameters } = goodRequest(this.w, this.client);
    const url = authorizeUrl(this.w, parameters);
    const line = this.lines[this.turn++ % CALLERS];
    const answer = await line.send('GET', url.pathname + url.search, [`cookie: ${this.browser.cookieHeader()}`, 'accept: text/html']);
    const code = /\r\nlocation: \S*[?&]code=([^&\s]+)/i.exec(answer.head)?.[1];
    if (!code) throw new Error(`no code: ${answer.status} ${answer.body.slice(0, 300)}`);
    return { grant_type: 'authorization_code', code: decodeURIComponent(code), code_verifier: verifier, redirect_uri: parameters.redirect_uri };
  }

  /** What it was redeemed for by the one who won. */
  async race(parameters, callers = this.lines) {
    const body = String(new URLSearchParams(parameters));
    const answers = await Promise.all(callers.map((line) => line.send('POST', '/token', this.form, body)));
    const won = answers.filter((one) => one.status === 200);
    for (const one of answers) {
      if (one.status === 200) continue;
      if (one.status === 400 && one.body.includes('"invalid_grant"')) this.counts.refused++;
      else if (one.status === 503) this.counts.unavailable++;
      else throw new Error(`odd answer: ${one.status} ${one.body}`);
    }
    if (won.length > 1) this.counts.doubled++;
    if (won.length === 0) this.counts.none++;
    this.counts.won += won.length;
    return won.length ? JSON.parse(won[0].body) : null;
  }

  async one(kind) {
    const code = await this.code();
    if (kind === 'code') {
      await this.race(code);
      this.counts.codes++;
    } else {
      const answer = await this.lines[this.turn++ % CALLERS].send('POST', '/token', this.form, String(new URLSearchParams(code)));
      if (answer.status !== 200) throw new Error(`an open code was refused: ${answer.status} ${answer.body}`);
      await this.race({ grant_type: 'refresh_token', refresh_token: JSON.parse(answer.body).refresh_token });
      this.counts.refreshTokens++;
    }
    this.counts.redemptions += CALLERS;
  }
}

/** Races until `redemptions` requests have raced; what came of them. */
export async function raceInBulk(w, redemptions, { onSecond = () => {} } = {}) {
  const counts = { redemptions: 0, codes: 0, refreshTokens: 0, won: 0, refused: 0, unavailable: 0, doubled: 0, none: 0 };
  const groups = Array.from({ length: GROUPS }, () => new Group(w, counts));
  for (const group of groups) await group.prepare();
  const timer = setInterval(() => onSecond(counts), 1000);
  let begun = 0;
  try {
    await Promise.all(groups.map(async (group) => {
      while (begun < redemptions) {
        begun += CALLERS;
        await group.one(counts.codes <= counts.refreshTokens ? 'code' : 'refresh');
      }
    }));
  } finally {
    clearInterval(timer);
    for (const group of groups) for (const line of group.lines) line.close();
  }
  return counts;
}
