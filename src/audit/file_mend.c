/* What a start, or the next writer, does with an end that is none of a trail. */
#include "audit/file_parts.h"

#include "audit/hole.h"
#include "core/limits.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <time.h>

void audit_file_say(const audit_file_t *f, log_level_t level, str_t msg)
{
    log_field_t fields[] = {LOG_S("file", str_c(f->path)), LOG_I("seq", (int64_t)f->head.seq)};
    log_write(f->log, level, msg, fields, 2);
}

rc_t audit_file_fail(audit_file_t *f, const char *what)
{
    int saved = errno;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    bool again = f->said == what && f->said_at == now.tv_sec;
    f->said = what;
    f->said_at = now.tv_sec;
    if (!again)
        LOG(f->log, LOG_ERROR, "the audit trail failed", LOG_S("what", str_c(what)),
            LOG_S("file", str_c(f->path)), LOG_S("why", str_c(strerror(saved))));
    errno = saved;
    return RC_IO;
}

/* All before a checkpoint was on the disk before that was written (audit_trail_checkpoint): who
 * writes zeros into the file must not have us put aside what proves what was there. */
static rc_t may_put_aside(audit_file_t *f, off_t at, off_t size)
{
    uint64_t seq;
    TRY(audit_hole_checkpoint(f->fd, at, size, &seq));
    f->is_cut_signed = seq > 0 && !f->mends_signed;
    return f->is_cut_signed ? RC_MALFORMED : RC_OK;
}

static rc_t put_aside(audit_file_t *f, off_t at, off_t size)
{
    char to[PATH_MAX];
    TRY(may_put_aside(f, at, size));
    int n = snprintf(to, sizeof to, "%s.lost", f->path);
    if (n >= (int)sizeof to || audit_hole_keep(f->fd, at, size, to) != RC_OK ||
        f->disk->truncate(f->fd, at) != 0)
        return audit_file_fail(f, "put aside what a loss of power left out of order");
    LOG(f->log, LOG_WARN,
        "a loss of power left zeros or lines out of order at the end of the audit trail; they were "
        "put aside, and nobody was told they stood",
        LOG_S("file", str_c(f->path)), LOG_S("aside", str_c(to)), LOG_I("bytes", size - at));
    return RC_OK;
}

/* A file that comes while this process runs was not there before a loss of power. */
static bool may_mend(const audit_file_t *f)
{
    return f->mends && f->size == 0;
}

/* A crash in the middle of a write leaves the front of a line, or zeros where bytes were to come.
 * Anything else is somebody's file, and not ours to cut. More than one line is kept. */
static rc_t mend_torn(audit_file_t *f, off_t end, off_t size)
{
    char first;
    TRY(audit_read_at(f->fd, &first, 1, end));
    if (first != '{' && first != '\0')
        return RC_MALFORMED;
    if (may_mend(f) && size - end > LIMIT_AUDIT_LINE_BYTES)
        return put_aside(f, end, size);
    LOG(f->log, LOG_WARN, "a torn last line was cut off the audit trail; nobody was told it stood",
        LOG_S("file", str_c(f->path)), LOG_I("bytes", size - end));
    return f->disk->truncate(f->fd, end) == 0 ? RC_OK : audit_file_fail(f, "truncate");
}

/* Lines behind a hole do not follow from what is left before it, and of zeros nobody can tell what
 * stood there: they are put aside. */
static rc_t mend_hole(audit_file_t *f, off_t *size)
{
    off_t at;
    TRY(audit_hole_find(f->fd, *size, f->scratch, &at));
    if (at < *size)
        TRY(put_aside(f, at, *size));
    *size = at;
    return RC_OK;
}

rc_t audit_file_read_tail(audit_file_t *f, off_t size, audit_end_t *end)
{
    if (may_mend(f))
        TRY(mend_hole(f, &size));
    TRY(audit_end_read(f->fd, size, f->scratch, end));
    return end->at < size ? mend_torn(f, end->at, size) : RC_OK;
}
