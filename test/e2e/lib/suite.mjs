// The official suite as a child process.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const SUITE = path.join(path.dirname(fileURLToPath(import.meta.url)), '../node_modules/@modelcontextprotocol/conformance/dist/index.js');

/** Runs it; `hear(text)` is called with all it has printed so far. */
export function runSuite(args, hear = () => {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [SUITE, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    const take = (chunk) => {
      text += chunk;
      Promise.resolve(hear(text)).catch((error) => {
        child.kill();
        reject(error);
      });
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, text }));
  });
}

/** What a run of the server mode says: scenario -> {passed, failed}, without the extensions. */
export function scenarios(text) {
  const found = new Map();
  const summary = text.slice(text.indexOf('=== SUMMARY ==='));
  for (const [, name, passed, failed] of summary.matchAll(/^[✓✗] ([a-z0-9-]+): (\d+) passed, (\d+) failed/gm)) {
    found.set(name, { passed: Number(passed), failed: Number(failed) });
  }
  return found;
}

/** The same for a run of several scenarios in client mode, extensions included. */
export function clientScenarios(text) {
  const found = new Map();
  const summary = text.slice(text.indexOf('=== SUITE SUMMARY ==='));
  for (const [, name, passed, failed] of summary.matchAll(/^[✓✗] ([a-z0-9_/-]+): (\d+) passed, (\d+) failed/gm)) {
    found.set(name, { passed: Number(passed), failed: Number(failed) });
  }
  return found;
}
