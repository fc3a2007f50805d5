#include "store/store_test_dump.h"

static void put_own(play_t *p)
{
    static const str_t NAMES[] = {STR_INIT("https://r.test/"), STR_INIT("https://r2.test/")};
    static const scope_text_t SCOPES[] = {{STR_INIT("a"), STR_INIT("Read it")},
                                          {STR_INIT("b"), STR_INIT("")}};
    const resource_t resource = {.uri = STR("https://r.test/mcp"),
                                 .name = STR("R"),
                                 .aliases = {NAMES, 2},
                                 .scopes = SCOPES,
                                 .n_scopes = 2,
                                 .default_scope = STR("a"),
                                 .created_at = 5,
                                 .access_token_lifetime = 60,
                                 .token_format = TOKEN_OPAQUE,
                                 .dpop_required = true};
    const key_record_t keys[] = {{.kid = STR("k1"),
                                  .alg = STR("ES256"),
                                  .use = KEY_SIGN,
                                  .state = KEY_CURRENT,
                                  .secret = STR("\0\xff\x01secret"),
                                  .created_at = 1,
                                  .sealed_by = STR("kek")},
                                 {.kid = STR("k2"),
                                  .alg = STR("HS256"),
                                  .use = KEY_DERIVE,
                                  .state = KEY_CURRENT,
                                  .secret = STR("other"),
                                  .created_at = 2,
                                  .sealed_by = STR("kek")}};
    const registration_token_t token = {test_hash("rt"), TEST_NOW, TEST_NOW + 60};
    play_add(p, EFFECT_RESOURCE_PUT)->u.resource = &resource;
    play_add(p, EFFECT_KEY_PUT)->u.key_record = &keys[0];
    play_add(p, EFFECT_KEY_PUT)->u.key_record = &keys[1];
    play_add(p, EFFECT_REGISTRATION_TOKEN_INSERT)->u.registration_token = &token;
    assert_applied(p);
}

static void put_people(play_t *p)
{
    client_t c1 = test_client(STR("c1")), c2 = test_client(STR("c2"));
    user_t u1 = test_user(STR("u1"), STR("ann")), u2 = test_user(STR("u2"), STR("bob"));
    session_t s1 = test_session("s1", STR("u1")), s2 = test_session("s2", STR("u2"));
    consent_t consent = {.user_id = STR("u1"),
                         .client_id = STR("c1"),
                         .resource = STR("https://r.test/mcp"),
                         .scope = STR("a"),
                         .granted_at = TEST_NOW,
                         .document = test_hash("document")};
    c1.deleted_at = c2.deleted_at = 0;
    c1.origin = c2.origin = CLIENT_BY_REGISTRATION;
    put_client(p, &c1);
    put_client(p, &c2);
    put_user(p, &u1);
    put_user(p, &u2);
    put_session(p, &s1);
    put_session(p, &s2);
    play_add(p, EFFECT_CONSENT_PUT)->u.consent = &consent;
    assert_applied(p);
    consent.redirect_uri = STR("https://a.test/cb");
    play_add(p, EFFECT_CONSENT_PUT)->u.consent = &consent;
    assert_applied(p);
}

static family_t family_of(str_t id, str_t user)
{
    family_t f = test_family(id);
    f.user_id = user;
    f.revoked_at = 0;
    f.revoked_reason = STR_UNSET;
    f.created_at = TEST_NOW - 50;
    f.expires_at = TEST_NOW + 1000;
    return f;
}

static void put_grants(play_t *p)
{
    family_t f1 = family_of(STR("f1"), STR("u1")), f2 = family_of(STR("f2"), STR("u2"));
    refresh_t r1 = test_refresh("r1", STR("f1")), r2 = test_refresh("r2", STR("f2"));
    code_t open = test_code("open", STR("f3")), spent = test_code("spent", STR("f1"));
    access_token_t t = test_access_token("t", STR("f1"));
    hash_t used = test_hash("spent");
    r1.uses = r2.uses = 0;
    r1.rotated_at = r2.rotated_at = 0;
    open.request.state = STR("\0\xff");
    put_family(p, &f1);
    put_family(p, &f2);
    put_refresh(p, &r1);
    put_refresh(p, &r2);
    put_code(p, &open);
    put_code(p, &spent);
    put_access_token(p, &t);
    play_add(p, EFFECT_CODE_CONSUME)->u.hash = &used;
    play_add(p, EFFECT_REFRESH_ROTATE)->u.refresh = &r1;
    assert_applied(p);
}

static void put_waiting(play_t *p)
{
    interaction_t i = test_interaction("i");
    pushed_t x = test_pushed("x");
    device_t d = test_device("d", STR("BCDFGHJK"));
    const spent_t jti = {test_hash("jti"), TEST_NOW + 9};
    const lease_t lease = {STR("clean"), STR("node 1"), TEST_NOW + 60};
    put_interaction(p, &i);
    put_pushed(p, &x);
    put_device(p, &d);
    play_add(p, EFFECT_SPEND)->u.spent = &jti;
    play_add(p, EFFECT_LEASE_TAKE)->u.lease = &lease;
    assert_applied(p);
}

static void put_revocations(play_t *p)
{
    static const revoked_t MANY[] = {
        {.kind = REVOKED_TOKEN,
         .key = STR_INIT("f1.j"),
         .at = TEST_NOW,
         .expires_at = TEST_NOW + 5},
        {.kind = REVOKED_CLIENT, .key = STR_INIT("c9"), .at = TEST_NOW, .expires_at = TEST_NOW + 6},
    };
    const family_t ended = {.id = STR("f2"), .revoked_at = TEST_NOW, .revoked_reason = STR("why")};
    play_add(p, EFFECT_REVOCATION_PUT)->u.revoked = &MANY[0];
    play_add(p, EFFECT_REVOCATION_PUT)->u.revoked = &MANY[1];
    play_add(p, EFFECT_FAMILY_REVOKE)->u.family = &ended;
    assert_applied(p);
}

void play_put_all(play_t *p)
{
    put_own(p);
    put_people(p);
    put_grants(p);
    put_waiting(p);
    put_revocations(p);
}

static rc_t add_line(void *ctx, table_id_t table, const void *record)
{
    archive_write_record(ctx, table, record);
    return ((buf_t *)ctx)->failed;
}

str_t play_dump(play_t *p)
{
    str_t out = STR_UNSET, why;
    buf_t b = buf_new(p->a, 1 << 20);
    const store_sink_t sink = {add_line, &b, NULL};
    rc_t rc = store_dump(p->store, p->a, &sink, &why);
    if (rc != RC_OK)
        fail_msg("%" PRIstr, STR_ARG(why));
    assert_int_equal(buf_done(&b, &out), RC_OK);
    return out;
}

static void no_digest(void *ctx, str_t bytes)
{
    (void)ctx;
    (void)bytes;
}

static rc_t next_line(void *ctx, table_id_t *table, const void **record)
{
    test_source_t *s = ctx;
    archive_line_t line;
    if (s->rest.n == 0)
        return s->ends_with;
    size_t n = str_find(s->rest, '\n', 0);
    assert_int_equal(archive_read(&s->reader, s->a, str_first(s->rest, n), &line), RC_OK);
    s->rest = str_skip(s->rest, n + 1);
    *table = line.table;
    *record = line.record;
    return RC_OK;
}

store_source_t test_source(test_source_t *s, arena_t *a, str_t lines)
{
    *s = (test_source_t){.a = a, .rest = lines, .ends_with = RC_NOT_FOUND};
    s->reader.digest.more = no_digest;
    s->reader.has_head = true;
    s->reader.head.format = ARCHIVE_FORMAT;
    return (store_source_t){next_line, s, &s->revocation};
}

rc_t play_copy(play_t *from, play_t *to, str_t *why)
{
    test_source_t s;
    const store_source_t source = test_source(&s, to->a, play_dump(from));
    return store_fill(to->store, to->a, &source, why);
}
