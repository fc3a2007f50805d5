/* Assertions through the whole server: of clients, of people and of workloads, with a store that
 * fails, memory that ends, and issuers that do not answer. */
#include "as/as_test_browser.h"

#include "core/b64.h"

#define CLIENT   "client-signs"
#define PLATFORM "https://platform.test"
#define BEARER   "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion="
#define KEYS     PLATFORM "/keys"
#define METADATA PLATFORM "/.well-known/openid-configuration"

typedef struct {
    jose_key_t *key;
    str_t jwks;
} signer_t;

static void free_key(void *key)
{
    jose_key_free(key);
}

static signer_t signer_new(world_t *w)
{
    signer_t s;
    assert_ok(jose_key_generate(ALG_ES256, &s.key));
    assert_ok(arena_cleanup(w->a, free_key, s.key));
    jwk_t jwk = {.key = s.key, .alg = ALG_ES256, .kid = STR("k1")};
    const jwks_t set = {&jwk, 1, 0};
    buf_t b = buf_new(w->a, 4096);
    json_writer_t writer = json_writer(&b);
    assert_ok(jwks_write(w->a, &writer, &set));
    buf_char(&b, '\0');
    assert_ok(buf_done(&b, &s.jwks));
    s.jwks.n--;
    return s;
}

static str_t sign(world_t *w, const signer_t *s, const char *typ, str_t payload)
{
    jose_signing_t *signing;
    uint8_t sig[KEY_SIGNATURE_MAX];
    size_t n;
    str_t header = arena_printf(w->a, "{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"%s\"}", typ);
    str_t first = b64url_encode(w->a, header.p, header.n);
    str_t second = b64url_encode(w->a, payload.p, payload.n);
    str_t input = arena_printf(w->a, "%" PRIstr ".%" PRIstr, STR_ARG(first), STR_ARG(second));
    assert_ok(jose_signing_new(s->key, ALG_ES256, &signing));
    assert_ok(jose_signing_sign(signing, input, sig, &n));
    jose_signing_free(signing);
    str_t third = b64url_encode(w->a, sig, n);
    return arena_printf(w->a, "%" PRIstr ".%" PRIstr, STR_ARG(input), STR_ARG(third));
}

static int64_t now(world_t *w)
{
    return w->ms / 1000;
}

/* A machine that signs with the key. */
static void add_client(world_t *w, const signer_t *s)
{
    const client_t client = {.id = STR(CLIENT),
                             .auth = CLIENT_AUTH_PRIVATE_KEY_JWT,
                             .grants = GRANT_CLIENT_CREDENTIALS,
                             .scope = STR("files:read"),
                             .jwks = s->jwks};
    world_put(w, EFFECT_CLIENT_INSERT, &client);
}

static str_t machine_form(world_t *w, const signer_t *s, const char *jti)
{
    str_t claims = arena_printf(w->a,
                                "{\"iss\":\"" CLIENT "\",\"sub\":\"" CLIENT "\",\"aud\":\"" W_ISSUER
                                "\",\"jti\":\"%s\",\"exp\":%lld}",
                                jti, (long long)now(w) + 60);
    str_t text = sign(w, s, "JWT", claims);
    return arena_printf(w->a,
                        "grant_type=client_credentials&client_assertion_type=urn:ietf:params:oauth:"
                        "client-assertion-type:jwt-bearer&client_assertion=%" PRIstr,
                        STR_ARG(text));
}

static void trust(world_t *w, str_t jwks, str_t jwks_uri)
{
    static const str_t RESOURCES[] = {STR_INIT(W_RESOURCE)};
    static const oauth_rule_claim_t SUB[] = {{STR_INIT("sub"), STR_INIT("job-"), true}};
    static const oauth_rule_t RULES[] = {
        {STR_INIT("workload:job"), SUB, 1, {RESOURCES, 1}, STR_INIT("files:read")}};
    oauth_issuer_t *v = ARENA_NEW(w->a, oauth_issuer_t);
    assert_non_null(v);
    *v = (oauth_issuer_t){.issuer = STR(PLATFORM),
                          .jwks = jwks,
                          .jwks_uri = jwks_uri,
                          .uses = OAUTH_ISSUER_ID_JAG | OAUTH_ISSUER_WORKLOAD,
                          .rules = RULES,
                          .n_rules = 1};
    w->as->oauth.issuers = (oauth_issuers_t){v, 1};
}

static str_t workload_form(world_t *w, const signer_t *s, const char *jti)
{
    str_t claims = arena_printf(w->a,
                                "{\"iss\":\"" PLATFORM "\",\"sub\":\"job-1\",\"aud\":\"" W_ISSUER
                                "\",\"jti\":\"%s\",\"exp\":%lld}",
                                jti, (long long)now(w) + 60);
    return arena_printf(w->a, BEARER "%" PRIstr, STR_ARG(sign(w, s, "JWT", claims)));
}

static str_t person_form(world_t *w, const signer_t *s, const char *jti)
{
    str_t claims = arena_printf(w->a,
                                "{\"iss\":\"" PLATFORM "\",\"sub\":\"u1\",\"aud\":\"" W_ISSUER
                                "\",\"client_id\":\"" W_PUBLIC "\",\"resource\":\"" W_RESOURCE
                                "\",\"jti\":\"%s\",\"iat\":%lld,\"exp\":%lld}",
                                jti, (long long)now(w), (long long)now(w) + 60);
    return arena_printf(w->a, "client_id=" W_PUBLIC "&" BEARER "%" PRIstr,
                        STR_ARG(sign(w, s, "oauth-id-jag+jwt", claims)));
}

/* The client of the person's application may use the grant. */
static void allow_bearer(world_t *w)
{
    ask_t ask = world_look(w, (ask_t){.kind = ASK_CLIENT, .key = STR(W_PUBLIC)});
    client_t client = *ask.u.client;
    client.grants |= GRANT_JWT_BEARER;
    world_put(w, EFFECT_CLIENT_PUT, &client);
}

static void an_assertion_authenticates_once(void **state)
{
    world_t *w = *state;
    const signer_t s = signer_new(w);
    add_client(w, &s);
    str_t form = machine_form(w, &s, "one");
    answer_t r = world_post(w, "/token", "", form);
    assert_status(r, 200);
    r = world_post(w, "/token", "", form);
    assert_status(r, 401);
    assert_text(answer_error(w, &r), "invalid_client");
    assert_int_equal(trail_count(w, "token", "deny", "client_assertion_replayed"), 1);
    r = world_post(w, "/token", "", machine_form(w, &s, "two"));
    assert_status(r, 200);
}

/* Nothing was decided, so nothing is spent. */
static void a_store_that_fails_spends_nothing(void **state)
{
    world_t *w = *state;
    const signer_t s = signer_new(w);
    add_client(w, &s);
    str_t form = machine_form(w, &s, "one");
    w->faults.apply = RC_IO;
    answer_t r = world_post(w, "/token", "", form);
    assert_status(r, 503);
    w->faults.apply = RC_OK;
    r = world_post(w, "/token", "", form);
    assert_status(r, 200);
}

/* A use that cannot be remembered could be repeated. */
static void no_room_for_a_use_is_503(void **state)
{
    world_t *w = *state;
    const signer_t s = signer_new(w);
    add_client(w, &s);
    w->as->oauth.max_spent = 1;
    answer_t r = world_post(w, "/token", "", machine_form(w, &s, "one"));
    assert_status(r, 200);
    r = world_post(w, "/token", "", machine_form(w, &s, "two"));
    assert_status(r, 503);
    assert_true(answer_header(&r, "Retry-After").n > 0);
    assert_int_equal(trail_count(w, "token", "deny", "spent_full"), 1);
}

/* Clients that registered themselves use up half of the room, whatever they are refused for. */
static void strangers_leave_room_for_others(void **state)
{
    world_t *w = *state;
    const signer_t s = signer_new(w);
    add_client(w, &s);
    client_t client = *world_look(w, (ask_t){.kind = ASK_CLIENT, .key = STR(CLIENT)}).u.client;
    client.origin = CLIENT_BY_REGISTRATION;
    world_put(w, EFFECT_CLIENT_PUT, &client);
    w->as->oauth.max_spent = 2;
    answer_t r = world_post(w, "/token", "", machine_form(w, &s, "one"));
    assert_status(r, 400);
    r = world_post(w, "/token", "", machine_form(w, &s, "two"));
    assert_status(r, 503);
    assert_int_equal(trail_count(w, "token", "deny", "spent_full"), 1);
    client.origin = CLIENT_BY_ADMIN;
    world_put(w, EFFECT_CLIENT_PUT, &client);
    r = world_post(w, "/token", "", machine_form(w, &s, "three"));
    assert_status(r, 200);
}

/* The keys of the settings need no asking. */
static void a_workload_and_a_person(void **state)
{
    world_t *w = *state;
    const signer_t s = signer_new(w);
    trust(w, s.jwks, STR_UNSET);
    answer_t r = world_post(w, "/token", "", workload_form(w, &s, "one"));
    assert_status(r, 200);
    allow_bearer(w);
    r = world_post(w, "/token", "", person_form(w, &s, "two"));
    assert_status(r, 200);
    r = world_post(w, "/token", "", person_form(w, &s, "two"));
    assert_status(r, 400);
    assert_int_equal(trail_count(w, "token", "deny", "bearer_replayed"), 1);
    assert_int_equal(w->web.calls, 0);
}

static void keys_that_are_fetched(void **state)
{
    world_t *w = *state;
    const signer_t s = signer_new(w);
    const http_fetch_fake_row_t rows[] = {
        {.url = KEYS, .status = 200, .content_type = "application/json", .body = s.jwks.p}};
    trust(w, STR_UNSET, STR(KEYS));
    answer_t r = world_post(w, "/token", "", workload_form(w, &s, "one"));
    assert_status(r, 503);
    assert_text(answer_error(w, &r), "temporarily_unavailable");
    assert_int_equal(trail_count(w, "token", "deny", "bearer_keys_unavailable"), 1);
    w->web.rows = rows;
    w->web.n = 1;
    r = world_post(w, "/token", "", workload_form(w, &s, "one"));
    assert_status(r, 200);
}

/* OpenID Connect Discovery section 4.3: the metadata must name the issuer. */
static void keys_that_the_metadata_name(void **state)
{
    world_t *w = *state;
    const signer_t s = signer_new(w);
    http_fetch_fake_row_t rows[] = {
        {.url = METADATA,
         .status = 200,
         .content_type = "application/json",
         .cache_control = "no-store",
         .body = "{\"issuer\":\"https://other.test\",\"jwks_uri\":\"" KEYS "\"}"},
        {.url = KEYS, .status = 200, .content_type = "application/json", .body = s.jwks.p}};
    w->web.rows = rows;
    w->web.n = 2;
    trust(w, STR_UNSET, STR_UNSET);
    answer_t r = world_post(w, "/token", "", workload_form(w, &s, "one"));
    assert_status(r, 400);
    assert_int_equal(trail_count(w, "token", "deny", "bearer_key"), 1);
    rows[0].body = "{\"issuer\":\"" PLATFORM "/\",\"jwks_uri\":\"" KEYS "\"}";
    r = world_post(w, "/token", "", workload_form(w, &s, "one"));
    assert_status(r, 400);
    rows[0].body = "{\"issuer\":\"" PLATFORM "\",\"jwks_uri\":\"" KEYS "\"}";
    r = world_post(w, "/token", "", workload_form(w, &s, "one"));
    assert_status(r, 200);
}

/* Who is nobody is counted for the address, as each refusal is a durable line. */
static void refused_workloads_are_counted(void **state)
{
    world_t *w = *state;
    const signer_t s = signer_new(w), stranger = signer_new(w);
    world_restart(w, "page_requests_per_minute", "1");
    trust(w, s.jwks, STR_UNSET);
    answer_t r = world_post(w, "/token", "", workload_form(w, &stranger, "one"));
    assert_status(r, 400);
    r = world_post(w, "/token", "", workload_form(w, &stranger, "two"));
    assert_status(r, 429);
    assert_int_equal(trail_count(w, "token", "deny", NULL), 1);
    r = world_post(w, "/token", "", workload_form(w, &s, "three"));
    assert_status(r, 200);
}

static void memory_ends_anywhere(void **state)
{
    world_t *w = *state;
    const signer_t s = signer_new(w);
    add_client(w, &s);
    world_starve(w, world_request(w, "POST", STR("/token"), W_FORM, machine_form(w, &s, "one")),
                 200);
    trust(w, s.jwks, STR_UNSET);
    world_starve(w, world_request(w, "POST", STR("/token"), W_FORM, workload_form(w, &s, "two")),
                 200);
    allow_bearer(w);
    world_starve(w, world_request(w, "POST", STR("/token"), W_FORM, person_form(w, &s, "three")),
                 200);
    assert_int_equal(trail_count(w, "token", "allow", NULL), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(an_assertion_authenticates_once),
        WORLD_TEST(a_store_that_fails_spends_nothing),
        WORLD_TEST(strangers_leave_room_for_others),
        WORLD_TEST(no_room_for_a_use_is_503),
        WORLD_TEST(a_workload_and_a_person),
        WORLD_TEST(keys_that_are_fetched),
        WORLD_TEST(keys_that_the_metadata_name),
        WORLD_TEST(refused_workloads_are_counted),
        WORLD_TEST(memory_ends_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
