/* Refresh: by one thread of one process at a time, and nothing is lost to a race. */
#include "tokens/source_object.h"

enum { BACKOFF_MS = 1000, BACKOFF_TOP_MS = 60000 };

static bool ends_within(const tokens_source_t *s, const tokens_record_t *t, int64_t seconds)
{
    int64_t at = t->token.expires_at;
    return at != 0 && clock_seconds(&s->config.clock) + seconds >= at;
}

/* Of a token that lives shortly only the last quarter is given up. */
static int64_t margin_of(const tokens_record_t *t)
{
    int64_t quarter = (t->token.expires_at - t->at) / 4;
    if (quarter < 0)
        return 0;
    return quarter < SOURCE_SOON_S ? quarter : SOURCE_SOON_S;
}

bool source_ends_soon(const tokens_source_t *s, const tokens_record_t *record)
{
    return ends_within(s, record, margin_of(record));
}

bool source_ended(const tokens_source_t *s, const tokens_record_t *record)
{
    return ends_within(s, record, 0);
}

bool source_needs_nobody(const tokens_source_t *s)
{
    tokens_way_t way = s->config.way;
    return way == TOKENS_MACHINE || way == TOKENS_WORKLOAD || way == TOKENS_ENTERPRISE;
}

/* A refresh token goes to the server that issued it, and is bound to the client that got it. */
static client_reason_t want_of(source_round_t *r, source_client_t *client,
                               client_token_want_t *want)
{
    bool there = false;
    if (!str_eq(r->s->place.issuer, r->s->held.record.issuer))
        return source_fail(r, CLIENT_TOKEN_REFUSED, STR("the authorization server has changed"));
    GO(source_find_again(r));
    GO(source_client_known(r, client, &there));
    if (!there || !str_eq(client->who.client_id, r->s->held.record.client_id))
        return source_fail(r, CLIENT_TOKEN_REFUSED, STR("the client's registration is gone"));
    return source_want(r, client, want);
}

/* The new record: what the answer leaves out stays (OAuth 2.1 section 4.3.2). */
static client_reason_t renewed(source_round_t *r, const client_token_t *token)
{
    tokens_record_t next = r->s->held.record;
    secret_t refresh = next.token.refresh_token;
    str_t scope = next.token.scope;
    next.token = *token;
    if (!str_is_set(token->refresh_token.hidden))
        next.token.refresh_token = refresh;
    if (!str_is_set(token->scope))
        next.token.scope = scope;
    next.at = clock_seconds(&r->s->config.clock);
    next.generation++;
    return source_keep_token(r, &next, TOKENS_FROM_REFRESH);
}

/* Another process without our lock may have been faster: then its token is there. */
static client_reason_t after_invalid_grant(source_round_t *r)
{
    client_failure_t refused = r->why;
    bool took = false;
    r->seen = r->s->held.record.generation;
    GO(source_reload(r, &took));
    if (took && !source_ended(r->s, &r->s->held.record))
        return CLIENT_FINE;
    source_forget(r);
    r->why = refused;
    return refused.reason;
}

/* The server has stopped binding, and the refresh token went for what is not taken: only a sign-in
 * asks whether it is to be bound. */
static void without_binding(source_round_t *r)
{
    client_failure_t refused = r->why;
    source_forget(r);
    r->why = refused;
}

/* The server has forgotten the registration, and with it all that it was given. */
static void without_client(source_round_t *r)
{
    client_failure_t refused = r->why;
    source_client_drop(r);
    source_forget(r);
    r->why = refused;
}

static client_reason_t ask(source_round_t *r)
{
    tokens_source_t *s = r->s;
    const source_held_t *h = &s->held;
    source_client_t client;
    client_token_want_t want;
    GO(want_of(r, &client, &want));
    source_says(r, "Refreshing the token at", s->place.issuer);
    const source_grant_t grant = {.kind = SOURCE_REFRESH,
                                  .text = h->record.token.refresh_token.hidden};
    client_token_t token;
    client_reason_t reason = source_grant(r, &want, &grant, h->key.key ? &h->key : NULL, &token);
    if (reason == CLIENT_FINE)
        return renewed(r, &token);
    if (str_eq(r->error, STR("invalid_grant")))
        return after_invalid_grant(r);
    if (str_eq(r->error, STR("invalid_client")) && client.registered)
        without_client(r);
    if (reason == CLIENT_TOKEN_TYPE)
        without_binding(r);
    return reason;
}

static client_reason_t under_lock(source_round_t *r)
{
    tokens_source_t *s = r->s;
    bool took = false;
    r->seen = s->held.record.generation;
    GO(source_reload(r, &took));
    if (took && !source_ends_soon(s, &s->held.record))
        return CLIENT_FINE;
    if (!s->held.a || !str_is_set(s->held.record.token.refresh_token.hidden) || !s->place.a)
        return source_fail(r, CLIENT_TOKEN_REFUSED, STR("there is no refresh token"));
    return ask(r);
}

client_reason_t source_refresh(source_round_t *r)
{
    tokens_source_t *s = r->s;
    str_t name;
    tokens_lock_t *lock;
    GO(source_backoff_check(r, &s->refreshing));
    GO(source_token_name(r, &s->held.record, &name));
    GO(source_lock(r, name, SOURCE_LOCK_MS, &lock));
    client_reason_t reason = under_lock(r);
    source_unlock(s, lock);
    if (reason != CLIENT_FINE && reason != CLIENT_STOPPED)
        source_backoff_failed(r, &s->refreshing, BACKOFF_MS, BACKOFF_TOP_MS);
    return reason;
}
