// Serves everything on standard input and output.
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { everything } from './surface.mjs';

serveStdio(() => everything());
