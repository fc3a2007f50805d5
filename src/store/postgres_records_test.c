/* Rows of the database as records: whole, and damaged, which is a failure and never a crash. No
 * server is needed. */
#include "store/store_test_util.h"

#include "store/postgres_effects.h"

#include <stdlib.h>

enum { COLUMNS_MOST = POSTGRES_ARGS_MAX };

/* A result with one row: what `record` looks like as a row, from column `first` on. */
static PGresult *row_of(arena_t *a, table_id_t table, const void *record, int first)
{
    PGresAttDesc columns[COLUMNS_MOST] = {{0}};
    postgres_value_t values[COLUMNS_MOST];
    int n = TABLES[table].n_fields;
    PGresult *r = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    assert_non_null(r);
    for (int i = 0; i < first + n; i++)
        columns[i] = (PGresAttDesc){.name = (char *)(uintptr_t) "c", .format = 1, .typlen = -1};
    assert_true(PQsetResultAttrs(r, first + n, columns));
    for (int i = 0; i < first; i++)
        assert_true(PQsetvalue(r, 0, i, (char *)(uintptr_t) "\0\0\0\0\0\0\0\7", 8));
    assert_int_equal(postgres_write_record(a, table, record, values), RC_OK);
    for (int i = 0; i < n; i++) {
        char number[8];
        for (int at = 0; at < 8; at++)
            number[at] = (char)((uint64_t)values[i].i >> (56 - 8 * at));
        bool is_number = values[i].kind == POSTGRES_VALUE_NUMBER;
        const char *p = is_number ? number : values[i].s.p;
        int size = is_number ? 8 : p ? (int)values[i].s.n : -1;
        assert_true(PQsetvalue(r, 0, first + i, (char *)(uintptr_t)p, size));
    }
    return r;
}

static const void *some_record(arena_t *a, table_id_t table)
{
    static str_t words[] = {STR_INIT("a"), STR_INIT("")};
    char *record = arena_alloc(a, TABLES[table].size);
    for (int i = 0; i < TABLES[table].n_fields; i++) {
        const field_t *f = &TABLES[table].fields[i];
        if (f->type == FIELD_STR || f->type == FIELD_BYTES)
            *(str_t *)(record + f->offset) = i % 3 ? STR("text") : i ? STR_UNSET : STR("key");
        if (f->type == FIELD_I64)
            *(int64_t *)(record + f->offset) = i % 2 ? INT64_MIN + i : INT64_MAX - i;
        if (f->type == FIELD_U32)
            *(uint32_t *)(record + f->offset) = UINT32_MAX;
        if (f->type == FIELD_STRS)
            *(str_list_t *)(record + f->offset) = (str_list_t){words, 2};
    }
    return record;
}

static rc_t read_back(arena_t *a, const PGresult *r, table_id_t table, void **out)
{
    return postgres_read_record(a, (postgres_cell_t){r, 0, 1}, table, out);
}

static void records_of_every_table_come_back(void **state)
{
    (void)state;
    arena_t *a = arena_new(1 << 20);
    for (table_id_t t = 0; t < TABLE_COUNT; t++) {
        void *got;
        const void *want = some_record(a, t);
        PGresult *r = row_of(a, t, want, 1), *again;
        assert_int_equal(read_back(a, r, t, &got), RC_OK);
        again = row_of(a, t, got, 1);
        for (int i = 0; i < PQnfields(r); i++) {
            assert_int_equal(PQgetisnull(again, 0, i), PQgetisnull(r, 0, i));
            assert_int_equal(PQgetlength(again, 0, i), PQgetlength(r, 0, i));
            assert_memory_equal(PQgetvalue(again, 0, i), PQgetvalue(r, 0, i),
                                (size_t)PQgetlength(r, 0, i));
        }
        PQclear(r);
        PQclear(again);
    }
    arena_free(a);
}

static bool may_be_null(field_type_t type)
{
    return type == FIELD_STR || type == FIELD_BYTES;
}

/* Every column in turn: NULL, empty, too short, too long. */
static void damaged_columns_are_failures(void **state)
{
    (void)state;
    static const int SIZES[] = {-1, 0, 1, 7, 9, 31, 33};
    arena_t *a = arena_new(16 << 20);
    for (table_id_t t = 0; t < TABLE_COUNT; t++) {
        for (int i = 1; i < TABLES[t].n_fields; i++) {
            for (size_t s = 0; s < sizeof SIZES / sizeof SIZES[0]; s++) {
                char bytes[64];
                void *got;
                field_type_t type = TABLES[t].fields[i].type;
                memset(bytes, 0xff, sizeof bytes);
                PGresult *r = row_of(a, t, some_record(a, t), 1);
                assert_true(PQsetvalue(r, 0, 1 + i, bytes, SIZES[s]));
                rc_t rc = read_back(a, r, t, &got);
                bool fine = may_be_null(type) || (SIZES[s] == 0 && type == FIELD_STRS) ||
                            (SIZES[s] == 0 && type == FIELD_SCOPES);
                assert_int_equal(rc, fine ? RC_OK : RC_IO);
                PQclear(r);
            }
        }
    }
    arena_free(a);
}

static void numbers_out_of_range_are_failures(void **state)
{
    (void)state;
    arena_t *a = arena_new(1 << 20);
    refresh_t refresh = {.uses = 1};
    client_t client = {.id = STR("c")};
    void *got;
    PGresult *r = row_of(a, TABLE_REFRESH, &refresh, 1);
    assert_true(PQsetvalue(r, 0, 7, (char *)(uintptr_t) "\0\0\0\1\0\0\0\0", 8));
    assert_int_equal(read_back(a, r, TABLE_REFRESH, &got), RC_IO);
    PQclear(r);
    r = row_of(a, TABLE_CLIENT, &client, 1);
    assert_true(PQsetvalue(r, 0, 3, (char *)(uintptr_t) "\xff\xff\xff\xff\xff\xff\xff\xff", 8));
    assert_int_equal(read_back(a, r, TABLE_CLIENT, &got), RC_IO);
    PQclear(r);
    r = row_of(a, TABLE_CLIENT, &client, 1);
    assert_true(PQsetvalue(r, 0, 6, (char *)(uintptr_t) "\0\0\0\0\0\0\0\2", 8));
    assert_int_equal(read_back(a, r, TABLE_CLIENT, &got), RC_IO);
    PQclear(r);
    arena_free(a);
}

static void row_without_a_key_is_no_record(void **state)
{
    (void)state;
    arena_t *a = arena_new(1 << 20);
    client_t client = {.id = STR_UNSET};
    void *got = a;
    PGresult *r = row_of(a, TABLE_CLIENT, &client, 1);
    assert_int_equal(read_back(a, r, TABLE_CLIENT, &got), RC_OK);
    assert_null(got);
    PQclear(r);
    arena_free(a);
}

static void too_few_columns_are_a_failure(void **state)
{
    (void)state;
    arena_t *a = arena_new(1 << 20);
    void *got;
    PGresult *r = row_of(a, TABLE_SPENT, some_record(a, TABLE_SPENT), 1);
    assert_int_equal(read_back(a, r, TABLE_SESSION, &got), RC_IO);
    assert_int_equal(postgres_read_record(a, (postgres_cell_t){r, 1, 1}, TABLE_SPENT, &got), RC_IO);
    assert_int_equal(postgres_read_record(a, (postgres_cell_t){r, 0, 9}, TABLE_SPENT, &got), RC_IO);
    PQclear(r);
    arena_free(a);
}

static void no_memory_is_told(void **state)
{
    (void)state;
    arena_t *a = arena_new(1 << 20);
    client_t client = test_client(STR("c"));
    PGresult *r = row_of(a, TABLE_CLIENT, &client, 1);
    bool done = false;
    for (size_t budget = 16; !done; budget += 16) {
        void *got;
        arena_t *small = arena_new(budget);
        rc_t rc = read_back(small, r, TABLE_CLIENT, &got);
        assert_true(rc == RC_OK || rc == RC_MEMORY);
        done = rc == RC_OK;
        arena_free(small);
    }
    PQclear(r);
    arena_free(a);
}

/* An answer whose result is missing, failed, or empty. */
static void answers_that_are_none_are_failures(void **state)
{
    (void)state;
    ask_t ask = {.kind = ASK_ANY_USER};
    PGresult *bad[] = {NULL, PQmakeEmptyPGresult(NULL, PGRES_FATAL_ERROR),
                       PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK)};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        postgres_job_t *job = postgres_job_new();
        assert_int_equal(postgres_plan_ask(job, &ask, 1), RC_OK);
        job->results = &bad[i];
        assert_int_equal(postgres_read_answers(job, job->a, &ask, 1), RC_IO);
        postgres_job_free(job);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_of_every_table_come_back),
        cmocka_unit_test(damaged_columns_are_failures),
        cmocka_unit_test(numbers_out_of_range_are_failures),
        cmocka_unit_test(row_without_a_key_is_no_record),
        cmocka_unit_test(too_few_columns_are_a_failure),
        cmocka_unit_test(no_memory_is_told),
        cmocka_unit_test(answers_that_are_none_are_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
