#include "as/as_test_browser.h"

#include "oauth/handle.h"

#define GOOD                                                                                       \
    "{\"redirect_uris\":[\"https://c.test/cb\"],\"client_name\":\"Editor\","                       \
    "\"token_endpoint_auth_method\":\"none\"}"

static answer_t post(world_t *w, const char *headers, const char *body)
{
    str_t all = arena_printf(w->a, W_JSON "%s", headers);
    return world_ask(
        w, world_request(w, "POST", STR("/register"), arena_cstr(w->a, all), str_c(body)));
}

static str_t registered(world_t *w, const answer_t *r)
{
    assert_status(*r, 201);
    return json_get_str(answer_json(w, r), STR("client_id"));
}

static void a_client_is_registered_and_can_be_used(void **state)
{
    world_t *w = *state;
    answer_t r = post(w, "", GOOD);
    str_t id = registered(w, &r);
    assert_text(answer_header(&r, "cache-control"), "no-store");
    assert_text(answer_header(&r, "access-control-allow-origin"), "*");
    assert_int_equal(trail_count(w, "client.registered", "allow", NULL), 1);
    assert_str(json_get_str(trail_last(w), STR("client")), id);
    assert_text(json_get_str(trail_last(w), STR("address")), "192.0.2.7");
    browser_t b = browser_new(w);
    str_t code = browser_walk(&b, arena_cstr(w->a, id), "");
    r = world_post(w, "/token", "", code_form(w, arena_cstr(w->a, id), code));
    assert_true(str_is_set(answer_tokens(w, &r).access));
}

/* pain rows 12, 13, 26: Cursor registers all of its addresses at once. */
static void clients_in_the_field_are_taken_as_they_are(void **state)
{
    static const char *const BODIES[] = {
        "{\"redirect_uris\":[\"cursor://anysphere.cursor-mcp/oauth/callback\","
        "\"https://www.cursor.com/agents/mcp/oauth/callback\","
        "\"http://localhost:8787/callback\"],\"application_type\":\"web\"}",
        "{\"redirect_uris\":[\"http://127.0.0.1:33418/\",\"https://vscode.dev/redirect\"],"
        "\"resource\":\"" W_RESOURCE "\",\"code_challenge_method\":\"S256\"}",
        "{\"redirect_uris\":[\"https://claude.ai/api/mcp/auth_callback\"],\"grant_types\":["
        "\"authorization_code\",\"refresh_token\","
        "\"urn:ietf:params:oauth:grant-type:jwt-bearer\"]}",
    };
    world_t *w = *state;
    for (size_t i = 0; i < sizeof BODIES / sizeof BODIES[0]; i++) {
        answer_t r = post(w, "", BODIES[i]);
        assert_true(str_is_set(registered(w, &r)));
    }
}

static void a_refusal_is_400_and_in_the_trail(void **state)
{
    world_t *w = *state;
    answer_t r = post(w, "", "{\"redirect_uris\":[\"http://c.test/cb\"]}");
    assert_status(r, 400);
    assert_text(answer_error(w, &r), "invalid_redirect_uri");
    assert_int_equal(trail_count(w, "client.registered", "deny", "redirect_uri_http"), 1);
    r = post(w, "", "[]");
    assert_status(r, 400);
    assert_text(answer_error(w, &r), "invalid_client_metadata");
}

static void registration_that_is_off_is_refused(void **state)
{
    world_t *w = *state;
    world_restart(w, "registration", "off");
    answer_t r = post(w, "", GOOD);
    assert_status(r, 403);
    assert_int_equal(trail_count(w, "client.registered", "deny", NULL), 1);
}

static void put_token(world_t *w, str_t text)
{
    const registration_token_t token = {oauth_handle_hash(text), W_START_S, W_START_S + 600};
    world_put(w, EFFECT_REGISTRATION_TOKEN_INSERT, &token);
}

static void a_token_registers_one_client(void **state)
{
    world_t *w = *state;
    world_restart(w, "registration", "token");
    put_token(w, STR("wrt_one"));
    answer_t r = post(w, "", GOOD);
    assert_status(r, 401);
    assert_true(str_starts(answer_header(&r, "www-authenticate"), STR("Bearer")));
    r = post(w, "Authorization: Bearer wrt_two\r\n", GOOD);
    assert_status(r, 401);
    r = post(w, "Authorization: Bearer wrt_one\r\n", GOOD);
    registered(w, &r);
    r = post(w, "Authorization: Bearer wrt_one\r\n", GOOD);
    assert_status(r, 401);
    assert_int_equal(trail_count(w, "client.registered", "deny", NULL), 3);
}

static void an_expired_token_registers_nothing(void **state)
{
    world_t *w = *state;
    world_restart(w, "registration", "token");
    put_token(w, STR("wrt_one"));
    world_pass(w, 601);
    answer_t r = post(w, "Authorization: Bearer wrt_one\r\n", GOOD);
    assert_status(r, 401);
}

static void one_token_in_two_hands_registers_one_client(void **state)
{
    world_t *w = *state;
    world_restart(w, "registration", "token");
    put_token(w, STR("wrt_one"));
    str_t request = world_request(w, "POST", STR("/register"),
                                  W_JSON "Authorization: Bearer wrt_one\r\n", STR(GOOD));
    w->faults.hold = true;
    http_direct_t *one = world_send(w, request), *two = world_send(w, request);
    assert_int_equal(w->n_held, 2);
    w->faults.hold = false;
    world_release(w, 0);
    world_release(w, 1);
    answer_t first = world_land(w, one), second = world_land(w, two);
    registered(w, &first);
    assert_status(second, 401);
    assert_int_equal(trail_count(w, "client.registered", "allow", NULL), 1);
}

static void a_full_house_says_so(void **state)
{
    world_t *w = *state;
    world_restart(w, "registration_stateless", "false");
    w->as->oauth.max_clients = 1;
    answer_t r = post(w, "", GOOD);
    /* In use: one that is not would make room. */
    world_put_key(w, EFFECT_CLIENT_KEEP, registered(w, &r));
    unsigned before = w->faults.applies;
    r = post(w, "", GOOD);
    assert_status(r, 503);
    assert_int_equal(w->faults.applies, before + 1); /* knowing that, it does not try again */
    assert_int_equal(trail_count(w, "client.registered", "allow", NULL), 1);
    assert_int_equal(trail_count(w, "client.registered", "deny", NULL), 1);
}

static const client_t *row_of(world_t *w, str_t id)
{
    return world_look(w, (ask_t){.kind = ASK_CLIENT, .key = id}).u.client;
}

/* pain row 10: who registers leaves nothing behind, and is never forgotten. */
static void the_first_use_writes_the_row(void **state)
{
    world_t *w = *state;
    answer_t r = post(w, "", GOOD);
    str_t id = registered(w, &r);
    assert_true(str_starts(id, STR("wrx_")));
    assert_null(row_of(w, id));
    world_pass(w, 5 * 365 * 86400LL);
    browser_t b = browser_new(w);
    str_t code = browser_walk(&b, arena_cstr(w->a, id), "");
    const client_t *c = row_of(w, id);
    assert_non_null(c);
    assert_true(c->sealed && c->stored);
    assert_int_equal(c->expires_at, 0);
    assert_text(c->name, "Editor");
    r = world_post(w, "/token", "", code_form(w, arena_cstr(w->a, id), code));
    assert_true(str_is_set(answer_tokens(w, &r).access));
}

static void a_person_who_denies_writes_none(void **state)
{
    world_t *w = *state;
    answer_t r = post(w, "", GOOD);
    str_t id = registered(w, &r);
    browser_t b = browser_new(w);
    browser_sign_in(&b);
    r = browser_get(&b, authorize_target(w, arena_cstr(w->a, id), ""));
    assert_status(r, 200);
    assert_true(str_contains(r.body, str_first(id, 24))); /* enough to tell it from others */
    assert_false(str_contains(r.body, id));
    r = browser_post(&b, "/consent", decision_form(w, r.body, "deny"));
    assert_status(r, 200);
    assert_null(row_of(w, id));
}

static void a_secret_without_a_row_is_believed(void **state)
{
    world_t *w = *state;
    w->as->oauth.registrable_grants |= GRANT_CLIENT_CREDENTIALS;
    answer_t r = post(w, "",
                      "{\"redirect_uris\":[\"https://c.test/cb\"],\"grant_types\":"
                      "[\"authorization_code\",\"client_credentials\"]}");
    const char *id = arena_cstr(w->a, registered(w, &r));
    const char *secret = arena_cstr(w->a, json_get_str(answer_json(w, &r), STR("client_secret")));
    r = world_post(w, "/token", world_basic(w, id, secret), STR("grant_type=client_credentials"));
    assert_true(str_is_set(json_get_str(answer_json(w, &r), STR("access_token"))));
    r = world_post(w, "/token", world_basic(w, id, "wrs_another"),
                   STR("grant_type=client_credentials"));
    assert_status(r, 401);
    assert_text(answer_error(w, &r), "invalid_client");
}

/* The key had to go because it leaked: what was sealed under it is not known any longer. */
static void an_id_whose_key_is_gone_is_unknown(void **state)
{
    world_t *w = *state;
    answer_t r = post(w, "", GOOD);
    const char *id = arena_cstr(w->a, registered(w, &r));
    world_rotate(w, w->admin);
    r = world_post(w, "/token", "", code_form(w, id, STR("wrc_x")));
    r = world_post(w, "/token", "", code_form(w, id, STR("wrc_x")));
    assert_status(r, 401);
    assert_text(answer_error(w, &r), "invalid_client");
    r = post(w, "", GOOD);
    registered(w, &r);
}

/* pain row 11 */
static void too_many_from_one_address_are_429(void **state)
{
    static const uint8_t other[4] = {192, 0, 2, 8};
    world_t *w = *state;
    world_restart(w, "registration_address_per_minute", "2");
    for (int i = 0; i < 2; i++) {
        answer_t fine = post(w, "", GOOD);
        assert_status(fine, 201);
    }
    answer_t r = post(w, "", GOOD);
    assert_status(r, 429);
    assert_text(answer_header(&r, "retry-after"), "30");
    assert_true(str_is_set(answer_error(w, &r)));
    assert_text(answer_header(&r, "access-control-allow-origin"), "*");
    w->peer = http_addr_from_bytes(other, sizeof other);
    r = post(w, "", GOOD);
    assert_status(r, 201);
}

/* pain row 11 */
static void each_software_counts_for_itself(void **state)
{
    static const char OTHER[] = "{\"redirect_uris\":[\"https://c.test/cb\"],\"client_name\":"
                                "\"Other\",\"token_endpoint_auth_method\":\"none\"}";
    static const char ELSEWHERE[] =
        "{\"redirect_uris\":[\"https://d.test/cb\"],\"client_name\":\"Editor\","
        "\"token_endpoint_auth_method\":\"none\"}";
    world_t *w = *state;
    world_restart(w, "registration_per_minute", "1");
    answer_t r = post(w, "", GOOD);
    registered(w, &r);
    r = post(w, "", GOOD);
    assert_status(r, 429);
    assert_text(answer_header(&r, "retry-after"), "60");
    assert_text(answer_header(&r, "access-control-allow-origin"), "*");
    assert_int_equal(trail_count(w, "client.registered", "allow", NULL), 1);
    assert_int_equal(trail_count(w, "client.registered", "deny", NULL), 0);
    r = post(w, "", OTHER);
    registered(w, &r);
    r = post(w, "", ELSEWHERE);
    registered(w, &r);
}

/* pain row 11: the cloud of a client has few addresses. */
static void a_hosted_client_has_a_bucket_of_its_own(void **state)
{
    static const char CLAUDE[] = "{\"redirect_uris\":[\"https://claude.ai/api/mcp/auth_callback\"],"
                                 "\"client_name\":\"Claude\"}";
    static const char MIXED[] = "{\"redirect_uris\":[\"https://claude.ai/api/mcp/auth_callback\","
                                "\"https://c.test/cb\"],\"client_name\":\"Claude\"}";
    world_t *w = *state;
    world_restart(w, "registration_per_minute", "1");
    for (int i = 0; i < 20; i++) {
        answer_t one = post(w, "", CLAUDE);
        registered(w, &one);
    }
    answer_t r = post(w, "", MIXED); /* whoever lists another callback, too, is somebody else */
    registered(w, &r);
    r = post(w, "", MIXED);
    assert_status(r, 429);
    world_restart(w, "registration_known_per_minute", "1");
    r = post(w, "", CLAUDE);
    registered(w, &r);
    r = post(w, "", CLAUDE);
    assert_status(r, 429);
}

static void without_a_statement_where_one_is_needed(void **state)
{
    world_t *w = *state;
    world_restart(w, "registration", "statement");
    answer_t r = post(w, "", GOOD);
    assert_status(r, 400);
    assert_text(answer_error(w, &r), "invalid_software_statement");
    assert_int_equal(trail_count(w, "client.registered", "deny", "statement_missing"), 1);
}

static void what_the_operator_denies_later_counts_for_old_ids(void **state)
{
    world_t *w = *state;
    answer_t r = post(w, "", GOOD);
    const char *id = arena_cstr(w->a, registered(w, &r));
    browser_t b = browser_new(w);
    r = browser_get(&b, authorize_target(w, id, ""));
    assert_status(r, 200);
    world_restart(w, "redirect_denied_hosts", "c.test");
    r = browser_get(&b, authorize_target(w, id, ""));
    assert_status(r, 400);
    assert_int_equal(trail_count(w, "authorize", "deny", "redirect_uri_host"), 1);
    r = post(w, "", GOOD);
    assert_status(r, 400);
    assert_text(answer_error(w, &r), "invalid_redirect_uri");
}

static void an_unused_client_is_unknown_after_its_time(void **state)
{
    world_t *w = *state;
    world_restart(w, "registration_stateless", "false");
    answer_t r = post(w, "", GOOD);
    const char *id = arena_cstr(w->a, registered(w, &r));
    world_pass(w, w->conf->registration_unused_ttl + 1);
    browser_t b = browser_new(w);
    r = browser_get(&b, authorize_target(w, id, ""));
    assert_status(r, 400);
    assert_true(str_contains(r.body, STR("not registered")));
}

static void a_used_client_stays(void **state)
{
    world_t *w = *state;
    answer_t r = post(w, "", GOOD);
    const char *id = arena_cstr(w->a, registered(w, &r));
    browser_t b = browser_new(w);
    browser_walk(&b, id, "");
    world_pass(w, w->conf->registration_unused_ttl + 1);
    r = browser_get(&b, authorize_target(w, id, ""));
    assert_status(r, 200);
}

static void memory_ends_anywhere(void **state)
{
    world_t *w = *state;
    world_starve(w, world_request(w, "POST", STR("/register"), W_JSON, STR(GOOD)), 201);
    assert_int_equal(trail_count(w, "client.registered", "deny", NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_client_is_registered_and_can_be_used),
        WORLD_TEST(clients_in_the_field_are_taken_as_they_are),
        WORLD_TEST(a_refusal_is_400_and_in_the_trail),
        WORLD_TEST(registration_that_is_off_is_refused),
        WORLD_TEST(a_token_registers_one_client),
        WORLD_TEST(an_expired_token_registers_nothing),
        WORLD_TEST(one_token_in_two_hands_registers_one_client),
        WORLD_TEST(a_full_house_says_so),
        WORLD_TEST(the_first_use_writes_the_row),
        WORLD_TEST(a_person_who_denies_writes_none),
        WORLD_TEST(a_secret_without_a_row_is_believed),
        WORLD_TEST(an_id_whose_key_is_gone_is_unknown),
        WORLD_TEST(too_many_from_one_address_are_429),
        WORLD_TEST(each_software_counts_for_itself),
        WORLD_TEST(a_hosted_client_has_a_bucket_of_its_own),
        WORLD_TEST(without_a_statement_where_one_is_needed),
        WORLD_TEST(what_the_operator_denies_later_counts_for_old_ids),
        WORLD_TEST(an_unused_client_is_unknown_after_its_time),
        WORLD_TEST(a_used_client_stays),
        WORLD_TEST(memory_ends_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
