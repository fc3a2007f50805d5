#include "rs/rs_test_world.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "core/limits.h"
#include "rs/check.h"

#define W_ASK "https://as.test/introspect"

/* What the server says of "handle". */
#define SAYS(more)                                                                                 \
    "{\"active\":true,\"iss\":\"" W_ISSUER "\",\"sub\":\"alice\",\"client_id\":\"c1\",\"jti\":"    \
    "\"f1.j1\",\"aud\":\"" W_RESOURCE "\",\"iat\":1700000000,\"exp\":1700000600,\"scope\":"        \
    "\"files:read\"" more "}"
#define GOOD     SAYS("")
#define INACTIVE "{\"active\":false}"

typedef struct {
    world_t *w;
    pthread_mutex_t lock;
    unsigned posts;
    const char *answer; /* of the handle; NULL: none */
    char url[128], authorization[128], form[4096];
    bool slow;
    bool flooded; /* while it answers, a stranger comes with another token, always */
} asked_t;

static asked_t *server; /* whom the port of the test asks */

static int64_t post(void *ctx, const char *url, const char *authorization, const char *form,
                    char *body, size_t cap)
{
    (void)ctx;
    if (server->slow)
        usleep(20000);
    pthread_mutex_lock(&server->lock);
    server->posts++;
    snprintf(server->url, sizeof server->url, "%s", url);
    snprintf(server->authorization, sizeof server->authorization, "%s", authorization);
    snprintf(server->form, sizeof server->form, "%s", form);
    bool known = strstr(form, "&token=handle") != NULL;
    const char *answer = !server->answer || known ? server->answer : INACTIVE;
    pthread_mutex_unlock(&server->lock);
    size_t n = answer ? strlen(answer) : 0;
    if (server->flooded)
        world_ask_now(server->w, arena_printf(server->w->a, "made-up%u", server->posts).p, NULL);
    if (!answer || n > cap)
        return -1;
    memcpy(body, answer, n);
    return (int64_t)n;
}

static int setup(void **state)
{
    static asked_t asked;
    if (world_setup(state) != 0)
        return -1;
    world_t *w = *state;
    asked = (asked_t){.w = w, .answer = GOOD};
    pthread_mutex_init(&asked.lock, NULL);
    server = &asked;
    w->ports.post = post;
    w->servers[0].client_id = "the id";
    w->servers[0].client_secret = "s:ecret";
    w->servers[0].introspection_uri = W_ASK;
    world_open(w);
    return 0;
}

static int teardown(void **state)
{
    pthread_mutex_destroy(&server->lock);
    return world_teardown(state);
}

/* RFC 7662 section 2.2: sub is optional, and a machine's token is its own. */
static void a_token_of_nobody_is_its_client_s(void **state)
{
    world_t *w = *state;
    server->answer =
        "{\"active\":true,\"client_id\":\"c1\",\"exp\":1700000600,\"aud\":\"" W_RESOURCE "\"}";
    const warder_rs_verdict_t *v = world_ask(w, "handle", NULL);
    assert_allowed(v);
    assert_string_equal(v->sub, "c1");
    assert_string_equal(v->client_id, "c1");
    assert_string_equal(v->claims, server->answer);
    world_open(w);
    server->answer = "{\"active\":true,\"exp\":1700000600,\"aud\":\"" W_RESOURCE "\"}";
    assert_denied(world_ask(w, "handle", NULL), 401, "token_inactive");
}

static void an_active_token_says_who_it_is(void **state)
{
    world_t *w = *state;
    const warder_rs_verdict_t *v = world_ask(w, "handle", "files:read");
    assert_allowed(v);
    assert_string_equal(v->sub, "alice");
    assert_string_equal(v->client_id, "c1");
    assert_string_equal(v->jti, "f1.j1");
    assert_int_equal(v->exp, 1700000600);
    assert_int_equal(v->iat, 1700000000);
    assert_string_equal(server->url, W_ASK);
    assert_string_equal(server->authorization, "Basic dGhlK2lkOnMlM0FlY3JldA==");
    assert_string_equal(server->form, "token_type_hint=access_token&token=handle");
    assert_denied(world_ask(w, "handle", "files:write"), 403, "insufficient_scope");
    assert_int_equal(server->posts, 1); /* remembered */
}

static void an_answer_counts_for_a_while_and_never_longer_than_the_token(void **state)
{
    world_t *w = *state;
    assert_allowed(world_ask(w, "handle", NULL));
    server->answer = INACTIVE;
    world_pass(w, 9);
    assert_allowed(world_ask(w, "handle", NULL));
    world_pass(w, 1);
    assert_denied(world_ask(w, "handle", NULL), 401, "token_inactive");
    server->answer = GOOD;
    world_pass(w, 585); /* five seconds are left */
    assert_allowed(world_ask(w, "handle", NULL));
    server->answer = INACTIVE;
    world_pass(w, 5);
    assert_denied(world_ask(w, "handle", NULL), 401, "token_inactive");
}

static void what_stays_open_ends_with_its_token(void **state)
{
    world_t *w = *state;
    bool due;
    assert_allowed(world_ask(w, "handle", NULL));
    assert_int_equal(warder_rs_still(w->rs, "handle", &due), WARDER_RS_STILL);
    assert_false(due);
    assert_int_equal(server->posts, 1);
    server->answer = INACTIVE;
    world_pass(w, 10);
    assert_int_equal(warder_rs_still(w->rs, "handle", &due), WARDER_RS_UNSURE);
    assert_true(due);
    warder_rs_refresh(w->rs);
    assert_int_equal(warder_rs_still(w->rs, "handle", &due), WARDER_RS_ENDED);
    server->answer = NULL;
    world_pass(w, 10);
    assert_int_equal(warder_rs_still(w->rs, "handle", NULL), WARDER_RS_UNSURE);
    warder_rs_refresh(w->rs);
    assert_int_equal(warder_rs_still(w->rs, "handle", &due), WARDER_RS_UNSURE);
    assert_false(due); /* a server that is away is left alone for a while */
    assert_int_equal(warder_rs_still(w->rs, world_sign(w, &w->key, W_GOOD), &due),
                     WARDER_RS_STILL); /* a JWT ends by itself, or by a list */
}

static void what_is_not_active_is_asked_again_soon(void **state)
{
    world_t *w = *state;
    for (int i = 0; i < 5; i++)
        assert_denied(world_ask(w, "nobody", NULL), 401, "token_inactive");
    assert_int_equal(server->posts, 1);
    world_pass(w, 2);
    assert_denied(world_ask(w, "nobody", NULL), 401, "token_inactive");
    assert_int_equal(server->posts, 2);
    assert_allowed(world_ask(w, "handle", NULL));
}

/* What the server says is judged as a JWT would be. */
static void what_is_active_for_others_is_not_for_us(void **state)
{
    static const char *const BAD[] = {
        "{\"active\":true}",
        "{\"active\":true,\"sub\":\"alice\",\"exp\":1700000600}", /* for whom? */
        "{\"active\":true,\"sub\":\"alice\",\"exp\":1700000600,\"aud\":\"https://other.test\"}",
        "{\"active\":true,\"sub\":\"alice\",\"exp\":1,\"aud\":\"" W_RESOURCE "\"}",
        "{\"active\":true,\"sub\":\"alice\",\"aud\":\"" W_RESOURCE "\"}", /* without an end */
        "{\"active\":true,\"exp\":1700000600,\"aud\":\"" W_RESOURCE "\"}",
        "{\"active\":true,\"iss\":\"https://evil.test\",\"sub\":\"alice\",\"exp\":1700000600,"
        "\"aud\":\"" W_RESOURCE "\"}",
        SAYS(",\"cnf\":{\"x5t#S256\":\"x\"}"),
    };
    world_t *w = *state;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        server->answer = BAD[i];
        world_open(w);
        assert_denied(world_ask(w, "handle", NULL), 401, "token_inactive");
    }
    server->answer =
        "{\"active\":true,\"sub\":\"alice\",\"exp\":1700000600,\"aud\":[\"" W_RESOURCE "\"]}";
    world_open(w);
    assert_allowed(world_ask(w, "handle", NULL)); /* iss may be left out */
}

/* Fail closed: without an answer nobody is let in, and nobody waits for a server that is away. */
static void without_an_answer_nobody_is_let_in(void **state)
{
    static const char *const NONE[] = {NULL, "", "<html>", "[]", "{}", "{\"active\":\"true\"}"};
    world_t *w = *state;
    for (size_t i = 0; i < sizeof NONE / sizeof *NONE; i++) {
        server->answer = NONE[i];
        world_open(w);
        unsigned before = server->posts;
        for (int k = 0; k < 5; k++) {
            const warder_rs_verdict_t *v = world_ask(w, "handle", NULL);
            assert_denied(v, 503, "introspection_away");
            assert_int_equal(v->outcome, WARDER_RS_DENY);
            assert_true(v->retry_after_s > 0);
        }
        assert_int_equal(server->posts, before + 1);
        server->answer = GOOD;
        world_pass(w, 1);
        assert_allowed(world_ask(w, "handle", NULL));
        world_pass(w, -1);
    }
}

static void without_blocking_a_refresh_is_asked_for(void **state)
{
    world_t *w = *state;
    assert_int_equal(world_ask_now(w, "handle", NULL)->outcome, WARDER_RS_NEED_KEYS);
    assert_int_equal(server->posts, 0);
    warder_rs_refresh(w->rs);
    assert_allowed(world_ask_now(w, "handle", NULL));
}

static void questions_are_bounded(void **state)
{
    world_t *w = *state;
    for (int i = 0; i < LIMIT_RS_QUESTIONS; i++)
        assert_int_equal(world_ask_now(w, arena_printf(w->a, "h%d", i).p, NULL)->outcome,
                         WARDER_RS_NEED_KEYS);
    assert_denied(world_ask_now(w, "handle", NULL), 503, "introspection_away");
    warder_rs_refresh(w->rs);
    assert_int_equal(server->posts, LIMIT_RS_QUESTIONS);
    assert_allowed(world_ask(w, "handle", NULL));
}

/* Of ten thousand streams that are looked at together, and of as many callers, none waits for the
 * others. */
static void streams_and_callers_keep_no_place_from_each_other(void **state)
{
    world_t *w = *state;
    bool due, full;
    for (int i = 0; i < 4 * LIMIT_RS_QUESTIONS; i++) {
        str_t token = arena_printf(w->a, "s%d", i);
        assert_int_equal(rs_check_still(w->rs, w->a, token, &due, &full), WARDER_RS_UNSURE);
        assert_true(due);
        assert_int_equal(full, i >= LIMIT_RS_QUESTIONS / 2);
    }
    for (int i = 0; i < LIMIT_RS_QUESTIONS; i++)
        assert_int_equal(world_ask_now(w, arena_printf(w->a, "h%d", i).p, NULL)->outcome,
                         WARDER_RS_NEED_KEYS);
    assert_denied(world_ask_now(w, "handle", NULL), 503, "introspection_away");
    warder_rs_refresh(w->rs);
    assert_int_equal(server->posts, LIMIT_RS_QUESTIONS * 3 / 2);
    for (int i = 0; i < LIMIT_RS_QUESTIONS; i++)
        world_ask_now(w, arena_printf(w->a, "i%d", i).p, NULL);
    assert_int_equal(rs_check_still(w->rs, w->a, STR("late"), &due, &full), WARDER_RS_UNSURE);
    assert_false(full);
}

static void made_up_tokens_hold_up_nobody(void **state)
{
    world_t *w = *state;
    server->flooded = true;
    assert_int_equal(world_ask_now(w, "first", NULL)->outcome, WARDER_RS_NEED_KEYS);
    assert_allowed(world_ask(w, "handle", NULL));
    assert_true(server->posts <= 2 * LIMIT_RS_QUESTIONS);
    server->flooded = false;
}

/* The server would refuse its form, and seem to be away for everybody. */
static void an_overlong_token_is_none(void **state)
{
    world_t *w = *state;
    char text[LIMIT_RS_OPAQUE_BYTES + 2] = {0};
    memset(text, '/', LIMIT_RS_OPAQUE_BYTES + 1);
    assert_denied(world_ask(w, text, NULL), 401, "jws_parts");
    assert_int_equal(server->posts, 0);
    text[LIMIT_RS_OPAQUE_BYTES] = '\0';
    assert_denied(world_ask(w, text, NULL), 401, "token_inactive");
    assert_int_equal(server->posts, 1);
}

static void the_list_of_revocations_ends_it_sooner(void **state)
{
    world_t *w = *state;
    revoked_t r = {.seq = 1, .kind = REVOKED_GRANT, .key = STR("f1"), .at = W_NOW_S};
    str_t none, one;
    assert_int_equal(oauth_revocation_list_write(w->a, 0, NULL, 0, &none), RC_OK);
    assert_int_equal(oauth_revocation_list_write(w->a, 0, &r, 1, &one), RC_OK);
    w->servers[0].revocations_uri = "https://as.test/revocations";
    world_page(w, "https://as.test/revocations?since=0", none);
    world_open(w);
    assert_allowed(world_ask(w, "handle", NULL));
    world_page(w, "https://as.test/revocations?since=0", one);
    world_pass(w, 2);
    assert_denied(world_ask(w, "handle", NULL), 401, "token_revoked");
    assert_int_equal(server->posts, 1);
}

static void the_place_is_found_in_the_metadata(void **state)
{
    world_t *w = *state;
    w->servers[0].introspection_uri = NULL;
    world_page(w, W_METADATA,
               STR("{\"issuer\":\"" W_ISSUER "\",\"jwks_uri\":\"" W_JWKS
                   "\",\"introspection_endpoint\":\"https://as.test/ask\"}"));
    world_open(w);
    assert_allowed(world_ask(w, "handle", NULL));
    assert_string_equal(server->url, "https://as.test/ask");
}

static void a_jwt_is_not_asked_about(void **state)
{
    world_t *w = *state;
    assert_allowed(world_ask(w, world_sign(w, &w->key, W_GOOD), NULL));
    assert_denied(world_ask(w, "a.b.c", NULL), 401, "jws_base64");
    assert_int_equal(server->posts, 0);
}

static void without_a_registration_opaque_tokens_are_refused(void **state)
{
    world_t *w = *state;
    w->servers[0].client_id = w->servers[0].client_secret = NULL;
    w->servers[0].introspection_uri = NULL;
    world_open(w);
    assert_denied(world_ask(w, "handle", NULL), 401, "jws_parts");
    assert_int_equal(server->posts, 0);
}

static void settings_that_do_not_fit_are_refused(void **state)
{
    static const struct {
        const char *id, *secret, *uri;
        const char *says;
    } BAD[] = {
        {"id", NULL, NULL, "come together"},
        {NULL, "secret", NULL, "come together"},
        {NULL, NULL, W_ASK, "come together"},
        {"id", "secret", "http://as.test/introspect", "introspection_uri"},
    };
    world_t *w = *state;
    char why[256];
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        w->servers[0].client_id = BAD[i].id;
        w->servers[0].client_secret = BAD[i].secret;
        w->servers[0].introspection_uri = BAD[i].uri;
        assert_null(warder_rs_new(&w->config, why, sizeof why));
        assert_non_null(strstr(why, BAD[i].says));
    }
    w->servers[0].introspection_uri = W_ASK;
    w->ports.post = NULL;
    assert_null(warder_rs_new(&w->config, why, sizeof why));
    assert_non_null(strstr(why, "port post"));
}

enum { CALLERS = 16 };

static void *call(void *arg)
{
    world_t *w = arg;
    const char *value = "Bearer handle";
    warder_rs_request_t req = {.headers = &value, .header_count = 1};
    warder_rs_verdict_t *v = warder_rs_check(w->rs, &req);
    bool allowed = v && v->outcome == WARDER_RS_ALLOW;
    warder_rs_verdict_free(v);
    return allowed ? w : NULL;
}

static void threads_share_one_question(void **state)
{
    world_t *w = *state;
    pthread_t threads[CALLERS];
    warder_rs_refresh(w->rs);
    server->slow = true;
    for (int i = 0; i < CALLERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, call, w), 0);
    for (int i = 0; i < CALLERS; i++) {
        void *allowed;
        pthread_join(threads[i], &allowed);
        assert_non_null(allowed);
    }
    assert_true(server->posts <= 2);
}

#define ASK_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ASK_TEST(a_token_of_nobody_is_its_client_s),
        ASK_TEST(an_active_token_says_who_it_is),
        ASK_TEST(an_answer_counts_for_a_while_and_never_longer_than_the_token),
        ASK_TEST(what_stays_open_ends_with_its_token),
        ASK_TEST(what_is_not_active_is_asked_again_soon),
        ASK_TEST(what_is_active_for_others_is_not_for_us),
        ASK_TEST(without_an_answer_nobody_is_let_in),
        ASK_TEST(without_blocking_a_refresh_is_asked_for),
        ASK_TEST(questions_are_bounded),
        ASK_TEST(streams_and_callers_keep_no_place_from_each_other),
        ASK_TEST(made_up_tokens_hold_up_nobody),
        ASK_TEST(an_overlong_token_is_none),
        ASK_TEST(the_list_of_revocations_ends_it_sooner),
        ASK_TEST(the_place_is_found_in_the_metadata),
        ASK_TEST(a_jwt_is_not_asked_about),
        ASK_TEST(without_a_registration_opaque_tokens_are_refused),
        ASK_TEST(settings_that_do_not_fit_are_refused),
        ASK_TEST(threads_share_one_question),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
