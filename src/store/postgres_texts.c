/* The texts of all statements. */
#include "store/postgres_fields.h"
#include "store/postgres_job.h"

/* What most statements end with. */
#define OF_NOW " WHERE m.name='generation'"
#define DID    " SELECT 1/count(*) FROM c"

/* A number that was never given before, also where a server has taken over that had not all of what
 * the one before it committed: above all numbers of before that moment, as nobody takes a million
 * of them in a second. Below 2^53, which every reader of JSON holds exactly. */
#define LATER(more) "greatest(value, (extract(epoch FROM clock_timestamp())*1000000)::int8)+" more

/* When the client of a family, or everybody, was ended who was made until then; NULL: never. So
 * many families end in a step, and the cleaner ends the rest step by step: until it has, each is
 * known by this, in the same moment. */
#define ENDED_OF(f)                                                                                \
    "greatest((SELECT max(at) FROM revoked WHERE kind=3 AND key=" f "client_id AND at>=" f         \
    "created_at), (SELECT max(at) FROM revoked WHERE kind=4 AND key='' AND at>=" f "created_at))"
#define UNENDED(t) "(" ENDED_OF(t) " IS NULL)"
#define LIVE       "family.revoked_at=0 AND " UNENDED("family.")
#define AT_ONCE    "1000"
/* All families, with the end that is to come. */
#define FAMILIES                                                                                   \
    "(SELECT id, client_id, user_id, scope, resource, auth_time, created_at, expires_at, CASE "    \
    "WHEN revoked_at=0 THEN coalesce(" ENDED_OF(                                                   \
        "family.") ", 0) ELSE revoked_at END AS "                                                  \
                   "revoked_at, revoked_reason, jkt, acr, redirect_uri FROM family)"
/* A code or an approval that was on its way when its client, or everybody, was ended shows up
 * behind that: it is as good as gone, before the cleaner comes by. A spent code stays: it tells of
 * replays. */
#define DEVICES                                                                                    \
    "(SELECT id, user_code, CASE WHEN state=1 AND NOT " UNENDED(                                   \
        "device.") " THEN 2 ELSE state END AS state, client_id, scope, resource, dpop_jkt, "       \
                   "user_id, family_id, auth_time, acr, "                                          \
                   "created_at, expires_at, polled_at, interval_s FROM device)"
/* Those of `which` that live, as many as end in a step. A node of an older program, which knows
 * nothing of steps, would go on with the rest: while one holds its name `at` that moment, all. */
#define SOME_LIVE(which, at)                                                                       \
    "id=ANY(ARRAY(SELECT id FROM family WHERE revoked_at=0 AND " which " LIMIT (CASE WHEN "        \
    "EXISTS(SELECT 1 FROM lease WHERE name LIKE 'node:%' AND until>" at                            \
    " AND known_until<>until) THEN 1000000000 ELSE " AT_ONCE " END))) AND revoked_at=0"

/* Remembers what ended with the families `f`, by numbers that are taken for all of them at once. */
#define GRANTS_REVOKED(at, until)                                                                  \
    ", n AS (SELECT count(*) AS n FROM f), s AS (UPDATE meta SET value=" LATER(                    \
        "(SELECT n FROM n) ") "WHERE name='revocation' AND (SELECT n FROM n)>0 RETURNING value) "  \
                              "INSERT INTO revoked(seq, "                                          \
                              "kind, key, at, expires_at, owner) SELECT s.value-row_number() "     \
                              "OVER ()+1, 1, f.id, " at ", " until                                 \
                              ", f.user_id FROM f CROSS JOIN s"
/* Puts one entry for each of some owners in the place of all older ones, where there are too many.
 * The others end tokens whenever they were issued: two seconds more hold those that were on their
 * way. */
#define FOLD(owners)                                                                               \
    "WITH o AS (SELECT owner, max(at+CASE kind WHEN 2 THEN 0 ELSE 2 END) AS at FROM revoked "      \
    "WHERE owner" owners                                                                           \
    " GROUP BY owner HAVING count(*)>$2 OR (max(kind)=2 AND count(*)>1)), n AS (SELECT count(*) "  \
    "AS n FROM o), s AS (UPDATE meta SET value=" LATER(                                            \
        "(SELECT n FROM n)") " WHERE name='revocation' "                                           \
                             "AND (SELECT n FROM n)>0 RETURNING value), i AS (INSERT INTO "        \
                             "revoked(seq, kind, key, at, "                                        \
                             "expires_at, owner) SELECT s.value-row_number() OVER ()+1, 2, "       \
                             "o.owner, o.at, o.at+$1, "                                            \
                             "o.owner FROM o CROSS JOIN s RETURNING owner) DELETE FROM revoked "   \
                             "USING i "                                                            \
                             "WHERE revoked.owner=i.owner"

/* Batches of what has ended: what is left of the batch, where it is counted, and in which slot. */
#define LEFT    "(SELECT value FROM meta WHERE name='expiring')"
#define CLEANER "32"
#define EXPIRE(table, key, end)                                                                    \
    "WITH c AS (DELETE FROM " table " WHERE " key "=ANY(ARRAY(SELECT " key " FROM " table          \
    " WHERE expires_at>0 AND expires_at<" end " ORDER BY expires_at LIMIT " LEFT                   \
    " FOR UPDATE SKIP LOCKED)) RETURNING 1)"
#define EXPIRED                                                                                    \
    ", n AS (UPDATE meta SET value=value-(SELECT count(*) FROM c) WHERE name='expiring' AND "      \
    "EXISTS(SELECT 1 FROM c)) SELECT count(*) FROM c"
#define EXPIRED_OF(counted)                                                                        \
    ", q AS (UPDATE quota SET value=value-(SELECT count(*) FROM c) WHERE name='" counted           \
    "' AND slot=" CLEANER " AND EXISTS(SELECT 1 FROM c))" EXPIRED

/* What the grants `gone` were of was in use until now, $1. Who has such a row locked uses it. */
#define TODAY "($1/86400*86400)"
#define SAME_CONSENT(other)                                                                        \
    "consent.user_id=" other ".user_id AND consent.client_id=" other                               \
    ".client_id AND consent.resource=" other ".resource AND consent.redirect_uri=" other           \
    ".redirect_uri"
#define USED_CLIENTS(gone)                                                                         \
    ", uc AS (UPDATE client SET used_at=" TODAY " WHERE id=ANY(ARRAY(SELECT id FROM client "       \
    "WHERE id IN (SELECT client_id FROM " gone ") AND origin=1 AND used_at<" TODAY                 \
    " FOR UPDATE SKIP LOCKED)))"
#define USED_CONSENTS(gone)                                                                        \
    ", us AS (UPDATE consent SET used_at=" TODAY " FROM (SELECT s.user_id, s.client_id, "          \
    "s.resource, s.redirect_uri FROM " gone " g JOIN consent s ON s.user_id=g.user_id AND "        \
    "s.client_id=g.client_id AND s.resource=g.resource AND (g.redirect_uri IS NULL OR "            \
    "s.redirect_uri=g.redirect_uri) WHERE s.used_at<" TODAY " FOR UPDATE OF s SKIP LOCKED) t "     \
    "WHERE " SAME_CONSENT("t") ")"
#define FORGOTTEN                                                                                  \
    " SELECT (SELECT count(*) FROM old), c.client_id, c.user_id, c.resource FROM (SELECT 1) one "  \
    "LEFT JOIN c ON true"

const char POSTGRES_FAMILIES[] = FAMILIES;
const char POSTGRES_DEVICES[] = DEVICES;
const char POSTGRES_CODES[] = "(SELECT * FROM code WHERE consumed_at<>0 OR " UNENDED("code.") ")";

const postgres_text_t POSTGRES_TEXTS[POSTGRES_STATEMENTS] = {
#define STATEMENT(name, refusal, types, sql)                                                       \
    [POSTGRES_##name] = {"warder_" #name, sql, types, POSTGRES_##refusal},
#include "store/postgres_statements.def"
#undef STATEMENT
};
