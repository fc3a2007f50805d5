#include "mcp_server/registry.h"

#include "mcp_server/mcp_server_test_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static warder_mcp_next_t run(warder_mcp_call_t *call, void *ctx)
{
    (void)call;
    (void)ctx;
    return WARDER_MCP_DONE;
}

static void complete(warder_mcp_call_t *call, const char *argument, const char *value, void *ctx)
{
    (void)call;
    (void)argument;
    (void)value;
    (void)ctx;
}

/* Refused, in a sentence that holds `part` and ends in a period; NULL: taken. */
static void assert_new(const warder_mcp_config_t *c, const char *part)
{
    char why[512] = "";
    warder_mcp_t *m = warder_mcp_new(c, why, sizeof why);
    if (!part && !m)
        fail_msg("refused: %s", why);
    if (part && (m || !strstr(why, part)))
        fail_msg("\"%s\" does not say: %s", why, part);
    if (part && (why[strlen(why) - 1] != '.' || !strchr(why, ':')))
        fail_msg("no sentence with a mend: %s", why);
    warder_mcp_free(m);
}

static void control(void)
{
    warder_mcp_config_t c = test_config();
    assert_new(&c, NULL);
}

static void tool_is(warder_mcp_tool_t t, const char *part)
{
    warder_mcp_config_t c = {.name = "t", .version = "1", .tools = &t, .tool_count = 1};
    assert_new(&c, part);
}
#define TOOL(...) ((warder_mcp_tool_t){.name = "a", .description = "A", .run = run, __VA_ARGS__})

static void resource_is(warder_mcp_resource_t r, const char *part)
{
    warder_mcp_config_t c = {.name = "t", .version = "1", .resources = &r, .resource_count = 1};
    assert_new(&c, part);
}
#define RESOURCE(...)                                                                              \
    ((warder_mcp_resource_t){.uri = "a://b", .name = "b", .run = run, __VA_ARGS__})

static void prompt_is(warder_mcp_prompt_t p, const char *part)
{
    warder_mcp_config_t c = {.name = "t", .version = "1", .prompts = &p, .prompt_count = 1};
    assert_new(&c, part);
}
#define PROMPT(...) ((warder_mcp_prompt_t){.name = "p", .run = run, __VA_ARGS__})

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"

static void bad_config(void **state)
{
    (void)state;
    warder_mcp_config_t good = {.name = "t", .version = "1"}, c;
#define CONFIG_IS(member, value, part)                                                             \
    c = good;                                                                                      \
    c.member = (value);                                                                            \
    assert_new(&c, part)
    CONFIG_IS(name, NULL, "a name and a version");
    CONFIG_IS(name, "", "a name and a version");
    CONFIG_IS(version, NULL, "a name and a version");
    CONFIG_IS(name, "\xff", "in UTF-8");
    CONFIG_IS(title, "\xff", "not UTF-8");
    CONFIG_IS(instructions, "\xff", "not UTF-8");
    CONFIG_IS(state_secret, "short", "fewer than 32");
    CONFIG_IS(state_secret, "0123456789abcdef0123456789abcdef", NULL);
    CONFIG_IS(threads, 257, "256 threads");
    CONFIG_IS(waiting, 65537, "65536 waiting");
    CONFIG_IS(page, 1001, "1000 entries");
    CONFIG_IS(calls_per_minute, 1000001, "1000000 calls");
    CONFIG_IS(list_fresh_s, -2, "list_fresh_s");
    CONFIG_IS(list_fresh_s, 86401, "list_fresh_s");
    CONFIG_IS(task_kept_s, -1, "task_kept_s");
    CONFIG_IS(icons, "{}", "icons");
    CONFIG_IS(icons, "[{\"src\":1}]", "icons");
    CONFIG_IS(icons, "[{\"src\":\"https://a.test/i.png\"}]", NULL);
    CONFIG_IS(tool_count, 1, "its count");
    CONFIG_IS(resource_count, 1, "its count");
    CONFIG_IS(prompt_count, 10001, "its count");
    control();
}

static void bad_tool_name(void **state)
{
    (void)state;
    char name[130];
    memset(name, 'a', sizeof name);
    name[129] = 0;
    static const char *const NAMES[] = {"", "a b", "a\n", "\xc3\xa9", "a:b", NULL};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        tool_is(TOOL(.name = NAMES[i]), "needs a name of 1 to 128");
    tool_is(TOOL(.name = name), "needs a name of 1 to 128");
    name[128] = 0;
    tool_is(TOOL(.name = name), NULL);
    tool_is(TOOL(.name = "A-z_0.9/x"), NULL);
}

static void tool_lacks_something(void **state)
{
    (void)state;
    tool_is(TOOL(.description = NULL), "a description and a function");
    tool_is(TOOL(.run = NULL), "a description and a function");
    tool_is(TOOL(.title = "\xff"), "not UTF-8");
    tool_is(TOOL(.title = "A"), NULL);
}

static void contradicting_flags(void **state)
{
    (void)state;
    tool_is(TOOL(.flags = WARDER_MCP_READ_ONLY | WARDER_MCP_DESTRUCTIVE), "READ_ONLY");
    tool_is(TOOL(.flags = 1 << 20), "flags that mean nothing");
    resource_is(RESOURCE(.flags = WARDER_MCP_TASK), "flags that mean nothing");
    prompt_is(PROMPT(.flags = WARDER_MCP_READ_ONLY), "flags that mean nothing");
    tool_is(TOOL(.flags = WARDER_MCP_TASK | WARDER_MCP_TASK_ONLY | WARDER_MCP_DESTRUCTIVE), NULL);
}

static void malformed_scope(void **state)
{
    (void)state;
    static const char *const SCOPES[] = {"", " ", "a  b", " a", "a ", "a\"", "a\\b", "\xc3\xa9"};
    for (size_t i = 0; i < sizeof SCOPES / sizeof *SCOPES; i++) {
        tool_is(TOOL(.scope = SCOPES[i]), "has a scope that is none");
        resource_is(RESOURCE(.scope = SCOPES[i]), "has a scope that is none");
        prompt_is(PROMPT(.scope = SCOPES[i]), "has a scope that is none");
    }
    tool_is(TOOL(.scope = "mcp:tools:a b"), NULL);
    char scope[MCP_SCOPE_BYTES + 2] = {0};
    memset(scope, 's', MCP_SCOPE_BYTES + 1);
    tool_is(TOOL(.scope = scope), "255 bytes");
    scope[MCP_SCOPE_BYTES] = 0;
    tool_is(TOOL(.scope = scope), NULL);
}

static void bad_schema(void **state)
{
    (void)state;
    tool_is(TOOL(.input_schema = "{"), "it is not JSON");
    tool_is(TOOL(.input_schema = "[]"), "\"type\":\"object\"");
    tool_is(TOOL(.input_schema = "{}"), "\"type\":\"object\"");
    tool_is(TOOL(.input_schema = "{\"type\":\"string\"}"), "\"type\":\"object\"");
    tool_is(TOOL(.output_schema = "{\"type\":\"array\"}"), "\"type\":\"object\"");
    tool_is(TOOL(.input_schema = "{\"type\":\"object\",\"properties\":1}"),
            "has an inputSchema to correct: `#");
    tool_is(TOOL(.input_schema = "{\"type\":\"object\",\"$ref\":\"https://a.test/s\"}"),
            "has an inputSchema to correct: `#");
    tool_is(TOOL(.input_schema = "{\"type\":\"object\"}", .output_schema = "{\"type\":\"object\"}"),
            NULL);
}

/* 2026-07-28, Streamable HTTP, "Schema Extension": such a tool must not be offered. */
static void bad_x_mcp_header(void **state)
{
    (void)state;
#define HEADER(type, name)                                                                         \
    "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"" type "\",\"x-mcp-header\":" name "}" \
    "}"                                                                                            \
    "}"
    tool_is(TOOL(.input_schema = HEADER("string", "\"a b\"")), "x-mcp-header");
    tool_is(TOOL(.input_schema = HEADER("string", "1")), "x-mcp-header");
    tool_is(TOOL(.input_schema = HEADER("number", "\"A\"")), "x-mcp-header");
    tool_is(TOOL(.input_schema = HEADER("integer", "\"A\"")), NULL);
}

static void bad_icons_and_meta(void **state)
{
    (void)state;
    tool_is(TOOL(.icons = "[1]"), "has icons");
    tool_is(TOOL(.icons = "["), "has icons");
    tool_is(TOOL(.meta = "[]"), "has a meta");
    tool_is(TOOL(.meta = "{"), "has a meta");
    resource_is(RESOURCE(.icons = "1"), "has icons");
    prompt_is(PROMPT(.meta = "1"), "has a meta");
    tool_is(TOOL(.icons = "[{\"src\":\"data:,\"}]", .meta = "{\"a.test/b\":1}"), NULL);
}

static void bad_uri(void **state)
{
    (void)state;
    static const char *const URIS[] = {NULL,     "",           "a",           "1a:b",
                                       "a b:c",  "a://b c",    "a:",          "a://\xc3\xa9",
                                       "a://{b", "a://{b}{c}", "a://{b}/{b}", "a://{+b}",
                                       "a_b:c"};
    for (size_t i = 0; i < sizeof URIS / sizeof *URIS; i++)
        resource_is(RESOURCE(.uri = URIS[i]), "needs a URI");
    resource_is(RESOURCE(.uri = "a+b-c.d://{b}/{c}"), NULL);
}

static void resource_lacks_something(void **state)
{
    (void)state;
    resource_is(RESOURCE(.name = NULL), "a name and a function");
    resource_is(RESOURCE(.name = ""), "a name and a function");
    resource_is(RESOURCE(.run = NULL), "a name and a function");
    resource_is(RESOURCE(.complete = complete), "nothing to complete");
    resource_is(RESOURCE(.annotations = "[]"), "has annotations");
    resource_is(RESOURCE(.annotations = "{\"priority\":1"), "has annotations");
    resource_is(RESOURCE(.size = -1), "a size");
    resource_is(RESOURCE(.uri = "a://{b}", .size = 1), "a size");
    resource_is(RESOURCE(.uri = "a://{b}", .complete = complete), NULL);
    resource_is(RESOURCE(.size = 1), NULL);
}

static void bad_prompt(void **state)
{
    (void)state;
    static const warder_mcp_argument_t TWINS[] = {{.name = "a"}, {.name = "a"}};
    static const warder_mcp_argument_t NAMELESS[] = {{.title = "a"}};
    prompt_is(PROMPT(.name = NULL), "needs a name");
    prompt_is(PROMPT(.name = ""), "needs a name");
    prompt_is(PROMPT(.name = "a\n"), "needs a name");
    prompt_is(PROMPT(.run = NULL), "needs a function");
    prompt_is(PROMPT(.argument_count = 1), "argument_count");
    prompt_is(PROMPT(.arguments = TWINS, .argument_count = 2), "a name for each argument");
    prompt_is(PROMPT(.arguments = NAMELESS, .argument_count = 1), "a name for each argument");
    prompt_is(PROMPT(.complete = complete), "nothing to complete");
    prompt_is(PROMPT(.arguments = TWINS, .argument_count = 1, .complete = complete), NULL);
}

static void names_come_once(void **state)
{
    (void)state;
    const warder_mcp_tool_t tools[] = {TOOL(.name = "b"), TOOL(.name = "a"), TOOL(.name = "b")};
    const warder_mcp_resource_t resources[] = {RESOURCE(.name = "x"), RESOURCE(.name = "y")};
    const warder_mcp_resource_t templates[] = {RESOURCE(.uri = "a://{b}"),
                                               RESOURCE(.uri = "a://{b}")};
    const warder_mcp_prompt_t prompts[] = {PROMPT(.title = "1"), PROMPT(.title = "2")};
    warder_mcp_config_t c = {.name = "t", .version = "1", .tools = tools, .tool_count = 3};
    assert_new(&c, "Two tools have the name \"b\"");
    c.tool_count = 2;
    assert_new(&c, NULL);
    c.resources = resources;
    c.resource_count = 2;
    assert_new(&c, "Two resources");
    c.resources = templates;
    assert_new(&c, "Two templates");
    c.resource_count = 0;
    c.prompts = prompts;
    c.prompt_count = 2;
    assert_new(&c, "Two prompts");
    c.prompt_count = 1;
    assert_new(&c, NULL);
}

static void too_many_scopes(void **state)
{
    enum { MANY = 101 };
    static char scopes[MANY][16];
    static warder_mcp_tool_t tools[MANY];
    static char names[MANY][16];
    (void)state;
    for (int i = 0; i < MANY; i++) {
        snprintf(scopes[i], sizeof scopes[i], "s%d", i);
        snprintf(names[i], sizeof names[i], "t%d", i);
        tools[i] = TOOL(.name = names[i], .scope = scopes[i]);
    }
    warder_mcp_config_t c = {.name = "t", .version = "1", .tools = tools, .tool_count = MANY};
    assert_new(&c, "more than 100 scopes");
    c.tool_count = MANY - 1;
    assert_new(&c, NULL);
}

#pragma GCC diagnostic pop

static void entries_are_written_once(void **state)
{
    (void)state;
    str_t why;
    arena_t *a = arena_new(4096);
    warder_mcp_config_t c = test_config();
    mcp_registry_t *r = mcp_registry_new(a, &c, &why);
    const mcp_entry_t *e = mcp_registry_find(r, MCP_TOOL, STR("add"));
    assert_str(e->listed,
               "{\"name\":\"add\",\"title\":\"Add\",\"description\":\"Adds two numbers\","
               "\"inputSchema\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"number\"},"
               "\"b\":{\"type\":\"number\"}},\"required\":[\"a\",\"b\"]},\"annotations\":{"
               "\"readOnlyHint\":true,\"openWorldHint\":false}}");
    e = mcp_registry_find(r, MCP_TOOL, STR("secret"));
    assert_str(e->listed,
               "{\"name\":\"secret\",\"description\":\"Needs news:read\",\"inputSchema\":{"
               "\"type\":\"object\",\"additionalProperties\":false},\"annotations\":{"
               "\"readOnlyHint\":false,\"destructiveHint\":false,\"idempotentHint\":false,"
               "\"openWorldHint\":false}}");
    e = mcp_registry_find(r, MCP_PROMPT, STR("greet"));
    assert_str(e->listed,
               "{\"name\":\"greet\",\"description\":\"Greets\",\"arguments\":[{\"name\":\"name\","
               "\"description\":\"Whom\",\"required\":true},{\"name\":\"style\","
               "\"required\":false}]}");
    e = mcp_registry_find(r, MCP_RESOURCE, STR("test://static"));
    assert_str(e->listed,
               "{\"uri\":\"test://static\",\"name\":\"static\",\"mimeType\":\"text/plain\"}");
    assert_null(mcp_registry_find(r, MCP_TOOL, STR("lost")));
    assert_null(mcp_registry_find(r, MCP_TOOL, STR("")));
    mcp_registry_drop(r);
    arena_free(a);
}

static void resources_are_found_by_uri(void **state)
{
    (void)state;
    str_t why, values[MCP_TEMPLATE_VARIABLES];
    rc_t rc;
    arena_t *a = arena_new(1 << 20);
    warder_mcp_config_t c = test_config();
    mcp_registry_t *r = mcp_registry_new(a, &c, &why);
    assert_int_equal(mcp_registry_resource(a, r, STR("test://static"), values, &rc)->kind,
                     MCP_RESOURCE);
    assert_int_equal(mcp_registry_resource(a, r, STR("test://items/a%20b"), values, &rc)->kind,
                     MCP_TEMPLATE);
    assert_str(values[0], "a b");
    assert_null(mcp_registry_resource(a, r, STR("test://items/"), values, &rc));
    assert_null(mcp_registry_resource(a, r, STR("test://lost"), values, &rc));
    assert_int_equal(rc, RC_OK);
    mcp_registry_drop(r);
    arena_free(a);
}

static const warder_mcp_resource_t SPELLED[] = {
    {.uri = "test://admin", .name = "admin", .scope = "admin", .run = run},
    {.uri = "test://users/{id}", .name = "users", .scope = "users", .run = run},
    {.uri = "test://{any}", .name = "any", .run = run},
    {.uri = "test://{a}/{b}", .name = "two", .run = run},
};

static str_t scope_of(arena_t *a, const mcp_registry_t *r, const char *uri)
{
    rc_t rc;
    str_t values[MCP_TEMPLATE_VARIABLES];
    const mcp_entry_t *e = mcp_registry_resource(a, r, str_c(uri), values, &rc);
    assert_int_equal(rc, RC_OK);
    return e ? e->scope : STR("none");
}

/* A row that needs a scope must not be reached by way of one that needs none. */
static void a_uri_spelled_differently_is_the_same_row(void **state)
{
    (void)state;
    str_t why;
    arena_t *a = arena_new(1 << 20);
    warder_mcp_config_t c = test_config();
    c.resources = SPELLED;
    c.resource_count = sizeof SPELLED / sizeof *SPELLED;
    mcp_registry_t *r = mcp_registry_new(a, &c, &why);
    assert_non_null(r);
    assert_str(scope_of(a, r, "test://admin"), "admin");
    assert_str(scope_of(a, r, "test://%61dmin"), "admin");
    assert_str(scope_of(a, r, "test://adm%69n"), "admin");
    assert_str(scope_of(a, r, "test://%%361dmin"), "none");
    assert_str(scope_of(a, r, "test://users/7"), "users");
    assert_str(scope_of(a, r, "test://user%73/7"), "users");
    assert_str(scope_of(a, r, "test://users/.."), "none");
    assert_str(scope_of(a, r, "test://users/%2e%2E"), "none");
    assert_str(scope_of(a, r, "test://./admin"), "none");
    assert_false(scope_of(a, r, "test://other").p);
    assert_false(scope_of(a, r, "test://a%2Fdmin").p);
    mcp_registry_drop(r);
    arena_free(a);
}

static void scopes_are_those_of_all_rows(void **state)
{
    (void)state;
    char why[256];
    warder_mcp_config_t c = test_config();
    warder_mcp_t *m = warder_mcp_new(&c, why, sizeof why);
    assert_string_equal(warder_mcp_scopes(m), "news:read admin");
    warder_mcp_tool_t more = {.name = "m", .description = "M", .scope = "admin more", .run = run};
    warder_mcp_tool_t bad = {.name = "m"};
    const char *before = warder_mcp_scopes(m);
    assert_false(warder_mcp_set_tools(m, &bad, 1, why, sizeof why));
    assert_non_null(strstr(why, "a description"));
    assert_ptr_equal(warder_mcp_scopes(m), before);
    assert_true(warder_mcp_set_tools(m, &more, 1, why, sizeof why));
    assert_string_equal(warder_mcp_scopes(m), "news:read admin more");
    assert_string_equal(before, "news:read admin");
    warder_mcp_free(m);
}

static void little_memory_makes_no_registry(void **state)
{
    (void)state;
    char why[8];
    arena_t *a = arena_new(1);
    str_t said;
    warder_mcp_config_t c = {.name = "t", .version = "1", .tool_count = 1};
    assert_null(mcp_registry_new(a, &c, &said));
    assert_true(said.n > 0);
    assert_null(warder_mcp_new(&c, why, sizeof why)); /* cut, and ended */
    assert_int_equal(strlen(why), 7);
    assert_null(warder_mcp_new(&c, NULL, 0));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_config),
        cmocka_unit_test(bad_tool_name),
        cmocka_unit_test(tool_lacks_something),
        cmocka_unit_test(contradicting_flags),
        cmocka_unit_test(malformed_scope),
        cmocka_unit_test(bad_schema),
        cmocka_unit_test(bad_x_mcp_header),
        cmocka_unit_test(bad_icons_and_meta),
        cmocka_unit_test(bad_uri),
        cmocka_unit_test(resource_lacks_something),
        cmocka_unit_test(bad_prompt),
        cmocka_unit_test(names_come_once),
        cmocka_unit_test(too_many_scopes),
        cmocka_unit_test(entries_are_written_once),
        cmocka_unit_test(resources_are_found_by_uri),
        cmocka_unit_test(a_uri_spelled_differently_is_the_same_row),
        cmocka_unit_test(scopes_are_those_of_all_rows),
        cmocka_unit_test(little_memory_makes_no_registry),
    };
    return cmocka_run_group_tests_name("registry", tests, NULL, NULL);
}
