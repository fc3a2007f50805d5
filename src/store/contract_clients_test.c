/* The contract of clients, for every driver. */
#include "store/store_test_util.h"

static void assert_client(const client_t *got, const client_t *want)
{
    static const size_t STRINGS[] = {
        offsetof(client_t, id),
        offsetof(client_t, name),
        offsetof(client_t, scope),
        offsetof(client_t, client_uri),
        offsetof(client_t, logo_uri),
        offsetof(client_t, tos_uri),
        offsetof(client_t, policy_uri),
        offsetof(client_t, software_id),
        offsetof(client_t, software_version),
        offsetof(client_t, jwks),
        offsetof(client_t, jwks_uri),
        offsetof(client_t, vouched_by),
    };
    assert_non_null(got);
    assert_strings(got, want, STRINGS, sizeof STRINGS / sizeof STRINGS[0]);
    assert_list(got->redirect_uris, want->redirect_uris);
    assert_list(got->contacts, want->contacts);
    assert_memory_equal(&got->secret_hash, &want->secret_hash, sizeof(hash_t));
    assert_int_equal(got->auth, want->auth);
    assert_int_equal(got->type, want->type);
    assert_int_equal(got->origin, want->origin);
    assert_int_equal(got->has_secret, want->has_secret);
    assert_int_equal(got->grants, want->grants);
    assert_int_equal(got->created_at, want->created_at);
    assert_int_equal(got->expires_at, want->expires_at);
    assert_int_equal(got->dpop_bound, want->dpop_bound);
    assert_int_equal(got->par_required, want->par_required);
    assert_int_equal(got->lenient_loopback, want->lenient_loopback);
    assert_list(got->resources, want->resources);
    assert_list(got->exchange_to, want->exchange_to);
    assert_memory_equal(&got->management, &want->management, sizeof(hash_t));
    assert_memory_equal(&got->document, &want->document, sizeof(hash_t));
    assert_int_equal(got->sealed, want->sealed);
    assert_int_equal(got->deleted_at, want->deleted_at);
    assert_true(got->stored);
}

static void client_comes_back_whole(void **state)
{
    play_t *p = *state;
    client_t full = test_client(STR("full"));
    client_t bare = {.id = STR("bare")};
    client_t turned = {
        .id = STR("turned"), .par_required = true, .sealed = true, .deleted_at = TEST_NOW};
    put_client(p, &full);
    put_client(p, &turned);
    put_client(p, &bare);
    assert_client(get_client(p, full.id), &full);
    assert_client(get_client(p, bare.id), &bare);
    assert_client(get_client(p, turned.id), &turned);
    assert_null(get_client(p, STR("ful")));
    assert_null(get_client(p, STR_UNSET));
}

static void unset_and_empty_stay_apart(void **state)
{
    static const str_t MIXED[] = {STR_INIT(""), {NULL, 0}, STR_INIT("x")};
    play_t *p = *state;
    client_t c = {.id = STR("c"), .name = STR(""), .redirect_uris = {MIXED, 3}};
    put_client(p, &c);
    const client_t *got = get_client(p, c.id);
    assert_client(got, &c);
    assert_true(str_is_set(got->name));
    assert_false(str_is_set(got->scope));
}

static void hostile_bytes_survive(void **state)
{
    static const str_t URIS[] = {STR_INIT("\0\xff\xfe,5:"), STR_INIT("'; DROP TABLE client; --")};
    play_t *p = *state;
    client_t c = {.id = STR("a\0b'\"\xc3\x28%_"),
                  .name = STR("\xed\xa0\x80\0tail\xff"),
                  .redirect_uris = {URIS, 2},
                  .jwks = STR("{\0\xff'\""),
                  .jwks_uri = STR("\xc3\x28"),
                  .resources = {URIS, 2},
                  .exchange_to = {URIS, 1},
                  .vouched_by = STR("\0")};
    client_t prefix = {.id = STR("a")};
    put_client(p, &c);
    put_client(p, &prefix);
    assert_client(get_client(p, c.id), &c);
    assert_client(get_client(p, prefix.id), &prefix);
}

static void hostile_texts_survive(void **state)
{
    static const str_t URIS[] = {STR_INIT("\0\xff\xfe,5:"), STR_INIT("'; DROP TABLE client; --")};
    play_t *p = *state;
    client_t c = {.id = STR("a\x01'\"\xe2\x80\xae%_\\"),
                  .name = STR("'; DROP TABLE client; --\n\xf0\x9f\xa6\x80"),
                  .redirect_uris = {URIS, 2},
                  .jwks = STR("{\x7f'\""),
                  .jwks_uri = STR("$1"),
                  .resources = {URIS, 2},
                  .exchange_to = {URIS, 1},
                  .vouched_by = STR("")};
    client_t prefix = {.id = STR("a")};
    put_client(p, &c);
    put_client(p, &prefix);
    assert_client(get_client(p, c.id), &c);
    assert_client(get_client(p, prefix.id), &prefix);
}

/* Not a failure of the server: nothing has been sent. */
static void what_is_no_text_is_refused_and_never_found(void **state)
{
    static const str_t NO_TEXTS[] = {STR_INIT("\0"), STR_INIT("a\0b"), STR_INIT("\xff"),
                                     STR_INIT("\xed\xa0\x80")};
    play_t *p = *state;
    for (size_t i = 0; i < sizeof NO_TEXTS / sizeof NO_TEXTS[0]; i++) {
        client_t c = {.id = NO_TEXTS[i]}, named = {.id = STR("a"), .name = NO_TEXTS[i]};
        play_add(p, EFFECT_CLIENT_INSERT)->u.client = &c;
        assert_int_equal(play_apply(p), RC_MALFORMED);
        play_add(p, EFFECT_CLIENT_INSERT)->u.client = &named;
        assert_int_equal(play_apply(p), RC_MALFORMED);
        assert_null(get_client(p, NO_TEXTS[i]));
    }
    assert_null(get_client(p, STR("a")));
}

static void client_insert_conflicts_when_the_id_is_taken(void **state)
{
    play_t *p = *state;
    client_t first = test_client(STR("c")), second = {.id = STR("c"), .name = STR("thief")};
    put_client(p, &first);
    play_add(p, EFFECT_CLIENT_INSERT)->u.client = &second;
    assert_refused(p, RC_CONFLICT, 0);
    assert_client(get_client(p, first.id), &first);
}

static rc_t insert_below(play_t *p, const client_t *c, uint64_t max)
{
    effect_t *e = play_add(p, EFFECT_CLIENT_INSERT);
    e->u.client = c;
    e->quota.max_clients = max;
    return play_apply(p);
}

static void client_insert_is_limited_by_the_quota(void **state)
{
    play_t *p = *state;
    client_t a = test_client(STR("a")), b = test_client(STR("b")), c = test_client(STR("c"));
    client_t by_admin = {.id = STR("admin"), .origin = CLIENT_BY_ADMIN};
    a.expires_at = b.expires_at = 0; /* in use: neither makes room */
    assert_int_equal(insert_below(p, &by_admin, 2), RC_OK);
    assert_int_equal(insert_below(p, &a, 2), RC_OK);
    assert_int_equal(insert_below(p, &b, 2), RC_OK);
    assert_int_equal(insert_below(p, &c, 2), RC_LIMIT);
    assert_null(get_client(p, c.id));
    /* Who an administrator adds does not count, and a place that is freed is free. */
    by_admin.id = STR("admin2");
    assert_int_equal(insert_below(p, &by_admin, 2), RC_OK);
    play_add(p, EFFECT_CLIENT_DELETE)->u.key = a.id;
    assert_applied(p);
    assert_int_equal(insert_below(p, &c, 2), RC_OK);
}

static void quota_counts_within_one_transaction(void **state)
{
    play_t *p = *state;
    client_t a = test_client(STR("a")), b = test_client(STR("b"));
    a.expires_at = 0;
    for (int i = 0; i < 2; i++) {
        effect_t *e = play_add(p, EFFECT_CLIENT_INSERT);
        e->u.client = i ? &b : &a;
        e->quota.max_clients = 1;
    }
    assert_refused(p, RC_LIMIT, 1);
    assert_null(get_client(p, a.id));
    /* What was rolled back does not count. */
    assert_int_equal(insert_below(p, &b, 1), RC_OK);
}

static void client_of(client_t *c, str_t id, int64_t created_at, int64_t expires_at)
{
    *c = test_client(id);
    c->created_at = created_at;
    c->expires_at = expires_at;
}

static void oldest_registration_that_nobody_used_makes_room(void **state)
{
    play_t *p = *state;
    client_t used, old, young, admin, next;
    client_of(&used, STR("used"), 1, 0);
    client_of(&young, STR("young"), 7, TEST_NOW);
    client_of(&old, STR("old"), 5, TEST_NOW);
    client_of(&admin, STR("admin"), 2, TEST_NOW);
    client_of(&next, STR("next"), 3, TEST_NOW);
    admin.origin = CLIENT_BY_ADMIN;
    assert_int_equal(insert_below(p, &used, 3), RC_OK);
    assert_int_equal(insert_below(p, &young, 3), RC_OK);
    assert_int_equal(insert_below(p, &old, 3), RC_OK);
    assert_int_equal(insert_below(p, &admin, 3), RC_OK);
    assert_int_equal(insert_below(p, &next, 3), RC_OK);
    assert_null(get_client(p, old.id));
    assert_non_null(get_client(p, used.id));
    assert_non_null(get_client(p, young.id));
    assert_non_null(get_client(p, admin.id));
    assert_non_null(get_client(p, next.id));
    /* Once all are used, nobody makes room. */
    play_add(p, EFFECT_CLIENT_KEEP)->u.key = young.id;
    play_add(p, EFFECT_CLIENT_KEEP)->u.key = next.id;
    assert_applied(p);
    assert_int_equal(insert_below(p, &old, 3), RC_LIMIT);
    assert_null(get_client(p, old.id));
}

/* Were the place of the same id the one that is freed, anybody could replace a registration. */
static void client_whose_id_is_taken_does_not_make_room_for_itself(void **state)
{
    play_t *p = *state;
    client_t first = test_client(STR("c")), thief = test_client(STR("c"));
    thief.name = STR("thief");
    assert_int_equal(insert_below(p, &first, 1), RC_OK);
    assert_int_equal(insert_below(p, &thief, 1), RC_CONFLICT);
    assert_client(get_client(p, first.id), &first);
}

static void client_keep_forgets_the_expiry(void **state)
{
    play_t *p = *state;
    client_t c = test_client(STR("c"));
    put_client(p, &c);
    for (int i = 0; i < 2; i++) {
        play_add(p, EFFECT_CLIENT_KEEP)->u.key = c.id;
        assert_applied(p);
        assert_int_equal(get_client(p, c.id)->expires_at, 0);
    }
}

static void client_keep_conflicts_without_the_client(void **state)
{
    play_t *p = *state;
    play_add(p, EFFECT_CLIENT_KEEP)->u.key = STR("nobody");
    assert_refused(p, RC_CONFLICT, 0);
}

static void client_delete_ends_its_families_and_consents(void **state)
{
    play_t *p = *state;
    client_t mine = test_client(STR("c1")), other = test_client(STR("c2"));
    family_t f1 = test_family(STR("f1")), f2 = test_family(STR("f2"));
    consent_t consent = {STR("u1"), mine.id, STR("r"), STR("uri"), STR("a"), TEST_NOW};
    f2.client_id = other.id;
    put_client(p, &mine);
    put_client(p, &other);
    put_family(p, &f1);
    put_family(p, &f2);
    play_add(p, EFFECT_CONSENT_PUT)->u.consent = &consent;
    assert_applied(p);
    play_add(p, EFFECT_CLIENT_DELETE)->u.key = mine.id;
    assert_applied(p);
    assert_null(get_client(p, mine.id));
    assert_non_null(get_client(p, other.id));
    assert_null(get_consent(p, &consent));
    assert_int_equal(get_family(p, f1.id)->revoked_at, TEST_NOW);
    assert_str(get_family(p, f1.id)->revoked_reason, STR("client_deleted"));
    assert_int_equal(get_family(p, f2.id)->revoked_at, 0);
}

static void client_delete_conflicts_without_the_client(void **state)
{
    play_t *p = *state;
    family_t f = test_family(STR("f1"));
    put_family(p, &f);
    play_add(p, EFFECT_CLIENT_DELETE)->u.key = f.client_id;
    assert_refused(p, RC_CONFLICT, 0);
    assert_int_equal(get_family(p, f.id)->revoked_at, 0);
}

static void clients_are_listed_newest_first(void **state)
{
    static const str_t IDS[] = {STR_INIT("z"), STR_INIT("a"), STR_INIT("m")};
    play_t *p = *state;
    for (int i = 0; i < 3; i++) {
        client_t c = test_client(IDS[i]);
        c.created_at = TEST_NOW + i;
        put_client(p, &c);
    }
    ask_t all = {.kind = ASK_CLIENTS}, two = {.kind = ASK_CLIENTS, .limit = 2};
    play_ask(p, &all);
    play_ask(p, &two);
    assert_int_equal(all.count, 3);
    assert_int_equal(two.count, 2);
    for (size_t i = 0; i < 3; i++)
        assert_str(all.u.clients[i].id, IDS[2 - i]);
    assert_str(two.u.clients[1].id, STR("a"));
}

static void list_stops_at_the_drivers_maximum(void **state)
{
    play_t *p = *state;
    for (int i = 0; i < 1005; i += 5) {
        client_t c[5];
        for (int j = 0; j < 5; j++) {
            c[j] = (client_t){.id = arena_printf(p->a, "%d", i + j), .created_at = i + j};
            play_add(p, EFFECT_CLIENT_INSERT)->u.client = &c[j];
        }
        assert_applied(p);
    }
    ask_t all = {.kind = ASK_CLIENTS}, more = {.kind = ASK_CLIENTS, .limit = 5000};
    play_ask(p, &all);
    play_ask(p, &more);
    assert_int_equal(all.count, 1000);
    assert_int_equal(more.count, 1000);
    assert_str(all.u.clients[0].id, STR("1004"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EVERY_STORE(client_comes_back_whole),
        ON_EVERY_STORE(unset_and_empty_stay_apart),
        ON_EMBEDDED(hostile_bytes_survive),
        ON_EVERY_STORE(hostile_texts_survive),
        ON_SERVED(what_is_no_text_is_refused_and_never_found),
        ON_EVERY_STORE(client_insert_conflicts_when_the_id_is_taken),
        ON_EVERY_STORE(client_insert_is_limited_by_the_quota),
        ON_EVERY_STORE(quota_counts_within_one_transaction),
        ON_EVERY_STORE(oldest_registration_that_nobody_used_makes_room),
        ON_EVERY_STORE(client_whose_id_is_taken_does_not_make_room_for_itself),
        ON_EVERY_STORE(client_keep_forgets_the_expiry),
        ON_EVERY_STORE(client_keep_conflicts_without_the_client),
        ON_EVERY_STORE(client_delete_ends_its_families_and_consents),
        ON_EVERY_STORE(client_delete_conflicts_without_the_client),
        ON_EVERY_STORE(clients_are_listed_newest_first),
        ON_EVERY_STORE(list_stops_at_the_drivers_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
