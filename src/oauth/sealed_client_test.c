#include "oauth/oauth_test_world.h"

#include "core/limits.h"
#include "jose/seal.h"
#include "oauth/client_auth.h"
#include "oauth/handle.h"
#include "oauth/sealed_client.h"
#include "oauth/sealed_content.h"

#define KEY_A "0123456789abcdef0123456789abcdef"
#define KEY_B "fedcba9876543210fedcba9876543210"

typedef struct {
    world_t w;
    str_t key[2];
    str_list_t keys;
    str_t uris[3], contacts[1];
    client_t client;
    oauth_sealed_secrets_t secrets;
} play_t;

/* Cursor's registration: three addresses at once. */
static void begin(play_t *p)
{
    *p = (play_t){0};
    world_begin(&p->w);
    p->key[0] = STR(KEY_A);
    p->key[1] = STR(KEY_B);
    p->keys = (str_list_t){p->key, 1};
    p->uris[0] = STR("cursor://anysphere.cursor-mcp/oauth/callback");
    p->uris[1] = STR("https://www.cursor.com/agents/mcp/oauth/callback");
    p->uris[2] = STR("http://localhost:8787/callback");
    p->client = (client_t){
        .name = STR("Cursor"),
        .type = CLIENT_NATIVE,
        .origin = CLIENT_BY_REGISTRATION,
        .grants = GRANT_AUTHORIZATION_CODE | GRANT_REFRESH_TOKEN,
        .redirect_uris = {p->uris, 3},
        .created_at = TEST_NOW,
    };
}

static void seal(play_t *p)
{
    assert_int_equal(
        oauth_sealed_client_seal(p->w.a, p->keys, &p->w.random, &p->client, &p->secrets), RC_OK);
}

static const client_t *open_id(play_t *p, str_t id)
{
    const client_t *out;
    assert_int_equal(oauth_sealed_client_open(p->w.a, p->keys, id, &out, NULL), RC_OK);
    return out;
}

static const client_t *resolve(play_t *p, const client_t *row)
{
    const client_t *out;
    assert_int_equal(oauth_sealed_client_resolve(p->w.a, p->keys, p->client.id, row, &out), RC_OK);
    return out;
}

static void same_list(str_list_t left, str_list_t right)
{
    assert_int_equal(left.n, right.n);
    for (size_t i = 0; i < left.n; i++)
        assert_str(left.v[i], right.v[i]);
}

static void same_metadata(const client_t *left, const client_t *right)
{
    assert_str(left->name, right->name);
    assert_int_equal(left->auth, right->auth);
    assert_int_equal(left->type, right->type);
    assert_int_equal(left->grants, right->grants);
    assert_int_equal(left->created_at, right->created_at);
    assert_int_equal(left->dpop_bound, right->dpop_bound);
    assert_int_equal(left->par_required, right->par_required);
    assert_str(left->client_uri, right->client_uri);
    assert_str(left->logo_uri, right->logo_uri);
    assert_str(left->tos_uri, right->tos_uri);
    assert_str(left->policy_uri, right->policy_uri);
    assert_str(left->software_id, right->software_id);
    assert_str(left->software_version, right->software_version);
    assert_str(left->jwks, right->jwks);
    assert_str(left->jwks_uri, right->jwks_uri);
    same_list(left->redirect_uris, right->redirect_uris);
    same_list(left->contacts, right->contacts);
}

static void the_id_is_the_registration(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    seal(&p);
    assert_true(oauth_sealed_client_is(p.client.id));
    assert_true(p.client.id.n < 256);
    assert_false(str_starts(p.client.id, STR("https://")));
    for (size_t i = 0; i < p.client.id.n; i++)
        assert_non_null(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
                               p.client.id.p[i]));
    assert_false(str_contains(p.client.id, STR("cursor")));
    const client_t *c = open_id(&p, p.client.id);
    assert_non_null(c);
    same_metadata(c, &p.client);
    assert_str(c->id, p.client.id);
    assert_true(c->sealed && !c->stored && !c->has_secret);
    assert_int_equal(c->origin, CLIENT_BY_REGISTRATION);
    assert_int_equal(c->expires_at, 0);
    assert_unset(p.secrets.secret);
    world_end(&p.w);
}

static void every_member_survives(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.contacts[0] = STR("a@b.test");
    p.client = (client_t){
        .name = STR("Caf\xc3\xa9 https://x.com/ \x01"),
        .auth = CLIENT_AUTH_PRIVATE_KEY_JWT,
        .type = CLIENT_WEB,
        .grants = 0x3f,
        .redirect_uris = {p.uris, 2},
        .client_uri = STR("https://www.c.test/"),
        .logo_uri = STR("https://c.test/l"),
        .tos_uri = STR("http://localhost:1/"),
        .policy_uri = STR("http://127.0.0.1:2/oauth/callback"),
        .software_id = STR("s"),
        .software_version = STR(""),
        .contacts = {p.contacts, 1},
        .created_at = 1700000000,
        .jwks = STR("{\"keys\":[{\n\"kty\":\"EC\"}]}"),
        .jwks_uri = STR("https://c.test/jwks"),
        .dpop_bound = true,
        .par_required = true,
    };
    seal(&p);
    same_metadata(open_id(&p, p.client.id), &p.client);
    world_end(&p.w);
}

static void two_registrations_have_two_ids(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    seal(&p);
    str_t first = p.client.id;
    seal(&p);
    assert_false(str_eq(first, p.client.id));
    world_end(&p.w);
}

/* No byte of an id can be changed, dropped or added, whichever it is. */
static void nobody_makes_one_up(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    seal(&p);
    str_t id = p.client.id;
    for (size_t i = 0; i < id.n; i++) {
        char *bent = arena_cstr(p.w.a, id);
        bent[i] = bent[i] == 'A' ? 'B' : 'A';
        assert_null(open_id(&p, str_c(bent)));
        assert_null(open_id(&p, str_first(id, i)));
    }
    assert_null(open_id(&p, arena_printf(p.w.a, "%" PRIstr "A", STR_ARG(id))));
    assert_null(open_id(&p, arena_printf(p.w.a, "%" PRIstr "AAAA", STR_ARG(id))));
    assert_null(open_id(&p, STR("wrd_0123")));
    assert_null(open_id(&p, STR("wrx_!")));
    assert_null(open_id(&p, STR_UNSET));
    assert_non_null(open_id(&p, id));
    world_end(&p.w);
}

static void old_keys_still_open(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    seal(&p);
    str_t id = p.client.id;
    p.key[0] = STR(KEY_B);
    assert_null(open_id(&p, id));
    p.key[1] = STR(KEY_A);
    p.keys.n = 2;
    assert_non_null(open_id(&p, id));
    seal(&p); /* under the new one */
    p.keys.n = 1;
    assert_non_null(open_id(&p, p.client.id));
    p.keys.n = 0;
    assert_null(open_id(&p, p.client.id));
    world_end(&p.w);
}

static void the_secret_needs_no_row(void **state)
{
    (void)state;
    play_t p;
    oauth_sealed_secrets_t again;
    const client_t *c;
    begin(&p);
    p.client.auth = CLIENT_AUTH_SECRET_BASIC;
    seal(&p);
    assert_int_equal(oauth_sealed_client_open(p.w.a, p.keys, p.client.id, &c, &again), RC_OK);
    assert_str(again.secret, p.secrets.secret);
    assert_str(again.management, p.secrets.management);
    assert_true(str_starts(again.secret, STR("wrs_")) && again.secret.n == 47);
    assert_false(str_eq(str_skip(again.secret, 4), str_skip(again.management, 4)));
    oauth_client_claim_t claim = {.method = CLIENT_AUTH_SECRET_BASIC,
                                  .client_id = p.client.id,
                                  .secret = secret_of(p.secrets.secret)};
    assert_reason(oauth_client_auth_check(&claim, c, TEST_NOW), OAUTH_FINE);
    assert_reason(oauth_client_auth_check(&claim, c, INT64_MAX), OAUTH_FINE); /* no expiry */
    claim.secret = secret_of(p.secrets.management);
    assert_reason(oauth_client_auth_check(&claim, c, TEST_NOW), OAUTH_CLIENT_AUTH_SECRET);
    hash_t hash = oauth_handle_hash(p.secrets.management);
    assert_memory_equal(&hash, &c->management, sizeof hash);
    world_end(&p.w);
}

static void too_large_for_an_id(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    char *name = arena_alloc(p.w.a, LIMIT_CLIENT_ID_BYTES);
    memset(name, 'x', LIMIT_CLIENT_ID_BYTES - 1);
    for (size_t n = 1; n < LIMIT_CLIENT_ID_BYTES; n++) {
        p.client.name = str_of(name, n);
        rc_t rc = oauth_sealed_client_seal(p.w.a, p.keys, &p.w.random, &p.client, &p.secrets);
        assert_true(rc == RC_OK || (rc == RC_LIMIT && n > LIMIT_CLIENT_ID_BYTES / 2));
        if (rc == RC_LIMIT)
            break;
        assert_true(p.client.id.n <= LIMIT_CLIENT_ID_BYTES);
        assert_true(n < LIMIT_CLIENT_ID_BYTES - 1);
    }
    world_end(&p.w);
}

static void a_row_wins_over_the_seal(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    seal(&p);
    assert_non_null(resolve(&p, NULL));
    client_t row = p.client;
    row.stored = true;
    row.name = STR("Another name");
    assert_ptr_equal(resolve(&p, &row), &row);
    row.deleted_at = TEST_NOW;
    assert_null(resolve(&p, &row));
    client_t other = p.w.client;
    assert_ptr_equal(resolve(&p, &other), &other);
    world_end(&p.w);
}

/* The key leaked and had to go: what was derived of it proves nothing any longer. */
static void a_row_whose_key_is_gone(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    seal(&p);
    client_t row = p.client;
    row.stored = true;
    p.key[0] = STR(KEY_B);
    const client_t *c = resolve(&p, &row);
    static const hash_t NONE = {{0}};
    assert_non_null(c);
    assert_memory_equal(&c->management, &NONE, sizeof NONE);
    assert_str(c->name, row.name);
    row.has_secret = true;
    assert_null(resolve(&p, &row));
    p.key[0] = STR(KEY_A);
    assert_non_null(resolve(&p, &row));
    world_end(&p.w);
}

static void strange_content(void **state)
{
    (void)state;
    static const str_t ROWS[] = {
        STR_INIT(""),
        STR_INIT("\x02\x00\x00\x01\x01"),             /* a version to come */
        STR_INIT("\x01\x00\x07\x01\x01"),             /* a way to authenticate to come */
        STR_INIT("\x01\x00\x00\x01"),                 /* cut */
        STR_INIT("\x01\x00\x00\x01\x01\x02"),         /* a text without length */
        STR_INIT("\x01\x00\x00\x01\x01\x02\x05y"),    /* a text that is too short */
        STR_INIT("\x01\x00\x00\x01\x01\x70\x01x"),    /* a member to come */
        STR_INIT("\x01\x00\x00\x01\x01\x02\x01\x1f"), /* a word to come */
        STR_INIT("\x01\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
    };
    play_t p;
    begin(&p);
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        client_t c = {0};
        assert_int_equal(oauth_sealed_content_read(p.w.a, ROWS[i], &c), RC_MALFORMED);
    }
    client_t c = {0};
    assert_int_equal(oauth_sealed_content_read(p.w.a, STR("\x01\x00\x00\x01\x01\x02\x01x"), &c),
                     RC_OK);
    assert_text(c.name, "x");
    world_end(&p.w);
}

static rc_t seal_and_open(world_t *w, arena_t *a, void *ctx)
{
    play_t *p = ctx;
    const client_t *c;
    p->client.auth = CLIENT_AUTH_SECRET_POST;
    TRY(oauth_sealed_client_seal(a, p->keys, &w->random, &p->client, &p->secrets));
    TRY(oauth_sealed_client_open(a, p->keys, p->client.id, &c, NULL));
    assert_non_null(c);
    return RC_OK;
}

static void without_random_memory_and_key(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    world_starve(seal_and_open, &p.w, &p);
    random_port_t broken = world_no_random();
    assert_int_equal(oauth_sealed_client_seal(p.w.a, p.keys, &broken, &p.client, &p.secrets),
                     RC_IO);
    p.keys.n = 0;
    assert_int_equal(oauth_sealed_client_seal(p.w.a, p.keys, &p.w.random, &p.client, &p.secrets),
                     RC_NOT_FOUND);
    world_end(&p.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_id_is_the_registration),
        cmocka_unit_test(every_member_survives),
        cmocka_unit_test(two_registrations_have_two_ids),
        cmocka_unit_test(nobody_makes_one_up),
        cmocka_unit_test(old_keys_still_open),
        cmocka_unit_test(the_secret_needs_no_row),
        cmocka_unit_test(too_large_for_an_id),
        cmocka_unit_test(a_row_wins_over_the_seal),
        cmocka_unit_test(a_row_whose_key_is_gone),
        cmocka_unit_test(strange_content),
        cmocka_unit_test(without_random_memory_and_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
