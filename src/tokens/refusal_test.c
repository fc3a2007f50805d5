/* Each row of the decision, by name. */
#include "core/core_test_util.h"

#include "tokens/refusal.h"

typedef struct {
    const char *name;
    tokens_facts_t facts;
    client_challenge_t challenge;
    tokens_do_t what;
    client_reason_t reason;
} row_t;

#define ERROR(e)                                                                                   \
    {                                                                                              \
        .found = true, .bearer = true, .error = STR_INIT(e)                                        \
    }
#define LACKS(scopes)                                                                              \
    {                                                                                              \
        .found = true, .bearer = true, .error = STR_INIT("insufficient_scope"),                    \
        .scope = STR_INIT(scopes)                                                                  \
    }

static const row_t DECISIONS[] = {
    {"token_wanted",
     {.way = TOKENS_NONE, .status = 401},
     {0},
     TOKENS_DO_GIVE_UP,
     CLIENT_TOKEN_WANTED},
    {"none is forbidden",
     {.way = TOKENS_NONE, .status = 403},
     {0},
     TOKENS_DO_GIVE_UP,
     CLIENT_FORBIDDEN},
    {"given_not_taken",
     {.way = TOKENS_GIVEN, .status = 401, .can_refresh = true},
     ERROR("invalid_token"),
     TOKENS_DO_GIVE_UP,
     CLIENT_GIVEN_NOT_TAKEN},
    {"a given token that may not do this",
     {.way = TOKENS_GIVEN, .status = 403},
     LACKS("a"),
     TOKENS_DO_GIVE_UP,
     CLIENT_FORBIDDEN},
    {"another token is there by now",
     {.status = 401, .newer = true, .origin = TOKENS_FROM_SIGN_IN},
     ERROR("invalid_token"),
     TOKENS_DO_AGAIN,
     CLIENT_FINE},
    {"a nonce is asked for",
     {.status = 401, .dpop = true, .nonce = true, .nonces = 1, .origin = TOKENS_FROM_SIGN_IN},
     ERROR("use_dpop_nonce"),
     TOKENS_DO_AGAIN,
     CLIENT_FINE},
    {"a nonce is asked for again and again",
     {.status = 401,
      .dpop = true,
      .nonce = true,
      .nonces = TOKENS_NONCES_MAX + 1,
      .origin = TOKENS_FROM_SIGN_IN},
     ERROR("use_dpop_nonce"),
     TOKENS_DO_GIVE_UP,
     CLIENT_NONCE_LOOP},
    {"a nonce without one is a refusal like others",
     {.status = 401, .dpop = true, .origin = TOKENS_FROM_SIGN_IN},
     ERROR("use_dpop_nonce"),
     TOKENS_DO_GIVE_UP,
     CLIENT_TOKEN_NOT_TAKEN},
    {"more scope",
     {.status = 403, .proven = true, .origin = TOKENS_FROM_SIGN_IN},
     LACKS("b"),
     TOKENS_DO_STEP_UP,
     CLIENT_FINE},
    {"more scope of a fresh token",
     {.status = 403, .origin = TOKENS_FROM_SIGN_IN},
     LACKS("b"),
     TOKENS_DO_STEP_UP,
     CLIENT_FINE},
    {"more scope, said with 401",
     {.status = 401, .origin = TOKENS_FROM_SIGN_IN, .can_refresh = true},
     LACKS("b"),
     TOKENS_DO_STEP_UP,
     CLIENT_FINE},
    {"insufficient scope that names none",
     {.status = 403, .origin = TOKENS_FROM_KEEP},
     ERROR("insufficient_scope"),
     TOKENS_DO_GIVE_UP,
     CLIENT_FORBIDDEN},
    {"forbidden",
     {.status = 403, .origin = TOKENS_FROM_KEEP},
     {0},
     TOKENS_DO_GIVE_UP,
     CLIENT_FORBIDDEN},
    {"no token yet",
     {.status = 401},
     {.found = true, .bearer = true},
     TOKENS_DO_SIGN_IN,
     CLIENT_FINE},
    {"no token yet, and no challenge", {.status = 401}, {0}, TOKENS_DO_SIGN_IN, CLIENT_FINE},
    {"no token yet, told by 403", {.status = 403}, {0}, TOKENS_DO_SIGN_IN, CLIENT_FINE},
    {"fresh from a sign-in and never taken",
     {.status = 401, .origin = TOKENS_FROM_SIGN_IN, .can_refresh = true},
     ERROR("invalid_token"),
     TOKENS_DO_GIVE_UP,
     CLIENT_TOKEN_NOT_TAKEN},
    {"of a sign-in, taken before, with refresh token",
     {.status = 401, .origin = TOKENS_FROM_SIGN_IN, .proven = true, .can_refresh = true},
     ERROR("invalid_token"),
     TOKENS_DO_REFRESH,
     CLIENT_FINE},
    {"of a sign-in, taken before, without refresh token",
     {.status = 401, .origin = TOKENS_FROM_SIGN_IN, .proven = true},
     ERROR("invalid_token"),
     TOKENS_DO_SIGN_IN,
     CLIENT_FINE},
    {"fresh from a refresh and never taken",
     {.status = 401, .origin = TOKENS_FROM_REFRESH, .can_refresh = true},
     ERROR("invalid_token"),
     TOKENS_DO_SIGN_IN,
     CLIENT_FINE},
    {"of a refresh, taken before",
     {.status = 401, .origin = TOKENS_FROM_REFRESH, .proven = true, .can_refresh = true},
     ERROR("invalid_token"),
     TOKENS_DO_REFRESH,
     CLIENT_FINE},
    {"kept from before, never taken in this run",
     {.status = 401, .origin = TOKENS_FROM_KEEP, .can_refresh = true},
     {.found = true, .bearer = true},
     TOKENS_DO_REFRESH,
     CLIENT_FINE},
    {"a stronger sign-in is asked for",
     {.status = 401, .origin = TOKENS_FROM_KEEP, .can_refresh = true, .proven = true},
     ERROR("insufficient_user_authentication"),
     TOKENS_DO_SIGN_IN,
     CLIENT_FINE},
    {"a bound token is asked for",
     {.status = 401, .origin = TOKENS_FROM_KEEP, .can_refresh = true},
     {.found = true, .dpop = true},
     TOKENS_DO_SIGN_IN,
     CLIENT_FINE},
    {"a bound token is asked for where a sign-in gave none",
     {.status = 401, .origin = TOKENS_FROM_SIGN_IN},
     {.found = true, .dpop = true},
     TOKENS_DO_SIGN_IN,
     CLIENT_FINE},
    {"a bound token of a sign-in is not taken",
     {.status = 401, .origin = TOKENS_FROM_SIGN_IN, .dpop = true},
     {.found = true, .dpop = true},
     TOKENS_DO_GIVE_UP,
     CLIENT_TOKEN_NOT_TAKEN},
    {"a bound token is asked for, and is there",
     {.status = 401, .origin = TOKENS_FROM_KEEP, .can_refresh = true, .dpop = true},
     {.found = true, .dpop = true},
     TOKENS_DO_REFRESH,
     CLIENT_FINE},
};

static void each_row_decides(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(DECISIONS); i++) {
        tokens_facts_t facts = DECISIONS[i].facts;
        facts.challenge = &DECISIONS[i].challenge;
        client_reason_t reason = CLIENT_MACHINE;
        tokens_do_t what = tokens_refusal_decide(&facts, &reason);
        if (what != DECISIONS[i].what || reason != DECISIONS[i].reason)
            fail_msg("%s: did %d for %d", DECISIONS[i].name, (int)what, (int)reason);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_row_decides)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
