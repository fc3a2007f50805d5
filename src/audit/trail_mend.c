#include "audit/trail.h"

#include "audit/mend.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

/* Of its line, and of the checkpoint that may come before. */
enum { ROOM_BYTES = 2 * AUDIT_CHECKPOINT_BYTES };

static rc_t write_line(audit_trail_t *t, const audit_mend_t *mend)
{
    char bytes[AUDIT_CHECKPOINT_BYTES], time[AUDIT_TIME_BYTES];
    buf_t b = buf_fixed(bytes, sizeof bytes);
    str_t body;
    audit_time_format(t->config.clock.now_ms(t->config.clock.ctx), time);
    TRY(audit_mend_body(&b, mend, str_of(time, sizeof time), &body));
    TRY(audit_trail_append(t, &body, 1));
    return audit_trail_sync_locked(t);
}

/* Nothing is lost by that: the file lies there, and the next start tries it again. */
static rc_t pass_over(const audit_trail_t *t, const char *lost, str_t msg)
{
    log_field_t fields[] = {LOG_S("file", str_c(lost)), LOG_S("why", str_c(strerror(errno)))};
    log_write(t->config.log, LOG_WARN, msg, fields, 2);
    return RC_OK;
}

static rc_t rename_it(const audit_trail_t *t, const char *lost, const audit_mend_t *mend)
{
    char to[PATH_MAX];
    const char *slash = strrchr(lost, '/');
    int n = snprintf(to, sizeof to, "%.*s%" PRIstr, slash ? (int)(slash - lost) + 1 : 0, lost,
                     STR_ARG(mend->file));
    errno = ENAMETOOLONG;
    if (n < (int)sizeof to && (rename(lost, to) == 0 || errno == ENOENT))
        return RC_OK;
    return pass_over(t, lost,
                     STR("what was put aside of the audit trail was recorded, and cannot be given "
                         "the name that its line says; rename it by hand"));
}

/* Both locks are held: of two processes that start, one finds it. */
static rc_t record(audit_trail_t *t, arena_t *a, const char *lost)
{
    audit_mend_t mend;
    rc_t rc = audit_mend_find(a, lost, &mend);
    if (rc == RC_IO)
        return pass_over(t, lost,
                         STR("what was put aside of the audit trail cannot be read, and is not "
                             "recorded; let this user read the file, or move it away"));
    if (rc == RC_OK)
        rc = write_line(t, &mend);
    return rc == RC_OK ? rename_it(t, lost, &mend) : rc;
}

rc_t audit_trail_record_mend(audit_trail_t *t, arena_t *a)
{
    char lost[PATH_MAX];
    int n = snprintf(lost, sizeof lost, "%s.lost", t->config.path);
    if (n >= (int)sizeof lost)
        return RC_LIMIT;
    TRY(audit_trail_take(t, ROOM_BYTES, AUDIT_WAIT_EVER));
    rc_t rc = record(t, a, lost);
    audit_trail_give(t);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}
