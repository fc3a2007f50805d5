#include "gate/pin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define PATH STR("/mcp")

static int setup(void **state)
{
    *state = arena_new(8 << 20);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static hash_t hash_of(void **state, const char *tool)
{
    const json_t *v;
    hash_t h;
    assert_int_equal(json_parse(*state, str_c(tool), NULL, &v), RC_OK);
    assert_int_equal(gate_pin_hash(*state, v, &h), RC_OK);
    return h;
}

static bool same(void **state, const char *x, const char *y)
{
    hash_t a = hash_of(state, x), b = hash_of(state, y);
    return memcmp(a.b, b.b, sizeof a.b) == 0;
}

#define TOOL                                                                                       \
    "{\"name\":\"a\",\"description\":\"reads\",\"inputSchema\":{\"type\":\"object\",\"x\":1,"      \
    "\"required\":[\"p\",\"q\"]}}"

static void spelling_makes_no_difference(void **state)
{
    static const char *const SAME[] = {
        "{\"inputSchema\":{\"required\":[\"p\",\"q\"],\"x\":1.0,\"type\":\"object\"},"
        "\"description\":\"reads\",\"name\":\"a\"}",
        "{ \"name\" : \"\\u0061\", \"description\":\"reads\", \"inputSchema\":{\"type\":\"object\","
        "\"x\":1e0,\"required\":[\"p\", \"q\"]} }",
        "{\"name\":\"a\",\"description\":\"reads\",\"inputSchema\":{\"type\":\"object\",\"x\":1,"
        "\"required\":[\"p\",\"q\"]},\"_meta\":{\"v\":2},\"icons\":[{\"src\":\"x\"}],\"other\":1}"};
    for (size_t i = 0; i < sizeof SAME / sizeof *SAME; i++)
        if (!same(state, TOOL, SAME[i]))
            fail_msg("%s", SAME[i]);
}

/* attack case: GWM-013 */
static void every_change_of_a_definition_shows(void **state)
{
    static const char *const OTHERS[] = {
        "{\"name\":\"a\",\"description\":\"reads \",\"inputSchema\":{\"type\":\"object\",\"x\":1,"
        "\"required\":[\"p\",\"q\"]}}",
        "{\"name\":\"b\",\"description\":\"reads\",\"inputSchema\":{\"type\":\"object\",\"x\":1,"
        "\"required\":[\"p\",\"q\"]}}",
        "{\"name\":\"a\",\"title\":\"A\",\"description\":\"reads\",\"inputSchema\":{\"type\":"
        "\"object\",\"x\":1,\"required\":[\"p\",\"q\"]}}",
        "{\"name\":\"a\",\"description\":\"reads\",\"inputSchema\":{\"type\":\"object\",\"x\":2,"
        "\"required\":[\"p\",\"q\"]}}",
        "{\"name\":\"a\",\"description\":\"reads\",\"inputSchema\":{\"type\":\"object\",\"x\":"
        "\"1\","
        "\"required\":[\"p\",\"q\"]}}",
        "{\"name\":\"a\",\"description\":\"reads\",\"inputSchema\":{\"type\":\"object\",\"x\":1,"
        "\"required\":[\"q\",\"p\"]}}",
        "{\"name\":\"a\",\"description\":\"reads\",\"inputSchema\":{\"type\":\"object\",\"x\":1,"
        "\"required\":[\"p\",\"q\"],\"description\":\"IMPORTANT\"}}",
        "{\"name\":\"a\",\"description\":\"reads\",\"outputSchema\":{\"type\":\"object\",\"x\":1,"
        "\"required\":[\"p\",\"q\"]}}",
        "{\"name\":\"a\",\"description\":\"reads\",\"inputSchema\":{\"type\":\"object\",\"x\":1,"
        "\"required\":[\"p\",\"q\"]},\"annotations\":{\"readOnlyHint\":true}}",
        /* to readers that fold case */
        "{\"name\":\"a\",\"description\":\"reads\",\"inputSchema\":{\"type\":\"object\",\"x\":1,"
        "\"required\":[\"p\",\"q\"]},\"Description\":\"IMPORTANT\"}",
        "{\"name\":\"a\",\"description\":\"reads\",\"inputSchema\":{\"type\":\"object\",\"x\":1,"
        "\"required\":[\"p\",\"q\"]},\"TITLE\":\"IMPORTANT\"}",
        "{\"name\":\"a\",\"description\":null,\"inputSchema\":{\"type\":\"object\",\"x\":1,"
        "\"required\":[\"p\",\"q\"]}}"};
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++)
        if (same(state, TOOL, OTHERS[i]))
            fail_msg("%s", OTHERS[i]);
    assert_true(same(state, TOOL, TOOL));
}

static void large_numbers_stay_apart(void **state)
{
    assert_false(same(state, "{\"title\":9007199254740993}", "{\"title\":9007199254740992}"));
    assert_false(same(state, "{\"title\":0.1}", "{\"title\":0.2}"));
    assert_true(same(state, "{\"title\":0.10}", "{\"title\":1e-1}"));
    assert_true(same(state, "{\"title\":-0}", "{\"title\":0}"));
}

static bool note(void **state, gate_pins_t *pins, str_t tool, char definition, int64_t now)
{
    gate_pin_sight_t sight = {PATH, tool, {{0}}, now};
    bool fresh;
    memset(sight.definition.b, definition, sizeof sight.definition.b);
    assert_int_equal(gate_pin_note(*state, pins, &sight, &fresh), RC_OK);
    return fresh;
}

/* A first list of a and b, seen to its end. */
static gate_pins_t pinned(void **state)
{
    gate_pins_t pins = {0};
    assert_true(gate_pin_is_first_use(NULL, 0));
    assert_true(note(state, &pins, STR("b"), 1, 100));
    assert_true(note(state, &pins, STR("a"), 1, 101));
    assert_false(gate_pin_waits(gate_pins_find(&pins, PATH), STR("c"), 101));
    gate_pins_find(&pins, PATH)->complete = true;
    return pins;
}

static void the_first_list_is_trusted(void **state)
{
    gate_pins_t pins = pinned(state);
    const gate_pin_set_t *set = gate_pins_find(&pins, PATH);
    hash_t one;
    memset(one.b, 1, sizeof one.b);
    assert_int_equal(set->n, 2);
    assert_int_equal(gate_pin_compare(set, STR("a"), &one), GATE_PIN_SAME);
    assert_int_equal(gate_pin_compare(set, STR("c"), &one), GATE_PIN_NEW);
    assert_false(gate_pin_waits(set, STR("a"), 102));
    assert_false(note(state, &pins, STR("a"), 1, 103));
    assert_null(gate_pins_find(&pins, STR("/other")));
}

static void a_first_list_ends_some_time(void **state)
{
    gate_pins_t pins = {0};
    assert_true(note(state, &pins, STR("a"), 1, 100));
    const gate_pin_set_t *set = gate_pins_find(&pins, PATH);
    assert_true(gate_pin_is_first_use(set, 100 + GATE_PIN_FIRST_USE_S - 1));
    assert_false(gate_pin_is_first_use(set, 100 + GATE_PIN_FIRST_USE_S));
    assert_false(gate_pin_is_first_use(set, 99));
}

/* attack case: GWM-013 */
static void what_is_new_or_changed_waits_for_approval(void **state)
{
    gate_pins_t pins = pinned(state);
    gate_pin_set_t *set = gate_pins_find(&pins, PATH);
    assert_true(note(state, &pins, STR("a"), 2, 200));
    assert_false(note(state, &pins, STR("a"), 2, 201)); /* told once */
    assert_true(note(state, &pins, STR("c"), 1, 200));
    assert_true(gate_pin_waits(set, STR("a"), 202) && gate_pin_waits(set, STR("c"), 202));
    assert_false(gate_pin_waits(set, STR("b"), 202));
    assert_true(gate_pin_waits(set, STR("never seen"), 202));
    assert_int_equal(gate_pin_approve(set, STR("a")), 1);
    assert_false(gate_pin_waits(set, STR("a"), 203));
    assert_int_equal(gate_pin_approve(set, STR_UNSET), 1);
    assert_false(gate_pin_waits(set, STR("c"), 203));
    assert_int_equal(gate_pin_approve(set, STR_UNSET), 0);
}

static void what_comes_back_waits_no_longer(void **state)
{
    gate_pins_t pins = pinned(state);
    gate_pin_set_t *set = gate_pins_find(&pins, PATH);
    assert_true(note(state, &pins, STR("a"), 2, 200));
    assert_true(note(state, &pins, STR("a"), 1, 201));
    assert_false(gate_pin_waits(set, STR("a"), 202));
    assert_false(note(state, &pins, STR("a"), 1, 203));
}

static void count_gone(void *ctx, str_t tool)
{
    assert_true(str_eq(tool, STR("b")));
    ++*(int *)ctx;
}

static void what_is_gone_is_told_once(void **state)
{
    gate_pins_t pins = pinned(state);
    gate_pin_set_t *set = gate_pins_find(&pins, PATH);
    int gone = 0;
    str_t only_a = STR("a");
    gate_pin_note_gone(set, (str_list_t){&only_a, 1}, count_gone, &gone);
    gate_pin_note_gone(set, (str_list_t){&only_a, 1}, count_gone, &gone);
    assert_int_equal(gone, 1);
    assert_true(note(state, &pins, STR("b"), 1, 200)); /* and again when it is back */
    gate_pin_note_gone(set, (str_list_t){&only_a, 1}, count_gone, &gone);
    assert_int_equal(gone, 2);
}

static void what_is_forgotten_is_new(void **state)
{
    gate_pins_t pins = pinned(state);
    assert_int_equal(gate_pin_forget(&pins, PATH, STR("x")), 0);
    assert_int_equal(gate_pin_forget(&pins, PATH, STR("a")), 1);
    assert_true(gate_pin_waits(gate_pins_find(&pins, PATH), STR("a"), 200));
    assert_int_equal(gate_pin_forget(&pins, PATH, STR_UNSET), 1);
    assert_null(gate_pins_find(&pins, PATH));
    assert_int_equal(gate_pin_forget(&pins, PATH, STR_UNSET), 0);
    assert_true(note(state, &pins, STR("a"), 9, 300));
    assert_false(gate_pin_waits(gate_pins_find(&pins, PATH), STR("a"), 300));
}

static void pins_are_bounded(void **state)
{
    gate_pins_t pins = pinned(state);
    bool fresh;
    char name[GATE_PIN_NAME_BYTES + 1];
    memset(name, 'n', sizeof name);
    gate_pin_sight_t sight = {PATH, str_of(name, sizeof name), {{0}}, 200};
    assert_int_equal(gate_pin_note(*state, &pins, &sight, &fresh), RC_LIMIT);
    for (size_t i = 2; i < GATE_PIN_TOOLS; i++)
        assert_true(note(state, &pins, arena_printf(*state, "t%zu", i), 1, 200));
    sight.tool = STR("one more");
    assert_int_equal(gate_pin_note(*state, &pins, &sight, &fresh), RC_LIMIT);
    assert_true(gate_pin_waits(gate_pins_find(&pins, PATH), STR("one more"), 200));
    assert_false(note(state, &pins, STR("a"), 1, 201));
}

static void the_file_holds_all(void **state)
{
    gate_pins_t pins = pinned(state), again;
    str_t text, twice;
    assert_true(note(state, &pins, STR("a"), 2, 200));
    assert_true(note(state, &pins, STR("c"), 3, 201));
    gate_pins_find(&pins, PATH)->v[1].gone = true;
    assert_int_equal(gate_pins_write(*state, &pins, &text), RC_OK);
    assert_int_equal(gate_pins_read(*state, text, &again), RC_OK);
    assert_int_equal(gate_pins_write(*state, &again, &twice), RC_OK);
    assert_true(str_eq(text, twice));
    assert_true(gate_pin_waits(gate_pins_find(&again, PATH), STR("c"), 202));
    assert_true(note(state, &again, STR("d"), 1, 203));
}

#define H64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define FILE_OF(tools)                                                                             \
    "{\"version\":1,\"upstreams\":[{\"path\":\"/"                                                  \
    "mcp\",\"since\":1,\"complete\":true,\"tools\":[" tools "]}]}"

static void a_bad_file_is_refused(void **state)
{
    static const char *const BAD[] = {
        "",
        "[]",
        "{}",
        "{\"version\":2,\"upstreams\":[]}",
        "{\"version\":1}",
        "{\"version\":1,\"upstreams\":[{}]}",
        "{\"version\":1,\"upstreams\":[{\"path\":\"/a\",\"tools\":[]},{\"path\":\"/"
        "a\",\"tools\":[]}]}",
        FILE_OF("{}"),
        FILE_OF("{\"name\":\"a\"}"),
        FILE_OF("{\"name\":\"a\",\"approved\":\"00\"}"),
        FILE_OF("{\"name\":\"a\",\"approved\":1}"),
        FILE_OF("{\"name\":\"a\",\"approved\":\"" H64 "\",\"pending\":null}"),
        FILE_OF("{\"name\":\"a\",\"approved\":\"" H64 "\",\"gone\":1}"),
        FILE_OF("{\"name\":\"a\",\"approved\":\"" H64 "\",\"pending_at\":-1}"),
        FILE_OF("{\"name\":\"b\",\"approved\":\"" H64 "\"},{\"name\":\"a\",\"approved\":\"" H64
                "\"}"),
        FILE_OF("{\"name\":\"a\",\"approved\":\"" H64 "\"},{\"name\":\"a\",\"approved\":\"" H64
                "\"}"),
    };
    gate_pins_t pins;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        if (gate_pins_read(*state, str_c(BAD[i]), &pins) != RC_MALFORMED)
            fail_msg("%s", BAD[i]);
        assert_int_equal(pins.n, 0);
    }
    const char *good = FILE_OF("{\"name\":\"a\",\"approved\":\"" H64 "\"}");
    assert_int_equal(gate_pins_read(*state, str_c(good), &pins), RC_OK);
    assert_int_equal(pins.n, 1);
}

#define PIN_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PIN_TEST(spelling_makes_no_difference),
        PIN_TEST(every_change_of_a_definition_shows),
        PIN_TEST(large_numbers_stay_apart),
        PIN_TEST(the_first_list_is_trusted),
        PIN_TEST(a_first_list_ends_some_time),
        PIN_TEST(what_is_new_or_changed_waits_for_approval),
        PIN_TEST(what_comes_back_waits_no_longer),
        PIN_TEST(what_is_gone_is_told_once),
        PIN_TEST(what_is_forgotten_is_new),
        PIN_TEST(pins_are_bounded),
        PIN_TEST(the_file_holds_all),
        PIN_TEST(a_bad_file_is_refused),
    };
    return cmocka_run_group_tests_name("pin", tests, NULL, NULL);
}
