/* The contract of expiry, for every driver. */
#include "store/store_test_util.h"

/* One record of each kind that ends, all at the same time; a code an hour earlier. */
static const int64_t END = TEST_NOW + 1000;
enum { KINDS = 12 };

static void settle_new(play_t *p, int64_t end)
{
    pushed_t x = test_pushed("p");
    device_t d = test_device("d", STR("WDJBMJHT"));
    access_token_t t = test_access_token("a", STR_UNSET);
    spent_t s = {test_hash("spent"), end};
    revoked_t r = {.kind = REVOKED_TOKEN, .key = STR("j"), .at = TEST_NOW, .expires_at = end};
    x.expires_at = d.expires_at = t.expires_at = end;
    put_pushed(p, &x);
    put_device(p, &d);
    put_access_token(p, &t);
    play_add(p, EFFECT_SPEND)->u.spent = &s;
    play_add(p, EFFECT_REVOCATION_PUT)->u.revoked = &r;
    assert_applied(p);
}

static void settle_all(play_t *p, int64_t end)
{
    session_t s = test_session("s", STR("u1"));
    interaction_t i = test_interaction("i");
    code_t c = test_code("c", STR("f1"));
    family_t f = test_family(STR("f1"));
    refresh_t r = test_refresh("r", f.id);
    client_t client = test_client(STR("c1"));
    registration_token_t t = {test_hash("t"), TEST_NOW, end};
    s.expires_at = i.expires_at = f.expires_at = client.expires_at = end;
    c.expires_at = end ? end - 3600 : 0;
    put_session(p, &s);
    put_interaction(p, &i);
    put_code(p, &c);
    put_family(p, &f);
    put_refresh(p, &r);
    put_client(p, &client);
    play_add(p, EFFECT_REGISTRATION_TOKEN_INSERT)->u.registration_token = &t;
    assert_applied(p);
    settle_new(p, end);
}

/* Spends it again together with what cannot be done, so that it never is. */
static bool is_spent(play_t *p)
{
    spent_t s = {test_hash("spent"), END};
    hash_t unknown = test_hash("unknown");
    play_add(p, EFFECT_SPEND)->u.spent = &s;
    play_add(p, EFFECT_CODE_CONSUME)->u.hash = &unknown;
    assert_int_equal(play_apply(p), RC_CONFLICT);
    return p->failed == 0;
}

static int count_all(play_t *p)
{
    ask_t asks[] = {
        {.kind = ASK_SESSION, .hash = test_hash("s")},
        {.kind = ASK_INTERACTION, .hash = test_hash("i")},
        {.kind = ASK_CODE, .hash = test_hash("c")},
        {.kind = ASK_FAMILY, .key = STR("f1")},
        {.kind = ASK_REFRESH, .hash = test_hash("r")},
        {.kind = ASK_CLIENT, .key = STR("c1")},
        {.kind = ASK_REGISTRATION_TOKEN, .hash = test_hash("t")},
        {.kind = ASK_PUSHED, .hash = test_hash("p")},
        {.kind = ASK_DEVICE, .hash = test_hash("d")},
        {.kind = ASK_ACCESS_TOKEN, .hash = test_hash("a")},
        {.kind = ASK_REVOCATIONS},
    };
    enum { LIST = sizeof asks / sizeof asks[0] - 1 };
    int n = is_spent(p);
    assert_int_equal(play_ask_all(p, asks, LIST + 1), RC_OK);
    for (int i = 0; i < LIST; i++)
        n += asks[i].u.client != NULL;
    return n + (int)asks[LIST].count;
}

static void nothing_expires_before_its_end(void **state)
{
    play_t *p = *state;
    settle_all(p, END);
    assert_int_equal(play_expire(p, END, 100), RC_OK);
    assert_int_equal(count_all(p), KINDS);
}

static void everything_expires_after_its_end(void **state)
{
    play_t *p = *state;
    settle_all(p, END);
    assert_int_equal(play_expire(p, END + 1, 100), RC_OK);
    assert_int_equal(p->failed, KINDS);
    assert_int_equal(count_all(p), 0);
}

static void zero_means_never(void **state)
{
    play_t *p = *state;
    settle_all(p, 0);
    assert_int_equal(play_expire(p, END * 100, 100), RC_OK);
    assert_int_equal(count_all(p), KINDS);
}

static void batch_is_bounded(void **state)
{
    play_t *p = *state;
    settle_all(p, END);
    for (int left = KINDS; left >= 0; left--) {
        assert_int_equal(count_all(p), left);
        assert_int_equal(play_expire(p, END + 1, 1), RC_OK);
        assert_int_equal(p->failed, left > 0); /* how many were deleted: the caller goes on */
    }
    assert_int_equal(play_expire(p, END + 1, 0), RC_OK);
}

static void client_that_is_kept_does_not_expire(void **state)
{
    play_t *p = *state;
    client_t c = test_client(STR("c1"));
    put_client(p, &c);
    play_add(p, EFFECT_CLIENT_KEEP)->u.key = c.id;
    assert_applied(p);
    assert_int_equal(play_expire(p, END * 2, 10), RC_OK);
    assert_non_null(get_client(p, c.id));
}

static void used_refresh_token_stays_known_until_its_family_ends(void **state)
{
    play_t *p = *state;
    family_t f = test_family(STR("f1"));
    refresh_t r = test_refresh("r", f.id);
    put_family(p, &f);
    put_refresh(p, &r);
    play_add(p, EFFECT_REFRESH_ROTATE)->u.refresh = &r;
    assert_applied(p);
    /* Long past the idle end of the token: coming back, it must still end the family. */
    assert_int_equal(play_expire(p, f.expires_at, 100), RC_OK);
    ask_t ask = {.kind = ASK_REFRESH, .hash = r.id};
    play_ask(p, &ask);
    assert_non_null(ask.u.refresh);
    assert_non_null(ask.family);
    assert_int_equal(play_expire(p, f.expires_at + 1, 100), RC_OK);
    assert_null(get_refresh(p, "r"));
    assert_null(get_family(p, f.id));
}

static void family_outlives_none_of_its_tokens(void **state)
{
    play_t *p = *state;
    family_t f = test_family(STR("f1"));
    put_family(p, &f);
    for (int i = 0; i < 10; i++) {
        refresh_t r = test_refresh(arena_printf(p->a, "r%d", i).p, f.id);
        put_refresh(p, &r);
    }
    for (int left = 10; left > 0; left -= 3) {
        assert_non_null(get_family(p, f.id));
        assert_int_equal(play_expire(p, f.expires_at + 1, 3), RC_OK);
    }
    for (int i = 0; i < 10; i++)
        assert_null(get_refresh(p, arena_printf(p->a, "r%d", i).p));
    assert_null(get_family(p, f.id));
}

static void families_without_tokens_do_not_hold_up_others(void **state)
{
    play_t *p = *state;
    for (int i = 0; i < 20; i++) {
        family_t f = test_family(arena_printf(p->a, "f%02d", i));
        refresh_t r = test_refresh("r", f.id);
        f.expires_at = TEST_NOW + i;
        put_family(p, &f);
        if (i == 19)
            put_refresh(p, &r);
    }
    for (int i = 0; i < 11; i++)
        assert_int_equal(play_expire(p, END, 2), RC_OK);
    assert_null(get_refresh(p, "r"));
    assert_null(get_family(p, STR("f19")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EVERY_STORE(nothing_expires_before_its_end),
        ON_EVERY_STORE(everything_expires_after_its_end),
        ON_EVERY_STORE(zero_means_never),
        ON_EVERY_STORE(batch_is_bounded),
        ON_EVERY_STORE(client_that_is_kept_does_not_expire),
        ON_EVERY_STORE(used_refresh_token_stays_known_until_its_family_ends),
        ON_EVERY_STORE(family_outlives_none_of_its_tokens),
        ON_EVERY_STORE(families_without_tokens_do_not_hold_up_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
