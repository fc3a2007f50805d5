#include "as/as_test_browser.h"

#include "oauth/metadata.h"

static void the_table_of_routes_is_sound(void **state)
{
    world_t *w = *state;
    str_t why = STR("");
    if (http_router_check(&w->as->app.routes, &why) != RC_OK)
        fail_msg("%" PRIstr, STR_ARG(why));
}

static const http_route_t *row_of(world_t *w, http_method_t method, str_t path)
{
    http_match_t m = http_router_match(&w->as->app.routes, method, path);
    return m.kind == HTTP_MATCH_FOUND ? m.route : NULL;
}

static void every_endpoint_of_the_metadata_has_a_row(void **state)
{
    world_t *w = *state;
    for (size_t i = 0; i < OAUTH_ENDPOINT_COUNT; i++) {
        str_t path = oauth_endpoint_path((oauth_endpoint_t)i);
        bool is_read = i == OAUTH_ENDPOINT_AUTHORIZE || i == OAUTH_ENDPOINT_JWKS ||
                       i == OAUTH_ENDPOINT_REVOCATIONS;
        /* People come to the one; no page of a browser holds the secret that the other wants. */
        bool closed = i == OAUTH_ENDPOINT_AUTHORIZE || i == OAUTH_ENDPOINT_INTROSPECT;
        const http_route_t *row = row_of(w, is_read ? HTTP_GET : HTTP_POST, path);
        assert_non_null(row);
        assert_int_equal(row->cors, closed ? HTTP_CORS_NONE : HTTP_CORS_PUBLIC);
    }
    /* OpenID Connect Core section 3.1.2.1: the authorization endpoint takes both. */
    assert_non_null(row_of(w, HTTP_POST, STR("/authorize")));
}

static void every_form_needs_a_token_and_every_page_has_a_rate(void **state)
{
    world_t *w = *state;
    size_t forms = 0;
    for (size_t i = 0; i < w->as->app.routes.n; i++) {
        const http_route_t *row = &w->as->app.routes.v[i];
        bool is_page = row->flags & HTTP_ROUTE_PAGE, is_post = row->methods & HTTP_M(POST);
        if (is_page)
            assert_int_equal(row->rate_class, AS_RATE_PAGE);
        if (!is_page && is_post)
            assert_true(row->flags & HTTP_ROUTE_NO_STORE);
        if (!is_page || !is_post || str_eq(row->path, STR("/authorize")))
            continue;
        assert_true(row->flags & HTTP_ROUTE_CSRF);
        forms++;
    }
    assert_int_equal(forms, 7);
}

static void too_many_pages_are_429_and_a_page(void **state)
{
    static const uint8_t other[4] = {192, 0, 2, 8};
    world_t *w = *state;
    world_restart(w, "page_requests_per_minute", "2");
    for (int i = 0; i < 2; i++) {
        answer_t fine = world_get(w, "/login");
        assert_status(fine, 200);
    }
    answer_t r = world_get(w, "/authorize");
    assert_status(r, 429);
    assert_true(answer_is_page(&r));
    assert_text(answer_header(&r, "retry-after"), "30");
    world_pass(w, 30);
    r = world_get(w, "/");
    assert_status(r, 200);
    r = world_get(w, "/");
    assert_status(r, 429);
    w->peer = http_addr_from_bytes(other, sizeof other);
    r = world_get(w, "/");
    assert_status(r, 200);
}

static void pages_do_not_count_for_clients(void **state)
{
    world_t *w = *state;
    world_restart(w, "page_requests_per_minute", "1");
    world_get(w, "/login");
    answer_t r = world_post(w, "/token", "", STR("grant_type=x&client_id=" W_PUBLIC));
    assert_status(r, 400);
    r = world_get(w, "/jwks");
    assert_status(r, 200);
}

static answer_t post_from(world_t *w, const char *path, const char *headers)
{
    str_t all = arena_printf(w->a, W_FORM "%s", headers);
    return world_ask(w,
                     world_request(w, "POST", str_c(path), arena_cstr(w->a, all), STR("csrf=x")));
}

static void foreign_origin_is_refused(void **state)
{
    static const char *const FORMS[] = {"/consent", "/login", "/setup", "/logout"};
    static const char *const FOREIGN[] = {
        "Origin: https://evil.test\r\n", "Origin: null\r\n",
        "Origin: http://as.test\r\n",    "Origin: " W_ISSUER "\r\nSec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
    };
    world_t *w = *state;
    for (size_t i = 0; i < sizeof FORMS / sizeof FORMS[0]; i++)
        for (size_t k = 0; k < sizeof FOREIGN / sizeof FOREIGN[0]; k++) {
            answer_t r = post_from(w, FORMS[i], FOREIGN[k]);
            assert_status(r, 403);
            assert_true(answer_is_page(&r));
            assert_true(str_contains(r.body, STR("another site")));
        }
    assert_int_equal(w->faults.asks, 1); /* the snapshot: nothing was looked up for any of them */
}

/* Clients POST their authorization request from their own page. */
static void an_authorization_request_may_come_from_anywhere(void **state)
{
    world_t *w = *state;
    answer_t r = post_from(w, "/authorize", "Origin: https://c.test\r\n");
    assert_status(r, 400);
    assert_true(str_contains(r.body, STR("did not say who it is")));
}

static void errors_of_pages_are_pages(void **state)
{
    world_t *w = *state;
    answer_t r = world_ask(
        w, world_request(w, "GET", STR("/nothing"), "Accept: text/html,*/*;q=0.8\r\n", STR("")));
    assert_status(r, 404);
    assert_true(answer_is_page(&r));
    r = world_ask(w, world_request(w, "POST", STR("/login"), W_JSON, STR("{}")));
    assert_status(r, 415);
    assert_true(answer_is_page(&r));
    char *large = arena_alloc(w->a, 40001);
    memset(large, 'a', 40000);
    r = world_ask(w, world_request(w, "POST", STR("/login"), W_FORM, str_c(large)));
    assert_status(r, 413);
    assert_true(answer_is_page(&r));
}

static void errors_of_endpoints_are_json(void **state)
{
    world_t *w = *state;
    answer_t r = world_get(w, "/nothing");
    assert_status(r, 404);
    assert_true(str_is_set(answer_error(w, &r)));
    r = world_get(w, "/token");
    assert_status(r, 405);
    assert_text(answer_header(&r, "allow"), "POST, OPTIONS");
    assert_true(str_is_set(answer_error(w, &r)));
    r = world_post(w, "/register", "", STR("a=b"));
    assert_status(r, 415);
    assert_true(str_is_set(answer_error(w, &r)));
    assert_text(answer_header(&r, "access-control-allow-origin"), "*");
}

/* pain row 1: behind the path, in front of it, and at the root. */
static void metadata_is_at_every_place_that_clients_look(void **state)
{
    static const char *const PATHS[] = {
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/mcp",
        "/mcp/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration",
        "/.well-known/openid-configuration/some/path",
        "/some/path/.well-known/openid-configuration",
    };
    world_t *w = *state;
    for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++) {
        answer_t r = world_get(w, PATHS[i]);
        assert_status(r, 200);
        assert_text(json_get_str(answer_json(w, &r), STR("issuer")), W_ISSUER);
        assert_text(answer_header(&r, "access-control-allow-origin"), "*");
    }
    answer_t r = world_get(w, "/.well-known/oauth-authorization-serverx");
    assert_status(r, 404);
}

/* pain row 21 */
static void browsers_may_ask_the_endpoints_first(void **state)
{
    static const char *const PATHS[] = {"/token", "/register", "/revoke", "/jwks",
                                        "/.well-known/oauth-authorization-server"};
    world_t *w = *state;
    for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++) {
        answer_t r = world_ask(w, world_request(w, "OPTIONS", str_c(PATHS[i]),
                                                "Origin: http://localhost:6274\r\n"
                                                "Access-Control-Request-Method: POST\r\n",
                                                STR("")));
        assert_status(r, 204);
        assert_text(answer_header(&r, "access-control-allow-origin"), "*");
        assert_false(str_is_set(answer_header(&r, "access-control-allow-credentials")));
    }
}

/* pain rows 18 and 19: the policy of a page must not keep it from leading on, nor cut a popup
 * off from its opener. */
static void pages_bear_their_headers(void **state)
{
    static const char *const PATHS[] = {"/", "/login", "/consent", "/setup", "/authorize"};
    world_t *w = *state;
    for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++) {
        answer_t r = world_get(w, PATHS[i]);
        assert_true(answer_is_page(&r));
        assert_true(
            str_contains(answer_header(&r, "content-security-policy"), STR("form-action 'self'")));
        assert_text(answer_header(&r, "x-frame-options"), "DENY");
        assert_text(answer_header(&r, "cache-control"), "no-store");
        assert_text(answer_header(&r, "x-content-type-options"), "nosniff");
        assert_false(str_is_set(answer_header(&r, "cross-origin-opener-policy")));
        assert_false(str_is_set(answer_header(&r, "access-control-allow-origin")));
    }
}

static void registration_follows_the_setting(void **state)
{
    static const struct {
        const char *word, *issuer;
        oauth_registration_t mode;
    } ROWS[] = {
        {"off", W_ISSUER, OAUTH_REGISTER_OFF},
        {"open", W_ISSUER, OAUTH_REGISTER_OPEN},
        {"token", "http://127.0.0.1:8080", OAUTH_REGISTER_TOKEN},
        {"auto", W_ISSUER, OAUTH_REGISTER_TOKEN},
        {"auto", "http://127.0.0.1:8080", OAUTH_REGISTER_OPEN},
        {"auto", "http://[::1]:8080", OAUTH_REGISTER_OPEN},
        {"auto", "http://localhost:8080", OAUTH_REGISTER_OPEN},
        {"auto", "https://localhost.evil.test", OAUTH_REGISTER_TOKEN},
    };
    world_t *w = *state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        world_restart(w, "registration", ROWS[i].word);
        as_identify(w->as, str_c(ROWS[i].issuer));
        assert_int_equal(w->as->oauth.registration, ROWS[i].mode);
        assert_int_equal(w->as->secure, str_starts(str_c(ROWS[i].issuer), STR("https://")));
    }
}

static void settings_reach_the_decisions(void **state)
{
    world_t *w = *state;
    world_restart(w, "refresh_grace", "7");
    assert_int_equal(w->as->oauth.refresh_grace, 7);
    world_restart(w, "registration_max_clients", "3");
    assert_int_equal(w->as->oauth.max_clients, 3);
    world_restart(w, "default_resource", "HTTPS://RS.test:443/mcp");
    assert_text(w->as->default_resource, W_RESOURCE);
    assert_text(w->worker->snapshot->resources.default_uri, W_RESOURCE);
    assert_int_equal(w->as->session_times.idle, w->conf->session_idle);
    assert_int_equal(w->as->session_times.lifetime, w->conf->session_lifetime);
}

static as_config_t config_of(world_t *w)
{
    return (as_config_t){
        .conf = w->conf,
        .store = w->as->store,
        .audit = w->audit,
        .pool = w->pool,
        .fetchers = w->fetchers,
        .fetch = http_fetch_fake(&w->web),
        .log = &w->log,
        .clock = world_clock(w),
        .random = world_random(w),
    };
}

static void no_randomness_is_no_server(void **state)
{
    world_t *w = *state;
    as_t *as;
    const as_config_t config = config_of(w);
    atomic_store(&w->random_fails, true);
    assert_int_equal(as_new(w->a, &config, &as), RC_IO);
    as_free(as);
    atomic_store(&w->random_fails, false);
}

static void no_memory_is_no_server(void **state)
{
    world_t *w = *state;
    const as_config_t config = config_of(w);
    arena_t *tiny = arena_new(16);
    as_t *as;
    assert_int_equal(as_new(tiny, &config, &as), RC_MEMORY);
    as_free(as);
    arena_free(tiny);
}

static rc_t refuse_connection(store_t *s, post_port_t post, store_conn_t **out)
{
    (void)s;
    (void)post;
    (void)out;
    return RC_IO;
}

static void no_store_is_no_worker(void **state)
{
    static const store_driver_t BROKEN = {.name = "broken", .connect = refuse_connection};
    world_t *w = *state;
    store_t broken = {&BROKEN}, *real = w->as->store;
    as_worker_t *worker;
    w->as->store = &broken;
    assert_int_equal(as_worker_new(w->as, world_post_port(w), &worker), RC_IO);
    w->as->store = real;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(the_table_of_routes_is_sound),
        WORLD_TEST(every_endpoint_of_the_metadata_has_a_row),
        WORLD_TEST(every_form_needs_a_token_and_every_page_has_a_rate),
        WORLD_TEST(too_many_pages_are_429_and_a_page),
        WORLD_TEST(pages_do_not_count_for_clients),
        WORLD_TEST(foreign_origin_is_refused),
        WORLD_TEST(an_authorization_request_may_come_from_anywhere),
        WORLD_TEST(errors_of_pages_are_pages),
        WORLD_TEST(errors_of_endpoints_are_json),
        WORLD_TEST(metadata_is_at_every_place_that_clients_look),
        WORLD_TEST(browsers_may_ask_the_endpoints_first),
        WORLD_TEST(pages_bear_their_headers),
        WORLD_TEST(registration_follows_the_setting),
        WORLD_TEST(settings_reach_the_decisions),
        WORLD_TEST(no_randomness_is_no_server),
        WORLD_TEST(no_memory_is_no_server),
        WORLD_TEST(no_store_is_no_worker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
