/* warder doctor: its command line, and that its clients are those of the catalogue. */
#include "cmd/cmd_test_run.h"

#include "cmd/command.h"
#include "conf/conf_catalogue.h"
#include "doctor/profiles.h"

static void the_command_line_is_wrong(void **state)
{
    static char url[] = "https://mcp.example/mcp", budget[] = "--budget", none[] = "0",
                other[] = "--nothing";
    char *rows[][4] = {{NULL}, {url, url, NULL}, {url, budget, none, NULL}, {url, other, NULL}};
    static const int COUNTS[] = {0, 2, 3, 2};
    (void)state;
    for (size_t i = 0; i < sizeof COUNTS / sizeof *COUNTS; i++)
        assert_int_equal(CMD_DOCTOR.run(COUNTS[i], rows[i]), EXIT_USAGE);
}

static bool is_in_catalogue(const conf_catalogue_t *all, str_t name)
{
    for (size_t i = 0; i < all->n; i++)
        if (str_eq(all->v[i].id, name))
            return true;
    return false;
}

static void its_clients_are_those_of_the_catalogue(void **state)
{
    arena_t *a = arena_new(1 << 22);
    conf_catalogue_t all;
    (void)state;
    assert_int_equal(conf_catalogue_default(a, &all), RC_OK);
    for (doctor_client_t i = 0; i < DOCTOR_CLIENT_STRICT; i++)
        if (!is_in_catalogue(&all, doctor_client_row(i)->name))
            fail_msg("no client '%" PRIstr "' in the catalogue",
                     STR_ARG(doctor_client_row(i)->name));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_command_line_is_wrong),
        cmocka_unit_test(its_clients_are_those_of_the_catalogue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
