/* JSONTestSuite (Nicolas Seriot): what must be accepted is, what must be refused is, and each case
 * that the RFC leaves open is a choice written down here. */
#include "core/core_test_util.h"

#include "core/json.h"

#include <dirent.h>

#define NUMBER    "a number by the grammar; json_i64 and json_f64 refuse what they cannot hold"
#define SURROGATE "a lone surrogate is no character (RFC 7493 section 2.1)"
#define BAD_UTF8  "not UTF-8 (RFC 8259 section 8.1, RFC 3629)"
#define UTF8_ONLY "UTF-16 is not exchanged (RFC 8259 section 8.1)"
#define BOM                                                                                        \
    "nobody may add a mark (RFC 8259 section 8.1), and two readings of one text are one too many"
#define DEPTH "deeper than LIMIT_JSON_DEPTH"
#define TWICE                                                                                      \
    "a duplicate member means different things to different readers (RFC 7493 section 2.3)"

typedef struct {
    const char *name;
    bool accepted;
    const char *why;
} choice_t;

/* Files whose outcome is our choice: all i_, and the y_ that we refuse. */
static const choice_t CHOICES[] = {
    {"i_number_double_huge_neg_exp.json", true, NUMBER},
    {"i_number_huge_exp.json", true, NUMBER},
    {"i_number_neg_int_huge_exp.json", true, NUMBER},
    {"i_number_pos_double_huge_exp.json", true, NUMBER},
    {"i_number_real_neg_overflow.json", true, NUMBER},
    {"i_number_real_pos_overflow.json", true, NUMBER},
    {"i_number_real_underflow.json", true, NUMBER},
    {"i_number_too_big_neg_int.json", true, NUMBER},
    {"i_number_too_big_pos_int.json", true, NUMBER},
    {"i_number_very_big_negative_int.json", true, NUMBER},
    {"i_object_key_lone_2nd_surrogate.json", false, SURROGATE},
    {"i_string_1st_surrogate_but_2nd_missing.json", false, SURROGATE},
    {"i_string_1st_valid_surrogate_2nd_invalid.json", false, SURROGATE},
    {"i_string_UTF-16LE_with_BOM.json", false, UTF8_ONLY},
    {"i_string_UTF-8_invalid_sequence.json", false, BAD_UTF8},
    {"i_string_UTF8_surrogate_U+D800.json", false, BAD_UTF8},
    {"i_string_incomplete_surrogate_and_escape_valid.json", false, SURROGATE},
    {"i_string_incomplete_surrogate_pair.json", false, SURROGATE},
    {"i_string_incomplete_surrogates_escape_valid.json", false, SURROGATE},
    {"i_string_invalid_lonely_surrogate.json", false, SURROGATE},
    {"i_string_invalid_surrogate.json", false, SURROGATE},
    {"i_string_invalid_utf-8.json", false, BAD_UTF8},
    {"i_string_inverted_surrogates_U+1D11E.json", false, SURROGATE},
    {"i_string_iso_latin_1.json", false, BAD_UTF8},
    {"i_string_lone_second_surrogate.json", false, SURROGATE},
    {"i_string_lone_utf8_continuation_byte.json", false, BAD_UTF8},
    {"i_string_not_in_unicode_range.json", false, BAD_UTF8},
    {"i_string_overlong_sequence_2_bytes.json", false, BAD_UTF8},
    {"i_string_overlong_sequence_6_bytes.json", false, BAD_UTF8},
    {"i_string_overlong_sequence_6_bytes_null.json", false, BAD_UTF8},
    {"i_string_truncated-utf-8.json", false, BAD_UTF8},
    {"i_string_utf16BE_no_BOM.json", false, UTF8_ONLY},
    {"i_string_utf16LE_no_BOM.json", false, UTF8_ONLY},
    {"i_structure_500_nested_arrays.json", false, DEPTH},
    {"i_structure_UTF-8_BOM_empty_object.json", false, BOM},
    {"y_object_duplicated_key.json", false, TWICE},
    {"y_object_duplicated_key_and_value.json", false, TWICE},
};

static const choice_t *choice_of(const char *name)
{
    for (size_t i = 0; i < ROWS(CHOICES); i++)
        if (strcmp(CHOICES[i].name, name) == 0)
            return &CHOICES[i];
    return NULL;
}

static bool accepts(arena_t *a, const char *folder, const char *name)
{
    arena_t *own = arena_new(TEST_ARENA_BYTES);
    str_t text = test_read_file(a, arena_printf(a, "%s/%s", folder, name).p);
    assert_true(str_is_set(text));
    const json_t *out;
    rc_t rc = json_parse(own, test_exact(own, text), NULL, &out);
    /* Never for want of memory: the outcome is the reader's own. */
    assert_true(rc == RC_OK || rc == RC_MALFORMED || rc == RC_LIMIT);
    arena_free(own);
    return rc == RC_OK;
}

static const char *shared_folder(arena_t *a, const char *tail)
{
    const char *folder = test_path(a, "WARDER_SHARED", tail);
    DIR *dir = folder ? opendir(folder) : NULL;
    if (!dir) {
        print_message("skipped: JSONTestSuite is not there (WARDER_SHARED)\n");
        skip();
    }
    closedir(dir);
    return folder;
}

static void every_case_of_the_suite(void **state)
{
    arena_t *a = *state;
    const char *folder = shared_folder(a, "vectors/json/test_parsing");
    DIR *dir = opendir(folder);
    size_t n = 0, wrong = 0, chosen = 0;
    for (struct dirent *e; (e = readdir(dir));) {
        if (e->d_name[0] == '.')
            continue;
        const choice_t *choice = choice_of(e->d_name);
        if (e->d_name[0] == 'i' && !choice)
            fail_msg("no choice is written down for %s", e->d_name);
        bool expected = choice ? choice->accepted : e->d_name[0] == 'y';
        n++;
        chosen += choice != NULL;
        if (accepts(a, folder, e->d_name) == expected)
            continue;
        print_error("%s should be %s\n", e->d_name, expected ? "accepted" : "refused");
        wrong++;
    }
    closedir(dir);
    assert_int_equal(wrong, 0);
    assert_true(n >= 300);
    assert_int_equal(chosen, ROWS(CHOICES));
}

/* Files on which readers disagree about the value, not only about whether it is one. */
static void nothing_ambiguous_is_transformed(void **state)
{
    static const struct {
        const char *name;
        bool accepted;
    } TABLE[] = {
        {"object_same_key_different_values.json", false},
        {"object_same_key_same_value.json", false},
        {"object_same_key_unclear_values.json", false},
        {"object_key_nfc_nfd.json", true},
        {"object_key_nfd_nfc.json", true},
        {"string_1_escaped_invalid_codepoint.json", false},
        {"string_1_invalid_codepoint.json", false},
        {"string_2_escaped_invalid_codepoints.json", false},
        {"string_2_invalid_codepoints.json", false},
        {"string_3_escaped_invalid_codepoints.json", false},
        {"string_3_invalid_codepoints.json", false},
        {"string_with_escaped_NULL.json", true},
        {"number_1.0.json", true},
        {"number_9223372036854775808.json", true},
    };
    const char *folder = shared_folder(*state, "vectors/json/test_transform");
    for (size_t i = 0; i < ROWS(TABLE); i++)
        if (accepts(*state, folder, TABLE[i].name) != TABLE[i].accepted)
            fail_msg("%s", TABLE[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(every_case_of_the_suite),
        ARENA_TEST(nothing_ambiguous_is_transformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
