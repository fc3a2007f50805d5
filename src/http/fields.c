#include "http/fields.h"

#include "http/scan.h"

enum { NAME, VALUE_START, VALUE };

/* The machine's own: the state is complete, go on with the next one. */
enum { STEP_ON = HTTP_FIELDS_BAD + 1 };

static int bad(http_fields_t *f, str_t why)
{
    f->why = why;
    return HTTP_FIELDS_BAD;
}

void http_fields_init(http_fields_t *f, size_t pos)
{
    *f = (http_fields_t){.state = NAME, .pos = pos, .mark = pos};
}

/* Expects CR LF at f->pos. */
static int take_crlf(http_fields_t *f, const char *p, size_t end)
{
    if (f->pos < end && p[f->pos] != '\r')
        return bad(f, STR("a byte that may not stand there"));
    if (f->pos + 1 >= end)
        return HTTP_FIELDS_MORE;
    if (p[f->pos + 1] != '\n')
        return bad(f, STR("CR without LF"));
    f->pos += 2;
    f->mark = f->pos;
    return STEP_ON;
}

/* A name and its colon without a space between them, or the empty line. A line that begins with
 * whitespace (obs-fold) fails as an empty name. */
static int step_name(http_fields_t *f, const char *p, size_t end)
{
    f->pos = http_scan_class(p, f->pos, end, HTTP_C_TOKEN);
    if (f->pos == end)
        return HTTP_FIELDS_MORE;
    if (f->pos == f->mark && p[f->pos] == '\r') {
        int step = take_crlf(f, p, end);
        return step == STEP_ON ? HTTP_FIELDS_END : step;
    }
    if (p[f->pos] != ':' || f->pos == f->mark)
        return bad(f, STR("the field name is not a token and a colon"));
    f->name = str_of(p + f->mark, f->pos - f->mark);
    f->pos++;
    f->state = VALUE_START;
    return STEP_ON;
}

static int step_value_start(http_fields_t *f, const char *p, size_t end)
{
    while (f->pos < end && (p[f->pos] == ' ' || p[f->pos] == '\t'))
        f->pos++;
    if (f->pos == end)
        return HTTP_FIELDS_MORE;
    f->mark = f->pos;
    f->state = VALUE;
    return STEP_ON;
}

/* Of what began behind whitespace, only the end may still have some. */
static str_t trim_end(str_t s)
{
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

static int step_value(http_fields_t *f, const char *p, size_t end)
{
    f->pos = http_scan_value(p, f->pos, end);
    if (f->pos == end)
        return HTTP_FIELDS_MORE;
    f->value = trim_end(str_of(p + f->mark, f->pos - f->mark));
    int step = take_crlf(f, p, end);
    if (step != STEP_ON)
        return step;
    f->state = NAME;
    return HTTP_FIELDS_ONE;
}

static int (*const STEPS[])(http_fields_t *, const char *, size_t) = {
    [NAME] = step_name,
    [VALUE_START] = step_value_start,
    [VALUE] = step_value,
};

http_fields_step_t http_fields_next(http_fields_t *f, const char *p, size_t end)
{
    int step;
    do {
        step = STEPS[f->state](f, p, end);
    } while (step == STEP_ON);
    return (http_fields_step_t)step;
}
