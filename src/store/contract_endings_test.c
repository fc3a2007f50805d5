/* The contract of what ends access: each way writes its revocation with it, or nothing. */
#include "core/limits.h"
#include "store/store_test_util.h"

enum { REMEMBERED = MODEL_ACCESS_TOKEN_MAX_S + 120, LATER = TEST_NOW + 7 };

static ask_t all_revocations(play_t *p)
{
    ask_t ask = {.kind = ASK_REVOCATIONS};
    play_ask(p, &ask);
    return ask;
}

static void assert_the_only_one(play_t *p, revoked_kind_t kind, str_t key, int64_t at)
{
    ask_t ask = all_revocations(p);
    assert_int_equal(ask.count, 1);
    assert_int_equal(ask.u.revoked[0].kind, kind);
    assert_str(ask.u.revoked[0].key, key);
    assert_int_equal(ask.u.revoked[0].at, at);
    assert_int_equal(ask.u.revoked[0].expires_at, at + REMEMBERED);
}

static void assert_entry(const revoked_t *got, revoked_kind_t kind, str_t key)
{
    assert_int_equal(got->kind, kind);
    assert_str(got->key, key);
    assert_int_equal(got->at, LATER);
    assert_int_equal(got->expires_at, LATER + REMEMBERED);
}

/* Two grants of one person to one client, one of them at another resource. */
static void settle(play_t *p)
{
    user_t u = test_user(STR("u1"), STR("mia"));
    client_t c = test_client(STR("c1"));
    family_t f1 = test_family(STR("f1")), f2 = test_family(STR("f2"));
    f2.resource = STR("https://other.test/mcp");
    put_user(p, &u);
    put_client(p, &c);
    put_family(p, &f1);
    put_family(p, &f2);
}

static effect_t *end_family(play_t *p, const family_t *f)
{
    effect_t *e = play_add(p, EFFECT_FAMILY_REVOKE);
    e->u.family = f;
    return e;
}

static void ended_grant_is_revoked_once(void **state)
{
    play_t *p = *state;
    family_t end = {.id = STR("f1"), .revoked_at = LATER, .revoked_reason = STR("reuse")};
    family_t unknown = {.id = STR("f9"), .revoked_at = LATER, .revoked_reason = STR("reuse")};
    settle(p);
    end_family(p, &unknown);
    assert_applied(p);
    assert_int_equal(all_revocations(p).count, 0);
    end_family(p, &end);
    assert_applied(p);
    end.revoked_at = LATER + 5;
    end_family(p, &end);
    assert_applied(p);
    assert_the_only_one(p, REVOKED_GRANT, STR("f1"), LATER);
}

static void revoke_token(play_t *p, const char *family, int i)
{
    revoked_t r = {.kind = REVOKED_TOKEN,
                   .key = arena_printf(p->a, "%s.%d", family, i),
                   .at = LATER + i / 100,
                   .expires_at = LATER + 60};
    play_add(p, EFFECT_REVOCATION_PUT)->u.revoked = &r;
    assert_applied(p);
}

/* Single entries end tokens whenever they were issued: what stands for them reaches further. */
enum { FOLD_AHEAD_S = 2 };

static uint64_t revoked_count(play_t *p, const char *jti, const char *sub, int64_t issued)
{
    ask_t ask = {.kind = ASK_REVOKED, .key = str_c(jti), .key2 = str_c(sub), .since = issued};
    play_ask(p, &ask);
    return ask.count;
}

/* A client that refreshes and revokes all the time does not make the list longer than those who
 * follow it remember: from the bound on one entry ends all of the person, and nothing of others. */
static void many_revocations_of_a_person_become_one(void **state)
{
    enum { MOST = LIMIT_REVOCATIONS_PERSON };
    play_t *p = *state;
    settle(p);
    family_t other = test_family(STR("f3"));
    other.user_id = STR("u2");
    put_family(p, &other);
    revoke_token(p, "f3", 0);
    revoke_token(p, "unknown", 0);
    for (int i = 0; i < MOST; i++)
        revoke_token(p, i % 2 ? "f1" : "f2", i);
    assert_int_equal(all_revocations(p).count, MOST + 2);
    revoke_token(p, "f1", MOST);
    ask_t all = all_revocations(p);
    assert_int_equal(all.count, 3);
    const revoked_t *last = &all.u.revoked[2];
    assert_int_equal(last->kind, REVOKED_SUBJECT);
    assert_str(last->key, STR("u1"));
    assert_int_equal(last->at, LATER + MOST / 100 + FOLD_AHEAD_S);
    assert_int_equal(last->expires_at, last->at + REMEMBERED);
    assert_int_equal(revoked_count(p, "f1.1", "u1", LATER), 1);
    assert_int_equal(revoked_count(p, "f1.new", "u1", last->at + 1), 0);
    assert_int_equal(revoked_count(p, "f3.1", "u2", LATER), 0);
    const uint64_t seq = last->seq;
    revoke_token(p, "f2", MOST + 200);
    all = all_revocations(p);
    assert_int_equal(all.count, 3);
    assert_true(all.u.revoked[2].seq > seq);
    assert_int_equal(all.u.revoked[2].at, LATER + (MOST + 200) / 100 + FOLD_AHEAD_S);
}

/* The same where one step ends many grants. */
static void many_grants_that_end_at_once_become_one(void **state)
{
    play_t *p = *state;
    consent_t c = {
        .user_id = STR("u1"), .client_id = STR("c1"), .resource = test_family(STR("")).resource};
    settle(p);
    for (int i = 0; i < LIMIT_REVOCATIONS_PERSON + 1; i++) {
        family_t f = test_family(arena_printf(p->a, "many%d", i));
        put_family(p, &f);
    }
    play_add(p, EFFECT_CONSENT_PUT)->u.consent = &c;
    assert_applied(p);
    effect_t *e = play_add(p, EFFECT_CONSENT_DELETE);
    e->u.consent = &c;
    e->at = LATER;
    assert_applied(p);
    assert_the_only_one(p, REVOKED_SUBJECT, STR("u1"), LATER + FOLD_AHEAD_S);
}

static void changed_password_revokes_the_subject(void **state)
{
    play_t *p = *state;
    user_t changed = {.id = STR("u1"), .password = STR("$argon2id$new")};
    settle(p);
    effect_t *e = play_add(p, EFFECT_USER_SET_PASSWORD);
    e->u.user = &changed;
    e->at = LATER;
    assert_applied(p);
    assert_the_only_one(p, REVOKED_SUBJECT, STR("u1"), LATER);
}

static void disabled_user_is_revoked(void **state)
{
    play_t *p = *state;
    settle(p);
    effect_t *e = play_add(p, EFFECT_USER_DISABLE);
    e->u.key = STR("u1");
    e->at = LATER;
    assert_applied(p);
    assert_the_only_one(p, REVOKED_SUBJECT, STR("u1"), LATER);
}

static void deleted_client_is_revoked(void **state)
{
    play_t *p = *state;
    settle(p);
    effect_t *e = play_add(p, EFFECT_CLIENT_DELETE);
    e->u.key = STR("c1");
    e->at = LATER;
    assert_applied(p);
    ask_t ask = all_revocations(p);
    const revoked_t *v = ask.u.revoked;
    assert_int_equal(ask.count, 4);
    bool first = str_eq(v[0].key, STR("f1")); /* in whatever order */
    assert_entry(&v[0], REVOKED_GRANT, first ? STR("f1") : STR("f2"));
    assert_entry(&v[1], REVOKED_GRANT, first ? STR("f2") : STR("f1"));
    assert_entry(&v[2], REVOKED_SUBJECT, STR("c1")); /* a machine's tokens, exchanged ones too */
    assert_entry(&v[3], REVOKED_CLIENT, STR("c1"));
}

static void sealed_client_that_is_deleted_is_revoked(void **state)
{
    play_t *p = *state;
    client_t c = test_client(STR("sealed"));
    c.sealed = true;
    put_client(p, &c);
    effect_t *e = play_add(p, EFFECT_CLIENT_DELETE);
    e->u.key = c.id;
    e->at = LATER;
    assert_applied(p);
    ask_t ask = all_revocations(p);
    assert_int_equal(ask.count, 2);
    assert_entry(&ask.u.revoked[0], REVOKED_SUBJECT, c.id);
    assert_entry(&ask.u.revoked[1], REVOKED_CLIENT, c.id);
}

/* What strangers register and delete must not fill the list. */
static void client_that_never_had_a_token_has_no_entry(void **state)
{
    play_t *p = *state;
    client_t people = test_client(STR("people")), service = test_client(STR("service"));
    people.grants = GRANT_AUTHORIZATION_CODE | GRANT_REFRESH_TOKEN | GRANT_DEVICE_CODE;
    people.sealed = true;
    service.grants = GRANT_TOKEN_EXCHANGE;
    put_client(p, &people);
    put_client(p, &service);
    effect_t *e = play_add(p, EFFECT_CLIENT_DELETE);
    e->u.key = people.id;
    e->at = LATER;
    assert_applied(p);
    assert_int_equal(all_revocations(p).count, 0);
    e = play_add(p, EFFECT_CLIENT_DELETE);
    e->u.key = service.id;
    e->at = LATER;
    assert_applied(p);
    assert_int_equal(all_revocations(p).count, 2);
}

static consent_t put_consent(play_t *p)
{
    consent_t c = {
        .user_id = STR("u1"), .client_id = STR("c1"), .resource = STR("https://r.test/mcp")};
    play_add(p, EFFECT_CONSENT_PUT)->u.consent = &c;
    assert_applied(p);
    return c;
}

static rc_t withdraw(play_t *p, const consent_t *c)
{
    effect_t *e = play_add(p, EFFECT_CONSENT_DELETE);
    e->u.consent = c;
    e->at = LATER;
    return play_apply(p);
}

static void withdrawn_consent_revokes_each_grant_of_it(void **state)
{
    play_t *p = *state;
    family_t f3 = test_family(STR("f3")), f4 = test_family(STR("f4"));
    family_t end = {.id = f4.id, .revoked_at = TEST_NOW, .revoked_reason = STR("reuse")};
    settle(p);
    put_family(p, &f3);
    put_family(p, &f4);
    consent_t c = put_consent(p);
    end_family(p, &end);
    assert_applied(p);
    uint64_t before = all_revocations(p).u.revoked[0].seq;
    assert_int_equal(withdraw(p, &c), RC_OK);
    ask_t ask = {.kind = ASK_REVOCATIONS, .since = (int64_t)before};
    play_ask(p, &ask);
    assert_int_equal(ask.count, 2); /* neither the one elsewhere nor the one that had ended */
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(ask.u.revoked[i].kind, REVOKED_GRANT);
        assert_int_equal(ask.u.revoked[i].at, LATER);
        assert_int_equal(ask.u.revoked[i].expires_at, LATER + REMEMBERED);
        assert_true(str_eq(ask.u.revoked[i].key, i ? f3.id : STR("f1")) ||
                    str_eq(ask.u.revoked[i].key, i ? STR("f1") : f3.id));
    }
    assert_false(str_eq(ask.u.revoked[0].key, ask.u.revoked[1].key));
}

static void withdrawn_consent_without_grants_revokes_nothing(void **state)
{
    play_t *p = *state;
    consent_t c = put_consent(p);
    assert_int_equal(withdraw(p, &c), RC_OK);
    assert_int_equal(all_revocations(p).count, 0);
}

static void ending_that_conflicts_revokes_nothing(void **state)
{
    play_t *p = *state;
    user_t nobody = {.id = STR("nobody"), .password = STR("x")};
    consent_t none = {.user_id = STR("u1"), .client_id = STR("c1"), .resource = STR("r")};
    family_t end = {.id = STR("f1"), .revoked_at = LATER, .revoked_reason = STR("reuse")};
    settle(p);
    play_add(p, EFFECT_CLIENT_DELETE)->u.key = STR("nobody");
    assert_refused(p, RC_CONFLICT, 0);
    play_add(p, EFFECT_USER_DISABLE)->u.key = STR("nobody");
    assert_refused(p, RC_CONFLICT, 0);
    play_add(p, EFFECT_USER_SET_PASSWORD)->u.user = &nobody;
    assert_refused(p, RC_CONFLICT, 0);
    assert_int_equal(withdraw(p, &none), RC_CONFLICT);
    end_family(p, &end);
    play_add(p, EFFECT_CLIENT_KEEP)->u.key = STR("nobody");
    assert_refused(p, RC_CONFLICT, 1);
    assert_int_equal(all_revocations(p).count, 0);
    assert_int_equal(get_family(p, STR("f1"))->revoked_at, 0);
}

/* The jti of a token that names its family is revoked with it, as a resource server will ask. */
static void token_of_an_ended_grant_is_revoked(void **state)
{
    play_t *p = *state;
    family_t end = {.id = STR("f1"), .revoked_at = LATER, .revoked_reason = STR("reuse")};
    ask_t ask = {.kind = ASK_REVOKED, .key = STR("f1.x"), .key2 = STR("u1"), .key3 = STR("c1")};
    settle(p);
    play_ask(p, &ask);
    assert_int_equal(ask.count, 0);
    end_family(p, &end);
    assert_applied(p);
    play_ask(p, &ask);
    assert_int_equal(ask.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EVERY_STORE(ended_grant_is_revoked_once),
        ON_EVERY_STORE(many_revocations_of_a_person_become_one),
        ON_EVERY_STORE(many_grants_that_end_at_once_become_one),
        ON_EVERY_STORE(changed_password_revokes_the_subject),
        ON_EVERY_STORE(disabled_user_is_revoked),
        ON_EVERY_STORE(deleted_client_is_revoked),
        ON_EVERY_STORE(sealed_client_that_is_deleted_is_revoked),
        ON_EVERY_STORE(client_that_never_had_a_token_has_no_entry),
        ON_EVERY_STORE(withdrawn_consent_revokes_each_grant_of_it),
        ON_EVERY_STORE(withdrawn_consent_without_grants_revokes_nothing),
        ON_EVERY_STORE(ending_that_conflicts_revokes_nothing),
        ON_EVERY_STORE(token_of_an_ended_grant_is_revoked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
