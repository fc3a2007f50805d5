/* The contract of interactions, consents and registration tokens, for every driver. */
#include "store/store_test_util.h"

static void assert_interaction(const interaction_t *got, const interaction_t *want)
{
    assert_non_null(got);
    assert_memory_equal(&got->id, &want->id, sizeof want->id);
    assert_memory_equal(&got->session_id, &want->session_id, sizeof want->session_id);
    assert_int_equal(got->state, want->state);
    assert_int_equal(got->decision, want->decision);
    assert_request(&got->request, &want->request);
    assert_str(got->granted_scope, want->granted_scope);
    assert_int_equal(got->created_at, want->created_at);
    assert_int_equal(got->expires_at, want->expires_at);
    assert_int_equal(got->decided_at, want->decided_at);
}

static void interaction_comes_back_whole(void **state)
{
    play_t *p = *state;
    interaction_t full = test_interaction("i");
    interaction_t bare = {.id = test_hash("bare"), .request.state = STR("")};
    put_interaction(p, &full);
    put_interaction(p, &bare);
    assert_interaction(get_interaction(p, "i"), &full);
    assert_interaction(get_interaction(p, "bare"), &bare);
    assert_null(get_interaction(p, "unknown"));
}

static rc_t insert_below(play_t *p, const char *id, uint64_t max)
{
    interaction_t i = test_interaction(id);
    effect_t *e = play_add(p, EFFECT_INTERACTION_INSERT);
    e->u.interaction = &i;
    e->quota.max_interactions = max;
    return play_apply(p);
}

static effect_t *update(play_t *p, const interaction_t *i, interaction_state_t expect)
{
    effect_t *e = play_add(p, EFFECT_INTERACTION_UPDATE);
    e->u.interaction = i;
    e->expect_interaction = expect;
    return e;
}

static void interaction_insert_is_limited_by_the_quota(void **state)
{
    play_t *p = *state;
    assert_int_equal(insert_below(p, "a", 2), RC_OK);
    assert_int_equal(insert_below(p, "b", 2), RC_OK);
    assert_int_equal(insert_below(p, "c", 2), RC_LIMIT);
    assert_null(get_interaction(p, "c"));
    /* An update neither adds to the count nor takes from it. */
    interaction_t a = test_interaction("a");
    update(p, &a, INTERACTION_CONSENT);
    assert_applied(p);
    assert_int_equal(insert_below(p, "c", 2), RC_LIMIT);
    assert_int_equal(insert_below(p, "c", 3), RC_OK);
    assert_int_equal(insert_below(p, "d", 3), RC_LIMIT);
    assert_int_equal(insert_below(p, "d", 0), RC_OK);
}

static void interaction_expiry_frees_its_place(void **state)
{
    play_t *p = *state;
    assert_int_equal(insert_below(p, "a", 1), RC_OK);
    assert_int_equal(play_expire(p, TEST_NOW + 101, 10), RC_OK);
    assert_int_equal(insert_below(p, "b", 1), RC_OK);
}

static void interaction_update_replaces_it(void **state)
{
    play_t *p = *state;
    interaction_t i = test_interaction("i");
    put_interaction(p, &i);
    i.state = INTERACTION_DONE;
    i.decision = DECISION_APPROVED;
    i.granted_scope = STR("a b");
    i.decided_at = TEST_NOW;
    i.request.state = STR_UNSET;
    update(p, &i, INTERACTION_CONSENT);
    assert_applied(p);
    assert_interaction(get_interaction(p, "i"), &i);
}

static void interaction_update_conflicts_in_another_state(void **state)
{
    play_t *p = *state;
    interaction_t i = test_interaction("i"), done = i;
    done.state = INTERACTION_DONE;
    put_interaction(p, &i);
    update(p, &done, INTERACTION_LOGIN);
    assert_refused(p, RC_CONFLICT, 0);
    assert_interaction(get_interaction(p, "i"), &i);
    update(p, &done, INTERACTION_CONSENT);
    assert_applied(p);
    update(p, &done, INTERACTION_CONSENT);
    assert_refused(p, RC_CONFLICT, 0);
}

static void interaction_update_conflicts_without_it(void **state)
{
    play_t *p = *state;
    interaction_t i = test_interaction("i");
    update(p, &i, INTERACTION_CONSENT);
    assert_refused(p, RC_CONFLICT, 0);
    assert_null(get_interaction(p, "i"));
}

static consent_t consent_of(str_t resource)
{
    return (consent_t){STR("u1"),
                       STR("c1"),
                       resource,
                       STR("https://a.test/cb"),
                       STR("a"),
                       TEST_NOW,
                       test_hash("document")};
}

static void assert_consent(const consent_t *got, const consent_t *want)
{
    assert_non_null(got);
    assert_str(got->user_id, want->user_id);
    assert_str(got->client_id, want->client_id);
    assert_str(got->resource, want->resource);
    assert_str(got->redirect_uri, want->redirect_uri);
    assert_str(got->scope, want->scope);
    assert_int_equal(got->granted_at, want->granted_at);
    assert_memory_equal(&got->document, &want->document, sizeof want->document);
}

static void consent_put_replaces_that_of_the_same_four(void **state)
{
    play_t *p = *state;
    consent_t narrow = consent_of(STR("r1")), wide = narrow, other = consent_of(STR("r2"));
    consent_t elsewhere = narrow, device = narrow;
    wide.scope = STR("a b");
    elsewhere.redirect_uri = STR("https://b.test/cb");
    device.redirect_uri = STR("");
    play_add(p, EFFECT_CONSENT_PUT)->u.consent = &narrow;
    play_add(p, EFFECT_CONSENT_PUT)->u.consent = &other;
    play_add(p, EFFECT_CONSENT_PUT)->u.consent = &elsewhere;
    play_add(p, EFFECT_CONSENT_PUT)->u.consent = &device;
    play_add(p, EFFECT_CONSENT_PUT)->u.consent = &wide;
    assert_applied(p);
    assert_consent(get_consent(p, &elsewhere), &elsewhere);
    assert_consent(get_consent(p, &device), &device);
    device.redirect_uri = STR_UNSET; /* the same */
    assert_non_null(get_consent(p, &device));
    assert_consent(get_consent(p, &narrow), &wide);
    assert_consent(get_consent(p, &other), &other);
}

static void consent_is_found_by_all_of_its_four_keys(void **state)
{
    play_t *p = *state;
    consent_t c = consent_of(STR("r1"));
    play_add(p, EFFECT_CONSENT_PUT)->u.consent = &c;
    assert_applied(p);
    for (int i = 0; i < 4; i++) {
        consent_t wrong = c;
        *(str_t *[]){&wrong.user_id, &wrong.client_id, &wrong.resource, &wrong.redirect_uri}[i] =
            STR("x");
        assert_null(get_consent(p, &wrong));
    }
}

static void grants_are_the_persons_own_with_their_clients(void **state)
{
    play_t *p = *state;
    client_t client = test_client(STR("c1"));
    consent_t one = consent_of(STR("r1")), two = consent_of(STR("r2")), other = one;
    ask_t ask = {.kind = ASK_GRANTS, .key = STR("u1")};
    other.user_id = STR("u2");
    two.client_id = STR("gone");
    play_ask(p, &ask);
    assert_int_equal(ask.count, 0);
    put_client(p, &client);
    play_add(p, EFFECT_CONSENT_PUT)->u.consent = &one;
    play_add(p, EFFECT_CONSENT_PUT)->u.consent = &two;
    play_add(p, EFFECT_CONSENT_PUT)->u.consent = &other;
    assert_applied(p);
    play_ask(p, &ask);
    assert_int_equal(ask.count, 2);
    for (size_t i = 0; i < 2; i++) {
        const store_grant_t *grant = &ask.u.grants[i];
        bool known = str_eq(grant->consent->client_id, STR("c1"));
        assert_consent(grant->consent, known ? &one : &two);
        assert_int_equal(known, grant->client != NULL);
    }
    ask.limit = 1;
    play_ask(p, &ask);
    assert_int_equal(ask.count, 1);
}

static void consent_delete_ends_its_families_and_codes(void **state)
{
    play_t *p = *state;
    consent_t c = consent_of(STR("https://r.test/mcp"));
    family_t mine = test_family(STR("f1"));
    code_t code = test_code("mine", mine.id);
    code.request.redirect_uri = mine.redirect_uri = c.redirect_uri;
    play_add(p, EFFECT_CONSENT_PUT)->u.consent = &c;
    play_add(p, EFFECT_FAMILY_INSERT)->u.family = &mine;
    assert_applied(p);
    put_code(p, &code);
    for (int i = 0; i < 4; i++) {
        static const char *const NAMES[] = {"by user", "by client", "by resource", "by place"};
        code_t not_mine = code;
        not_mine.id = test_hash(NAMES[i]);
        *(str_t *[]){&not_mine.user_id, &not_mine.request.client_id, &not_mine.request.resource,
                     &not_mine.request.redirect_uri}[i] = STR("x");
        put_code(p, &not_mine);
        family_t other = mine;
        other.id = (str_t[]){STR("f2"), STR("f3"), STR("f4"), STR("f5")}[i];
        *(str_t *[]){&other.user_id, &other.client_id, &other.resource, &other.redirect_uri}[i] =
            STR("x");
        put_family(p, &other);
    }
    play_add(p, EFFECT_CONSENT_DELETE)->u.consent = &c;
    assert_applied(p);
    assert_null(get_consent(p, &c));
    assert_null(get_code(p, "mine"));
    assert_non_null(get_code(p, "by user"));
    assert_non_null(get_code(p, "by client"));
    assert_non_null(get_code(p, "by resource"));
    assert_non_null(get_code(p, "by place"));
    assert_int_equal(get_family(p, mine.id)->revoked_at, TEST_NOW);
    assert_str(get_family(p, mine.id)->revoked_reason, STR("consent_withdrawn"));
    assert_int_equal(get_family(p, STR("f2"))->revoked_at, 0);
    assert_int_equal(get_family(p, STR("f3"))->revoked_at, 0);
    assert_int_equal(get_family(p, STR("f4"))->revoked_at, 0);
    assert_int_equal(get_family(p, STR("f5"))->revoked_at, 0);
}

/* On loopback a code names the port that its consent does not. */
static void consent_for_loopback_ends_codes_for_each_port(void **state)
{
    play_t *p = *state;
    consent_t c = consent_of(STR("https://r.test/mcp"));
    code_t one = test_code("one", STR("f1")), web = test_code("web", STR("f1"));
    c.redirect_uri = STR("http://127.0.0.1/cb");
    web.request.redirect_uri = STR("https://a.test/cb");
    play_add(p, EFFECT_CONSENT_PUT)->u.consent = &c;
    assert_applied(p);
    put_code(p, &one);
    put_code(p, &web);
    play_add(p, EFFECT_CONSENT_DELETE)->u.consent = &c;
    assert_applied(p);
    assert_null(get_code(p, "one"));
    assert_non_null(get_code(p, "web"));
}

/* Made before it was known what grants rest on: any consent of client and resource will do. */
static void consent_delete_ends_families_that_name_no_place(void **state)
{
    play_t *p = *state;
    consent_t c = consent_of(STR("https://r.test/mcp"));
    family_t old = test_family(STR("old"));
    put_family(p, &old);
    play_add(p, EFFECT_CONSENT_PUT)->u.consent = &c;
    play_add(p, EFFECT_CONSENT_DELETE)->u.consent = &c;
    assert_applied(p);
    assert_false(str_is_set(get_family(p, old.id)->redirect_uri));
    assert_int_equal(get_family(p, old.id)->revoked_at, TEST_NOW);
}

/* attack case: CIMD-017. What a device got ends with the consent of a device alone. */
static void consent_for_a_place_leaves_devices(void **state)
{
    play_t *p = *state;
    consent_t web = consent_of(STR("https://r.test/mcp")), device = web;
    family_t f = test_family(STR("f1"));
    device.redirect_uri = f.redirect_uri = STR("");
    put_family(p, &f);
    play_add(p, EFFECT_CONSENT_PUT)->u.consent = &web;
    play_add(p, EFFECT_CONSENT_PUT)->u.consent = &device;
    play_add(p, EFFECT_CONSENT_DELETE)->u.consent = &web;
    assert_applied(p);
    assert_int_equal(get_family(p, f.id)->revoked_at, 0);
    assert_non_null(get_consent(p, &device));
    play_add(p, EFFECT_CONSENT_DELETE)->u.consent = &device;
    assert_applied(p);
    assert_int_equal(get_family(p, f.id)->revoked_at, TEST_NOW);
}

static void consent_delete_conflicts_without_it(void **state)
{
    play_t *p = *state;
    consent_t c = consent_of(STR("r1"));
    play_add(p, EFFECT_CONSENT_DELETE)->u.consent = &c;
    assert_refused(p, RC_CONFLICT, 0);
}

static void put_token(play_t *p, const registration_token_t *t)
{
    play_add(p, EFFECT_REGISTRATION_TOKEN_INSERT)->u.registration_token = t;
    assert_applied(p);
}

static const registration_token_t *get_token(play_t *p, const registration_token_t *t)
{
    ask_t ask = {.kind = ASK_REGISTRATION_TOKEN, .hash = t->id};
    play_ask(p, &ask);
    return ask.u.registration_token;
}

static void registration_token_is_consumed_once(void **state)
{
    play_t *p = *state;
    registration_token_t t = {test_hash("t"), TEST_NOW - 1, TEST_NOW + 1};
    put_token(p, &t);
    assert_int_equal(get_token(p, &t)->created_at, t.created_at);
    assert_int_equal(get_token(p, &t)->expires_at, t.expires_at);
    play_add(p, EFFECT_REGISTRATION_TOKEN_CONSUME)->u.hash = &t.id;
    assert_applied(p);
    assert_null(get_token(p, &t));
    play_add(p, EFFECT_REGISTRATION_TOKEN_CONSUME)->u.hash = &t.id;
    assert_refused(p, RC_CONFLICT, 0);
}

static void registration_token_conflicts_when_it_has_expired(void **state)
{
    play_t *p = *state;
    registration_token_t t = {test_hash("t"), TEST_NOW - 9, TEST_NOW};
    registration_token_t forever = {test_hash("f"), TEST_NOW - 9, 0};
    put_token(p, &t);
    put_token(p, &forever);
    play_add(p, EFFECT_REGISTRATION_TOKEN_CONSUME)->u.hash = &t.id;
    assert_refused(p, RC_CONFLICT, 0);
    play_add(p, EFFECT_REGISTRATION_TOKEN_CONSUME)->u.hash = &forever.id;
    assert_applied(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EVERY_STORE(interaction_comes_back_whole),
        ON_EVERY_STORE(interaction_insert_is_limited_by_the_quota),
        ON_EVERY_STORE(interaction_expiry_frees_its_place),
        ON_EVERY_STORE(interaction_update_replaces_it),
        ON_EVERY_STORE(interaction_update_conflicts_in_another_state),
        ON_EVERY_STORE(interaction_update_conflicts_without_it),
        ON_EVERY_STORE(consent_put_replaces_that_of_the_same_four),
        ON_EVERY_STORE(consent_is_found_by_all_of_its_four_keys),
        ON_EVERY_STORE(grants_are_the_persons_own_with_their_clients),
        ON_EVERY_STORE(consent_delete_ends_its_families_and_codes),
        ON_EVERY_STORE(consent_for_loopback_ends_codes_for_each_port),
        ON_EVERY_STORE(consent_delete_ends_families_that_name_no_place),
        ON_EVERY_STORE(consent_for_a_place_leaves_devices),
        ON_EVERY_STORE(consent_delete_conflicts_without_it),
        ON_EVERY_STORE(registration_token_is_consumed_once),
        ON_EVERY_STORE(registration_token_conflicts_when_it_has_expired),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
