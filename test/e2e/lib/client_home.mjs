// A person's machine: a home of its own for the client's commands, and a browser that is told what to
// open by its command line alone, as a desktop's is.
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Browser } from './browser.mjs';
import { BUILD, PASSWORD, sleep } from './world.mjs';

const LIMIT_MS = 30_000;
const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export class ClientHome {
  /** visit(url): what the person does with a page that opens; unset: nobody looks. */
  constructor({ visit, env = {} } = {}) {
    this.data = mkdtempSync(path.join(os.tmpdir(), 'warder-client-'));
    this.visit = visit;
    this.visited = [];
    this.opened = path.join(this.data, 'opened');
    this.opener = path.join(this.data, 'opener');
    // One line an argument, so that a test sees how many there were.
    writeFileSync(this.opener, `#!/bin/sh\nfor a in "$@"; do printf '%s\\n' "$a"; done >>'${this.opened}'\n`);
    chmodSync(this.opener, 0o755);
    this.env = { ...process.env, HOME: this.data, XDG_STATE_HOME: path.join(this.data, 'state'), DISPLAY: ':99', ...env };
    delete this.env.DBUS_SESSION_BUS_ADDRESS;
  }

  get folder() {
    return path.join(this.data, 'state/warder/client');
  }

  /** The command line of one of the client's commands, for programs that start it themselves. */
  words(...words) {
    return [path.join(BUILD, 'warder'), ...words, '--keep', 'folder', '--browser', this.opener];
  }

  pages() {
    return existsSync(this.opened) ? readFileSync(this.opened, 'utf8').split('\n').filter(Boolean) : [];
  }

  /** Visits each page that opens until `done` is true. */
  async attend(done) {
    for (let seen = this.visited.length; !done(); await sleep(20)) {
      const pages = this.pages();
      for (; seen < pages.length; seen++) {
        this.visited.push(pages[seen]);
        await this.visit?.(pages[seen]);
      }
    }
  }

  /** Runs `warder WORDS…` to its end: {code, stdout, stderr, json}. */
  async run(words, { input, wrap = [], limit = LIMIT_MS, env = {} } = {}) {
    const [program, ...rest] = [...wrap, ...this.words(...words)];
    const child = spawn(program, rest, { env: { ...this.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    running.add(child);
    const ended = { code: null, stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => (ended.stdout += chunk));
    child.stderr.on('data', (chunk) => (ended.stderr += chunk));
    child.stdin.on('error', () => {});
    if (input === undefined) child.stdin.end();
    else child.stdin.end(input);
    const late = setTimeout(() => child.kill('SIGKILL'), limit);
    let over = false;
    let fault;
    const closed = new Promise((resolve) => child.on('close', (code) => resolve((ended.code = code))));
    const attending = this.attend(() => over).catch((error) => {
      fault = error;
      child.kill('SIGKILL');
    });
    await closed;
    over = true;
    clearTimeout(late);
    running.delete(child);
    await attending;
    if (fault) throw fault;
    const report = /(ERROR: \w+Sanitizer|runtime error:)[^]*/.exec(ended.stderr);
    if (report) throw new Error(report[0].slice(0, 4000));
    try {
      ended.json = JSON.parse(ended.stdout);
    } catch {
      // no JSON was asked for
    }
    return ended;
  }

  /** Attends in the background, for commands that others start: returns a function that ends it. */
  attending() {
    let over = false;
    let fault;
    const work = this.attend(() => over).catch((error) => (fault = error));
    return async () => {
      over = true;
      await work;
      if (fault) throw fault;
    };
  }

  remove() {
    rmSync(this.data, { recursive: true, force: true });
  }
}

/** What a person does at Warder: signs in, approves, and is led back to the loopback port. */
export function approves(w, user = 'alice') {
  const browser = new Browser(w.base);
  return async (url) => {
    const left = await browser.authorize(url, { user, password: w.users?.[user] ?? PASSWORD });
    const answer = await fetch(left);
    await answer.text();
    if (answer.status !== 200) throw new Error(`the callback answered ${answer.status}`);
  };
}

/** Where redirects alone lead back, as with servers that approve by themselves. */
export async function followsRedirects(url) {
  let at = url;
  for (let hop = 0; hop < 10; hop++) {
    const answer = await fetch(at, { redirect: 'manual' });
    await answer.text();
    const location = answer.headers.get('location');
    if (!location) return answer.status;
    at = new URL(location, at).href;
  }
  throw new Error('too many redirects');
}
