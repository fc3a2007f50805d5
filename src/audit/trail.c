#include "audit/trail.h"

#include "audit/rotated.h"
#include "core/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { EXPIRE_ARENA_BYTES = 4 << 20 };

rc_t audit_trail_open(audit_trail_t *t, const audit_trail_config_t *config, arena_t *a, str_t *why)
{
    *t = (audit_trail_t){
        .config = *config,
        .file = {.path = config->path, .log = config->log, .mends_signed = config->mends_signed}};
    *why = STR("out of memory");
    if (pthread_mutex_init(&t->lock, NULL) != 0)
        return RC_MEMORY;
    rc_t rc = audit_file_open(&t->file, a, why);
    if (rc != RC_OK) {
        pthread_mutex_destroy(&t->lock);
        return rc;
    }
    rc = audit_trail_record_mend(t, a);
    if (rc == RC_OK)
        return RC_OK;
    *why = arena_printf(a,
                        "what was put aside in '%s.lost' cannot be recorded in the audit trail: "
                        "%s; the log says more",
                        config->path, rc == RC_IO ? strerror(errno) : rc_name(rc));
    audit_trail_close(t);
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

static int64_t now_ms(const audit_trail_t *t)
{
    return t->config.clock.now_ms(t->config.clock.ctx);
}

/* Appends the line of a checkpoint of `head`, and moves it. A signer that fails is told, and the
 * trail goes on without. */
static bool sign_line(audit_trail_t *t, buf_t *b, audit_head_t *head)
{
    char bytes[AUDIT_CHECKPOINT_BYTES], time[AUDIT_TIME_BYTES];
    buf_t room = buf_fixed(bytes, sizeof bytes);
    str_t body;
    audit_time_format(now_ms(t), time);
    const audit_checkpoint_t c = {.chain = t->file.chain,
                                  .head = *head,
                                  .time = str_of(time, sizeof time),
                                  .kid = t->config.signer->kid};
    rc_t rc = audit_checkpoint_body(&room, &c, t->config.signer, &body);
    if (rc == RC_OK)
        audit_node_line_write(b, head, t->config.node, body);
    else
        LOG(t->config.log, LOG_ERROR, "the audit trail cannot be signed",
            LOG_S("why", str_c(rc_name(rc))));
    return rc == RC_OK;
}

/* Without bodies: the checkpoint alone, if one is due. Whoever comes upon a new file begins it: its
 * first line names, and signs, the last of the old one. */
static rc_t append(audit_trail_t *t, const str_t *bodies, size_t n, bool checkpoint)
{
    audit_head_t head = t->file.head;
    buf_t b = buf_fixed(t->batch, t->batch_bytes);
    str_t lines;
    bool begins = t->file.size == 0 && head.seq > 0;
    bool is_signed = t->config.signer && (begins || checkpoint) && sign_line(t, &b, &head);
    for (size_t i = 0; i < n; i++)
        audit_node_line_write(&b, &head, t->config.node, bodies[i]);
    TRY(buf_done(&b, &lines));
    if (lines.n == 0)
        return RC_OK;
    if (t->file.size == 0)
        t->file.began_ms = now_ms(t);
    TRY(audit_file_write(&t->file, lines, &head));
    t->file.at_checkpoint = is_signed && n == 0;
    t->checkpoints += is_signed;
    return RC_OK;
}

static int64_t mono_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* While another process has the file, the threads of this one wait without the first lock, so that
 * each can give up when it wants. */
rc_t audit_trail_take(audit_trail_t *t, size_t bytes, int64_t wait_ms)
{
    int64_t until = 0;
    for (;;) {
        pthread_mutex_lock(&t->lock);
        rc_t rc = make_room(t, bytes);
        if (rc == RC_OK)
            rc = audit_file_lock(&t->file);
        if (rc == RC_OK)
            return RC_OK;
        pthread_mutex_unlock(&t->lock);
        if (rc != RC_BUSY)
            return rc;
        if (until == 0)
            until = wait_ms == AUDIT_WAIT_EVER ? INT64_MAX : mono_ms() + wait_ms;
        if (mono_ms() >= until)
            return RC_BUSY;
        audit_lock_pause();
    }
}

void audit_trail_give(audit_trail_t *t)
{
    audit_file_unlock(&t->file);
    pthread_mutex_unlock(&t->lock);
}

rc_t audit_trail_append(audit_trail_t *t, const str_t *bodies, size_t n)
{
    return append(t, bodies, n, false);
}

rc_t audit_trail_write(audit_trail_t *t, const str_t *bodies, size_t n, int64_t wait_ms)
{
    size_t bytes = AUDIT_CHECKPOINT_BYTES;
    for (size_t i = 0; i < n; i++)
        bytes += bodies[i].n + AUDIT_LINE_FRAME;
    TRY(audit_trail_take(t, bytes, wait_ms));
    rc_t rc = append(t, bodies, n, false);
    audit_trail_give(t);
    return rc;
}

/* Runs one step with both locks held. */
static rc_t locked(audit_trail_t *t, rc_t (*step)(audit_trail_t *t))
{
    TRY(audit_trail_take(t, AUDIT_CHECKPOINT_BYTES, LIMIT_AUDIT_LOCK_MS));
    rc_t rc = step(t);
    audit_trail_give(t);
    return rc;
}

static rc_t break_by_sync(audit_trail_t *t)
{
    audit_file_break(&t->file, "sync; nobody can tell what is on the disk, and nothing more is "
                               "recorded until a restart");
    return RC_IO;
}

static void note_synced(audit_trail_t *t, ino_t ino, off_t size)
{
    t->synced_ino = ino;
    t->synced = size;
}

rc_t audit_trail_sync(audit_trail_t *t)
{
    pthread_mutex_lock(&t->lock);
    bool broken = t->file.broken;
    const audit_disk_t *disk = t->file.disk;
    ino_t ino = t->file.ino;
    off_t size = t->file.size;
    audit_unsynced_t set = audit_file_unsynced(&t->file);
    pthread_mutex_unlock(&t->lock);
    rc_t rc = audit_unsynced_sync(disk, &set);
    pthread_mutex_lock(&t->lock);
    if (rc == RC_OK)
        note_synced(t, ino, size);
    else
        rc = break_by_sync(t);
    pthread_mutex_unlock(&t->lock);
    return rc == RC_OK && broken ? RC_IO : rc;
}

static bool is_synced(const audit_trail_t *t)
{
    return t->synced_ino == t->file.ino && t->synced == t->file.size;
}

rc_t audit_trail_sync_locked(audit_trail_t *t)
{
    if (is_synced(t))
        return RC_OK;
    audit_unsynced_t set = audit_file_unsynced(&t->file);
    if (audit_unsynced_sync(t->file.disk, &set) != RC_OK)
        return break_by_sync(t);
    note_synced(t, t->file.ino, t->file.size);
    return RC_OK;
}

static bool may_sign(const audit_trail_t *t)
{
    return t->config.signer && t->file.head.seq > 0 && !t->file.at_checkpoint;
}

/* Most of what a checkpoint is to sign reaches the disk while others write. */
static rc_t sync_ahead(audit_trail_t *t)
{
    pthread_mutex_lock(&t->lock);
    bool due = may_sign(t) && !is_synced(t);
    pthread_mutex_unlock(&t->lock);
    return due ? audit_trail_sync(t) : RC_OK;
}

/* Lines that came since are few, and their sync is short; without it a loss of power could leave
 * zeros in front of what signs them, which no start mends by itself. */
static rc_t checkpoint(audit_trail_t *t)
{
    if (!may_sign(t))
        return RC_NOT_FOUND;
    TRY(audit_trail_sync_locked(t));
    return append(t, NULL, 0, true);
}

rc_t audit_trail_checkpoint(audit_trail_t *t)
{
    if (!t->config.signer)
        return RC_NOT_FOUND;
    TRY(sync_ahead(t));
    return locked(t, checkpoint);
}

static bool is_due(const audit_trail_t *t)
{
    const audit_trail_config_t *c = &t->config;
    if (t->file.size == 0)
        return false;
    return (c->rotate_bytes > 0 && t->file.size >= c->rotate_bytes) ||
           (c->rotate_s > 0 && now_ms(t) - t->file.began_ms >= c->rotate_s * 1000);
}

/* Of several processes the first one here does it: the others find a small, young file. */
static rc_t rotate(audit_trail_t *t)
{
    char to[PATH_MAX];
    buf_t b = buf_fixed(to, sizeof to);
    str_t path;
    if (!is_due(t))
        return RC_OK;
    rc_t rc = checkpoint(t);
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;
    buf_put(&b, str_c(t->file.path));
    audit_rotated_suffix(&b, now_ms(t), t->file.head.seq);
    buf_char(&b, '\0');
    TRY(buf_done(&b, &path));
    TRY(audit_file_rotate(&t->file, to));
    LOG(t->config.log, LOG_INFO, "the audit trail was rotated", LOG_S("file", str_c(to)));
    return append(t, NULL, 0, false);
}

rc_t audit_trail_rotate(audit_trail_t *t)
{
    if (t->config.rotate_bytes <= 0 && t->config.rotate_s <= 0)
        return RC_OK;
    pthread_mutex_lock(&t->lock);
    bool due = is_due(t);
    pthread_mutex_unlock(&t->lock);
    if (!due)
        return RC_OK;
    TRY(sync_ahead(t));
    return locked(t, rotate);
}

/* The head of a rotated file, if it is what its name says. */
static bool read_deleted(const audit_rotated_t *file, arena_t *scratch, audit_deleted_t *out)
{
    struct stat st;
    audit_end_t end = {0};
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    bool good = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
                audit_end_read(fd, st.st_size, scratch, &end) == RC_OK && end.at == st.st_size &&
                end.head.seq == file->seq;
    if (fd >= 0)
        close(fd);
    const char *slash = strrchr(file->path, '/');
    *out = (audit_deleted_t){str_c(slash ? slash + 1 : file->path), end.head};
    return good;
}

/* First the line, on the disk; then the file goes. A crash in between deletes it once more. */
static rc_t expire_one(audit_trail_t *t, arena_t *scratch, const audit_rotated_t *file)
{
    char bytes[AUDIT_CHECKPOINT_BYTES];
    buf_t b = buf_fixed(bytes, sizeof bytes);
    audit_deleted_t deleted;
    str_t body;
    if (!read_deleted(file, scratch, &deleted)) {
        LOG(t->config.log, LOG_ERROR,
            "a rotated file of the audit trail is not what its name says, and is kept",
            LOG_S("file", str_c(file->path)));
        return RC_OK;
    }
    TRY(audit_deleted_body(&b, &deleted, now_ms(t), &body));
    TRY(audit_trail_write(t, &body, 1, LIMIT_AUDIT_LOCK_MS));
    TRY(audit_trail_sync(t));
    return unlink(file->path) == 0 || errno == ENOENT ? RC_OK : RC_IO;
}

static rc_t expire(audit_trail_t *t, arena_t *a, arena_t *scratch)
{
    audit_rotated_t *files;
    size_t n;
    int64_t before_ms = now_ms(t) - t->config.keep_s * 1000;
    TRY(audit_rotated_list(a, t->file.path, &files, &n));
    for (size_t i = 0; i < n && files[i].closed_ms < before_ms; i++)
        TRY(expire_one(t, scratch, &files[i]));
    return RC_OK;
}

rc_t audit_trail_expire(audit_trail_t *t)
{
    if (t->config.keep_s <= 0)
        return RC_OK;
    arena_t *a = arena_new(EXPIRE_ARENA_BYTES), *scratch = arena_new(EXPIRE_ARENA_BYTES);
    rc_t rc = a && scratch ? expire(t, a, scratch) : RC_MEMORY;
    if (rc != RC_OK && rc != RC_BUSY)
        LOG(t->config.log, LOG_ERROR, "old files of the audit trail are not deleted",
            LOG_S("why", str_c(rc_name(rc))));
    arena_free(a);
    arena_free(scratch);
    return rc;
}

audit_head_t audit_trail_head(audit_trail_t *t)
{
    pthread_mutex_lock(&t->lock);
    audit_head_t head = t->file.head;
    pthread_mutex_unlock(&t->lock);
    return head;
}

uint64_t audit_trail_checkpoints(audit_trail_t *t)
{
    pthread_mutex_lock(&t->lock);
    uint64_t n = t->checkpoints;
    pthread_mutex_unlock(&t->lock);
    return n;
}
