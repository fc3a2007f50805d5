#include "store/postgres_test_run.h"
static void all_statements_can_be_prepared(void **state)
{
    (void)state;
    PGconn *pg = pg_test_connect(pg_test_database("WARDER_TEST_POSTGRES", "plan"));
    pg_test_settle(pg);
    for (size_t i = 0; i < POSTGRES_STATEMENTS; i++) {
        PGresult *r = PQprepare(pg, POSTGRES_TEXTS[i].name, POSTGRES_TEXTS[i].sql, 0, NULL);
        if (PQresultStatus(r) != PGRES_COMMAND_OK)
            print_message("%s: %s\n", POSTGRES_TEXTS[i].name, PQerrorMessage(pg));
        PQclear(r);
    }
    PQreset(pg);
    assert_int_equal(postgres_prepare_all(pg), RC_OK);
    PQfinish(pg);
    pg_test_drop_all();
}
int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_statements_can_be_prepared)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
