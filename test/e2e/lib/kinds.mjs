// The stores and numbers of nodes that a test file goes through. E2E_KINDS, names separated by commas,
// leaves the others out.
import { HAS_POSTGRES } from './postgres.mjs';

export const KINDS = {
  'memory x1': { store: 'memory', nodes: 1 },
  'sqlite x2': { store: 'sqlite', nodes: 2 },
  'postgres x2': { store: 'postgres', nodes: 2 },
  'postgres x4': { store: 'postgres', nodes: 4 },
  'pgbouncer x2': { store: 'pgbouncer', nodes: 2 },
};

const CHOSEN = process.env.E2E_KINDS?.split(',') ?? Object.keys(KINDS);

/** Why a kind is not tried here, or false. */
export function skipOf(name) {
  if (!CHOSEN.includes(name)) return 'E2E_KINDS leaves it out';
  return KINDS[name].store.startsWith('p') && !HAS_POSTGRES ? 'no PostgreSQL server is installed' : false;
}
