#include "as/as_test_browser.h"

#include "as/declared.h"

static const char *const DOCUMENTS[] = {"/.well-known/oauth-authorization-server",
                                        "/.well-known/openid-configuration", "/jwks"};
enum { N_DOCUMENTS = sizeof DOCUMENTS / sizeof DOCUMENTS[0] };

static answer_t get_if_changed(world_t *w, const char *path, str_t etag)
{
    str_t header = arena_printf(w->a, "If-None-Match: %" PRIstr "\r\n", STR_ARG(etag));
    return world_ask(w, world_request(w, "GET", str_c(path), arena_cstr(w->a, header), STR("")));
}

static void a_document_that_is_known_is_304(void **state)
{
    world_t *w = *state;
    for (size_t i = 0; i < N_DOCUMENTS; i++) {
        answer_t r = world_get(w, DOCUMENTS[i]);
        assert_status(r, 200);
        str_t etag = answer_header(&r, "etag");
        assert_true(etag.n > 10);
        r = get_if_changed(w, DOCUMENTS[i], etag);
        assert_status(r, 304);
        assert_int_equal(r.body.n, 0);
        assert_true(str_is_set(answer_header(&r, "cache-control")));
        r = get_if_changed(w, DOCUMENTS[i], STR("\"another\""));
        assert_status(r, 200);
    }
}

static void the_etag_is_the_same_after_a_start(void **state)
{
    world_t *w = *state;
    str_t before[N_DOCUMENTS];
    for (size_t i = 0; i < N_DOCUMENTS; i++) {
        answer_t r = world_get(w, DOCUMENTS[i]);
        before[i] = answer_header(&r, "etag");
    }
    assert_false(str_eq(before[0], before[1]));
    world_restart(w, NULL, NULL);
    for (size_t i = 0; i < N_DOCUMENTS; i++) {
        answer_t r = world_get(w, DOCUMENTS[i]);
        assert_str(answer_header(&r, "etag"), before[i]);
    }
}

static void keys_are_kept_as_long_as_the_setting_says(void **state)
{
    world_t *w = *state;
    world_restart(w, "key_set_cache_age", "77");
    answer_t r = world_get(w, "/jwks");
    assert_text(answer_header(&r, "cache-control"), "public, max-age=77");
    r = world_get(w, DOCUMENTS[0]);
    assert_text(answer_header(&r, "cache-control"), "public, max-age=60");
}

static void head_has_the_headers_only(void **state)
{
    world_t *w = *state;
    answer_t r = world_ask(w, world_request(w, "HEAD", STR("/jwks"), "", STR("")));
    assert_status(r, 200);
    assert_int_equal(r.body.n, 0);
    assert_true(str_is_set(answer_header(&r, "etag")));
}

/* pain rows 23, 24, 27 */
static void metadata_names_what_clients_look_for(void **state)
{
    static const char *const METHODS[] = {"none", "client_secret_basic", "client_secret_post"};
    world_t *w = *state;
    answer_t r = world_get(w, DOCUMENTS[0]);
    const json_t *json = answer_json(w, &r);
    bool iss = false;
    assert_true(json_get_bool(json, STR("authorization_response_iss_parameter_supported"), &iss) &&
                iss);
    const json_t *methods = json_get(json, STR("token_endpoint_auth_methods_supported"));
    for (size_t i = 0; i < 3; i++) {
        bool found = false;
        for (const json_t *m = methods->child; m; m = m->next)
            found = found || str_eq(m->str, str_c(METHODS[i]));
        assert_true(found);
    }
    for (const json_t *member = json->child; member; member = member->next)
        assert_false(json_is(member, JSON_NULL));
    assert_true(str_contains(r.body, STR("files:write")));
}

static void registration_that_is_off_is_not_published(void **state)
{
    world_t *w = *state;
    answer_t r = world_get(w, DOCUMENTS[0]);
    assert_text(json_get_str(answer_json(w, &r), STR("registration_endpoint")),
                W_ISSUER "/register");
    world_restart(w, "registration", "off");
    r = world_get(w, DOCUMENTS[0]);
    assert_false(str_is_set(json_get_str(answer_json(w, &r), STR("registration_endpoint"))));
}

static const scope_text_t SCOPES[] = {{STR_INIT("mail:read"), STR_INIT("Read mail")}};
static const resource_t ANOTHER = {
    .uri = STR_INIT("https://mail.test/mcp"), .scopes = SCOPES, .n_scopes = 1};

static void put_resource(world_t *w, store_conn_t *conn)
{
    effects_t effects = {.n = 0};
    effects_add(&effects, EFFECT_RESOURCE_PUT, W_START_S)->u.resource = &ANOTHER;
    assert_ok(world_apply(w, conn, &effects));
}

static void a_resource_of_this_process_is_seen_at_once(void **state)
{
    world_t *w = *state;
    answer_t before = world_get(w, DOCUMENTS[0]);
    put_resource(w, w->admin);
    answer_t r = get_if_changed(w, DOCUMENTS[0], answer_header(&before, "etag"));
    assert_status(r, 200);
    assert_true(str_contains(r.body, STR("mail:read")));
}

static void a_change_of_another_process_is_seen_soon(void **state)
{
    world_t *w = *state;
    store_t *other;
    store_conn_t *conn;
    answer_t before[N_DOCUMENTS];
    for (size_t i = 0; i < N_DOCUMENTS; i++)
        before[i] = world_get(w, DOCUMENTS[i]);
    world_open_store(w, &other, &conn);
    put_resource(w, conn);
    world_rotate(w, conn);
    world_pass_ms(w, STORE_GENERATION_MS);
    for (size_t i = 0; i < N_DOCUMENTS; i++) {
        answer_t r = get_if_changed(w, DOCUMENTS[i], answer_header(&before[i], "etag"));
        assert_status(r, 200);
        assert_false(str_eq(r.body, before[i].body));
    }
    store_disconnect(conn);
    store_close(other);
}

static void without_keys_there_is_503(void **state)
{
    world_t *w = *state;
    for (size_t i = 0; i < N_DOCUMENTS; i++) {
        answer_t r = world_get(w, DOCUMENTS[i]);
        assert_status(r, 503);
        assert_text(answer_header(&r, "retry-after"), "1");
        assert_true(str_is_set(answer_error(w, &r)));
    }
    answer_t r = world_get(w, "/healthz");
    assert_status(r, 503);
    world_make_keys(w);
    world_pass(w, 1);
    for (size_t i = 0; i < N_DOCUMENTS; i++) {
        r = world_get(w, DOCUMENTS[i]);
        assert_status(r, 200);
    }
    r = world_get(w, "/healthz");
    assert_status(r, 200);
    assert_text(answer_header(&r, "cache-control"), "no-store");
}

static void private_keys_stay_private(void **state)
{
    world_t *w = *state;
    answer_t r = world_get(w, "/jwks");
    const json_t *keys = json_get(answer_json(w, &r), STR("keys"));
    assert_int_equal(keys->count, 1);
    for (const json_t *key = keys->child; key; key = key->next) {
        assert_text(json_get_str(key, STR("kty")), "EC");
        assert_null(json_get(key, STR("d")));
        assert_null(json_get(key, STR("k")));
    }
}

static void assets_are_served_by_their_hash(void **state)
{
    world_t *w = *state;
    answer_t r = world_get(w, "/assets/warder.css");
    assert_status(r, 200);
    assert_true(str_starts(answer_header(&r, "content-type"), STR("text/css")));
    r = get_if_changed(w, "/assets/warder.css", answer_header(&r, "etag"));
    assert_status(r, 304);
    r = world_get(w, "/assets/nothing.css");
    assert_status(r, 404);
    r = world_get(w, "/assets");
    assert_status(r, 404);
}

static void a_document_without_memory_is_503(void **state)
{
    world_t *w = *state;
    unsigned before = w->worker->snapshot->refs;
    world_starve(w, world_request(w, "GET", STR("/jwks"), "", STR("")), 200);
    assert_int_equal(w->worker->snapshot->refs, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_document_that_is_known_is_304),
        WORLD_TEST(the_etag_is_the_same_after_a_start),
        WORLD_TEST(keys_are_kept_as_long_as_the_setting_says),
        WORLD_TEST(head_has_the_headers_only),
        WORLD_TEST(metadata_names_what_clients_look_for),
        WORLD_TEST(registration_that_is_off_is_not_published),
        WORLD_TEST(a_resource_of_this_process_is_seen_at_once),
        ON_DISK_TEST(a_change_of_another_process_is_seen_soon),
        EMPTY_TEST(without_keys_there_is_503),
        WORLD_TEST(private_keys_stay_private),
        WORLD_TEST(assets_are_served_by_their_hash),
        WORLD_TEST(a_document_without_memory_is_503),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
