#include "audit/tail.h"

#include "core/limits.h"

enum { TIME_WIDTH = 24, DECISION_WIDTH = 8, EVENT_WIDTH = 17, REASON_WIDTH = 28 };

static bool equals(str_t wanted, const json_t *event, str_t name)
{
    return !str_is_set(wanted) || str_eq(wanted, json_get_str(event, name));
}

bool audit_filter_takes(const audit_filter_t *filter, arena_t *scratch, str_t line)
{
    audit_record_t r;
    bool any =
        !str_is_set(filter->kind) && !str_is_set(filter->user) && !str_is_set(filter->client);
    if (any)
        return true;
    arena_reset(scratch);
    return audit_record_read(scratch, line, &r) == RC_OK &&
           equals(filter->kind, r.json, STR("event")) &&
           equals(filter->user, r.json, STR("user")) &&
           equals(filter->client, r.json, STR("client"));
}

/* Where the last line of `s` starts; s ends behind a newline. */
static size_t last_line(str_t s)
{
    const char *hit = s.n > 1 ? memrchr(s.p, '\n', s.n - 1) : NULL;
    return hit ? (size_t)(hit - s.p) + 1 : 0;
}

size_t audit_filter_back(const audit_filter_t *filter, arena_t *scratch, str_t window, bool whole,
                         uint64_t *want)
{
    size_t end = window.n;
    while (*want > 0 && end > 0) {
        size_t start = last_line(str_first(window, end));
        if (start == 0 && !whole)
            break;
        if (audit_filter_takes(filter, scratch, str_of(window.p + start, end - start)))
            (*want)--;
        end = start;
    }
    return end;
}

/* Decodes the UTF-8 sequence at the front of s into *code; its length, or 0. */
static size_t decode(str_t s, uint32_t *code)
{
    static const uint8_t MASKS[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    for (size_t n = 1; n <= 4 && n <= s.n; n++) {
        if (!str_is_utf8(str_first(s, n)))
            continue;
        *code = (uint8_t)s.p[0] & MASKS[n];
        for (size_t i = 1; i < n; i++)
            *code = *code << 6 | ((uint8_t)s.p[i] & 0x3f);
        return n;
    }
    return 0;
}

static bool is_harmful(uint32_t code)
{
    static const struct {
        uint32_t from, to;
    } ROWS[] = {
        {0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},   {0x200b, 0x200f},
        {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
        if (code >= ROWS[i].from && code <= ROWS[i].to)
            return true;
    return false;
}

void audit_put_visible(buf_t *b, str_t s)
{
    while (s.n > 0) {
        uint32_t code = 0xfffd;
        size_t n = decode(s, &code);
        if (n > 0 && !is_harmful(code)) {
            buf_put(b, str_first(s, n));
        } else {
            uint8_t hex[2] = {(uint8_t)(code >> 8), (uint8_t)code};
            buf_put(b, STR("\\u"));
            buf_hex(b, hex, sizeof hex);
        }
        s = str_skip(s, n > 0 ? n : 1);
    }
}

static void put_column(buf_t *b, str_t s, size_t width)
{
    size_t before = b->n;
    audit_put_visible(b, s);
    buf_char(b, ' ');
    while (b->failed == RC_OK && b->n - before < width + 1)
        buf_char(b, ' ');
}

static bool has_column(str_t name)
{
    static const str_t NAMES[] = {STR_INIT("seq"),      STR_INIT("time"),     STR_INIT("event"),
                                  STR_INIT("decision"), STR_INIT("reason"),   STR_INIT("detail"),
                                  STR_INIT("prev"),     STR_INIT("signature")};
    return str_list_has((str_list_t){NAMES, sizeof NAMES / sizeof NAMES[0]}, name);
}

static void put_others(buf_t *b, const json_t *event)
{
    for (const json_t *m = event->child; m; m = m->next) {
        if (has_column(m->key))
            continue;
        audit_put_visible(b, m->key);
        buf_char(b, '=');
        audit_put_visible(b, json_is(m, JSON_STRING) ? m->str : m->raw);
        buf_char(b, ' ');
    }
}

static void put_event(buf_t *b, const audit_record_t *r)
{
    str_t detail = json_get_str(r->json, STR("detail"));
    str_t reason = json_get_str(r->json, STR("reason"));
    put_column(b, r->time, TIME_WIDTH);
    put_column(b, r->decision, DECISION_WIDTH);
    put_column(b, r->event, EVENT_WIDTH);
    put_column(b, str_is_set(reason) ? reason : STR("-"), REASON_WIDTH);
    put_others(b, r->json);
    if (str_is_set(detail)) {
        buf_put(b, STR("- "));
        audit_put_visible(b, detail);
    }
}

void audit_put_human(buf_t *b, arena_t *scratch, str_t line)
{
    audit_record_t r;
    arena_reset(scratch);
    if (audit_record_read(scratch, line, &r) == RC_OK)
        put_event(b, &r);
    else
        audit_put_visible(b, str_trim(line, "\n"));
    while (b->n > 0 && b->p[b->n - 1] == ' ')
        b->n--;
    buf_char(b, '\n');
}

str_t audit_human_heads(void)
{
    return STR("TIME                     DECISION EVENT             REASON                       "
               "WHO AND WHAT\n");
}
