/* The statements themselves: all can be prepared, their columns are those of the tables, and none
 * reads a whole table but those that list or count one. WARDER_TEST_SHOW=1 prints the plans. */
#include "store/postgres_conn.h"
#include "store/postgres_test_run.h"

#include "store/postgres_fields.h"
#include "store/tables.h"

#include <stdio.h>
#include <stdlib.h>

static const postgres_stmt_t LISTS[] = {
    POSTGRES_GET_ANY_USER,
    POSTGRES_GET_RESOURCES,
    POSTGRES_GET_CLIENTS,
    POSTGRES_GET_USERS,
    /* a handful of keys, asked when one is rotated */
    POSTGRES_GET_KEYS,
    POSTGRES_KEY_PUT,
    POSTGRES_KEYS_ARE,
    POSTGRES_KEYS_CLEAR,
    /* the first one in the order of an index will do */
    POSTGRES_USER_INSERT_FIRST,
    POSTGRES_CLIENT_EVICT,
    /* approved devices have an index of their own, and few are: all of it */
    POSTGRES_AGAIN_DEVICES,
    POSTGRES_ALL_CODES_END_BY_ADMIN,
};

static bool may_scan(postgres_stmt_t id)
{
    for (size_t i = 0; i < sizeof LISTS / sizeof LISTS[0]; i++)
        if (LISTS[i] == id)
            return true;
    return false;
}

static PGresult *explain(PGconn *pg, const postgres_text_t *text)
{
    char sql[512];
    size_t n = (size_t)snprintf(sql, sizeof sql, "EXPLAIN (COSTS OFF) EXECUTE \"%s\"", text->name);
    for (size_t i = 0; text->types[i]; i++)
        n += (size_t)snprintf(sql + n, sizeof sql - n, "%sNULL", i ? "," : "(");
    if (*text->types)
        snprintf(sql + n, sizeof sql - n, ")");
    PGresult *r = PQexec(pg, sql);
    if (PQresultStatus(r) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", text->name, PQerrorMessage(pg));
    return r;
}

static const char *line_of(const PGresult *r, int i)
{
    return i < PQntuples(r) ? PQgetvalue(r, i, 0) : "";
}

/* A whole table is read by a sequential scan, which is as good as forbidden here, or by an index
 * without a condition; a subquery that another limits may be one. */
static bool scans(const PGresult *r, int i)
{
    const char *line = line_of(r, i);
    bool by_index = strstr(line, "Index Scan") || strstr(line, "Index Only Scan");
    return strstr(line, "Seq Scan") || (by_index && !strstr(line_of(r, i + 1), "Index Cond"));
}

static void check_plan(PGconn *pg, postgres_stmt_t id)
{
    PGresult *r = explain(pg, &POSTGRES_TEXTS[id]);
    for (int i = 0; i < PQntuples(r); i++) {
        if (getenv("WARDER_TEST_SHOW"))
            print_message("%s: %s\n", POSTGRES_TEXTS[id].name, line_of(r, i));
        if (scans(r, i) && !may_scan(id))
            fail_msg("%s: %s", POSTGRES_TEXTS[id].name, line_of(r, i));
    }
    PQclear(r);
}

/* Texts that are kept byte for byte. */
static bool is_bytes(const char *column)
{
    static const char *const BYTES[] = {"req_state", "nonce", "prompt", "acr_values", "form"};
    for (size_t i = 0; i < sizeof BYTES / sizeof BYTES[0]; i++)
        if (strcmp(BYTES[i], column) == 0)
            return true;
    return false;
}

/* What stands in a column of row number i. */
static const char *value_of(table_id_t table, const field_t *f)
{
    bool choice = strcmp(f->column, "state") == 0 || strcmp(f->column, "origin") == 0;
    switch (f->type) {
    case FIELD_STR:
        return is_bytes(f->column) ? "decode('00', 'hex')" : "'x' || i";
    case FIELD_BYTES:
    case FIELD_HASH:
    case FIELD_STRS:
    case FIELD_SCOPES:
        return "decode(md5(i::text), 'hex')";
    default:
        return table == TABLE_KEY ? "2" : choice ? "i%4" : strstr(f->column, "ed_at") ? "i%2" : "i";
    }
}

/* Some thousand rows in every table, and the planner knows them. */
static void fill(PGconn *pg)
{
    for (table_id_t t = 0; t < TABLE_COUNT; t++) {
        char sql[2048];
        const table_t *table = &TABLES[t];
        size_t n = (size_t)snprintf(sql, sizeof sql, "INSERT INTO \"%s\"(", table->name);
        for (int i = 0; i < table->n_fields; i++)
            n += (size_t)snprintf(sql + n, sizeof sql - n, "%s%s", i ? ", " : "",
                                  table->fields[i].column);
        for (int i = 0; i < table->n_fields; i++)
            n += (size_t)snprintf(sql + n, sizeof sql - n, "%s%s", i ? ", " : ") SELECT ",
                                  value_of(t, &table->fields[i]));
        snprintf(sql + n, sizeof sql - n, " FROM generate_series(1, 3000) AS i");
        pg_test_sql(pg, sql);
    }
    pg_test_sql(pg, "UPDATE revoked SET kind=i%5, owner='x' || i%50 FROM generate_series(1, 3000) "
                    "AS i WHERE seq=i; ANALYZE");
}

static void prepare_all(PGconn *pg)
{
    for (size_t i = 0; i < POSTGRES_STATEMENTS; i++) {
        Oid types[POSTGRES_ARGS_MAX];
        const postgres_text_t *text = &POSTGRES_TEXTS[i];
        int n = postgres_types(text->types, types);
        PGresult *r = PQprepare(pg, text->name, text->sql, n, types);
        if (PQresultStatus(r) != PGRES_COMMAND_OK)
            fail_msg("%s: %s", text->name, PQerrorMessage(pg));
        PQclear(r);
    }
}

static void no_statement_scans(void **state)
{
    (void)state;
    PGconn *pg = pg_test_begin();
    fill(pg);
    prepare_all(pg);
    pg_test_sql(pg, "SET enable_seqscan=off; SET plan_cache_mode=force_generic_plan");
    for (postgres_stmt_t id = 0; id < POSTGRES_STATEMENTS; id++)
        check_plan(pg, id);
    PQfinish(pg);
}

/* The columns that the statements name, with the numbers and the types of their parameters. */
typedef struct {
    const char *columns, *marks, *types;
} fields_t;
#define FIELDS(table) [TABLE_##table] = {COLUMNS(table, ""), MARKS(table), TYPES(table)}
static const fields_t WRITTEN[TABLE_COUNT] = {
    FIELDS(CLIENT),
    FIELDS(USER),
    FIELDS(SESSION),
    FIELDS(INTERACTION),
    FIELDS(CODE),
    FIELDS(FAMILY),
    FIELDS(REFRESH),
    FIELDS(CONSENT),
    FIELDS(RESOURCE),
    FIELDS(KEY),
    FIELDS(REGISTRATION_TOKEN),
    FIELDS(PUSHED),
    FIELDS(DEVICE),
    FIELDS(SPENT),
    FIELDS(ACCESS_TOKEN),
    FIELDS(REVOKED),
    FIELDS(LEASE),
};

static bool fits(char letter, field_type_t type)
{
    switch (type) {
    case FIELD_STR:
        return letter == 't' || letter == 'b';
    case FIELD_BYTES:
    case FIELD_HASH:
    case FIELD_STRS:
    case FIELD_SCOPES:
        return letter == 'b';
    default:
        return letter == 'i';
    }
}

static void columns_are_those_of_the_tables(void **state)
{
    (void)state;
    for (table_id_t t = 0; t < TABLE_COUNT; t++) {
        char columns[1024] = "", marks[512] = "";
        const table_t *table = &TABLES[t];
        assert_int_equal(strlen(WRITTEN[t].types), table->n_fields);
        for (int i = 0; i < table->n_fields; i++) {
            size_t n = strlen(columns), m = strlen(marks);
            snprintf(columns + n, sizeof columns - n, "%s%s", i ? ", " : "",
                     table->fields[i].column);
            snprintf(marks + m, sizeof marks - m, "%s$%d", i ? ", " : "", i + 1);
            assert_true(fits(WRITTEN[t].types[i], table->fields[i].type));
        }
        assert_string_equal(WRITTEN[t].columns, columns);
        assert_string_equal(WRITTEN[t].marks, marks);
    }
}

static postgres_kind_t kind_of(const ask_t *asks, size_t n)
{
    postgres_job_t *job = postgres_job_new();
    assert_int_equal(postgres_plan_ask(job, asks, n), RC_OK);
    assert_int_equal(job->n_steps, n);
    postgres_kind_t kind = job->kind;
    postgres_job_free(job);
    return kind;
}

static void several_questions_have_one_view_but_for_a_token_request(void **state)
{
    (void)state;
    const ask_t client = {.kind = ASK_CLIENT}, code = {.kind = ASK_CODE},
                refresh = {.kind = ASK_REFRESH}, device = {.kind = ASK_DEVICE},
                consent = {.kind = ASK_CONSENT};
    assert_int_equal(kind_of(&client, 1), POSTGRES_READ);
    assert_int_equal(kind_of((ask_t[]){client, refresh}, 2), POSTGRES_READ);
    assert_int_equal(kind_of((ask_t[]){code, client}, 2), POSTGRES_READ);
    assert_int_equal(kind_of((ask_t[]){device, client}, 2), POSTGRES_READ);
    assert_int_equal(kind_of((ask_t[]){client, consent}, 2), POSTGRES_READ_VIEW);
    assert_int_equal(kind_of((ask_t[]){consent, client}, 2), POSTGRES_READ_VIEW);
    assert_int_equal(kind_of((ask_t[]){code, refresh}, 2), POSTGRES_READ_VIEW);
    assert_int_equal(kind_of((ask_t[]){client, refresh, consent}, 3), POSTGRES_READ_VIEW);
}

/* The statements of a job, and its witness, if there is one. */
static void assert_steps(const effects_t *effects, const postgres_stmt_t *want, size_t n,
                         const postgres_stmt_t *witness)
{
    postgres_job_t *job = postgres_job_new();
    assert_int_equal(postgres_plan_apply(job, effects), RC_OK);
    assert_int_equal(job->kind, POSTGRES_WRITE);
    assert_int_equal(job->n_steps, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(job->steps[i].stmt, want[i]);
    assert_int_equal(job->n_witness, witness != NULL);
    if (witness)
        assert_int_equal(job->witness.stmt, *witness);
    postgres_job_free(job);
}
#define STEPS(...)                                                                                 \
    (const postgres_stmt_t[]){__VA_ARGS__},                                                        \
        sizeof((const postgres_stmt_t[]){__VA_ARGS__}) / sizeof(postgres_stmt_t)

static void refresh_is_two_statements_with_a_witness(void **state)
{
    (void)state;
    effects_t effects = {0};
    refresh_t r = test_refresh("r", STR("f"));
    effects_add(&effects, EFFECT_REFRESH_ROTATE, TEST_NOW)->u.refresh = &r;
    effects_add(&effects, EFFECT_REFRESH_INSERT, TEST_NOW)->u.refresh = &r;
    assert_steps(&effects, STEPS(POSTGRES_REFRESH_ROTATE, POSTGRES_REFRESH_INSERT),
                 &(postgres_stmt_t){POSTGRES_WITNESS_REFRESH});
}

/* A family is no witness: its id stands in the code, for all who come with it. */
static void person_is_held_before_a_code_is_redeemed(void **state)
{
    (void)state;
    effects_t effects = {0};
    family_t f = test_family(STR("f"));
    hash_t code = test_hash("c");
    effects_add(&effects, EFFECT_CODE_CONSUME, TEST_NOW)->u.hash = &code;
    effects_add(&effects, EFFECT_FAMILY_INSERT, TEST_NOW)->u.family = &f;
    assert_steps(&effects,
                 STEPS(POSTGRES_USER_SHARE, POSTGRES_CODE_CONSUME, POSTGRES_FAMILY_INSERT), NULL);
}

/* Alone at once: two that share could not both go on to that. */
static void person_is_held_alone_where_the_job_needs_it(void **state)
{
    (void)state;
    effects_t effects = {0};
    user_t u = test_user(STR("u1"), STR("mia"));
    session_t s = test_session("s", u.id);
    effects_add(&effects, EFFECT_SESSION_INSERT, TEST_NOW)->u.session = &s;
    effects_add(&effects, EFFECT_USER_SET_PASSWORD, TEST_NOW)->u.user = &u;
    assert_steps(&effects,
                 STEPS(POSTGRES_USER_LOCK, POSTGRES_SESSION_INSERT, POSTGRES_USER_SET_PASSWORD,
                       POSTGRES_USER_END, POSTGRES_REVOKE),
                 &(postgres_stmt_t){POSTGRES_WITNESS_SESSION});
}

static void generation_grows_first_and_once(void **state)
{
    (void)state;
    effects_t effects = {0};
    effects_add(&effects, EFFECT_KEY_DELETE, TEST_NOW)->u.key = STR("k");
    effects_add(&effects, EFFECT_RESOURCE_DELETE, TEST_NOW)->u.key = STR("r");
    assert_steps(&effects,
                 STEPS(POSTGRES_GENERATION_NEXT, POSTGRES_KEY_DELETE, POSTGRES_RESOURCE_DELETE),
                 NULL);
}

/* What an error means, by the statement: a precondition, a quota, a loser who may try again. */
static void refusals_are_told_by_their_statement(void **state)
{
    (void)state;
    assert_int_equal(postgres_refusal(POSTGRES_CODE_CONSUME, "22012"), RC_CONFLICT);
    assert_int_equal(postgres_refusal(POSTGRES_CLIENT_INSERT, "23505"), RC_CONFLICT);
    assert_int_equal(postgres_refusal(POSTGRES_QUOTA_TAKE, "22012"), RC_LIMIT);
    assert_int_equal(postgres_refusal(POSTGRES_SESSION_DELETE, "22012"), RC_IO);
    assert_int_equal(postgres_refusal(POSTGRES_CODE_CONSUME, "40001"), RC_BUSY);
    assert_int_equal(postgres_refusal(POSTGRES_SESSION_DELETE, "40P01"), RC_BUSY);
    assert_int_equal(postgres_refusal(POSTGRES_CODE_CONSUME, "53100"), RC_IO);
    assert_int_equal(postgres_refusal(POSTGRES_CODE_CONSUME, NULL), RC_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_statement_scans),
        cmocka_unit_test(columns_are_those_of_the_tables),
        cmocka_unit_test(several_questions_have_one_view_but_for_a_token_request),
        cmocka_unit_test(refresh_is_two_statements_with_a_witness),
        cmocka_unit_test(person_is_held_before_a_code_is_redeemed),
        cmocka_unit_test(person_is_held_alone_where_the_job_needs_it),
        cmocka_unit_test(generation_grows_first_and_once),
        cmocka_unit_test(refusals_are_told_by_their_statement),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
