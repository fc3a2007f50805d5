/* The table of reasons itself; and that those of URLs and of discovery are tried in this room. */
#include "client/client_test_util.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/buf.h"

static const struct {
    client_reason_t reason;
    str_t id;
} TABLE[] = {
#define CLIENT_REASON(name, text, sentence, rule, mend) {CLIENT_##name, STR_INIT(#name)},
#include "client/reasons.def"
#undef CLIENT_REASON
};

static void names_are_their_identifiers(void **state)
{
    (void)state;
    assert_int_equal(ROWS(TABLE) + 1, CLIENT_REASON_COUNT);
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        str_t name = client_reason_row(TABLE[i].reason)->name;
        assert_true(str_eq_nocase(TABLE[i].id, name));
        for (size_t k = 0; k < name.n; k++)
            assert_false(isupper((unsigned char)name.p[k]));
    }
}

/* One line each, which a sentence may go on from. */
static void texts_for_people(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        const client_reason_row_t *row = client_reason_row(TABLE[i].reason);
        const str_t texts[] = {row->sentence, row->rule, row->mend};
        for (size_t k = 0; k < ROWS(texts); k++) {
            assert_true(texts[k].n > 0 && str_is_printable_ascii(texts[k]));
            assert_false(str_ends(texts[k], STR(".")) || str_ends(texts[k], STR(" ")));
        }
        assert_true(isupper((unsigned char)row->sentence.p[0]));
    }
}

static const char *source(void)
{
    const char *folder = getenv("WARDER_SOURCE");
    if (!folder)
        skip();
    return folder;
}

/* All tests of this room but this one. */
static str_t all_tests(arena_t *a)
{
    str_t text, folder = arena_printf(a, "%s/src/client", source());
    buf_t b = buf_new(a, TEST_ARENA_BYTES);
    DIR *dir = opendir(folder.p);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        str_t name = str_c(e->d_name);
        if (!str_ends(name, STR("_test.c")) || str_eq(name, STR("reason_test.c")))
            continue;
        str_t file = test_read_file(a, arena_printf(a, "%s/%s", folder.p, e->d_name).p);
        assert_true(str_is_set(file));
        buf_put(&b, file);
    }
    closedir(dir);
    assert_ok(buf_done(&b, &text));
    return text;
}

/* A test function, or a row of a table of tests, has the reason's name. Other reasons are those of
 * other rooms, or of other tests. */
static void reasons_of_discovery_are_tried(void **state)
{
    static const client_reason_t TRIED[] = {
        CLIENT_URL_BAD,
        CLIENT_URL_SCHEME,
        CLIENT_URL_PLAIN,
        CLIENT_URL_OUT_OF_REACH,
        CLIENT_UNREACHABLE,
        CLIENT_SERVER_FAILS,
        CLIENT_RESOURCE_METADATA_NONE,
        CLIENT_RESOURCE_METADATA_BAD,
        CLIENT_RESOURCE_MISMATCH,
        CLIENT_NO_AUTHORIZATION_SERVER,
        CLIENT_SERVER_METADATA_NONE,
        CLIENT_SERVER_METADATA_BAD,
        CLIENT_ISSUER_MISMATCH,
        CLIENT_PKCE_MISSING,
        CLIENT_GRANT_MISSING,
    };
    arena_t *a = *state;
    str_t text = all_tests(a);
    for (size_t i = 0; i < ROWS(TRIED); i++) {
        str_t name = client_reason_row(TRIED[i])->name;
        str_t function = arena_printf(a, "static void %" PRIstr "(", STR_ARG(name));
        str_t row = arena_printf(a, "{\"%" PRIstr "\",", STR_ARG(name));
        if (!str_contains(text, function) && !str_contains(text, row))
            fail_msg("no test is named %" PRIstr, STR_ARG(name));
    }
}

static void every_reason_is_documented(void **state)
{
    arena_t *a = *state;
    str_t text = test_read_file(a, arena_printf(a, "%s/docs/REASONS.md", source()).p);
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        const client_reason_row_t *row = client_reason_row(TABLE[i].reason);
        str_t line = arena_printf(a, "| `%" PRIstr "` | %" PRIstr " | %" PRIstr " | %" PRIstr " |",
                                  STR_ARG(row->name), STR_ARG(row->sentence), STR_ARG(row->rule),
                                  STR_ARG(row->mend));
        if (!str_contains(text, line))
            fail_msg("run script/reasons: docs/REASONS.md lacks %" PRIstr, STR_ARG(line));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_their_identifiers),
        cmocka_unit_test(texts_for_people),
        ARENA_TEST(reasons_of_discovery_are_tried),
        ARENA_TEST(every_reason_is_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
