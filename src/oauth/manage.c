#include "oauth/manage.h"

#include "core/limits.h"
#include "jose/digest.h"
#include "oauth/challenge.h"
#include "oauth/client_metadata.h"
#include "oauth/event.h"
#include "oauth/handle.h"
#include "oauth/method.h"
#include "oauth/registration_answer.h"
#include "oauth/sealed_client.h"

str_t oauth_manage_token(str_list_t authorization)
{
    if (authorization.n != 1)
        return STR_UNSET;
    str_t header = authorization.v[0];
    size_t space = str_find(header, ' ', 0);
    str_t token = str_trim(str_skip(header, space), " ");
    return str_eq_nocase(str_first(header, space), STR("Bearer")) && token.n > 0 ? token
                                                                                 : STR_UNSET;
}

/* Somebody unknown is compared with a hash that nothing has, so that the answer takes as long. */
static bool token_fits(const oauth_manage_facts_t *f)
{
    static const hash_t NOBODY = {{0}};
    const client_t *c = f->client;
    const hash_t *expected = c ? &c->management : &NOBODY;
    hash_t hash = oauth_handle_hash(f->token);
    bool fits = str_eq_ct(str_of(hash.b, sizeof hash.b), str_of(expected->b, sizeof expected->b));
    return fits && c && (c->expires_at == 0 || f->now < c->expires_at);
}

static oauth_reason_t check_access(const oauth_manage_facts_t *f)
{
    if (!f->settings->registration_management)
        return OAUTH_MANAGEMENT_OFF;
    if (!str_is_set(f->token))
        return OAUTH_MANAGEMENT_TOKEN_MISSING;
    return token_fits(f) ? OAUTH_FINE : OAUTH_MANAGEMENT_TOKEN_INVALID;
}

static audit_kind_t kind_of(const oauth_manage_facts_t *f)
{
    return f->what == OAUTH_MANAGE_DELETE ? AUDIT_CLIENT_DELETED : AUDIT_CLIENT_CHANGED;
}

/* RFC 6750 section 3.1: no error for who brought no token. */
static rc_t write_challenge(arena_t *a, oauth_reason_t reason, str_t *out)
{
    oauth_challenge_t c = {0};
    if (reason == OAUTH_MANAGEMENT_TOKEN_INVALID) {
        c.error = oauth_reason_error(reason);
        c.error_description = oauth_reason_description(reason);
    }
    return oauth_challenge_write(a, &c, out);
}

static rc_t refuse(arena_t *a, const oauth_manage_facts_t *f, oauth_reason_t reason,
                   oauth_manage_verdict_t *out)
{
    *out = (oauth_manage_verdict_t){.reason = reason, .status = oauth_reason_status(reason)};
    out->event = oauth_event(kind_of(f), reason);
    out->has_event = true;
    if (f->client)
        out->event.client = f->client->id;
    if (out->status == 401)
        TRY(write_challenge(a, reason, &out->www_authenticate));
    return oauth_reason_json(a, reason, STR_UNSET, &out->body);
}

static void set_event(const oauth_manage_facts_t *f, oauth_manage_verdict_t *out)
{
    out->event = oauth_event(kind_of(f), OAUTH_FINE);
    out->event.client = f->client->id;
    out->event.detail = f->client->name;
    out->has_event = true;
}

/* The secret that was derived of the id, if it is still the client's; only a hash of others is
 * known. */
static rc_t known_secret(arena_t *a, const oauth_manage_facts_t *f, str_t *out)
{
    const client_t *sealed;
    oauth_sealed_secrets_t secrets = {0};
    *out = STR_UNSET;
    if (!f->client->has_secret || !f->client->sealed)
        return RC_OK;
    TRY(oauth_sealed_client_open(a, f->seal_keys, f->client->id, &sealed, &secrets));
    if (!str_is_set(secrets.secret))
        return RC_OK;
    hash_t hash = oauth_handle_hash(secrets.secret);
    if (memcmp(hash.b, f->client->secret_hash.b, sizeof hash.b) == 0)
        *out = secrets.secret;
    return RC_OK;
}

static rc_t answer(arena_t *a, const oauth_manage_facts_t *f, const client_t *client, str_t secret,
                   oauth_manage_verdict_t *out)
{
    const oauth_registration_answer_t what = {
        .settings = f->settings,
        .resources = f->resources,
        .client = client,
        .secret = secret,
        .management = f->token,
    };
    out->status = 200;
    return oauth_registration_answer_write(a, &what, &out->body);
}

static rc_t read_client(arena_t *a, const oauth_manage_facts_t *f, oauth_manage_verdict_t *out)
{
    str_t secret;
    TRY(known_secret(a, f, &secret));
    return answer(a, f, f->client, secret, out);
}

/* What people decide on: who is it, where does the access go, and what proves that it is who asks?
 */
static void put_part(buf_t *b, str_t part)
{
    buf_u64(b, part.n);
    buf_char(b, ':');
    buf_put(b, part);
}

static rc_t hash_what_is_shown(arena_t *a, const client_t *c, hash_t *out)
{
    str_t text;
    buf_t b = buf_new(a, LIMIT_REGISTRATION_BYTES * 2);
    put_part(&b, c->name);
    put_part(&b, c->vouched_by);
    put_part(&b, oauth_method_name(c->auth));
    put_part(&b, c->jwks);
    put_part(&b, c->jwks_uri);
    for (size_t i = 0; i < c->redirect_uris.n; i++)
        put_part(&b, c->redirect_uris.v[i]);
    TRY(buf_done(&b, &text));
    sha256(text, out->b);
    return RC_OK;
}

/* Unchanged: consents go on to count, also those from before the first change. */
static rc_t bind_consents(arena_t *a, const client_t *before, client_t *client)
{
    hash_t was, is;
    client->document = before->document;
    TRY(hash_what_is_shown(a, before, &was));
    TRY(hash_what_is_shown(a, client, &is));
    if (memcmp(was.b, is.b, sizeof is.b) != 0)
        client->document = is;
    return RC_OK;
}

/* Section 2.2: the client names itself, and its secret only as it is. */
static rc_t check_body(arena_t *a, const oauth_manage_facts_t *f, oauth_reason_t *reason)
{
    static const json_limits_t LIMITS = {LIMIT_REGISTRATION_BYTES, 16, 4096};
    const json_t *all;
    rc_t rc = json_parse(a, f->body, &LIMITS, &all);
    if (rc == RC_MEMORY)
        return rc;
    *reason = OAUTH_METADATA_MALFORMED;
    if (rc != RC_OK || !json_is(all, JSON_OBJECT))
        return RC_OK;
    *reason = OAUTH_MANAGEMENT_CLIENT_ID;
    if (!str_eq(json_get_str(all, STR("client_id")), f->client->id))
        return RC_OK;
    const json_t *secret = json_get(all, STR("client_secret"));
    *reason = OAUTH_FINE;
    if (!secret)
        return RC_OK;
    hash_t hash = oauth_handle_hash(json_is(secret, JSON_STRING) ? secret->str : STR(""));
    if (!f->client->has_secret ||
        !str_eq_ct(str_of(hash.b, sizeof hash.b), str_of(f->client->secret_hash.b, sizeof hash.b)))
        *reason = OAUTH_MANAGEMENT_SECRET;
    return RC_OK;
}

/* Who was vouched for stays so only with a statement. */
static rc_t read_metadata(arena_t *a, const oauth_manage_facts_t *f, client_t *client,
                          oauth_reason_t *reason)
{
    oauth_statement_t statement;
    const oauth_statement_facts_t vouching = {
        .settings = f->settings,
        .keys = f->statement_keys,
        .away = f->statement_away,
        .now = f->now,
        .required = str_is_set(f->client->vouched_by) ||
                    f->settings->registration == OAUTH_REGISTER_STATEMENT,
    };
    TRY(oauth_statement_take(a, &vouching, f->body, &statement));
    *reason = statement.reason;
    if (*reason != OAUTH_FINE)
        return RC_OK;
    const oauth_client_body_t body = {f->body, statement.claims};
    TRY(oauth_client_metadata_read(a, f->settings, &body, client, reason));
    client->vouched_by = oauth_statement_voucher(&statement);
    return RC_OK;
}

/* What is not metadata stays as it was. */
static void keep_the_rest(const client_t *before, client_t *client)
{
    client->id = before->id;
    client->origin = before->origin;
    client->created_at = before->created_at;
    client->management = before->management;
    client->sealed = before->sealed;
    client->lenient_loopback = before->lenient_loopback;
    client->resources = before->resources;
    client->exchange_to = before->exchange_to;
    client->scope = before->scope;
    client->used_at = before->used_at;
}

/* A secret is made for who had none, kept by who still needs it, and otherwise forgotten. */
static rc_t settle_secret(arena_t *a, const oauth_manage_facts_t *f, client_t *client,
                          str_t *secret)
{
    bool needs =
        client->auth == CLIENT_AUTH_SECRET_BASIC || client->auth == CLIENT_AUTH_SECRET_POST;
    *secret = STR_UNSET;
    if (!needs)
        return RC_OK;
    client->has_secret = true;
    if (f->client->has_secret) {
        client->secret_hash = f->client->secret_hash;
        return known_secret(a, f, secret);
    }
    TRY(oauth_handle_new(a, f->random, OAUTH_HANDLE_SECRET, secret));
    client->secret_hash = oauth_handle_hash(*secret);
    return RC_OK;
}

/* A client that nobody has approved yet is forgotten some time after it was changed or deleted, as
 * one that registers is: rows that stay for ever would let strangers use up the quota, and keep all
 * others from registering. Then the id says again what it was sealed with, and needs approval. */
static int64_t expiry(const oauth_manage_facts_t *f)
{
    const client_t *c = f->client;
    bool used = c->stored && c->expires_at == 0;
    if (!c->sealed)
        return c->expires_at;
    return used ? 0 : f->now + f->settings->registration_unused_ttl;
}

static void put(const oauth_manage_facts_t *f, const client_t *client, effects_t *effects)
{
    bool first = !f->client->stored;
    effect_t *e = effects_add(effects, first ? EFFECT_CLIENT_INSERT : EFFECT_CLIENT_PUT, f->now);
    e->u.client = client;
    e->quota.max_clients = f->settings->max_clients;
}

static rc_t replace(arena_t *a, const oauth_manage_facts_t *f, oauth_manage_verdict_t *out)
{
    str_t secret;
    oauth_reason_t reason;
    client_t *client = ARENA_NEW(a, client_t);
    if (!client)
        return RC_MEMORY;
    TRY(check_body(a, f, &reason));
    if (reason == OAUTH_FINE)
        TRY(read_metadata(a, f, client, &reason));
    if (reason != OAUTH_FINE)
        return refuse(a, f, reason, out);
    keep_the_rest(f->client, client);
    client->expires_at = expiry(f);
    TRY(settle_secret(a, f, client, &secret));
    TRY(bind_consents(a, f->client, client));
    put(f, client, &out->effects);
    set_event(f, out);
    return answer(a, f, client, secret, out);
}

/* A sealed id would go on to open: its row says that it is gone. */
static rc_t delete (arena_t *a, const oauth_manage_facts_t *f, oauth_manage_verdict_t *out)
{
    client_t *client = ARENA_NEW(a, client_t);
    if (!client)
        return RC_MEMORY;
    *client = *f->client;
    client->expires_at = expiry(f);
    if (f->client->sealed && client->expires_at != 0)
        put(f, client, &out->effects);
    effects_add(&out->effects, EFFECT_CLIENT_DELETE, f->ends)->u.key = f->client->id;
    out->status = 204;
    set_event(f, out);
    return RC_OK;
}

rc_t oauth_manage_decide(arena_t *a, const oauth_manage_facts_t *facts, oauth_manage_verdict_t *out)
{
    *out = (oauth_manage_verdict_t){0};
    oauth_reason_t reason = check_access(facts);
    if (reason != OAUTH_FINE)
        return refuse(a, facts, reason, out);
    if (facts->what == OAUTH_MANAGE_READ)
        return read_client(a, facts, out);
    if (facts->full && !facts->client->stored)
        return refuse(a, facts, OAUTH_REGISTRATION_FULL, out);
    if (facts->what == OAUTH_MANAGE_REPLACE)
        return replace(a, facts, out);
    return delete (a, facts, out);
}
