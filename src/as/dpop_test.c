/* Proofs of possession at the token endpoint, over the real store. */
#include "as/as_test_browser.h"

#include "core/b64.h"
#include "core/limits.h"
#include "oauth/oauth_test_dpop.h"

#define TOKEN_URL W_ISSUER "/token"
#define MACHINE   STR("grant_type=client_credentials&scope=files:write")

typedef struct {
    world_t *w;
    jwk_t key;
} play_t;

static play_t begin(void **state)
{
    play_t p = {.w = *state};
    p.key = dpop_test_key(p.w->a, ALG_ES256);
    return p;
}

static int64_t now(const play_t *p)
{
    return p->w->ms / 1000;
}

static str_t proof_with(play_t *p, const char *more)
{
    return dpop_test_good(p->w->a, &p->key, TOKEN_URL, now(p), more);
}

/* The header lines of a request with this proof. */
static const char *lines(play_t *p, const char *others, str_t proof)
{
    return arena_printf(p->w->a, "%sDPoP: %" PRIstr "\r\n", others, STR_ARG(proof)).p;
}

static answer_t machine(play_t *p, str_t proof)
{
    return world_post(p->w, "/token", lines(p, world_basic(p->w, W_MACHINE, W_SECRET), proof),
                      MACHINE);
}

static const json_t *claims(play_t *p, const answer_t *r)
{
    const json_t *json;
    str_t payload, part, rest = json_get_str(answer_json(p->w, r), STR("access_token"));
    assert_true(str_split(&rest, '.', &part) && str_split(&rest, '.', &part));
    assert_ok(b64url_decode(p->w->a, part, &payload));
    assert_ok(json_parse(p->w->a, payload, &JSON_LIMITS_DEFAULT, &json));
    return json;
}

static void assert_bound(play_t *p, const answer_t *r)
{
    assert_status(*r, 200);
    assert_text(json_get_str(answer_json(p->w, r), STR("token_type")), "DPoP");
    assert_str(json_get_str(json_get(claims(p, r), STR("cnf")), STR("jkt")),
               dpop_test_jkt(p->w->a, &p->key));
}

static void assert_refused(play_t *p, const answer_t *r, const char *error, const char *reason)
{
    assert_status(*r, 400);
    assert_str(answer_error(p->w, r), str_c(error));
    assert_str(json_get_str(trail_last(p->w), STR("reason")), str_c(reason));
}

static void control(play_t *p)
{
    answer_t r = machine(p, proof_with(p, ""));
    assert_bound(p, &r);
}

static void a_proof_binds_and_counts_once(void **state)
{
    play_t p = begin(state);
    str_t proof = proof_with(&p, "");
    answer_t r = machine(&p, proof);
    assert_bound(&p, &r);
    assert_false(str_is_set(answer_header(&r, "dpop-nonce")));
    r = machine(&p, proof);
    assert_refused(&p, &r, "invalid_dpop_proof", "dpop_replayed");
    world_restart(p.w, NULL, NULL); /* what was used stays used */
    r = machine(&p, proof);
    assert_refused(&p, &r, "invalid_dpop_proof", "dpop_replayed");
    assert_false(str_contains(trail_text(p.w), proof));
    control(&p);
}

static void a_bad_proof_spends_nothing(void **state)
{
    play_t p = begin(state);
    browser_t b = browser_new(p.w);
    str_t code = browser_walk(&b, W_PUBLIC, "");
    str_t bad = dpop_test_good(p.w->a, &p.key, "https://evil.test/token", now(&p), "");
    answer_t r = world_post(p.w, "/token", lines(&p, "", bad), code_form(p.w, W_PUBLIC, code));
    assert_refused(&p, &r, "invalid_dpop_proof", "dpop_url");
    const char *spoofed = "X-Forwarded-Host: evil.test\r\nForwarded: host=evil.test\r\n";
    r = world_post(p.w, "/token", lines(&p, spoofed, bad), code_form(p.w, W_PUBLIC, code));
    assert_refused(&p, &r, "invalid_dpop_proof", "dpop_url");
    r = world_post(p.w, "/token", lines(&p, spoofed, proof_with(&p, "")),
                   code_form(p.w, W_PUBLIC, code));
    assert_bound(&p, &r);
}

static answer_t refresh(play_t *p, str_t token, str_t proof)
{
    const char *headers = str_is_set(proof) ? lines(p, "", proof) : "";
    return world_post(p->w, "/token", headers, refresh_form(p->w, W_PUBLIC, token));
}

/* attack case: ADP-003 */
static void a_bound_grant_lives_with_its_key_alone(void **state)
{
    play_t p = begin(state);
    browser_t b = browser_new(p.w);
    str_t code = browser_walk(&b, W_PUBLIC, "");
    answer_t r = world_post(p.w, "/token", lines(&p, "", proof_with(&p, "")),
                            code_form(p.w, W_PUBLIC, code));
    assert_bound(&p, &r);
    str_t token = json_get_str(answer_json(p.w, &r), STR("refresh_token"));
    jwk_t own = p.key;
    p.key = dpop_test_key(p.w->a, ALG_ES256);
    r = refresh(&p, token, proof_with(&p, ""));
    assert_refused(&p, &r, "invalid_grant", "refresh_other_key");
    r = refresh(&p, token, STR_UNSET);
    assert_refused(&p, &r, "invalid_dpop_proof", "dpop_missing");
    p.key = own;
    for (int i = 0; i < 3; i++) { /* it does not rotate, and its idle end moves */
        world_pass(p.w, p.w->conf->refresh_token_idle - 1);
        r = refresh(&p, token, proof_with(&p, ""));
        assert_bound(&p, &r);
        assert_false(str_is_set(json_get_str(answer_json(p.w, &r), STR("refresh_token"))));
    }
    world_pass(p.w, p.w->conf->refresh_token_idle);
    r = refresh(&p, token, proof_with(&p, ""));
    assert_refused(&p, &r, "invalid_grant", "refresh_expired");
}

static void bound_tokens_rotate_where_that_is_set(void **state)
{
    play_t p = begin(state);
    world_restart(p.w, "refresh_rotate_bound", "true");
    browser_t b = browser_new(p.w);
    str_t code = browser_walk(&b, W_PUBLIC, "");
    answer_t r = world_post(p.w, "/token", lines(&p, "", proof_with(&p, "")),
                            code_form(p.w, W_PUBLIC, code));
    str_t token = json_get_str(answer_json(p.w, &r), STR("refresh_token"));
    r = refresh(&p, token, proof_with(&p, ""));
    assert_bound(&p, &r);
    assert_true(str_is_set(json_get_str(answer_json(p.w, &r), STR("refresh_token"))));
}

/* attack case: ADP-002 */
static void a_code_goes_to_the_key_it_was_asked_for(void **state)
{
    play_t p = begin(state);
    browser_t b = browser_new(p.w);
    str_t jkt = dpop_test_jkt(p.w->a, &p.key);
    str_t more = arena_printf(p.w->a, "&dpop_jkt=%" PRIstr, STR_ARG(jkt));
    str_t form = code_form(p.w, W_PUBLIC, browser_walk(&b, W_PUBLIC, more.p));
    jwk_t own = p.key;
    p.key = dpop_test_key(p.w->a, ALG_ES256);
    answer_t r = world_post(p.w, "/token", lines(&p, "", proof_with(&p, "")), form);
    assert_refused(&p, &r, "invalid_grant", "code_other_key");
    r = world_post(p.w, "/token", "", form);
    assert_refused(&p, &r, "invalid_grant", "code_other_key");
    p.key = own;
    r = world_post(p.w, "/token", lines(&p, "", proof_with(&p, "")), form);
    assert_bound(&p, &r);
}

/* attack case: ADP-004 */
static void a_nonce_is_asked_for_where_that_is_set(void **state)
{
    play_t p = begin(state);
    world_restart(p.w, "dpop_nonce", "true");
    answer_t r = machine(&p, proof_with(&p, ""));
    assert_refused(&p, &r, "use_dpop_nonce", "dpop_nonce_missing");
    str_t nonce = answer_header(&r, "dpop-nonce");
    assert_true(
        str_contains(answer_header(&r, "access-control-expose-headers"), STR("DPoP-Nonce")));
    str_t more = arena_printf(p.w->a, ",\"nonce\":\"%" PRIstr "\"", STR_ARG(nonce));
    r = machine(&p, proof_with(&p, more.p));
    assert_bound(&p, &r);
    assert_true(str_is_set(answer_header(&r, "dpop-nonce")));
    world_pass(p.w, LIMIT_DPOP_NONCE_S + 1);
    r = machine(&p, proof_with(&p, more.p));
    assert_refused(&p, &r, "use_dpop_nonce", "dpop_nonce_stale");
    nonce = answer_header(&r, "dpop-nonce");
    more = arena_printf(p.w->a, ",\"nonce\":\"%" PRIstr "\"", STR_ARG(nonce));
    r = machine(&p, proof_with(&p, more.p));
    assert_bound(&p, &r);
}

/* A proof is looked at once the client is known: the nonce shows whether it was. Else strangers had
 * signatures checked before anything counts them. */
static void a_stranger_s_proof_is_not_looked_at(void **state)
{
    static const char *const STRANGERS[][2] = {
        {W_MACHINE, "wrong"}, {"made-up", W_SECRET}, {W_PUBLIC, W_SECRET}};
    play_t p = begin(state);
    world_restart(p.w, "dpop_nonce", "true");
    for (size_t i = 0; i < sizeof STRANGERS / sizeof STRANGERS[0]; i++) {
        str_t all = arena_printf(p.w->a, "%sDPoP: %" PRIstr "\r\n",
                                 world_basic(p.w, STRANGERS[i][0], STRANGERS[i][1]),
                                 STR_ARG(proof_with(&p, "")));
        answer_t r = world_post(p.w, "/token", arena_cstr(p.w->a, all), MACHINE);
        assert_status(r, 401);
        assert_text(answer_error(p.w, &r), "invalid_client");
        assert_false(str_is_set(answer_header(&r, "dpop-nonce")));
    }
    answer_t r = machine(&p, proof_with(&p, ""));
    assert_refused(&p, &r, "use_dpop_nonce", "dpop_nonce_missing");
    assert_true(str_is_set(answer_header(&r, "dpop-nonce")));
}

/* attack case: ADP-005 */
static void when_nothing_can_be_remembered_nothing_is_taken(void **state)
{
    enum { ROOM = 100 };
    play_t p = begin(state);
    world_restart(p.w, "spent_max", "100");
    str_t first = proof_with(&p, "");
    answer_t r = machine(&p, first);
    assert_bound(&p, &r);
    for (int i = 1; i < ROOM; i++)
        control(&p);
    r = machine(&p, proof_with(&p, ""));
    assert_status(r, 503);
    assert_text(answer_error(p.w, &r), "temporarily_unavailable");
    assert_true(str_is_set(answer_header(&r, "retry-after")));
    r = machine(&p, first);
    assert_status(r, 503); /* nor does a replay get through */
    answer_t bearer = world_post(p.w, "/token", world_basic(p.w, W_MACHINE, W_SECRET), MACHINE);
    assert_status(bearer, 200); /* who brings no proof is not held up */
}

static void required_of_all(void **state)
{
    play_t p = begin(state);
    world_restart(p.w, "dpop", "required");
    answer_t r = world_post(p.w, "/token", world_basic(p.w, W_MACHINE, W_SECRET), MACHINE);
    assert_refused(&p, &r, "invalid_dpop_proof", "dpop_missing");
    control(&p);
}

static void off_means_not_read(void **state)
{
    play_t p = begin(state);
    world_restart(p.w, "dpop", "off");
    answer_t r = machine(&p, STR("nonsense"));
    assert_status(r, 200);
    assert_text(json_get_str(answer_json(p.w, &r), STR("token_type")), "Bearer");
    r = world_get(p.w, "/.well-known/oauth-authorization-server");
    assert_false(str_contains(r.body, STR("dpop")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_proof_binds_and_counts_once),
        WORLD_TEST(a_bad_proof_spends_nothing),
        WORLD_TEST(a_bound_grant_lives_with_its_key_alone),
        WORLD_TEST(bound_tokens_rotate_where_that_is_set),
        WORLD_TEST(a_code_goes_to_the_key_it_was_asked_for),
        WORLD_TEST(a_nonce_is_asked_for_where_that_is_set),
        WORLD_TEST(a_stranger_s_proof_is_not_looked_at),
        WORLD_TEST(when_nothing_can_be_remembered_nothing_is_taken),
        WORLD_TEST(required_of_all),
        WORLD_TEST(off_means_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
