/* The cache of other people's documents, over a web that is a table and waits when it is told to.
 */
#include "as/as_test_world.h"

#include "as/fetched.h"
#include "core/limits.h"

enum { ASKS_MAX = LIMIT_FETCHED_WAITERS + 2 };

#define DOCUMENT                                                                                   \
    "{\"client_id\":\"https://c.test/c.json\",\"client_name\":\"C\","                              \
    "\"redirect_uris\":[\"https://c.test/cb\"]}"

typedef struct {
    world_t *w;
    as_fetched_ask_t ask;
    bool done;
} asked_t;

static void done(void *arg)
{
    ((asked_t *)arg)->done = true;
}

static void ask(world_t *w, const char *url, asked_t *out)
{
    out->w = w;
    out->done = false;
    out->ask = (as_fetched_ask_t){
        .url = str_c(url),
        .kind = &AS_FETCHED_CLIENT,
        .again = out->ask.again,
        .from = out->ask.from,
        .back = world_post_port(w),
        .done = done,
        .arg = out,
    };
    out->done = as_fetched_get(w->as->fetched, &out->ask);
}

static as_fetched_document_t *get(world_t *w, const char *url, bool again)
{
    asked_t *asked = ARENA_NEW(w->a, asked_t);
    asked->ask.again = again;
    ask(w, url, asked);
    while (!asked->done)
        assert_true(world_pump(w, 5000));
    return asked->ask.document;
}

static bool fits(world_t *w, const char *url)
{
    as_fetched_document_t *d = get(w, url, false);
    assert_non_null(d);
    bool fits = d->fits;
    as_fetched_release(d);
    return fits;
}

static void serve(world_t *w, const char *control, int status, const char *body)
{
    http_fetch_fake_row_t *row = ARENA_NEW(w->a, http_fetch_fake_row_t);
    *row = (http_fetch_fake_row_t){.url = "https://c.test/c.json",
                                   .status = status,
                                   .content_type = "application/json",
                                   .body = body,
                                   .cache_control = control};
    w->web.rows = row;
    w->web.n = 1;
}

static void a_document_is_kept_as_long_as_http_says_within_bounds(void **state)
{
    static const struct {
        const char *control;
        int64_t seconds;
    } TABLE[] = {
        {"max-age=600", 600},
        {"max-age=1", LIMIT_FETCHED_LEAST_S},
        {"max-age=315360000", LIMIT_FETCHED_MOST_S},
        {NULL, LIMIT_FETCHED_UNSAID_S},
    };
    world_t *w = *state;
    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
        serve(w, TABLE[i].control, 200, DOCUMENT);
        unsigned before = w->web.calls;
        assert_true(fits(w, "https://c.test/c.json"));
        world_pass(w, TABLE[i].seconds - 1);
        assert_true(fits(w, "https://c.test/c.json"));
        assert_int_equal(w->web.calls, before + 1);
        world_pass(w, 1);
        assert_true(fits(w, "https://c.test/c.json"));
        assert_int_equal(w->web.calls, before + 2);
        world_pass(w, LIMIT_FETCHED_MOST_S);
    }
}

static void what_must_not_be_kept_is_not(void **state)
{
    static const char *const TABLE[] = {"no-store", "max-age=0", "no-cache"};
    world_t *w = *state;
    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
        serve(w, TABLE[i], 200, DOCUMENT);
        unsigned before = w->web.calls;
        assert_true(fits(w, "https://c.test/c.json"));
        assert_true(fits(w, "https://c.test/c.json"));
        assert_int_equal(w->web.calls, before + 2);
    }
}

static void errors_and_bad_documents_are_never_kept(void **state)
{
    world_t *w = *state;
    serve(w, "max-age=600", 404, DOCUMENT);
    assert_false(fits(w, "https://c.test/c.json"));
    serve(w, "max-age=600", 200, "{}");
    assert_false(fits(w, "https://c.test/c.json"));
    w->web.n = 0;
    assert_false(fits(w, "https://c.test/c.json"));
    serve(w, "max-age=600", 200, DOCUMENT);
    assert_true(fits(w, "https://c.test/c.json"));
    assert_int_equal(w->web.calls, 4);
}

static void one_fetch_serves_all_who_ask_meanwhile(void **state)
{
    world_t *w = *state;
    asked_t *asked = ARENA_ARRAY(w->a, ASKS_MAX, asked_t);
    size_t refused = 0;
    serve(w, "max-age=600", 200, DOCUMENT);
    pthread_mutex_lock(&w->web_gate);
    for (size_t i = 0; i < ASKS_MAX; i++) {
        ask(w, "https://c.test/c.json", &asked[i]);
        refused += asked[i].done;
        assert_true(!asked[i].done || asked[i].ask.document == NULL);
    }
    assert_int_equal(refused, ASKS_MAX - LIMIT_FETCHED_WAITERS);
    pthread_mutex_unlock(&w->web_gate);
    for (size_t i = 0; i < ASKS_MAX; i++) {
        while (!asked[i].done)
            assert_true(world_pump(w, 5000));
        assert_true(!asked[i].ask.document || asked[i].ask.document->fits);
        as_fetched_release(asked[i].ask.document);
    }
    assert_int_equal(w->web.calls, 1);
    assert_true(fits(w, "https://c.test/c.json"));
    assert_int_equal(w->web.calls, 1);
}

/* Hosts that answer slowly take no more threads for one address; others go on. */
static void one_address_takes_a_part_of_the_pool(void **state)
{
    enum { ASKED = LIMIT_FETCHED_EACH + 2 };
    world_t *w = *state;
    asked_t asked[ASKED] = {{0}};
    serve(w, "max-age=600", 200, DOCUMENT);
    pthread_mutex_lock(&w->web_gate);
    for (size_t i = 0; i < ASKED; i++) {
        asked[i].ask.from = i < ASKED - 1 ? STR("address 1") : STR("address 2");
        ask(w, arena_cstr(w->a, arena_printf(w->a, "https://c%zu.test/c.json", i)), &asked[i]);
        assert_int_equal(asked[i].done, i == ASKED - 2);
    }
    assert_null(asked[ASKED - 2].ask.document);
    pthread_mutex_unlock(&w->web_gate);
    for (size_t i = 0; i < ASKED; i++) {
        while (!asked[i].done)
            assert_true(world_pump(w, 5000));
        as_fetched_release(asked[i].ask.document);
    }
    asked[0].ask.from = STR("address 1"); /* all have landed */
    ask(w, "https://c.test/c.json", &asked[0]);
    while (!asked[0].done)
        assert_true(world_pump(w, 5000));
    assert_true(asked[0].ask.document && asked[0].ask.document->fits);
    as_fetched_release(asked[0].ask.document);
}

static void a_full_pool_is_an_answer(void **state)
{
    world_t *w = *state;
    asked_t asked[8] = {{0}};
    bool refused = false;
    pthread_mutex_lock(&w->web_gate);
    for (size_t i = 0; i < 8; i++) {
        ask(w, arena_cstr(w->a, arena_printf(w->a, "https://c%zu.test/c.json", i)), &asked[i]);
        refused |= asked[i].done && !asked[i].ask.document;
    }
    pthread_mutex_unlock(&w->web_gate);
    assert_true(refused);
    for (size_t i = 0; i < 8; i++) {
        while (!asked[i].done)
            assert_true(world_pump(w, 5000));
        as_fetched_release(asked[i].ask.document);
    }
}

static void what_lacks_something_is_fetched_again_but_rarely(void **state)
{
    world_t *w = *state;
    serve(w, "max-age=6000", 200, DOCUMENT);
    as_fetched_release(get(w, "https://c.test/c.json", false));
    as_fetched_release(get(w, "https://c.test/c.json", true));
    assert_int_equal(w->web.calls, 1);
    world_pass_ms(w, LIMIT_FETCHED_AGAIN_MS);
    as_fetched_release(get(w, "https://c.test/c.json", true));
    assert_int_equal(w->web.calls, 2);
    world_pass_ms(w, LIMIT_FETCHED_AGAIN_MS);
    w->web.n = 0;
    as_fetched_release(get(w, "https://c.test/c.json", true));
    as_fetched_release(get(w, "https://c.test/c.json", true));
    assert_int_equal(w->web.calls, 3);
    assert_true(fits(w, "https://c.test/c.json"));
}

static void the_longest_unused_makes_room(void **state)
{
    world_t *w = *state;
    http_fetch_fake_row_t *rows =
        ARENA_ARRAY(w->a, LIMIT_FETCHED_DOCUMENTS + 1, http_fetch_fake_row_t);
    for (size_t i = 0; i <= LIMIT_FETCHED_DOCUMENTS; i++) {
        const char *url = arena_cstr(w->a, arena_printf(w->a, "https://c.test/%zu", i));
        rows[i] = (http_fetch_fake_row_t){
            .url = url,
            .status = 200,
            .content_type = "application/json",
            .body = arena_cstr(w->a, arena_printf(w->a,
                                                  "{\"client_id\":\"%s\",\"client_name\":\"C\","
                                                  "\"redirect_uris\":[\"https://c.test/cb\"]}",
                                                  url)),
        };
    }
    w->web = (http_fetch_fake_t){.rows = rows, .n = LIMIT_FETCHED_DOCUMENTS + 1};
    for (size_t i = 0; i < LIMIT_FETCHED_DOCUMENTS; i++)
        assert_true(fits(w, rows[i].url));
    assert_true(fits(w, rows[0].url));
    assert_true(fits(w, rows[LIMIT_FETCHED_DOCUMENTS].url));
    assert_int_equal(w->web.calls, LIMIT_FETCHED_DOCUMENTS + 1);
    assert_true(fits(w, rows[0].url));
    assert_int_equal(w->web.calls, LIMIT_FETCHED_DOCUMENTS + 1);
    assert_true(fits(w, rows[1].url));
    assert_int_equal(w->web.calls, LIMIT_FETCHED_DOCUMENTS + 2);
}

static void an_endless_url_is_not_fetched(void **state)
{
    world_t *w = *state;
    char *url = arena_alloc(w->a, LIMIT_URL_BYTES + 2);
    memset(url, 'a', LIMIT_URL_BYTES + 1);
    assert_null(get(w, url, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_document_is_kept_as_long_as_http_says_within_bounds),
        WORLD_TEST(what_must_not_be_kept_is_not),
        WORLD_TEST(errors_and_bad_documents_are_never_kept),
        WORLD_TEST(one_fetch_serves_all_who_ask_meanwhile),
        WORLD_TEST(one_address_takes_a_part_of_the_pool),
        WORLD_TEST(a_full_pool_is_an_answer),
        WORLD_TEST(what_lacks_something_is_fetched_again_but_rarely),
        WORLD_TEST(the_longest_unused_makes_room),
        WORLD_TEST(an_endless_url_is_not_fetched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
