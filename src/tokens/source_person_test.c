/* Sign-ins by a person in a browser. */
#include "tokens/tokens_test_world.h"

#include <time.h>

static void a_person_signs_in_once_and_the_call_goes_well(void **state)
{
    play_t *p = *state;
    p->w->scopes = "a b";
    play_begin(p);
    play_goes(p, NULL);
    assert_int_equal(p->w->opened, 1);
    assert_int_equal(p->w->registrations, 1);
    assert_string_equal(p->w->scope_asked, "a b");
    play_goes(p, NULL);
    assert_int_equal(p->w->opened, 1);
}

static void the_next_run_needs_nobody(void **state)
{
    play_t *p = *state;
    play_begin(p);
    play_goes(p, NULL);
    unsigned asks = p->w->asks;
    play_begin(p);
    play_goes(p, NULL);
    assert_int_equal(p->w->asks, asks + 1);
    assert_int_equal(p->w->opened, 1);
}

static void pkce_missing(void **state)
{
    play_t *p = *state;
    p->w->no_pkce = true;
    play_begin(p);
    play_fails(p, NULL, CLIENT_PKCE_MISSING);
    assert_int_equal(p->w->registrations + p->w->opened, 0);
}

static void resource_mismatch(void **state)
{
    play_t *p = *state;
    p->w->resource = "https://evil.test/mcp";
    play_begin(p);
    play_fails(p, NULL, CLIENT_RESOURCE_MISMATCH);
    assert_int_equal(p->w->opened, 0);
}

static void iss_wrong(void **state)
{
    play_t *p = *state;
    p->w->iss_wrong = true;
    play_begin(p);
    play_fails(p, NULL, CLIENT_ISS_WRONG);
    assert_int_equal(world_asked(p->w, "POST " WORLD_ISSUER "/token"), 0);
    p->w->iss_wrong = false;
    assert_int_equal(tokens_source_sign_in(p->s, p->a, false, &p->why), TOKENS_AGAIN);
    play_goes(p, NULL);
}

/* attack case: CLI-017 */
static void authorization_refused_opens_no_storm_of_pages(void **state)
{
    play_t *p = *state;
    p->w->declines = true;
    play_begin(p);
    for (int i = 0; i < 5; i++)
        play_fails(p, NULL, CLIENT_AUTHORIZATION_REFUSED);
    assert_int_equal(p->w->opened, 1);
}

/* An endpoint that takes each new token for a while, and then no more. */
static void lose_tokens(world_t *w)
{
    for (size_t i = 0; i < w->n_tokens; i++)
        w->tokens[i].access_live = w->tokens[i].refresh_live = false;
    w->now += 120;
}

static void pages_do_not_open_for_ever(void **state)
{
    play_t *p = *state;
    play_begin(p);
    for (int i = 0; i < 30; i++) {
        (void)play_call(p, NULL);
        lose_tokens(p->w);
    }
    assert_int_equal(p->why.reason, CLIENT_TOKEN_NOT_TAKEN);
    assert_in_range(p->w->opened, 5, 10);
    unsigned opened = p->w->opened;
    p->w->mono += 1200000;
    play_goes(p, NULL); /* where it is only now and then */
    assert_int_equal(p->w->opened, opened + 1);
}

static void pages_for_more_scope_do_not_open_for_ever(void **state)
{
    char scope[] = "a0";
    play_t *p = *state;
    p->w->challenge_scope = "a";
    play_begin(p);
    for (int i = 0; i < 30; i++) {
        scope[0] = (char)('a' + i / 10);
        scope[1] = (char)('0' + i % 10);
        (void)play_call(p, scope);
    }
    assert_int_equal(p->why.reason, CLIENT_STEP_UP_LIMIT);
    assert_in_range(p->w->opened, 5, 10);
}

static void a_person_who_signs_in_herself_is_not_counted(void **state)
{
    play_t *p = *state;
    play_begin(p);
    for (int i = 0; i < 20; i++)
        assert_int_equal(tokens_source_sign_in(p->s, p->a, true, &p->why), TOKENS_AGAIN);
    assert_int_equal(p->w->opened, 20);
    lose_tokens(p->w);
    play_goes(p, NULL);
}

static void sign_in_needed(void **state)
{
    play_t *p = *state;
    p->config.person.open = NULL;
    play_begin(p);
    play_fails(p, NULL, CLIENT_SIGN_IN_NEEDED);
    assert_int_equal(world_asked(p->w, "GET"), 0);
}

static void sign_in_needed_where_nobody_is_there(void **state)
{
    play_t *p = *state;
    p->w->nobody = true;
    play_begin(p);
    play_fails(p, NULL, CLIENT_SIGN_IN_NEEDED);
}

static void sign_in_timeout(void **state)
{
    play_t *p = *state;
    p->w->silent = true;
    p->config.sign_in_ms = 50;
    play_begin(p);
    play_fails(p, NULL, CLIENT_SIGN_IN_TIMEOUT);
}

static void *stop_once_open(void *arg)
{
    play_t *p = arg;
    const struct timespec t = {.tv_nsec = 1000000};
    bool open = false;
    while (!open) {
        nanosleep(&t, NULL);
        pthread_mutex_lock(&p->w->lock);
        open = p->w->opened > 0;
        pthread_mutex_unlock(&p->w->lock);
    }
    tokens_source_stop(p->s);
    return NULL;
}

static void stopped_while_the_page_is_open(void **state)
{
    play_t *p = *state;
    pthread_t thread;
    p->w->silent = true;
    play_begin(p);
    assert_int_equal(pthread_create(&thread, NULL, stop_once_open, p), 0);
    play_fails(p, NULL, CLIENT_STOPPED);
    pthread_join(thread, NULL);
}

static void *call_and_fail(void *arg)
{
    play_t *p = arg;
    client_failure_t why;
    int status = world_call(p->w, p->s, NULL, &why);
    return status == 0 && why.reason == CLIENT_STOPPED ? arg : NULL;
}

static void stopped_with_all_that_wait(void **state)
{
    enum { CALLERS = 4 };
    play_t *p = *state;
    pthread_t threads[CALLERS], stopper;
    void *well;
    p->w->silent = true;
    play_begin(p);
    for (size_t i = 0; i < CALLERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, call_and_fail, p), 0);
    assert_int_equal(pthread_create(&stopper, NULL, stop_once_open, p), 0);
    for (size_t i = 0; i < CALLERS; i++) {
        pthread_join(threads[i], &well);
        assert_non_null(well);
    }
    pthread_join(stopper, NULL);
}

/* Answers with another state, or none, come first: of another sign-in, or of a stranger. */
static bool open_after_strangers(void *ctx, str_t url)
{
    static const char *const QUERIES[] = {
        "",
        "code=x",
        "code=x&state=",
        "code=x&state=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "error=access_denied",
        "state=x&error=access_denied&iss=https%3A%2F%2Fas.test"};
    play_t *p = ctx;
    for (size_t i = 0; i < ROWS(QUERIES); i++)
        world_visit(p->w, url, QUERIES[i]);
    return world_browser(p->w, url);
}

/* attack case: CLI-008
 * attack case: CLI-011 */
static void state_wrong_ends_nothing(void **state)
{
    play_t *p = *state;
    p->config.person.open = open_after_strangers;
    p->config.person.ctx = p;
    play_begin(p);
    play_goes(p, NULL);
    assert_int_equal(p->w->opened, 1);
    assert_int_equal(world_asked(p->w, "POST " WORLD_ISSUER "/token"), 1);
}

static void legacy(play_t *p)
{
    p->w->no_resource_metadata = true;
    p->w->issuer = WORLD_ORIGIN;
}

static void a_server_of_2025_03_26_publishes_its_metadata(void **state)
{
    play_t *p = *state;
    legacy(p);
    p->w->legacy_metadata = true;
    play_begin(p);
    play_goes(p, NULL);
    p->w->now += p->w->lifetime;
    play_begin(p);
    play_goes(p, NULL);
    assert_int_equal(p->w->refreshes, 1);
}

static void a_server_of_2025_03_26_publishes_nothing(void **state)
{
    play_t *p = *state;
    legacy(p);
    play_begin(p);
    play_goes(p, NULL);
    p->w->now += p->w->lifetime;
    play_begin(p);
    play_goes(p, NULL);
    assert_int_equal(p->w->refreshes, 1);
}

static void resource_metadata_none(void **state)
{
    play_t *p = *state;
    legacy(p);
    p->config.no_fallback = true;
    play_begin(p);
    play_fails(p, NULL, CLIENT_RESOURCE_METADATA_NONE);
    p->config.no_fallback = false;
    play_begin(p);
    play_goes(p, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAY_TEST(a_person_signs_in_once_and_the_call_goes_well),
        PLAY_TEST(the_next_run_needs_nobody),
        PLAY_TEST(pkce_missing),
        PLAY_TEST(resource_mismatch),
        PLAY_TEST(iss_wrong),
        PLAY_TEST(authorization_refused_opens_no_storm_of_pages),
        PLAY_TEST(pages_do_not_open_for_ever),
        PLAY_TEST(pages_for_more_scope_do_not_open_for_ever),
        PLAY_TEST(a_person_who_signs_in_herself_is_not_counted),
        PLAY_TEST(sign_in_needed),
        PLAY_TEST(sign_in_needed_where_nobody_is_there),
        PLAY_TEST(sign_in_timeout),
        PLAY_TEST(stopped_while_the_page_is_open),
        PLAY_TEST(stopped_with_all_that_wait),
        PLAY_TEST(state_wrong_ends_nothing),
        PLAY_TEST(a_server_of_2025_03_26_publishes_its_metadata),
        PLAY_TEST(a_server_of_2025_03_26_publishes_nothing),
        PLAY_TEST(resource_metadata_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
