#include "cmd/cmd_test_trail.h"

static const int64_t START_MS = 1763942400000; /* 2025-11-24T00:00:00Z */

void test_trail_add(test_trail_t *t, const audit_event_t *e)
{
    char bytes[4096];
    str_t body;
    buf_t room = buf_fixed(bytes, sizeof bytes),
          line = buf_fixed(t->text + t->n, TRAIL_BYTES - t->n - 1);
    int64_t at = START_MS + (int64_t)(t->head.seq + 1) * 1000;
    assert_int_equal(audit_body_write(&room, e, at, &body), RC_OK);
    audit_line_write(&line, &t->head, body);
    assert_int_equal(line.failed, RC_OK);
    t->n += line.n;
    t->text[t->n] = '\0';
}

void test_trail_add_turns(test_trail_t *t, size_t n)
{
    static const audit_event_t TURNS[] = {
        {.kind = AUDIT_TOKEN,
         .allowed = true,
         .reason = STR_INIT("allowed"),
         .user = STR_INIT("ann"),
         .client = STR_INIT("c1")},
        {.kind = AUDIT_LOGIN,
         .reason = STR_INIT("password_wrong"),
         .user = STR_INIT("bob"),
         .client = STR_INIT("c2")},
    };
    for (size_t i = 0; i < n; i++)
        test_trail_add(t, &TURNS[t->head.seq % 2]);
}

const char *test_trail_from(const test_trail_t *t, size_t from)
{
    const char *line = t->text;
    while (--from > 0)
        line = strchr(line, '\n') + 1;
    return line;
}

const char *test_trail_head(const test_trail_t *t)
{
    static char text[128];
    buf_t b = buf_fixed(text, sizeof text - 1);
    audit_head_write(&b, &t->head);
    text[b.n] = '\0';
    return text;
}
