#include "audit/export_rows.h"

#include "audit/tail.h"
#include "core/limits.h"

static const str_t NAMES[AUDIT_EXPORT_COUNT] = {STR_INIT("ocsf"), STR_INIT("cef"),
                                                STR_INIT("syslog"), STR_INIT("otlp")};

bool audit_export_format(str_t name, audit_format_t *out)
{
    for (size_t i = 0; i < AUDIT_EXPORT_COUNT; i++) {
        if (!str_eq(NAMES[i], name))
            continue;
        *out = (audit_format_t)i;
        return true;
    }
    return false;
}

audit_level_t audit_level_of(const audit_record_t *r)
{
    bool replay = str_eq(r->event, audit_kind_name(AUDIT_REFRESH_REUSE)) ||
                  str_eq(r->event, audit_kind_name(AUDIT_CODE_REPLAY));
    if (replay)
        return AUDIT_LEVEL_ALERT;
    return str_eq(r->decision, STR("deny")) ? AUDIT_LEVEL_REFUSED : AUDIT_LEVEL_INFO;
}

str_t audit_member_text(const audit_record_t *r, str_t member)
{
    const json_t *v = json_get(r->json, member);
    if (!v)
        return STR_UNSET;
    return json_is(v, JSON_STRING) ? v->str : v->raw;
}

const audit_row_t *audit_row_find(const audit_row_t *rows, size_t n, str_t member)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(rows[i].member, member))
            return &rows[i];
    return NULL;
}

void audit_put_escaped(buf_t *b, arena_t *scratch, str_t s, const char *set)
{
    buf_t visible = buf_new(scratch, 6 * s.n + 1);
    audit_put_visible(&visible, s);
    if (visible.failed != RC_OK)
        buf_fail(b, visible.failed);
    for (size_t i = 0; i < visible.n; i++) {
        char c = visible.p[i];
        if (c == '\\' || (c != '\0' && strchr(set, c)))
            buf_char(b, '\\');
        buf_char(b, c);
    }
}

static void write_record(const audit_export_t *how, arena_t *scratch, const audit_record_t *r,
                         str_t line, buf_t *b)
{
    switch (how->format) {
    case AUDIT_EXPORT_OCSF:
        audit_ocsf_write(how, r, b);
        break;
    case AUDIT_EXPORT_CEF:
        audit_cef_write(how, scratch, r, b);
        break;
    case AUDIT_EXPORT_SYSLOG:
        audit_syslog_write(how, scratch, r, line, b);
        return;
    case AUDIT_EXPORT_OTLP:
    case AUDIT_EXPORT_COUNT:
        audit_otlp_write(how, r, b);
        break;
    }
    buf_char(b, '\n');
}

rc_t audit_export_line(const audit_export_t *how, arena_t *scratch, str_t line, buf_t *b,
                       uint64_t *seq)
{
    audit_record_t r;
    arena_reset(scratch);
    TRY(audit_record_read(scratch, line, &r));
    *seq = r.seq;
    write_record(how, scratch, &r, str_trim(line, "\n"), b);
    return b->failed;
}
