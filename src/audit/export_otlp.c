/* OpenTelemetry logs as OTLP/JSON (opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding"): ids
 * in hexadecimal, 64-bit numbers as texts. Attributes have the names of the semantic conventions
 * where these have one. */
#include "audit/export_rows.h"

static const audit_row_t ROWS[] = {
    AUDIT_ROW("event", "event.name"),       AUDIT_ROW("user", "user.id"),
    AUDIT_ROW("address", "client.address"), AUDIT_ROW("status", "http.response.status_code"),
    AUDIT_ROW("method", "mcp.method.name"), AUDIT_ROW("tool", "gen_ai.tool.name"),
};
enum { N_ROWS = sizeof ROWS / sizeof ROWS[0], TRACE_HEX = 32 };

static void put_string(json_writer_t *w, str_t key, str_t value)
{
    json_begin_object(w);
    json_member_str(w, STR("key"), key);
    json_key(w, STR("value"));
    json_begin_object(w);
    json_member_str(w, STR("stringValue"), value);
    json_end_object(w);
    json_end_object(w);
}

static void put_int(json_writer_t *w, str_t key, str_t value)
{
    json_begin_object(w);
    json_member_str(w, STR("key"), key);
    json_key(w, STR("value"));
    json_begin_object(w);
    json_member_str(w, STR("intValue"), value);
    json_end_object(w);
    json_end_object(w);
}

static void put_attribute(json_writer_t *w, const json_t *m)
{
    char own[128];
    int64_t number;
    buf_t b = buf_fixed(own, sizeof own);
    const audit_row_t *row = audit_row_find(ROWS, N_ROWS, m->key);
    buf_put(&b, STR("warder."));
    buf_put(&b, str_first(m->key, sizeof own - 8));
    str_t key = row ? row->place : buf_str(&b);
    if (!str_is_utf8(key))
        return;
    if (json_i64(m, &number))
        put_int(w, key, m->raw);
    else
        put_string(w, key, json_is(m, JSON_STRING) ? m->str : m->raw);
}

/* 32 lower-case hexadecimal digits, not all zero (W3C Trace Context section 3.2.2.3). */
static bool is_trace(str_t s)
{
    bool any = false;
    if (s.n != TRACE_HEX)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        bool hex = (s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f');
        if (!hex)
            return false;
        any = any || s.p[i] != '0';
    }
    return any;
}

static void put_time(json_writer_t *w, str_t name, int64_t ms)
{
    char text[40];
    buf_t b = buf_fixed(text, sizeof text);
    buf_i64(&b, ms);
    buf_put(&b, STR("000000"));
    json_member_str(w, name, ms > 0 ? buf_str(&b) : STR("0"));
}

static void put_record(json_writer_t *w, const audit_record_t *r)
{
    static const int NUMBER[] = {9, 13, 17}; /* INFO, WARN, ERROR */
    static const char *const TEXT[] = {"INFO", "WARN", "ERROR"};
    str_t trace = audit_member_text(r, STR("trace"));
    int64_t ms = audit_time_parse(r->time);
    json_begin_object(w);
    put_time(w, STR("timeUnixNano"), ms);
    put_time(w, STR("observedTimeUnixNano"), ms);
    json_member_int(w, STR("severityNumber"), NUMBER[audit_level_of(r)]);
    json_member_str(w, STR("severityText"), str_c(TEXT[audit_level_of(r)]));
    json_key(w, STR("body"));
    json_begin_object(w);
    json_member_str(w, STR("stringValue"), r->event);
    json_end_object(w);
    json_key(w, STR("attributes"));
    json_begin_array(w);
    for (const json_t *m = r->json->child; m; m = m->next)
        if (!str_eq(m->key, STR("time")))
            put_attribute(w, m);
    json_end_array(w);
    if (is_trace(trace))
        json_member_str(w, STR("traceId"), trace);
    json_end_object(w);
}

void audit_otlp_write(const audit_export_t *how, const audit_record_t *r, buf_t *b)
{
    json_writer_t w = json_writer(b);
    json_begin_object(&w);
    json_key(&w, STR("resourceLogs"));
    json_begin_array(&w);
    json_begin_object(&w);
    json_key(&w, STR("resource"));
    json_begin_object(&w);
    json_key(&w, STR("attributes"));
    json_begin_array(&w);
    put_string(&w, STR("service.name"), STR("warder"));
    put_string(&w, STR("service.version"), how->version);
    json_end_array(&w);
    json_end_object(&w);
    json_key(&w, STR("scopeLogs"));
    json_begin_array(&w);
    json_begin_object(&w);
    json_key(&w, STR("scope"));
    json_begin_object(&w);
    json_member_str(&w, STR("name"), STR("warder.audit"));
    json_end_object(&w);
    json_key(&w, STR("logRecords"));
    json_begin_array(&w);
    put_record(&w, r);
    json_end_array(&w);
    json_end_object(&w);
    json_end_array(&w);
    json_end_object(&w);
    json_end_array(&w);
    json_end_object(&w);
}
