#include "core/log.h"

#include "core/json.h"
#include "core/limits.h"

static const char *const LEVELS[] = {"debug", "info", "warn", "error"};

/* Bytes of strangers may be anything; what is not UTF-8 is shown as hexadecimal. */
static void field_str(json_writer_t *w, str_t s)
{
    s = str_first(s, LIMIT_LOG_FIELD_BYTES);
    if (str_is_utf8(s)) {
        json_str(w, s);
        return;
    }
    char hex[2 * LIMIT_LOG_FIELD_BYTES];
    buf_t b = buf_fixed(hex, sizeof hex);
    buf_hex(&b, (const uint8_t *)s.p, s.n);
    json_str(w, buf_str(&b));
}

static void write_fields(json_writer_t *w, const log_field_t *fields, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (fields[i].type == LOG_FIELD_STR && !str_is_set(fields[i].s))
            continue;
        json_key(w, fields[i].name);
        if (fields[i].type == LOG_FIELD_INT)
            json_int(w, fields[i].i);
        else
            field_str(w, fields[i].s);
    }
}

void log_write(const log_t *log, log_level_t level, str_t msg, const log_field_t *fields, size_t n)
{
    if (!log || level < log->min)
        return;
    char line[LIMIT_LOG_LINE_BYTES];
    buf_t b = buf_fixed(line, sizeof line - 1);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    if (log->now_ms)
        json_member_int(&w, STR("time"), log->now_ms(log->clock_ctx));
    json_member_str(&w, STR("level"), str_c(LEVELS[level]));
    json_member_str(&w, STR("msg"), msg);
    write_fields(&w, fields, n);
    json_end_object(&w);
    str_t out;
    if (buf_done(&b, &out) != RC_OK)
        out = STR("{\"level\":\"error\",\"msg\":\"a log line was too long\"}");
    if (out.p != line) {
        memcpy(line, out.p, out.n);
    }
    line[out.n] = '\n';
    log->write(log->ctx, str_of(line, out.n + 1));
}
