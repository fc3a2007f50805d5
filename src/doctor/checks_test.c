/* Each check by a server that is broken in just that way, and all of them silent before a sound
 * one. */
#include "doctor/doctor_test_play.h"

#include "doctor/secrets.h"

static const play_case_t CASES[] = {
#include "doctor/doctor_test_cases.def"
};

static bool has_word(str_t words, str_t word)
{
    str_t one;
    while (str_split(&words, ' ', &one))
        if (str_eq(one, word))
            return true;
    return false;
}

/* Exactly the checks of `expected` hit, and each says what it saw. */
static void assert_hits(arena_t *a, const doctor_facts_t *f, const char *expected)
{
    str_t seen;
    for (doctor_check_t i = 0; i < DOCTOR_CHECK_COUNT; i++) {
        str_t id = doctor_check_row(i)->id;
        bool hit = doctor_check(a, f, i, &seen) == DOCTOR_CHECK_HIT;
        if (hit && !has_word(str_c(expected), id))
            fail_msg("%s: %" PRIstr " as well: %" PRIstr, expected, STR_ARG(id), STR_ARG(seen));
        if (!hit && has_word(str_c(expected), id))
            fail_msg("%s: not %" PRIstr, expected, STR_ARG(id));
        if (hit && seen.n == 0)
            fail_msg("%" PRIstr " says nothing of what it saw", STR_ARG(id));
    }
}

static void a_sound_server_is_clean(void **state)
{
    const play_case_t sound = {.expected = ""};
    doctor_facts_t *f = play_facts(*state, &sound);
    assert_hits(*state, f, "");
    assert_true(f->server != NULL);
    for (doctor_ask_t ask = 0; ask < DOCTOR_ASK_SIGNED_INITIALIZE; ask++)
        if (ask != DOCTOR_ASK_AS_OIDC_INSERTED && !f->at[ask].asked)
            fail_msg("%" PRIstr " was not asked", STR_ARG(doctor_ask_row(ask)->id));
}

static void each_broken_server_shows_its_fault_alone(void **state)
{
    for (size_t i = 0; i < ROWS(CASES); i++) {
        arena_t *a = arena_new(TEST_ARENA_BYTES);
        assert_hits(a, play_facts(a, &CASES[i]), CASES[i].expected);
        arena_free(a);
    }
}

/* Facts of a sign-in that went well at a sound server. */
static doctor_facts_t *signed_facts(arena_t *a)
{
    static const str_t AUD[] = {STR_INIT(PLAY_URL)};
    const play_case_t sound = {.expected = ""};
    const http_answer_t fine = {.end = HTTP_AGENT_DONE, .status = 200};
    doctor_facts_t *f = play_facts(a, &sound);
    f->sign = (doctor_signed_t){.tried = true,
                                .signed_in = true,
                                .issuer = STR("https://as.example"),
                                .resource = STR(PLAY_URL),
                                .is_jwt = true,
                                .token_iss = STR("https://as.example"),
                                .token_aud = {AUD, 1},
                                .life_s = 3600,
                                .has_refresh = true,
                                .refresh_tried = true,
                                .refreshed = true,
                                .lists_tools = true};
    for (doctor_ask_t ask = DOCTOR_ASK_SIGNED_INITIALIZE; ask < DOCTOR_ASK_COUNT; ask++)
        assert_int_equal(doctor_facts_took(a, f, ask, &fine), RC_OK);
    return f;
}

static void a_sound_sign_in_is_clean(void **state)
{
    doctor_facts_t *f = signed_facts(*state);
    str_t seen;
    assert_hits(*state, f, "");
    for (doctor_check_t i = 0; i < DOCTOR_CHECK_COUNT; i++)
        if (doctor_check_row(i)->phase == DOCTOR_PHASE_TOKEN)
            assert_int_equal(doctor_check(*state, f, i, &seen), DOCTOR_CHECK_FINE);
}

/* A change of a sign-in, and the check that it makes hit. */
static void sign_in_failed(doctor_facts_t *f)
{
    f->sign.signed_in = false;
    f->sign.failure = (client_failure_t){CLIENT_ISS_MISSING, STR("no iss")};
}
static void token_refused(doctor_facts_t *f)
{
    f->at[DOCTOR_ASK_SIGNED_INITIALIZE].answer.status = 401;
}
static void token_audience(doctor_facts_t *f)
{
    static const str_t OTHER[] = {STR_INIT("https://other.example/")};
    f->sign.token_aud = (str_list_t){OTHER, 1};
}
static void token_issuer(doctor_facts_t *f)
{
    f->sign.token_iss = STR("https://as.example/");
}
static void token_lives_long(doctor_facts_t *f)
{
    f->sign.life_s = 86401;
}
static void token_life_unsaid(doctor_facts_t *f)
{
    f->sign.life_s = 0;
}
static void refresh_none(doctor_facts_t *f)
{
    f->sign.has_refresh = false;
}
static void refresh_failed(doctor_facts_t *f)
{
    f->sign.refreshed = false;
}
static void tools_unlisted(doctor_facts_t *f)
{
    f->sign.lists_tools = false;
}
static void port_compared(doctor_facts_t *f)
{
    f->at[DOCTOR_ASK_PORT_OTHER].answer.status = 400;
}

#define SIGNED(name)                                                                               \
    {                                                                                              \
#name, name                                                                                \
    }
static const struct {
    const char *expected;
    void (*change)(doctor_facts_t *f);
} SIGN_INS[] = {
    SIGNED(sign_in_failed), SIGNED(token_refused),    SIGNED(token_audience),
    SIGNED(token_issuer),   SIGNED(token_lives_long), SIGNED(token_life_unsaid),
    SIGNED(refresh_none),   SIGNED(refresh_failed),   SIGNED(tools_unlisted),
    SIGNED(port_compared),
};

static void each_broken_sign_in_shows_its_fault_alone(void **state)
{
    for (size_t i = 0; i < ROWS(SIGN_INS); i++) {
        arena_t *a = arena_new(TEST_ARENA_BYTES);
        doctor_facts_t *f = signed_facts(a);
        SIGN_INS[i].change(f);
        assert_hits(a, f, SIGN_INS[i].expected);
        arena_free(a);
    }
}

static bool is_tried(str_t id)
{
    for (size_t i = 0; i < ROWS(CASES); i++)
        if (has_word(str_c(CASES[i].expected), id))
            return true;
    for (size_t i = 0; i < ROWS(SIGN_INS); i++)
        if (str_eq(str_c(SIGN_INS[i].expected), id))
            return true;
    return false;
}

static void every_check_is_tried(void **state)
{
    for (doctor_check_t i = 0; i < DOCTOR_CHECK_COUNT; i++) {
        const doctor_check_row_t *row = doctor_check_row(i);
        if (!is_tried(row->id))
            fail_msg("no broken server for %" PRIstr, STR_ARG(row->id));
        assert_true(row->sentence.n && row->rule.n && row->mend.n && row->grade > DOCTOR_FINE);
    }
}

/* What nobody answered is said as such, and is no fault of the server. */
static void without_an_answer_nothing_else_is_judged(void **state)
{
    const play_case_t dead = {.expected = "unreachable",
                              .edits = {PLAY_END(INITIALIZE, REFUSED, "Connection refused")}};
    doctor_facts_t *f = play_facts(*state, &dead);
    str_t seen;
    for (doctor_check_t i = 0; i < DOCTOR_CHECK_COUNT; i++)
        if (doctor_check_row(i)->phase > DOCTOR_PHASE_REACH)
            assert_int_equal(doctor_check(*state, f, i, &seen), DOCTOR_CHECK_UNSEEN);
}

static void words_of_strangers_are_made_plain(void **state)
{
    const play_case_t hostile = {
        .expected = "issuer_malformed",
        .edits = {PLAY_CHANGE_ALL("[\"https://as.example\"]", "[\"\\u001b[31mred\\n\"]")}};
    str_t seen;
    doctor_facts_t *f = play_facts(*state, &hostile);
    assert_int_equal(doctor_check(*state, f, DOCTOR_CHECK_issuer_malformed, &seen),
                     DOCTOR_CHECK_HIT);
    assert_false(str_contains(seen, STR("\033")));
    assert_false(str_contains(seen, STR("\n")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(a_sound_server_is_clean),
        ARENA_TEST(each_broken_server_shows_its_fault_alone),
        ARENA_TEST(a_sound_sign_in_is_clean),
        ARENA_TEST(each_broken_sign_in_shows_its_fault_alone),
        ARENA_TEST(every_check_is_tried),
        ARENA_TEST(without_an_answer_nothing_else_is_judged),
        ARENA_TEST(words_of_strangers_are_made_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
