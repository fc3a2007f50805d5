#include "audit/trail.h"

#include "core/limits.h"

#include <stdlib.h>

rc_t audit_trail_open(audit_trail_t *t, const char *path, const log_t *log, arena_t *a, str_t *why)
{
    *t = (audit_trail_t){.file = {.path = path, .log = log}};
    *why = STR("out of memory");
    if (pthread_mutex_init(&t->lock, NULL) != 0)
        return RC_MEMORY;
    rc_t rc = audit_file_open(&t->file, a, why);
    if (rc != RC_OK)
        pthread_mutex_destroy(&t->lock);
    return rc;
}

void audit_trail_close(audit_trail_t *t)
{
    audit_file_close(&t->file);
    pthread_mutex_destroy(&t->lock);
    free(t->batch);
}

/* The room stays for the next batch. */
static rc_t make_room(audit_trail_t *t, size_t bytes)
{
    if (bytes <= t->batch_bytes)
        return RC_OK;
    size_t more = bytes < LIMIT_AUDIT_BATCH_BYTES ? LIMIT_AUDIT_BATCH_BYTES : bytes;
    char *batch = realloc(t->batch, more);
    if (!batch)
        return RC_MEMORY;
    t->batch = batch;
    t->batch_bytes = more;
    return RC_OK;
}

static rc_t append(audit_trail_t *t, const str_t *bodies, size_t n)
{
    audit_head_t head = t->file.head;
    buf_t b = buf_fixed(t->batch, t->batch_bytes);
    str_t lines;
    for (size_t i = 0; i < n; i++)
        audit_line_write(&b, &head, bodies[i]);
    TRY(buf_done(&b, &lines));
    return audit_file_write(&t->file, lines, &head);
}

static rc_t append_locked(audit_trail_t *t, const str_t *bodies, size_t n)
{
    TRY(audit_file_lock(&t->file));
    rc_t rc = append(t, bodies, n);
    audit_file_unlock(&t->file);
    return rc;
}

rc_t audit_trail_write(audit_trail_t *t, const str_t *bodies, size_t n)
{
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++)
        bytes += bodies[i].n + AUDIT_LINE_FRAME;
    pthread_mutex_lock(&t->lock);
    rc_t rc = make_room(t, bytes);
    if (rc == RC_OK)
        rc = append_locked(t, bodies, n);
    pthread_mutex_unlock(&t->lock);
    return rc;
}

rc_t audit_trail_sync(audit_trail_t *t)
{
    pthread_mutex_lock(&t->lock);
    bool broken = t->file.broken;
    const audit_disk_t *disk = t->file.disk;
    audit_unsynced_t set = audit_file_unsynced(&t->file);
    pthread_mutex_unlock(&t->lock);
    rc_t rc = audit_unsynced_sync(disk, &set);
    if (rc == RC_OK)
        return broken ? RC_IO : RC_OK;
    pthread_mutex_lock(&t->lock);
    audit_file_break(&t->file, "sync; nobody can tell what is on the disk, and nothing more is "
                               "recorded until a restart");
    pthread_mutex_unlock(&t->lock);
    return rc;
}

audit_head_t audit_trail_head(audit_trail_t *t)
{
    pthread_mutex_lock(&t->lock);
    audit_head_t head = t->file.head;
    pthread_mutex_unlock(&t->lock);
    return head;
}
