#include "as/page.h"

#include "as/as_test_browser.h"

#include "core/limits.h"
#include "web/headers.h"

/* A handler in place of the login page's; app_of keeps everything else. */
typedef struct {
    http_route_t row;
    http_app_t app;
} app_t;

static app_t app_of(world_t *w, void (*handler)(http_exchange_t *x), unsigned flags)
{
    return (app_t){
        .row = {.path = STR("/x"), .methods = HTTP_M(GET), .handler = handler, .flags = flags},
        .app = w->as->app,
    };
}

static answer_t run(world_t *w, app_t *app)
{
    app->app.routes = (http_routes_t){&app->row, 1};
    http_direct_t *d = http_direct_new(&app->app, w->worker);
    assert_non_null(d);
    answer_t r = http_direct_run(d, w->a, world_request(w, "GET", STR("/x"), "", STR("")));
    http_direct_free(d);
    return r;
}

/* Room for the two cookies, Retry-After and Location behind the headers of every page. */
static void every_page_has_room_for_more_headers(void **state)
{
    (void)state;
    size_t n;
    web_security_headers(&n);
    assert_true(n + 4 <= AS_HEADERS_MAX);
}

static void retry(http_exchange_t *x)
{
    as_page_retry(x, 503, 0, STR("not now"));
}

static void later_is_a_page_for_people_and_json_for_programs(void **state)
{
    world_t *w = *state;
    app_t page = app_of(w, retry, HTTP_ROUTE_PAGE), endpoint = app_of(w, retry, 0);
    answer_t r = run(w, &page);
    assert_status(r, 503);
    assert_true(answer_is_page(&r));
    assert_text(answer_header(&r, "retry-after"), "1"); /* never "at once" */
    r = run(w, &endpoint);
    assert_status(r, 503);
    assert_text(answer_header(&r, "retry-after"), "1");
    assert_true(str_is_set(answer_error(w, &r)));
}

static void eat_and_retry(http_exchange_t *x)
{
    assert_non_null(arena_alloc(x->arena, LIMIT_REQUEST_ARENA_BYTES - arena_used(x->arena) - 100));
    as_page_retry(x, 503, 1, STR("not now"));
}

static void without_memory_the_status_is_all_there_is(void **state)
{
    world_t *w = *state;
    app_t app = app_of(w, eat_and_retry, HTTP_ROUTE_PAGE);
    answer_t r = run(w, &app);
    assert_status(r, 503);
    assert_int_equal(r.body.n, 0);
}

static void error_hook(http_exchange_t *x)
{
    http_reply_error(x, 404, STR("nothing <here>"));
}

static void an_error_page_names_its_request(void **state)
{
    world_t *w = *state;
    app_t app = app_of(w, error_hook, HTTP_ROUTE_PAGE);
    answer_t r = run(w, &app);
    assert_status(r, 404);
    assert_true(answer_is_page(&r));
    assert_true(str_contains(r.body, STR("Nothing &lt;here&gt;.")));
    assert_false(str_is_set(answer_header(&r, "retry-after")));
}

static void see_other(http_exchange_t *x)
{
    as_flow_t *f = as_flow_new(x, 0);
    assert_non_null(f);
    as_page_see_other(f, STR("/elsewhere"));
    as_flow_finish(f);
}

static void a_redirect_is_not_stored(void **state)
{
    world_t *w = *state;
    app_t app = app_of(w, see_other, HTTP_ROUTE_PAGE);
    answer_t r = run(w, &app);
    assert_status(r, 303);
    assert_text(answer_header(&r, "location"), "/elsewhere");
    assert_text(answer_header(&r, "cache-control"), "no-store");
    assert_text(answer_header(&r, "referrer-policy"), "same-origin");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(every_page_has_room_for_more_headers),
        WORLD_TEST(later_is_a_page_for_people_and_json_for_programs),
        WORLD_TEST(without_memory_the_status_is_all_there_is),
        WORLD_TEST(an_error_page_names_its_request),
        WORLD_TEST(a_redirect_is_not_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
