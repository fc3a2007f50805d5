/* RFC 5424: facility 13 (log audit), the kind as MSGID, all members as structured data, and the
 * line of the trail itself as message, so that its hash can still be checked where it arrives. The
 * number behind the @ is the one that RFC 5612 sets aside for documentation. */
#include "audit/export_rows.h"

enum { FACILITY = 13, NAME_BYTES = 32, HOST_BYTES = 255 };

static bool is_name(str_t s, size_t max)
{
    if (s.n == 0 || s.n > max)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] >= 0x7f || strchr("=]\"", s.p[i]))
            return false;
    return true;
}

static void put_data(buf_t *b, arena_t *scratch, const audit_record_t *r)
{
    buf_put(b, STR("[warder@32473"));
    for (const json_t *m = r->json->child; m; m = m->next) {
        if (!is_name(m->key, NAME_BYTES))
            continue;
        buf_char(b, ' ');
        buf_put(b, m->key);
        buf_put(b, STR("=\""));
        audit_put_escaped(b, scratch, json_is(m, JSON_STRING) ? m->str : m->raw, "\"]");
        buf_char(b, '"');
    }
    buf_put(b, STR("] "));
}

static void put_record(const audit_export_t *how, arena_t *scratch, const audit_record_t *r,
                       str_t line, buf_t *b)
{
    static const int SEVERITY[] = {6, 4, 1}; /* informational, warning, alert */
    buf_char(b, '<');
    buf_i64(b, FACILITY * 8 + SEVERITY[audit_level_of(r)]);
    buf_put(b, STR(">1 "));
    buf_put(b, r->time);
    buf_char(b, ' ');
    buf_put(b, is_name(how->host, HOST_BYTES) ? how->host : STR("-"));
    buf_put(b, STR(" warder - "));
    buf_put(b, is_name(r->event, NAME_BYTES) ? r->event : STR("-"));
    buf_char(b, ' ');
    put_data(b, scratch, r);
    buf_put(b, line);
}

void audit_syslog_write(const audit_export_t *how, arena_t *scratch, const audit_record_t *r,
                        str_t line, buf_t *b)
{
    buf_t record = buf_new(scratch, AUDIT_EXPORT_BYTES);
    put_record(how, scratch, r, line, &record);
    if (record.failed != RC_OK)
        buf_fail(b, record.failed);
    if (how->octets) {
        buf_u64(b, record.n);
        buf_char(b, ' ');
    }
    buf_put(b, buf_str(&record));
    if (!how->octets)
        buf_char(b, '\n');
}
