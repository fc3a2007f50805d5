/* Somebody registers. */
#ifndef OAUTH_OAUTH_TEST_REGISTER_H
#define OAUTH_OAUTH_TEST_REGISTER_H

#include "oauth/oauth_test_world.h"

#include "oauth/register.h"

#define R_CALLBACK "\"redirect_uris\":[\"https://c.test/cb\"]"
#define R_PUBLIC   R_CALLBACK ",\"token_endpoint_auth_method\":\"none\""
#define R_SIGNS    R_CALLBACK ",\"token_endpoint_auth_method\":\"private_key_jwt\""

typedef struct {
    world_t w;
    registration_token_t record;
    oauth_register_facts_t facts;
    oauth_register_verdict_t out;
    const json_t *body; /* of the answer */
} reg_t;

/** Anybody may, and every registration is a row; ended by world_end. */
void reg_begin(reg_t *p);
/** Decides on `body`, and looks at what all answers have in common. */
void reg_ask(reg_t *p, const char *body);
/** Which must be taken, as a row; that row. */
const client_t *reg_fine(reg_t *p, const char *body);
/** Which must be refused. */
void reg_refused(reg_t *p, const char *body, oauth_reason_t reason);
/** Whether a member is a list of these texts, NULL behind the last. */
bool reg_lists(const json_t *array, const char *const *texts);
#define R_LISTS(p, name, ...)                                                                      \
    assert_true(reg_lists(json_get((p)->body, STR(name)), (const char *const[]){__VA_ARGS__, NULL}))

#endif
