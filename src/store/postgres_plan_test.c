/* The statements themselves: all can be prepared, and their columns are those of the tables. */
#include "store/postgres_test_run.h"

static void all_statements_can_be_prepared(void **state)
{
    (void)state;
    PGconn *pg = pg_test_begin();
    assert_int_equal(postgres_prepare_all(pg), RC_OK);
    PQfinish(pg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_statements_can_be_prepared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
