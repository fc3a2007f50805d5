/* Refresh: at the right time, by one of many, and without losing a session. */
#include "tokens/tokens_test_drivers.h"
#include "tokens/tokens_test_world.h"

#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 8, PROCESSES = 4, ROUNDS_TOGETHER = 20 };

static void begin(play_t *p)
{
    play_begin(p);
    play_goes(p, NULL);
}

static void pass(play_t *p)
{
    p->w->now += p->w->lifetime;
}

static void a_token_that_has_ended_is_refreshed_without_anybody(void **state)
{
    play_t *p = *state;
    begin(p);
    unsigned calls = p->w->calls, asks = p->w->asks;
    pass(p);
    play_goes(p, NULL);
    assert_int_equal(p->w->refreshes, 1);
    assert_int_equal(p->w->opened, 1);
    assert_int_equal(p->w->calls, calls + 1);
    assert_int_equal(p->w->asks, asks + 2); /* no discovery */
}

static void a_kept_record_is_enough_for_a_refresh(void **state)
{
    play_t *p = *state;
    begin(p);
    pass(p);
    unsigned asks = p->w->asks;
    begin(p);
    assert_int_equal(p->w->refreshes, 1);
    assert_int_equal(p->w->asks, asks + 2);
}

static void a_token_that_the_server_ends_early_is_refreshed(void **state)
{
    play_t *p = *state;
    begin(p);
    p->w->tokens[0].access_live = false;
    play_goes(p, NULL);
    assert_int_equal(p->w->refreshes, 1);
    assert_int_equal(p->w->opened, 1);
}

static void refresh_goes_on_and_on(void **state)
{
    play_t *p = *state;
    begin(p);
    for (unsigned i = 1; i <= 5; i++) {
        pass(p);
        play_goes(p, NULL);
        assert_int_equal(p->w->refreshes, i);
    }
    assert_int_equal(p->w->bad_refreshes, 0);
}

static void a_dead_refresh_token_leads_to_a_sign_in(void **state)
{
    play_t *p = *state;
    p->w->challenge_scope = "a";
    begin(p);
    p->w->tokens[0].refresh_live = false;
    pass(p);
    play_goes(p, NULL);
    assert_int_equal(p->w->bad_refreshes, 1);
    assert_int_equal(p->w->opened, 2);
}

static void a_dead_refresh_token_without_a_person(void **state)
{
    play_t *p = *state;
    begin(p);
    p->w->tokens[0].refresh_live = false;
    p->config.person.open = NULL;
    play_begin(p);
    pass(p);
    play_fails(p, NULL, CLIENT_SIGN_IN_NEEDED);
}

/* attack case: CLI-017 */
static void a_refreshed_token_that_is_refused_leads_to_a_sign_in(void **state)
{
    play_t *p = *state;
    begin(p);
    p->w->refuse_all = true;
    play_fails(p, NULL, CLIENT_TOKEN_NOT_TAKEN);
    assert_int_equal(p->w->refreshes, 1);
    assert_int_equal(p->w->opened, 2);
}

static void an_outage_loses_nothing_and_makes_no_storm(void **state)
{
    play_t *p = *state;
    begin(p);
    p->w->tokens[0].access_live = false;
    p->w->token_down = 2;
    unsigned before = world_asked(p->w, "POST " WORLD_ISSUER "/token");
    for (int i = 0; i < 5; i++)
        play_fails(p, NULL, CLIENT_UNREACHABLE);
    assert_int_equal(world_asked(p->w, "POST " WORLD_ISSUER "/token"), before + 1);
    p->w->mono += 1000;
    play_fails(p, NULL, CLIENT_UNREACHABLE);
    assert_int_equal(world_asked(p->w, "POST " WORLD_ISSUER "/token"), before + 2);
    p->w->mono += 2000;
    play_goes(p, NULL);
    assert_int_equal(p->w->opened, 1);
    assert_int_equal(p->w->refreshes, 1);
}

static void a_server_error_loses_nothing(void **state)
{
    play_t *p = *state;
    begin(p);
    p->w->tokens[0].access_live = false;
    p->w->token_500 = 1;
    play_fails(p, NULL, CLIENT_SERVER_FAILS);
    p->w->mono += 1000;
    play_goes(p, NULL);
    assert_int_equal(p->w->opened, 1);
}

static void old_metadata_is_fetched_again_before_a_refresh(void **state)
{
    play_t *p = *state;
    begin(p);
    unsigned before = world_asked(p->w, "GET");
    p->w->now += 86400;
    play_goes(p, NULL);
    assert_int_equal(p->w->refreshes, 1);
    assert_int_equal(world_asked(p->w, "GET"), before + 1);
    pass(p);
    play_goes(p, NULL);
    assert_int_equal(world_asked(p->w, "GET"), before + 1);
}

static void a_token_that_lives_shortly_serves_more_than_once(void **state)
{
    play_t *p = *state;
    p->w->lifetime = 20;
    begin(p);
    for (int i = 0; i < 3; i++) {
        p->w->now += 4;
        play_goes(p, NULL);
    }
    assert_int_equal(p->w->refreshes, 0);
    p->w->now += 4;
    play_goes(p, NULL);
    assert_int_equal(p->w->refreshes, 1);
}

static void sign_out_forgets_even_where_nothing_is_revoked(void **state)
{
    play_t *p = *state;
    tokens_state_t told;
    p->w->no_revocation = true;
    begin(p);
    assert_true(tokens_source_sign_out(p->s, p->a, &p->why));
    assert_int_equal(p->why.reason, CLIENT_SERVER_FAILS);
    assert_int_equal(tokens_source_state(p->s, p->a, &told), RC_OK);
    assert_false(told.kept);
}

/* Two runs of the program over one keep: what one refreshed, the other takes. */
static void what_another_run_refreshed_is_taken(void **state)
{
    play_t *p = *state;
    tokens_source_t *other;
    client_failure_t why;
    begin(p);
    assert_int_equal(tokens_source_new(&p->config, &other), RC_OK);
    assert_int_equal(world_call(p->w, other, NULL, &why), 200);
    pass(p);
    play_goes(p, NULL);
    assert_int_equal(world_call(p->w, other, NULL, &why), 200);
    assert_int_equal(p->w->refreshes, 1);
    assert_int_equal(p->w->bad_refreshes, 0);
    /* And the other way round, by a refusal. */
    for (size_t i = 0; i < p->w->n_tokens; i++)
        p->w->tokens[i].access_live = false;
    assert_int_equal(world_call(p->w, other, NULL, &why), 200);
    play_goes(p, NULL);
    assert_int_equal(p->w->refreshes, 2);
    assert_int_equal(p->w->bad_refreshes, 0);
    assert_int_equal(p->w->opened, 1);
    tokens_source_free(other);
}

static void nobody_signs_out_what_another_run_signed_in(void **state)
{
    play_t *p = *state;
    tokens_source_t *other;
    client_failure_t why;
    begin(p);
    assert_int_equal(tokens_source_new(&p->config, &other), RC_OK);
    assert_int_equal(world_call(p->w, other, NULL, &why), 200);
    assert_true(tokens_source_sign_out(p->s, p->a, &p->why));
    play_goes(p, NULL); /* signs in anew */
    assert_int_equal(p->w->opened, 2);
    assert_int_equal(world_call(p->w, other, NULL, &why), 200);
    assert_int_equal(p->w->opened, 2);
    assert_int_equal(p->w->bad_refreshes, 0);
    tokens_source_free(other);
}

typedef struct {
    play_t *p;
    int status;
} caller_t;

static void *call(void *arg)
{
    caller_t *c = arg;
    client_failure_t why;
    c->status = world_call(c->p->w, c->p->s, NULL, &why);
    return NULL;
}

static void all_call_at_once(play_t *p)
{
    pthread_t threads[THREADS];
    caller_t callers[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        callers[i] = (caller_t){p, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, call, &callers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(callers[i].status, 200);
    }
}

static void of_many_threads_one_signs_in_and_one_refreshes(void **state)
{
    play_t *p = *state;
    play_begin(p);
    all_call_at_once(p);
    assert_int_equal(p->w->opened, 1);
    for (unsigned i = 1; i <= ROUNDS_TOGETHER; i++) {
        if (i % 2)
            pass(p);
        else
            p->w->tokens[p->w->n_tokens - 1].access_live = false;
        all_call_at_once(p);
        assert_int_equal(p->w->refreshes, i);
    }
    assert_int_equal(p->w->bad_refreshes, 0);
    assert_int_equal(p->w->opened, 1);
}

static void threads_share_a_failure(void **state)
{
    play_t *p = *state;
    pthread_t threads[THREADS];
    caller_t callers[THREADS];
    p->w->declines = true;
    play_begin(p);
    for (size_t i = 0; i < THREADS; i++) {
        callers[i] = (caller_t){p, -1};
        assert_int_equal(pthread_create(&threads[i], NULL, call, &callers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(callers[i].status, 0);
    }
    assert_int_equal(p->w->opened, 1);
}

/* One round in a process of its own: 0 if its call went well. */
static int child(world_t *w, const char *folder, int ready, int go)
{
    arena_t *a = arena_new(TEST_ARENA_BYTES);
    tokens_folder_t *f;
    tokens_source_t *s;
    client_failure_t why;
    str_t sentence;
    char byte = 0;
    if (!a || tokens_folder_open(a, str_c(folder), &f, &sentence) != RC_OK)
        return 2;
    tokens_config_t config = world_config(w, tokens_folder_keep(f));
    if (tokens_source_new(&config, &s) != RC_OK || write(ready, &byte, 1) != 1 ||
        read(go, &byte, 1) != 1)
        return 3;
    int status = world_call(w, s, NULL, &why);
    tokens_source_free(s);
    tokens_folder_close(f);
    arena_free(a);
    return status == 200 ? 0 : 4;
}

static void all_processes_call_at_once(world_t *w, const char *folder)
{
    int ready[2], go[2], status;
    pid_t pids[PROCESSES];
    char bytes[PROCESSES] = {0};
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(go), 0);
    for (size_t i = 0; i < PROCESSES; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            _exit(child(w, folder, ready[1], go[0]));
    }
    for (size_t i = 0; i < PROCESSES; i++)
        assert_int_equal(read(ready[0], bytes, 1), 1);
    assert_int_equal(write(go[1], bytes, PROCESSES), PROCESSES);
    for (size_t i = 0; i < PROCESSES; i++) {
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    for (size_t i = 0; i < 2; i++) {
        close(ready[i]);
        close(go[i]);
    }
}

static void of_many_processes_one_signs_in_and_one_refreshes(void **state)
{
    (void)state;
    world_t *w = world_new();
    char *folder = tokens_test_folder();
    all_processes_call_at_once(w, folder);
    assert_int_equal(w->opened, 1);
    for (unsigned i = 1; i <= ROUNDS_TOGETHER; i++) {
        w->now += w->lifetime;
        all_processes_call_at_once(w, folder);
        assert_int_equal(w->refreshes, i);
    }
    assert_int_equal(w->bad_refreshes, 0);
    assert_int_equal(w->opened, 1);
    tokens_test_folder_remove(folder);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAY_TEST(a_token_that_has_ended_is_refreshed_without_anybody),
        PLAY_TEST(a_kept_record_is_enough_for_a_refresh),
        PLAY_TEST(a_token_that_the_server_ends_early_is_refreshed),
        PLAY_TEST(refresh_goes_on_and_on),
        PLAY_TEST(a_dead_refresh_token_leads_to_a_sign_in),
        PLAY_TEST(a_dead_refresh_token_without_a_person),
        PLAY_TEST(a_refreshed_token_that_is_refused_leads_to_a_sign_in),
        PLAY_TEST(an_outage_loses_nothing_and_makes_no_storm),
        PLAY_TEST(a_server_error_loses_nothing),
        PLAY_TEST(old_metadata_is_fetched_again_before_a_refresh),
        PLAY_TEST(a_token_that_lives_shortly_serves_more_than_once),
        PLAY_TEST(sign_out_forgets_even_where_nothing_is_revoked),
        PLAY_TEST(what_another_run_refreshed_is_taken),
        PLAY_TEST(nobody_signs_out_what_another_run_signed_in),
        PLAY_TEST(of_many_threads_one_signs_in_and_one_refreshes),
        PLAY_TEST(threads_share_a_failure),
        cmocka_unit_test(of_many_processes_one_signs_in_and_one_refreshes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
