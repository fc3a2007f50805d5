// A TCP proxy before a PostgreSQL server which knows the frames of the protocol well enough to fail at
// a chosen one. What a client sends up to its next Sync (or as a simple query) is a batch: one
// transaction, where there is no BEGIN. A rule says to which batches something happens, and what.
import net from 'node:net';

const SSL_REQUEST = 80877103;
const GSS_REQUEST = 80877104;
const CANCEL_REQUEST = 80877102;
const DRIP_BYTES = 2;
const DRIP_MS = 1;

/** What a rule can do to a batch. */
export const FAULTS = {
  CUT_BEFORE: 'cut before', // the batch never reaches the server, and the client's connection is reset
  CUT_AFTER: 'cut after', // the server carries it out; its answer is dropped, the connection reset
  CUT_AT_ONCE: 'cut at once', // the batch goes out, and both connections are reset without waiting
  DELAY: 'delay', // the batch waits for `ms` before it goes out
  DELAY_ANSWER: 'delay answer', // the answer does
  HALF_OPEN: 'half open', // from this batch on all is swallowed, both ways; the connection stands
  HALF_ANSWER: 'half answer', // the batch goes out; from its answer on all is swallowed
  DRIP: 'slow drip', // the answer comes in crumbs
};

function frames(buffer, take) {
  let at = 0;
  while (buffer.length - at >= 5) {
    const length = 1 + buffer.readInt32BE(at + 1);
    if (buffer.length - at < length) break;
    take(String.fromCharCode(buffer[at]), buffer.subarray(at, at + length));
    at += length;
  }
  return buffer.subarray(at);
}

function cString(buffer, at) {
  const end = buffer.indexOf(0, at);
  return [buffer.toString('utf8', at, end), end + 1];
}

class Batch {
  constructor() {
    this.parts = [];
    this.texts = []; // of the statements that run in it, each with its name if it was prepared
    this.fault = null;
  }
}

class Connection {
  constructor(proxy, client) {
    this.proxy = proxy;
    this.client = client;
    this.server = net.connect(proxy.target);
    this.fromClient = Buffer.alloc(0);
    this.fromServer = Buffer.alloc(0);
    this.stage = 'startup'; // then 'reply' (one byte), 'frames' or 'opaque' (TLS)
    this.batch = new Batch();
    this.waiting = []; // batches whose ReadyForQuery has not come yet
    this.prepared = new Map();
    this.swallow = false;
    this.client.setNoDelay(true);
    this.server.setNoDelay(true);
    this.client.on('data', (chunk) => this.onClient(chunk));
    this.server.on('data', (chunk) => this.onServer(chunk));
    for (const socket of [this.client, this.server]) socket.on('error', () => this.cut());
    this.client.on('close', () => this.cut());
    this.server.on('close', () => this.swallow || this.cut());
  }

  cut() {
    if (this.gone) return;
    this.gone = true;
    this.client.resetAndDestroy();
    this.server.destroy();
    this.proxy.connections.delete(this);
  }

  onClient(chunk) {
    if (this.swallow || this.proxy.deaf) return;
    if (this.stage === 'opaque') {
      this.server.write(chunk);
      return;
    }
    this.fromClient = Buffer.concat([this.fromClient, chunk]);
    if (this.stage === 'startup' && !this.startup()) return;
    if (this.stage === 'frames') this.fromClient = frames(this.fromClient, (type, frame) => this.clientFrame(type, frame));
  }

  /** The first message has no type. Whether frames follow. */
  startup() {
    if (this.fromClient.length < 8) return false;
    const length = this.fromClient.readInt32BE(0);
    if (this.fromClient.length < length) return false;
    const code = this.fromClient.readInt32BE(4);
    const first = this.fromClient.subarray(0, length);
    this.fromClient = this.fromClient.subarray(length);
    this.server.write(first);
    if (code === SSL_REQUEST || code === GSS_REQUEST) this.stage = 'reply';
    else if (code === CANCEL_REQUEST) this.stage = 'opaque';
    else {
      this.stage = 'frames';
      this.waiting.push(new Batch()); // signing in ends with a ReadyForQuery as well
    }
    return this.stage === 'frames';
  }

  clientFrame(type, frame) {
    if (this.gone || this.swallow) return;
    if (type === 'P') {
      const [name, next] = cString(frame, 5);
      this.prepared.set(name, `${name} ${cString(frame, next)[0]}`);
    }
    if (type === 'B') {
      const [name] = cString(frame, cString(frame, 5)[1]);
      this.batch.texts.push(this.prepared.get(name) ?? name);
    }
    if (type === 'Q') this.batch.texts.push(cString(frame, 5)[0]);
    this.batch.parts.push(frame);
    if (type === 'S' || type === 'Q') this.endBatch();
    else if (!'PBDEC'.includes(type)) this.flush(this.batch);
  }

  flush(batch) {
    if (this.gone) return;
    for (const part of batch.parts.splice(0)) this.server.write(part);
  }

  endBatch() {
    const batch = this.batch;
    this.batch = new Batch();
    batch.fault = this.proxy.choose(batch.texts.join('\n'));
    this.waiting.push(batch);
    this.send(batch);
  }

  // Batches keep their order: behind one that is delayed, all wait.
  send(batch) {
    const before = this.sending ?? null;
    const step = () => this.sendNow(batch);
    if (!before && batch.fault?.what !== FAULTS.DELAY) {
      step();
      return;
    }
    const after = (before ?? Promise.resolve()).then(async () => {
      if (batch.fault?.what === FAULTS.DELAY) await new Promise((resolve) => setTimeout(resolve, batch.fault.ms));
      step();
      if (this.sending === after) this.sending = null;
    });
    this.sending = after;
  }

  sendNow(batch) {
    const what = batch.fault?.what;
    if (what === FAULTS.CUT_BEFORE) this.cut();
    else if (what === FAULTS.HALF_OPEN) this.swallow = true;
    else this.flush(batch);
    if (what === FAULTS.CUT_AT_ONCE) setImmediate(() => this.cut());
  }

  onServer(chunk) {
    if (this.swallow || this.proxy.deaf) return;
    if (this.stage === 'opaque') {
      this.client.write(chunk);
      return;
    }
    if (this.stage === 'reply') {
      this.stage = chunk[0] === 0x53 || chunk[0] === 0x47 ? 'opaque' : 'startup'; // S, G: encrypted from here
      this.client.write(chunk);
      return;
    }
    this.fromServer = frames(Buffer.concat([this.fromServer, chunk]), (type, frame) => this.serverFrame(type, frame));
  }

  serverFrame(type, frame) {
    if (this.gone || this.swallow) return;
    const fault = this.waiting[0]?.fault;
    if (type === 'Z') this.waiting.shift();
    if (fault?.what === FAULTS.CUT_AFTER) {
      if (type === 'Z') this.cut();
      return;
    }
    if (fault?.what === FAULTS.HALF_ANSWER) {
      this.swallow = true;
      return;
    }
    this.answer(frame, fault);
  }

  answer(frame, fault) {
    const slow = fault?.what === FAULTS.DRIP || fault?.what === FAULTS.DELAY_ANSWER;
    if (!slow && !this.answering) {
      this.client.write(frame);
      return;
    }
    const after = (this.answering ?? Promise.resolve()).then(async () => {
      if (fault?.what === FAULTS.DRIP) await this.drip(frame);
      else {
        if (fault?.what === FAULTS.DELAY_ANSWER && !fault.waited) {
          fault.waited = true;
          await new Promise((resolve) => setTimeout(resolve, fault.ms));
        }
        if (!this.gone) this.client.write(frame);
      }
      if (this.answering === after) this.answering = null;
    });
    this.answering = after;
  }

  async drip(frame) {
    for (let at = 0; at < frame.length && !this.gone; at += DRIP_BYTES) {
      this.client.write(frame.subarray(at, at + DRIP_BYTES));
      await new Promise((resolve) => setTimeout(resolve, DRIP_MS));
    }
  }
}

export class FaultProxy {
  /** Before the server at `port` of loopback. */
  static async start(port) {
    const p = new FaultProxy();
    p.target = { port, host: '127.0.0.1' };
    p.connections = new Set();
    p.rules = [];
    p.counts = { connections: 0, refused: 0, batches: 0 };
    p.refusing = false;
    p.deaf = false;
    p.server = net.createServer((socket) => p.accept(socket));
    await new Promise((resolve) => p.server.listen(0, '127.0.0.1', resolve));
    p.server.unref();
    p.port = p.server.address().port;
    return p;
  }

  accept(socket) {
    if (this.refusing) {
      this.counts.refused++;
      socket.on('error', () => {});
      socket.resetAndDestroy();
      return;
    }
    this.counts.connections++;
    this.connections.add(new Connection(this, socket));
  }

  /**
   * From now on: the `nth` batch (and `times` - 1 after it) whose statements fit `like`, a regular
   * expression over their texts and names, meets `what`. `ms` is for delays.
   */
  rule({ what, like = /./, nth = 1, times = 1, ms = 0 }) {
    const rule = { what, like, nth, times, ms, seen: 0, done: 0 };
    this.rules.push(rule);
    return rule;
  }

  choose(about) {
    this.counts.batches++;
    for (const rule of this.rules) {
      if (rule.done >= rule.times || !rule.like.test(about)) continue;
      if (++rule.seen < rule.nth) continue;
      rule.done++;
      this.counts[rule.what] = (this.counts[rule.what] ?? 0) + 1;
      return { what: rule.what, ms: rule.ms };
    }
    return null;
  }

  clear() {
    this.rules = [];
    this.refusing = false;
    this.deaf = false;
  }

  /** Resets all connections there are. */
  reset() {
    for (const one of [...this.connections]) one.cut();
  }

  async stop() {
    this.reset();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
