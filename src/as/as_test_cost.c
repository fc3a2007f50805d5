#include "as/as_test_cost.h"

#include "as/as_test_browser.h"
#include "core/buf.h"
#include "store/postgres_plan.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>

enum { EFFECTS_TEXT_BYTES = 4096 };

static const char *const EFFECT_NAMES[EFFECT_COUNT] = {
#define EFFECT(name, member, precondition) #name,
    EFFECT_TABLE(EFFECT)
#undef EFFECT
};

/* The extension that SQLite calls for each connection knows nothing of a world. */
static atomic_uint statements;

/* What a trigger does is reported as a comment. */
static int count_statement(unsigned type, void *ctx, void *statement, void *text)
{
    (void)type, (void)ctx, (void)statement;
    if (strncmp(text, "--", 2) != 0)
        atomic_fetch_add(&statements, 1);
    return 0;
}

static int watch(sqlite3 *db, char **why, const struct sqlite3_api_routines *api)
{
    (void)why, (void)api;
    return sqlite3_trace_v2(db, SQLITE_TRACE_STMT, count_statement, NULL);
}

void cost_watch_sqlite(void)
{
    /* The type that SQLite declares stands for any; the one above is what it calls. */
    sqlite3_auto_extension((void (*)(void))watch);
}

/* ---- the store's two verbs ---- */

static cost_t *cost_of(world_t *w)
{
    return w->watcher;
}

static void asked(world_t *w, const ask_t *asks, size_t n)
{
    postgres_job_t *job = postgres_job_new();
    assert_non_null(job);
    assert_ok(postgres_plan_ask(job, asks, n));
    cost_of(w)->reads++;
    cost_of(w)->postgres += (unsigned)job->n_steps;
    postgres_job_free(job);
}

static void name_effects(world_t *w, const effects_t *effects)
{
    buf_t b = buf_new(w->a, EFFECTS_TEXT_BYTES);
    cost_t *c = cost_of(w);
    buf_put(&b, c->effects);
    for (size_t i = 0; i < effects->n; i++)
        buf_fmt(&b, "%s%s", i ? " " : c->effects.n ? "; " : "", EFFECT_NAMES[effects->v[i].kind]);
    assert_ok(buf_done(&b, &c->effects));
}

static void applied(world_t *w, const effects_t *effects)
{
    postgres_job_t *job = postgres_job_new();
    assert_non_null(job);
    assert_ok(postgres_plan_apply(job, effects));
    cost_of(w)->writes++;
    cost_of(w)->postgres += (unsigned)job->n_steps;
    postgres_job_free(job);
    name_effects(w, effects);
}

/* ---- before and after ---- */

static unsigned lines(str_t text)
{
    unsigned n = 0;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    return n;
}

/* It only grows until a thousand pages are in it. */
static size_t log_bytes(world_t *w)
{
    struct stat st;
    str_t path = arena_printf(w->a, "%s/as.db-wal", w->folder);
    return stat(arena_cstr(w->a, path), &st) == 0 ? (size_t)st.st_size : 0;
}

void cost_begin(world_t *w)
{
    str_t trail = trail_text(w);
    cost_t *c = ARENA_NEW(w->a, cost_t);
    assert_non_null(c);
    /* What was there before goes off at the end. */
    *c = (cost_t){.sqlite = atomic_load(&statements),
                  .wal = log_bytes(w),
                  .events = lines(trail),
                  .trail = trail.n,
                  .effects = STR("")};
    w->watcher = c;
    w->asked = asked;
    w->applied = applied;
}

cost_t cost_end(world_t *w)
{
    cost_t c = *cost_of(w);
    str_t trail = trail_text(w);
    w->asked = NULL;
    w->applied = NULL;
    c.sqlite = atomic_load(&statements) - c.sqlite;
    c.wal = log_bytes(w) - c.wal;
    c.events = lines(trail) - c.events;
    c.trail = trail.n - c.trail;
    return c;
}
