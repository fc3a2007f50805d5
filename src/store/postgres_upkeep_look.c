/* Counting, and looking for what cannot be. */
#include "store/postgres_upkeep.h"

#include <stdio.h>

enum { SQL_BYTES = 160 };

static int64_t now_of(const postgres_work_t *w)
{
    return clock_seconds(&w->store->clock);
}

static rc_t number(postgres_work_t *w, const char *sql, uint64_t *out)
{
    int64_t n;
    TRY(postgres_work_number(w, sql, now_of(w), &n));
    *out = (uint64_t)n;
    return RC_OK;
}

/* Services that are not quite PostgreSQL may know no sizes: 0 then. */
static rc_t count_bytes(postgres_work_t *w, store_stats_t *out)
{
    char sql[SQL_BYTES];
    for (int t = 0; t < TABLE_COUNT; t++) {
        snprintf(sql, sizeof sql, "SELECT pg_total_relation_size('\"%s\"'::regclass)",
                 TABLES[t].name);
        TRY(postgres_work_run(w, "SAVEPOINT size"));
        if (number(w, sql, &out->table[t].bytes) != RC_OK)
            TRY(postgres_work_run(w, "ROLLBACK TO SAVEPOINT size"));
        out->bytes += out->table[t].bytes;
    }
    return RC_OK;
}

/* A grant that only an entry of the list ends so far is none that lives. */
static rc_t find_oldest(postgres_work_t *w, int64_t *out)
{
    const char *sql = arena_cstr(w->a, arena_printf(w->a,
                                                    "SELECT min(created_at) FROM %s AS f WHERE "
                                                    "revoked_at=0 AND (expires_at=0 OR "
                                                    "expires_at>$1)",
                                                    POSTGRES_FAMILIES));
    *w->why = STR("out of memory");
    return sql ? postgres_work_number(w, sql, now_of(w), out) : RC_MEMORY;
}

static rc_t read_stats(postgres_work_t *w, store_stats_t *out)
{
    char sql[SQL_BYTES];
    uint64_t schema = 0;
    for (int t = 0; t < TABLE_COUNT; t++) {
        snprintf(sql, sizeof sql, "SELECT count(*) FROM \"%s\"", TABLES[t].name);
        TRY(number(w, sql, &out->table[t].rows));
    }
    TRY(count_bytes(w, out));
    TRY(number(w, "SELECT value FROM meta WHERE name='schema'", &schema));
    TRY(number(w, "SELECT value FROM meta WHERE name='generation'", &out->generation));
    TRY(number(w, "SELECT value FROM meta WHERE name='revocation'", &out->revocation));
    out->schema = (int)schema;
    return find_oldest(w, &out->oldest);
}

rc_t postgres_stats(store_t *s, store_stats_t *out, arena_t *a, str_t *why)
{
    postgres_work_t w = {.store = (postgres_store_t *)s, .a = a, .why = why};
    *out = (store_stats_t){0};
    *why = STR_UNSET;
    rc_t rc = postgres_work_begin(&w, false);
    if (rc == RC_OK)
        rc = read_stats(&w, out);
    return postgres_work_end(&w, rc);
}

typedef struct {
    const char *sentence, *sql;
} invariant_t;

#define COUNTS(what, name, rows)                                                                   \
    {                                                                                              \
        "the count of " what " is wrong by %lld",                                                  \
            "SELECT abs((SELECT sum(value) FROM quota WHERE name='" name "')::bigint-(SELECT"      \
            " count(*) FROM " rows "))"                                                            \
    }
static const invariant_t INVARIANTS[] = {
#define CHECK(sentence, sql) {sentence, sql},
#include "store/upkeep_checks.def"
#undef CHECK
    {"%lld counts of quotas are not there", "SELECT 5-count(DISTINCT name) FROM quota"},
    COUNTS("registered clients", "registered", "client WHERE origin=1 AND deleted_at=0"),
    COUNTS("interactions", "interactions", "interaction"),
    COUNTS("pushed requests", "pushed", "pushed"),
    COUNTS("devices", "devices", "device"),
    COUNTS("spent names", "spent", "spent"),
    {"%lld revocations have a number that is still to be given",
     "SELECT count(*) FROM revoked WHERE seq<1 OR seq>(SELECT value FROM meta WHERE"
     " name='revocation')"},
};

static void tell(const store_finder_t *finder, str_t sentence)
{
    finder->found(finder->ctx, str_is_set(sentence)
                                   ? sentence
                                   : STR("something is wrong, and no memory to say"));
}

static rc_t check_invariant(postgres_work_t *w, const store_finder_t *finder,
                            const invariant_t *rule)
{
    int64_t n;
    char sentence[160];
    TRY(postgres_work_number(w, rule->sql, now_of(w), &n));
    if (n == 0)
        return RC_OK;
        /* The forms stand in the table above. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(sentence, sizeof sentence, rule->sentence, (long long)n);
#pragma GCC diagnostic pop
    tell(finder, arena_dup(w->a, str_c(sentence)));
    return RC_OK;
}

static rc_t pass(void *ctx, table_id_t table, const void *record)
{
    (void)ctx;
    (void)table;
    (void)record;
    return RC_OK;
}

static rc_t check_records(postgres_work_t *w, const store_finder_t *finder, table_id_t table)
{
    uint64_t bad = 0;
    const postgres_walk_t walk = {pass, NULL, &bad};
    TRY(postgres_work_walk(w, table, &walk));
    if (bad > 0)
        tell(finder,
             arena_printf(w->a, "%llu records of the table %s have a form that is not known",
                          (unsigned long long)bad, TABLES[table].name));
    return RC_OK;
}

static rc_t check_all(postgres_work_t *w, const store_finder_t *finder)
{
    for (size_t i = 0; i < sizeof INVARIANTS / sizeof INVARIANTS[0]; i++)
        TRY(check_invariant(w, finder, &INVARIANTS[i]));
    for (int t = 0; t < TABLE_COUNT; t++)
        TRY(check_records(w, finder, (table_id_t)t));
    return RC_OK;
}

rc_t postgres_check(store_t *s, arena_t *a, const store_finder_t *finder, str_t *why)
{
    postgres_work_t w = {.store = (postgres_store_t *)s, .a = a, .why = why};
    *why = STR_UNSET;
    rc_t rc = postgres_work_begin(&w, false);
    if (rc == RC_OK)
        rc = check_all(&w, finder);
    return postgres_work_end(&w, rc);
}
