/* The text of a store: nothing is lost on the way, and what is no such text is refused with its
 * reason. */
#include "store/store_test_dump.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

/* A digest that tells changes, for tests: its sum. */
static void more(void *ctx, str_t bytes)
{
    uint8_t *sum = ctx;
    for (size_t i = 0; i < bytes.n; i++)
        *sum = (uint8_t)(*sum * 31 + (uint8_t)bytes.p[i]);
}

static void end(void *ctx, uint8_t out[ARCHIVE_DIGEST])
{
    memset(out, *(uint8_t *)ctx, ARCHIVE_DIGEST);
}

typedef struct {
    arena_t *a;
    archive_reader_t reader;
    uint8_t sum;
} reading_t;

static void start(reading_t *r, arena_t *a)
{
    *r = (reading_t){.a = a};
    r->reader.digest = (archive_digest_t){more, end, &r->sum};
}

static const archive_head_t HEAD = {ARCHIVE_FORMAT, STR_INIT("1.0"), TEST_NOW};

/* A whole file with one session and one lone code. */
static str_t whole(arena_t *a)
{
    str_t out;
    uint8_t sum = 0;
    buf_t b = buf_new(a, 1 << 20);
    const session_t s = test_session("s", STR("u1"));
    const code_t c = test_code("c", STR("f"));
    archive_tail_t tail = {.revocation = 7};
    archive_write_head(&b, &HEAD);
    archive_write_record(&b, TABLE_SESSION, &s);
    archive_write_record(&b, TABLE_CODE, &c);
    more(&sum, buf_str(&b));
    tail.counts[TABLE_SESSION] = tail.counts[TABLE_CODE] = 1;
    memset(tail.sha256, sum, sizeof tail.sha256);
    archive_write_tail(&b, &tail);
    assert_int_equal(buf_done(&b, &out), RC_OK);
    return out;
}

/* Reads all lines; the last failure, and at the end that of the end. */
static rc_t read_all(reading_t *r, arena_t *a, str_t text)
{
    archive_line_t line;
    start(r, a);
    while (text.n > 0) {
        size_t n = str_find(text, '\n', 0);
        TRY(archive_read(&r->reader, a, str_first(text, n), &line));
        text = n < text.n ? str_skip(text, n + 1) : str_first(text, 0);
    }
    return archive_read_end(&r->reader);
}

static void refused(arena_t *a, str_t text, archive_refusal_t why)
{
    reading_t r;
    assert_int_equal(read_all(&r, a, text), RC_MALFORMED);
    if (r.reader.refusal != why)
        fail_msg("refused as: %" PRIstr, STR_ARG(archive_refusal_text(r.reader.refusal)));
}

/* The whole file with the first `was` of it replaced. */
static str_t changed(arena_t *a, const char *was, const char *is)
{
    str_t text = whole(a);
    const char *at = memmem(text.p, text.n, was, strlen(was));
    assert_non_null(at);
    size_t n = (size_t)(at - text.p);
    return arena_printf(a, "%.*s%s%" PRIstr, (int)n, text.p, is,
                        STR_ARG(str_skip(text, n + strlen(was))));
}

static arena_t *arena_of(void **state)
{
    return *state;
}

static int make_arena(void **state)
{
    *state = arena_new(64 << 20);
    return *state ? 0 : 1;
}

static int drop_arena(void **state)
{
    arena_free(*state);
    return 0;
}

static void whole_file_is_taken(void **state)
{
    reading_t r;
    arena_t *a = arena_of(state);
    assert_int_equal(read_all(&r, a, whole(a)), RC_OK);
    assert_int_equal(r.reader.tail.revocation, 7);
    assert_int_equal(r.reader.counts[TABLE_SESSION], 1);
    assert_str(r.reader.head.program, STR("1.0"));
    assert_int_equal(r.reader.head.at, TEST_NOW);
}

static void cut_file_is_refused(void **state)
{
    arena_t *a = arena_of(state);
    str_t text = whole(a);
    refused(a, STR(""), ARCHIVE_CUT);
    for (size_t i = 0, n = 0; i < 3; i++) {
        n = str_find(text, '\n', n) + 1;
        refused(a, str_first(text, n), ARCHIVE_CUT);
    }
    refused(a, str_first(text, text.n - 5), ARCHIVE_LINE);
}

static void changed_file_is_refused(void **state)
{
    arena_t *a = arena_of(state);
    refused(a, changed(a, "\"u1\"", "\"u2\""), ARCHIVE_CHANGED);
    refused(a, changed(a, "\"1.0\"", "\"1.1\""), ARCHIVE_CHANGED);
}

static void missing_record_is_refused(void **state)
{
    arena_t *a = arena_of(state);
    refused(a, changed(a, "\"session\":1", "\"session\":2"), ARCHIVE_COUNTS);
}

static void newer_file_is_refused(void **state)
{
    arena_t *a = arena_of(state);
    refused(a, changed(a, "{\"warder_store\":2", "{\"warder_store\":3"), ARCHIVE_NEWER);
}

/* What a column that came later would say is blank in an export from before, and wanted in one from
 * after. */
static void older_file_lacks_what_came_later(void **state)
{
    arena_t *a = arena_of(state);
    static const char *const HEADS[] = {"{\"warder_store\":1,\"program\":\"1.0\",\"at\":1}",
                                        "{\"warder_store\":2,\"program\":\"1.0\",\"at\":1}"};
    static const char RECORD[] =
        "{\"table\":\"consent\",\"record\":{\"user_id\":\"u\",\"client_id\":\"c\","
        "\"resource\":\"r\",\"redirect_uri\":\"\",\"scope\":\"a\",\"granted_at\":7,"
        "\"document\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"%s}}";
    const str_t without = arena_printf(a, RECORD, ""),
                with = arena_printf(a, RECORD, ",\"used_at\":9");
    for (int format = 1; format <= 2; format++) {
        reading_t r;
        archive_line_t line;
        start(&r, a);
        assert_int_equal(archive_read(&r.reader, a, str_c(HEADS[format - 1]), &line), RC_OK);
        assert_int_equal(archive_read(&r.reader, a, format == 1 ? without : with, &line), RC_OK);
        const consent_t *c = line.record;
        assert_int_equal(c->granted_at, 7);
        assert_int_equal(c->used_at, format == 1 ? 0 : 9);
        assert_int_equal(archive_read(&r.reader, a, format == 1 ? with : without, &line),
                         RC_MALFORMED);
        assert_int_equal(r.reader.refusal,
                         format == 1 ? ARCHIVE_FIELD_UNKNOWN : ARCHIVE_FIELD_MISSING);
    }
}

static void foreign_file_is_refused(void **state)
{
    arena_t *a = arena_of(state);
    refused(a, STR("PK\x03\x04"), ARCHIVE_FOREIGN);
    refused(a, STR("{}"), ARCHIVE_FOREIGN);
    refused(a, STR("[]"), ARCHIVE_FOREIGN);
    refused(a, STR("{\"warder_store\":\"1\"}"), ARCHIVE_FOREIGN);
    refused(a, STR("{\"warder_store\":0}"), ARCHIVE_FOREIGN);
    refused(a, STR("{\"warder_store\":1}"), ARCHIVE_LINE);
}

static void fields_are_held_to_the_table(void **state)
{
    arena_t *a = arena_of(state);
    refused(a, changed(a, "\"acr\":", "\"acr2\":"), ARCHIVE_FIELD_MISSING);
    refused(a, changed(a, "\"acr\":", "\"newer\":1,\"acr\":"), ARCHIVE_FIELD_UNKNOWN);
    refused(a, changed(a, "\"acr\":\"", "\"acr\":[],\"x\":\""), ARCHIVE_FIELD_FORM);
    refused(a, changed(a, "\"user_id\":\"u1\"", "\"user_id\":5"), ARCHIVE_FIELD_FORM);
    refused(a, changed(a, "\"user_id\":\"u1\"", "\"user_id\":{\"bytes\":\"dTE\"}"),
            ARCHIVE_FIELD_FORM);
    refused(a, changed(a, "\"max_age\":-1", "\"max_age\":1.5"), ARCHIVE_FIELD_FORM);
    refused(a, changed(a, "\"redirect_uri_given\":true", "\"redirect_uri_given\":1"),
            ARCHIVE_FIELD_FORM);
    refused(a, changed(a, "{\"id\":\"", "{\"id\":\"A"), ARCHIVE_FIELD_FORM);
}

static void lines_are_held_to_their_order(void **state)
{
    arena_t *a = arena_of(state);
    refused(a, changed(a, "\"table\":\"session\"", "\"table\":\"lease\""), ARCHIVE_TABLE);
    refused(a, changed(a, "\"table\":\"session\"", "\"table\":\"next\""), ARCHIVE_TABLE);
    refused(a, changed(a, "\"table\":\"session\"", "\"extra\":1,\"table\":\"session\""),
            ARCHIVE_LINE);
    str_t text = whole(a);
    size_t one = str_find(text, '\n', 0) + 1, two = str_find(text, '\n', one) + 1;
    size_t three = str_find(text, '\n', two) + 1;
    str_t session = str_first(str_skip(text, one), two - one);
    str_t code = str_first(str_skip(text, two), three - two);
    refused(a,
            arena_printf(a, "%" PRIstr "%" PRIstr "%" PRIstr, STR_ARG(str_first(text, one)),
                         STR_ARG(code), STR_ARG(session)),
            ARCHIVE_ORDER);
    refused(a, arena_printf(a, "%" PRIstr "%" PRIstr, STR_ARG(text), STR_ARG(code)),
            ARCHIVE_BEHIND);
    refused(a, arena_printf(a, "%" PRIstr "\n", STR_ARG(text)), ARCHIVE_BEHIND);
}

static void long_line_is_refused(void **state)
{
    arena_t *a = arena_of(state);
    char *line = arena_alloc(a, 2 << 20);
    memset(line, ' ', 2 << 20);
    refused(a, str_of(line, 2 << 20), ARCHIVE_LONG);
}

static void every_refusal_has_a_sentence(void **state)
{
    (void)state;
    for (int i = ARCHIVE_FOREIGN; i <= ARCHIVE_CHANGED; i++)
        assert_true(archive_refusal_text((archive_refusal_t)i).n > 15);
}

static void value_of_an_enum_that_is_not_known_is_refused(void **state)
{
    arena_t *a = arena_of(state);
    str_t line;
    reading_t r;
    archive_line_t out;
    buf_t b = buf_new(a, 1 << 20);
    device_t d = test_device("d", STR("ABC"));
    d.state = (device_state_t)(DEVICE_CONSUMED + 1);
    archive_write_record(&b, TABLE_DEVICE, &d);
    assert_int_equal(buf_done(&b, &line), RC_OK);
    start(&r, a);
    r.reader.has_head = true;
    assert_int_equal(archive_read(&r.reader, a, str_first(line, line.n - 1), &out), RC_MALFORMED);
    assert_int_equal(r.reader.refusal, ARCHIVE_FIELD_FORM);
}

/* What is too long to be read again is not written. */
static void record_beyond_a_line_is_not_written(void **state)
{
    arena_t *a = arena_of(state);
    str_t line;
    buf_t b = buf_new(a, 8 << 20);
    char *text = arena_alloc(a, 2 << 20);
    memset(text, 'a', 2 << 20);
    session_t s = test_session("s", str_of(text, 2 << 20));
    archive_write_record(&b, TABLE_SESSION, &s);
    assert_int_equal(buf_done(&b, &line), RC_LIMIT);
}

static void nothing_more(void *ctx, str_t bytes)
{
    (void)ctx;
    (void)bytes;
}

static void zeros(void *ctx, uint8_t out[ARCHIVE_DIGEST])
{
    (void)ctx;
    memset(out, 0, ARCHIVE_DIGEST);
}

/* Fuzzing begins at what is taken: seeds that a change of the columns has left behind are found
 * here. */
static void seeds_of_the_fuzzer_are_taken(void **state)
{
    arena_t *a = arena_of(state);
    const char *source = getenv("WARDER_SOURCE");
    glob_t seeds;
    str_t pattern = arena_printf(a, "%s/src/store/corpus/archive/*", source ? source : ".");
    assert_int_equal(glob(pattern.p, 0, NULL, &seeds), 0);
    for (size_t i = 0; i < seeds.gl_pathc; i++) {
        static char text[65536];
        FILE *f = fopen(seeds.gl_pathv[i], "rb");
        assert_non_null(f);
        str_t rest = str_of(text, fread(text, 1, sizeof text, f));
        fclose(f);
        archive_reader_t r = {.digest = {nothing_more, zeros, NULL}};
        archive_line_t line;
        while (rest.n > 0) {
            size_t n = str_find(rest, '\n', 0);
            if (archive_read(&r, a, str_first(rest, n), &line) != RC_OK)
                fail_msg("%s: %" PRIstr, seeds.gl_pathv[i],
                         STR_ARG(archive_refusal_text(r.refusal)));
            rest = n < rest.n ? str_skip(rest, n + 1) : str_first(rest, 0);
        }
    }
    assert_true(seeds.gl_pathc >= TABLE_COUNT - 1);
    globfree(&seeds);
}

#define ARCHIVE_TEST(fn) cmocka_unit_test_setup_teardown(fn, make_arena, drop_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARCHIVE_TEST(whole_file_is_taken),
        ARCHIVE_TEST(cut_file_is_refused),
        ARCHIVE_TEST(changed_file_is_refused),
        ARCHIVE_TEST(missing_record_is_refused),
        ARCHIVE_TEST(newer_file_is_refused),
        ARCHIVE_TEST(older_file_lacks_what_came_later),
        ARCHIVE_TEST(foreign_file_is_refused),
        ARCHIVE_TEST(fields_are_held_to_the_table),
        ARCHIVE_TEST(lines_are_held_to_their_order),
        ARCHIVE_TEST(long_line_is_refused),
        ARCHIVE_TEST(every_refusal_has_a_sentence),
        ARCHIVE_TEST(value_of_an_enum_that_is_not_known_is_refused),
        ARCHIVE_TEST(record_beyond_a_line_is_not_written),
        ARCHIVE_TEST(seeds_of_the_fuzzer_are_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
