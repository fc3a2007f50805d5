/* Effects: what a protocol decision wants remembered. All effects of one decision are applied in
 * one atomic step, or none; a precondition that no longer holds is a conflict (RC_CONFLICT), a
 * quota that is reached a limit (RC_LIMIT). */
#ifndef MODEL_EFFECT_H
#define MODEL_EFFECT_H

#include "model/records.h"

/* EFFECT(NAME, member of effect_t, precondition: otherwise RC_CONFLICT) */
#define EFFECT_TABLE(EFFECT)                                                                       \
    EFFECT(CLIENT_INSERT, client, "no client has the id; below quota.max_clients")                 \
    EFFECT(CLIENT_KEEP, key, "the client exists (its expires_at becomes 0: it is in use)")         \
    EFFECT(CLIENT_DELETE, key, "the client exists (its families are revoked too)")                 \
    EFFECT(USER_INSERT, user, "no user has the name")                                              \
    EFFECT(USER_INSERT_FIRST, user, "there is no user at all")                                     \
    EFFECT(USER_SET_PASSWORD, user, "the user exists (families, sessions, open codes end)")        \
    EFFECT(USER_DISABLE, key, "the user exists (families, sessions, open codes end)")              \
    EFFECT(SESSION_INSERT, session, "")                                                            \
    EFFECT(SESSION_TOUCH, session, "the session exists")                                           \
    EFFECT(SESSION_DELETE, hash, "")                                                               \
    EFFECT(INTERACTION_INSERT, interaction, "below quota.max_interactions")                        \
    EFFECT(INTERACTION_UPDATE, interaction, "it exists in state `expect_interaction`")             \
    EFFECT(CODE_INSERT, code, "")                                                                  \
    EFFECT(CODE_CONSUME, hash, "the code exists and was not consumed; at = consumed_at")           \
    EFFECT(FAMILY_INSERT, family, "")                                                              \
    EFFECT(FAMILY_REVOKE, family, "none: id, revoked_at, revoked_reason; already revoked stays")   \
    EFFECT(REFRESH_INSERT, refresh, "its family exists and is not revoked")                        \
    EFFECT(REFRESH_ROTATE, refresh,                                                                \
           "it exists with `uses` == refresh.uses, its family is live; "                           \
           "uses grows by one, rotated_at is set if it was 0")                                     \
    EFFECT(CONSENT_PUT, consent, "")                                                               \
    EFFECT(CONSENT_DELETE, consent,                                                                \
           "it exists (families, open codes of user+client+resource end)")                         \
    EFFECT(RESOURCE_PUT, resource, "")                                                             \
    EFFECT(RESOURCE_DELETE, key, "the resource exists")                                            \
    EFFECT(KEY_PUT, key_record, "at most one current key of a use; inserts or replaces by kid")    \
    EFFECT(KEY_DELETE, key, "the key exists")                                                      \
    EFFECT(REGISTRATION_TOKEN_INSERT, registration_token, "")                                      \
    EFFECT(REGISTRATION_TOKEN_CONSUME, hash, "it exists and has not expired at `at`; deleted")

typedef enum {
#define EFFECT(name, member, precondition) EFFECT_##name,
    EFFECT_TABLE(EFFECT)
#undef EFFECT
        EFFECT_COUNT
} effect_kind_t;

/** One effect. Borrows everything; must live until the store has answered. */
typedef struct {
    effect_kind_t kind;
    int64_t at; /* now, in seconds, where the effect needs it */
    union {
        const client_t *client;
        const user_t *user;
        const session_t *session;
        const interaction_t *interaction;
        const code_t *code;
        const family_t *family;
        const refresh_t *refresh;
        const consent_t *consent;
        const resource_t *resource;
        const key_record_t *key_record;
        const registration_token_t *registration_token;
        const hash_t *hash;
        str_t key;
    } u;
    interaction_state_t expect_interaction;
    struct {
        uint64_t max_clients;      /* dynamic clients in all; 0: no limit */
        uint64_t max_interactions; /* 0: no limit */
    } quota;
} effect_t;

enum { EFFECTS_MAX = 12 };

/** The effects of one decision, in order. */
typedef struct {
    effect_t v[EFFECTS_MAX];
    size_t n;
} effects_t;

/** Appends a blank effect of `kind` and returns it to be filled; never NULL (a decision that
 *  needs more than EFFECTS_MAX is a bug: asserts). */
effect_t *effects_add(effects_t *list, effect_kind_t kind, int64_t at);

#endif
