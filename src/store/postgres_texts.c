/* The texts of all statements. */
#include "store/postgres_fields.h"
#include "store/postgres_job.h"

/* What most statements end with. */
#define OF_NOW " WHERE m.name='generation'"
#define DID    " SELECT 1/count(*) FROM c"

/* Remembers what ended with the families `f`, by numbers that are taken for all of them at once. */
#define GRANTS_REVOKED(at, until)                                                                  \
    ", n AS (SELECT count(*) AS n FROM f), s AS (UPDATE meta SET value=value+(SELECT n FROM n) "   \
    "WHERE name='revocation' AND (SELECT n FROM n)>0 RETURNING value) INSERT INTO revoked(seq, "   \
    "kind, key, at, expires_at, owner) SELECT s.value-row_number() OVER ()+1, 1, f.id, " at        \
    ", " until ", f.user_id FROM f CROSS JOIN s"
/* Puts one entry for each owner of `o` in the place of all older ones. */
#define FOLDED                                                                                     \
    ", n AS (SELECT count(*) AS n FROM o), s AS (UPDATE meta SET value=value+(SELECT n FROM n) "   \
    "WHERE name='revocation' AND (SELECT n FROM n)>0 RETURNING value), i AS (INSERT INTO "         \
    "revoked(seq, kind, key, at, expires_at, owner) SELECT s.value-row_number() OVER ()+1, 2, "    \
    "o.owner, o.at, o.at+$1, o.owner FROM o CROSS JOIN s RETURNING owner) DELETE FROM revoked "    \
    "USING i WHERE revoked.owner=i.owner"

const postgres_text_t POSTGRES_TEXTS[POSTGRES_STATEMENTS] = {
#define STATEMENT(name, refusal, types, sql)                                                       \
    [POSTGRES_##name] = {"warder_" #name, sql, types, POSTGRES_##refusal},
#include "store/postgres_statements.def"
#undef STATEMENT
};
