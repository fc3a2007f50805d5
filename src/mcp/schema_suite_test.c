/* The official JSON-Schema-Test-Suite, where WARDER_JSON_SCHEMA_SUITE names a copy of it: each of
 * its mandatory tests passes, but those that this file argues about. */
#include "mcp/schema.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define NETWORK    "it refers to another document, and nothing is fetched"
#define METASCHEMA "it refers to the schema of schemas, which is another document"
#define DIALECT    "a dialect that somebody has made for themselves"

typedef struct {
    const char *file, *group; /* group NULL: all of the file */
    const char *why;
} exception_t;

/* Schemas that are refused, with the reason. */
static const exception_t EXCEPTIONS[] = {
    {"refRemote.json", NULL, NETWORK},
    {"dynamicRef.json", "strict-tree schema, guards against misspelled properties", NETWORK},
    {"dynamicRef.json", "tests for implementation dynamic anchor and reference link", NETWORK},
    {"dynamicRef.json", "$ref and $dynamicAnchor are independent of order - $defs first", NETWORK},
    {"dynamicRef.json", "$ref and $dynamicAnchor are independent of order - $ref first", NETWORK},
    {"dynamicRef.json", "$ref to $dynamicRef finds detached $dynamicAnchor", NETWORK},
    {"ref.json", "remote ref, containing refs itself", METASCHEMA},
    {"defs.json", "validate definition against metaschema", METASCHEMA},
    {"definitions.json", "validate definition against metaschema", METASCHEMA},
    {"vocabulary.json", NULL, DIALECT},
};

typedef struct {
    size_t passed, failed, argued;
} score_t;

static char *slurp(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    *n = (size_t)ftell(f);
    rewind(f);
    char *text = malloc(*n + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, *n, f), *n);
    fclose(f);
    return text;
}

static bool is_argued(const char *file, str_t group)
{
    for (size_t i = 0; i < sizeof EXCEPTIONS / sizeof *EXCEPTIONS; i++)
        if (strcmp(EXCEPTIONS[i].file, file) == 0 &&
            (!EXCEPTIONS[i].group || str_eq(str_c(EXCEPTIONS[i].group), group)))
            return true;
    return false;
}

static void try_case(const char *file, str_t group, const mcp_schema_t *schema, const json_t *test,
                     score_t *score)
{
    arena_t *a = arena_new(8 << 20);
    mcp_schema_fault_t fault;
    bool valid, fits;
    assert_true(json_get_bool(test, STR("valid"), &valid));
    rc_t rc = mcp_schema_check(a, schema, json_get(test, STR("data")), &fits, &fault);
    if (rc == RC_OK && fits == valid && (fits || fault.sentence.n > 0)) {
        score->passed++;
    } else {
        score->failed++;
        print_message("%s: %" PRIstr ": %" PRIstr ": %s %d\n", file, STR_ARG(group),
                      STR_ARG(json_get_str(test, STR("description"))), rc_name(rc), fits);
    }
    arena_free(a);
}

static void try_group(const char *file, const json_t *group, const char *dialect, score_t *score)
{
    arena_t *a = arena_new(8 << 20);
    const json_t *schema = json_get(group, STR("schema")), *tests = json_get(group, STR("tests"));
    str_t name = json_get_str(group, STR("description")), why = STR_UNSET;
    /* Draft-07 does not say $schema in its tests; we take what says nothing as 2020-12. */
    if (dialect && schema->type == JSON_OBJECT && !json_get(schema, STR("$schema"))) {
        str_t inner = str_of(schema->raw.p + 1, schema->raw.n - 1);
        bool empty = schema->count == 0;
        str_t text = arena_printf(a, "{\"$schema\":\"%s\"%s%" PRIstr, dialect, empty ? "" : ",",
                                  STR_ARG(inner));
        assert_int_equal(json_parse(a, text, NULL, &schema), RC_OK);
    }
    const mcp_schema_t *read;
    rc_t rc = mcp_schema_read(a, schema, &read, &why);
    bool argued = is_argued(file, name);
    if (rc == RC_CONFIG && argued) {
        score->argued += tests->count;
    } else if (rc != RC_OK || argued) {
        print_message("%s: %" PRIstr ": %s %" PRIstr "\n", file, STR_ARG(name), rc_name(rc),
                      STR_ARG(why));
        score->failed += tests->count;
    } else {
        for (const json_t *test = tests->child; test; test = test->next)
            try_case(file, name, read, test, score);
    }
    arena_free(a);
}

static void try_file(const char *folder, const char *file, const char *dialect, score_t *score)
{
    char path[4096];
    size_t n;
    const json_t *groups;
    arena_t *a = arena_new(32 << 20);
    snprintf(path, sizeof path, "%s/%s", folder, file);
    char *text = slurp(path, &n);
    assert_int_equal(json_parse(a, str_of(text, n), NULL, &groups), RC_OK);
    for (const json_t *group = groups->child; group; group = group->next)
        try_group(file, group, dialect, score);
    arena_free(a);
    free(text);
}

static void try_folder(const char *name, const char *dialect, score_t *score)
{
    const char *suite = getenv("WARDER_JSON_SCHEMA_SUITE");
    char folder[2048];
    if (!suite)
        skip();
    snprintf(folder, sizeof folder, "%s/tests/%s", suite, name);
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));)
        if (str_ends(str_c(e->d_name), STR(".json")))
            try_file(folder, e->d_name, dialect, score);
    closedir(dir);
    print_message("%s: %zu passed, %zu failed, %zu argued\n", name, score->passed, score->failed,
                  score->argued);
}

static void draft_2020_12(void **state)
{
    (void)state;
    score_t score = {0};
    try_folder("draft2020-12", NULL, &score);
    assert_int_equal(score.failed, 0);
    assert_true(score.passed > 1000);
}

static void draft_07(void **state)
{
    (void)state;
    score_t score = {0};
    try_folder("draft7", "http://json-schema.org/draft-07/schema#", &score);
    assert_int_equal(score.failed, 0);
    assert_true(score.passed > 700);
}

/* The way itself, in any run: what is right counts as passed, what is wrong as failed. */
static void verdicts_are_counted(void **state)
{
    (void)state;
    arena_t *a = arena_new(1 << 20);
    const json_t *group;
    score_t score = {0};
    str_t text = STR("{\"description\":\"own\",\"schema\":{\"type\":\"string\"},\"tests\":["
                     "{\"description\":\"a\",\"data\":\"x\",\"valid\":true},"
                     "{\"description\":\"b\",\"data\":1,\"valid\":false},"
                     "{\"description\":\"c, which is wrong\",\"data\":1,\"valid\":true}]}");
    assert_int_equal(json_parse(a, text, NULL, &group), RC_OK);
    try_group("own", group, NULL, &score);
    assert_int_equal(score.passed, 2);
    assert_int_equal(score.failed, 1);
    assert_int_equal(score.argued, 0);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts_are_counted),
        cmocka_unit_test(draft_2020_12),
        cmocka_unit_test(draft_07),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
