#include "core/log.h"

#include "core/json.h"
#include "core/limits.h"
#include "core/unfit.h"

enum { CUT_SHORT = 32 };

static const char *const LEVELS[] = {"debug", "info", "warn", "error"};

/* The first `max` bytes, and no half of a character. */
static str_t cut(str_t s, size_t max)
{
    if (s.n <= max)
        return s;
    size_t n = max;
    while (n > 0 && max - n < 3 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
        n--;
    return str_first(s, ((unsigned char)s.p[n] & 0xc0) == 0x80 ? max : n);
}

/* Bytes of strangers may be anything; what is not UTF-8 is shown as hexadecimal. */
static void field_str(json_writer_t *w, str_t s, size_t max)
{
    s = cut(s, max);
    if (str_is_utf8(s)) {
        json_str(w, s);
        return;
    }
    char hex[2 * LIMIT_LOG_FIELD_BYTES];
    buf_t b = buf_fixed(hex, sizeof hex);
    buf_hex(&b, (const uint8_t *)s.p, s.n);
    json_str(w, buf_str(&b));
}

static void write_fields(json_writer_t *w, const log_field_t *fields, size_t n, size_t max)
{
    for (size_t i = 0; i < n; i++) {
        if (fields[i].type == LOG_FIELD_STR && !str_is_set(fields[i].s))
            continue;
        json_key(w, fields[i].name);
        if (fields[i].type == LOG_FIELD_INT)
            json_int(w, fields[i].i);
        else
            field_str(w, fields[i].s, max);
    }
}

typedef struct {
    log_level_t level;
    int64_t now_ms;
    bool timed;
    str_t msg;
    const log_field_t *fields;
    size_t n;
} entry_t;

/* JSON lets marks through that turn text round, and controls that terminals act on; logs are read
 * on terminals, so there they are escapes, which mean the same. */
static void escape_unfit(str_t line, buf_t *out)
{
    while (line.n > 0) {
        size_t n;
        uint32_t c = unfit_first(line, &n);
        if (unfit_is(c))
            unfit_escape(out, c);
        else
            buf_put(out, str_first(line, n));
        line = str_skip(line, n);
    }
}

/* The line into `out`, strings cut at `max` bytes. */
static rc_t render(const entry_t *e, size_t max, buf_t *out)
{
    char text[LIMIT_LOG_LINE_BYTES];
    buf_t b = buf_fixed(text, sizeof text);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    if (e->timed)
        json_member_int(&w, STR("time"), e->now_ms);
    json_member_str(&w, STR("level"), str_c(LEVELS[e->level]));
    json_member_str(&w, STR("msg"), e->msg);
    write_fields(&w, e->fields, e->n, max);
    json_end_object(&w);
    str_t line;
    TRY(buf_done(&b, &line));
    escape_unfit(line, out);
    buf_char(out, '\n');
    return buf_done(out, &line);
}

void log_write(const log_t *log, log_level_t level, str_t msg, const log_field_t *fields, size_t n)
{
    if (!log || level < log->min)
        return;
    entry_t e = {.level = level, .timed = log->now_ms, .msg = msg, .fields = fields, .n = n};
    if (e.timed)
        e.now_ms = log->now_ms(log->clock_ctx);
    /* Long or hostile strings must not hide the event: shorter ones then, and at last none. */
    const struct {
        size_t max, n;
    } tries[] = {{LIMIT_LOG_FIELD_BYTES, n}, {CUT_SHORT, n}, {0, 0}};
    char line[LIMIT_LOG_LINE_BYTES];
    buf_t b;
    rc_t rc = RC_LIMIT;
    for (size_t i = 0; rc != RC_OK && i < sizeof tries / sizeof tries[0]; i++) {
        b = buf_fixed(line, sizeof line);
        e.n = tries[i].n;
        rc = render(&e, tries[i].max, &b);
    }
    if (rc == RC_OK)
        log->write(log->ctx, buf_str(&b));
}
