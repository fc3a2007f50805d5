#include "store/store_test_util.h"

hash_t test_hash(const char *text)
{
    hash_t h = {{0}};
    size_t n = strlen(text);
    memset(h.b, 0xA5, sizeof h.b);
    memcpy(h.b, text, n < sizeof h.b ? n : sizeof h.b);
    return h;
}

client_t test_client(str_t id)
{
    static const str_t URIS[] = {STR_INIT("https://a.test/cb"), STR_INIT("http://[::1]/x")};
    static const str_t CONTACTS[] = {STR_INIT("mail@a.test")};
    static const str_t RESOURCES[] = {STR_INIT("https://r.test/mcp"), STR_INIT("")};
    static const str_t EXCHANGES[] = {STR_INIT("https://other.test/"), {NULL, 0}};
    return (client_t){
        .id = id,
        .name = STR("A client"),
        .auth = CLIENT_AUTH_SECRET_POST,
        .type = CLIENT_NATIVE,
        .origin = CLIENT_BY_REGISTRATION,
        .has_secret = true,
        .secret_hash = test_hash("secret"),
        .grants = GRANT_AUTHORIZATION_CODE | GRANT_CLIENT_CREDENTIALS,
        .redirect_uris = {URIS, 2},
        .scope = STR("a b"),
        .client_uri = STR("https://a.test/"),
        .logo_uri = STR("https://a.test/logo"),
        .tos_uri = STR("https://a.test/tos"),
        .policy_uri = STR("https://a.test/policy"),
        .software_id = STR("software"),
        .software_version = STR("1.2"),
        .contacts = {CONTACTS, 1},
        .created_at = TEST_NOW - 5,
        .expires_at = TEST_NOW + 100,
        .jwks = STR("{\"keys\":[]}"),
        .jwks_uri = STR("https://a.test/jwks"),
        .dpop_bound = true,
        .lenient_loopback = true,
        .resources = {RESOURCES, 2},
        .exchange_to = {EXCHANGES, 2},
        .management = test_hash("management"),
        .document = test_hash("document"),
        .vouched_by = STR("https://vouch.test"),
        .used_at = TEST_NOW - 4,
    };
}

user_t test_user(str_t id, str_t name)
{
    static const str_t GROUPS[] = {STR_INIT("heads"), STR_INIT("traders")};
    return (user_t){.id = id,
                    .name = name,
                    .password = STR("$argon2id$x"),
                    .admin = true,
                    .created_at = TEST_NOW - 10,
                    .password_changed_at = TEST_NOW - 9,
                    .issuer = STR("https://idp.test"),
                    .subject = STR("them"),
                    .groups = {GROUPS, 2}};
}

session_t test_session(const char *id, str_t user)
{
    return (session_t){.id = test_hash(id),
                       .user_id = user,
                       .auth_time = TEST_NOW - 4,
                       .created_at = TEST_NOW - 3,
                       .seen_at = TEST_NOW - 2,
                       .expires_at = TEST_NOW + 100,
                       .acr = STR("urn:acr:session")};
}

static authz_request_t request(void)
{
    return (authz_request_t){.client_id = STR("c1"),
                             .redirect_uri = STR("http://127.0.0.1:5/cb"),
                             .redirect_uri_given = true,
                             .state = STR("state"),
                             .code_challenge = STR("challenge"),
                             .scope = STR("a b"),
                             .resource = STR("https://r.test/mcp"),
                             .nonce = STR("nonce"),
                             .prompt = STR("consent"),
                             .max_age = -1,
                             .acr_values = STR("urn:acr:1 urn:acr:2"),
                             .dpop_jkt = STR("thumbprint of a request"),
                             .pushed = test_hash("pushed"),
                             .device = test_hash("device")};
}

interaction_t test_interaction(const char *id)
{
    return (interaction_t){.id = test_hash(id),
                           .state = INTERACTION_CONSENT,
                           .decision = DECISION_DENIED,
                           .session_id = test_hash("session"),
                           .request = request(),
                           .granted_scope = STR("a"),
                           .created_at = TEST_NOW - 7,
                           .expires_at = TEST_NOW + 100,
                           .decided_at = TEST_NOW - 6};
}

code_t test_code(const char *id, str_t family)
{
    return (code_t){.id = test_hash(id),
                    .family_id = family,
                    .user_id = STR("u1"),
                    .request = request(),
                    .auth_time = TEST_NOW - 8,
                    .created_at = TEST_NOW - 1,
                    .expires_at = TEST_NOW + 60,
                    .acr = STR("urn:acr:code")};
}

family_t test_family(str_t id)
{
    return (family_t){.id = id,
                      .client_id = STR("c1"),
                      .user_id = STR("u1"),
                      .scope = STR("a"),
                      .resource = STR("https://r.test/mcp"),
                      .auth_time = TEST_NOW - 8,
                      .created_at = TEST_NOW,
                      .expires_at = TEST_NOW + 1000,
                      .jkt = STR("thumbprint of a family"),
                      .acr = STR("urn:acr:family")}; /* redirect_uri: unset, as of old ones */
}

refresh_t test_refresh(const char *id, str_t family)
{
    return (refresh_t){.id = test_hash(id),
                       .family_id = family,
                       .parent = test_hash("parent"),
                       .created_at = TEST_NOW,
                       .expires_at = TEST_NOW + 100};
}

pushed_t test_pushed(const char *id)
{
    return (pushed_t){.id = test_hash(id),
                      .client_id = STR("c1"),
                      .form = STR("scope=a&resource=\0\xff"),
                      .dpop_jkt = STR("thumbprint of a push"),
                      .created_at = TEST_NOW - 1,
                      .expires_at = TEST_NOW + 90};
}

device_t test_device(const char *id, str_t user_code)
{
    return (device_t){.id = test_hash(id),
                      .user_code = user_code,
                      .client_id = STR("c1"),
                      .scope = STR("a b"),
                      .resource = STR("https://r.test/mcp"),
                      .dpop_jkt = STR("thumbprint of a device"),
                      .created_at = TEST_NOW - 2,
                      .expires_at = TEST_NOW + 600,
                      .polled_at = TEST_NOW - 1,
                      .interval_s = 5};
}

access_token_t test_access_token(const char *id, str_t family)
{
    return (access_token_t){.id = test_hash(id),
                            .jti = STR("f1.x"),
                            .family_id = family,
                            .client_id = STR("c1"),
                            .sub = STR("u1"),
                            .scope = STR("a"),
                            .resource = STR("https://r.test/mcp"),
                            .jkt = STR("thumbprint of a token"),
                            .act = STR("{\"sub\":\"c2\"}"),
                            .acr = STR("urn:acr:token"),
                            .auth_time = TEST_NOW - 8,
                            .created_at = TEST_NOW,
                            .expires_at = TEST_NOW + 300};
}

static const void *by_key(play_t *p, ask_kind_t kind, str_t key)
{
    ask_t ask = {.kind = kind, .key = key};
    play_ask(p, &ask);
    return ask.u.client;
}

static const void *by_hash(play_t *p, ask_kind_t kind, const char *id)
{
    ask_t ask = {.kind = kind, .hash = test_hash(id)};
    play_ask(p, &ask);
    return ask.u.session;
}

const client_t *get_client(play_t *p, str_t id)
{
    return by_key(p, ASK_CLIENT, id);
}

const user_t *get_user(play_t *p, str_t id)
{
    return by_key(p, ASK_USER, id);
}

const family_t *get_family(play_t *p, str_t id)
{
    return by_key(p, ASK_FAMILY, id);
}

const session_t *get_session(play_t *p, const char *id)
{
    return by_hash(p, ASK_SESSION, id);
}

const interaction_t *get_interaction(play_t *p, const char *id)
{
    return by_hash(p, ASK_INTERACTION, id);
}

const code_t *get_code(play_t *p, const char *id)
{
    return by_hash(p, ASK_CODE, id);
}

const refresh_t *get_refresh(play_t *p, const char *id)
{
    return by_hash(p, ASK_REFRESH, id);
}

const pushed_t *get_pushed(play_t *p, const char *id)
{
    return by_hash(p, ASK_PUSHED, id);
}

const device_t *get_device(play_t *p, const char *id)
{
    return by_hash(p, ASK_DEVICE, id);
}

const access_token_t *get_access_token(play_t *p, const char *id)
{
    return by_hash(p, ASK_ACCESS_TOKEN, id);
}

const consent_t *get_consent(play_t *p, const consent_t *c)
{
    ask_t ask = {.kind = ASK_CONSENT,
                 .key = c->user_id,
                 .key2 = c->client_id,
                 .key3 = c->resource,
                 .key4 = c->redirect_uri};
    play_ask(p, &ask);
    return ask.u.consent;
}

void put_client(play_t *p, const client_t *c)
{
    play_add(p, EFFECT_CLIENT_INSERT)->u.client = c;
    assert_applied(p);
}

void put_user(play_t *p, const user_t *u)
{
    play_add(p, EFFECT_USER_INSERT)->u.user = u;
    assert_applied(p);
}

void put_session(play_t *p, const session_t *s)
{
    play_add(p, EFFECT_SESSION_INSERT)->u.session = s;
    assert_applied(p);
}

void put_interaction(play_t *p, const interaction_t *i)
{
    play_add(p, EFFECT_INTERACTION_INSERT)->u.interaction = i;
    assert_applied(p);
}

void put_code(play_t *p, const code_t *c)
{
    play_add(p, EFFECT_CODE_INSERT)->u.code = c;
    assert_applied(p);
}

void put_family(play_t *p, const family_t *f)
{
    play_add(p, EFFECT_FAMILY_INSERT)->u.family = f;
    assert_applied(p);
}

void put_refresh(play_t *p, const refresh_t *r)
{
    play_add(p, EFFECT_REFRESH_INSERT)->u.refresh = r;
    assert_applied(p);
}

void put_pushed(play_t *p, const pushed_t *x)
{
    play_add(p, EFFECT_PUSHED_INSERT)->u.pushed = x;
    assert_applied(p);
}

void put_device(play_t *p, const device_t *d)
{
    play_add(p, EFFECT_DEVICE_INSERT)->u.device = d;
    assert_applied(p);
}

void put_access_token(play_t *p, const access_token_t *t)
{
    play_add(p, EFFECT_ACCESS_TOKEN_INSERT)->u.access_token = t;
    assert_applied(p);
}

void assert_request(const authz_request_t *got, const authz_request_t *want)
{
    static const size_t STRINGS[] = {
        offsetof(authz_request_t, client_id),  offsetof(authz_request_t, redirect_uri),
        offsetof(authz_request_t, state),      offsetof(authz_request_t, code_challenge),
        offsetof(authz_request_t, scope),      offsetof(authz_request_t, resource),
        offsetof(authz_request_t, nonce),      offsetof(authz_request_t, prompt),
        offsetof(authz_request_t, acr_values), offsetof(authz_request_t, dpop_jkt),
    };
    assert_strings(got, want, STRINGS, sizeof STRINGS / sizeof STRINGS[0]);
    assert_int_equal(got->redirect_uri_given, want->redirect_uri_given);
    assert_int_equal(got->max_age, want->max_age);
    assert_memory_equal(&got->pushed, &want->pushed, sizeof want->pushed);
    assert_memory_equal(&got->device, &want->device, sizeof want->device);
}

void assert_strings(const void *got, const void *want, const size_t *offsets, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_str(*(const str_t *)((const char *)got + offsets[i]),
                   *(const str_t *)((const char *)want + offsets[i]));
}

void assert_list(str_list_t got, str_list_t want)
{
    assert_int_equal(got.n, want.n);
    for (size_t i = 0; i < want.n; i++)
        assert_str(got.v[i], want.v[i]);
}
