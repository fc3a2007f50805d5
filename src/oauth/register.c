#include "oauth/register.h"

#include "core/limits.h"
#include "oauth/challenge.h"
#include "oauth/client_metadata.h"
#include "oauth/event.h"
#include "oauth/handle.h"
#include "oauth/resource.h"

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
    if (client->auth == CLIENT_AUTH_NONE || client->auth == CLIENT_AUTH_PRIVATE_KEY_JWT)
        return RC_OK;
    TRY(oauth_handle_new(a, random, OAUTH_HANDLE_SECRET, secret));
    client->has_secret = true;
    client->secret_hash = oauth_handle_hash(*secret);
    return RC_OK;
}

static rc_t write_answer(arena_t *a, const oauth_register_facts_t *f, const client_t *client,
                         str_t secret, str_t *out)
{
    str_t scope;
    TRY(oauth_resource_scope_all(a, f->resources, &scope));
    buf_t b = buf_new(a, LIMIT_REGISTRATION_BYTES * 2 + LIMIT_METADATA_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("client_id"), client->id);
    json_member_int(&w, STR("client_id_issued_at"), client->created_at);
    json_member_str(&w, STR("client_secret"), secret);
    if (str_is_set(secret))
        json_member_int(&w, STR("client_secret_expires_at"), 0);
    oauth_client_metadata_write(&w, client);
    json_member_str(&w, STR("scope"), scope);
    json_end_object(&w);
    return buf_done(&b, out);
}

static void add_effects(const oauth_register_facts_t *f, const client_t *client, effects_t *effects)
{
    if (f->settings->registration == OAUTH_REGISTER_TOKEN)
        effects_add(effects, EFFECT_REGISTRATION_TOKEN_CONSUME, f->now)->u.hash = &f->token.hash;
    effect_t *insert = effects_add(effects, EFFECT_CLIENT_INSERT, f->now);
    insert->u.client = client;
    insert->quota.max_clients = f->settings->max_clients;
}

static rc_t accept(arena_t *a, const oauth_register_facts_t *f, client_t *client,
                   oauth_register_verdict_t *out)
{
    str_t secret;
    TRY(oauth_client_credentials_new(a, f->random, client, &secret));
    client->origin = CLIENT_BY_REGISTRATION;
    client->created_at = f->now;
    client->expires_at = f->now + f->settings->registration_unused_ttl;
    TRY(write_answer(a, f, client, secret, &out->body));
    add_effects(f, client, &out->effects);
    out->status = 201;
    out->event = oauth_event(AUDIT_CLIENT_REGISTERED, OAUTH_FINE);
    out->event.client = client->id;
    out->event.detail = client->name;
    return RC_OK;
}

rc_t oauth_register_decide(arena_t *a, const oauth_register_facts_t *facts,
                           oauth_register_verdict_t *out)
{
    *out = (oauth_register_verdict_t){0};
    oauth_reason_t reason = check_access(facts);
    client_t *client = ARENA_NEW(a, client_t);
    if (!client)
        return RC_MEMORY;
    if (reason == OAUTH_FINE)
        TRY(oauth_client_metadata_read(a, facts->settings, facts->body, client, &reason));
    return reason == OAUTH_FINE ? accept(a, facts, client, out) : refuse(a, reason, out);
}
