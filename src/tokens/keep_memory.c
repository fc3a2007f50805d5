#include "tokens/keep_parts.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* One name, once seen: it stays until the end, so that whoever waits for it can wait on. */
struct tokens_lock {
    tokens_lock_t *next;
    bool held;
    char *text; /* NULL: nothing is kept */
    size_t n;
    size_t name_n;
    char name[TOKENS_NAME_BYTES];
};

struct tokens_memory {
    pthread_mutex_t mutex;
    pthread_cond_t freed;
    tokens_lock_t *first;
};

static tokens_lock_t *find(tokens_memory_t *m, str_t name)
{
    tokens_lock_t *e = m->first;
    while (e && !str_eq(str_of(e->name, e->name_n), name))
        e = e->next;
    return e;
}

static tokens_lock_t *find_or_make(tokens_memory_t *m, str_t name)
{
    tokens_lock_t *e = find(m, name);
    if (e)
        return e;
    e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    memcpy(e->name, name.p, name.n);
    e->name_n = name.n;
    e->next = m->first;
    m->first = e;
    return e;
}

static void forget(tokens_lock_t *e)
{
    if (!e->text)
        return;
    secret_wipe(e->text, e->n);
    free(e->text);
    e->text = NULL;
}

static rc_t memory_read(void *ctx, arena_t *a, str_t name, secret_t *out, str_t *why)
{
    tokens_memory_t *m = ctx;
    *out = secret_of(STR_UNSET);
    TRY(tokens_name_check(name, why));
    pthread_mutex_lock(&m->mutex);
    const tokens_lock_t *e = find(m, name);
    bool kept = e && e->text;
    if (kept)
        *out = secret_dup(a, str_of(e->text, e->n));
    pthread_mutex_unlock(&m->mutex);
    if (!kept)
        return RC_NOT_FOUND;
    return str_is_set(out->hidden) ? RC_OK : RC_MEMORY;
}

static rc_t memory_write(void *ctx, arena_t *a, str_t name, secret_t text, str_t *why)
{
    (void)a;
    tokens_memory_t *m = ctx;
    TRY(tokens_entry_check(name, text, why));
    char *copy = malloc(text.hidden.n + 1);
    if (!copy)
        return RC_MEMORY;
    if (text.hidden.n > 0)
        memcpy(copy, text.hidden.p, text.hidden.n);
    pthread_mutex_lock(&m->mutex);
    tokens_lock_t *e = find_or_make(m, name);
    if (e) {
        forget(e);
        e->text = copy;
        e->n = text.hidden.n;
    }
    pthread_mutex_unlock(&m->mutex);
    if (e)
        return RC_OK;
    secret_wipe(copy, text.hidden.n);
    free(copy);
    return RC_MEMORY;
}

static rc_t memory_erase(void *ctx, arena_t *a, str_t name, str_t *why)
{
    (void)a;
    tokens_memory_t *m = ctx;
    TRY(tokens_name_check(name, why));
    pthread_mutex_lock(&m->mutex);
    tokens_lock_t *e = find(m, name);
    bool kept = e && e->text;
    if (kept)
        forget(e);
    pthread_mutex_unlock(&m->mutex);
    return kept ? RC_OK : RC_NOT_FOUND;
}

static rc_t list(const tokens_memory_t *m, arena_t *a, str_list_t *out)
{
    size_t n = 0;
    for (const tokens_lock_t *e = m->first; e; e = e->next)
        n += e->text != NULL;
    str_t *v = ARENA_ARRAY(a, n + 1, str_t);
    if (!v)
        return RC_MEMORY;
    *out = (str_list_t){v, 0};
    for (const tokens_lock_t *e = m->first; e; e = e->next) {
        if (!e->text)
            continue;
        v[out->n] = arena_dup(a, str_of(e->name, e->name_n));
        if (!str_is_set(v[out->n++]))
            return RC_MEMORY;
    }
    tokens_names_sort(v, n);
    return RC_OK;
}

static rc_t memory_names(void *ctx, arena_t *a, str_list_t *out, str_t *why)
{
    tokens_memory_t *m = ctx;
    *out = (str_list_t){NULL, 0};
    *why = STR_UNSET;
    pthread_mutex_lock(&m->mutex);
    rc_t rc = list(m, a, out);
    pthread_mutex_unlock(&m->mutex);
    return rc;
}

static struct timespec moment_in(int64_t ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    int64_t ns = t.tv_nsec + ms % 1000 * 1000000;
    t.tv_sec += (time_t)(ms / 1000 + ns / 1000000000);
    t.tv_nsec = (long)(ns % 1000000000);
    return t;
}

static rc_t memory_lock(void *ctx, str_t name, int64_t wait_ms, tokens_lock_t **out)
{
    tokens_memory_t *m = ctx;
    str_t why;
    *out = NULL;
    TRY(tokens_name_check(name, &why));
    struct timespec end = moment_in(tokens_wait_clamp(wait_ms));
    pthread_mutex_lock(&m->mutex);
    tokens_lock_t *e = find_or_make(m, name);
    int late = 0;
    while (e && e->held && late == 0)
        late = pthread_cond_timedwait(&m->freed, &m->mutex, &end);
    bool got = e && !e->held;
    if (got)
        e->held = true;
    pthread_mutex_unlock(&m->mutex);
    if (!e)
        return RC_MEMORY;
    *out = got ? e : NULL;
    return got ? RC_OK : RC_BUSY;
}

static void memory_unlock(void *ctx, tokens_lock_t *lock)
{
    tokens_memory_t *m = ctx;
    if (!lock)
        return;
    pthread_mutex_lock(&m->mutex);
    lock->held = false;
    pthread_cond_broadcast(&m->freed);
    pthread_mutex_unlock(&m->mutex);
}

rc_t tokens_memory_new(tokens_memory_t **out)
{
    tokens_memory_t *m = calloc(1, sizeof *m);
    *out = m;
    if (!m)
        return RC_MEMORY;
    pthread_condattr_t steady;
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_mutex_init(&m->mutex, NULL);
    pthread_cond_init(&m->freed, &steady);
    pthread_condattr_destroy(&steady);
    return RC_OK;
}

void tokens_memory_free(tokens_memory_t *m)
{
    if (!m)
        return;
    while (m->first) {
        tokens_lock_t *e = m->first;
        m->first = e->next;
        forget(e);
        free(e);
    }
    pthread_cond_destroy(&m->freed);
    pthread_mutex_destroy(&m->mutex);
    free(m);
}

tokens_keep_t tokens_memory_keep(tokens_memory_t *m)
{
    return (tokens_keep_t){
        .read = memory_read,
        .write = memory_write,
        .erase = memory_erase,
        .names = memory_names,
        .lock = memory_lock,
        .unlock = memory_unlock,
        .place = STR("memory"),
        .ctx = m,
    };
}
