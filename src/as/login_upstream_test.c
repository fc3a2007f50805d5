#include "as/as_test_browser.h"

#include "jose/jws.h"

#define OP   "https://op.test"
#define META OP "/.well-known/openid-configuration"
#define DOCUMENT                                                                                   \
    "{\"issuer\":\"" OP "\",\"authorization_endpoint\":\"" OP "/authorize\","                      \
    "\"token_endpoint\":\"" OP "/token\",\"jwks_uri\":\"" OP "/jwks\"}"

/* A provider as a table, whose key the test has. */
typedef struct {
    world_t *w;
    http_fetch_fake_row_t rows[3];
    jwk_t key;
    signer_local_t *local;
} provider_t;

enum { META_ROW, KEYS_ROW, TOKEN_ROW };

static void free_key(void *key)
{
    jose_key_free(key);
}

static void free_signer(void *local)
{
    signer_local_free(local);
}

static const char *public_keys(world_t *w, jwk_t *key)
{
    str_t out;
    const jwks_t set = {key, 1, 0};
    buf_t b = buf_new(w->a, 4096);
    json_writer_t writer = json_writer(&b);
    assert_ok(jwks_write(w->a, &writer, &set));
    assert_ok(buf_done(&b, &out));
    return arena_cstr(w->a, out);
}

static void configure(world_t *w)
{
    conf_t *conf = ARENA_NEW(w->a, conf_t);
    assert_non_null(conf);
    *conf = *w->conf;
    conf->login_issuer = STR(OP);
    conf->login_client_id = STR("warder");
    conf->login_scopes = STR("openid");
    w->as->conf = conf;
}

static provider_t *provider_new(world_t *w)
{
    provider_t *p = ARENA_NEW(w->a, provider_t);
    assert_non_null(p);
    configure(w);
    p->w = w;
    p->key = (jwk_t){.alg = ALG_ES256, .kid = STR("k")};
    assert_ok(jose_key_generate(ALG_ES256, &p->key.key));
    assert_ok(arena_cleanup(w->a, free_key, p->key.key));
    const jwks_t set = {&p->key, 1, 0};
    assert_ok(signer_local_new(&set, &p->local));
    assert_ok(arena_cleanup(w->a, free_signer, p->local));
    p->rows[META_ROW] = (http_fetch_fake_row_t){META, 200, "application/json", DOCUMENT};
    p->rows[KEYS_ROW] =
        (http_fetch_fake_row_t){OP "/jwks", 200, "application/json", public_keys(w, &p->key)};
    p->rows[TOKEN_ROW] = (http_fetch_fake_row_t){OP "/token", 400, "application/json", "{}"};
    w->web.rows = p->rows;
    w->web.n = 3;
    return p;
}

/* From now on the code gives an ID token for that sign-in. */
static void provider_vouches(provider_t *p, const char *sub, str_t nonce)
{
    str_t token;
    world_t *w = p->w;
    const signer_port_t signer = signer_local_port(p->local);
    const long long now = (long long)(atomic_load(&w->ms) / 1000);
    const jws_sign_t what = {
        ALG_ES256, STR("k"), STR_UNSET,
        arena_printf(w->a,
                     "{\"iss\":\"" OP "\",\"aud\":\"warder\",\"sub\":\"%s\",\"iat\":%lld,"
                     "\"exp\":%lld,\"nonce\":\"%" PRIstr "\",\"preferred_username\":\"Dana\"}",
                     sub, now, now + 300, STR_ARG(nonce))};
    assert_ok(jws_sign(w->a, &signer, &what, &token));
    p->rows[TOKEN_ROW].status = 200;
    p->rows[TOKEN_ROW].body =
        arena_cstr(w->a, arena_printf(w->a, "{\"id_token\":\"%" PRIstr "\"}", STR_ARG(token)));
}

/* A sign-in under way: the cookie, and the answer's state and nonce. */
typedef struct {
    str_t cookie, state, nonce;
} begun_t;

static str_t cookie_of(world_t *w, const answer_t *r, const char *name)
{
    for (size_t i = 0; i < r->headers.n; i++) {
        const http_header_t *h = &r->headers.v[i];
        str_t start = arena_printf(w->a, "%s=", name);
        if (str_eq_nocase(h->name, STR("set-cookie")) && str_starts(h->value, start)) {
            str_t value = str_skip(h->value, start.n);
            return arena_dup(w->a, str_first(value, str_find(value, ';', 0)));
        }
    }
    return STR_UNSET;
}

static answer_t press(browser_t *b)
{
    answer_t shown = browser_get(b, STR("/login"));
    assert_status(shown, 200);
    return browser_post(b, "/login/elsewhere", forward_form(b->w, shown.body));
}

/* Where the button of a login page leads that an authorization request has come to. */
static str_t press_for(browser_t *b, const char *parameters)
{
    answer_t shown = browser_get(b, authorize_target(b->w, W_PUBLIC, parameters));
    assert_status(shown, 200);
    answer_t r = browser_post(b, "/login/elsewhere", forward_form(b->w, shown.body));
    assert_status(r, 200);
    return page_target(b->w, r.body);
}

static begun_t begin(browser_t *b)
{
    answer_t r = press(b);
    assert_status(r, 200);
    str_t url = page_target(b->w, r.body);
    assert_true(str_starts(url, STR(OP "/authorize?")));
    return (begun_t){cookie_of(b->w, &r, "__Host-warder-login"), url_parameter(b->w, url, "state"),
                     url_parameter(b->w, url, "nonce")};
}

static str_t callback(world_t *w, const begun_t *begun)
{
    str_t headers =
        arena_printf(w->a, "Cookie: __Host-warder-login=%" PRIstr "\r\n", STR_ARG(begun->cookie));
    str_t target =
        arena_printf(w->a, "/login/callback?code=x&state=%" PRIstr, STR_ARG(begun->state));
    return world_request(w, "GET", target, arena_cstr(w->a, headers), STR(""));
}

static answer_t come_back(world_t *w, const begun_t *begun)
{
    return world_ask(w, callback(w, begun));
}

static void without_a_provider_there_is_no_such_page(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    answer_t shown = browser_get(&b, STR("/login"));
    assert_false(str_contains(shown.body, STR("/login/elsewhere")));
    answer_t r = press(&b);
    assert_status(r, 404);
    r = world_get(w, "/login/callback?code=x&state=y");
    assert_status(r, 404);
}

static void the_whole_way_signs_in(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    provider_t *p = provider_new(w);
    w->as->login_secret = secret_of(STR("s"));
    begun_t begun = begin(&b);
    provider_vouches(p, "s-1", begun.nonce);
    answer_t r = come_back(w, &begun);
    assert_status(r, 303);
    assert_text(answer_header(&r, "location"), "/");
    assert_true(str_starts(cookie_of(w, &r, "__Host-warder"), STR("wss_")));
    assert_text(cookie_of(w, &r, "__Host-warder-login"), "");
    assert_string_equal(w->web.authorization, "Basic d2FyZGVyOnM="); /* warder:s */
    assert_non_null(strstr(w->web.form, "redirect_uri=https%3A%2F%2Fas.test%2Flogin%2Fcallback"));
    assert_int_equal(trail_count(w, "login", "allow", "signed_in_elsewhere"), 1);
    str_t id = json_get_str(trail_last(w), STR("user"));
    ask_t user = world_look(w, (ask_t){.kind = ASK_USER, .key = id});
    assert_non_null(user.u.user);
    assert_text(user.u.user->name, "dana");
    assert_text(user.u.user->issuer, OP);
    assert_text(user.u.user->subject, "s-1");
    assert_false(str_is_set(user.u.user->password));
}

static void an_answer_is_good_once(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    provider_t *p = provider_new(w);
    begun_t begun = begin(&b);
    provider_vouches(p, "s-1", begun.nonce);
    answer_t r = come_back(w, &begun);
    assert_status(r, 303);
    r = come_back(w, &begun);
    assert_status(r, 403);
    assert_int_equal(trail_count(w, "login", "deny", "login_state_used"), 1);
    assert_false(str_is_set(cookie_of(w, &r, "__Host-warder")));
}

/* Nobody who has not begun a sign-in here makes us ask the provider. */
static void strangers_make_us_fetch_nothing(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    provider_new(w);
    begun_t begun = begin(&b);
    unsigned calls = w->web.calls;
    answer_t r = world_get(w, "/login/callback?code=x&state=y");
    assert_status(r, 403);
    begun.state = STR("another");
    r = come_back(w, &begun);
    assert_status(r, 403);
    assert_false(
        str_is_set(cookie_of(w, &r, "__Host-warder-login"))); /* the real answer may come yet */
    world_pass(w, 600);
    assert_int_equal(w->web.calls, calls);
    assert_int_equal(trail_count(w, "login", "deny", "login_state_missing"), 1);
    assert_int_equal(trail_count(w, "login", "deny", "login_state_wrong"), 1);
}

static void ten_minutes_are_enough(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    provider_t *p = provider_new(w);
    begun_t begun = begin(&b);
    provider_vouches(p, "s-1", begun.nonce);
    world_pass(w, 600);
    answer_t r = come_back(w, &begun);
    assert_status(r, 403);
    assert_int_equal(trail_count(w, "login", "deny", "login_state_expired"), 1);
}

/* Where the client wants a fresh sign-in, the provider's session of yesterday is none, although
 * nobody is signed in here. */
static void login_not_again(void **state)
{
    static const char *const ASKED[] = {"&prompt=login", "&max_age=0", "&max_age=300"};
    world_t *w = *state;
    provider_new(w);
    for (size_t i = 0; i < sizeof ASKED / sizeof *ASKED; i++) {
        browser_t b = browser_new(w);
        str_t url = press_for(&b, ASKED[i]);
        assert_text(url_parameter(w, url, "prompt"), "login");
        assert_text(url_parameter(w, url, "max_age"), "0");
    }
    browser_t b = browser_new(w);
    assert_false(str_contains(press_for(&b, ""), STR("prompt=")));
}

static void provider_that_fails_is_said_to_be_away(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    provider_t *p = provider_new(w);
    begun_t begun = begin(&b);
    p->rows[TOKEN_ROW].status = 500;
    answer_t r = come_back(w, &begun);
    assert_status(r, 503);
    assert_text(answer_header(&r, "retry-after"), "5");
    p->rows[TOKEN_ROW].verdict = HTTP_FETCH_TIMEOUT;
    begun = begin(&b);
    r = come_back(w, &begun);
    assert_status(r, 503);
    assert_int_equal(trail_count(w, "login", "deny", "login_provider_unavailable"), 2);
}

static void metadata_of_another_issuer_leads_nowhere(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    provider_t *p = provider_new(w);
    p->rows[META_ROW].body = "{\"issuer\":\"https://evil.test\",\"authorization_endpoint\":"
                             "\"https://evil.test/a\",\"token_endpoint\":\"https://evil.test/t\","
                             "\"jwks_uri\":\"https://evil.test/j\"}";
    answer_t r = press(&b);
    assert_status(r, 503);
    assert_false(str_is_set(cookie_of(w, &r, "__Host-warder-login")));
}

/* Two first sign-ins of people of one name at once: both get an account, of different names. */
static void race_take_name(world_t *w)
{
    static const user_t OTHER = {.id = STR_INIT("user-dana"), .name = STR_INIT("dana")};
    effects_t effects = {.n = 0};
    effects_add(&effects, EFFECT_USER_INSERT, W_START_S)->u.user = &OTHER;
    assert_ok(world_apply(w, w->admin, &effects));
}

static void conflict_over_a_name_gives_another(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    provider_t *p = provider_new(w);
    begun_t begun = begin(&b);
    provider_vouches(p, "s-1", begun.nonce);
    w->faults.race = race_take_name;
    answer_t r = come_back(w, &begun);
    assert_status(r, 303);
    str_t id = json_get_str(trail_last(w), STR("user"));
    ask_t user = world_look(w, (ask_t){.kind = ASK_USER, .key = id});
    assert_true(str_starts(user.u.user->name, STR("dana-")));
}

static void memory_ends_anywhere(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    provider_t *p = provider_new(w);
    begun_t begun = begin(&b);
    provider_vouches(p, "s-1", begun.nonce);
    world_starve(w, callback(w, &begun), 303);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(without_a_provider_there_is_no_such_page),
        WORLD_TEST(the_whole_way_signs_in),
        WORLD_TEST(an_answer_is_good_once),
        WORLD_TEST(strangers_make_us_fetch_nothing),
        WORLD_TEST(ten_minutes_are_enough),
        WORLD_TEST(login_not_again),
        WORLD_TEST(provider_that_fails_is_said_to_be_away),
        WORLD_TEST(metadata_of_another_issuer_leads_nowhere),
        WORLD_TEST(conflict_over_a_name_gives_another),
        WORLD_TEST(memory_ends_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
