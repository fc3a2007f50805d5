/* The contract of resources, keys and the generation that caches go by, for every driver. */
#include "store/store_test_util.h"

static resource_t resource_of(str_t uri)
{
    static const str_t ALIASES[] = {STR_INIT("https://r.test"), STR_INIT("https://r.test/")};
    static const scope_text_t SCOPES[] = {
        {STR_INIT("b"), STR_INIT("Do \"b\"")}, {STR_INIT("a"), STR_INIT("")}, {STR_INIT("c"), {0}}};
    return (resource_t){.uri = uri,
                        .name = STR("R"),
                        .aliases = {ALIASES, 2},
                        .scopes = SCOPES,
                        .n_scopes = 3,
                        .default_scope = STR("a"),
                        .created_at = TEST_NOW,
                        .access_token_lifetime = 120,
                        .token_format = TOKEN_OPAQUE,
                        .from_settings = true};
}

static void assert_resource(const resource_t *got, const resource_t *want)
{
    assert_str(got->uri, want->uri);
    assert_str(got->name, want->name);
    assert_str(got->default_scope, want->default_scope);
    assert_int_equal(got->created_at, want->created_at);
    assert_int_equal(got->access_token_lifetime, want->access_token_lifetime);
    assert_int_equal(got->token_format, want->token_format);
    assert_int_equal(got->dpop_required, want->dpop_required);
    assert_int_equal(got->from_settings, want->from_settings);
    assert_list(got->aliases, want->aliases);
    assert_int_equal(got->n_scopes, want->n_scopes);
    for (size_t i = 0; i < want->n_scopes; i++) {
        assert_str(got->scopes[i].name, want->scopes[i].name);
        assert_str(got->scopes[i].text, want->scopes[i].text);
    }
}

static void put_resource(play_t *p, const resource_t *r)
{
    play_add(p, EFFECT_RESOURCE_PUT)->u.resource = r;
    assert_applied(p);
}

static void resources_are_listed_by_uri(void **state)
{
    play_t *p = *state;
    resource_t z = resource_of(STR("https://z.test/mcp")),
               a = {.uri = STR("https://a.test/mcp"), .dpop_required = true};
    ask_t none = {.kind = ASK_RESOURCES}, all = none;
    play_ask(p, &none);
    put_resource(p, &z);
    put_resource(p, &a);
    play_ask(p, &all);
    assert_int_equal(none.count, 0);
    assert_int_equal(all.count, 2);
    assert_resource(&all.u.resources[0], &a);
    assert_resource(&all.u.resources[1], &z);
}

static void resource_put_replaces_that_of_the_same_uri(void **state)
{
    play_t *p = *state;
    resource_t old = resource_of(STR("r")), new = {.uri = STR("r"), .name = STR("New")};
    put_resource(p, &old);
    put_resource(p, &new);
    ask_t all = {.kind = ASK_RESOURCES};
    play_ask(p, &all);
    assert_int_equal(all.count, 1);
    assert_resource(&all.u.resources[0], &new);
}

static void resource_delete_conflicts_without_it(void **state)
{
    play_t *p = *state;
    resource_t r = resource_of(STR("r"));
    put_resource(p, &r);
    play_add(p, EFFECT_RESOURCE_DELETE)->u.key = r.uri;
    assert_applied(p);
    play_add(p, EFFECT_RESOURCE_DELETE)->u.key = r.uri;
    assert_refused(p, RC_CONFLICT, 0);
    ask_t all = {.kind = ASK_RESOURCES};
    play_ask(p, &all);
    assert_int_equal(all.count, 0);
}

static key_record_t key_of(str_t kid, key_use_t use, key_state_t state)
{
    return (key_record_t){.kid = kid,
                          .alg = STR("ES256"),
                          .use = use,
                          .state = state,
                          .secret = STR("\0\x30\xff\0"),
                          .created_at = TEST_NOW,
                          .activated_at = TEST_NOW + 1,
                          .retired_at = TEST_NOW + 2,
                          .sealed_by = STR("vault'\x01")};
}

static rc_t put_key(play_t *p, const key_record_t *k)
{
    play_add(p, EFFECT_KEY_PUT)->u.key_record = k;
    return play_apply(p);
}

static void keys_come_back_whole_and_oldest_first(void **state)
{
    play_t *p = *state;
    key_record_t young = key_of(STR("a"), KEY_DERIVE, KEY_NEXT);
    key_record_t old = key_of(STR("b"), KEY_SIGN, KEY_RETIRED);
    old.created_at--;
    assert_int_equal(put_key(p, &young), RC_OK);
    assert_int_equal(put_key(p, &old), RC_OK);
    ask_t all = {.kind = ASK_KEYS};
    play_ask(p, &all);
    assert_int_equal(all.count, 2);
    const key_record_t *want[] = {&old, &young};
    for (int i = 0; i < 2; i++) {
        const key_record_t *got = &all.u.keys[i];
        assert_str(got->kid, want[i]->kid);
        assert_str(got->alg, want[i]->alg);
        assert_str(got->secret, want[i]->secret);
        assert_int_equal(got->use, want[i]->use);
        assert_int_equal(got->state, want[i]->state);
        assert_int_equal(got->created_at, want[i]->created_at);
        assert_int_equal(got->activated_at, want[i]->activated_at);
        assert_int_equal(got->retired_at, want[i]->retired_at);
        assert_str(got->sealed_by, want[i]->sealed_by);
    }
}

static void second_current_key_of_a_use_conflicts(void **state)
{
    play_t *p = *state;
    key_record_t first = key_of(STR("1"), KEY_SIGN, KEY_CURRENT);
    key_record_t second = key_of(STR("2"), KEY_SIGN, KEY_CURRENT);
    key_record_t derive = key_of(STR("3"), KEY_DERIVE, KEY_CURRENT);
    key_record_t next = key_of(STR("4"), KEY_SIGN, KEY_NEXT);
    assert_int_equal(put_key(p, &first), RC_OK);
    assert_int_equal(put_key(p, &second), RC_CONFLICT);
    assert_int_equal(put_key(p, &derive), RC_OK);
    assert_int_equal(put_key(p, &next), RC_OK);
    assert_int_equal(put_key(p, &first), RC_OK);
    ask_t all = {.kind = ASK_KEYS};
    play_ask(p, &all);
    assert_int_equal(all.count, 3);
}

/* Two processes that both believe they may rotate publish one key. */
static void second_next_key_of_a_use_conflicts(void **state)
{
    play_t *p = *state;
    key_record_t first = key_of(STR("1"), KEY_SIGN, KEY_NEXT);
    key_record_t second = key_of(STR("2"), KEY_SIGN, KEY_NEXT);
    key_record_t derive = key_of(STR("3"), KEY_DERIVE, KEY_NEXT);
    assert_int_equal(put_key(p, &first), RC_OK);
    assert_int_equal(put_key(p, &second), RC_CONFLICT);
    assert_int_equal(put_key(p, &derive), RC_OK);
    assert_int_equal(put_key(p, &first), RC_OK);
    first.state = KEY_CURRENT;
    play_add(p, EFFECT_KEY_PUT)->u.key_record = &first;
    play_add(p, EFFECT_KEY_PUT)->u.key_record = &second;
    assert_applied(p);
    ask_t all = {.kind = ASK_KEYS};
    play_ask(p, &all);
    assert_int_equal(all.count, 3);
}

/* The clients whose ids were sealed under an old key would be lost with it. */
static void seal_has_one_current_key_and_keeps_the_old(void **state)
{
    play_t *p = *state;
    key_record_t old = key_of(STR("1"), KEY_SEAL, KEY_CURRENT);
    key_record_t new = key_of(STR("2"), KEY_SEAL, KEY_CURRENT);
    key_record_t sign = key_of(STR("3"), KEY_SIGN, KEY_CURRENT);
    assert_int_equal(put_key(p, &old), RC_OK);
    assert_int_equal(put_key(p, &new), RC_CONFLICT);
    assert_int_equal(put_key(p, &sign), RC_OK);
    old.state = KEY_RETIRED;
    play_add(p, EFFECT_KEY_PUT)->u.key_record = &old;
    play_add(p, EFFECT_KEY_PUT)->u.key_record = &new;
    assert_applied(p);
    assert_int_equal(play_expire(p, (int64_t)TEST_NOW * 2, 100), RC_OK);
    ask_t all = {.kind = ASK_KEYS};
    play_ask(p, &all);
    assert_int_equal(all.count, 3);
}

static void rotation_of_keys_is_one_step(void **state)
{
    play_t *p = *state;
    key_record_t old = key_of(STR("1"), KEY_SIGN, KEY_CURRENT);
    key_record_t new = key_of(STR("2"), KEY_SIGN, KEY_CURRENT);
    assert_int_equal(put_key(p, &old), RC_OK);
    old.state = KEY_RETIRED;
    play_add(p, EFFECT_KEY_PUT)->u.key_record = &new;
    play_add(p, EFFECT_KEY_PUT)->u.key_record = &old;
    assert_refused(p, RC_CONFLICT, 0);
    play_add(p, EFFECT_KEY_PUT)->u.key_record = &old;
    play_add(p, EFFECT_KEY_PUT)->u.key_record = &new;
    assert_applied(p);
}

static void key_delete_conflicts_without_it(void **state)
{
    play_t *p = *state;
    key_record_t key = key_of(STR("1"), KEY_SIGN, KEY_CURRENT);
    assert_int_equal(put_key(p, &key), RC_OK);
    play_add(p, EFFECT_KEY_DELETE)->u.key = key.kid;
    assert_applied(p);
    play_add(p, EFFECT_KEY_DELETE)->u.key = key.kid;
    assert_refused(p, RC_CONFLICT, 0);
}

static void key_that_nobody_sealed_comes_back_so(void **state)
{
    play_t *p = *state;
    key_record_t plain = key_of(STR("a"), KEY_SIGN, KEY_CURRENT);
    plain.sealed_by = STR_UNSET;
    assert_int_equal(put_key(p, &plain), RC_OK);
    ask_t all = {.kind = ASK_KEYS};
    play_ask(p, &all);
    assert_int_equal(all.count, 1);
    assert_false(str_is_set(all.u.keys[0].sealed_by));
}

/* Two processes with different keys for the keys would leave rows that neither can read. */
static void key_sealed_by_another_conflicts(void **state)
{
    play_t *p = *state;
    key_record_t first = key_of(STR("1"), KEY_SIGN, KEY_CURRENT);
    key_record_t second = key_of(STR("2"), KEY_SIGN, KEY_NEXT);
    first.sealed_by = second.sealed_by = STR("A");
    assert_int_equal(put_key(p, &first), RC_OK);
    assert_int_equal(put_key(p, &second), RC_OK);
    second.kid = STR("3");
    second.sealed_by = STR("B");
    assert_int_equal(put_key(p, &second), RC_CONFLICT);
    second.sealed_by = STR_UNSET;
    assert_int_equal(put_key(p, &second), RC_CONFLICT);
    ask_t all = {.kind = ASK_KEYS};
    play_ask(p, &all);
    assert_int_equal(all.count, 2);
    assert_str(all.u.keys[0].sealed_by, STR("A"));
}

static rc_t replace_keys(play_t *p, const key_change_t *change)
{
    play_add(p, EFFECT_KEYS_REPLACE)->u.key_change = change;
    return play_apply(p);
}

static void keys_are_replaced_all_at_once(void **state)
{
    play_t *p = *state;
    key_record_t was[] = {key_of(STR("1"), KEY_SIGN, KEY_CURRENT),
                          key_of(STR("2"), KEY_DERIVE, KEY_CURRENT)};
    key_record_t becomes[] = {key_of(STR("2"), KEY_DERIVE, KEY_CURRENT),
                              key_of(STR("3"), KEY_SIGN, KEY_CURRENT),
                              key_of(STR("4"), KEY_SEAL, KEY_RETIRED)};
    for (int i = 0; i < 3; i++)
        becomes[i].sealed_by = STR("A");
    becomes[0].secret = STR("other bytes");
    const key_change_t change = {was, 2, becomes, 3};
    assert_int_equal(put_key(p, &was[0]), RC_OK);
    assert_int_equal(put_key(p, &was[1]), RC_OK);
    uint64_t last = store_generation(p->conn);
    assert_int_equal(replace_keys(p, &change), RC_OK);
    assert_true(store_generation(p->conn) != last);
    ask_t all = {.kind = ASK_KEYS};
    play_ask(p, &all);
    assert_int_equal(all.count, 3);
    for (int i = 0; i < 3; i++) {
        assert_str(all.u.keys[i].kid, becomes[i].kid);
        assert_str(all.u.keys[i].secret, becomes[i].secret);
        assert_str(all.u.keys[i].sealed_by, STR("A"));
        assert_int_equal(all.u.keys[i].use, becomes[i].use);
    }
    assert_int_equal(replace_keys(p, &change), RC_CONFLICT);
}

static void keys_are_replaced_only_where_they_are_as_they_were(void **state)
{
    play_t *p = *state;
    key_record_t was[] = {key_of(STR("1"), KEY_SIGN, KEY_CURRENT),
                          key_of(STR("2"), KEY_DERIVE, KEY_CURRENT)};
    const key_change_t change = {was, 2, was, 1};
    assert_int_equal(put_key(p, &was[0]), RC_OK);
    assert_int_equal(replace_keys(p, &change), RC_CONFLICT); /* one is missing */
    assert_int_equal(put_key(p, &was[1]), RC_OK);
    was[0].state = KEY_RETIRED;
    assert_int_equal(replace_keys(p, &change), RC_CONFLICT);
    was[0].state = KEY_CURRENT;
    was[1].sealed_by = STR("A");
    assert_int_equal(replace_keys(p, &change), RC_CONFLICT);
    was[1].sealed_by = STR_UNSET;
    key_record_t third = key_of(STR("3"), KEY_SIGN, KEY_NEXT);
    assert_int_equal(put_key(p, &third), RC_OK);
    assert_int_equal(replace_keys(p, &change), RC_CONFLICT); /* one is new */
    ask_t all = {.kind = ASK_KEYS};
    play_ask(p, &all);
    assert_int_equal(all.count, 3);
}

static void generation_changes_with_resources_and_keys(void **state)
{
    play_t *p = *state;
    key_record_t key = key_of(STR("1"), KEY_SIGN, KEY_CURRENT);
    resource_t r = resource_of(STR("r"));
    uint64_t last = store_generation(p->conn);
    for (int i = 0; i < 4; i++) {
        effect_kind_t kind = (effect_kind_t[]){EFFECT_KEY_PUT, EFFECT_RESOURCE_PUT,
                                               EFFECT_KEY_DELETE, EFFECT_RESOURCE_DELETE}[i];
        effect_t *e = play_add(p, kind);
        if (kind == EFFECT_KEY_PUT)
            e->u.key_record = &key;
        else if (kind == EFFECT_RESOURCE_PUT)
            e->u.resource = &r;
        else
            e->u.key = kind == EFFECT_KEY_DELETE ? key.kid : r.uri;
        assert_applied(p);
        /* At once, for the process that wrote: the clock stands still. */
        assert_true(store_generation(p->conn) != last);
        last = store_generation(p->conn);
    }
}

static void generation_stays_when_nothing_cached_changed(void **state)
{
    play_t *p = *state;
    resource_t r = resource_of(STR("r"));
    put_resource(p, &r);
    uint64_t last = store_generation(p->conn);
    client_t c = test_client(STR("c"));
    put_client(p, &c);
    play_add(p, EFFECT_RESOURCE_PUT)->u.resource = &r;
    play_add(p, EFFECT_CLIENT_KEEP)->u.key = STR("nobody");
    assert_refused(p, RC_CONFLICT, 1);
    p->clock.ms += STORE_GENERATION_MS;
    assert_int_equal(store_generation(p->conn), last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EVERY_STORE(resources_are_listed_by_uri),
        ON_EVERY_STORE(resource_put_replaces_that_of_the_same_uri),
        ON_EVERY_STORE(resource_delete_conflicts_without_it),
        ON_EVERY_STORE(keys_come_back_whole_and_oldest_first),
        ON_EVERY_STORE(second_current_key_of_a_use_conflicts),
        ON_EVERY_STORE(second_next_key_of_a_use_conflicts),
        ON_EVERY_STORE(seal_has_one_current_key_and_keeps_the_old),
        ON_EVERY_STORE(rotation_of_keys_is_one_step),
        ON_EVERY_STORE(key_delete_conflicts_without_it),
        ON_EVERY_STORE(key_that_nobody_sealed_comes_back_so),
        ON_EVERY_STORE(key_sealed_by_another_conflicts),
        ON_EVERY_STORE(keys_are_replaced_all_at_once),
        ON_EVERY_STORE(keys_are_replaced_only_where_they_are_as_they_were),
        ON_EVERY_STORE(generation_changes_with_resources_and_keys),
        ON_EVERY_STORE(generation_stays_when_nothing_cached_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
