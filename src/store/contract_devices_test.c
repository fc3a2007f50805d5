/* The contract of pushed requests and of devices, for every driver. */
#include "store/store_test_util.h"

static void assert_pushed(const pushed_t *got, const pushed_t *want)
{
    static const size_t STRINGS[] = {offsetof(pushed_t, client_id), offsetof(pushed_t, form),
                                     offsetof(pushed_t, dpop_jkt)};
    assert_non_null(got);
    assert_strings(got, want, STRINGS, 3);
    assert_memory_equal(&got->id, &want->id, sizeof want->id);
    assert_int_equal(got->created_at, want->created_at);
    assert_int_equal(got->expires_at, want->expires_at);
}

static void assert_device(const device_t *got, const device_t *want)
{
    static const size_t STRINGS[] = {
        offsetof(device_t, user_code), offsetof(device_t, client_id), offsetof(device_t, scope),
        offsetof(device_t, resource),  offsetof(device_t, dpop_jkt),  offsetof(device_t, user_id),
        offsetof(device_t, family_id), offsetof(device_t, acr),
    };
    assert_non_null(got);
    assert_strings(got, want, STRINGS, sizeof STRINGS / sizeof STRINGS[0]);
    assert_memory_equal(&got->id, &want->id, sizeof want->id);
    assert_int_equal(got->state, want->state);
    assert_int_equal(got->auth_time, want->auth_time);
    assert_int_equal(got->created_at, want->created_at);
    assert_int_equal(got->expires_at, want->expires_at);
    assert_int_equal(got->polled_at, want->polled_at);
    assert_int_equal(got->interval_s, want->interval_s);
}

static void pushed_request_comes_back_whole(void **state)
{
    play_t *p = *state;
    pushed_t full = test_pushed("p"), bare = {.id = test_hash("bare"), .form = STR("")};
    put_pushed(p, &full);
    put_pushed(p, &bare);
    assert_pushed(get_pushed(p, "p"), &full);
    assert_pushed(get_pushed(p, "bare"), &bare);
    assert_null(get_pushed(p, "unknown"));
}

static void pushed_request_is_consumed_once(void **state)
{
    play_t *p = *state;
    pushed_t x = test_pushed("p"), other = test_pushed("other");
    put_pushed(p, &x);
    put_pushed(p, &other);
    play_add(p, EFFECT_PUSHED_CONSUME)->u.hash = &x.id;
    assert_applied(p);
    assert_null(get_pushed(p, "p"));
    assert_non_null(get_pushed(p, "other"));
    play_add(p, EFFECT_PUSHED_CONSUME)->u.hash = &x.id;
    assert_refused(p, RC_CONFLICT, 0);
}

static void pushed_insert_conflicts_when_it_exists(void **state)
{
    play_t *p = *state;
    pushed_t x = test_pushed("p"), thief = {.id = x.id, .client_id = STR("thief")};
    put_pushed(p, &x);
    play_add(p, EFFECT_PUSHED_INSERT)->u.pushed = &thief;
    assert_refused(p, RC_CONFLICT, 0);
    assert_pushed(get_pushed(p, "p"), &x);
}

static rc_t push_below(play_t *p, const char *id, uint64_t max)
{
    pushed_t x = test_pushed(id);
    effect_t *e = play_add(p, EFFECT_PUSHED_INSERT);
    e->u.pushed = &x;
    e->quota.max_rows = max;
    return play_apply(p);
}

static void pushed_insert_is_limited_by_the_quota(void **state)
{
    play_t *p = *state;
    hash_t a = test_hash("a");
    assert_int_equal(push_below(p, "a", 2), RC_OK);
    assert_int_equal(push_below(p, "b", 2), RC_OK);
    assert_int_equal(push_below(p, "c", 2), RC_LIMIT);
    assert_null(get_pushed(p, "c"));
    assert_int_equal(push_below(p, "c", 0), RC_OK);
    play_add(p, EFFECT_PUSHED_CONSUME)->u.hash = &a;
    assert_applied(p);
    assert_int_equal(push_below(p, "d", 3), RC_OK);
    assert_int_equal(push_below(p, "e", 3), RC_LIMIT);
    assert_int_equal(play_expire(p, TEST_NOW + 91, 100), RC_OK);
    assert_int_equal(push_below(p, "e", 1), RC_OK);
}

static void device_comes_back_with_its_user(void **state)
{
    play_t *p = *state;
    user_t u = test_user(STR("u1"), STR("mia"));
    device_t full = test_device("d", STR("WDJB-'\x01MJHT")), bare = {.id = test_hash("bare")};
    full.state = DEVICE_APPROVED;
    full.user_id = u.id;
    full.family_id = STR("f1");
    full.auth_time = TEST_NOW - 7;
    full.acr = STR("urn:acr:device");
    put_user(p, &u);
    put_device(p, &full);
    put_device(p, &bare);
    ask_t asks[] = {{.kind = ASK_DEVICE, .hash = full.id}, {.kind = ASK_DEVICE, .hash = bare.id}};
    assert_int_equal(play_ask_all(p, asks, 2), RC_OK);
    assert_device(asks[0].u.device, &full);
    assert_device(asks[1].u.device, &bare);
    assert_str(asks[0].owner->id, u.id);
    assert_null(asks[1].owner);
    assert_null(get_device(p, "unknown"));
}

static const device_t *by_code(play_t *p, str_t code, int64_t now)
{
    ask_t ask = {.kind = ASK_DEVICE_BY_CODE, .key = code, .since = now};
    play_ask(p, &ask);
    return ask.u.device;
}

static void device_is_found_by_its_code_until_its_end(void **state)
{
    play_t *p = *state;
    device_t d = test_device("d", STR("WDJBMJHT")), forever = test_device("f", STR("FOREVERS"));
    forever.expires_at = 0;
    put_device(p, &d);
    put_device(p, &forever);
    assert_device(by_code(p, d.user_code, TEST_NOW), &d);
    assert_device(by_code(p, d.user_code, d.expires_at - 1), &d);
    assert_null(by_code(p, d.user_code, d.expires_at));
    assert_device(by_code(p, forever.user_code, d.expires_at * 2), &forever);
    assert_null(by_code(p, STR("WDJBMJH"), TEST_NOW));
    assert_null(by_code(p, STR("wdjbmjht"), TEST_NOW));
    assert_null(by_code(p, STR_UNSET, TEST_NOW));
}

static rc_t insert_at(play_t *p, const device_t *d, int64_t at)
{
    effect_t *e = play_add(p, EFFECT_DEVICE_INSERT);
    e->u.device = d;
    e->at = at;
    return play_apply(p);
}

static void device_insert_conflicts_when_a_live_one_has_the_code(void **state)
{
    play_t *p = *state;
    device_t d = test_device("d", STR("WDJBMJHT")), same = test_device("e", STR("WDJBMJHT"));
    same.expires_at += 600;
    put_device(p, &d);
    assert_int_equal(insert_at(p, &same, TEST_NOW), RC_CONFLICT);
    assert_int_equal(insert_at(p, &same, d.expires_at - 1), RC_CONFLICT);
    assert_null(get_device(p, "e"));
    /* A person who types the code of one that has ended means the new one. */
    assert_int_equal(insert_at(p, &same, d.expires_at), RC_OK);
    assert_device(by_code(p, d.user_code, d.expires_at), &same);
}

static void device_insert_conflicts_when_it_exists(void **state)
{
    play_t *p = *state;
    device_t d = test_device("d", STR("WDJBMJHT")), thief = test_device("d", STR("OTHERONE"));
    put_device(p, &d);
    assert_int_equal(insert_at(p, &thief, TEST_NOW), RC_CONFLICT);
    assert_int_equal(insert_at(p, &thief, d.expires_at + 1), RC_CONFLICT);
    assert_device(get_device(p, "d"), &d);
}

static rc_t insert_below(play_t *p, const char *id, uint64_t max)
{
    device_t d = test_device(id, str_c(id));
    effect_t *e = play_add(p, EFFECT_DEVICE_INSERT);
    e->u.device = &d;
    e->quota.max_rows = max;
    return play_apply(p);
}

static void device_insert_is_limited_by_the_quota(void **state)
{
    play_t *p = *state;
    assert_int_equal(insert_below(p, "a", 2), RC_OK);
    assert_int_equal(insert_below(p, "b", 2), RC_OK);
    assert_int_equal(insert_below(p, "c", 2), RC_LIMIT);
    assert_null(get_device(p, "c"));
    assert_int_equal(insert_below(p, "c", 3), RC_OK);
    assert_int_equal(play_expire(p, TEST_NOW + 601, 100), RC_OK);
    assert_int_equal(insert_below(p, "d", 1), RC_OK);
}

static rc_t decide(play_t *p, const device_t *d)
{
    play_add(p, EFFECT_DEVICE_DECIDE)->u.device = d;
    return play_apply(p);
}

static device_t approved(device_t d)
{
    d.state = DEVICE_APPROVED;
    d.scope = STR("a");
    d.user_id = STR("u1");
    d.family_id = STR("f1");
    d.auth_time = TEST_NOW - 3;
    d.acr = STR("urn:acr:1");
    return d;
}

static void decision_replaces_all_but_polls(void **state)
{
    play_t *p = *state;
    device_t d = test_device("d", STR("WDJBMJHT")), other = test_device("e", STR("OTHERONE"));
    put_device(p, &d);
    put_device(p, &other);
    device_t hasty = {.id = d.id, .polled_at = TEST_NOW + 2, .interval_s = 10};
    play_add(p, EFFECT_DEVICE_POLL)->u.device = &hasty;
    assert_applied(p);
    device_t want = approved(d);
    assert_int_equal(decide(p, &want), RC_OK);
    want.polled_at = TEST_NOW + 2;
    want.interval_s = 10;
    assert_device(get_device(p, "d"), &want);
    assert_device(get_device(p, "e"), &other);
}

static void device_is_decided_once(void **state)
{
    play_t *p = *state;
    device_t d = test_device("d", STR("WDJBMJHT")), yes = approved(d), no = d;
    no.state = DEVICE_DENIED;
    assert_int_equal(decide(p, &yes), RC_CONFLICT);
    assert_null(get_device(p, "d"));
    put_device(p, &d);
    assert_int_equal(decide(p, &no), RC_OK);
    assert_int_equal(decide(p, &yes), RC_CONFLICT);
    assert_device(get_device(p, "d"), &no);
}

static void poll_moves_only_what_is_pending(void **state)
{
    play_t *p = *state;
    device_t d = test_device("d", STR("WDJBMJHT")), want = d;
    device_t poll = {.id = d.id, .state = DEVICE_CONSUMED, .polled_at = TEST_NOW, .interval_s = 10};
    put_device(p, &d);
    play_add(p, EFFECT_DEVICE_POLL)->u.device = &poll;
    assert_applied(p);
    want.polled_at = TEST_NOW;
    want.interval_s = 10;
    assert_device(get_device(p, "d"), &want);
    want.state = DEVICE_DENIED;
    assert_int_equal(decide(p, &want), RC_OK);
    poll.polled_at = TEST_NOW + 50;
    device_t unknown = test_device("unknown", STR("x"));
    play_add(p, EFFECT_DEVICE_POLL)->u.device = &poll;
    play_add(p, EFFECT_DEVICE_POLL)->u.device = &unknown;
    assert_applied(p);
    assert_device(get_device(p, "d"), &want);
    assert_null(get_device(p, "unknown"));
}

static rc_t consume(play_t *p, const device_t *d)
{
    play_add(p, EFFECT_DEVICE_CONSUME)->u.hash = &d->id;
    return play_apply(p);
}

static void device_is_consumed_once_and_only_when_approved(void **state)
{
    play_t *p = *state;
    device_t d = test_device("d", STR("WDJBMJHT")), yes = approved(d);
    assert_int_equal(consume(p, &d), RC_CONFLICT);
    put_device(p, &d);
    assert_int_equal(consume(p, &d), RC_CONFLICT);
    assert_int_equal(decide(p, &yes), RC_OK);
    assert_int_equal(consume(p, &d), RC_OK);
    assert_int_equal(consume(p, &d), RC_CONFLICT);
    yes.state = DEVICE_CONSUMED;
    assert_device(get_device(p, "d"), &yes);
    device_t denied = test_device("e", STR("OTHERONE"));
    denied.state = DEVICE_DENIED;
    put_device(p, &denied);
    assert_int_equal(consume(p, &denied), RC_CONFLICT);
}

/* Two people approved, a third device waits for anybody. */
static void settle_devices(play_t *p)
{
    user_t u = test_user(STR("u1"), STR("mia"));
    device_t mine = approved(test_device("mine", STR("MINE")));
    device_t theirs = approved(test_device("theirs", STR("THEIRS")));
    device_t used = approved(test_device("used", STR("USED")));
    device_t open = test_device("open", STR("OPEN"));
    theirs.user_id = STR("u2");
    used.state = DEVICE_CONSUMED;
    put_user(p, &u);
    put_device(p, &mine);
    put_device(p, &theirs);
    put_device(p, &used);
    put_device(p, &open);
}

static void assert_only_mine_ended(play_t *p)
{
    assert_int_equal(get_device(p, "mine")->state, DEVICE_DENIED);
    assert_int_equal(get_device(p, "theirs")->state, DEVICE_APPROVED);
    assert_int_equal(get_device(p, "used")->state, DEVICE_CONSUMED);
    assert_int_equal(get_device(p, "open")->state, DEVICE_PENDING);
}

static void changed_password_takes_back_an_approval(void **state)
{
    play_t *p = *state;
    user_t changed = {.id = STR("u1"), .password = STR("$argon2id$new")};
    settle_devices(p);
    play_add(p, EFFECT_USER_SET_PASSWORD)->u.user = &changed;
    assert_applied(p);
    assert_only_mine_ended(p);
}

static void disabled_user_takes_back_an_approval(void **state)
{
    play_t *p = *state;
    settle_devices(p);
    play_add(p, EFFECT_USER_DISABLE)->u.key = STR("u1");
    assert_applied(p);
    assert_only_mine_ended(p);
}

static void withdrawn_consent_takes_back_an_approval(void **state)
{
    play_t *p = *state;
    consent_t c = {
        .user_id = STR("u1"), .client_id = STR("c1"), .resource = STR("https://r.test/mcp")};
    device_t elsewhere = approved(test_device("elsewhere", STR("ELSEWHERE")));
    device_t by_other = approved(test_device("by other", STR("BYOTHER")));
    elsewhere.resource = STR("https://other.test/mcp");
    by_other.client_id = STR("c2");
    settle_devices(p);
    put_device(p, &elsewhere);
    put_device(p, &by_other);
    play_add(p, EFFECT_CONSENT_PUT)->u.consent = &c;
    play_add(p, EFFECT_CONSENT_DELETE)->u.consent = &c;
    assert_applied(p);
    assert_only_mine_ended(p);
    assert_int_equal(get_device(p, "elsewhere")->state, DEVICE_APPROVED);
    assert_int_equal(get_device(p, "by other")->state, DEVICE_APPROVED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EVERY_STORE(pushed_request_comes_back_whole),
        ON_EVERY_STORE(pushed_request_is_consumed_once),
        ON_EVERY_STORE(pushed_insert_conflicts_when_it_exists),
        ON_EVERY_STORE(pushed_insert_is_limited_by_the_quota),
        ON_EVERY_STORE(device_comes_back_with_its_user),
        ON_EVERY_STORE(device_is_found_by_its_code_until_its_end),
        ON_EVERY_STORE(device_insert_conflicts_when_a_live_one_has_the_code),
        ON_EVERY_STORE(device_insert_conflicts_when_it_exists),
        ON_EVERY_STORE(device_insert_is_limited_by_the_quota),
        ON_EVERY_STORE(decision_replaces_all_but_polls),
        ON_EVERY_STORE(device_is_decided_once),
        ON_EVERY_STORE(poll_moves_only_what_is_pending),
        ON_EVERY_STORE(device_is_consumed_once_and_only_when_approved),
        ON_EVERY_STORE(changed_password_takes_back_an_approval),
        ON_EVERY_STORE(disabled_user_takes_back_an_approval),
        ON_EVERY_STORE(withdrawn_consent_takes_back_an_approval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
