#include "conf/conf_test_util.h"

static void resources_of_the_documentation(void **state)
{
    const conf_t *c = test_load_file(*state, STR("resources:\n"
                                                 "  - uri: HTTPS://MCP.example.com:443/mcp\n"
                                                 "    name: Finance sentiment\n"
                                                 "    scopes:\n"
                                                 "      \"news:read\": Read market news\n"
                                                 "      \"sentiment:analyze\": >\n"
                                                 "        Score a text\n"
                                                 "        of yours\n"
                                                 "    default_scopes: [\"news:read\"]\n"
                                                 "    aliases: [\"https://OLD.example.com/\"]\n"
                                                 "  - uri: http://127.0.0.1:9000\n"
                                                 "    scopes:\n"
                                                 "    aliases:\n"));
    assert_int_equal(c->n_resources, 2);
    const conf_resource_t *r = &c->resources[0];
    assert_str(r->uri, STR("https://mcp.example.com/mcp"));
    assert_str(r->name, STR("Finance sentiment"));
    assert_int_equal(r->n_scopes, 2);
    assert_str(r->scopes[0].name, STR("news:read"));
    assert_str(r->scopes[0].text, STR("Read market news"));
    assert_str(r->scopes[1].text, STR("Score a text of yours"));
    assert_int_equal(r->default_scopes.n, 1);
    assert_str(r->default_scopes.v[0], STR("news:read"));
    assert_int_equal(r->aliases.n, 1);
    assert_str(r->aliases.v[0], STR("https://old.example.com"));
    r = &c->resources[1];
    assert_str(r->uri, STR("http://127.0.0.1:9000"));
    assert_false(str_is_set(r->name));
    assert_int_equal(r->n_scopes + r->default_scopes.n + r->aliases.n, 0);
}

static void tokens_of_a_resource(void **state)
{
    const conf_t *c = test_load_file(
        *state, STR("resources:\n  - uri: https://a.test\n    access_token_lifetime: 300\n"
                    "    token_format: opaque\n    token_binding: dpop\n"
                    "  - uri: https://b.test\n    token_format: jwt\n    token_binding: none\n"));
    assert_int_equal(c->resources[0].access_token_lifetime, 300);
    assert_true(c->resources[0].opaque);
    assert_true(c->resources[0].dpop_required);
    assert_int_equal(c->resources[1].access_token_lifetime, 0);
    assert_false(c->resources[1].opaque);
    assert_false(c->resources[1].dpop_required);
}

static void no_resources(void **state)
{
    assert_int_equal(test_load_file(*state, STR("resources:"))->n_resources, 0);
    assert_int_equal(test_load_file(*state, STR("resources: []"))->n_resources, 0);
}

static void a_wildcard_scope_holds_defaults(void **state)
{
    assert_int_equal(test_load_file(*state, STR("resources: [{uri: 'https://h', scopes: {'news:*': "
                                                "All}, default_scopes: ['news:read']}]"))
                         ->n_resources,
                     1);
}

static void resources_refused(void **state)
{
    static const struct {
        const char *file, *mend;
    } BAD[] = {
        {"resources: x", "resources is a list of maps, each with its uri"},
        {"resources: {uri: x}", "resources is a list of maps, each with its uri"},
        {"resources: [x]", "each resource is a map with its uri"},
        {"resources: [[]]", "each resource is a map with its uri"},
        {"resources: [{}]", "a resource needs its uri"},
        {"resources: [{name: x}]", "a resource needs its uri"},
        {"resources: [{uri: ''}]", "a resource needs its uri"},
        {"resources: [{uri: [x]}]", "uri and name take one line of text"},
        {"resources: [{uri: \"https://h\\n\"}]", "uri and name take one line of text"},
        {"resources: [{uri: 'https://h', name: {}}]", "uri and name take one line of text"},
        {"resources: [{uri: mcp}]", "uri must be an http(s) URL without user and fragment"},
        {"resources: [{uri: 'urn:x'}]", "uri must be an http(s) URL without user and fragment"},
        {"resources: [{uri: 'https://h#f'}]",
         "uri must be an http(s) URL without user and fragment"},
        {"resources: [{uri: 'https://u@h'}]",
         "uri must be an http(s) URL without user and fragment"},
        {"resources: [{uri: 'https://h', scope: x}]",
         "a resource has uri, name, scopes, default_scopes, aliases, access_token_lifetime, "
         "token_format and token_binding"},
        {"resources: [{uri: 'https://h', access_token_lifetime: 59}]",
         "access_token_lifetime takes 60 to 3600 seconds"},
        {"resources: [{uri: 'https://h', access_token_lifetime: 3601}]",
         "access_token_lifetime takes 60 to 3600 seconds"},
        {"resources: [{uri: 'https://h', access_token_lifetime: []}]",
         "access_token_lifetime takes 60 to 3600 seconds"},
        {"resources: [{uri: 'https://h', token_format: JWT}]",
         "token_format takes jwt or opaque, token_binding none or dpop"},
        {"resources: [{uri: 'https://h', token_binding: {}}]",
         "token_format takes jwt or opaque, token_binding none or dpop"},
        {"resources: [{uri: 'https://h', scopes: [a]}]", "scopes are written as 'name: text'"},
        {"resources: [{uri: 'https://h', scopes: a}]", "scopes are written as 'name: text'"},
        {"resources: [{uri: 'https://h', scopes: {a: [b]}}]",
         "the text of a scope is one sentence"},
        {"resources: [{uri: 'https://h', scopes: {a: \"b\\tc\"}}]",
         "the text of a scope is one sentence"},
        {"resources: [{uri: 'https://h', scopes: {'a b': c}}]",
         "the name of a scope is printable ASCII without space, quote and backslash"},
        {"resources: [{uri: 'https://h', scopes: {'': c}}]",
         "the name of a scope is printable ASCII without space, quote and backslash"},
        {"resources: [{uri: 'https://h', scopes: {'a\"': c}}]",
         "the name of a scope is printable ASCII without space, quote and backslash"},
        {"resources: [{uri: 'https://h', scopes: {'\xc3\xa4': c}}]",
         "the name of a scope is printable ASCII without space, quote and backslash"},
        {"resources: [{uri: 'https://h', default_scopes: a}]",
         "default_scopes and aliases are lists, such as [\"a\", \"b\"]"},
        {"resources: [{uri: 'https://h', aliases: {a: b}}]",
         "default_scopes and aliases are lists, such as [\"a\", \"b\"]"},
        {"resources: [{uri: 'https://h', default_scopes: [[a]]}]",
         "default_scopes and aliases are lists of words"},
        {"resources: [{uri: 'https://h', aliases: ['']}]",
         "default_scopes and aliases are lists of words"},
        {"resources: [{uri: 'https://h', scopes: {a: b}, default_scopes: [c]}]",
         "default_scopes names a scope that is not among scopes"},
        {"resources: [{uri: 'https://h', aliases: [x]}]", "an alias is a URL without fragment"},
        {"resources: [{uri: 'https://h', aliases: ['https://h#f']}]",
         "an alias is a URL without fragment"},
        {"resources: [{uri: 'https://h'}, {uri: 'HTTPS://H:443/'}]",
         "a resource with this uri stands above already"},
    };
    for (size_t i = 0; i < ROWS(BAD); i++) {
        str_t why = test_file_refusal(*state, str_c(BAD[i].file));
        assert_str(why, arena_printf(*state, "resources, in line 1 of the settings file: %s",
                                     BAD[i].mend));
    }
}

static void the_line_is_that_of_the_mistake(void **state)
{
    str_t why = test_file_refusal(*state, STR("store: memory\nresources:\n  - uri: https://h\n    "
                                              "scopes:\n      a: b\n      c: []\n"));
    assert_str(why, STR("resources, in line 6 of the settings file: the text of a scope is one "
                        "sentence"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(resources_of_the_documentation),
        ARENA_TEST(no_resources),
        ARENA_TEST(tokens_of_a_resource),
        ARENA_TEST(a_wildcard_scope_holds_defaults),
        ARENA_TEST(resources_refused),
        ARENA_TEST(the_line_is_that_of_the_mistake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
