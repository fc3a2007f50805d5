// The server that is made with the kit in C (test/conformance/server), which the test builds hold.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { BUILD, ROOT, start, stop } from './world.mjs';

const NAME = 'warder-conformance-server';

/** The program: of the build under test, or of the one with sanitizers. */
export function kitProgram() {
  const found = [BUILD, path.join(ROOT, 'build-test')].map((folder) => path.join(folder, NAME)).find(existsSync);
  if (!found) throw new Error(`there is no ${NAME}: script/make test ${NAME} builds it`);
  return found;
}

/** Listens on a free port: {url, stop()}. */
export async function startKit() {
  const data = mkdtempSync(path.join(os.tmpdir(), 'warder-kit-'));
  const server = await start(kitProgram(), ['--listen', '127.0.0.1:0'], { data, name: NAME });
  return {
    url: server.url,
    server,
    async stop() {
      await stop(server);
      rmSync(data, { recursive: true, force: true });
    },
  };
}
