#include "oauth/oauth_test_world.h"

#include "oauth/handle.h"
#include "oauth/manage.h"
#include "oauth/sealed_client.h"

#define TOKEN "wrm_the-registration-access-token"
#define BODY  "\"redirect_uris\":[\"https://c.test/cb\"],\"token_endpoint_auth_method\":\"none\""

static const str_t SEAL_KEY = STR_INIT("0123456789abcdef0123456789abcdef");

typedef struct {
    world_t w;
    client_t client;
    oauth_sealed_secrets_t secrets;
    oauth_manage_facts_t facts;
    oauth_manage_verdict_t out;
} play_t;

static void begin(play_t *p)
{
    *p = (play_t){0};
    world_begin(&p->w);
    p->client = p->w.client;
    p->client.has_secret = false;
    p->client.management = oauth_handle_hash(STR(TOKEN));
    p->facts = (oauth_manage_facts_t){
        .settings = &p->w.settings,
        .random = &p->w.random,
        .now = TEST_NOW,
        .ends = TEST_NOW + 2,
        .resources = &p->w.resources,
        .token = STR(TOKEN),
        .client = &p->client,
        .seal_keys = {&SEAL_KEY, 1},
    };
}

/* The same client without a row. */
static void begin_sealed(play_t *p, client_auth_t auth)
{
    begin(p);
    p->client.stored = false;
    p->client.expires_at = 0;
    p->client.auth = auth;
    assert_int_equal(
        oauth_sealed_client_seal(p->w.a, p->facts.seal_keys, &p->w.random, &p->client, &p->secrets),
        RC_OK);
    p->facts.token = p->secrets.management;
}

static const json_t *ask(play_t *p, oauth_manage_t what)
{
    p->facts.what = what;
    assert_int_equal(oauth_manage_decide(p->w.a, &p->facts, &p->out), RC_OK);
    return str_is_set(p->out.body) ? world_json(&p->w, p->out.body) : NULL;
}

static const client_t *replaced(play_t *p, const char *members)
{
    str_t id = p->facts.client->id;
    p->facts.body =
        arena_printf(p->w.a, "{\"client_id\":\"%" PRIstr "\",%s}", STR_ARG(id), members);
    ask(p, OAUTH_MANAGE_REPLACE);
    assert_reason(p->out.reason, OAUTH_FINE);
    assert_int_equal(p->out.status, 200);
    assert_int_equal(p->out.effects.n, 1);
    assert_int_equal(p->out.effects.v[0].kind,
                     p->facts.client->stored ? EFFECT_CLIENT_PUT : EFFECT_CLIENT_INSERT);
    assert_true(p->out.has_event && p->out.event.allowed);
    assert_int_equal(p->out.event.kind, AUDIT_CLIENT_CHANGED);
    return p->out.effects.v[0].u.client;
}

static void refused(play_t *p, oauth_manage_t what, oauth_reason_t reason)
{
    const json_t *body = ask(p, what);
    assert_reason(p->out.reason, reason);
    assert_int_equal(p->out.status, oauth_reason_status(reason));
    assert_str(json_get_str(body, STR("error")), oauth_reason_error(reason));
    assert_no_effects(&p->out.effects);
    assert_true(p->out.has_event && !p->out.event.allowed);
}

static void reading(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    const json_t *body = ask(&p, OAUTH_MANAGE_READ);
    assert_int_equal(p.out.status, 200);
    assert_no_effects(&p.out.effects);
    assert_false(p.out.has_event);
    assert_text(json_get_str(body, STR("client_id")), "client-1");
    assert_text(json_get_str(body, STR("registration_access_token")), TOKEN);
    assert_text(json_get_str(body, STR("registration_client_uri")),
                "https://as.test/register/client-1");
    assert_text(json_get_str(body, STR("client_name")), "Client");
    assert_null(json_get(body, STR("client_secret")));
    world_end(&p.w);
}

static void a_sealed_client_reads_its_secret(void **state)
{
    (void)state;
    play_t p;
    begin_sealed(&p, CLIENT_AUTH_SECRET_BASIC);
    const json_t *body = ask(&p, OAUTH_MANAGE_READ);
    assert_str(json_get_str(body, STR("client_secret")), p.secrets.secret);
    p.client.secret_hash = oauth_handle_hash(STR("another")); /* it got a new one since */
    assert_null(json_get(ask(&p, OAUTH_MANAGE_READ), STR("client_secret")));
    world_end(&p.w);
}

static void replacing(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.client.client_uri = STR("https://c.test/about");
    p.client.scope = STR("a:read");
    const client_t *c = replaced(&p, BODY ",\"client_name\":\"New\"");
    assert_text(c->name, "New");
    assert_unset(c->client_uri); /* what is left out is gone (section 2.2) */
    assert_str(c->id, p.client.id);
    assert_int_equal(c->created_at, p.client.created_at);
    assert_int_equal(c->expires_at, p.client.expires_at);
    assert_int_equal(c->origin, CLIENT_BY_REGISTRATION);
    assert_text(c->scope, "a:read"); /* an administrator's bound */
    assert_memory_equal(&c->management, &p.client.management, sizeof c->management);
    assert_text(json_get_str(world_json(&p.w, p.out.body), STR("client_name")), "New");
    world_end(&p.w);
}

/* A row under the same id, which wins over the seal from now on. */
static void replacing_a_sealed_client(void **state)
{
    (void)state;
    play_t p;
    const client_t *now;
    begin_sealed(&p, CLIENT_AUTH_SECRET_POST);
    str_t secret = p.secrets.secret;
    const client_t *c =
        replaced(&p, "\"redirect_uris\":[\"https://c.test/new\"],\"token_endpoint_auth_method\":"
                     "\"client_secret_post\"");
    assert_true(c->sealed && c->has_secret);
    assert_str(c->id, p.client.id);
    assert_str(json_get_str(world_json(&p.w, p.out.body), STR("client_secret")), secret);
    client_t row = *c;
    row.stored = true;
    assert_int_equal(oauth_sealed_client_resolve(p.w.a, p.facts.seal_keys, row.id, &row, &now),
                     RC_OK);
    assert_text(now->redirect_uris.v[0], "https://c.test/new");
    world_end(&p.w);
}

static bool consents_count(const client_t *before, const client_t *after)
{
    return memcmp(before->document.b, after->document.b, sizeof after->document.b) == 0;
}

static void what_people_saw_is_asked_again(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    const client_t *c = replaced(&p, BODY ",\"client_name\":\"Client\"");
    assert_true(consents_count(&p.client, c));
    c = replaced(&p, BODY ",\"client_name\":\"Client\",\"client_uri\":\"https://c.test\"");
    assert_true(consents_count(&p.client, c));
    c = replaced(&p, BODY ",\"client_name\":\"Other\"");
    assert_false(consents_count(&p.client, c));
    const client_t *d = replaced(
        &p, "\"redirect_uris\":[\"https://c.test/cb\",\"https://c.test/2\"],\"client_name\":"
            "\"Client\",\"token_endpoint_auth_method\":\"none\"");
    assert_false(consents_count(&p.client, d));
    assert_false(consents_count(c, d));
    client_t once = *c; /* and once changed, it stays bound to what it was changed to */
    once.stored = true;
    p.facts.client = &once;
    assert_true(consents_count(&once, replaced(&p, BODY ",\"client_name\":\"Other\"")));
    assert_false(consents_count(&p.client, replaced(&p, BODY ",\"client_name\":\"Client\"")));
    world_end(&p.w);
}

#define KEYS                                                                                       \
    "\"redirect_uris\":[\"https://c.test/cb\"],\"client_name\":\"Client\","                        \
    "\"token_endpoint_auth_method\":\"private_key_jwt\",\"jwks_uri\":\"https://c.test/"

/* Whoever brings other keys, or none, may be somebody else. */
static void other_keys_are_asked_again(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    client_t once = *replaced(&p, KEYS "keys\"");
    assert_false(consents_count(&p.client, &once));
    once.stored = true;
    p.facts.client = &once;
    assert_true(consents_count(&once, replaced(&p, KEYS "keys\"")));
    assert_false(consents_count(&once, replaced(&p, KEYS "others\"")));
    assert_false(consents_count(&once, replaced(&p, BODY ",\"client_name\":\"Client\"")));
    world_end(&p.w);
}

/* What a stranger may leave behind without anybody's approval goes by itself. */
static void a_row_that_nobody_approved_expires(void **state)
{
    (void)state;
    play_t p;
    begin_sealed(&p, CLIENT_AUTH_NONE);
    const int64_t end = TEST_NOW + p.w.settings.registration_unused_ttl;
    assert_int_equal(replaced(&p, BODY)->expires_at, end);
    ask(&p, OAUTH_MANAGE_DELETE);
    assert_int_equal(p.out.effects.v[0].u.client->expires_at, end);
    p.client.stored = true;
    p.client.expires_at = TEST_NOW + 1;
    ask(&p, OAUTH_MANAGE_DELETE);
    assert_effects(&p.out.effects, EFFECT_CLIENT_PUT, EFFECT_CLIENT_DELETE);
    assert_int_equal(p.out.effects.v[0].u.client->expires_at, end);
    p.client.expires_at = 0; /* somebody has */
    assert_int_equal(replaced(&p, BODY)->expires_at, 0);
    ask(&p, OAUTH_MANAGE_DELETE);
    assert_effects(&p.out.effects, EFFECT_CLIENT_DELETE);
    world_end(&p.w);
}

static void an_update_obeys_the_rules_of_registration(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    static const struct {
        const char *members;
        oauth_reason_t reason;
    } ROWS[] = {
        {"\"redirect_uris\":[\"javascript:x\"]", OAUTH_REDIRECT_URI_SCHEME},
        {"\"redirect_uris\":[\"other://x\"]", OAUTH_REDIRECT_URI_PRIVATE},
        {"\"redirect_uris\":[\"https://denied.test/\"]", OAUTH_REDIRECT_URI_HOST},
        {"\"redirect_uris\":[]", OAUTH_REDIRECT_URIS_MISSING},
        {"\"token_endpoint_auth_method\":\"magic\"", OAUTH_METADATA_AUTH_METHOD},
    };
    static const str_t DENIED[] = {STR_INIT("denied.test")};
    p.w.settings.redirects.denied_hosts = (str_list_t){DENIED, 1};
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        p.facts.body = arena_printf(p.w.a, "{\"client_id\":\"client-1\",%s}", ROWS[i].members);
        refused(&p, OAUTH_MANAGE_REPLACE, ROWS[i].reason);
    }
    const client_t *c = replaced(&p, BODY ",\"grant_types\":[\"authorization_code\"],\"scope\":"
                                          "\"admin\",\"created_at\":1");
    assert_int_equal(c->grants, GRANT_AUTHORIZATION_CODE);
    assert_unset(c->scope);
    world_end(&p.w);
}

static void metadata_malformed(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    static const char *const BAD[] = {"", "{", "[]", "null"};
    for (size_t i = 0; i < 4; i++) {
        p.facts.body = str_c(BAD[i]);
        refused(&p, OAUTH_MANAGE_REPLACE, OAUTH_METADATA_MALFORMED);
    }
    replaced(&p, BODY);
    world_end(&p.w);
}

static void management_client_id(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    static const char *const BAD[] = {"{" BODY "}", "{\"client_id\":\"client-2\"," BODY "}",
                                      "{\"client_id\":1," BODY "}"};
    for (size_t i = 0; i < 3; i++) {
        p.facts.body = str_c(BAD[i]);
        refused(&p, OAUTH_MANAGE_REPLACE, OAUTH_MANAGEMENT_CLIENT_ID);
    }
    replaced(&p, BODY);
    world_end(&p.w);
}

static void management_secret(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.facts.body = STR("{\"client_id\":\"client-1\",\"client_secret\":\"chosen\"," BODY "}");
    refused(&p, OAUTH_MANAGE_REPLACE, OAUTH_MANAGEMENT_SECRET); /* it has none */
    p.client.has_secret = true;
    p.client.auth = CLIENT_AUTH_SECRET_BASIC;
    refused(&p, OAUTH_MANAGE_REPLACE, OAUTH_MANAGEMENT_SECRET);
    p.facts.body = STR("{\"client_id\":\"client-1\",\"client_secret\":1," BODY "}");
    refused(&p, OAUTH_MANAGE_REPLACE, OAUTH_MANAGEMENT_SECRET);
    str_t good =
        arena_printf(p.w.a, "\"client_secret\":\"%" PRIstr "\"," BODY, STR_ARG(p.w.secret));
    assert_false(replaced(&p, good.p)->has_secret); /* it is public now */
    world_end(&p.w);
}

static void a_secret_for_who_becomes_confidential(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    const client_t *c = replaced(&p, "\"redirect_uris\":[\"https://c.test/cb\"]");
    str_t secret = json_get_str(world_json(&p.w, p.out.body), STR("client_secret"));
    hash_t hash = oauth_handle_hash(secret);
    assert_true(c->has_secret && str_starts(secret, STR("wrs_")));
    assert_memory_equal(&c->secret_hash, &hash, sizeof hash);
    client_t kept = *c;
    p.facts.client = &kept;
    c = replaced(&p, "\"redirect_uris\":[\"https://c.test/cb\"]");
    assert_memory_equal(&c->secret_hash, &hash, sizeof hash);
    assert_null(json_get(world_json(&p.w, p.out.body), STR("client_secret")));
    world_end(&p.w);
}

static void deleting(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    assert_null(ask(&p, OAUTH_MANAGE_DELETE));
    assert_int_equal(p.out.status, 204);
    assert_effects(&p.out.effects, EFFECT_CLIENT_DELETE);
    assert_str(p.out.effects.v[0].u.key, p.client.id);
    assert_int_equal(p.out.effects.v[0].at, p.facts.ends);
    assert_int_equal(p.out.event.kind, AUDIT_CLIENT_DELETED);
    world_end(&p.w);
    begin_sealed(&p, CLIENT_AUTH_NONE);
    ask(&p, OAUTH_MANAGE_DELETE);
    assert_effects(&p.out.effects, EFFECT_CLIENT_INSERT, EFFECT_CLIENT_DELETE);
    assert_int_equal(p.out.effects.v[0].quota.max_clients, p.w.settings.max_clients);
    world_end(&p.w);
}

/* The first row of a client counts for the quota; those that have one go on. */
static void registration_full(void **state)
{
    (void)state;
    play_t p;
    begin_sealed(&p, CLIENT_AUTH_NONE);
    p.facts.full = true;
    refused(&p, OAUTH_MANAGE_DELETE, OAUTH_REGISTRATION_FULL);
    p.facts.body = STR("{}");
    refused(&p, OAUTH_MANAGE_REPLACE, OAUTH_REGISTRATION_FULL);
    ask(&p, OAUTH_MANAGE_READ);
    assert_reason(p.out.reason, OAUTH_FINE);
    p.client.stored = true;
    ask(&p, OAUTH_MANAGE_DELETE);
    assert_reason(p.out.reason, OAUTH_FINE);
    world_end(&p.w);
}

static void statement_missing(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.client.vouched_by = STR("https://vouch.test");
    p.facts.body = STR("{\"client_id\":\"client-1\"," BODY "}");
    refused(&p, OAUTH_MANAGE_REPLACE, OAUTH_STATEMENT_MISSING);
    p.client.vouched_by = STR_UNSET;
    replaced(&p, BODY);
    p.w.settings.registration = OAUTH_REGISTER_STATEMENT; /* nobody new comes without one */
    refused(&p, OAUTH_MANAGE_REPLACE, OAUTH_STATEMENT_MISSING);
    world_end(&p.w);
}

static void management_off(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.w.settings.registration_management = false;
    for (oauth_manage_t what = OAUTH_MANAGE_READ; what <= OAUTH_MANAGE_DELETE; what++)
        refused(&p, what, OAUTH_MANAGEMENT_OFF);
    assert_unset(p.out.www_authenticate);
    world_end(&p.w);
}

static void management_token_missing(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.facts.token = STR_UNSET;
    for (oauth_manage_t what = OAUTH_MANAGE_READ; what <= OAUTH_MANAGE_DELETE; what++) {
        refused(&p, what, OAUTH_MANAGEMENT_TOKEN_MISSING);
        assert_text(p.out.www_authenticate, "Bearer");
    }
    world_end(&p.w);
}

static void management_token_invalid(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    static const hash_t NONE = {{0}};
    p.facts.token = STR("wrm_another");
    for (oauth_manage_t what = OAUTH_MANAGE_READ; what <= OAUTH_MANAGE_DELETE; what++) {
        refused(&p, what, OAUTH_MANAGEMENT_TOKEN_INVALID);
        assert_true(str_starts(p.out.www_authenticate, STR("Bearer error=\"invalid_token\"")));
    }
    p.facts.token = STR(TOKEN);
    p.facts.client = NULL; /* nobody has the id */
    refused(&p, OAUTH_MANAGE_READ, OAUTH_MANAGEMENT_TOKEN_INVALID);
    p.facts.client = &p.client;
    p.client.expires_at = TEST_NOW; /* never used in time */
    refused(&p, OAUTH_MANAGE_READ, OAUTH_MANAGEMENT_TOKEN_INVALID);
    p.client.expires_at = 0;
    p.client.management = NONE; /* an administrator's client */
    refused(&p, OAUTH_MANAGE_DELETE, OAUTH_MANAGEMENT_TOKEN_INVALID);
    p.client.management = oauth_handle_hash(STR(TOKEN));
    ask(&p, OAUTH_MANAGE_READ);
    assert_reason(p.out.reason, OAUTH_FINE);
    world_end(&p.w);
}

static void tokens_of_requests(void **state)
{
    (void)state;
    const str_t bad[] = {STR("Basic abc"), STR("Bearer"), STR("Bearer "), STR("")};
    for (size_t i = 0; i < 4; i++)
        assert_unset(oauth_manage_token((str_list_t){&bad[i], 1}));
    const str_t two[] = {STR("bearer  a"), STR("Bearer b")};
    assert_unset(oauth_manage_token((str_list_t){two, 2}));
    assert_unset(oauth_manage_token((str_list_t){0}));
    assert_text(oauth_manage_token((str_list_t){two, 1}), "a");
}

static rc_t decide_in(world_t *w, arena_t *a, void *ctx)
{
    play_t *p = ctx;
    oauth_manage_verdict_t out;
    (void)w;
    return oauth_manage_decide(a, &p->facts, &out);
}

static void without_random_and_memory(void **state)
{
    (void)state;
    play_t p;
    begin_sealed(&p, CLIENT_AUTH_SECRET_BASIC);
    replaced(&p, "\"redirect_uris\":[\"https://c.test/cb\"],\"client_name\":\"x\"");
    for (oauth_manage_t what = OAUTH_MANAGE_READ; what <= OAUTH_MANAGE_REPLACE; what++) {
        p.facts.what = what;
        world_starve(decide_in, &p.w, &p);
    }
    p.facts.token = STR("x");
    world_starve(decide_in, &p.w, &p);
    world_end(&p.w);
    begin(&p);
    random_port_t broken = world_no_random();
    p.facts.random = &broken;
    p.facts.what = OAUTH_MANAGE_REPLACE;
    p.facts.body = STR("{\"client_id\":\"client-1\",\"redirect_uris\":[\"https://c.test/cb\"]}");
    assert_int_equal(oauth_manage_decide(p.w.a, &p.facts, &p.out), RC_IO);
    world_end(&p.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading),
        cmocka_unit_test(a_sealed_client_reads_its_secret),
        cmocka_unit_test(replacing),
        cmocka_unit_test(replacing_a_sealed_client),
        cmocka_unit_test(what_people_saw_is_asked_again),
        cmocka_unit_test(other_keys_are_asked_again),
        cmocka_unit_test(a_row_that_nobody_approved_expires),
        cmocka_unit_test(an_update_obeys_the_rules_of_registration),
        cmocka_unit_test(metadata_malformed),
        cmocka_unit_test(management_client_id),
        cmocka_unit_test(management_secret),
        cmocka_unit_test(a_secret_for_who_becomes_confidential),
        cmocka_unit_test(deleting),
        cmocka_unit_test(registration_full),
        cmocka_unit_test(statement_missing),
        cmocka_unit_test(management_off),
        cmocka_unit_test(management_token_missing),
        cmocka_unit_test(management_token_invalid),
        cmocka_unit_test(tokens_of_requests),
        cmocka_unit_test(without_random_and_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
