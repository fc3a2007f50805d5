#include "oauth/register.h"

#include "core/limits.h"
#include "oauth/challenge.h"
#include "oauth/client_metadata.h"
#include "oauth/event.h"
#include "oauth/handle.h"
#include "oauth/registration_answer.h"
#include "oauth/sealed_client.h"

oauth_initial_token_t oauth_register_token(str_list_t authorization)
{
    if (authorization.n != 1)
        return (oauth_initial_token_t){0};
    str_t header = authorization.v[0];
    size_t space = str_find(header, ' ', 0);
    str_t token = str_trim(str_skip(header, space), " ");
    if (!str_eq_nocase(str_first(header, space), STR("Bearer")) || token.n == 0)
        return (oauth_initial_token_t){0};
    return (oauth_initial_token_t){.given = true, .hash = oauth_handle_hash(token)};
}

static oauth_reason_t check_access(const oauth_register_facts_t *f)
{
    if (f->settings->registration == OAUTH_REGISTER_OFF)
        return OAUTH_REGISTRATION_OFF;
    if (f->settings->registration == OAUTH_REGISTER_TOKEN) {
        if (!f->token.given)
            return OAUTH_REGISTRATION_TOKEN_MISSING;
        if (!f->registration_token || f->now >= f->registration_token->expires_at)
            return OAUTH_REGISTRATION_TOKEN_INVALID;
    }
    return f->full ? OAUTH_REGISTRATION_FULL : OAUTH_FINE;
}

/* RFC 6750 section 3.1: no error for who brought no token. */
static rc_t write_challenge(arena_t *a, oauth_reason_t reason, str_t *out)
{
    oauth_challenge_t c = {0};
    if (reason == OAUTH_REGISTRATION_TOKEN_INVALID) {
        c.error = oauth_reason_error(reason);
        c.error_description = oauth_reason_description(reason);
    }
    return oauth_challenge_write(a, &c, out);
}

static rc_t refuse(arena_t *a, oauth_reason_t reason, oauth_register_verdict_t *out)
{
    out->reason = reason;
    out->status = oauth_reason_status(reason);
    out->event = oauth_event(AUDIT_CLIENT_REGISTERED, reason);
    if (out->status == 401)
        TRY(write_challenge(a, reason, &out->www_authenticate));
    return oauth_reason_json(a, reason, STR_UNSET, &out->body);
}

rc_t oauth_client_credentials_new(arena_t *a, const random_port_t *random, client_t *client,
                                  str_t *secret)
{
    *secret = STR_UNSET;
    TRY(oauth_handle_new(a, random, OAUTH_HANDLE_CLIENT, &client->id));
    if (client->auth != CLIENT_AUTH_SECRET_BASIC && client->auth != CLIENT_AUTH_SECRET_POST)
        return RC_OK;
    TRY(oauth_handle_new(a, random, OAUTH_HANDLE_SECRET, secret));
    client->has_secret = true;
    client->secret_hash = oauth_handle_hash(*secret);
    return RC_OK;
}

/* Whoever was let in by a token or a statement is kept; the others keep themselves. */
static bool may_be_sealed(const oauth_register_facts_t *f, const oauth_statement_t *statement)
{
    return f->settings->stateless_clients && f->settings->registration == OAUTH_REGISTER_OPEN &&
           !statement->claims;
}

static void add_effects(const oauth_register_facts_t *f, const client_t *client, effects_t *effects)
{
    if (f->settings->registration == OAUTH_REGISTER_TOKEN)
        effects_add(effects, EFFECT_REGISTRATION_TOKEN_CONSUME, f->now)->u.hash =
            &f->registration_token->id;
    effect_t *insert = effects_add(effects, EFFECT_CLIENT_INSERT, f->now);
    insert->u.client = client;
    insert->quota.max_clients = f->settings->max_clients;
}

static rc_t store_client(arena_t *a, const oauth_register_facts_t *f, client_t *client,
                         oauth_sealed_secrets_t *secrets, effects_t *effects)
{
    client->expires_at = f->now + f->settings->registration_unused_ttl;
    TRY(oauth_client_credentials_new(a, f->random, client, &secrets->secret));
    TRY(oauth_handle_new(a, f->random, OAUTH_HANDLE_MANAGEMENT, &secrets->management));
    client->management = oauth_handle_hash(secrets->management);
    add_effects(f, client, effects);
    return RC_OK;
}

/* Sealed where that is possible, else stored. */
static rc_t give_id(arena_t *a, const oauth_register_facts_t *f, bool sealed, client_t *client,
                    oauth_register_verdict_t *out, oauth_sealed_secrets_t *secrets)
{
    rc_t rc = RC_LIMIT;
    if (sealed && f->seal_keys.n > 0)
        rc = oauth_sealed_client_seal(a, f->seal_keys, f->random, client, secrets);
    return rc == RC_LIMIT ? store_client(a, f, client, secrets, &out->effects) : rc;
}

static rc_t accept(arena_t *a, const oauth_register_facts_t *f, const oauth_statement_t *statement,
                   client_t *client, oauth_register_verdict_t *out)
{
    oauth_sealed_secrets_t secrets = {0};
    client->origin = CLIENT_BY_REGISTRATION;
    client->created_at = f->now;
    client->vouched_by = oauth_statement_voucher(statement);
    TRY(give_id(a, f, may_be_sealed(f, statement), client, out, &secrets));
    const oauth_registration_answer_t answer = {
        .settings = f->settings,
        .resources = f->resources,
        .client = client,
        .secret = secrets.secret,
        .management = f->settings->registration_management ? secrets.management : STR_UNSET,
        .statement = statement->claims ? statement->text : STR_UNSET,
    };
    out->status = 201;
    out->client = client;
    out->event = oauth_event(AUDIT_CLIENT_REGISTERED, OAUTH_FINE);
    out->event.client = client->id;
    out->event.detail = client->name;
    return oauth_registration_answer_write(a, &answer, &out->body);
}

rc_t oauth_register_decide(arena_t *a, const oauth_register_facts_t *facts,
                           oauth_register_verdict_t *out)
{
    *out = (oauth_register_verdict_t){0};
    oauth_statement_t statement = {0};
    oauth_reason_t reason = check_access(facts);
    client_t *client = ARENA_NEW(a, client_t);
    if (!client)
        return RC_MEMORY;
    const oauth_statement_facts_t vouching = {
        .settings = facts->settings,
        .keys = facts->statement_keys,
        .away = facts->statement_away,
        .now = facts->now,
        .required = facts->settings->registration == OAUTH_REGISTER_STATEMENT,
    };
    if (reason == OAUTH_FINE) {
        TRY(oauth_statement_take(a, &vouching, facts->body, &statement));
        reason = statement.reason;
    }
    const oauth_client_body_t body = {facts->body, statement.claims};
    if (reason == OAUTH_FINE)
        TRY(oauth_client_metadata_read(a, facts->settings, &body, client, &reason));
    return reason == OAUTH_FINE ? accept(a, facts, &statement, client, out)
                                : refuse(a, reason, out);
}
