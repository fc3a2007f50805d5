// Stores with so many live grants, filled below the server while it is down. People, clients and grants
// like the one there is; keys scattered as real ones are, pages as full as random inserts leave them.
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Grants whose tokens are known, evenly among all: more than are asked for twice. */
const KNOWN_MOST = 50_000;
const FILL_MS = 3600_000;
const AGE_S = 25 * 86400; // of the oldest token: an unused one lives 30 days
const SCATTER = 2654435761; // odd: n times it, modulo 2^32, is each number once

const peopleOf = (n) => Math.ceil(n / 10);
const clientsOf = (n) => Math.ceil(n / 100);

function known(n) {
  const count = Math.min(n, KNOWN_MOST);
  const step = Math.floor(n / count);
  return Array.from({ length: count }, (_, i) => {
    const token = `wrr_${randomBytes(32).toString('base64url')}`;
    return { n: (i + 1) * step, token, hash: createHash('sha256').update(token).digest('hex') };
  });
}

/** What differs from the row there is, by column, in either SQL: `hex` writes a number in 8 digits. */
function values(hex, n) {
  const mix = (x, by) => `(((${x})*${by})%4294967296)`;
  const person = (x) => `'u_'||${hex(mix(`${x}+1`, SCATTER))}||'4d61736368696e'`;
  const client = (x) => `'wrd_'||${hex(mix(`${x}+1`, SCATTER))}||'2d6e756d6265722d6f662d6d616e79'`;
  const family = (x) => `'wrf_'||${hex(mix(x, SCATTER))}||${hex(mix(x, 40503))}||'6f6620616c6c'`;
  const age = (x) => `(${mix(x, SCATTER)}%${AGE_S})`;
  const aged = (x) => Object.fromEntries(['created_at', 'expires_at', 'auth_time'].map((c) => [c, `CASE WHEN one.${c}>${AGE_S} THEN one.${c}-${age(x)} ELSE one.${c} END`]));
  return {
    user: { id: person('s.n'), name: `'name-'||${hex(mix('s.n+1', SCATTER))}`, admin: '0' },
    client: { id: client('s.n') },
    family: { id: family('s.n'), user_id: person(`${mix('s.n', SCATTER)}%${peopleOf(n)}`), client_id: `CASE WHEN k.hash IS NULL THEN ${client(`${mix('s.n', 40503)}%${clientsOf(n)}`)} ELSE one.client_id END`, ...aged('s.n') },
    refresh: { family_id: family('s.n'), ...aged('s.n') },
  };
}

const put = (table, columns, of) => `INSERT INTO "${table}"(${columns.join(', ')}) SELECT ${columns.map((c) => of[c] ?? `one.${c}`).join(', ')} FROM one_${table} AS one`;

const MODELS = {
  user: 'SELECT * FROM "user" LIMIT 1', client: 'SELECT * FROM client WHERE id=(SELECT client_id FROM family LIMIT 1)',
  family: 'SELECT * FROM family LIMIT 1', refresh: 'SELECT * FROM refresh WHERE rotated_at=0 LIMIT 1',
};

// ---- SQLite ----

function series(from, to) {
  return `WITH RECURSIVE s(n) AS (SELECT ${from} UNION ALL SELECT n+1 FROM s WHERE n<${to})`;
}

/** Rows `from` to `to`, in the order of the keys of each table: the trees are walked from end to end. */
function fillSqlite(db, columns, of, from, to) {
  db.exec(`CREATE TEMP TABLE part AS ${series(from, to)} SELECT s.n AS n, coalesce(k.hash, randomblob(32)) AS hash, ${of.family.id} AS family FROM s LEFT JOIN known k ON k.n=s.n;
    ${put('family', columns.family, { ...of.family, id: 's.family' })} CROSS JOIN (SELECT n, family FROM part ORDER BY family) s LEFT JOIN known k ON k.n=s.n;
    ${put('refresh', columns.refresh, { ...of.refresh, id: 's.hash', family_id: 's.family' })} CROSS JOIN (SELECT n, hash, family FROM part ORDER BY hash) s;
    DROP TABLE part;`);
}

/** Four fifths without the other indexes, which are made then; the rest with them, so that all trees have
 * room as they have in use. */
function sqlite(file, n) {
  const db = new DatabaseSync(file);
  const tokens = known(n);
  const of = values((x) => `printf('%08x',${x})`, n);
  db.exec('PRAGMA journal_mode=DELETE; PRAGMA journal_mode=OFF; PRAGMA locking_mode=EXCLUSIVE; PRAGMA synchronous=OFF; PRAGMA cache_size=-2000000; PRAGMA cache_spill=1; BEGIN');
  const columns = Object.fromEntries(Object.keys(MODELS).map((table) => [table, db.prepare(`SELECT name FROM pragma_table_info('${table}')`).all().map((row) => row.name)]));
  for (const [table, sql] of Object.entries(MODELS)) db.exec(`CREATE TEMP TABLE one_${table} AS ${sql}`);
  db.exec('CREATE TEMP TABLE known(n INTEGER PRIMARY KEY, hash BLOB)');
  const add = db.prepare('INSERT INTO known VALUES(?, ?)');
  for (const one of tokens) add.run(one.n, Buffer.from(one.hash, 'hex'));
  for (const [table, rows] of [['user', peopleOf(n)], ['client', clientsOf(n)]])
    db.exec(`${series(0, rows - 1)} ${put(table, columns[table], of[table])} CROSS JOIN (SELECT n FROM s ORDER BY (n+1)*${SCATTER}%4294967296) s`);
  const indexes = db.prepare("SELECT name, sql FROM sqlite_master WHERE type='index' AND sql IS NOT NULL AND tbl_name IN ('family', 'refresh')").all();
  for (const one of indexes) db.exec(`DROP INDEX ${one.name}`);
  fillSqlite(db, columns, of, 1, Math.floor(n * 0.8));
  for (const one of indexes) db.exec(one.sql);
  fillSqlite(db, columns, of, Math.floor(n * 0.8) + 1, n);
  db.exec('COMMIT');
  db.close();
  return tokens.map((one) => one.token);
}

// ---- PostgreSQL ----

/** All in one transaction, so that with wal_level=minimal nothing of it goes through the log. */
async function postgres(cluster, database, n) {
  const sql = (text) => cluster.sql(text, database, FILL_MS);
  const lines = async (text) => (await sql(text)).split('\n').filter(Boolean);
  const of = values((x) => `lpad(to_hex((${x})::bigint),8,'0')`, n);
  const tokens = known(n);
  const tables = Object.keys(MODELS);
  const listed = tables.map((t) => `'${t}'`).join(',');
  const columns = {};
  for (const table of tables) columns[table] = await lines(`SELECT column_name FROM information_schema.columns WHERE table_name='${table}' AND table_schema='public' ORDER BY ordinal_position`);
  const constraints = (await lines(`SELECT c.relname, k.conname, k.contype, pg_get_indexdef(k.conindid) FROM pg_constraint k JOIN pg_class c ON c.oid=k.conrelid WHERE c.relname IN (${listed}) AND k.contype IN ('p', 'u')`)).map((line) => line.split('|'));
  const indexes = (await lines(`SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN (${listed}) AND indexname NOT IN (SELECT conname FROM pg_constraint)`)).map((line) => line.split('|'));
  // Random keys leave pages two thirds full; those that grow fill them.
  const roomy = (name, text) => (/expires|live|created|listed|unused/.test(name) ? text : /\) WHERE /.test(text) ? text.replace(/\) WHERE /, ') WITH (fillfactor=70) WHERE ') : `${text} WITH (fillfactor=70)`);
  const rows = (last) => `(SELECT s.n::bigint, k.hash FROM generate_series(1, ${last}) AS s(n) LEFT JOIN known k ON k.n=s.n) AS s`;
  const numbers = (last) => `(SELECT n::bigint FROM generate_series(0, ${last}) AS g(n)) AS s`;
  await sql(`BEGIN; SET LOCAL maintenance_work_mem='1GB'; SET LOCAL work_mem='256MB';
    ${tables.map((t) => `CREATE TEMP TABLE one_${t} AS ${MODELS[t]}; CREATE TEMP TABLE was_${t} AS SELECT * FROM "${t}";`).join('\n')}
    CREATE TEMP TABLE known(n BIGINT, hash BYTEA);
    COPY known FROM STDIN;\n${tokens.map((one) => `${one.n}\t\\\\x${one.hash}`).join('\n')}\n\\.
    ANALYZE known;
    ${tables.map((t) => `TRUNCATE "${t}";`).join('\n')}
    ${constraints.map(([table, name]) => `ALTER TABLE "${table}" DROP CONSTRAINT ${name};`).join('\n')}
    ${indexes.map(([name]) => `DROP INDEX ${name};`).join('\n')}
    ${tables.map((t) => `INSERT INTO "${t}" SELECT * FROM was_${t};`).join('\n')}
    ${put('user', columns.user, of.user)}, ${numbers(peopleOf(n) - 1)};
    ${put('client', columns.client, of.client)}, ${numbers(clientsOf(n) - 1)};
    ${put('family', columns.family, Object.fromEntries(Object.entries(of.family).map(([c, v]) => [c, v.replaceAll('k.hash', 's.hash')])))}, ${rows(n)};
    ${put('refresh', columns.refresh, { ...of.refresh, id: "coalesce(s.hash, sha256(('r'||s.n)::bytea))" })}, ${rows(n)};
    ${constraints.map(([table, name, type, text]) => `${roomy(name, text)}; ALTER TABLE "${table}" ADD CONSTRAINT ${name} ${type === 'p' ? 'PRIMARY KEY' : 'UNIQUE'} USING INDEX ${name};`).join('\n')}
    ${indexes.map(([name, text]) => `${roomy(name, text)};`).join('\n')}
    ${[...constraints.map((c) => c[1]), ...indexes.map((i) => i[0])].map((name) => `ALTER INDEX ${name} RESET (fillfactor);`).join('\n')}
    COMMIT;`);
  await sql('VACUUM ANALYZE');
  return tokens.map((one) => one.token);
}

/** Fills the store of a world that is stopped, up to `n` live grants; tokens of some, and MiB that it takes. */
export async function fill(w, cluster, n) {
  if (!cluster) {
    const file = path.join(w.data, readdirSync(w.data).find((name) => /\.db$/.test(name)));
    const tokens = sqlite(file, n);
    return { tokens, mib: statSync(file).size / 2 ** 20 };
  }
  const database = /dbname=(\S+)/.exec(w.store.WARDER_POSTGRES)[1];
  const tokens = await postgres(cluster, database, n);
  return { tokens, mib: Number(await cluster.sql(`SELECT pg_database_size('${database}')`)) / 2 ** 20 };
}
