/* docs/DOCTOR.md says what the tables say. */
#include "doctor/doctor_test_play.h"

#include "doctor/profiles.h"

static str_t page(arena_t *a)
{
    const char *path = test_path(a, "WARDER_SOURCE", "docs/DOCTOR.md");
    str_t text = path ? test_read_file(a, path) : STR_UNSET;
    if (!str_is_set(text))
        skip();
    return text;
}

static void the_page_lists_every_check(void **state)
{
    static const char *const GRADES[] = {"fine", "note", "warning", "fault"};
    str_t text = page(*state);
    for (doctor_check_t i = 0; i < DOCTOR_CHECK_COUNT; i++) {
        const doctor_check_row_t *row = doctor_check_row(i);
        str_t line = arena_printf(
            *state, "| `%" PRIstr "` | %s | %" PRIstr " | %" PRIstr " | %" PRIstr " |\n",
            STR_ARG(row->id), GRADES[row->grade], STR_ARG(row->sentence), STR_ARG(row->mend),
            STR_ARG(row->rule));
        if (!str_contains(text, line))
            fail_msg("docs/DOCTOR.md lacks: %" PRIstr, STR_ARG(line));
    }
}

static void the_page_lists_every_client(void **state)
{
    str_t text = page(*state);
    for (doctor_client_t i = 0; i < DOCTOR_CLIENT_COUNT; i++) {
        const doctor_client_row_t *row = doctor_client_row(i);
        str_t line = arena_printf(*state, "| `%" PRIstr "` | %" PRIstr " |\n", STR_ARG(row->name),
                                  STR_ARG(row->label));
        if (!str_contains(text, line))
            fail_msg("docs/DOCTOR.md lacks: %" PRIstr, STR_ARG(line));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(the_page_lists_every_check),
        ARENA_TEST(the_page_lists_every_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
