// Two servers on one store, of this version and the next, and clients that never rest.
import path from 'node:path';
import { Browser } from './browser.mjs';
import { refresh, register, signIn } from './oauth.mjs';
import { BUILD, run, start } from './world.mjs';

export const NEXT = path.join(BUILD, 'warder-next');

/** A further server of the world `w`, of the program at `file`; `at` is its own address. */
export async function beside(w, file, name) {
  const server = await start(file, ['serve', '--listen', '127.0.0.1:0', '--data', w.data, ...w.args],
    { env: { ...w.env, WARDER_PUBLIC_URL: w.issuer }, data: w.data, name });
  server.at = /http:\/\/127\.0\.0\.1:\d+/.exec(server.out)[0];
  return server;
}

/** The world as it is reached at another address. */
export const through = (w, base) => Object.assign(Object.create(w), { base });

/** The browser of a person with the same cookies at another address of the world, as if a proxy led
 *  there. */
export function sameBrowser(browser, w) {
  const other = new Browser(w.base, { headers: { origin: w.issuer } });
  other.cookies = browser.cookies;
  return other;
}

export async function schema(w, file = path.join(BUILD, 'warder')) {
  const { stdout } = await run(file, ['store', 'stats', '--json', '--data', w.data]);
  return JSON.parse(stdout).schema;
}

/** Clients that refresh and sign in, each at one of the addresses in `bases` in turn, which may be
 *  changed at any time; what fails is kept. */
export class Load {
  constructor(w, bases) {
    this.w = w;
    this.bases = bases;
    this.done = { refresh: 0, authorize: 0 };
    this.failures = [];
    this.running = true;
  }

  async begin(clients = 4) {
    this.loops = [];
    for (let i = 0; i < clients; i++) {
      const client = await register(this.w);
      const browser = new Browser(this.w.base);
      const tokens = await signIn(this.w, client, {}, { browser });
      this.loops.push(this.loop(client, browser, tokens.refresh_token, i));
    }
    return this;
  }

  async loop(client, browser, token, at) {
    while (this.running) {
      const w = through(this.w, this.bases[at++ % this.bases.length]);
      try {
        const answer = await refresh(w, client, token);
        if (answer.status !== 200) throw new Error(`refresh: ${answer.status} ${answer.text}`);
        token = answer.body.refresh_token;
        this.done.refresh++;
        if (at % 5 === 0) {
          // By the session alone: nobody could sign in under that name.
          await signIn(w, client, {}, { browser: sameBrowser(browser, w), user: 'nobody' });
          this.done.authorize++;
        }
      } catch (error) {
        this.failures.push(`${w.base}: ${error.message} ${error.cause?.code ?? ''}`);
        return;
      }
    }
  }

  /** Until so many more refreshes are done. */
  async more(n) {
    const until = this.done.refresh + n;
    while (this.done.refresh < until && !this.failures.length) await new Promise((next) => setTimeout(next, 10));
  }

  async end() {
    this.running = false;
    await Promise.all(this.loops);
  }
}
