/* The contract of forgetting what nobody uses, for every driver. */
#include "store/store_test_util.h"

enum { DAY = 86400, LONG = 400 * DAY };
static const int64_t LATER = (int64_t)TEST_NOW + LONG;

static client_t client_in_use(const char *id)
{
    client_t c = test_client(str_c(id));
    c.expires_at = 0;
    c.used_at = TEST_NOW;
    return c;
}

static consent_t consent_of(str_t client)
{
    return (consent_t){.user_id = STR("u1"),
                       .client_id = client,
                       .resource = STR("https://r.test/mcp"),
                       .redirect_uri = STR("https://a.test/cb"),
                       .scope = STR("a"),
                       .granted_at = TEST_NOW,
                       .document = test_hash("document"),
                       .used_at = TEST_NOW};
}

static void put_consent(play_t *p, const consent_t *c)
{
    play_add(p, EFFECT_CONSENT_PUT)->u.consent = c;
    assert_applied(p);
}

static family_t grant_of(const consent_t *c, int64_t end)
{
    family_t f = test_family(STR("f1"));
    f.user_id = c->user_id;
    f.client_id = c->client_id;
    f.resource = c->resource;
    f.redirect_uri = c->redirect_uri;
    f.expires_at = end;
    return f;
}

/* Forgets what was not used for long; how many went. */
static size_t forget_at(play_t *p, int64_t now, uint32_t limit)
{
    store_forget_t forget = {.now = now, .before = now - LONG, .limit = limit};
    assert_int_equal(play_forget(p, &forget), RC_OK);
    for (size_t i = 0; i < forget.n; i++)
        assert_true(str_is_set(forget.gone[i].client_id));
    return forget.n;
}

/* All that waits, in batches. */
static size_t forget_all(play_t *p, int64_t now)
{
    size_t n = 0;
    for (int i = 0; i < 20; i++) {
        n += forget_at(p, now, 10);
        if (p->failed < 10)
            return n;
    }
    fail_msg("there is no end");
    return n;
}

static void unused_client_and_consent_are_forgotten(void **state)
{
    play_t *p = *state;
    const client_t c = client_in_use("c1");
    const consent_t s = consent_of(c.id);
    store_forget_t forget = {.now = LATER + 1, .before = TEST_NOW + 1, .limit = 10};
    put_client(p, &c);
    put_consent(p, &s);
    assert_int_equal(forget_at(p, LATER, 10), 0);
    assert_int_equal(play_forget(p, &forget), RC_OK);
    assert_int_equal(forget.n, 2);
    assert_str(forget.gone[0].client_id, c.id);
    assert_str(forget.gone[0].user_id, s.user_id);
    assert_str(forget.gone[0].resource, s.resource);
    assert_str(forget.gone[1].client_id, c.id);
    assert_false(str_is_set(forget.gone[1].user_id));
    assert_null(get_consent(p, &s));
    assert_null(get_client(p, c.id));
}

/* Who changes a client (RFC 7592) has read it before somebody else used it. */
static void changed_client_keeps_its_last_use(void **state)
{
    play_t *p = *state;
    client_t c = client_in_use("c1");
    put_client(p, &c);
    effect_t *e = play_add(p, EFFECT_CLIENT_KEEP);
    e->u.key = c.id;
    e->at = LATER;
    assert_applied(p);
    c.name = STR("another name");
    play_add(p, EFFECT_CLIENT_PUT)->u.client = &c;
    assert_applied(p);
    assert_str(get_client(p, c.id)->name, c.name);
    assert_int_equal(get_client(p, c.id)->used_at, LATER);
    c.used_at = LATER + DAY;
    play_add(p, EFFECT_CLIENT_PUT)->u.client = &c;
    assert_applied(p);
    assert_int_equal(get_client(p, c.id)->used_at, LATER + DAY);
}

/* What is issued by a consent that somebody forgets or withdraws meanwhile is not issued. */
static void use_conflicts_when_the_consent_is_gone(void **state)
{
    play_t *p = *state;
    const client_t c = client_in_use("c1");
    const consent_t s = consent_of(c.id);
    put_client(p, &c);
    put_consent(p, &s);
    play_add(p, EFFECT_CONSENT_USE)->u.consent = &s;
    assert_applied(p);
    assert_int_equal(get_consent(p, &s)->used_at, s.used_at);
    assert_int_equal(forget_all(p, LATER + DAY), 2);
    code_t code = test_code("c", STR("f1"));
    play_add(p, EFFECT_CODE_INSERT)->u.code = &code;
    play_add(p, EFFECT_CONSENT_USE)->u.consent = &s;
    assert_refused(p, RC_CONFLICT, 1);
}

/* Of an administrator, of a document, one that nobody approved yet, one that was deleted. */
static void other_clients_stay(void **state)
{
    play_t *p = *state;
    client_t by_admin = client_in_use("c1"), by_document = client_in_use("c2"),
             unused = client_in_use("c3"), gone = client_in_use("c4");
    by_admin.origin = CLIENT_BY_ADMIN;
    by_document.origin = CLIENT_BY_DOCUMENT;
    unused.expires_at = LATER * 2;
    gone.sealed = true;
    put_client(p, &by_admin);
    put_client(p, &by_document);
    put_client(p, &unused);
    put_client(p, &gone);
    play_add(p, EFFECT_CLIENT_DELETE)->u.key = gone.id;
    assert_applied(p);
    assert_int_equal(forget_all(p, LATER * 2), 0);
    assert_non_null(get_client(p, by_admin.id));
    assert_non_null(get_client(p, by_document.id));
    assert_non_null(get_client(p, unused.id));
    assert_int_not_equal(get_client(p, gone.id)->deleted_at, 0);
}

static void consent_of_an_administrators_client_is_forgotten(void **state)
{
    play_t *p = *state;
    client_t c = client_in_use("c1");
    const consent_t s = consent_of(c.id);
    c.origin = CLIENT_BY_ADMIN;
    put_client(p, &c);
    put_consent(p, &s);
    assert_int_equal(forget_all(p, LATER + 1), 1);
    assert_null(get_consent(p, &s));
    assert_non_null(get_client(p, c.id));
}

/* However old the approval is, and from its end on all begins anew. */
static void grant_keeps_client_and_consent(void **state)
{
    play_t *p = *state;
    const client_t c = client_in_use("c1");
    const consent_t s = consent_of(c.id);
    const int64_t end = LATER * 2;
    const family_t f = grant_of(&s, end);
    put_client(p, &c);
    put_consent(p, &s);
    put_family(p, &f);
    for (int64_t now = LATER + 1; now < end; now += LONG / 2)
        assert_int_equal(forget_all(p, now), 0);
    assert_int_equal(play_expire(p, end + 1, 100), RC_OK);
    assert_int_equal(p->failed, 1); /* the family alone counts */
    assert_int_equal(forget_all(p, end + LONG - DAY), 0);
    assert_non_null(get_consent(p, &s));
    assert_int_equal(forget_all(p, end + LONG + 1), 2);
}

/* The use of what ended in between is noted when the grant goes. */
static void end_of_a_grant_is_the_last_use(void **state)
{
    play_t *p = *state;
    const client_t c = client_in_use("c1");
    const consent_t s = consent_of(c.id);
    const int64_t end = LATER - 2 * DAY;
    family_t f = grant_of(&s, end), workload = f;
    workload.id = STR("f2");
    workload.redirect_uri = STR_UNSET; /* it is of whatever place */
    workload.expires_at = end + 100 * DAY;
    put_client(p, &c);
    put_consent(p, &s);
    put_family(p, &f);
    assert_int_equal(play_expire(p, end + 1, 100), RC_OK);
    assert_int_equal(get_client(p, c.id)->used_at, (end + 1) / DAY * DAY);
    assert_int_equal(get_consent(p, &s)->used_at, (end + 1) / DAY * DAY);
    assert_int_equal(forget_all(p, LATER + 1), 0);
    put_family(p, &workload);
    assert_int_equal(play_expire(p, workload.expires_at + 1, 100), RC_OK);
    assert_int_equal(get_consent(p, &s)->used_at, (workload.expires_at + 1) / DAY * DAY);
}

static void unspent_code_is_a_use(void **state)
{
    play_t *p = *state;
    const client_t c = client_in_use("c1");
    const consent_t s = consent_of(c.id);
    code_t code = test_code("code", STR("f1"));
    code.user_id = s.user_id;
    code.request.client_id = c.id;
    code.expires_at = LATER + 60;
    put_client(p, &c);
    put_consent(p, &s);
    put_code(p, &code);
    assert_int_equal(forget_all(p, LATER + 1), 0);
    assert_non_null(get_consent(p, &s));
    assert_non_null(get_client(p, c.id));
}

/* Of what was written before anybody noted the use, nobody knows when it was. */
static void what_has_no_day_gets_one(void **state)
{
    play_t *p = *state;
    client_t c = client_in_use("c1");
    consent_t s = consent_of(c.id);
    c.used_at = s.used_at = 0;
    put_client(p, &c);
    put_consent(p, &s);
    assert_int_equal(forget_all(p, LATER), 0);
    assert_int_equal(get_client(p, c.id)->used_at, LATER / DAY * DAY);
    assert_int_equal(get_consent(p, &s)->used_at, LATER / DAY * DAY);
    assert_int_equal(forget_all(p, LATER + LONG + 1), 2);
}

static void keep_is_a_use(void **state)
{
    play_t *p = *state;
    client_t c = test_client(STR("c1"));
    c.used_at = 0;
    put_client(p, &c);
    effect_t *keep = play_add(p, EFFECT_CLIENT_KEEP);
    keep->u.key = c.id;
    keep->at = LATER;
    assert_applied(p);
    assert_int_equal(get_client(p, c.id)->used_at, LATER);
    assert_int_equal(forget_all(p, LATER + 1), 0);
    assert_non_null(get_client(p, c.id));
}

/* One batch after the other, consents first, and those that are in use hold up nobody. */
static void forgetting_is_bounded(void **state)
{
    enum { CLIENTS = 12, HELD = 5 };
    play_t *p = *state;
    for (int i = 0; i < CLIENTS; i++) {
        const client_t c = client_in_use(arena_printf(p->a, "c%02d", i).p);
        const consent_t s = consent_of(c.id);
        family_t f = grant_of(&s, LATER * 2);
        f.id = arena_printf(p->a, "f%02d", i);
        put_client(p, &c);
        put_consent(p, &s);
        if (i < HELD)
            put_family(p, &f);
    }
    size_t n = 0;
    for (int i = 0; i < 100; i++) {
        size_t gone = forget_at(p, LATER + 1, 3);
        assert_true(gone <= 2 * 3);
        n += gone;
        if (p->failed < 3)
            break;
    }
    assert_int_equal(n, 2 * (CLIENTS - HELD));
    for (int i = 0; i < CLIENTS; i++)
        assert_int_equal(get_client(p, arena_printf(p->a, "c%02d", i)) != NULL, i < HELD);
    assert_int_equal(forget_at(p, LATER * 2, 0), 0);
}

/* Registered ones are counted: what was forgotten makes room. */
static void forgotten_client_makes_room(void **state)
{
    play_t *p = *state;
    const client_t c = client_in_use("c1");
    client_t next = client_in_use("c2");
    put_client(p, &c);
    effect_t *e = play_add(p, EFFECT_CLIENT_INSERT);
    e->u.client = &next;
    e->quota.max_clients = 1;
    assert_int_equal(play_apply(p), RC_LIMIT);
    assert_int_equal(forget_all(p, LATER + 1), 1);
    next.used_at = LATER;
    e = play_add(p, EFFECT_CLIENT_INSERT);
    e->u.client = &next;
    e->quota.max_clients = 1;
    assert_applied(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EVERY_STORE(unused_client_and_consent_are_forgotten),
        ON_EVERY_STORE(changed_client_keeps_its_last_use),
        ON_EVERY_STORE(use_conflicts_when_the_consent_is_gone),
        ON_EVERY_STORE(other_clients_stay),
        ON_EVERY_STORE(consent_of_an_administrators_client_is_forgotten),
        ON_EVERY_STORE(grant_keeps_client_and_consent),
        ON_EVERY_STORE(end_of_a_grant_is_the_last_use),
        ON_EVERY_STORE(unspent_code_is_a_use),
        ON_EVERY_STORE(what_has_no_day_gets_one),
        ON_EVERY_STORE(keep_is_a_use),
        ON_EVERY_STORE(forgetting_is_bounded),
        ON_EVERY_STORE(forgotten_client_makes_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
