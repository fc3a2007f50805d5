// The Inspector's command line. Its package reads the version from the one it is shipped in, which
// has a web interface that nobody needs here: it runs from a copy with that file beside it.
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './world.mjs';

const e2e = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const shipped = path.join(e2e, 'node_modules/@modelcontextprotocol/inspector-cli');
const copy = path.join(e2e, 'out/inspector');

function program() {
  const { version, type } = JSON.parse(readFileSync(path.join(shipped, 'package.json'), 'utf8'));
  const file = path.join(copy, version, 'cli/build/cli.js');
  if (!existsSync(file)) {
    mkdirSync(path.join(copy, version, 'cli'), { recursive: true });
    writeFileSync(path.join(copy, version, 'package.json'), JSON.stringify({ name: 'inspector', version, type }));
    cpSync(path.join(shipped, 'build'), path.join(copy, version, 'cli/build'), { recursive: true });
  }
  return file;
}

/** One call of the Inspector of a target, which is a URL with its transport, or a command line. */
export function inspectWith(target, ...args) {
  return run(process.execPath, [program(), '--cli', ...target, ...args]);
}

/** One call of the Inspector: {code, stdout, stderr}. */
export function inspect(url, token, ...args) {
  return inspectWith([url, '--transport', 'http', '--header', `Authorization: Bearer ${token}`], ...args);
}
