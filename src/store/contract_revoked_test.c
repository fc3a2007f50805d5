/* The contract of opaque tokens, spent names and revocations, for every driver. */
#include "store/store_test_util.h"

enum { REMEMBERED = MODEL_ACCESS_TOKEN_MAX_S + 120 };

static void assert_access_token(const access_token_t *got, const access_token_t *want)
{
    static const size_t STRINGS[] = {
        offsetof(access_token_t, jti),       offsetof(access_token_t, family_id),
        offsetof(access_token_t, client_id), offsetof(access_token_t, sub),
        offsetof(access_token_t, scope),     offsetof(access_token_t, resource),
        offsetof(access_token_t, jkt),       offsetof(access_token_t, act),
        offsetof(access_token_t, acr),
    };
    assert_non_null(got);
    assert_strings(got, want, STRINGS, sizeof STRINGS / sizeof STRINGS[0]);
    assert_memory_equal(&got->id, &want->id, sizeof want->id);
    assert_int_equal(got->auth_time, want->auth_time);
    assert_int_equal(got->created_at, want->created_at);
    assert_int_equal(got->expires_at, want->expires_at);
}

static void access_token_comes_back_with_its_family(void **state)
{
    play_t *p = *state;
    family_t f = test_family(STR("f1"));
    access_token_t full = test_access_token("t", f.id);
    access_token_t bare = {.id = test_hash("bare"), .jti = STR("\x01'\""), .sub = STR("")};
    put_family(p, &f);
    put_access_token(p, &full);
    put_access_token(p, &bare);
    ask_t asks[] = {{.kind = ASK_ACCESS_TOKEN, .hash = full.id},
                    {.kind = ASK_ACCESS_TOKEN, .hash = bare.id},
                    {.kind = ASK_ACCESS_TOKEN, .hash = test_hash("?")}};
    assert_int_equal(play_ask_all(p, asks, 3), RC_OK);
    assert_access_token(asks[0].u.access_token, &full);
    assert_str(asks[0].family->id, f.id);
    assert_str(asks[0].family->jkt, f.jkt);
    assert_access_token(asks[1].u.access_token, &bare);
    assert_null(asks[1].family);
    assert_null(asks[2].u.access_token);
}

static void access_token_needs_a_live_family_or_none(void **state)
{
    play_t *p = *state;
    family_t f = test_family(STR("f1"));
    access_token_t t = test_access_token("t", f.id), alone = test_access_token("a", STR_UNSET);
    play_add(p, EFFECT_ACCESS_TOKEN_INSERT)->u.access_token = &t;
    assert_refused(p, RC_CONFLICT, 0);
    family_t end = {.id = f.id, .revoked_at = TEST_NOW, .revoked_reason = STR("revoked")};
    put_family(p, &f);
    play_add(p, EFFECT_FAMILY_REVOKE)->u.family = &end;
    play_add(p, EFFECT_ACCESS_TOKEN_INSERT)->u.access_token = &t;
    assert_refused(p, RC_CONFLICT, 1);
    put_access_token(p, &t);
    put_access_token(p, &alone);
    play_add(p, EFFECT_FAMILY_REVOKE)->u.family = &end;
    assert_applied(p);
    access_token_t late = test_access_token("late", f.id);
    play_add(p, EFFECT_ACCESS_TOKEN_INSERT)->u.access_token = &late;
    assert_refused(p, RC_CONFLICT, 0);
    assert_null(get_access_token(p, "late"));
    /* One that was given before tells its family's end. */
    ask_t ask = {.kind = ASK_ACCESS_TOKEN, .hash = t.id};
    play_ask(p, &ask);
    assert_int_equal(ask.family->revoked_at, TEST_NOW);
}

static void access_token_insert_conflicts_when_it_exists(void **state)
{
    play_t *p = *state;
    access_token_t t = test_access_token("t", STR_UNSET), other = {.id = t.id};
    put_access_token(p, &t);
    play_add(p, EFFECT_ACCESS_TOKEN_INSERT)->u.access_token = &other;
    assert_refused(p, RC_CONFLICT, 0);
    assert_access_token(get_access_token(p, "t"), &t);
}

static rc_t spend_below(play_t *p, const char *name, uint64_t max)
{
    spent_t s = {test_hash(name), TEST_NOW + 10};
    effect_t *e = play_add(p, EFFECT_SPEND);
    e->u.spent = &s;
    e->quota.max_rows = max;
    return play_apply(p);
}

static void name_is_spent_once(void **state)
{
    play_t *p = *state;
    assert_int_equal(spend_below(p, "a", 0), RC_OK);
    assert_int_equal(spend_below(p, "a", 0), RC_CONFLICT);
    assert_int_equal(spend_below(p, "b", 0), RC_OK);
    /* Until it is forgotten, which is after whatever carried it has ended. */
    assert_int_equal(play_expire(p, TEST_NOW + 10, 100), RC_OK);
    assert_int_equal(spend_below(p, "a", 0), RC_CONFLICT);
    assert_int_equal(play_expire(p, TEST_NOW + 11, 100), RC_OK);
    assert_int_equal(p->failed, 2);
    assert_int_equal(spend_below(p, "a", 0), RC_OK);
}

static void name_whose_decision_failed_is_not_spent(void **state)
{
    play_t *p = *state;
    hash_t unknown = test_hash("unknown");
    spent_t s = {test_hash("a"), TEST_NOW + 10};
    play_add(p, EFFECT_SPEND)->u.spent = &s;
    play_add(p, EFFECT_CODE_CONSUME)->u.hash = &unknown;
    assert_refused(p, RC_CONFLICT, 1);
    assert_int_equal(spend_below(p, "a", 1), RC_OK);
}

static void names_are_limited_by_the_quota(void **state)
{
    play_t *p = *state;
    assert_int_equal(spend_below(p, "a", 2), RC_OK);
    assert_int_equal(spend_below(p, "b", 2), RC_OK);
    assert_int_equal(spend_below(p, "c", 2), RC_LIMIT);
    assert_int_equal(spend_below(p, "c", 3), RC_OK);
    assert_int_equal(play_expire(p, TEST_NOW + 11, 2), RC_OK);
    assert_int_equal(spend_below(p, "d", 2), RC_OK);
    assert_int_equal(spend_below(p, "e", 2), RC_LIMIT);
}

static ask_t revocations(play_t *p, int64_t since, uint32_t limit)
{
    ask_t ask = {.kind = ASK_REVOCATIONS, .since = since, .limit = limit};
    play_ask(p, &ask);
    return ask;
}

static void assert_revoked(const revoked_t *got, revoked_kind_t kind, str_t key, int64_t at)
{
    assert_int_equal(got->kind, kind);
    assert_str(got->key, key);
    assert_int_equal(got->at, at);
    assert_int_equal(got->expires_at, at + REMEMBERED);
}

static void revoke(play_t *p, revoked_kind_t kind, str_t key, int64_t at)
{
    revoked_t r = {.seq = 77, .kind = kind, .key = key, .at = at, .expires_at = at + REMEMBERED};
    play_add(p, EFFECT_REVOCATION_PUT)->u.revoked = &r;
    assert_applied(p);
}

static void revocations_are_followed_in_order(void **state)
{
    play_t *p = *state;
    assert_int_equal(revocations(p, 0, 0).count, 0);
    revoke(p, REVOKED_TOKEN, STR("j\x01'"), TEST_NOW);
    revoke(p, REVOKED_ALL, STR_UNSET, TEST_NOW - 5);
    revoke(p, REVOKED_SUBJECT, STR("u1"), TEST_NOW + 5);
    ask_t all = revocations(p, 0, 0);
    const revoked_t *v = all.u.revoked;
    assert_int_equal(all.count, 3);
    assert_revoked(&v[0], REVOKED_TOKEN, STR("j\x01'"), TEST_NOW);
    assert_revoked(&v[1], REVOKED_ALL, STR(""), TEST_NOW - 5);
    assert_revoked(&v[2], REVOKED_SUBJECT, STR("u1"), TEST_NOW + 5);
    assert_true(v[0].seq > 0 && v[0].seq < v[1].seq && v[1].seq < v[2].seq);
    ask_t first = revocations(p, 0, 1), rest = revocations(p, (int64_t)v[0].seq, 0);
    assert_int_equal(first.count, 1);
    assert_int_equal(first.u.revoked[0].seq, v[0].seq);
    assert_int_equal(rest.count, 2);
    assert_int_equal(rest.u.revoked[0].seq, v[1].seq);
    assert_int_equal(revocations(p, (int64_t)v[2].seq, 0).count, 0);
}

/* Who follows the list asks for what is above the last number it has seen: none may come again. */
static void numbers_of_revocations_never_come_again(void **state)
{
    play_t *p = *state;
    revoke(p, REVOKED_TOKEN, STR("j1"), TEST_NOW);
    revoke(p, REVOKED_TOKEN, STR("j2"), TEST_NOW);
    uint64_t last = revocations(p, 0, 0).u.revoked[1].seq;
    assert_int_equal(play_expire(p, TEST_NOW + REMEMBERED + 1, 100), RC_OK);
    assert_int_equal(p->failed, 2);
    assert_int_equal(revocations(p, 0, 0).count, 0);
    revoke(p, REVOKED_TOKEN, STR("j3"), TEST_NOW);
    assert_true(revocations(p, 0, 0).u.revoked[0].seq > last);
}

/* A store that was put back, or a server that took over: its followers have seen more of the list
 * than there is, and must not wait until its numbers are there again. */
static void who_has_seen_what_is_lost_is_told_all(void **state)
{
    play_t *p = *state;
    assert_int_equal(revocations(p, INT64_MAX, 0).count, 0);
    revoke(p, REVOKED_TOKEN, STR("j1"), TEST_NOW);
    revoke(p, REVOKED_TOKEN, STR("j2"), TEST_NOW);
    int64_t last = (int64_t)revocations(p, 0, 0).u.revoked[1].seq;
    assert_int_equal(revocations(p, last, 0).count, 0);
    assert_int_equal(revocations(p, last + 1, 0).count, 2);
    assert_int_equal(revocations(p, INT64_MAX, 1).count, 1);
    assert_int_equal(play_expire(p, TEST_NOW + REMEMBERED + 1, 100), RC_OK);
    assert_int_equal(revocations(p, last + 1, 0).count, 0);
}

/* What ends all that was made before holds what a node made whose clock is ahead, too. */
static void what_ends_is_ahead_of_clocks_that_differ(void **state)
{
    const play_t *p = *state;
    bool shared = str_eq(str_c(p->driver), STR("postgres"));
    assert_int_equal(store_moment(p->store, TEST_NOW), TEST_NOW + (shared ? 2 : 0));
}

static size_t fitting(play_t *p, str_t jti, str_t sub, str_t client, int64_t iat)
{
    ask_t ask = {.kind = ASK_REVOKED, .key = jti, .key2 = sub, .key3 = client, .since = iat};
    play_ask(p, &ask);
    return ask.count;
}

/* One token: what fits it, and what is about others. */
static size_t of_mine(play_t *p, int64_t iat)
{
    return fitting(p, STR("f1.x"), STR("u1"), STR("c1"), iat);
}

static void token_is_revoked_by_its_name_alone(void **state)
{
    play_t *p = *state;
    revoke(p, REVOKED_TOKEN, STR("f1.y"), TEST_NOW);
    revoke(p, REVOKED_TOKEN, STR("f1"), TEST_NOW);
    revoke(p, REVOKED_TOKEN, STR("u1"), TEST_NOW);
    assert_int_equal(of_mine(p, TEST_NOW), 0);
    revoke(p, REVOKED_TOKEN, STR("f1.x"), TEST_NOW - 100);
    assert_int_equal(of_mine(p, TEST_NOW), 1);
}

static void grant_revokes_all_tokens_that_name_it(void **state)
{
    play_t *p = *state;
    revoke(p, REVOKED_GRANT, STR("f1.x"), TEST_NOW);
    revoke(p, REVOKED_GRANT, STR("f"), TEST_NOW);
    assert_int_equal(of_mine(p, TEST_NOW), 0);
    revoke(p, REVOKED_GRANT, STR("f1"), TEST_NOW);
    assert_int_equal(of_mine(p, TEST_NOW), 1);
    assert_int_equal(of_mine(p, TEST_NOW + 100), 1);
    assert_int_equal(fitting(p, STR("f1.y.z"), STR_UNSET, STR_UNSET, 0), 1);
    assert_int_equal(fitting(p, STR("f1"), STR("f1"), STR("f1"), 0), 0);
    assert_int_equal(fitting(p, STR("f11.x"), STR_UNSET, STR_UNSET, 0), 0);
    assert_int_equal(fitting(p, STR(".f1"), STR_UNSET, STR_UNSET, 0), 0);
}

static void issued_until_then_is_revoked(play_t *p, revoked_kind_t kind, str_t key)
{
    revoke(p, kind, key, TEST_NOW);
    assert_int_equal(of_mine(p, TEST_NOW - 1), 1);
    assert_int_equal(of_mine(p, TEST_NOW), 1);
    assert_int_equal(of_mine(p, TEST_NOW + 1), 0);
}

static void subject_revokes_what_was_issued_until_then(void **state)
{
    play_t *p = *state;
    revoke(p, REVOKED_SUBJECT, STR("c1"), TEST_NOW);
    issued_until_then_is_revoked(p, REVOKED_SUBJECT, STR("u1"));
    assert_int_equal(fitting(p, STR("f1.x"), STR("u2"), STR("c2"), TEST_NOW), 0);
}

static void client_revokes_what_was_issued_until_then(void **state)
{
    play_t *p = *state;
    revoke(p, REVOKED_CLIENT, STR("c3"), TEST_NOW);
    issued_until_then_is_revoked(p, REVOKED_CLIENT, STR("c1"));
    assert_int_equal(fitting(p, STR("f1.x"), STR("u2"), STR("c2"), TEST_NOW), 0);
}

/* A service that exchanged a token of the client has one that names the service. */
static void client_revokes_what_services_got_for_its_tokens(void **state)
{
    play_t *p = *state;
    family_t f = test_family(STR("f1")), later = test_family(STR("f2"));
    f.client_id = later.client_id = STR("c1");
    f.created_at = TEST_NOW;
    later.created_at = TEST_NOW + 1;
    put_family(p, &f);
    put_family(p, &later);
    assert_int_equal(fitting(p, STR("f1.x"), STR("u1"), STR("service"), TEST_NOW), 0);
    assert_int_equal(fitting(p, STR("x"), STR("c1"), STR("service"), TEST_NOW), 0);
    revoke(p, REVOKED_CLIENT, STR("c1"), TEST_NOW);
    assert_int_equal(fitting(p, STR("f1.x"), STR("u1"), STR("service"), TEST_NOW), 1);
    assert_int_equal(fitting(p, STR("f2.x"), STR("u1"), STR("service"), TEST_NOW), 0);
    assert_int_equal(fitting(p, STR("x"), STR("c1"), STR("service"), TEST_NOW), 1); /* a machine */
    assert_int_equal(fitting(p, STR("x"), STR("c1"), STR("service"), TEST_NOW + 1), 0);
}

static void all_revokes_what_was_issued_until_then(void **state)
{
    play_t *p = *state;
    issued_until_then_is_revoked(p, REVOKED_ALL, STR_UNSET);
    assert_int_equal(fitting(p, STR_UNSET, STR_UNSET, STR_UNSET, TEST_NOW), 1);
    assert_int_equal(fitting(p, STR_UNSET, STR_UNSET, STR_UNSET, TEST_NOW + 1), 0);
}

static void all_revocations_that_fit_count(void **state)
{
    play_t *p = *state;
    revoke(p, REVOKED_TOKEN, STR("f1.x"), TEST_NOW);
    revoke(p, REVOKED_GRANT, STR("f1"), TEST_NOW);
    revoke(p, REVOKED_SUBJECT, STR("u1"), TEST_NOW);
    revoke(p, REVOKED_SUBJECT, STR("u1"), TEST_NOW + 1);
    revoke(p, REVOKED_CLIENT, STR("c1"), TEST_NOW);
    revoke(p, REVOKED_ALL, STR(""), TEST_NOW);
    assert_int_equal(of_mine(p, TEST_NOW), 6);
    assert_int_equal(of_mine(p, TEST_NOW + 1), 3);
}

static void unset_names_fit_nothing(void **state)
{
    play_t *p = *state;
    revoke(p, REVOKED_TOKEN, STR(""), TEST_NOW);
    revoke(p, REVOKED_SUBJECT, STR_UNSET, TEST_NOW);
    revoke(p, REVOKED_CLIENT, STR_UNSET, TEST_NOW);
    assert_int_equal(fitting(p, STR_UNSET, STR_UNSET, STR_UNSET, 0), 0);
}

/* A grant, an open code and an approved device of one client, made then. */
static void put_grant(play_t *p, str_t name, str_t user, str_t client, int64_t at)
{
    const char *id = name.p;
    family_t f = test_family(name);
    code_t c = test_code(id, name);
    device_t d = test_device(id, name);
    f.user_id = c.user_id = d.user_id = user;
    f.client_id = c.request.client_id = d.client_id = client;
    f.created_at = c.created_at = d.created_at = at;
    d.state = DEVICE_APPROVED;
    put_family(p, &f);
    put_code(p, &c);
    put_device(p, &d);
}

static void assert_lives(play_t *p, str_t name, bool lives)
{
    const family_t *f = get_family(p, name);
    assert_int_equal(f->revoked_at == 0, lives);
    if (!lives)
        assert_str(f->revoked_reason, STR("revoked_by_admin"));
    assert_int_equal(get_code(p, name.p) != NULL, lives);
    assert_int_equal(get_device(p, name.p)->state, lives ? DEVICE_APPROVED : DEVICE_DENIED);
}

static void many_tokens_end_with_what_they_came_from(void **state)
{
    static const struct {
        revoked_kind_t kind;
        str_t key;
        bool mine, of_other_user, of_other_client;
    } CASES[] = {
        {REVOKED_TOKEN, STR_INIT("u1"), true, true, true},
        {REVOKED_GRANT, STR_INIT("u1"), true, true, true},
        {REVOKED_CLIENT, STR_INIT("u1"), true, true, true},
        {REVOKED_SUBJECT, STR_INIT("c1"), true, true, true},
        {REVOKED_SUBJECT, STR_INIT("u2"), true, false, true},
        {REVOKED_CLIENT, STR_INIT("c2"), true, true, false},
        {REVOKED_ALL, STR_INIT(""), false, false, false},
    };
    play_t *p = *state;
    put_grant(p, STR("mine"), STR("u1"), STR("c1"), TEST_NOW);
    put_grant(p, STR("user"), STR("u2"), STR("c1"), TEST_NOW);
    put_grant(p, STR("client"), STR("u1"), STR("c2"), TEST_NOW);
    put_grant(p, STR("later"), STR("u1"), STR("c1"), TEST_NOW + 1);
    bool user = true, client = true;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        revoke(p, CASES[i].kind, CASES[i].key, TEST_NOW);
        user = user && CASES[i].of_other_user;
        client = client && CASES[i].of_other_client;
        assert_lives(p, STR("mine"), CASES[i].mine);
        assert_lives(p, STR("user"), user);
        assert_lives(p, STR("client"), client);
        assert_lives(p, STR("later"), true);
    }
}

/* A code, an approval and a grant, on their way since then. */
static void put_late(play_t *p, str_t name, str_t client, int64_t at)
{
    code_t c = test_code(name.p, name);
    device_t d = test_device(name.p, name);
    family_t f = test_family(name);
    c.request.client_id = d.client_id = f.client_id = client;
    c.created_at = f.created_at = at;
    put_family(p, &f);
    put_code(p, &c);
    put_device(p, &d);
    device_t decided = d;
    decided.state = DEVICE_APPROVED;
    decided.user_id = c.user_id;
    decided.created_at = at;
    play_add(p, EFFECT_DEVICE_DECIDE)->u.device = &decided;
    assert_applied(p);
}

static void is_redeemed(play_t *p, str_t name, bool yes)
{
    const code_t *c = get_code(p, name.p);
    const hash_t code = test_hash(name.p), device = get_device(p, name.p)->id;
    assert_int_equal(c != NULL, yes);
    assert_int_equal(get_family(p, name)->revoked_at == 0, yes);
    assert_int_equal(get_device(p, name.p)->state, yes ? DEVICE_APPROVED : DEVICE_DENIED);
    play_add(p, EFFECT_CODE_CONSUME)->u.hash = &code;
    assert_int_equal(play_apply(p), yes ? RC_OK : RC_CONFLICT);
    play_add(p, EFFECT_DEVICE_CONSUME)->u.hash = &device;
    assert_int_equal(play_apply(p), yes ? RC_OK : RC_CONFLICT);
}

/* Decided before all were ended, written down behind it: as good as if it had been there. */
static void what_was_on_its_way_when_all_were_ended_ends_too(void **state)
{
    static const struct {
        revoked_kind_t kind;
        str_t key, name;
        bool ends;
    } CASES[] = {
        {REVOKED_CLIENT, STR_INIT("c2"), STR_INIT("another"), false},
        {REVOKED_CLIENT, STR_INIT("c1"), STR_INIT("client"), true},
        {REVOKED_ALL, STR_INIT(""), STR_INIT("all"), true},
    };
    play_t *p = *state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        const str_t made = CASES[i].name, later = arena_printf(p->a, "later%zu", i);
        const str_t client = CASES[i].kind == REVOKED_ALL ? STR("c3") : STR("c1");
        revoke(p, CASES[i].kind, CASES[i].key, TEST_NOW);
        put_late(p, made, client, TEST_NOW);
        put_late(p, later, client, TEST_NOW + 1);
        is_redeemed(p, made, !CASES[i].ends);
        is_redeemed(p, later, true);
    }
}

/* What comes behind the end of its client says when that was, and by whom. */
static void grant_that_came_late_tells_of_its_end(void **state)
{
    play_t *p = *state;
    const client_t kept = test_client(STR("c1")), gone = test_client(STR("c2"));
    family_t early = test_family(STR("early"));
    early.client_id = gone.id;
    put_client(p, &kept);
    put_client(p, &gone);
    put_family(p, &early);
    revoke(p, REVOKED_CLIENT, kept.id, TEST_NOW + 5);
    effect_t *e = play_add(p, EFFECT_CLIENT_DELETE);
    e->u.key = gone.id;
    e->at = TEST_NOW + 5;
    assert_applied(p);
    put_late(p, STR("of kept"), kept.id, TEST_NOW);
    put_late(p, STR("of gone"), gone.id, TEST_NOW);
    assert_int_equal(play_expire(p, TEST_NOW + 6, 100), RC_OK);
    const family_t *of_kept = get_family(p, STR("of kept"));
    const family_t *of_gone = get_family(p, STR("of gone"));
    assert_int_equal(of_kept->revoked_at, TEST_NOW + 5);
    assert_str(of_kept->revoked_reason, STR("revoked_by_admin"));
    assert_int_equal(of_gone->revoked_at, TEST_NOW + 5);
    assert_str(of_gone->revoked_reason, STR("client_deleted"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EVERY_STORE(access_token_comes_back_with_its_family),
        ON_EVERY_STORE(access_token_needs_a_live_family_or_none),
        ON_EVERY_STORE(access_token_insert_conflicts_when_it_exists),
        ON_EVERY_STORE(name_is_spent_once),
        ON_EVERY_STORE(name_whose_decision_failed_is_not_spent),
        ON_EVERY_STORE(names_are_limited_by_the_quota),
        ON_EVERY_STORE(revocations_are_followed_in_order),
        ON_EVERY_STORE(numbers_of_revocations_never_come_again),
        ON_EVERY_STORE(who_has_seen_what_is_lost_is_told_all),
        ON_EVERY_STORE(what_ends_is_ahead_of_clocks_that_differ),
        ON_EVERY_STORE(token_is_revoked_by_its_name_alone),
        ON_EVERY_STORE(grant_revokes_all_tokens_that_name_it),
        ON_EVERY_STORE(subject_revokes_what_was_issued_until_then),
        ON_EVERY_STORE(client_revokes_what_was_issued_until_then),
        ON_EVERY_STORE(client_revokes_what_services_got_for_its_tokens),
        ON_EVERY_STORE(all_revokes_what_was_issued_until_then),
        ON_EVERY_STORE(all_revocations_that_fit_count),
        ON_EVERY_STORE(unset_names_fit_nothing),
        ON_EVERY_STORE(many_tokens_end_with_what_they_came_from),
        ON_EVERY_STORE(what_was_on_its_way_when_all_were_ended_ends_too),
        ON_EVERY_STORE(grant_that_came_late_tells_of_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
