#include "core/core_test_util.h"

#include "gate/pin.h"

#define OLD                                                                                        \
    "{\"name\":\"mail\",\"description\":\"Reads mail.\",\"inputSchema\":{\"type\":\"object\","     \
    "\"properties\":{\"to\":{\"type\":\"string\"},\"n\":{\"maximum\":1.0}},\"required\":[\"to\"]}" \
    "}"
#define NEW                                                                                        \
    "{\"description\":\"Reads all mail.\",\"name\":\"mail\",\"inputSchema\":{\"type\":\"object\"," \
    "\"properties\":{\"n\":{\"maximum\":1e0},\"bcc\":{\"type\":\"string\"}},"                      \
    "\"required\":[\"to\",\"bcc\"]}}"

static void assert_change(const gate_pin_change_t *c, const char *place, const char *was,
                          const char *is)
{
    assert_true(str_eq(c->place, str_c(place)));
    assert_int_equal(c->was.p != NULL, was != NULL);
    assert_int_equal(c->is.p != NULL, is != NULL);
    assert_true(!was || str_eq(c->was, str_c(was)));
    assert_true(!is || str_eq(c->is, str_c(is)));
}

static void a_difference_says_where_and_what(void **state)
{
    arena_t *a = arena_new(1 << 20);
    gate_pin_changes_t c;
    (void)state;
    assert_int_equal(gate_pin_diff(a, STR(OLD), STR(NEW), &c), RC_OK);
    assert_int_equal(c.n, 4);
    assert_change(&c.v[0], "description", "\"Reads mail.\"", "\"Reads all mail.\"");
    assert_change(&c.v[1], "inputSchema.properties.to", "{\"type\":\"string\"}", NULL);
    assert_change(&c.v[2], "inputSchema.properties.bcc", NULL, "{\"type\":\"string\"}");
    assert_change(&c.v[3], "inputSchema.required", "[\"to\"]", "[\"to\",\"bcc\"]");
    assert_int_equal(gate_pin_diff(a, STR(OLD), STR(OLD), &c), RC_OK);
    assert_int_equal(c.n, 0);
    assert_int_equal(gate_pin_diff(a, STR_UNSET, STR("{\"name\":\"a\\u0062\"}"), &c), RC_OK);
    assert_int_equal(c.n, 1);
    assert_change(&c.v[0], "name", NULL, "\"a\\u0062\"");
    assert_int_equal(gate_pin_diff(a, STR("{"), STR(NEW), &c), RC_MALFORMED);
    assert_int_equal(c.n, 0);
    arena_free(a);
}

static void a_difference_is_bounded(void **state)
{
    arena_t *a = arena_new(8 << 20);
    gate_pin_changes_t c;
    buf_t b = buf_new(a, GATE_PIN_TEXT_BYTES);
    (void)state;
    buf_char(&b, '{');
    for (unsigned i = 0; i < 2 * GATE_PIN_CHANGES; i++)
        buf_fmt(&b, "%s\"m%u\":1", i > 0 ? "," : "", i);
    buf_char(&b, '}');
    assert_int_equal(gate_pin_diff(a, STR_UNSET, buf_str(&b), &c), RC_OK);
    assert_int_equal(c.n, GATE_PIN_CHANGES);
    assert_true(c.more);
    buf_t deep = buf_new(a, GATE_PIN_TEXT_BYTES), other = buf_new(a, GATE_PIN_TEXT_BYTES);
    for (unsigned i = 0; i < GATE_PIN_DEPTH + 8; i++) {
        buf_put(&deep, STR("{\"a\":"));
        buf_put(&other, STR("{\"a\":"));
    }
    buf_char(&deep, '1');
    buf_char(&other, '2');
    for (unsigned i = 0; i < GATE_PIN_DEPTH + 8; i++) {
        buf_char(&deep, '}');
        buf_char(&other, '}');
    }
    assert_int_equal(gate_pin_diff(a, buf_str(&deep), buf_str(&other), &c), RC_OK);
    assert_int_equal(c.n, 1);
    assert_false(c.more);
    assert_int_equal(c.v[0].place.n, 2 * GATE_PIN_DEPTH - 1);
    arena_free(a);
}

/* The words that matter are told, however much else differs; and that there is more is told. */
static void harmless_changes_hide_nothing(void **state)
{
    arena_t *a = arena_new(8 << 20);
    gate_pin_changes_t c;
    buf_t b = buf_new(a, GATE_PIN_TEXT_BYTES);
    (void)state;
    buf_put(&b, STR("{\"inputSchema\":{"));
    for (unsigned i = 0; i < GATE_PIN_CHANGES; i++)
        buf_fmt(&b, "%s\"m%u\":1", i > 0 ? "," : "", i);
    buf_put(&b, STR("},\"annotations\":{\"readOnlyHint\":true},\"description\":\"Send all.\"}"));
    assert_int_equal(gate_pin_diff(a, STR("{\"inputSchema\":{},\"title\":\"T\"}"), buf_str(&b), &c),
                     RC_OK);
    assert_int_equal(c.n, GATE_PIN_CHANGES);
    assert_true(c.more);
    assert_change(&c.v[0], "title", "\"T\"", NULL);
    assert_change(&c.v[1], "description", NULL, "\"Send all.\"");
    assert_change(&c.v[2], "annotations", NULL, "{\"readOnlyHint\":true}");
    assert_change(&c.v[3], "inputSchema.m0", NULL, "1");
    arena_free(a);
}

static void note(arena_t *a, gate_pins_t *pins, const char *definition, int64_t now_s)
{
    const json_t *tool;
    bool fresh;
    assert_int_equal(json_parse(a, str_c(definition), NULL, &tool), RC_OK);
    gate_pin_sight_t s = {.path = STR("/mcp"), .tool = STR("mail"), .now_s = now_s};
    s.text = gate_pin_text(a, tool);
    assert_int_equal(gate_pin_hash(a, tool, &s.definition), RC_OK);
    assert_int_equal(gate_pin_note(a, pins, &s, &fresh), RC_OK);
}

static void words_are_kept_beside_their_hash(void **state)
{
    arena_t *a = arena_new(1 << 20);
    gate_pins_t pins = {0}, again;
    str_t text;
    (void)state;
    note(a, &pins, OLD, 1);
    pins.v[0].complete = true;
    note(a, &pins, NEW, 2);
    assert_int_equal(gate_pins_write(a, &pins, &text), RC_OK);
    assert_int_equal(gate_pins_read(a, text, &again), RC_OK);
    const gate_pin_t *pin = gate_pin_find(&again.v[0], STR("mail"));
    assert_true(str_eq(pin->approved_text.text, STR(OLD)));
    assert_true(str_contains(pin->pending_text.text, STR("Reads all mail.")));
    assert_int_equal(gate_pin_approve(&again.v[0], STR_UNSET), 1);
    assert_true(str_contains(pin->approved_text.text, STR("Reads all mail.")));
    assert_false(pin->pending_text.text.p);
    note(a, &again, OLD, 3);
    assert_true(str_eq(pin->pending_text.text, STR(OLD)));
    note(a, &again, NEW, 4); /* it changes back */
    assert_false(pin->has_pending);
    assert_false(pin->pending_text.text.p);
    arena_free(a);
}

static void an_upstream_that_always_changes_takes_no_more_room(void **state)
{
    arena_t *a = arena_new(64 << 20);
    gate_pins_t pins = {0};
    (void)state;
    note(a, &pins, OLD, 1);
    pins.v[0].complete = true;
    for (int i = 0; i < 1000; i++)
        note(a, &pins, i % 2 ? NEW : "{\"name\":\"mail\",\"title\":\"Mail\"}", 2);
    assert_int_equal(pins.text_bytes, 2 * GATE_PIN_TEXT_LEAST);
    arena_free(a);
}

static void what_is_too_long_is_a_hash_alone(void **state)
{
    arena_t *a = arena_new(1 << 20);
    gate_pins_t pins = {0};
    static char words[GATE_PIN_TEXT_BYTES];
    (void)state;
    memset(words, 'x', sizeof words - 1);
    note(a, &pins, arena_printf(a, "{\"name\":\"mail\",\"description\":\"%s\"}", words).p, 1);
    assert_true(pins.v[0].v[0].has_approved);
    assert_false(pins.v[0].v[0].approved_text.text.p);
    arena_free(a);
}

static char WORDS[GATE_PIN_TEXT_BYTES / 2];

static void note_words(arena_t *a, gate_pins_t *pins, str_t path, unsigned tool, char word)
{
    bool fresh;
    memset(WORDS, word, sizeof WORDS);
    gate_pin_sight_t s = {.path = path, .now_s = 1, .text = str_of(WORDS, sizeof WORDS)};
    s.tool = arena_printf(a, "t%04u", tool);
    assert_int_equal(gate_pin_note(a, pins, &s, &fresh), RC_OK);
}

static size_t count_texts(const gate_pins_t *pins, str_t path)
{
    const gate_pin_set_t *set = gate_pins_find(pins, path);
    size_t n = 0;
    for (size_t i = 0; i < set->n; i++)
        n += set->v[i].approved_text.text.p != NULL;
    return n;
}

/* As the file spells them, and with those that it held. */
static void an_upstream_has_its_share_and_no_more(void **state)
{
    arena_t *a = arena_new(128 << 20);
    gate_pins_t pins = {0}, again;
    str_t text;
    (void)state;
    for (unsigned i = 0; i < 600; i++)
        note_words(a, &pins, STR("/greedy"), i, '"');
    size_t kept = count_texts(&pins, STR("/greedy"));
    assert_int_equal(kept, GATE_PIN_SHARE_BYTES / (2 * sizeof WORDS));
    note_words(a, &pins, STR("/small"), 1, 'x');
    assert_int_equal(count_texts(&pins, STR("/small")), 1);
    assert_int_equal(gate_pins_write(a, &pins, &text), RC_OK);
    assert_int_equal(gate_pins_read(a, text, &again), RC_OK);
    for (unsigned i = 600; i < 700; i++)
        note_words(a, &again, STR("/greedy"), i, '"');
    assert_int_equal(count_texts(&again, STR("/greedy")), kept);
    arena_free(a);
}

static void the_largest_is_left_out_first(void **state)
{
    arena_t *a = arena_new(256 << 20);
    gate_pins_t pins = {0}, again;
    str_t text;
    (void)state;
    note_words(a, &pins, STR("/small"), 1, 'x');
    for (unsigned u = 0; u < 8; u++) {
        str_t path = arena_printf(a, "/u%u", u);
        for (unsigned i = 0; i < GATE_PIN_SHARE_BYTES / (2 * sizeof WORDS); i++)
            note_words(a, &pins, path, i, '"');
    }
    assert_int_equal(gate_pins_write(a, &pins, &text), RC_OK);
    assert_true(text.n <= GATE_PIN_FILE_BYTES);
    assert_int_equal(gate_pins_read(a, text, &again), RC_OK);
    assert_int_equal(count_texts(&again, STR("/small")), 1);
    assert_int_equal(count_texts(&again, STR("/u0")), 0);
    assert_int_equal(count_texts(&again, STR("/u1")), count_texts(&pins, STR("/u1")));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_difference_says_where_and_what),
        cmocka_unit_test(a_difference_is_bounded),
        cmocka_unit_test(harmless_changes_hide_nothing),
        cmocka_unit_test(words_are_kept_beside_their_hash),
        cmocka_unit_test(an_upstream_that_always_changes_takes_no_more_room),
        cmocka_unit_test(what_is_too_long_is_a_hash_alone),
        cmocka_unit_test(an_upstream_has_its_share_and_no_more),
        cmocka_unit_test(the_largest_is_left_out_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
