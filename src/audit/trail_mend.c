#include "audit/trail.h"

#include "audit/mend.h"

#include <limits.h>
#include <stdio.h>

static rc_t write_line(audit_trail_t *t, const audit_mend_t *mend)
{
    char bytes[AUDIT_CHECKPOINT_BYTES], time[AUDIT_TIME_BYTES];
    buf_t b = buf_fixed(bytes, sizeof bytes);
    str_t body;
    audit_time_format(t->config.clock.now_ms(t->config.clock.ctx), time);
    TRY(audit_mend_body(&b, mend, str_of(time, sizeof time), &body));
    TRY(audit_trail_write(t, &body, 1, AUDIT_WAIT_EVER));
    return audit_trail_sync(t);
}

rc_t audit_trail_record_mend(audit_trail_t *t, arena_t *a)
{
    char lost[PATH_MAX], to[PATH_MAX];
    audit_mend_t mend;
    int n = snprintf(lost, sizeof lost, "%s.lost", t->config.path);
    rc_t rc = n < (int)sizeof lost ? audit_mend_find(a, lost, &mend) : RC_LIMIT;
    if (rc != RC_OK)
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    const char *slash = strrchr(lost, '/');
    n = snprintf(to, sizeof to, "%.*s%" PRIstr, slash ? (int)(slash - lost) + 1 : 0, lost,
                 STR_ARG(mend.file));
    if (n >= (int)sizeof to)
        return RC_LIMIT;
    TRY(write_line(t, &mend));
    return rename(lost, to) == 0 ? RC_OK : RC_IO;
}
