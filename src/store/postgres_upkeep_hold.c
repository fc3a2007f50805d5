/* Who uses a store, and keeping everybody else from writing to it. */
#include "store/postgres_upkeep.h"

#include "store/postgres_job.h"

#include <stdio.h>
#include <stdlib.h>

enum { SQL_BYTES = 1024 };

typedef struct {
    store_hold_t base;
    PGconn *pg; /* in a transaction that has all tables locked */
} postgres_hold_t;

/* Servers take a lease each for as long as they run. */
#define NODES " FROM lease WHERE name LIKE 'node:%' AND until>$1"

/* No names: nobody is there. */
static rc_t find_nodes(postgres_work_t *w, int64_t now, int64_t *nodes)
{
    static const char TABLE[] = "SELECT count(*) FROM information_schema.tables WHERE"
                                " table_schema=current_schema() AND table_name='lease'";
    int64_t tables = 0;
    *nodes = 0;
    TRY(postgres_work_number(w, TABLE, 0, &tables));
    return tables > 0 ? postgres_work_number(w, "SELECT count(*)" NODES, now, nodes) : RC_OK;
}

/* "node a, b"; unset where nobody can tell. */
static str_t name_nodes(postgres_work_t *w, int64_t now)
{
    char number[24];
    snprintf(number, sizeof number, "%lld", (long long)now);
    const char *values[] = {number};
    const Oid types[] = {20 /* int8 */};
    PGresult *r =
        PQexecParams(w->pg, "SELECT string_agg(substr(name, 6), ', ' ORDER BY name)" NODES, 1,
                     types, values, NULL, NULL, 0);
    str_t who = STR_UNSET;
    if (PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) > 0 && !PQgetisnull(r, 0, 0))
        who = arena_printf(w->a, "node %s", PQgetvalue(r, 0, 0));
    PQclear(r);
    return who;
}

rc_t postgres_idle(const store_config_t *config, arena_t *a, bool *idle, str_t *why)
{
    int64_t nodes = 0;
    const int64_t now = clock_seconds(&config->clock);
    postgres_work_t w = {.a = a, .why = why, .pg = postgres_connect_once(a, config, why)};
    *idle = false;
    if (!w.pg)
        return RC_IO;
    rc_t rc = find_nodes(&w, now, &nodes);
    *idle = rc == RC_OK && nodes == 0;
    if (rc == RC_OK && !*idle)
        *why = name_nodes(&w, now);
    PQfinish(w.pg);
    return rc;
}

/* Whoever writes waits, nodes that take their name among them; whoever reads does not. */
static rc_t lock_all(postgres_work_t *w)
{
    char sql[SQL_BYTES];
    buf_t b = buf_fixed(sql, sizeof sql);
    str_t done;
    buf_put(&b, STR("LOCK TABLE meta, quota"));
    for (int t = 0; t < TABLE_COUNT; t++)
        buf_fmt(&b, ", \"%s\"", TABLES[t].name);
    buf_put(&b, STR(" IN SHARE MODE"));
    buf_char(&b, '\0');
    TRY(buf_done(&b, &done));
    return postgres_work_run(w, sql);
}

static rc_t hold_all(postgres_work_t *w, int64_t now)
{
    int64_t nodes = 0;
    TRY(postgres_work_begin(w, true));
    rc_t rc = lock_all(w);
    if (rc == RC_BUSY)
        *w->why = STR_UNSET;
    if (rc != RC_OK)
        return rc;
    TRY(find_nodes(w, now, &nodes)); /* that came while it was opened */
    if (nodes == 0)
        return RC_OK;
    *w->why = name_nodes(w, now);
    return RC_BUSY;
}

static rc_t hold_opened(arena_t *a, const store_config_t *config, store_t *store,
                        store_hold_t **hold, str_t *why)
{
    postgres_work_t w = {.store = (postgres_store_t *)store, .a = a, .why = why};
    postgres_hold_t *h = calloc(1, sizeof *h);
    *why = STR("out of memory");
    rc_t rc = h ? hold_all(&w, clock_seconds(&config->clock)) : RC_MEMORY;
    if (rc != RC_OK) {
        free(h);
        return postgres_work_end(&w, rc);
    }
    *h = (postgres_hold_t){{&STORE_POSTGRES}, w.pg};
    *hold = &h->base;
    return RC_OK;
}

/* Opening brings the schema up to date, so it comes before the lock: and who uses it is asked
 * before that. */
rc_t postgres_open_held(arena_t *a, const store_config_t *config, store_t **out,
                        store_hold_t **hold, str_t *why)
{
    bool idle;
    TRY(postgres_idle(config, a, &idle, why));
    if (!idle)
        return RC_BUSY;
    TRY(store_open(a, config, out, why));
    rc_t rc = hold_opened(a, config, *out, hold, why);
    if (rc != RC_OK) {
        store_close(*out);
        *out = NULL;
    }
    return rc;
}

/* The end of the connection is the end of the locks. */
void postgres_release(store_hold_t *base)
{
    postgres_hold_t *hold = (postgres_hold_t *)base;
    PQfinish(hold->pg);
    free(hold);
}
