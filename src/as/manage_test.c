#include "as/as_test_browser.h"

#include "oauth/handle.h"

#define PUBLIC "\"redirect_uris\":[\"https://c.test/cb\"],\"token_endpoint_auth_method\":\"none\""

typedef struct {
    str_t id, token;
    const char *bearer;
} held_client_t;

static held_client_t registered(world_t *w, const char *members)
{
    str_t body = arena_printf(w->a, "{%s}", members);
    answer_t r = world_ask(w, world_request(w, "POST", STR("/register"), W_JSON, body));
    assert_status(r, 201);
    const json_t *json = answer_json(w, &r);
    held_client_t c = {.id = json_get_str(json, STR("client_id")),
                       .token = json_get_str(json, STR("registration_access_token"))};
    assert_str(json_get_str(json, STR("registration_client_uri")),
               arena_printf(w->a, W_ISSUER "/register/%" PRIstr, STR_ARG(c.id)));
    c.bearer = arena_printf(w->a, "Authorization: Bearer %" PRIstr "\r\n", STR_ARG(c.token)).p;
    return c;
}

static answer_t manage(world_t *w, const char *method, str_t id, const char *headers)
{
    str_t target = arena_printf(w->a, "/register/%" PRIstr, STR_ARG(id));
    return world_ask(w, world_request(w, method, target, headers, STR("")));
}

static answer_t put(world_t *w, const held_client_t *c, const char *members)
{
    str_t target = arena_printf(w->a, "/register/%" PRIstr, STR_ARG(c->id));
    str_t body = arena_printf(w->a, "{\"client_id\":\"%" PRIstr "\",%s}", STR_ARG(c->id), members);
    const char *headers = arena_printf(w->a, W_JSON "%s", c->bearer).p;
    return world_ask(w, world_request(w, "PUT", target, headers, body));
}

static const client_t *row_of(world_t *w, str_t id)
{
    return world_look(w, (ask_t){.kind = ASK_CLIENT, .key = id}).u.client;
}

static void a_client_reads_its_registration(void **state)
{
    world_t *w = *state;
    held_client_t c = registered(w, PUBLIC ",\"client_name\":\"Editor\"");
    answer_t r = manage(w, "GET", c.id, c.bearer);
    assert_status(r, 200);
    assert_text(answer_header(&r, "cache-control"), "no-store");
    const json_t *json = answer_json(w, &r);
    assert_str(json_get_str(json, STR("client_id")), c.id);
    assert_text(json_get_str(json, STR("client_name")), "Editor");
    assert_str(json_get_str(json, STR("registration_access_token")), c.token);
    assert_null(row_of(w, c.id)); /* reading is no use */
}

static void a_change_is_a_row_under_the_same_id(void **state)
{
    world_t *w = *state;
    held_client_t c = registered(w, PUBLIC);
    answer_t r = put(w, &c, PUBLIC ",\"client_name\":\"New\"");
    assert_status(r, 200);
    assert_text(json_get_str(answer_json(w, &r), STR("client_name")), "New");
    assert_text(row_of(w, c.id)->name, "New");
    assert_int_equal(trail_count(w, "client.changed", "allow", NULL), 1);
    r = manage(w, "GET", c.id, c.bearer); /* the same token, for the row, too */
    assert_text(json_get_str(answer_json(w, &r), STR("client_name")), "New");
    browser_t b = browser_new(w);
    str_t code = browser_walk(&b, arena_cstr(w->a, c.id), "");
    r = world_post(w, "/token", "", code_form(w, arena_cstr(w->a, c.id), code));
    assert_true(str_is_set(answer_tokens(w, &r).access));
}

/* What a person approved does not count for what the client has become. */
static void a_changed_client_is_approved_anew(void **state)
{
    world_t *w = *state;
    held_client_t c = registered(w, PUBLIC ",\"client_name\":\"Editor\"");
    const char *id = arena_cstr(w->a, c.id);
    browser_t b = browser_new(w);
    browser_walk(&b, id, "");
    answer_t r = browser_get(&b, authorize_target(w, id, "&prompt=none"));
    assert_true(str_contains(answer_header(&r, "location"), STR("code=")));
    r = put(w, &c, PUBLIC ",\"client_name\":\"Editor\",\"client_uri\":\"https://c.test/\"");
    assert_status(r, 200);
    r = browser_get(&b, authorize_target(w, id, "&prompt=none"));
    assert_true(str_contains(answer_header(&r, "location"), STR("code=")));
    r = put(w, &c, PUBLIC ",\"client_name\":\"Bank\"");
    assert_status(r, 200);
    r = browser_get(&b, authorize_target(w, id, "&prompt=none"));
    assert_true(str_contains(answer_header(&r, "location"), STR("error=consent_required")));
    browser_walk(&b, id, "");
    r = browser_get(&b, authorize_target(w, id, "&prompt=none"));
    assert_true(str_contains(answer_header(&r, "location"), STR("code=")));
}

static void assert_unknown(world_t *w, str_t id)
{
    browser_t b = browser_new(w);
    answer_t r = browser_get(&b, authorize_target(w, arena_cstr(w->a, id), ""));
    assert_status(r, 400);
    r = world_post(w, "/token", "", code_form(w, arena_cstr(w->a, id), STR("wrc_x")));
    assert_status(r, 401);
    assert_text(answer_error(w, &r), "invalid_client");
}

static void a_deleted_id_does_not_open_any_longer(void **state)
{
    world_t *w = *state;
    held_client_t c = registered(w, PUBLIC), other = registered(w, PUBLIC);
    answer_t r = manage(w, "DELETE", c.id, c.bearer);
    assert_status(r, 204);
    assert_int_equal(r.body.n, 0);
    assert_int_equal(trail_count(w, "client.deleted", "allow", NULL), 1);
    assert_unknown(w, c.id);
    r = manage(w, "GET", c.id, c.bearer);
    assert_status(r, 401);
    r = put(w, &c, PUBLIC);
    assert_status(r, 401);
    r = manage(w, "GET", other.id, other.bearer);
    assert_status(r, 200);
}

/* The answer of the store takes three seconds, in which others may get tokens. */
static void dawdle(world_t *w, const ask_t *asks, size_t n)
{
    (void)asks;
    (void)n;
    world_pass(w, 3);
}

static int64_t ended_at;
static void note_end(world_t *w, const effects_t *effects)
{
    (void)w;
    for (size_t i = 0; i < effects->n; i++)
        if (effects->v[i].kind == EFFECT_CLIENT_DELETE)
            ended_at = effects->v[i].at;
}

static void deleting_ends_what_was_made_until_it_was_decided(void **state)
{
    world_t *w = *state;
    held_client_t c = registered(w, PUBLIC);
    clock_port_t clock = world_clock(w);
    int64_t began = clock_seconds(&clock);
    ended_at = 0;
    w->asked = dawdle;
    w->applied = note_end;
    answer_t r = manage(w, "DELETE", c.id, c.bearer);
    assert_status(r, 204);
    assert_true(clock_seconds(&clock) >= began + 3);
    assert_int_equal(ended_at, clock_seconds(&clock));
}

static void deleting_ends_what_was_granted(void **state)
{
    world_t *w = *state;
    held_client_t c =
        registered(w, PUBLIC ",\"grant_types\":[\"authorization_code\",\"refresh_token\"]");
    const char *id = arena_cstr(w->a, c.id);
    browser_t b = browser_new(w);
    answer_t r = world_post(w, "/token", "", code_form(w, id, browser_walk(&b, id, "")));
    str_t refresh = answer_tokens(w, &r).refresh;
    r = manage(w, "DELETE", c.id, c.bearer);
    assert_status(r, 204);
    r = world_post(w, "/token", "",
                   arena_printf(w->a,
                                "grant_type=refresh_token&client_id=%s&refresh_token=%" PRIstr, id,
                                STR_ARG(refresh)));
    assert_status(r, 401);
    assert_text(answer_error(w, &r), "invalid_client");
}

static void a_stored_client_is_managed_alike(void **state)
{
    world_t *w = *state;
    world_restart(w, "registration_stateless", "false");
    held_client_t c = registered(w, PUBLIC);
    assert_non_null(row_of(w, c.id));
    answer_t r = put(w, &c, PUBLIC ",\"client_name\":\"New\"");
    assert_status(r, 200);
    assert_text(row_of(w, c.id)->name, "New");
    assert_true(row_of(w, c.id)->expires_at != 0); /* a change is no use either */
    r = manage(w, "DELETE", c.id, c.bearer);
    assert_status(r, 204);
    assert_unknown(w, c.id);
}

/* Changing what one registered leaves rows, which are bounded as those of registrations are. */
static void nobody_fills_the_store_by_changing(void **state)
{
    world_t *w = *state;
    w->as->oauth.max_clients = 1;
    held_client_t one = registered(w, PUBLIC), two = registered(w, PUBLIC);
    held_client_t three = registered(w, PUBLIC);
    answer_t r = put(w, &three, PUBLIC ",\"client_name\":\"New\"");
    assert_status(r, 200);
    assert_true(row_of(w, three.id)->expires_at != 0);
    r = put(w, &one, PUBLIC ",\"client_name\":\"New\"");
    assert_status(r, 200);
    assert_null(row_of(w, three.id)); /* nobody used it: it made room */
    browser_t c = browser_new(w);
    browser_walk(&c, arena_cstr(w->a, one.id), "");
    r = put(w, &two, PUBLIC ",\"client_name\":\"New\"");
    assert_status(r, 503);
    r = manage(w, "GET", two.id, two.bearer);
    assert_status(r, 200);
    browser_t b = browser_new(w); /* being used is another matter */
    browser_walk(&b, arena_cstr(w->a, two.id), "");
    r = put(w, &two, PUBLIC ",\"client_name\":\"New\"");
    assert_status(r, 200);
}

/* Deleting leaves a row, too: as often as one may register, and no more. */
static void nobody_fills_the_store_by_deleting(void **state)
{
    world_t *w = *state;
    world_restart(w, "registration_per_minute", "1");
    held_client_t one = registered(w, PUBLIC ",\"client_name\":\"a\"");
    held_client_t two = registered(w, PUBLIC ",\"client_name\":\"b\"");
    answer_t r = manage(w, "DELETE", one.id, one.bearer);
    assert_status(r, 204);
    r = manage(w, "DELETE", two.id, two.bearer);
    assert_status(r, 429);
    assert_text(answer_header(&r, "retry-after"), "60");
    world_pass(w, 60);
    r = manage(w, "DELETE", two.id, two.bearer);
    assert_status(r, 204);
}

/* RFC 6750 section 3.1 */
static void refusals_are_those_of_bearer_tokens(void **state)
{
    world_t *w = *state;
    held_client_t c = registered(w, PUBLIC), other = registered(w, PUBLIC);
    static const char *const METHODS[] = {"GET", "DELETE"};
    for (size_t i = 0; i < 2; i++) {
        answer_t r = manage(w, METHODS[i], c.id, "");
        assert_status(r, 401);
        assert_text(answer_header(&r, "www-authenticate"), "Bearer");
        r = manage(w, METHODS[i], c.id, other.bearer);
        assert_status(r, 401);
        assert_text(answer_error(w, &r), "invalid_token");
        assert_true(str_starts(answer_header(&r, "www-authenticate"),
                               STR("Bearer error=\"invalid_token\"")));
        r = manage(w, METHODS[i], STR(W_PUBLIC), other.bearer); /* an administrator's */
        assert_status(r, 401);
        r = manage(w, METHODS[i], STR("nobody"), other.bearer);
        assert_status(r, 401);
        r = manage(w, METHODS[i], STR("https://c.test/c.json"), other.bearer); /* not fetched */
        assert_status(r, 401);
    }
    answer_t r = put(w, &c, "\"redirect_uris\":[\"javascript:x\"]");
    assert_status(r, 400);
    assert_text(answer_error(w, &r), "invalid_redirect_uri");
    assert_int_equal(trail_count(w, "client.changed", "deny", "redirect_uri_scheme"), 1);
    assert_true(trail_count(w, "client.deleted", "deny", "management_token_invalid") > 0);
    r = manage(w, "GET", c.id, c.bearer);
    assert_status(r, 200);
}

static void the_endpoint_itself_takes_registrations_only(void **state)
{
    world_t *w = *state;
    answer_t r = world_ask(w, world_request(w, "GET", STR("/register"), "", STR("")));
    assert_status(r, 405);
    assert_text(answer_error(w, &r), "invalid_request");
    r = world_ask(w, world_request(w, "POST", STR("/register/x"), W_JSON, STR("{}")));
    assert_status(r, 405);
    r = world_ask(w, world_request(w, "GET", STR("/register/"), "", STR("")));
    assert_true(r.status == 405 || r.status == 404);
}

static void it_can_be_switched_off(void **state)
{
    world_t *w = *state;
    held_client_t c = registered(w, PUBLIC);
    world_restart(w, "registration_management", "false");
    answer_t r = manage(w, "GET", c.id, c.bearer);
    assert_status(r, 403);
    str_t body = STR("{" PUBLIC "}");
    r = world_ask(w, world_request(w, "POST", STR("/register"), W_JSON, body));
    assert_status(r, 201);
    assert_null(json_get(answer_json(w, &r), STR("registration_access_token")));
}

/* Two changes at once: one after the other, none lost halfway. */
static void two_deletions_race(void **state)
{
    world_t *w = *state;
    held_client_t c = registered(w, PUBLIC);
    str_t target = arena_printf(w->a, "/register/%" PRIstr, STR_ARG(c.id));
    str_t request = world_request(w, "DELETE", target, c.bearer, STR(""));
    w->faults.hold = true;
    http_direct_t *one = world_send(w, request), *two = world_send(w, request);
    assert_int_equal(w->n_held, 2);
    w->faults.hold = false;
    world_release(w, 0);
    world_release(w, 1);
    answer_t first = world_land(w, one), second = world_land(w, two);
    assert_status(first, 204);
    assert_status(second, 401);
}

static void memory_ends_anywhere(void **state)
{
    world_t *w = *state;
    held_client_t c = registered(w, PUBLIC);
    str_t target = arena_printf(w->a, "/register/%" PRIstr, STR_ARG(c.id));
    world_starve(w, world_request(w, "GET", target, c.bearer, STR("")), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_client_reads_its_registration),
        WORLD_TEST(a_change_is_a_row_under_the_same_id),
        WORLD_TEST(a_changed_client_is_approved_anew),
        WORLD_TEST(a_deleted_id_does_not_open_any_longer),
        WORLD_TEST(deleting_ends_what_was_granted),
        WORLD_TEST(deleting_ends_what_was_made_until_it_was_decided),
        WORLD_TEST(a_stored_client_is_managed_alike),
        WORLD_TEST(nobody_fills_the_store_by_changing),
        WORLD_TEST(nobody_fills_the_store_by_deleting),
        WORLD_TEST(refusals_are_those_of_bearer_tokens),
        WORLD_TEST(the_endpoint_itself_takes_registrations_only),
        WORLD_TEST(it_can_be_switched_off),
        WORLD_TEST(two_deletions_race),
        WORLD_TEST(memory_ends_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
