#include "audit/line.h"

#include "core/json.h"
#include "core/limits.h"

#define REPLACEMENT STR("\xef\xbf\xbd") /* U+FFFD */

static const str_t KINDS[] = {
#define AUDIT(name, text, about) STR_INIT(text),
    AUDIT_TABLE(AUDIT)
#undef AUDIT
};

typedef struct {
    str_t name;
    size_t offset, limit;
} member_t;

#define MEMBER(field, limit)                                                                       \
    {                                                                                              \
        STR_INIT(#field), offsetof(audit_event_t, field), LIMIT_AUDIT_##limit##_BYTES              \
    }

/* In the order of the line; `arguments` stand behind the first part, numbers at the end. */
static const member_t MEMBERS[] = {
    MEMBER(reason, TEXT),  MEMBER(detail, TEXT),
    MEMBER(rule, TEXT),    MEMBER(shadow, TEXT),
    MEMBER(user, TEXT),    MEMBER(issuer, TEXT),
    MEMBER(client, LONG),  MEMBER(resource, LONG),
    MEMBER(scope, LONG),   MEMBER(upstream, TEXT),
    MEMBER(method, TEXT),  MEMBER(tool, TEXT),
    MEMBER(object, LONG),  MEMBER(arguments_hash, SHORT),
    MEMBER(family, TEXT),  MEMBER(token, TEXT),
    MEMBER(address, TEXT), MEMBER(request_id, TEXT),
    MEMBER(trace, SHORT),
};

typedef struct {
    str_t name;
    size_t offset;
} number_t;

#define NUMBER(field)                                                                              \
    {                                                                                              \
        STR_INIT(#field), offsetof(audit_event_t, field)                                           \
    }

static const number_t NUMBERS[] = {
    NUMBER(status),
    NUMBER(bytes_in),
    NUMBER(bytes_out),
    NUMBER(duration_us),
};

enum {
    N_MEMBERS = sizeof MEMBERS / sizeof MEMBERS[0],
    N_NUMBERS = sizeof NUMBERS / sizeof NUMBERS[0],
    AFTER_HASH = 14,   /* members before `arguments` */
    ESCAPED = 6,       /* bytes that one byte may become: \u001b */
    MEMBER_FRAME = 24, /* name, quotes, colon, comma */
    FIXED_BYTES = 320, /* time, event, decision, numbers, why arguments are left out */
    ARGUMENTS_ARENA_BYTES = 1 << 20,
};

/* Of the reader that arguments pass. Each level is one call deep when they are written. */
static const json_limits_t ARGUMENTS_LIMITS = {LIMIT_AUDIT_ARGUMENTS_BYTES, 16, 2048};

str_t audit_kind_name(audit_kind_t kind)
{
    return KINDS[kind];
}

bool audit_kind_exists(str_t name)
{
    for (size_t i = 0; i < AUDIT_KIND_COUNT; i++)
        if (str_eq(KINDS[i], name))
            return true;
    return false;
}

static str_t member_text(const audit_event_t *e, const member_t *m)
{
    const str_t *s = (const str_t *)((const char *)e + m->offset);
    return str_first(*s, m->limit);
}

size_t audit_body_bound(const audit_event_t *e)
{
    size_t n = FIXED_BYTES;
    for (size_t i = 0; i < N_MEMBERS; i++)
        n += MEMBER_FRAME + ESCAPED * member_text(e, &MEMBERS[i]).n;
    if (e->arguments.n <= LIMIT_AUDIT_ARGUMENTS_BYTES)
        n += MEMBER_FRAME + ESCAPED * e->arguments.n;
    return n;
}

/* Length of the well-formed UTF-8 sequence at the front of s, or 0. */
static size_t sequence(str_t s)
{
    for (size_t n = 1; n <= 4 && n <= s.n; n++)
        if (str_is_utf8(str_first(s, n)))
            return n;
    return 0;
}

/* Each byte that belongs to no character becomes U+FFFD; a character that the limit cut is shown
 * that way too. Rare, so it may be slow. */
static void member_mended(json_writer_t *w, const member_t *m, str_t s)
{
    char mended[3 * LIMIT_AUDIT_LONG_BYTES];
    buf_t b = buf_fixed(mended, sizeof mended);
    while (s.n > 0) {
        size_t n = sequence(s);
        buf_put(&b, n > 0 ? str_first(s, n) : REPLACEMENT);
        s = str_skip(s, n > 0 ? n : 1);
    }
    json_member_str(w, m->name, buf_str(&b));
}

static void put_digits(char *at, unsigned n, uint64_t value)
{
    while (n > 0) {
        at[--n] = (char)('0' + value % 10);
        value /= 10;
    }
}

/* ISO 8601 in UTC with milliseconds. Days to date after Hinnant, "chrono-compatible low-level date
 * algorithms"; gmtime_r would take the time zone's lock in every worker. */
void audit_time_format(int64_t ms, char out[AUDIT_TIME_BYTES])
{
    static const int64_t END = 253402300800000; /* the year 10000 */
    uint64_t t = ms < 0 ? 0 : ms >= END ? (uint64_t)END - 1 : (uint64_t)ms;
    uint64_t day = t / 86400000, in_day = t % 86400000;
    uint64_t shifted = day + 719468, era = shifted / 146097, doe = shifted % 146097;
    uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    uint64_t month = mp < 10 ? mp + 3 : mp - 9;
    memcpy(out, "0000-00-00T00:00:00.000Z", AUDIT_TIME_BYTES);
    put_digits(out, 4, yoe + era * 400 + (month <= 2));
    put_digits(out + 5, 2, month);
    put_digits(out + 8, 2, doy - (153 * mp + 2) / 5 + 1);
    put_digits(out + 11, 2, in_day / 3600000);
    put_digits(out + 14, 2, in_day / 60000 % 60);
    put_digits(out + 17, 2, in_day / 1000 % 60);
    put_digits(out + 20, 3, in_day % 1000);
}

static int64_t digits(str_t s, size_t at, size_t n)
{
    int64_t v = 0;
    for (size_t i = at; i < at + n; i++)
        v = v * 10 + (s.p[i] - '0');
    return v;
}

/* Days from date, by the same source. */
int64_t audit_time_parse(str_t time)
{
    int64_t year = digits(time, 0, 4), month = digits(time, 5, 2), day = digits(time, 8, 2);
    year -= month <= 2;
    int64_t era = year / 400, yoe = year - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t days = era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
    int64_t seconds = digits(time, 11, 2) * 3600 + digits(time, 14, 2) * 60 + digits(time, 17, 2);
    return (days * 86400 + seconds) * 1000 + digits(time, 20, 3);
}

/* Most texts are UTF-8, and the writer itself finds those that are not. */
static void write_text(json_writer_t *w, const member_t *m, str_t s)
{
    json_writer_t before = *w;
    size_t n = w->buf->n;
    json_member_str(w, m->name, s);
    if (w->buf->failed != RC_MALFORMED)
        return;
    *w = before;
    w->buf->n = n;
    w->buf->failed = RC_OK;
    member_mended(w, m, s);
}

static void write_texts(json_writer_t *w, const audit_event_t *e, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        str_t s = member_text(e, &MEMBERS[i]);
        if (s.n > 0)
            write_text(w, &MEMBERS[i], s);
    }
}

static void write_numbers(json_writer_t *w, const audit_event_t *e)
{
    for (size_t i = 0; i < N_NUMBERS; i++) {
        int64_t v = *(const int64_t *)((const char *)e + NUMBERS[i].offset);
        if (v != 0)
            json_member_int(w, NUMBERS[i].name, v);
    }
}

/* Anew from what was read: without spaces, each text in one spelling. */
static void write_value(json_writer_t *w, const json_t *v)
{
    switch (v->type) {
    case JSON_STRING:
        json_str(w, v->str);
        return;
    case JSON_OBJECT:
        json_begin_object(w);
        for (const json_t *m = v->child; m; m = m->next) {
            json_key(w, m->key);
            write_value(w, m);
        }
        json_end_object(w);
        return;
    case JSON_ARRAY:
        json_begin_array(w);
        for (const json_t *m = v->child; m; m = m->next)
            write_value(w, m);
        json_end_array(w);
        return;
    default:
        json_raw(w, v->raw);
    }
}

static rc_t write_arguments(json_writer_t *w, str_t arguments)
{
    const json_t *json;
    if (!str_is_set(arguments))
        return RC_OK;
    arena_t *a = arena_new(ARGUMENTS_ARENA_BYTES);
    if (!a)
        return RC_MEMORY;
    rc_t rc = json_parse(a, arguments, &ARGUMENTS_LIMITS, &json);
    if (rc == RC_OK) {
        json_key(w, STR("arguments"));
        write_value(w, json);
    } else if (rc != RC_MEMORY) {
        json_member_str(w, STR("arguments_omitted"),
                        rc == RC_LIMIT ? STR("too_large") : STR("malformed"));
        rc = RC_OK;
    }
    arena_free(a);
    return rc;
}

/* How many bytes at `p` are U+0085, U+2028 or U+2029, which end a line to some readers of lines; 0:
 * none. */
static size_t line_end(const char *p, size_t n)
{
    if (n >= 2 && memcmp(p, "\xc2\x85", 2) == 0)
        return 2;
    bool separator = n >= 3 && (p[2] == '\xa8' || p[2] == '\xa9');
    return separator && memcmp(p, "\xe2\x80", 2) == 0 ? 3 : 0;
}

static size_t count_growth(str_t s, char lead)
{
    size_t more = 0;
    const char *end = s.p + s.n;
    for (const char *p = s.p; (p = memchr(p, lead, (size_t)(end - p))) != NULL; p++) {
        size_t n = line_end(p, (size_t)(end - p));
        more += n > 0 ? ESCAPED - n : 0;
    }
    return more;
}

/* The same of those that end at `end`. */
static size_t line_end_before(const char *p, size_t end)
{
    if (end >= 2 && line_end(p + end - 2, 2) == 2)
        return 2;
    return end >= 3 && line_end(p + end - 3, 3) == 3 ? 3 : 0;
}

/* They stand within strings alone, where an escape means the same. From the end, as it grows. */
static void escape_line_ends(buf_t *b)
{
    size_t from = b->n, more = count_growth(buf_str(b), '\xc2') + count_growth(buf_str(b), '\xe2');
    if (more == 0 || !buf_room(b, more))
        return;
    for (size_t to = b->n; to > from;) {
        size_t n = line_end_before(b->p, from);
        if (n == 0) {
            b->p[--to] = b->p[--from];
            continue;
        }
        char last = b->p[from - 1];
        from -= n;
        to -= ESCAPED;
        memcpy(b->p + to,
               last == '\x85'   ? "\\u0085"
               : last == '\xa8' ? "\\u2028"
                                : "\\u2029",
               ESCAPED);
    }
}

rc_t audit_body_write(buf_t *b, const audit_event_t *e, int64_t now_ms, str_t *out)
{
    char time[AUDIT_TIME_BYTES];
    audit_time_format(now_ms, time);
    json_writer_t w = json_writer(b);
    json_begin_object(&w);
    json_member_str(&w, STR("time"), str_of(time, sizeof time));
    json_member_str(&w, STR("event"), KINDS[e->kind]);
    json_member_str(&w, STR("decision"), e->allowed ? STR("allow") : STR("deny"));
    write_texts(&w, e, 0, AFTER_HASH);
    TRY(write_arguments(&w, e->arguments));
    write_texts(&w, e, AFTER_HASH, N_MEMBERS);
    write_numbers(&w, e);
    json_end_object(&w);
    escape_line_ends(b);
    TRY(buf_done(b, out));
    *out = str_of(out->p + 1, out->n - 2);
    return RC_OK;
}

#define NODE ",\"node\":\""

void audit_node_line_write(buf_t *b, audit_head_t *head, str_t node, str_t body)
{
    size_t start = b->n;
    buf_put(b, STR("{\"seq\":"));
    buf_u64(b, head->seq + 1);
    if (node.n > 0) {
        buf_put(b, STR(NODE));
        buf_put(b, str_first(node, AUDIT_NODE_BYTES));
        buf_char(b, '"');
    }
    buf_char(b, ',');
    buf_put(b, body); /* members that audit_body_write made */
    buf_put(b, STR(",\"prev\":\""));
    buf_hex(b, head->hash, sizeof head->hash);
    buf_put(b, STR("\"}\n"));
    if (b->failed != RC_OK)
        return;
    head->seq++;
    sha256(str_of(b->p + start, b->n - start), head->hash);
}

void audit_line_write(buf_t *b, audit_head_t *head, str_t body)
{
    audit_node_line_write(b, head, STR_UNSET, body);
}

static bool is_of_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

/* It has one place only: behind the number. */
str_t audit_line_node(str_t line)
{
    size_t at = str_find(line, ',', 0);
    str_t rest = str_skip(line, at);
    if (!str_starts(line, STR("{\"seq\":")) || !str_starts(rest, STR(NODE)))
        return STR_UNSET;
    rest = str_skip(rest, sizeof NODE - 1);
    size_t n = 0;
    while (n < rest.n && n < AUDIT_NODE_BYTES && is_of_name(rest.p[n]))
        n++;
    return n > 0 && n < rest.n && rest.p[n] == '"' ? str_first(rest, n) : STR_UNSET;
}
