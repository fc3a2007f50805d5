/* attack case: OPS-004. The n-th call of the store fails, n = 1, 2, … until a request passes
 * without: each answers 503 and has done nothing, so that the same request is good afterwards. */
#include "as/as_test_browser.h"

enum { CALLS_MAX = 40 };

/* A request that can be made anew. */
typedef struct {
    const char *name;
    str_t (*make)(world_t *w, browser_t *b); /* with a store that works */
} way_t;

static str_t posted(world_t *w, const char *path, const char *headers, str_t form)
{
    return world_request(w, "POST", str_c(path), headers, form);
}

static str_t machine(world_t *w, browser_t *b)
{
    str_t headers = arena_printf(w->a, W_FORM "%s", world_basic(w, W_MACHINE, W_SECRET));
    return posted(w, "/token", arena_cstr(w->a, headers), STR("grant_type=client_credentials"));
}

static str_t authorize(world_t *w, browser_t *b)
{
    return browser_request(b, "GET", authorize_target(w, W_PUBLIC, ""), STR_UNSET);
}

static str_t decide(world_t *w, browser_t *b)
{
    str_t page = browser_to_consent(b, W_PUBLIC, "&prompt=consent");
    return browser_request(b, "POST", STR("/consent"), decision_form(w, page, "approve"));
}

static str_t redeem(world_t *w, browser_t *b)
{
    str_t code = browser_walk(b, W_PUBLIC, "");
    return posted(w, "/token", W_FORM, code_form(w, W_PUBLIC, code));
}

static str_t refresh(world_t *w, browser_t *b)
{
    tokens_t t = world_grant(w);
    return posted(w, "/token", W_FORM, refresh_form(w, W_PUBLIC, t.refresh));
}

static str_t revoke(world_t *w, browser_t *b)
{
    tokens_t t = world_grant(w);
    str_t form = arena_printf(w->a, "token=%" PRIstr "&client_id=" W_PUBLIC, STR_ARG(t.refresh));
    return posted(w, "/revoke", W_FORM, form);
}

static const way_t WAYS[] = {
    {"machine", machine}, {"authorize", authorize}, {"decide", decide},
    {"redeem", redeem},   {"refresh", refresh},     {"revoke", revoke},
};

static const rc_t FAILURES[] = {RC_IO, RC_BUSY, RC_MEMORY};

static void fail_at(world_t *w, bool asks, rc_t rc, unsigned n)
{
    w->faults = (faults_t){0};
    if (asks) {
        w->faults.ask = rc;
        w->faults.ask_ok = n;
    } else {
        w->faults.apply = rc;
        w->faults.apply_ok = n;
    }
}

/* A page or an answer, or the way back to the client. */
static void assert_good(const way_t *way, const answer_t *r)
{
    if (r->status != 200 && r->status != 303)
        fail_msg("%s: status %d: %" PRIstr, way->name, r->status, STR_ARG(r->body));
}

/* False: it passed without coming to the n-th call. */
static bool pass_under(world_t *w, browser_t *b, const way_t *way, bool asks, rc_t rc, unsigned n)
{
    str_t request = way->make(w, b);
    fail_at(w, asks, rc, n);
    answer_t r = world_ask(w, request);
    bool struck = (asks ? w->faults.asks : w->faults.applies) > n;
    w->faults = (faults_t){0};
    if (!struck) {
        assert_good(way, &r);
        return false;
    }
    assert_status(r, 503);
    assert_true(str_is_set(answer_header(&r, "retry-after")));
    assert_false(str_is_set(answer_header(&r, "location")));
    assert_false(str_contains(r.body, STR("_token\":")));
    r = world_ask(w, request);
    assert_good(way, &r);
    return true;
}

static void pass_under_all(world_t *w, bool asks)
{
    browser_t b = browser_new(w);
    browser_sign_in(&b);
    for (size_t i = 0; i < sizeof WAYS / sizeof WAYS[0]; i++)
        for (size_t k = 0; k < sizeof FAILURES / sizeof FAILURES[0]; k++) {
            unsigned n = 0;
            while (pass_under(w, &b, &WAYS[i], asks, FAILURES[k], n))
                assert_true(++n < CALLS_MAX);
            /* A machine's token is remembered nowhere. */
            assert_true(n > 0 || (!asks && WAYS[i].make == machine));
        }
}

static void each_question_that_fails_is_503_and_does_nothing(void **state)
{
    pass_under_all(*state, true);
}

static void each_decision_that_fails_is_503_and_does_nothing(void **state)
{
    pass_under_all(*state, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(each_question_that_fails_is_503_and_does_nothing),
        WORLD_TEST(each_decision_that_fails_is_503_and_does_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
