#include "cmd/admin_test_play.h"

#include "cmd/command.h"
#include "core/json.h"
#include "oauth/handle.h"

#include <stdio.h>

static const json_t *answer(admin_play_t *p)
{
    const json_t *json;
    str_t text = arena_dup(p->a, str_c(p->ran.out));
    assert_int_equal(json_parse(p->a, text, NULL, &json), RC_OK);
    return json;
}

static void is(str_t value, const char *expected)
{
    assert_true(str_eq(value, str_c(expected)));
}

static void machine_gets_a_secret_once(void **state)
{
    admin_play_t *p = *state;
    admin_play_run(p, "admin resource add --uri https://rs.test --scope a:read");
    admin_play_run(p,
                   "admin client add --name M~1 --grant client_credentials --scope a:read --json");
    assert_string_equal(p->ran.err, "");
    const json_t *json = answer(p);
    str_t id = json_get_str(json, STR("client_id"));
    str_t secret = json_get_str(json, STR("client_secret"));
    is(json_get_str(json, STR("client_name")), "M 1");
    is(json_get_str(json, STR("scope")), "a:read");
    is(json_get_str(json, STR("token_endpoint_auth_method")), "client_secret_basic");
    is(json_get(json, STR("grant_types"))->raw, "[\"client_credentials\"]");
    assert_null(json_get(json, STR("redirect_uris")));
    admin_play_store(p);
    ask_t client = {.kind = ASK_CLIENT, .key = id};
    admin_play_ask(p, &client);
    hash_t hash = oauth_handle_hash(secret);
    assert_non_null(client.u.client);
    assert_true(client.u.client->has_secret);
    assert_memory_equal(client.u.client->secret_hash.b, hash.b, sizeof hash.b);
    assert_int_equal(client.u.client->origin, CLIENT_BY_ADMIN);
    assert_int_equal(client.u.client->expires_at, 0);
    assert_non_null(strstr(admin_play_trail(p), arena_cstr(p->a, id)));
    assert_null(strstr(admin_play_trail(p), arena_cstr(p->a, secret)));
    admin_play_run(p, "admin client list");
    assert_null(strstr(p->ran.out, arena_cstr(p->a, secret)));
    assert_non_null(strstr(p->ran.out, "admin  client_secret_basic  client_credentials  M 1\n"));
}

static void client_for_people_gets_their_grants(void **state)
{
    admin_play_t *p = *state;
    admin_play_run(p, "admin client add --name P --redirect-uri http://127.0.0.1/cb --redirect-uri "
                      "https://c.test/cb --redirect-uri https://c.test/cb --auth post --json");
    const json_t *json = answer(p);
    is(json_get(json, STR("redirect_uris"))->raw,
       "[\"http://127.0.0.1/cb\",\"https://c.test/cb\"]");
    is(json_get(json, STR("grant_types"))->raw, "[\"authorization_code\",\"refresh_token\"]");
    is(json_get_str(json, STR("token_endpoint_auth_method")), "client_secret_post");
    is(json_get_str(json, STR("application_type")), "native");
    assert_null(json_get(json, STR("scope")));
}

static void public_client_has_no_secret(void **state)
{
    admin_play_t *p = *state;
    admin_play_run(p, "admin client add --name P --redirect-uri https://c.test/cb --public --json");
    const json_t *json = answer(p);
    assert_null(json_get(json, STR("client_secret")));
    assert_null(json_get(json, STR("client_secret_expires_at")));
    is(json_get_str(json, STR("token_endpoint_auth_method")), "none");
    admin_play_run(p, "admin client add --name P --redirect-uri https://c.test/cb --public");
    assert_null(strstr(p->ran.out, "secret"));
}

/* RFC 9449 section 5.2 */
static void client_of_bound_tokens_says_so(void **state)
{
    admin_play_t *p = *state;
    admin_play_run(p, "admin client add --name P --redirect-uri https://c.test/cb --public --json");
    assert_null(json_get(answer(p), STR("dpop_bound_access_tokens")));
    admin_play_run(p, "admin client add --name P --redirect-uri https://c.test/cb --public "
                      "--dpop-bound --json");
    const json_t *json = answer(p);
    is(json_get(json, STR("dpop_bound_access_tokens"))->raw, "true");
    admin_play_store(p);
    ask_t client = {.kind = ASK_CLIENT, .key = json_get_str(json, STR("client_id"))};
    admin_play_ask(p, &client);
    assert_true(client.u.client->dpop_bound);
}

static void client_of_a_device_has_no_redirect_uri(void **state)
{
    admin_play_t *p = *state;
    admin_play_run(p,
                   "admin client add --name P --grant device_code --grant refresh_token --public "
                   "--json");
    is(json_get(answer(p), STR("grant_types"))->raw,
       "[\"refresh_token\",\"urn:ietf:params:oauth:grant-type:device_code\"]");
    admin_play_run(p, "admin client add --name P --grant "
                      "urn:ietf:params:oauth:grant-type:device_code --public --json");
    answer(p);
}

#define KEYS                                                                                       \
    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"                                          \
    "\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":"                                       \
    "\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\",\"kid\":\"a\"}]}"

static const char *line_with(admin_play_t *p, const char *options)
{
    return arena_printf(p->a,
                        "admin client add --name S --grant client_credentials --scope a:read %s "
                        "--json",
                        options)
        .p;
}

/* RFC 7523 section 2.2 */
static void who_signs_has_keys_and_no_secret(void **state)
{
    admin_play_t *p = *state;
    const char *file = arena_cstr(p->a, str_c(test_file(p->folder, "keys.json", KEYS "\n")));
    admin_play_run(p, line_with(p, arena_printf(p->a, "--jwks %s", file).p));
    const json_t *json = answer(p);
    is(json_get_str(json, STR("token_endpoint_auth_method")), "private_key_jwt");
    assert_null(json_get(json, STR("client_secret")));
    is(json_get(json, STR("jwks"))->raw, KEYS);
    admin_play_store(p);
    ask_t client = {.kind = ASK_CLIENT, .key = json_get_str(json, STR("client_id"))};
    admin_play_ask(p, &client);
    is(client.u.client->jwks, KEYS);
    admin_play_run(p, line_with(p, "--jwks-uri https://c.test/keys"));
    is(json_get_str(answer(p), STR("jwks_uri")), "https://c.test/keys");
}

static void keys_that_are_none_are_refused(void **state)
{
    admin_play_t *p = *state;
    static const struct {
        const char *options;
        int code;
        const char *says;
    } BAD[] = {
        {"--jwks /nowhere", EXIT_REFUSED, "cannot be read"},
        {"--jwks /dev/null", EXIT_REFUSED, "must hold a JWK Set"},
        {"--jwks-uri http://c.test/keys", EXIT_REFUSED, "must be an https URL"},
        {"--jwks-uri https://c.test/keys#x", EXIT_REFUSED, "must be an https URL"},
        {"--jwks a --jwks-uri https://c.test/keys", EXIT_USAGE, "exclude each other"},
        {"--jwks a --auth post", EXIT_USAGE, "leave out --auth"},
        {"--jwks a --public", EXIT_USAGE, "leave out --auth"},
    };
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        admin_play_refused(p, line_with(p, BAD[i].options), BAD[i].code, BAD[i].says);
}

static void lines_show_the_secret_once(void **state)
{
    admin_play_t *p = *state;
    admin_play_run(p, "admin client add --name P --redirect-uri https://c.test/cb");
    assert_non_null(strstr(p->ran.out, "client_id      wrd_"));
    assert_non_null(strstr(p->ran.out, "client_secret  wrs_"));
}

static void scope_of_no_resource_is_a_warning(void **state)
{
    admin_play_t *p = *state;
    admin_play_run(p, "admin resource add --uri https://rs.test --scope files:read --scope b");
    admin_play_run(
        p, "admin client add --name M --grant client_credentials --scope b~c~files:* --json");
    assert_one_line(&p->ran);
    assert_non_null(strstr(p->ran.err, "'c'"));
    is(json_get_str(answer(p), STR("scope")), "b c files:*");
}

static void client_that_cannot_be_is_refused(void **state)
{
#define PEOPLE  "admin client add --name P --redirect-uri https://c.test/cb "
#define MACHINE "admin client add --name M --grant client_credentials "
    static const struct {
        const char *line;
        int code;
        const char *says;
    } CASES[] = {
        {"admin client add --redirect-uri https://c.test/cb", EXIT_USAGE, "--name"},
        {"admin client add --name P", EXIT_USAGE, "--redirect-uri"},
        {"admin client add --name P\x1b[2K --redirect-uri https://c.test/cb", EXIT_REFUSED,
         "--name"},
        {"admin client add --name P --resource-server mcp", EXIT_REFUSED, "--resource-server"},
        {"admin client add --name P --resource-server https://a.test --public", EXIT_USAGE,
         "--public"},
        {"admin client add --name P --resource-server https://a.test --exchange-to b", EXIT_REFUSED,
         "--exchange-to"},
        {"admin client add --name P --redirect-uri https://c.test/cb --exchange-to "
         "https://b.test",
         EXIT_USAGE, "--resource-server"},
        {"admin client add --name P --redirect-uri http://c.test/cb", EXIT_REFUSED, "127.0.0.1"},
        {"admin client add --name P --redirect-uri javascript:x", EXIT_REFUSED, "scheme"},
        {"admin client add --name P --redirect-uri https://c.test/#f", EXIT_REFUSED, "fragment"},
        {"admin client add --name P --redirect-uri data:text/html,x", EXIT_REFUSED, "scheme"},
        {PEOPLE "--grant password", EXIT_USAGE, "'password'"},
        {PEOPLE "--grant refresh_token", EXIT_USAGE, "authorization_code"},
        {PEOPLE "--auth jwt", EXIT_USAGE, "basic or post"},
        {PEOPLE "--public --auth basic", EXIT_USAGE, "--public"},
        {PEOPLE "--scope a\"b", EXIT_REFUSED, "--scope"},
        {MACHINE, EXIT_USAGE, "--scope"},
        {MACHINE "--scope ~", EXIT_USAGE, "--scope"},
        {MACHINE "--scope a --public", EXIT_USAGE, "secret"},
        {MACHINE "--scope a --redirect-uri https://c.test/cb", EXIT_USAGE, "machine"},
    };
    admin_play_t *p = *state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        admin_play_refused(p, CASES[i].line, CASES[i].code, CASES[i].says);
    admin_play_run(p, "admin client list");
    assert_string_equal(p->ran.out, "");
    assert_int_equal(admin_play_trail_lines(p), 0);
}

static void client_is_deleted(void **state)
{
    admin_play_t *p = *state;
    admin_play_run(p, "admin client add --name P --redirect-uri https://c.test/cb --json");
    char *id = arena_cstr(p->a, json_get_str(answer(p), STR("client_id")));
    char line[128];
    snprintf(line, sizeof line, "admin client delete %s", id);
    size_t lines = admin_play_trail_lines(p);
    admin_play_run(p, line);
    assert_int_equal(admin_play_trail_lines(p), lines + 1);
    admin_play_refused(p, line, EXIT_REFUSED, "no such client");
    admin_play_refused(p, "admin client delete", EXIT_USAGE, "ID");
}

static void a_service_names_its_resources(void **state)
{
    admin_play_t *p = *state;
    admin_play_run(p, "admin client add --name S --resource-server https://A.test:443/mcp "
                      "--exchange-to https://b.test --json");
    const json_t *json = answer(p);
    is(json_get(json, STR("grant_types"))->raw,
       "[\"urn:ietf:params:oauth:grant-type:token-exchange\"]");
    admin_play_store(p);
    ask_t client = {.kind = ASK_CLIENT, .key = json_get_str(json, STR("client_id"))};
    admin_play_ask(p, &client);
    assert_int_equal(client.u.client->grants, GRANT_TOKEN_EXCHANGE);
    assert_true(str_list_has(client.u.client->resources, STR("https://a.test/mcp")));
    assert_true(str_list_has(client.u.client->exchange_to, STR("https://b.test")));
}

int main(int argc, char **argv)
{
    int code;
    if (test_is_command(argc, argv, &code))
        return code;
    const struct CMUnitTest tests[] = {
        PLAY_TEST(machine_gets_a_secret_once),
        PLAY_TEST(client_for_people_gets_their_grants),
        PLAY_TEST(client_of_a_device_has_no_redirect_uri),
        PLAY_TEST(client_of_bound_tokens_says_so),
        PLAY_TEST(public_client_has_no_secret),
        PLAY_TEST(who_signs_has_keys_and_no_secret),
        PLAY_TEST(keys_that_are_none_are_refused),
        PLAY_TEST(lines_show_the_secret_once),
        PLAY_TEST(scope_of_no_resource_is_a_warning),
        PLAY_TEST(client_that_cannot_be_is_refused),
        PLAY_TEST(client_is_deleted),
        PLAY_TEST(a_service_names_its_resources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
