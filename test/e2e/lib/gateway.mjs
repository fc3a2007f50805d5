// Warder as a gateway, with the server of everything (or any other) behind it.
import { mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { World, freePort, start, stop } from './world.mjs';

const EVERYTHING = path.join(path.dirname(fileURLToPath(import.meta.url)), '../everything');
export const USE = 'mcp:use';

/** The command line of everything on standard streams. */
export const STDIO = [process.execPath, path.join(EVERYTHING, 'stdio.mjs')];

export class Gateway extends World {
  /**
   * upstream: a URL, or unset for everything over HTTP, or 'stdio' for it as a child.
   * settings: the text of a settings file, with UPSTREAM for the URL; unset: the flags alone.
   * prepare(data): puts further files beside it. metrics: whether there are some.
   */
  static async start({ upstream, settings, env = {}, args = [], users = ['alice'], port = 0, prepare = () => {}, wrap = [], metrics = false, store, conninfo, nodes } = {}) {
    const w = new Gateway();
    w.data = mkdtempSync(path.join(os.tmpdir(), 'warder-e2e-'));
    w.users = {};
    w.wrap = wrap;
    try {
      await w.settle({ env, store, conninfo, nodes });
      prepare(w.data);
      await w.startUpstream(upstream);
      w.settings = settings;
      w.metricsPort = metrics ? await freePort() : 0;
      w.own = metrics ? ['--metrics-listen', `127.0.0.1:${w.metricsPort}`, ...args] : args;
      w.args = w.flags();
      await w.startAll(port);
      w.mcp = `${w.base}/mcp`;
      for (const user of users) await w.addUser(user);
    } catch (error) {
      await w.stop().catch(() => {});
      throw error;
    }
    return w;
  }

  async startUpstream(upstream) {
    if (upstream === 'stdio') return;
    if (upstream === undefined) {
      this.everything = await start(process.execPath, [path.join(EVERYTHING, 'http.mjs'), ...(this.everythingPort ? [this.everythingPort] : [])],
        { data: this.data, name: 'everything' });
      this.everythingPort = new URL(this.everything.url).port;
    }
    this.upstream = upstream ?? `http://127.0.0.1:${this.everythingPort}/mcp`;
  }

  flags() {
    if (this.settings !== undefined) return ['--config', this.writeSettings(this.settings), ...this.own];
    if (!this.upstream) return ['--upstream-command', STDIO.join(' '), ...this.own];
    return ['--upstream', this.upstream, ...this.own];
  }

  /** The settings file, anew. */
  writeSettings(text) {
    const file = path.join(this.data, 'warder.yaml');
    writeFileSync(file, text.replaceAll('UPSTREAM', this.upstream ?? ''), { mode: 0o600 });
    return file;
  }

  /** Loads the settings again and waits until the log says how that went. */
  async reload(text) {
    if (text !== undefined) this.writeSettings(text);
    const before = this.warder.err.length;
    this.warder.child.kill('SIGHUP');
    for (let i = 0; i < 2400; i++) {
      const said = this.warder.err.slice(before);
      if (/settings/.test(said)) return said;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error('no word of the settings in the log');
  }

  async metrics() {
    const answer = await fetch(`http://127.0.0.1:${this.metricsPort}/metrics`);
    if (answer.status !== 200) throw new Error(`metrics answered ${answer.status}`);
    return answer.text();
  }

  /** With the settings that the server has. */
  cli(words, options) {
    return super.cli(this.settings === undefined ? words : [...words, '--config', path.join(this.data, 'warder.yaml')], options);
  }

  async stop(options) {
    const faults = [];
    await super.stop(options).catch((fault) => faults.push(fault));
    if (this.everything && !this.everything.exited) {
      this.everything.child.kill('SIGKILL');
      await this.everything.done;
    }
    if (faults.length) throw faults[0];
  }
}
