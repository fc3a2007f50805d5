/* Effects: what a protocol decision wants remembered. All effects of one decision are applied in
 * one atomic step, or none; a precondition that no longer holds is a conflict (RC_CONFLICT), a
 * quota that is reached a limit (RC_LIMIT). */
#ifndef MODEL_EFFECT_H
#define MODEL_EFFECT_H

#include "model/records.h"

/* EFFECT(NAME, member of effect_t, precondition: otherwise RC_CONFLICT) */
#define EFFECT_TABLE(EFFECT)                                                                       \
    EFFECT(CLIENT_INSERT, client,                                                                  \
           "no client has the id; at quota.max_clients the oldest registration that nobody used "  \
           "makes room, RC_LIMIT when all are used")                                               \
    EFFECT(                                                                                        \
        CLIENT_PUT, client,                                                                        \
        "inserts or replaces by id, but never one that is gone (deleted); its used_at does not "   \
        "go back")                                                                                 \
    EFFECT(CLIENT_KEEP, key,                                                                       \
           "the client exists (its expires_at becomes 0: it is in use; used_at is `at`)")          \
    EFFECT(CLIENT_DELETE, key,                                                                     \
           "the client exists and is not gone (its families are revoked, open codes, devices and " \
           "pushed requests end; a sealed one keeps a row with deleted_at, until expires_at)")     \
    EFFECT(USER_INSERT, user, "no user has the name")                                              \
    EFFECT(USER_INSERT_FIRST, user, "there is no user at all")                                     \
    EFFECT(USER_SET_PASSWORD, user,                                                                \
           "the user exists (families, sessions, open codes, approved devices end)")               \
    EFFECT(USER_DISABLE, key, "the user exists (as USER_SET_PASSWORD)")                            \
    EFFECT(USER_SET_GROUPS, user, "the user exists; id and groups are read")                       \
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
    EFFECT(CONSENT_USE, consent, "it exists, and does until this is applied; nothing changes")     \
    EFFECT(CONSENT_DELETE, consent,                                                                \
           "it exists (families, open codes, approved devices of it end)")                         \
    EFFECT(RESOURCE_PUT, resource, "")                                                             \
    EFFECT(RESOURCE_DELETE, key, "the resource exists")                                            \
    EFFECT(KEY_PUT, key_record,                                                                    \
           "at most one current and one next key of a use, and no other key is sealed by "         \
           "another; inserts or replaces by kid")                                                  \
    EFFECT(KEY_DELETE, key, "the key exists")                                                      \
    EFFECT(KEYS_REPLACE, key_change,                                                               \
           "there are exactly the keys `was`, with that state and sealed_by; `becomes` replaces "  \
           "them all")                                                                             \
    EFFECT(REGISTRATION_TOKEN_INSERT, registration_token, "")                                      \
    EFFECT(REGISTRATION_TOKEN_CONSUME, hash, "it exists and has not expired at `at`; deleted")     \
    EFFECT(REFRESH_USE, refresh,                                                                   \
           "it exists, was never rotated, its family is live; its expires_at is moved")            \
    EFFECT(PUSHED_INSERT, pushed, "below quota.max_rows")                                          \
    EFFECT(PUSHED_CONSUME, hash, "it exists; deleted")                                             \
    EFFECT(DEVICE_INSERT, device, "no live device has the user code or id; below quota.max_rows")  \
    EFFECT(DEVICE_DECIDE, device, "it exists in DEVICE_PENDING; all but polls is replaced")        \
    EFFECT(DEVICE_POLL, device, "none: polled_at and interval_s of one that is pending")           \
    EFFECT(DEVICE_CONSUME, hash, "it exists in DEVICE_APPROVED")                                   \
    EFFECT(ACCESS_TOKEN_INSERT, access_token,                                                      \
           "its family, if it names one, exists and is not revoked")                               \
    EFFECT(SPEND, spent, "nobody spent it before; below quota.max_rows")                           \
    EFFECT(                                                                                        \
        LEASE_TAKE, lease,                                                                         \
        "nobody else holds it at `at`; it is `holder`'s until `until`, which is not after `at` "   \
        "to give it up; a rest that is far longer than twice what is asked for was taken by a "    \
        "clock that ran ahead, and holds nobody off")                                              \
    EFFECT(REVOCATION_PUT, revoked,                                                                \
           "none; SUBJECT, CLIENT and ALL end the families, open codes, approved devices made "    \
           "until `at`, too; FAMILY_REVOKE, USER_SET_PASSWORD, USER_DISABLE, "                     \
           "CLIENT_DELETE and CONSENT_DELETE write theirs by themselves, of what may have "        \
           "tokens; of "                                                                           \
           "a person with more than LIMIT_REVOCATIONS_PERSON one SUBJECT of two seconds later "    \
           "stands for all")

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
        const key_change_t *key_change;
        const registration_token_t *registration_token;
        const pushed_t *pushed;
        const device_t *device;
        const access_token_t *access_token;
        const spent_t *spent;
        const lease_t *lease;
        const revoked_t *revoked; /* seq is not read */
        const hash_t *hash;
        str_t key;
    } u;
    interaction_state_t expect_interaction;
    struct {
        uint64_t max_clients;      /* dynamic clients in all; 0: no limit */
        uint64_t max_interactions; /* 0: no limit */
        uint64_t max_rows;         /* of the table the effect inserts into; 0: no limit */
    } quota;
} effect_t;

enum { EFFECTS_MAX = 16 };

/** The effects of one decision, in order. */
typedef struct {
    effect_t v[EFFECTS_MAX];
    size_t n;
} effects_t;

/** Appends a blank effect of `kind` and returns it to be filled; never NULL (a decision that
 *  needs more than EFFECTS_MAX is a bug: asserts). */
effect_t *effects_add(effects_t *list, effect_kind_t kind, int64_t at);

#endif
