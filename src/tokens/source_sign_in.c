/* A new token by the way of the config: discovery, registration, grant. */
#include "oauth/scope.h"
#include "tokens/source_object.h"

enum { BACKOFF_MS = 5000, TRANSIENT_MS = 1000, BACKOFF_TOP_MS = 300000 };

client_reason_t source_scope(source_round_t *r, str_t *out)
{
    const tokens_config_t *c = &r->s->config;
    const client_scope_want_t want = {
        .wanted = c->scope,
        .challenged = r->challenged ? r->challenge.scope : STR_UNSET,
        .before = r->before,
        .refresh = c->way == TOKENS_PERSON || c->way == TOKENS_DEVICE,
        .found = &r->s->place.found,
    };
    return source_rc(r, client_scope_choose(r->a, &want, out));
}

static bool wants_bound(const source_round_t *r)
{
    const client_discovery_t *d = &r->s->place.found;
    bool demanded = (d->has_resource && d->resource.dpop_required) ||
                    (r->challenged && r->challenge.dpop && !r->challenge.bearer);
    return demanded ||
           (r->s->config.dpop && str_list_has(d->server.dpop_algs, alg_name(ALG_ES256)));
}

/* The key of the token that was there for this issuer and resource, if it was bound. */
static bool kept_key(const source_round_t *r, str_t *text)
{
    const source_held_t *h = &r->s->held;
    if (!h->a || !str_is_set(h->record.dpop_key) || !str_eq(h->record.issuer, r->s->place.issuer) ||
        !str_eq(h->record.resource, r->s->place.resource))
        return false;
    *text = secret_dup(r->a, h->record.dpop_key).hidden;
    return str_is_set(*text);
}

static void free_key(void *key)
{
    jose_key_free(key);
}

client_reason_t source_bind(source_round_t *r, str_t *text, jwk_t *key)
{
    *text = STR_UNSET;
    *key = (jwk_t){.key = NULL};
    if (!wants_bound(r))
        return CLIENT_FINE;
    if (!kept_key(r, text))
        GO(source_key_new(r, text));
    GO(source_rc(r, source_key_read(r->a, *text, key)));
    return source_rc(r, arena_cleanup(r->a, free_key, key->key));
}

/* Counts on from what was there; from the clock where nothing was, so that a number never comes
 * twice for different tokens of one name. */
static uint64_t next_generation(const tokens_source_t *s)
{
    int64_t now = s->config.clock.now_ms(s->config.clock.ctx);
    return s->generation > (uint64_t)now ? s->generation + 1 : (uint64_t)now + 1;
}

client_reason_t source_got(source_round_t *r, const source_client_t *client,
                           const client_token_t *token, str_t asked, str_t dpop_key)
{
    tokens_source_t *s = r->s;
    const source_place_t *p = &s->place;
    int64_t now = clock_seconds(&s->config.clock);
    tokens_record_t record = {
        .url = s->config.url,
        .resource = p->resource,
        .issuer = p->issuer,
        .client_id = str_is_set(client->who.client_id) ? client->who.client_id : STR(""),
        .token = *token,
        .asked = asked,
        .dpop_key = token->dpop ? dpop_key : STR_UNSET,
        .at = now,
        .generation = next_generation(s),
    };
    str_t name;
    tokens_lock_t *lock;
    source_keep_place(r, record.client_id);
    GO(source_token_name(r, &record, &name));
    /* A refresh of another process ends first: what it writes must not be the last word. */
    GO(source_lock(r, name, SOURCE_LOCK_MS, &lock));
    client_reason_t reason = source_keep_token(r, &record, TOKENS_FROM_SIGN_IN);
    source_unlock(s, lock);
    return reason;
}

/* Time lets the person forget. */
static void forget_pages(source_pages_t *p, int64_t now)
{
    int64_t n = (now - p->since) / SOURCE_PAGE_MS;
    if (p->shown == 0 || n >= p->shown) {
        *p = (source_pages_t){.since = now};
        return;
    }
    p->shown -= (unsigned)n;
    p->since += n * SOURCE_PAGE_MS;
}

client_reason_t source_may_show(source_round_t *r)
{
    const clock_port_t *clock = &r->s->config.clock;
    source_pages_t *p = &r->s->pages;
    if (r->wished)
        return CLIENT_FINE;
    forget_pages(p, clock->mono_ms(clock->ctx));
    if (p->shown >= SOURCE_PAGES)
        return source_fail(
            r, r->step_up ? CLIENT_STEP_UP_LIMIT : CLIENT_TOKEN_NOT_TAKEN,
            STR("it asked for sign-ins too often: nobody is asked for some minutes"));
    p->shown++;
    return CLIENT_FINE;
}

static client_reason_t by_way(source_round_t *r, source_client_t *client)
{
    switch (r->s->config.way) {
    case TOKENS_PERSON:
        return source_person(r, client);
    case TOKENS_DEVICE:
        return source_device(r, client);
    case TOKENS_MACHINE:
        return source_machine(r, client);
    case TOKENS_WORKLOAD:
        return source_workload(r, client);
    case TOKENS_ENTERPRISE:
        return source_enterprise(r, client);
    case TOKENS_GIVEN:
    case TOKENS_NONE:
        break;
    }
    return source_fail(r, CLIENT_SIGN_IN_NEEDED, STR_UNSET);
}

/* A registration that the server has forgotten, or whose redirect URI it compares with its port, is
 * made anew, once. */
static bool registration_is_dead(const source_round_t *r, const source_client_t *client)
{
    return client->registered && (str_eq(r->error, STR("invalid_client")) ||
                                  str_eq(r->error, STR("invalid_redirect_uri")));
}

static client_reason_t obtain(source_round_t *r)
{
    bool took = false;
    if (!r->anew) {
        GO(source_reload(r, &took));
        if (took && !source_ends_soon(r->s, &r->s->held.record))
            return CLIENT_FINE;
    }
    /* A renewal before anything was refused goes where the last one went. */
    GO(r->challenged || !r->s->place.a ? source_find(r) : source_find_again(r));
    source_client_t client = {.registered = false};
    client_reason_t reason = by_way(r, &client);
    if (!registration_is_dead(r, &client))
        return reason;
    source_client_drop(r);
    r->error = STR_UNSET;
    return by_way(r, &client);
}

/* The scopes of the token that is given up; unset: none. */
static str_t scope_before(const source_round_t *r)
{
    const tokens_source_t *s = r->s;
    const tokens_record_t *t = s->held.a ? &s->held.record : NULL;
    if (t && str_is_set(t->asked))
        return t->asked;
    if (!t && s->forgotten[0])
        return str_c(s->forgotten);
    if (!r->step_up)
        return STR_UNSET;
    return t && str_is_set(t->token.scope) ? t->token.scope : r->challenge.scope;
}

/* They are asked for again, lest they be lost one by one; not where the person begins anew. */
static client_reason_t remember_scope(source_round_t *r)
{
    str_t before = scope_before(r), wanted = r->s->config.scope;
    if (!str_is_set(before) || (r->anew && !r->step_up))
        return CLIENT_FINE;
    return source_rc(r, oauth_scope_union(r->a, before, wanted, &r->before));
}

static bool can_ask(const tokens_config_t *c)
{
    return c->way == TOKENS_DEVICE ? c->person.code != NULL
                                   : c->way != TOKENS_PERSON || c->person.open != NULL;
}

client_reason_t source_sign_in(source_round_t *r)
{
    tokens_source_t *s = r->s;
    str_t name;
    tokens_lock_t *lock;
    GO(source_backoff_check(r, &s->signing_in));
    if (!can_ask(&s->config))
        return source_fail(r, CLIENT_SIGN_IN_NEEDED, STR_UNSET);
    GO(remember_scope(r));
    GO(source_rc(r, tokens_server_name(r->a, s->config.url, &name)));
    GO(source_lock(r, name, s->config.sign_in_ms + SOURCE_LOCK_MS, &lock));
    client_reason_t reason = obtain(r);
    source_unlock(s, lock);
    if (reason != CLIENT_FINE && reason != CLIENT_STOPPED)
        source_backoff_failed(r, &s->signing_in, r->transient ? TRANSIENT_MS : BACKOFF_MS,
                              BACKOFF_TOP_MS);
    if (reason != CLIENT_FINE && !r->transient)
        s->forgotten[0] = '\0'; /* perhaps the server gives them to nobody any more */
    return reason;
}
