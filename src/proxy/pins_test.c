#include "proxy/pins.h"

#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

typedef struct {
    char folder[64];
    arena_t *a;
    clock_fake_t clock;
    pins_t *pins;
    bool cursor; /* the next page is asked for with one */
} world_t;

static const conf_upstream_t WITHHOLD = {.path = STR_INIT("/mcp"), .pins = CONF_PINS_WITHHOLD};
static const conf_upstream_t REPORT = {.path = STR_INIT("/mcp"), .pins = CONF_PINS_REPORT};
static const conf_upstream_t OFF = {.path = STR_INIT("/mcp"), .pins = CONF_PINS_OFF};

static pins_t *open_pins(world_t *w)
{
    pins_t *p;
    str_t why;
    pins_config_t config = {str_c(w->folder), NULL, clock_fake(&w->clock)};
    assert_int_equal(pins_new(w->a, &config, &p, &why), RC_OK);
    return p;
}

static int setup(void **state)
{
    world_t *w = calloc(1, sizeof *w);
    strcpy(w->folder, "/tmp/warder-pins-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    w->a = arena_new(16 << 20);
    w->clock.ms = 1000000;
    w->pins = open_pins(w);
    *state = w;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static int teardown(void **state)
{
    world_t *w = *state;
    pins_free(w->pins);
    arena_free(w->a);
    nftw(w->folder, remove_one, 4, FTW_DEPTH | FTW_PHYS);
    free(w);
    return 0;
}

static const json_t *tool(world_t *w, const char *name, const char *description)
{
    const json_t *v;
    str_t text = arena_printf(w->a, "{\"name\":\"%s\",\"description\":\"%s\"}", name, description);
    assert_int_equal(json_parse(w->a, text, NULL, &v), RC_OK);
    return v;
}

/* A page "name description" each; news as "tool:state" with "!" where it is withheld. */
static str_t page(world_t *w, const conf_upstream_t *u, const char *const *pairs, bool more)
{
    pins_list_t *l = pins_list_begin(w->pins, w->a, u, !w->cursor);
    for (; pairs[0]; pairs += 2)
        pins_list_see(l, tool(w, pairs[0], pairs[1]));
    pins_news_list_t news = pins_list_end(l, more);
    buf_t b = buf_new(w->a, 4096);
    for (size_t i = 0; i < news.n; i++)
        buf_fmt(&b, "%s%.*s:%.*s%s", i ? " " : "", STR_ARG(news.v[i].tool),
                STR_ARG(gate_pin_state_name(news.v[i].state)), news.v[i].withheld ? "!" : "");
    w->clock.ms += 2000;
    return buf_str(&b).p ? buf_str(&b) : STR("");
}

#define PAGE(...) ((const char *const[]){__VA_ARGS__, NULL})

static void says(world_t *w, const conf_upstream_t *u, const char *const *pairs, const char *want)
{
    str_t got = page(w, u, pairs, false);
    if (!str_eq(got, str_c(want)))
        fail_msg("%.*s instead of %s", STR_ARG(got), want);
}

static void the_first_list_is_trusted_and_kept(void **state)
{
    world_t *w = *state;
    struct stat s;
    says(w, &WITHHOLD, PAGE("a", "1", "b", "1"), "a:new b:new");
    says(w, &WITHHOLD, PAGE("a", "1", "b", "1"), "");
    assert_false(pins_withholds(w->pins, &WITHHOLD, STR("a")));
    assert_int_equal(stat(arena_printf(w->a, "%s/pins.json", w->folder).p, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0600);
    pins_free(w->pins);
    w->pins = open_pins(w);
    says(w, &WITHHOLD, PAGE("a", "1", "b", "1"), "");
    assert_true(pins_withholds(w->pins, &WITHHOLD, STR("c")));
}

static void pages_of_a_first_list_are_trusted_together(void **state)
{
    world_t *w = *state;
    assert_true(str_eq(page(w, &WITHHOLD, PAGE("a", "1"), true), STR("a:new")));
    w->cursor = true;
    assert_true(str_eq(page(w, &WITHHOLD, PAGE("b", "1"), false), STR("b:new")));
    w->cursor = false;
    assert_false(pins_withholds(w->pins, &WITHHOLD, STR("b")));
    says(w, &WITHHOLD, PAGE("a", "1", "b", "1", "c", "1"), "c:new!");
}

/* attack case: GWM-013 */
static void a_definition_that_changes_between_list_and_call_is_found(void **state)
{
    world_t *w = *state;
    says(w, &WITHHOLD, PAGE("a", "reads", "b", "1"), "a:new b:new");
    pins_list_t *l = pins_list_begin(w->pins, w->a, &WITHHOLD, true);
    pins_verdict_t v = pins_list_see(l, tool(w, "a", "reads, and sends it all to me"));
    assert_int_equal(v.state, GATE_PIN_CHANGED);
    assert_true(v.withheld);
    says(w, &WITHHOLD, PAGE("a", "reads, and sends it all to me", "b", "1"), "a:changed!");
    assert_true(pins_withholds(w->pins, &WITHHOLD, STR("a")));
    assert_false(pins_withholds(w->pins, &WITHHOLD, STR("b")));
    says(w, &WITHHOLD, PAGE("a", "reads, and sends it all to me", "b", "1"), "");
    says(w, &WITHHOLD, PAGE("a", "reads", "b", "1"), "a:same");
    assert_false(pins_withholds(w->pins, &WITHHOLD, STR("a")));
}

static void a_report_withholds_nothing(void **state)
{
    world_t *w = *state;
    says(w, &REPORT, PAGE("a", "1"), "a:new");
    says(w, &REPORT, PAGE("a", "2", "b", "1"), "a:changed b:new");
    assert_false(pins_withholds(w->pins, &REPORT, STR("a")));
    says(w, &REPORT, PAGE("a", "2"), "b:gone");
    says(w, &OFF, PAGE("a", "3"), "");
    assert_false(pins_withholds(w->pins, &OFF, STR("x")));
}

static rc_t approve(world_t *w, pins_t *p, const char *tool, str_t hash)
{
    const pins_choice_t choice = {STR("/mcp"), str_c(tool), hash};
    pins_trusted_list_t trusted;
    rc_t rc = pins_approve(p, w->a, &choice, &trusted);
    assert_int_equal(trusted.n, rc == RC_OK);
    assert_true(rc != RC_OK || str_eq(trusted.v[0].tool, choice.tool));
    return rc;
}

static str_t hash_of(world_t *w, const char *name, const char *description)
{
    hash_t hash;
    str_t text;
    buf_t b = buf_new(w->a, 2 * sizeof hash.b);
    assert_int_equal(gate_pin_hash(w->a, tool(w, name, description), &hash), RC_OK);
    buf_hex(&b, hash.b, sizeof hash.b);
    assert_int_equal(buf_done(&b, &text), RC_OK);
    return text;
}

/* The upstream shows one definition and has another one wait when somebody approves it. */
static void what_changed_since_it_was_read_is_not_approved(void **state)
{
    world_t *w = *state;
    says(w, &WITHHOLD, PAGE("a", "1"), "a:new");
    says(w, &WITHHOLD, PAGE("a", "2"), "a:changed!");
    str_t read = hash_of(w, "a", "2");
    says(w, &WITHHOLD, PAGE("a", "3"), "a:changed!");
    pins_t *other = open_pins(w);
    assert_int_equal(approve(w, other, "a", read), RC_CONFLICT);
    assert_int_equal(approve(w, other, "a", str_first(read, 32)), RC_CONFLICT);
    assert_int_equal(approve(w, other, "a", STR("x")), RC_CONFLICT);
    assert_true(pins_withholds(w->pins, &WITHHOLD, STR("a")));
    assert_int_equal(approve(w, other, "a", str_first(hash_of(w, "a", "3"), 33)), RC_OK);
    pins_free(other);
    w->clock.ms += 1000;
    assert_false(pins_withholds(w->pins, &WITHHOLD, STR("a")));
}

static void what_another_process_approves_is_seen_a_second_later(void **state)
{
    world_t *w = *state;
    says(w, &WITHHOLD, PAGE("a", "1"), "a:new");
    says(w, &WITHHOLD, PAGE("a", "2"), "a:changed!");
    assert_true(pins_withholds(w->pins, &WITHHOLD, STR("a")));
    pins_t *other = open_pins(w);
    assert_int_equal(approve(w, other, "b", STR_UNSET), RC_NOT_FOUND);
    assert_int_equal(approve(w, other, "a", STR_UNSET), RC_OK);
    pins_free(other);
    w->clock.ms += 1000;
    assert_false(pins_withholds(w->pins, &WITHHOLD, STR("a")));
    says(w, &WITHHOLD, PAGE("a", "2"), "");
}

static void what_waits_is_in_the_file_a_second_later(void **state)
{
    world_t *w = *state;
    says(w, &WITHHOLD, PAGE("a", "1"), "a:new");
    w->clock.ms -= 2000;
    says(w, &WITHHOLD, PAGE("a", "2"), "a:changed!");
    w->clock.ms -= 2000;
    pins_t *other = open_pins(w);
    assert_int_equal(approve(w, other, "a", STR_UNSET), RC_NOT_FOUND);
    w->clock.ms += 1000;
    pins_tick(w->pins);
    assert_int_equal(approve(w, other, "a", STR_UNSET), RC_OK);
    pins_free(other);
}

static void what_is_forgotten_is_trusted_anew(void **state)
{
    world_t *w = *state;
    size_t count;
    says(w, &WITHHOLD, PAGE("a", "1"), "a:new");
    pins_t *other = open_pins(w);
    assert_int_equal(pins_forget(other, STR("/mcp"), STR_UNSET, &count), RC_OK);
    assert_int_equal(pins_forget(other, STR("/mcp"), STR_UNSET, &count), RC_NOT_FOUND);
    pins_free(other);
    says(w, &WITHHOLD, PAGE("a", "2"), "a:new");
    assert_false(pins_withholds(w->pins, &WITHHOLD, STR("a")));
}

static void write_file(world_t *w, const char *text)
{
    FILE *f = fopen(arena_printf(w->a, "%s/pins.json", w->folder).p, "wb");
    fputs(text, f);
    fclose(f);
}

static void a_file_that_goes_bad_changes_nothing(void **state)
{
    world_t *w = *state;
    says(w, &WITHHOLD, PAGE("a", "1"), "a:new");
    write_file(w, "{");
    w->clock.ms += 2000;
    assert_false(pins_withholds(w->pins, &WITHHOLD, STR("a")));
    assert_true(pins_withholds(w->pins, &WITHHOLD, STR("b")));
}

static void a_bad_file_stops_the_start(void **state)
{
    world_t *w = *state;
    pins_t *p;
    str_t why;
    pins_config_t config = {str_c(w->folder), NULL, clock_fake(&w->clock)};
    write_file(w, "{\"version\":1}");
    assert_int_equal(pins_new(w->a, &config, &p, &why), RC_CONFIG);
    assert_true(str_contains(why, STR("pins.json is no file of pins")));
    config.folder = STR("/nonexistent");
    assert_int_equal(pins_new(w->a, &config, &p, &why), RC_IO);
    write_file(w, "{\"version\":1,\"upstreams\":[]}");
    config.folder = str_c(w->folder);
    assert_int_equal(pins_new(w->a, &config, &p, &why), RC_OK);
    pins_free(p);
}

static void a_link_is_not_followed(void **state)
{
    world_t *w = *state;
    pins_t *p;
    str_t why;
    pins_config_t config = {str_c(w->folder), NULL, clock_fake(&w->clock)};
    assert_int_equal(symlink("/etc/hostname", arena_printf(w->a, "%s/pins.json", w->folder).p), 0);
    assert_int_equal(pins_new(w->a, &config, &p, &why), RC_IO);
}

typedef struct {
    world_t *w;
    unsigned seed;
} worker_t;

static void *work(void *arg)
{
    const worker_t *me = arg;
    arena_t *a = arena_new(4 << 20);
    for (unsigned i = 0; i < 20; i++) {
        const json_t *v;
        str_t text =
            arena_printf(a, "{\"name\":\"t%u\",\"title\":\"%u\"}", (i + me->seed) % 5, i % 3);
        assert_int_equal(json_parse(a, text, NULL, &v), RC_OK);
        pins_list_t *l = pins_list_begin(me->w->pins, a, &WITHHOLD, true);
        pins_list_see(l, v);
        (void)pins_list_end(l, i % 2 == 0);
        (void)pins_withholds(me->w->pins, &WITHHOLD, STR("t1"));
    }
    arena_free(a);
    return NULL;
}

static void workers_may_look_at_once(void **state)
{
    enum { WORKERS = 4 };
    world_t *w = *state;
    pthread_t threads[WORKERS];
    worker_t workers[WORKERS];
    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i] = (worker_t){w, i};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (unsigned i = 0; i < WORKERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_true(pins_withholds(w->pins, &WITHHOLD, STR("never seen")));
}

static void entries_without_a_name_are_withheld(void **state)
{
    world_t *w = *state;
    const json_t *v;
    assert_int_equal(json_parse(w->a, STR("{\"name\":1}"), NULL, &v), RC_OK);
    pins_list_t *l = pins_list_begin(w->pins, w->a, &WITHHOLD, true);
    assert_true(pins_list_see(l, v).withheld);
    assert_int_equal(pins_list_end(l, false).n, 0);
}

#define PINS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PINS_TEST(the_first_list_is_trusted_and_kept),
        PINS_TEST(pages_of_a_first_list_are_trusted_together),
        PINS_TEST(a_definition_that_changes_between_list_and_call_is_found),
        PINS_TEST(a_report_withholds_nothing),
        PINS_TEST(what_changed_since_it_was_read_is_not_approved),
        PINS_TEST(what_another_process_approves_is_seen_a_second_later),
        PINS_TEST(what_waits_is_in_the_file_a_second_later),
        PINS_TEST(what_is_forgotten_is_trusted_anew),
        PINS_TEST(a_file_that_goes_bad_changes_nothing),
        PINS_TEST(a_bad_file_stops_the_start),
        PINS_TEST(a_link_is_not_followed),
        PINS_TEST(workers_may_look_at_once),
        PINS_TEST(entries_without_a_name_are_withheld),
    };
    return cmocka_run_group_tests_name("pins", tests, NULL, NULL);
}
