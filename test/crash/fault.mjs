// Faults on order in a program that is started with `env` of this: see io_fault.c.
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readSync, renameSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { BUILD } from '../e2e/lib/world.mjs';

const SOURCE = path.join(path.dirname(fileURLToPath(import.meta.url)), 'io_fault.c');
const LIBRARY = path.join(BUILD, 'io_fault.so');

export const CALLS = ['change', 'write', 'pwrite', 'sync', 'truncate', 'rename', 'unlink', 'open', 'read', 'pread'];
const WHAT = { nothing: 0, fail: 1, failEver: 2, kill: 3, short: 4, tear: 5 };
export const { EIO, EINTR, ENOSPC, EROFS, EMFILE } = os.constants.errno;
const ERRNO = { EIO, EINTR, ENOSPC, EMFILE, EROFS: EROFS ?? 30 };
const AT = { call: 0, left: 4, what: 8, error: 12, struck: 16, noRandom: 20, offset: 24, counts: 32 };

function build() {
  if (existsSync(LIBRARY) && statSync(LIBRARY).mtimeMs > statSync(SOURCE).mtimeMs) return;
  const fresh = `${LIBRARY}.${process.pid}`;
  execFileSync('cc', ['-std=gnu17', '-D_GNU_SOURCE', '-O1', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', '-o', fresh, SOURCE, '-ldl']);
  renameSync(fresh, LIBRARY);
}

export class Fault {
  /** Of files below `prefix` of temporary folders, e.g. the data folders of worlds. */
  constructor(prefix = path.join(os.tmpdir(), 'warder-e2e-')) {
    build();
    this.folder = mkdtempSync(path.join(os.tmpdir(), 'warder-fault-'));
    this.file = path.join(this.folder, 'control');
    writeFileSync(this.file, Buffer.alloc(4096));
    this.fd = openSync(this.file, 'r+');
    this.env = { LD_PRELOAD: LIBRARY, IO_FAULT_CONTROL: this.file, IO_FAULT_FOLDER: prefix };
  }

  put(at, value) {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    writeSync(this.fd, bytes, 0, 4, at);
  }

  get(at) {
    const bytes = Buffer.alloc(4);
    readSync(this.fd, bytes, 0, 4, at);
    return bytes.readInt32LE();
  }

  /** The call number `n` (from 0) of that kind from now on fails, or whatever `what` says. */
  arm(call, n, what, error = 'EIO') {
    this.put(AT.what, WHAT.nothing);
    this.put(AT.call, CALLS.indexOf(call));
    this.put(AT.left, n);
    this.put(AT.error, ERRNO[error]);
    this.put(AT.struck, 0);
    this.put(AT.what, WHAT[what]);
  }

  /** No more faults. How often one struck. */
  disarm() {
    this.put(AT.what, WHAT.nothing);
    return this.get(AT.struck);
  }

  count(call) {
    return this.get(AT.counts + 4 * CALLS.indexOf(call));
  }

  moveClock(ms) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(ms));
    writeSync(this.fd, bytes, 0, 8, AT.offset);
  }

  /** 1: getrandom and the like fail; 2: also for who asks the kernel, and for ever. */
  endRandomness(mode) {
    this.put(AT.noRandom, mode);
  }

  close() {
    closeSync(this.fd);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
