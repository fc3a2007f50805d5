#include "cmd/store_pipe.h"

enum { ARENA_BYTES = 16 << 20 };

/* Hands one record over and waits until it is used: it lives no longer. */
static rc_t give(void *ctx, table_id_t table, const void *record)
{
    store_pipe_t *p = ctx;
    if (p->wants && !p->wants(table))
        return RC_OK;
    TRY(store_tally_add(&p->tally, table, record));
    pthread_mutex_lock(&p->lock);
    p->table = table;
    p->record = record;
    p->state = PIPE_FULL;
    pthread_cond_broadcast(&p->changed);
    while (p->state == PIPE_FULL && !p->given_up)
        pthread_cond_wait(&p->changed, &p->lock);
    rc_t rc = p->given_up ? RC_BUSY : RC_OK;
    pthread_mutex_unlock(&p->lock);
    return rc;
}

static void *dump(void *arg)
{
    store_pipe_t *p = arg;
    const store_sink_t sink = {give, p, &p->revocation};
    rc_t rc = store_dump(p->from, p->a, &sink, &p->why);
    pthread_mutex_lock(&p->lock);
    p->rc = rc;
    p->state = PIPE_ENDED;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

rc_t store_pipe_start(store_pipe_t *p, store_t *from, bool (*wants)(table_id_t))
{
    *p = (store_pipe_t){.from = from, .wants = wants, .a = arena_new(ARENA_BYTES)};
    rc_t rc = store_tally_begin(&p->tally, NULL);
    if (rc == RC_OK && p->a) {
        pthread_mutex_init(&p->lock, NULL);
        pthread_cond_init(&p->changed, NULL);
        if (pthread_create(&p->thread, NULL, dump, p) == 0)
            return RC_OK;
    }
    store_pipe_free(p);
    return RC_MEMORY;
}

static bool has_record(const store_pipe_t *p)
{
    return p->state == PIPE_FULL && p->record;
}

/* The record of the call before is done with. */
static rc_t next(void *ctx, table_id_t *table, const void **record)
{
    store_pipe_t *p = ctx;
    pthread_mutex_lock(&p->lock);
    if (p->state == PIPE_FULL && !p->record) {
        p->state = PIPE_EMPTY;
        pthread_cond_broadcast(&p->changed);
    }
    while (!has_record(p) && p->state != PIPE_ENDED)
        pthread_cond_wait(&p->changed, &p->lock);
    rc_t rc = RC_OK;
    if (has_record(p)) {
        *table = p->table;
        *record = p->record;
        p->record = NULL;
    } else {
        rc = p->rc == RC_OK ? RC_NOT_FOUND : p->rc;
    }
    pthread_mutex_unlock(&p->lock);
    return rc;
}

store_source_t store_pipe_source(store_pipe_t *p)
{
    return (store_source_t){next, p, &p->revocation};
}

void store_pipe_stop(store_pipe_t *p)
{
    pthread_mutex_lock(&p->lock);
    p->given_up = true;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
}

void store_pipe_free(store_pipe_t *p)
{
    store_tally_free(&p->tally);
    arena_free(p->a);
    p->a = NULL;
}
