#include "conf/conf_test_util.h"

#include "conf/conf_yaml.h"
#include "core/buf.h"
#include "core/limits.h"

static conf_node_t *parsed(arena_t *a, str_t text)
{
    conf_node_t *top;
    str_t why;
    if (conf_yaml_parse(a, text, &top, &why) != RC_OK)
        fail_msg("%" PRIstr, STR_ARG(why));
    assert_int_equal(top->kind, CONF_MAP);
    return top;
}

static str_t refusal(arena_t *a, str_t text)
{
    conf_node_t *top;
    str_t why = STR_UNSET;
    assert_int_equal(conf_yaml_parse(a, text, &top, &why), RC_CONFIG);
    assert_true(str_is_printable_ascii(why) && why.n > 0);
    return why;
}

static void a_tree_with_lines(void **state)
{
    const conf_node_t *a = parsed(*state, STR("# settings\na: x\nb: [1, {c: 'y z'}]\nd:\n"))->child;
    assert_str(a->key, STR("a"));
    assert_str(a->value, STR("x"));
    assert_int_equal(a->line, 1);
    const conf_node_t *b = a->next;
    assert_int_equal(b->kind, CONF_LIST);
    assert_false(str_is_set(b->child->key));
    assert_str(b->child->value, STR("1"));
    assert_str(b->child->next->child->key, STR("c"));
    assert_str(b->child->next->child->value, STR("y z"));
    assert_null(b->child->next->next);
    assert_int_equal(b->next->line, 3);
    assert_str(b->next->value, STR(""));
    assert_null(b->next->next);
}

static void scalars(void **state)
{
    static const struct {
        const char *text, *value;
    } TABLE[] = {
        {"k: ~", ""},
        {"k: null", ""},
        {"k: 'null'", "null"},
        {"k: \"~\"", "~"},
        {"k: ''", ""},
        {"k: 010", "010"},
        {"k: yes", "yes"},
        {"k: 1e3", "1e3"},
        {"k: |\n  a\n  b\n", "a\nb"},
        {"k: >\n  a\n  b\n\n", "a b"},
        {"k: \"a\\n\"", "a\n"},
        {"k: \"\\u20ac\"", "\xe2\x82\xac"},
        {"k: a # b", "a"},
        {"k: 'it''s'", "it's"},
        {"--- {k: v}\n...\n", "v"},
        {"\xef\xbb\xbfk: v", "v"},
    };
    for (size_t i = 0; i < ROWS(TABLE); i++)
        assert_str(parsed(*state, str_c(TABLE[i].text))->child->value, str_c(TABLE[i].value));
}

static void nothing_is_an_empty_map(void **state)
{
    static const char *const EMPTY[] = {"", "\n\n", "# only words\n", "---\n", "{}", "~"};
    for (size_t i = 0; i < ROWS(EMPTY); i++)
        assert_null(parsed(*state, str_c(EMPTY[i]))->child);
    assert_null(parsed(*state, STR_UNSET)->child);
}

static void refused_with_the_line(void **state)
{
    static const struct {
        const char *text, *why;
    } TABLE[] = {
        {"a: 1\nb: 2\na: 3", "line 3 of the settings file: a key stands twice"},
        {"a: {b: 1, b: 2}", "line 1 of the settings file: a key stands twice"},
        {"a: 1\n'a': 2", "line 2 of the settings file: a key stands twice"},
        {"a: &x 1", "line 1 of the settings file: anchors and tags are not taken"},
        {"a: &x [1]", "line 1 of the settings file: anchors and tags are not taken"},
        {"a: &x {b: 1}", "line 1 of the settings file: anchors and tags are not taken"},
        {"&x a: 1", "line 1 of the settings file: anchors and tags are not taken"},
        {"&x {a: 1}", "line 1 of the settings file: anchors and tags are not taken"},
        {"a: !!str 1", "line 1 of the settings file: anchors and tags are not taken"},
        {"a: ! 1", "line 1 of the settings file: anchors and tags are not taken"},
        {"a: !!set {b}", "line 1 of the settings file: anchors and tags are not taken"},
        {"a: !python/object [x]", "line 1 of the settings file: anchors and tags are not taken"},
        {"!!str a: 1", "line 1 of the settings file: anchors and tags are not taken"},
        {"a: *x", "line 1 of the settings file: aliases are not taken; write the value out"},
        {"*x : 1", "line 1 of the settings file: a key must be a plain word"},
        {"[a]: 1", "line 1 of the settings file: a key must be a plain word"},
        {"{a: 1}: 1", "line 1 of the settings file: a key must be a plain word"},
        {"- a", "line 1 of the settings file: settings are written as 'key: value'"},
        {"just words", "line 1 of the settings file: settings are written as 'key: value'"},
        {"a: 1\n---\nb: 2", "line 2 of the settings file: one document only"},
        {"a: 1\n...\n---\n", "line 3 of the settings file: one document only"},
    };
    for (size_t i = 0; i < ROWS(TABLE); i++)
        assert_str(refusal(*state, str_c(TABLE[i].text)), str_c(TABLE[i].why));
}

static void not_yaml(void **state)
{
    static const str_t BAD[] = {
        STR_INIT("a: ["),
        STR_INIT("a: 'x"),
        STR_INIT("a: b: c"),
        STR_INIT("\ta: 1"),
        STR_INIT("a: \"\\q\""),
        STR_INIT("a: \xff"),
        STR_INIT("a: \x01"),
        STR_INIT("a: \xed\xa0\x80"),
        STR_INIT("}"),
        STR_INIT("a: 1\n  b: 2"),
        STR_INIT("\xff\xfe"
                 "a\0:\0"),
        STR_INIT("%YAML 9.9\n--- x"),
    };
    for (size_t i = 0; i < ROWS(BAD); i++)
        assert_true(str_starts(refusal(*state, BAD[i]), STR("line ")));
}

static void an_alias_bomb(void **state)
{
    str_t why =
        refusal(*state, STR("a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                            "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"));
    assert_true(str_contains(why, STR("anchors")));
}

static void too_deep(void **state)
{
    buf_t b = buf_new(*state, 1 << 20);
    buf_put(&b, STR("a: "));
    for (int i = 0; i < 100000; i++)
        buf_char(&b, '[');
    assert_str(refusal(*state, buf_str(&b)),
               STR("line 1 of the settings file: nested too deep, or too long"));
    assert_non_null(parsed(*state, STR("a: [[[[[[[[x]]]]]]]]")));
    refusal(*state, STR("a: [[[[[[[[[x]]]]]]]]]"));
}

static void too_many_nodes(void **state)
{
    buf_t b = buf_new(*state, 1 << 20);
    buf_put(&b, STR("a: ["));
    for (int i = 0; i < LIMIT_CONF_NODES - 2; i++)
        buf_put(&b, STR("x,"));
    buf_t more = b;
    buf_char(&b, ']');
    assert_non_null(parsed(*state, buf_str(&b)));
    buf_put(&more, STR("x]"));
    assert_true(str_contains(refusal(*state, buf_str(&more)), STR("too long")));
}

static void sizes(void **state)
{
    enum { MAX = LIMIT_CONF_FILE_BYTES };
    char *text = arena_alloc(*state, MAX + 1);
    memset(text, ' ', MAX + 1);
    assert_non_null(parsed(*state, str_of(text, MAX)));
    assert_str(refusal(*state, str_of(text, MAX + 1)), STR("the settings file is too large"));
    memcpy(text, "k: ", 3);
    memset(text + 3, 'x', LIMIT_CONF_VALUE_BYTES + 1);
    assert_non_null(parsed(*state, str_of(text, 3 + LIMIT_CONF_VALUE_BYTES)));
    assert_str(refusal(*state, str_of(text, 3 + LIMIT_CONF_VALUE_BYTES + 1)),
               STR("line 1 of the settings file: the value is too long"));
    memset(text, 'x', LIMIT_CONF_VALUE_BYTES + 8);
    text[0] = '?';
    text[1] = ' ';
    assert_str(refusal(*state, str_of(text, LIMIT_CONF_VALUE_BYTES + 8)),
               STR("line 1 of the settings file: the key is too long"));
}

static void every_failing_allocation(void **state)
{
    (void)state;
    rc_t rc = RC_MEMORY;
    size_t failures = 0;
    for (size_t budget = 0; rc != RC_OK; budget += 16, failures++) {
        arena_t *a = arena_new(budget);
        conf_node_t *top;
        str_t why;
        rc = conf_yaml_parse(a, STR("a: [b, {c: d}]\ne: f\n"), &top, &why);
        assert_true(rc == RC_OK || rc == RC_MEMORY);
        arena_free(a);
    }
    assert_true(failures > 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(a_tree_with_lines),
        ARENA_TEST(scalars),
        ARENA_TEST(nothing_is_an_empty_map),
        ARENA_TEST(refused_with_the_line),
        ARENA_TEST(not_yaml),
        ARENA_TEST(an_alias_bomb),
        ARENA_TEST(too_deep),
        ARENA_TEST(too_many_nodes),
        ARENA_TEST(sizes),
        ARENA_TEST(every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
