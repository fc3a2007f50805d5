/* What each effect of a flow writes, and what the store must hold afterwards. */
#include "year.h"

#include <stdio.h>
#include <stdlib.h>

#define RESOURCE STR("https://mcp.example.com/mcp")
#define SCOPE    STR("files:read files:write")
#define REDIRECT STR("http://127.0.0.1/callback")

static const char *const EFFECT_NAMES[EFFECT_COUNT] = {
#define EFFECT(name, member, precondition) #name,
    EFFECT_TABLE(EFFECT)
#undef EFFECT
};

static const char *const FLOWS[FLOW_COUNT] = {
#define FLOW(name, about, effects) effects,
#include "flows.def"
#undef FLOW
    [FLOW_PASSWORD] = "USER_SET_PASSWORD", [FLOW_WITHDRAW] = "CONSENT_DELETE",
    [FLOW_END_SUBJECT] = "REVOCATION_PUT", [FLOW_END_CLIENT] = "REVOCATION_PUT",
    [FLOW_ADD_USER] = "USER_INSERT",       [FLOW_ADD_CLIENT] = "CLIENT_INSERT",
};

/* ---- names ---- */

static hash_t hash_of(const act_t *act, char kind, uint32_t serial)
{
    hash_t h;
    for (size_t i = 0; i < 4; i++) {
        uint64_t part =
            year_mix(act->y->seed ^ (uint64_t)kind, act->who, (uint64_t)serial << 2 | i);
        memcpy(h.b + 8 * i, &part, sizeof part);
    }
    return h;
}

/* As long as the server's own ids. */
static str_t text_of(act_t *act, char kind, uint32_t who, uint32_t serial)
{
    char *text = act->texts[act->n_texts++];
    uint64_t a = year_mix(act->y->seed ^ (uint64_t)kind, who, serial);
    snprintf(text, TEXT_BYTES, "%016llx%06x", (unsigned long long)a, who & 0xffffff);
    return str_of(text, 22);
}

static str_t user_of(act_t *act, uint32_t who)
{
    return text_of(act, 'U', who, 0);
}

static str_t client_of(act_t *act)
{
    if (act->flow == FLOW_SIGN_IN_NEW)
        return text_of(act, 'c', act->who, act->serial);
    if (!act->person)
        return text_of(act, 'M', act->who, 0);
    if (act->person->client)
        return text_of(act, 'c', act->who, act->person->client);
    return text_of(act, 'M', act->who % act->y->n_machines, 0);
}

/* A sign-in and a device make a grant, everything else is of the one there is. */
static bool makes_grant(const act_t *act)
{
    return act->flow == FLOW_SIGN_IN || act->flow == FLOW_SIGN_IN_NEW ||
           act->flow == FLOW_SIGN_IN_AGAIN || act->flow == FLOW_DEVICE;
}

static str_t family_of(act_t *act)
{
    return text_of(act, 'F', act->who, makes_grant(act) ? act->serial : act->person->grant);
}

static authz_request_t request_of(act_t *act)
{
    return (authz_request_t){.client_id = client_of(act),
                             .redirect_uri = STR("http://127.0.0.1:33418/callback"),
                             .redirect_uri_given = true,
                             .state = STR("Xb2yq0Vh1mTf7cJk5dPw9sLr3nGa6uEe8iOo4zKxYvM"),
                             .code_challenge = STR("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
                             .scope = SCOPE,
                             .resource = RESOURCE,
                             .max_age = -1};
}

/* ---- one filler for each effect ---- */

typedef void fill_t(act_t *act, effect_t *e, union record *r);

static void client_insert(act_t *act, effect_t *e, union record *r)
{
    static const str_t URIS[] = {STR_INIT("http://127.0.0.1/callback")};
    bool by_admin = act->flow == FLOW_ADD_CLIENT;
    bool unused = act->flow == FLOW_REGISTER_STORED;
    r->client = (client_t){.id = client_of(act),
                           .name = STR("An editor"),
                           .origin = by_admin ? CLIENT_BY_ADMIN : CLIENT_BY_REGISTRATION,
                           .grants = GRANT_AUTHORIZATION_CODE | GRANT_REFRESH_TOKEN |
                                     (by_admin ? GRANT_CLIENT_CREDENTIALS : 0u),
                           .redirect_uris = {URIS, 1},
                           .sealed = act->flow == FLOW_SIGN_IN_NEW,
                           .created_at = e->at,
                           .expires_at = unused ? e->at + UNUSED_CLIENT_S : 0,
                           .used_at = e->at};
    if (unused)
        r->client.id = text_of(act, 'T', act->who, act->serial);
    e->u.client = &r->client;
}

static void user_insert(act_t *act, effect_t *e, union record *r)
{
    r->user = (user_t){.id = user_of(act, act->who),
                       .name = text_of(act, 'N', act->who, 0),
                       .password = STR("$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$"
                                       "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI"),
                       .created_at = e->at,
                       .password_changed_at = e->at};
    e->u.user = &r->user;
}

static void session(act_t *act, effect_t *e, union record *r)
{
    r->session = (session_t){.id = hash_of(act, 'S', 0),
                             .user_id = user_of(act, act->who),
                             .auth_time = e->at,
                             .created_at = e->at,
                             .seen_at = e->at,
                             .expires_at = e->at + SESSION_S};
    /* One a day at most, so the time names it. */
    int64_t begun = e->kind == EFFECT_SESSION_INSERT ? e->at : act->person->signed_in;
    r->session.id = hash_of(act, 'S', (uint32_t)(begun / HOUR_S));
    e->u.session = &r->session;
}

static void interaction(act_t *act, effect_t *e, union record *r)
{
    bool first = e->kind == EFFECT_INTERACTION_INSERT;
    bool decided = act->job + 2 == year_jobs(act->flow);
    r->interaction = (interaction_t){.id = hash_of(act, 'I', act->serial),
                                     .state = first     ? INTERACTION_LOGIN
                                              : decided ? INTERACTION_DONE
                                                        : INTERACTION_CONSENT,
                                     .decision = decided ? DECISION_APPROVED : DECISION_NONE,
                                     .request = request_of(act),
                                     .created_at = e->at,
                                     .expires_at = e->at + INTERACTION_S,
                                     .decided_at = decided ? e->at : 0};
    if (decided)
        r->interaction.granted_scope = SCOPE;
    e->expect_interaction = decided ? INTERACTION_CONSENT : INTERACTION_LOGIN;
    e->quota.max_interactions = 10000000;
    e->u.interaction = &r->interaction;
}

static void consent(act_t *act, effect_t *e, union record *r)
{
    r->consent = (consent_t){.user_id = user_of(act, act->who),
                             .client_id = client_of(act),
                             .resource = RESOURCE,
                             .redirect_uri = REDIRECT,
                             .scope = SCOPE,
                             .granted_at = e->at,
                             .used_at = e->at};
    e->u.consent = &r->consent;
}

static void code_insert(act_t *act, effect_t *e, union record *r)
{
    r->code = (code_t){.id = hash_of(act, 'C', act->serial),
                       .family_id = family_of(act),
                       .user_id = user_of(act, act->who),
                       .request = request_of(act),
                       .auth_time = e->at,
                       .created_at = e->at,
                       .expires_at = e->at + CODE_S};
    r->code.request.state = STR_UNSET;
    e->u.code = &r->code;
}

static void code_consume(act_t *act, effect_t *e, union record *r)
{
    r->hash = hash_of(act, 'C', act->serial);
    e->u.hash = &r->hash;
}

static void family(act_t *act, effect_t *e, union record *r)
{
    bool ends = e->kind == EFFECT_FAMILY_REVOKE;
    r->family = (family_t){.id = family_of(act),
                           .client_id = client_of(act),
                           .user_id = user_of(act, act->who),
                           .scope = SCOPE,
                           .resource = RESOURCE,
                           .auth_time = e->at,
                           .created_at = e->at,
                           .expires_at = e->at + GRANT_S,
                           .revoked_at = ends ? e->at : 0,
                           .revoked_reason = ends ? STR("revoked_by_client") : STR_UNSET,
                           .redirect_uri = REDIRECT};
    e->u.family = &r->family;
}

static void refresh(act_t *act, effect_t *e, union record *r)
{
    bool first = makes_grant(act), old = e->kind == EFFECT_REFRESH_ROTATE;
    r->refresh = (refresh_t){.id = old ? act->person->refresh : hash_of(act, 'R', act->serial),
                             .family_id = family_of(act),
                             .created_at = e->at,
                             .expires_at = e->at + IDLE_S,
                             .uses = old ? act->person->uses : 0};
    if (!first && !old)
        r->refresh.parent = act->person->refresh;
    e->u.refresh = &r->refresh;
}

static void access_token(act_t *act, effect_t *e, union record *r)
{
    r->access_token = (access_token_t){.id = hash_of(act, 'A', act->serial),
                                       .jti = text_of(act, 'J', act->who, act->serial),
                                       .client_id = client_of(act),
                                       .sub = client_of(act),
                                       .scope = SCOPE,
                                       .resource = RESOURCE,
                                       .created_at = e->at,
                                       .expires_at = e->at + ACCESS_S};
    e->u.access_token = &r->access_token;
}

static void spend(act_t *act, effect_t *e, union record *r)
{
    r->spent = (spent_t){hash_of(act, 'X', act->serial), e->at + SPENT_S};
    e->quota.max_rows = 1000000;
    e->u.spent = &r->spent;
}

static void pushed(act_t *act, effect_t *e, union record *r)
{
    r->pushed = (pushed_t){.id = hash_of(act, 'P', act->serial),
                           .client_id = client_of(act),
                           .form = STR("response_type=code&scope=files%3Aread+files%3Awrite&"
                                       "redirect_uri=http%3A%2F%2F127.0.0.1%3A33418%2Fcallback"),
                           .created_at = e->at,
                           .expires_at = e->at + PUSHED_S};
    e->quota.max_rows = 10000000;
    e->u.pushed = &r->pushed;
}

static void device(act_t *act, effect_t *e, union record *r)
{
    bool decided = e->kind == EFFECT_DEVICE_DECIDE;
    r->device = (device_t){.id = hash_of(act, 'D', act->serial),
                           .user_code = text_of(act, 'd', act->who, act->serial),
                           .state = decided ? DEVICE_APPROVED : DEVICE_PENDING,
                           .client_id = client_of(act),
                           .scope = SCOPE,
                           .resource = RESOURCE,
                           .user_id = decided ? user_of(act, act->who) : STR_UNSET,
                           .family_id = decided ? family_of(act) : STR_UNSET,
                           .created_at = e->at,
                           .expires_at = e->at + DEVICE_S,
                           .polled_at = e->at,
                           .interval_s = 5};
    e->quota.max_rows = 10000000;
    e->u.device = &r->device;
}

static void device_consume(act_t *act, effect_t *e, union record *r)
{
    r->hash = hash_of(act, 'D', act->serial);
    e->u.hash = &r->hash;
}

static void revocation(act_t *act, effect_t *e, union record *r)
{
    r->revoked = (revoked_t){.at = e->at, .expires_at = e->at + REVOKED_S};
    r->revoked.kind = act->flow == FLOW_END_SUBJECT  ? REVOKED_SUBJECT
                      : act->flow == FLOW_END_CLIENT ? REVOKED_CLIENT
                                                     : REVOKED_TOKEN;
    r->revoked.key = act->flow == FLOW_END_SUBJECT  ? user_of(act, act->who)
                     : act->flow == FLOW_END_CLIENT ? client_of(act)
                                                    : text_of(act, 'J', act->who, act->serial);
    e->u.revoked = &r->revoked;
}

static fill_t *const FILL[EFFECT_COUNT] = {
    [EFFECT_CLIENT_INSERT] = client_insert,
    [EFFECT_CLIENT_PUT] = client_insert,
    [EFFECT_USER_INSERT] = user_insert,
    [EFFECT_USER_SET_PASSWORD] = user_insert,
    [EFFECT_SESSION_INSERT] = session,
    [EFFECT_SESSION_TOUCH] = session,
    [EFFECT_INTERACTION_INSERT] = interaction,
    [EFFECT_INTERACTION_UPDATE] = interaction,
    [EFFECT_CODE_INSERT] = code_insert,
    [EFFECT_CODE_CONSUME] = code_consume,
    [EFFECT_FAMILY_INSERT] = family,
    [EFFECT_FAMILY_REVOKE] = family,
    [EFFECT_REFRESH_INSERT] = refresh,
    [EFFECT_REFRESH_ROTATE] = refresh,
    [EFFECT_CONSENT_PUT] = consent,
    [EFFECT_CONSENT_DELETE] = consent,
    [EFFECT_PUSHED_INSERT] = pushed,
    [EFFECT_DEVICE_INSERT] = device,
    [EFFECT_DEVICE_DECIDE] = device,
    [EFFECT_DEVICE_POLL] = device,
    [EFFECT_DEVICE_CONSUME] = device_consume,
    [EFFECT_ACCESS_TOKEN_INSERT] = access_token,
    [EFFECT_SPEND] = spend,
    [EFFECT_REVOCATION_PUT] = revocation,
};

/* ---- flows as they are written down ---- */

size_t year_jobs(flow_id_t flow)
{
    size_t n = FLOWS[flow][0] != '\0';
    for (const char *p = FLOWS[flow]; *p; p++)
        n += *p == ';';
    return n;
}

static effect_kind_t effect_named(str_t name)
{
    for (size_t i = 0; i < EFFECT_COUNT; i++)
        if (str_eq(str_c(EFFECT_NAMES[i]), name))
            return (effect_kind_t)i;
    abort();
}

void year_fill(act_t *act)
{
    str_t rest = str_c(FLOWS[act->flow]), job, name;
    for (size_t i = 0; i <= act->job; i++)
        if (!str_split(&rest, ';', &job))
            abort();
    job = str_trim(job, " ");
    while (str_split(&job, ' ', &name)) {
        effect_kind_t kind = effect_named(name);
        effect_t *e = effects_add(&act->effects, kind, year_now(act->y));
        FILL[kind](act, e, &act->records[act->effects.n - 1]);
    }
}

void year_ask_rests(act_t *act, ask_t *client, ask_t *consent)
{
    *client = (ask_t){.kind = ASK_CLIENT, .key = client_of(act)};
    *consent = (ask_t){.kind = ASK_CONSENT,
                       .key = user_of(act, act->who),
                       .key2 = client->key,
                       .key3 = RESOURCE,
                       .key4 = REDIRECT};
}
