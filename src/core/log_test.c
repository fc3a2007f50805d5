#include "core/core_test_util.h"

#include "core/json.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/secret.h"

#include <unistd.h>

typedef struct {
    char text[LIMIT_LOG_LINE_BYTES + 1];
    size_t n, lines;
} sink_t;

static void keep(void *ctx, str_t line)
{
    sink_t *s = ctx;
    assert_true(line.n <= LIMIT_LOG_LINE_BYTES);
    memcpy(s->text, line.p, line.n);
    s->n = line.n;
    s->lines++;
}

static int64_t noon(void *ctx)
{
    (void)ctx;
    return 43200000;
}

static log_t log_to(sink_t *s)
{
    *s = (sink_t){0};
    return (log_t){.write = keep, .ctx = s, .min = LOG_DEBUG};
}

static str_t line(const sink_t *s)
{
    return str_of(s->text, s->n);
}

static void golden_lines(void **state)
{
    (void)state;
    sink_t s;
    log_t log = log_to(&s);
    LOG(&log, LOG_INFO, "started", LOG_S("listen", STR("[::1]:80")), LOG_I("workers", -2));
    assert_str(line(&s), STR("{\"level\":\"info\",\"msg\":\"started\",\"listen\":\"[::1]:80\","
                             "\"workers\":-2}\n"));
    LOG(&log, LOG_ERROR, "alone");
    assert_str(line(&s), STR("{\"level\":\"error\",\"msg\":\"alone\"}\n"));
    LOG(&log, LOG_WARN, "absent", LOG_S("client", STR_UNSET), LOG_S("empty", STR("")));
    assert_str(line(&s), STR("{\"level\":\"warn\",\"msg\":\"absent\",\"empty\":\"\"}\n"));
    log.now_ms = noon;
    LOG(&log, LOG_DEBUG, "timed");
    assert_str(line(&s), STR("{\"time\":43200000,\"level\":\"debug\",\"msg\":\"timed\"}\n"));
}

static void levels_below_the_least_are_silent(void **state)
{
    (void)state;
    sink_t s;
    log_t log = log_to(&s);
    for (int min = LOG_DEBUG; min <= LOG_ERROR; min++) {
        log.min = (log_level_t)min;
        for (int level = LOG_DEBUG; level <= LOG_ERROR; level++) {
            s.lines = 0;
            LOG(&log, (log_level_t)level, "x");
            assert_int_equal(s.lines, level >= min);
        }
    }
    log_write(NULL, LOG_ERROR, STR("silence"), NULL, 0);
}

static void control_bytes_are_escaped(void **state)
{
    (void)state;
    sink_t s;
    log_t log = log_to(&s);
    LOG(&log, LOG_INFO, "name", LOG_S("client", STR("a\n{\"level\":\"info\"}\x1b[31m\x7f\0")));
    assert_str(line(&s), STR("{\"level\":\"info\",\"msg\":\"name\",\"client\":\"a\\n{\\\"level\\\":"
                             "\\\"info\\\"}\\u001b[31m\\u007f\\u0000\"}\n"));
}

static void marks_that_turn_or_hide_text_are_escaped(void **state)
{
    (void)state;
    sink_t s;
    log_t log = log_to(&s);
    LOG(&log, LOG_INFO, "name",
        LOG_S("client", STR("\xc2\x9b"
                            "31m \xe2\x80\xae \xe2\x80\x8b \xf3\xa0\x81\x81 \xc3\xa9")));
    assert_str(line(&s), STR("{\"level\":\"info\",\"msg\":\"name\",\"client\":\"\\u009b31m \\u202e "
                             "\\u200b \\udb40\\udc41 \xc3\xa9\"}\n"));
}

static void bytes_that_are_no_text_are_hex(void **state)
{
    (void)state;
    sink_t s;
    log_t log = log_to(&s);
    LOG(&log, LOG_INFO, "x", LOG_S("b", STR("a\xff")));
    assert_str(line(&s), STR("{\"level\":\"info\",\"msg\":\"x\",\"b\":\"61ff\"}\n"));
}

/* The member `name` of the line, which must be JSON and end in its only newline. */
static str_t field(arena_t *a, const sink_t *s, str_t name)
{
    const json_t *doc;
    str_t text = line(s);
    assert_int_equal(str_find(text, '\n', 0), text.n - 1);
    assert_int_equal(json_parse(a, arena_dup(a, text), NULL, &doc), RC_OK);
    return json_get_str(doc, name);
}

static void long_fields_are_cut(void **state)
{
    sink_t s;
    log_t log = log_to(&s);
    static char text[LIMIT_LOG_FIELD_BYTES + 100];
    memset(text, 'a', sizeof text);
    LOG(&log, LOG_INFO, "x", LOG_S("f", str_of(text, LIMIT_LOG_FIELD_BYTES)));
    assert_int_equal(field(*state, &s, STR("f")).n, LIMIT_LOG_FIELD_BYTES);
    LOG(&log, LOG_INFO, "x", LOG_S("f", str_of(text, sizeof text)));
    assert_str(field(*state, &s, STR("f")), str_of(text, LIMIT_LOG_FIELD_BYTES));
}

/* The cut takes a whole character away, not the whole text with it. */
static void a_cut_keeps_characters_whole(void **state)
{
    sink_t s;
    log_t log = log_to(&s);
    static char text[LIMIT_LOG_FIELD_BYTES + 4];
    for (size_t before = 1; before <= 4; before++) {
        memset(text, 'a', sizeof text);
        memcpy(text + LIMIT_LOG_FIELD_BYTES - before, "\xf0\x9f\x98\x80", 4);
        LOG(&log, LOG_INFO, "x", LOG_S("f", str_of(text, sizeof text)));
        size_t kept = LIMIT_LOG_FIELD_BYTES - (before < 4 ? before : 0);
        assert_str(field(*state, &s, STR("f")), str_of(text, kept));
    }
    memset(text, '\x80', sizeof text);
    LOG(&log, LOG_INFO, "x", LOG_S("f", str_of(text, sizeof text)));
    assert_int_equal(field(*state, &s, STR("f")).n, 2 * LIMIT_LOG_FIELD_BYTES);
}

/* Fields that are six times as long once escaped must not push the event out of the log. */
static void hostile_fields_do_not_hide_the_event(void **state)
{
    sink_t s;
    log_t log = log_to(&s);
    static char text[LIMIT_LOG_FIELD_BYTES];
    memset(text, 1, sizeof text);
    str_t bad = str_of(text, sizeof text);
    LOG(&log, LOG_WARN, "refused", LOG_S("a", bad), LOG_S("b", bad), LOG_S("c", STR("kept")),
        LOG_I("n", 7));
    assert_str(field(*state, &s, STR("msg")), STR("refused"));
    assert_str(field(*state, &s, STR("level")), STR("warn"));
    assert_str(field(*state, &s, STR("c")), STR("kept"));
    assert_int_equal(field(*state, &s, STR("a")).n, 32);
    log_field_t many[60];
    for (size_t i = 0; i < ROWS(many); i++)
        many[i] = LOG_S("f", bad);
    log_write(&log, LOG_WARN, STR("refused"), many, ROWS(many));
    assert_str(line(&s), STR("{\"level\":\"warn\",\"msg\":\"refused\"}\n"));
}

/* A secret has no way into a field: neither macro takes one. */
static void no_field_type_for_a_secret(void **state)
{
    (void)state;
    assert_int_equal(_Generic(((log_field_t){0}).s, secret_t : 1, default : 0), 0);
    assert_int_equal(_Generic(((log_field_t){0}).i, secret_t : 1, default : 0), 0);
    assert_int_equal(sizeof(log_field_t), sizeof(struct {
                         int type;
                         str_t name, s;
                         int64_t i;
                     }));
}

static void standard_error_gets_one_write(void **state)
{
    (void)state;
    int pipes[2], saved = dup(STDERR_FILENO);
    assert_int_equal(pipe(pipes), 0);
    dup2(pipes[1], STDERR_FILENO);
    log_t log = log_stderr(LOG_INFO);
    LOG(&log, LOG_DEBUG, "not this");
    LOG(&log, LOG_INFO, "this");
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(pipes[1]);
    char text[256];
    ssize_t n = read(pipes[0], text, sizeof text);
    close(pipes[0]);
    str_t got = str_of(text, n > 0 ? (size_t)n : 0);
    assert_true(str_starts(got, STR("{\"time\":")));
    assert_true(str_ends(got, STR(",\"level\":\"info\",\"msg\":\"this\"}\n")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_lines),
        cmocka_unit_test(levels_below_the_least_are_silent),
        cmocka_unit_test(control_bytes_are_escaped),
        cmocka_unit_test(marks_that_turn_or_hide_text_are_escaped),
        cmocka_unit_test(bytes_that_are_no_text_are_hex),
        ARENA_TEST(long_fields_are_cut),
        ARENA_TEST(a_cut_keeps_characters_whole),
        ARENA_TEST(hostile_fields_do_not_hide_the_event),
        cmocka_unit_test(no_field_type_for_a_secret),
        cmocka_unit_test(standard_error_gets_one_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
