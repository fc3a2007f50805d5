#include "mcp_server/life_test_world.h"
#include "mcp_server/session.h"

#include <stdio.h>
#include <stdlib.h>

/* A table of a few places beside the world's own server. */
enum { PLACES = 70, IDLE_MS = 1000 };

typedef struct {
    life_world_t *w;
    mcp_sessions_t *table;
} world_t;

static int setup(void **state)
{
    void *life;
    if (life_world_setup(&life) != 0)
        return -1;
    life_world_t *lw = life;
    world_t *t = ARENA_NEW(lw->a, world_t);
    const mcp_sessions_config_t config = {PLACES, IDLE_MS, clock_fake(&lw->clock), random_system()};
    t->w = lw;
    t->table = mcp_sessions_new(&config);
    *state = t;
    return t->table ? 0 : -1;
}

static int teardown(void **state)
{
    world_t *t = *state;
    void *life = t->w;
    mcp_sessions_free(t->table);
    return life_world_teardown(&life);
}

#define SESSION_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const mcp_principal_t ALICE = {STR_INIT("https://as.test"), STR_INIT("alice"),
                                      STR_INIT("c1")};

static rc_t open_as(world_t *t, const mcp_principal_t *who, mcp_session_t **out)
{
    return mcp_session_open(t->table, who, mcp_version_assumed(), STR("{\"roots\":{}}"), out);
}

static mcp_session_t *open_one(world_t *t)
{
    mcp_session_t *s = NULL;
    assert_int_equal(open_as(t, &ALICE, &s), RC_OK);
    return s;
}

static bool is_found(world_t *t, str_t id, const mcp_principal_t *who)
{
    mcp_session_t *s = mcp_session_find(t->table, id, who);
    mcp_session_drop(s);
    return s != NULL;
}

/* The table */

static void test_who_opened_it_finds_it(void **state)
{
    world_t *t = *state;
    mcp_session_t *s = open_one(t);
    assert_int_equal(mcp_session_id(s).n, MCP_SESSION_TEXT);
    assert_ptr_equal(mcp_session_version(s), mcp_version_assumed());
    assert_non_null(json_get(mcp_session_capabilities(s), STR("roots")));
    mcp_session_t *found = mcp_session_find(t->table, mcp_session_id(s), &ALICE);
    assert_ptr_equal(found, s);
    mcp_session_drop(found);
    mcp_session_drop(s);
}

/* attack case: GWM-008 */
static void test_ids_are_long_and_differ(void **state)
{
    world_t *t = *state;
    mcp_session_t *a = open_one(t);
    mcp_session_t *b = open_one(t);
    assert_false(str_eq(mcp_session_id(a), mcp_session_id(b)));
    assert_true(MCP_SESSION_BYTES * 8 >= 160);
    assert_false(is_found(t, STR("chosen-by-the-attacker-000000000"), &ALICE));
    mcp_session_drop(a);
    mcp_session_drop(b);
}

/* attack case: CHL-006 */
static void test_somebody_elses_is_unknown(void **state)
{
    static const mcp_principal_t OTHERS[] = {
        {STR_INIT("https://as.evil"), STR_INIT("alice"), STR_INIT("c1")},
        {STR_INIT("https://as.test"), STR_INIT("bob"), STR_INIT("c1")},
        {STR_INIT("https://as.test"), STR_INIT("alice"), STR_INIT("c2")},
        {STR_INIT("https://as.test"), STR_INIT("alice"), {NULL, 0}},
    };
    world_t *t = *state;
    mcp_session_t *s = open_one(t);
    for (size_t i = 0; i < ROWS(OTHERS); i++)
        assert_false(is_found(t, mcp_session_id(s), &OTHERS[i]));
    assert_false(is_found(t, STR("unknown"), &ALICE));
    assert_true(is_found(t, mcp_session_id(s), &ALICE));
    mcp_session_drop(s);
}

static void test_idle_is_unknown(void **state)
{
    world_t *t = *state;
    mcp_session_t *s = open_one(t);
    t->w->clock.ms += IDLE_MS - 1;
    assert_true(is_found(t, mcp_session_id(s), &ALICE)); /* and is used */
    t->w->clock.ms += IDLE_MS - 1;
    assert_true(is_found(t, mcp_session_id(s), &ALICE));
    t->w->clock.ms += IDLE_MS;
    assert_false(is_found(t, mcp_session_id(s), &ALICE));
    assert_false(mcp_session_is_alive(s));
    mcp_session_drop(s);
}

static void on_wake(void *ctx)
{
    (void)ctx;
}

static mcp_reader_t *read_stream(world_t *t, mcp_outbox_t *o)
{
    mcp_reader_t *r = NULL;
    const mcp_reading_t how = {test_loop_port(&t->w->loop), on_wake, NULL, MCP_OUTBOX_UNTAKEN};
    assert_int_equal(mcp_outbox_attach(o, &how, &r), RC_OK);
    return r;
}

static void test_who_reads_is_not_idle(void **state)
{
    world_t *t = *state;
    mcp_session_t *s = open_one(t);
    mcp_reader_t *r = read_stream(t, mcp_session_general(s));
    t->w->clock.ms += 10 * IDLE_MS;
    assert_true(is_found(t, mcp_session_id(s), &ALICE));
    t->w->clock.ms += 10 * IDLE_MS;
    assert_true(mcp_session_is_alive(s)); /* which marks it used */
    mcp_reader_detach(r);
    mcp_outbox_t *o = mcp_outbox_new(true); /* likewise the stream of a call */
    uint64_t stream;
    assert_int_equal(mcp_session_add_stream(s, o, &stream), RC_OK);
    r = read_stream(t, o);
    t->w->clock.ms += 10 * IDLE_MS;
    assert_true(is_found(t, mcp_session_id(s), &ALICE));
    mcp_reader_detach(r);
    mcp_outbox_drop(o);
    assert_true(is_found(t, mcp_session_id(s), &ALICE));
    t->w->clock.ms += IDLE_MS;
    assert_false(is_found(t, mcp_session_id(s), &ALICE));
    mcp_session_drop(s);
}

static void test_ended_is_unknown(void **state)
{
    world_t *t = *state;
    mcp_session_t *s = open_one(t);
    mcp_session_end(s);
    mcp_session_end(s);
    assert_false(is_found(t, mcp_session_id(s), &ALICE));
    assert_true(mcp_outbox_ended(mcp_session_general(s)));
    assert_int_equal(mcp_sessions_count(t->table), 0);
    mcp_session_drop(s);
}

static void test_over_the_quota_the_oldest_ends(void **state)
{
    world_t *t = *state;
    mcp_session_t *v[MCP_SESSIONS_PER_PRINCIPAL + 1];
    for (size_t i = 0; i <= MCP_SESSIONS_PER_PRINCIPAL; i++) {
        t->w->clock.ms++;
        if (i == MCP_SESSIONS_PER_PRINCIPAL)
            assert_true(is_found(t, mcp_session_id(v[0]), &ALICE));
        v[i] = open_one(t);
    }
    assert_true(mcp_session_is_alive(v[0])); /* used later than the next */
    assert_false(mcp_session_is_alive(v[1]));
    assert_int_equal(mcp_sessions_count(t->table), MCP_SESSIONS_PER_PRINCIPAL);
    for (size_t i = 0; i <= MCP_SESSIONS_PER_PRINCIPAL; i++)
        mcp_session_drop(v[i]);
}

static void test_all_places_are_taken(void **state)
{
    world_t *t = *state;
    mcp_session_t *s;
    char name[16];
    for (int i = 0; i < PLACES; i++) {
        snprintf(name, sizeof name, "u%d", i);
        const mcp_principal_t who = {ALICE.issuer, str_c(name), ALICE.client};
        assert_int_equal(open_as(t, &who, &s), RC_OK);
        mcp_session_drop(s);
    }
    assert_int_equal(open_as(t, &ALICE, &s), RC_BUSY);
    t->w->clock.ms += IDLE_MS; /* what is idle makes room */
    assert_int_equal(open_as(t, &ALICE, &s), RC_OK);
    mcp_session_drop(s);
}

static void test_capabilities_are_bounded(void **state)
{
    world_t *t = *state;
    mcp_session_t *s;
    static char big[MCP_CAPABILITIES_BYTES + 64];
    snprintf(big, sizeof big, "{\"a\":\"%0*d\"}", MCP_CAPABILITIES_BYTES, 1);
    assert_int_equal(mcp_session_open(t->table, &ALICE, mcp_version_assumed(), str_c(big), &s),
                     RC_LIMIT);
    assert_int_equal(mcp_session_open(t->table, &ALICE, mcp_version_assumed(), STR_UNSET, &s),
                     RC_OK);
    assert_null(mcp_session_capabilities(s));
    mcp_session_drop(s);
}

static void test_capabilities_are_kept_whole(void **state)
{
    world_t *t = *state;
    mcp_session_t *s;
    char text[] = "{ \"a\\u0062\" : [1, \"x\\ny\", {}, null, {\"k\":{\"z\":true}}], \"e\":\"\"}";
    assert_int_equal(mcp_session_open(t->table, &ALICE, mcp_version_assumed(), str_c(text), &s),
                     RC_OK);
    memset(text, 'x', sizeof text); /* nothing of it is borrowed */
    const json_t *v = mcp_session_capabilities(s);
    assert_int_equal(v->count, 2);
    assert_text(json_get(v, STR("ab"))->raw, "[1, \"x\\ny\", {}, null, {\"k\":{\"z\":true}}]");
    assert_text(json_path(v, STR("ab.1"))->str, "x\ny");
    assert_text(json_path(v, STR("ab.4.k"))->raw, "{\"z\":true}");
    assert_true(json_is(json_path(v, STR("ab.4.k.z")), JSON_TRUE));
    assert_text(json_get_str(v, STR("e")), "");
    assert_int_equal(json_path(v, STR("ab"))->count, 5);
    mcp_session_drop(s);
}

static void test_a_local_one_begins_once(void **state)
{
    world_t *t = *state;
    mcp_session_t *s = mcp_session_local(clock_fake(&t->w->clock));
    assert_int_equal(mcp_session_id(s).n, 0);
    assert_null(mcp_session_version(s));
    assert_null(mcp_session_capabilities(s));
    assert_int_equal(mcp_session_begin(s, mcp_version_assumed(), STR("{\"a\":1}")), RC_OK);
    assert_int_equal(mcp_session_begin(s, mcp_version_assumed(), STR_UNSET), RC_CONFLICT);
    assert_non_null(json_get(mcp_session_capabilities(s), STR("a")));
    mcp_session_end(s);
    assert_false(mcp_session_is_alive(s));
    mcp_session_drop(s);
}

static void test_a_session_outlives_its_table(void **state)
{
    world_t *t = *state;
    mcp_session_t *s = open_one(t);
    for (int i = 0; i < 65; i++) {
        const mcp_principal_t who = {ALICE.issuer, STR("bob"), ALICE.client};
        mcp_session_t *other;
        assert_int_equal(open_as(t, &who, &other), RC_OK);
        mcp_session_drop(other);
    }
    mcp_sessions_free(t->table);
    t->table = NULL;
    assert_false(mcp_session_is_alive(s));
    mcp_session_end(s);
    mcp_session_drop(s);
}

/* Streams */

static void test_event_ids_lead_to_streams(void **state)
{
    static const char *const BAD[] = {"",
                                      "1",
                                      "-1",
                                      "1-",
                                      "9-0",
                                      "a-1",
                                      "1-a",
                                      "1-1 ",
                                      "+1-1",
                                      "1-1-1",
                                      "18446744073709551615-0"};
    world_t *t = *state;
    mcp_session_t *s = open_one(t);
    mcp_outbox_t *o = mcp_outbox_new(true);
    uint64_t stream = 0, after = 0;
    assert_int_equal(mcp_session_add_stream(s, o, &stream), RC_OK);
    assert_int_equal(stream, 1);
    for (size_t i = 0; i < ROWS(BAD); i++)
        assert_null(mcp_session_stream(s, str_c(BAD[i]), &stream, &after));
    mcp_outbox_t *found = mcp_session_stream(s, STR("1-7"), &stream, &after);
    assert_ptr_equal(found, o);
    assert_int_equal(stream, 1);
    assert_int_equal(after, 7);
    mcp_outbox_drop(found);
    found = mcp_session_stream(s, STR("0-3"), &stream, &after);
    assert_ptr_equal(found, mcp_session_general(s));
    mcp_outbox_drop(found);
    mcp_outbox_drop(o);
    mcp_session_drop(s);
}

static void test_streams_that_have_ended_make_room(void **state)
{
    world_t *t = *state;
    mcp_session_t *s = open_one(t);
    mcp_outbox_t *o[MCP_STREAMS_PER_SESSION + 1];
    uint64_t stream, after;
    for (size_t i = 0; i <= MCP_STREAMS_PER_SESSION; i++)
        o[i] = mcp_outbox_new(true);
    for (size_t i = 0; i < MCP_STREAMS_PER_SESSION; i++)
        assert_int_equal(mcp_session_add_stream(s, o[i], &stream), RC_OK);
    assert_int_equal(mcp_session_add_stream(s, o[MCP_STREAMS_PER_SESSION], &stream), RC_LIMIT);
    mcp_outbox_end(o[2]);
    mcp_outbox_end(o[4]);
    mcp_reader_t *r = read_stream(t, o[2]); /* somebody still reads the older one */
    assert_int_equal(mcp_session_add_stream(s, o[MCP_STREAMS_PER_SESSION], &stream), RC_OK);
    assert_null(mcp_session_stream(s, STR("5-0"), &stream, &after));
    mcp_outbox_t *found = mcp_session_stream(s, STR("3-0"), &stream, &after);
    assert_ptr_equal(found, o[2]);
    mcp_outbox_drop(found);
    mcp_reader_detach(r);
    mcp_session_end(s);
    assert_true(mcp_outbox_ended(o[0]));
    assert_int_equal(mcp_session_add_stream(s, o[4], &stream), RC_NOT_FOUND);
    for (size_t i = 0; i <= MCP_STREAMS_PER_SESSION; i++)
        mcp_outbox_drop(o[i]);
    mcp_session_drop(s);
}

static void test_answers_that_nobody_fetched_are_bounded(void **state)
{
    world_t *t = *state;
    mcp_session_t *s = open_one(t);
    uint64_t stream, after;
    size_t n = MCP_STREAMS_BYTES / 2 + 1;
    char *big = arena_alloc(t->w->a, n);
    memset(big, 'x', n);
    const mcp_out_t answer = {.kind = MCP_OUT_ANSWER, .text = str_of(big, n)};
    for (int i = 0; i < 4; i++) {
        mcp_outbox_t *o = mcp_outbox_new(true);
        assert_int_equal(mcp_session_add_stream(s, o, &stream), RC_OK);
        assert_int_equal(mcp_outbox_put(o, &answer), RC_OK);
        mcp_outbox_drop(o);
    }
    assert_null(mcp_session_stream(s, STR("1-0"), &stream, &after));
    assert_null(mcp_session_stream(s, STR("2-0"), &stream, &after));
    mcp_outbox_t *kept = mcp_session_stream(s, STR("3-0"), &stream, &after);
    assert_int_equal(mcp_outbox_bytes(kept), n);
    mcp_outbox_drop(kept);
    mcp_session_drop(s);
}

/* Levels and watched resources */

static void test_levels(void **state)
{
    world_t *t = *state;
    mcp_session_t *s = open_one(t);
    assert_true(mcp_session_wants(s, WARDER_MCP_DEBUG));
    mcp_session_set_level(s, WARDER_MCP_ERROR);
    assert_false(mcp_session_wants(s, WARDER_MCP_WARNING));
    assert_true(mcp_session_wants(s, WARDER_MCP_ERROR));
    assert_true(mcp_session_wants(s, WARDER_MCP_EMERGENCY));
    mcp_session_drop(s);
}

static void test_watched_resources(void **state)
{
    world_t *t = *state;
    mcp_session_t *s = open_one(t);
    char uri[32];
    for (int i = 0; i < MCP_WATCHED_PER_SESSION; i++) {
        snprintf(uri, sizeof uri, "test://%d", (i * 7919) % MCP_WATCHED_PER_SESSION);
        assert_int_equal(mcp_session_watch(s, str_c(uri)), RC_OK);
    }
    assert_int_equal(mcp_session_watch(s, STR("test://0")), RC_OK); /* again */
    assert_int_equal(mcp_session_watch(s, STR("test://more")), RC_LIMIT);
    assert_true(mcp_session_watches(s, STR("test://999")));
    assert_false(mcp_session_watches(s, STR("test://99")) && mcp_session_watches(s, STR("test")));
    mcp_session_unwatch(s, STR("test://500"));
    mcp_session_unwatch(s, STR("test://500"));
    assert_false(mcp_session_watches(s, STR("test://500")));
    assert_true(mcp_session_watches(s, STR("test://501")));
    assert_int_equal(mcp_session_watch(s, STR("test://more")), RC_OK);
    mcp_session_drop(s);
}

/* Calls and questions */

static void test_calls_by_id(void **state)
{
    world_t *t = *state;
    mcp_session_t *s = open_one(t);
    warder_mcp_call_t *a = mcp_call_new(t->w->m), *b = mcp_call_new(t->w->m);
    assert_int_equal(mcp_session_add_call(s, STR("1"), a), RC_OK);
    assert_int_equal(mcp_session_add_call(s, STR("1"), b), RC_CONFLICT);
    assert_int_equal(mcp_session_add_call(s, STR("\"1\""), b), RC_OK);
    warder_mcp_call_t *found = mcp_session_call(s, STR("1"));
    assert_ptr_equal(found, a);
    mcp_call_drop(found);
    mcp_session_remove_call(s, STR("1"), b); /* not its own */
    mcp_session_remove_call(s, STR("1"), a);
    assert_null(mcp_session_call(s, STR("1")));
    mcp_session_end(s);
    assert_true(warder_mcp_cancelled(b));
    assert_false(warder_mcp_cancelled(a));
    assert_int_equal(mcp_session_add_call(s, STR("2"), a), RC_NOT_FOUND);
    mcp_call_drop(a);
    mcp_call_drop(b);
    mcp_session_drop(s);
}

static void test_calls_are_bounded(void **state)
{
    world_t *t = *state;
    mcp_session_t *s = open_one(t);
    warder_mcp_call_t *a = mcp_call_new(t->w->m);
    char id[16];
    for (int i = 0; i < MCP_CALLS_PER_SESSION; i++) {
        snprintf(id, sizeof id, "%d", i);
        assert_int_equal(mcp_session_add_call(s, str_c(id), a), RC_OK);
    }
    assert_int_equal(mcp_session_add_call(s, STR("x"), a), RC_LIMIT);
    mcp_session_end(s);
    mcp_call_drop(a);
    mcp_session_drop(s);
}

static void test_questions_are_answered_once(void **state)
{
    world_t *t = *state;
    mcp_session_t *s = open_one(t);
    warder_mcp_call_t *a = mcp_call_new(t->w->m), *b = mcp_call_new(t->w->m);
    int64_t id[3];
    str_t key;
    assert_int_equal(mcp_session_add_question(s, a, STR("k1"), &id[0]), RC_OK);
    assert_int_equal(mcp_session_add_question(s, a, STR("k2"), &id[1]), RC_OK);
    assert_int_equal(mcp_session_add_question(s, b, STR("k1"), &id[2]), RC_OK);
    assert_null(mcp_session_answered(s, t->w->a, STR("\"1\""), &key));
    assert_null(mcp_session_answered(s, t->w->a, STR("4"), &key));
    warder_mcp_call_t *found = mcp_session_answered(s, t->w->a, STR("2"), &key);
    assert_ptr_equal(found, a);
    assert_text(key, "k2");
    mcp_call_drop(found);
    assert_null(mcp_session_answered(s, t->w->a, STR("2"), &key));
    mcp_session_forget_questions(s, a);
    assert_null(mcp_session_answered(s, t->w->a, STR("1"), &key));
    found = mcp_session_answered(s, t->w->a, STR("3"), &key);
    assert_ptr_equal(found, b);
    mcp_call_drop(found);
    for (int i = 0; i < MCP_QUESTIONS_PER_SESSION; i++)
        assert_int_equal(mcp_session_add_question(s, a, STR("k"), &id[0]), RC_OK);
    assert_int_equal(mcp_session_add_question(s, a, STR("k"), &id[0]), RC_LIMIT);
    mcp_session_end(s);
    assert_int_equal(mcp_session_add_question(s, a, STR("k"), &id[0]), RC_NOT_FOUND);
    mcp_call_drop(a);
    mcp_call_drop(b);
    mcp_session_drop(s);
}

/* Threads: sessions are opened, found and ended on all of them. */

static void *open_and_end(void *arg)
{
    world_t *t = arg;
    for (int i = 0; i < 200; i++) {
        mcp_session_t *s, *found;
        rc_t rc = open_as(t, &ALICE, &s);
        assert_int_equal(rc, RC_OK);
        found = mcp_session_find(t->table, mcp_session_id(s), &ALICE);
        assert_int_equal(mcp_session_watch(s, STR("test://a")), RC_OK);
        if (found && i % 3 == 0)
            mcp_session_end(found);
        mcp_session_drop(found);
        mcp_session_drop(s);
    }
    return NULL;
}

static void test_threads_share_a_table(void **state)
{
    world_t *t = *state;
    pthread_t threads[4];
    for (unsigned i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, open_and_end, t);
    for (unsigned i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_true(mcp_sessions_count(t->table) <= MCP_SESSIONS_PER_PRINCIPAL);
}

/* All began before the first of them ended, so no later one makes room. */
static void test_answers_nobody_comes_back_for_are_bounded(void **state)
{
    enum { ANSWER_BYTES = 1 << 20 };
    static char text[ANSWER_BYTES];
    world_t *t = *state;
    uint64_t number, after, kept = 0;
    char id[32];
    mcp_session_t *s = open_one(t);
    mcp_outbox_t *o[MCP_STREAMS_PER_SESSION];
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i < MCP_STREAMS_PER_SESSION; i++) {
        o[i] = mcp_outbox_new(true);
        assert_int_equal(mcp_session_add_stream(s, o[i], &number), RC_OK);
    }
    for (size_t i = 0; i < MCP_STREAMS_PER_SESSION; i++) {
        const mcp_out_t out = {.kind = MCP_OUT_ANSWER, .text = str_of(text, sizeof text)};
        assert_int_equal(mcp_outbox_put(o[i], &out), RC_OK);
        mcp_outbox_drop(o[i]);
    }
    mcp_sessions_sweep(t->table);
    for (size_t i = 1; i <= MCP_STREAMS_PER_SESSION; i++) {
        snprintf(id, sizeof id, "%zu-0", i);
        mcp_outbox_t *found = mcp_session_stream(s, str_c(id), &number, &after);
        kept += found ? ANSWER_BYTES : 0;
        assert_true(found || i < MCP_STREAMS_PER_SESSION); /* the newest may still be fetched */
        mcp_outbox_drop(found);
    }
    assert_in_range(kept, ANSWER_BYTES, MCP_STREAMS_BYTES);
    mcp_session_drop(s);
}

/* As large as a function may say it, it waits for who was let go. */
static void test_one_large_answer_is_kept(void **state)
{
    world_t *t = *state;
    uint64_t number, after;
    mcp_session_t *s = open_one(t);
    mcp_outbox_t *o = mcp_outbox_new(true);
    char *text = malloc(MCP_SAID_BYTES);
    memset(text, 'x', MCP_SAID_BYTES);
    const mcp_out_t out = {.kind = MCP_OUT_ANSWER, .text = str_of(text, MCP_SAID_BYTES)};
    assert_int_equal(mcp_session_add_stream(s, o, &number), RC_OK);
    assert_int_equal(mcp_outbox_put(o, &out), RC_OK);
    mcp_outbox_drop(o);
    free(text);
    mcp_sessions_sweep(t->table);
    mcp_outbox_t *found = mcp_session_stream(s, STR("1-0"), &number, &after);
    assert_non_null(found);
    mcp_outbox_drop(found);
    mcp_session_drop(s);
}

/* Where clients register themselves, one person can be many of them. */
static void test_one_person_with_many_clients_does_not_take_all(void **state)
{
    enum { ALL = MCP_SESSIONS_PER_SUBJECT + 10 };
    world_t *t = *state;
    char client[16];
    const mcp_principal_t bob = {STR("https://as.test"), STR("bob"), STR("c1")};
    const mcp_sessions_config_t config = {ALL, IDLE_MS, clock_fake(&t->w->clock), random_system()};
    mcp_sessions_t *table = mcp_sessions_new(&config);
    mcp_session_t *s, *other;
    assert_int_equal(mcp_session_open(table, &bob, mcp_version_assumed(), STR_UNSET, &other),
                     RC_OK);
    for (int i = 0; i < 2 * ALL; i++) {
        snprintf(client, sizeof client, "c%d", i);
        const mcp_principal_t alice = {STR("https://as.test"), STR("alice"), str_c(client)};
        assert_int_equal(mcp_session_open(table, &alice, mcp_version_assumed(), STR_UNSET, &s),
                         RC_OK);
        mcp_session_drop(s);
    }
    assert_int_equal(mcp_sessions_count(table), MCP_SESSIONS_PER_SUBJECT + 1);
    assert_true(mcp_session_is_alive(other));
    mcp_session_drop(other);
    mcp_sessions_free(table);
}

static void test_idle_sessions_are_swept(void **state)
{
    world_t *t = *state;
    mcp_session_t *s = open_one(t);
    t->w->clock.ms += IDLE_MS - 1;
    mcp_sessions_sweep(t->table);
    assert_int_equal(mcp_sessions_count(t->table), 1);
    t->w->clock.ms += 1;
    mcp_sessions_sweep(t->table);
    assert_int_equal(mcp_sessions_count(t->table), 0);
    assert_false(mcp_session_is_alive(s));
    mcp_session_drop(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SESSION_TEST(test_who_opened_it_finds_it),
        SESSION_TEST(test_ids_are_long_and_differ),
        SESSION_TEST(test_somebody_elses_is_unknown),
        SESSION_TEST(test_idle_is_unknown),
        SESSION_TEST(test_who_reads_is_not_idle),
        SESSION_TEST(test_ended_is_unknown),
        SESSION_TEST(test_over_the_quota_the_oldest_ends),
        SESSION_TEST(test_all_places_are_taken),
        SESSION_TEST(test_capabilities_are_bounded),
        SESSION_TEST(test_capabilities_are_kept_whole),
        SESSION_TEST(test_a_local_one_begins_once),
        SESSION_TEST(test_a_session_outlives_its_table),
        SESSION_TEST(test_event_ids_lead_to_streams),
        SESSION_TEST(test_streams_that_have_ended_make_room),
        SESSION_TEST(test_answers_that_nobody_fetched_are_bounded),
        SESSION_TEST(test_levels),
        SESSION_TEST(test_watched_resources),
        SESSION_TEST(test_calls_by_id),
        SESSION_TEST(test_calls_are_bounded),
        SESSION_TEST(test_questions_are_answered_once),
        SESSION_TEST(test_threads_share_a_table),
        SESSION_TEST(test_answers_nobody_comes_back_for_are_bounded),
        SESSION_TEST(test_one_large_answer_is_kept),
        SESSION_TEST(test_one_person_with_many_clients_does_not_take_all),
        SESSION_TEST(test_idle_sessions_are_swept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
