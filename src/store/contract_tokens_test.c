/* The contract of codes, families and refresh tokens, for every driver. */
#include "store/store_test_util.h"

static void assert_code(const code_t *got, const code_t *want)
{
    assert_non_null(got);
    assert_memory_equal(&got->id, &want->id, sizeof want->id);
    assert_str(got->family_id, want->family_id);
    assert_str(got->user_id, want->user_id);
    assert_request(&got->request, &want->request);
    assert_int_equal(got->auth_time, want->auth_time);
    assert_int_equal(got->created_at, want->created_at);
    assert_int_equal(got->expires_at, want->expires_at);
    assert_int_equal(got->consumed_at, want->consumed_at);
    assert_str(got->acr, want->acr);
}

static void assert_family(const family_t *got, const family_t *want)
{
    assert_non_null(got);
    assert_str(got->id, want->id);
    assert_str(got->client_id, want->client_id);
    assert_str(got->user_id, want->user_id);
    assert_str(got->scope, want->scope);
    assert_str(got->resource, want->resource);
    assert_int_equal(got->auth_time, want->auth_time);
    assert_int_equal(got->created_at, want->created_at);
    assert_int_equal(got->expires_at, want->expires_at);
    assert_int_equal(got->revoked_at, want->revoked_at);
    assert_str(got->revoked_reason, want->revoked_reason);
    assert_str(got->jkt, want->jkt);
    assert_str(got->acr, want->acr);
}

static void assert_refresh(const refresh_t *got, const refresh_t *want)
{
    assert_non_null(got);
    assert_memory_equal(&got->id, &want->id, sizeof want->id);
    assert_memory_equal(&got->parent, &want->parent, sizeof want->parent);
    assert_str(got->family_id, want->family_id);
    assert_int_equal(got->created_at, want->created_at);
    assert_int_equal(got->expires_at, want->expires_at);
    assert_int_equal(got->rotated_at, want->rotated_at);
    assert_int_equal(got->uses, want->uses);
}

static void code_comes_back_with_family_and_user(void **state)
{
    play_t *p = *state;
    user_t u = test_user(STR("u1"), STR("mia"));
    code_t c = test_code("c", STR("f1"));
    code_t bare = {.id = test_hash("bare"), .family_id = STR("f2")};
    family_t f = test_family(STR("f1"));
    put_user(p, &u);
    put_code(p, &c);
    put_code(p, &bare);
    ask_t before = {.kind = ASK_CODE, .hash = c.id}, after = before;
    ask_t alone = {.kind = ASK_CODE, .hash = bare.id};
    play_ask(p, &before);
    play_ask(p, &alone);
    put_family(p, &f);
    play_ask(p, &after);
    assert_code(before.u.code, &c);
    assert_code(alone.u.code, &bare);
    assert_null(before.family);
    assert_null(alone.owner);
    assert_str(before.owner->id, u.id);
    assert_family(after.family, &f);
    assert_null(get_code(p, "unknown"));
}

static void code_is_consumed_once(void **state)
{
    play_t *p = *state;
    code_t c = test_code("c", STR("f1"));
    put_code(p, &c);
    play_add(p, EFFECT_CODE_CONSUME)->u.hash = &c.id;
    assert_applied(p);
    effect_t *again = play_add(p, EFFECT_CODE_CONSUME);
    again->u.hash = &c.id;
    again->at = TEST_NOW + 5;
    assert_refused(p, RC_CONFLICT, 0);
    c.consumed_at = TEST_NOW;
    assert_code(get_code(p, "c"), &c);
}

static void code_consume_conflicts_without_the_code(void **state)
{
    play_t *p = *state;
    hash_t unknown = test_hash("unknown");
    play_add(p, EFFECT_CODE_CONSUME)->u.hash = &unknown;
    assert_refused(p, RC_CONFLICT, 0);
}

static void code_insert_conflicts_when_the_code_exists(void **state)
{
    play_t *p = *state;
    code_t c = test_code("c", STR("f1")), other = test_code("c", STR("f2"));
    put_code(p, &c);
    play_add(p, EFFECT_CODE_INSERT)->u.code = &other;
    assert_refused(p, RC_CONFLICT, 0);
    assert_code(get_code(p, "c"), &c);
}

static void family_comes_back_with_its_user(void **state)
{
    play_t *p = *state;
    user_t u = test_user(STR("u1"), STR("mia"));
    family_t f = test_family(STR("f1")), bare = {.id = STR("f2")};
    put_user(p, &u);
    put_family(p, &f);
    put_family(p, &bare);
    ask_t full = {.kind = ASK_FAMILY, .key = f.id}, empty = {.kind = ASK_FAMILY, .key = bare.id};
    play_ask(p, &full);
    play_ask(p, &empty);
    assert_family(full.u.family, &f);
    assert_str(full.owner->id, u.id);
    assert_family(empty.u.family, &bare);
    assert_null(empty.owner);
    assert_null(get_family(p, STR("f3")));
}

static void family_insert_conflicts_when_the_id_is_taken(void **state)
{
    play_t *p = *state;
    family_t f = test_family(STR("f1")), other = {.id = STR("f1")};
    put_family(p, &f);
    play_add(p, EFFECT_FAMILY_INSERT)->u.family = &other;
    assert_refused(p, RC_CONFLICT, 0);
    assert_family(get_family(p, f.id), &f);
}

static void family_that_is_revoked_stays_so(void **state)
{
    play_t *p = *state;
    family_t f = test_family(STR("f1"));
    family_t first = {.id = f.id, .revoked_at = TEST_NOW, .revoked_reason = STR("code_replay")};
    family_t second = {.id = f.id, .revoked_at = TEST_NOW + 9, .revoked_reason = STR("other")};
    family_t unknown = {.id = STR("f2"), .revoked_at = TEST_NOW, .revoked_reason = STR("other")};
    put_family(p, &f);
    play_add(p, EFFECT_FAMILY_REVOKE)->u.family = &first;
    assert_applied(p);
    play_add(p, EFFECT_FAMILY_REVOKE)->u.family = &second;
    play_add(p, EFFECT_FAMILY_REVOKE)->u.family = &unknown;
    assert_applied(p);
    f.revoked_at = TEST_NOW;
    f.revoked_reason = first.revoked_reason;
    assert_family(get_family(p, f.id), &f);
    assert_null(get_family(p, unknown.id));
}

static void refresh_comes_back_with_family_and_user(void **state)
{
    play_t *p = *state;
    user_t u = test_user(STR("u1"), STR("mia"));
    family_t f = test_family(STR("f1"));
    refresh_t r = test_refresh("r", f.id);
    put_user(p, &u);
    put_family(p, &f);
    put_refresh(p, &r);
    ask_t ask = {.kind = ASK_REFRESH, .hash = r.id};
    play_ask(p, &ask);
    assert_refresh(ask.u.refresh, &r);
    assert_family(ask.family, &f);
    assert_str(ask.owner->name, u.name);
    assert_null(get_refresh(p, "unknown"));
}

static void revoke(play_t *p, str_t id)
{
    family_t f = {.id = id, .revoked_at = TEST_NOW, .revoked_reason = STR("revoked")};
    play_add(p, EFFECT_FAMILY_REVOKE)->u.family = &f;
    assert_applied(p);
}

static void refresh_insert_conflicts_without_its_family(void **state)
{
    play_t *p = *state;
    refresh_t r = test_refresh("r", STR("f1"));
    play_add(p, EFFECT_REFRESH_INSERT)->u.refresh = &r;
    assert_refused(p, RC_CONFLICT, 0);
    assert_null(get_refresh(p, "r"));
}

static void refresh_insert_conflicts_when_the_family_is_revoked(void **state)
{
    play_t *p = *state;
    family_t f = test_family(STR("f1"));
    refresh_t r = test_refresh("r", f.id);
    put_family(p, &f);
    revoke(p, f.id);
    play_add(p, EFFECT_REFRESH_INSERT)->u.refresh = &r;
    assert_refused(p, RC_CONFLICT, 0);
    assert_null(get_refresh(p, "r"));
}

static effect_t *rotate(play_t *p, const refresh_t *r, int64_t at)
{
    effect_t *e = play_add(p, EFFECT_REFRESH_ROTATE);
    e->u.refresh = r;
    e->at = at;
    return e;
}

static void rotation_counts_uses_and_keeps_the_first_time(void **state)
{
    play_t *p = *state;
    family_t f = test_family(STR("f1"));
    refresh_t r = test_refresh("r", f.id), want = r;
    put_family(p, &f);
    put_refresh(p, &r);
    for (uint32_t uses = 0; uses < 3; uses++) {
        r.uses = uses;
        rotate(p, &r, TEST_NOW + uses);
        assert_applied(p);
        want.uses = uses + 1;
        want.rotated_at = TEST_NOW;
        assert_refresh(get_refresh(p, "r"), &want);
    }
}

static void rotation_conflicts_when_somebody_was_faster(void **state)
{
    play_t *p = *state;
    family_t f = test_family(STR("f1"));
    refresh_t r = test_refresh("r", f.id);
    put_family(p, &f);
    put_refresh(p, &r);
    rotate(p, &r, TEST_NOW);
    assert_applied(p);
    rotate(p, &r, TEST_NOW);
    assert_refused(p, RC_CONFLICT, 0);
    r.uses = 2;
    rotate(p, &r, TEST_NOW);
    assert_refused(p, RC_CONFLICT, 0);
    assert_int_equal(get_refresh(p, "r")->uses, 1);
}

static void rotation_conflicts_when_the_family_is_revoked(void **state)
{
    play_t *p = *state;
    family_t f = test_family(STR("f1"));
    refresh_t r = test_refresh("r", f.id);
    put_family(p, &f);
    put_refresh(p, &r);
    revoke(p, f.id);
    rotate(p, &r, TEST_NOW);
    assert_refused(p, RC_CONFLICT, 0);
    assert_refresh(get_refresh(p, "r"), &r);
}

static void rotation_conflicts_without_the_token(void **state)
{
    play_t *p = *state;
    refresh_t r = test_refresh("r", STR("f1"));
    rotate(p, &r, TEST_NOW);
    assert_refused(p, RC_CONFLICT, 0);
}

static effect_t *use(play_t *p, const refresh_t *r)
{
    effect_t *e = play_add(p, EFFECT_REFRESH_USE);
    e->u.refresh = r;
    return e;
}

static void use_moves_only_the_end(void **state)
{
    play_t *p = *state;
    family_t f = test_family(STR("f1"));
    refresh_t r = test_refresh("r", f.id);
    put_family(p, &f);
    put_refresh(p, &r);
    for (int i = 1; i < 4; i++) {
        refresh_t moved = {.id = r.id, .uses = 9, .expires_at = r.expires_at + i};
        use(p, &moved);
        assert_applied(p);
    }
    r.expires_at += 3;
    assert_refresh(get_refresh(p, "r"), &r);
}

static void use_conflicts_without_a_live_token(void **state)
{
    play_t *p = *state;
    family_t f = test_family(STR("f1")), ended = test_family(STR("f2"));
    refresh_t r = test_refresh("r", f.id), old = test_refresh("old", ended.id);
    use(p, &r);
    assert_refused(p, RC_CONFLICT, 0);
    put_family(p, &f);
    put_family(p, &ended);
    put_refresh(p, &r);
    put_refresh(p, &old);
    revoke(p, ended.id);
    refresh_t moved = {.id = old.id, .expires_at = old.expires_at + 1};
    use(p, &moved);
    assert_refused(p, RC_CONFLICT, 0);
    assert_refresh(get_refresh(p, "old"), &old);
    rotate(p, &r, TEST_NOW);
    assert_applied(p);
    moved.id = r.id;
    use(p, &moved);
    assert_refused(p, RC_CONFLICT, 0);
    assert_int_equal(get_refresh(p, "r")->expires_at, r.expires_at);
}

static void redemption_is_one_step(void **state)
{
    play_t *p = *state;
    code_t c = test_code("c", STR("f1"));
    family_t f = test_family(STR("f1"));
    refresh_t r = test_refresh("r", f.id);
    put_code(p, &c);
    play_add(p, EFFECT_CODE_CONSUME)->u.hash = &c.id;
    play_add(p, EFFECT_FAMILY_INSERT)->u.family = &f;
    play_add(p, EFFECT_REFRESH_INSERT)->u.refresh = &r;
    assert_applied(p);
    assert_refresh(get_refresh(p, "r"), &r);
    assert_int_equal(get_code(p, "c")->consumed_at, TEST_NOW);
    /* The same again leaves nothing behind. */
    family_t f2 = test_family(STR("f2"));
    refresh_t r2 = test_refresh("r2", f2.id);
    play_add(p, EFFECT_FAMILY_INSERT)->u.family = &f2;
    play_add(p, EFFECT_REFRESH_INSERT)->u.refresh = &r2;
    play_add(p, EFFECT_CODE_CONSUME)->u.hash = &c.id;
    assert_refused(p, RC_CONFLICT, 2);
    assert_null(get_family(p, f2.id));
    assert_null(get_refresh(p, "r2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EVERY_STORE(code_comes_back_with_family_and_user),
        ON_EVERY_STORE(code_is_consumed_once),
        ON_EVERY_STORE(code_consume_conflicts_without_the_code),
        ON_EVERY_STORE(code_insert_conflicts_when_the_code_exists),
        ON_EVERY_STORE(family_comes_back_with_its_user),
        ON_EVERY_STORE(family_insert_conflicts_when_the_id_is_taken),
        ON_EVERY_STORE(family_that_is_revoked_stays_so),
        ON_EVERY_STORE(refresh_comes_back_with_family_and_user),
        ON_EVERY_STORE(refresh_insert_conflicts_without_its_family),
        ON_EVERY_STORE(refresh_insert_conflicts_when_the_family_is_revoked),
        ON_EVERY_STORE(rotation_counts_uses_and_keeps_the_first_time),
        ON_EVERY_STORE(rotation_conflicts_when_somebody_was_faster),
        ON_EVERY_STORE(rotation_conflicts_when_the_family_is_revoked),
        ON_EVERY_STORE(rotation_conflicts_without_the_token),
        ON_EVERY_STORE(use_moves_only_the_end),
        ON_EVERY_STORE(use_conflicts_without_a_live_token),
        ON_EVERY_STORE(redemption_is_one_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
