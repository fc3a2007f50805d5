/* What a source keeps and reads: the place of its URL, and its token. */
#include <stdio.h>

#include "core/b64.h"
#include "tokens/source_object.h"

enum { LOCK_SLICE_MS = 200, MEMBER_BYTES = 4096 };

static client_reason_t failed(source_round_t *r, rc_t rc, str_t why)
{
    if (rc == RC_OK || rc == RC_MEMORY)
        return source_rc(r, rc);
    const tokens_keep_t *k = &r->s->config.keep;
    str_t detail = arena_printf(r->a, "%" PRIstr ": %" PRIstr, STR_ARG(k->place),
                                STR_ARG(str_is_set(why) ? why : str_c(rc_name(rc))));
    return source_fail(r, CLIENT_KEEP_FAILED, detail);
}

client_reason_t source_read(source_round_t *r, str_t name, str_t *out)
{
    const tokens_keep_t *k = &r->s->config.keep;
    secret_t text = {STR_UNSET};
    str_t why = STR_UNSET;
    rc_t rc = k->read(k->ctx, r->a, name, &text, &why);
    *out = rc == RC_OK ? text.hidden : STR_UNSET;
    return rc == RC_NOT_FOUND ? CLIENT_FINE : failed(r, rc, why);
}

client_reason_t source_write(source_round_t *r, str_t name, secret_t text)
{
    const tokens_keep_t *k = &r->s->config.keep;
    str_t why = STR_UNSET;
    return failed(r, k->write(k->ctx, r->a, name, text, &why), why);
}

client_reason_t source_lock(source_round_t *r, str_t name, int64_t wait_ms, tokens_lock_t **out)
{
    const tokens_keep_t *k = &r->s->config.keep;
    const clock_port_t *clock = &r->s->config.clock;
    int64_t until = clock->mono_ms(clock->ctx) + wait_ms;
    for (bool first = true;; first = false) {
        GO(source_running(r));
        rc_t rc = k->lock(k->ctx, name, LOCK_SLICE_MS, out);
        if (rc != RC_BUSY)
            return failed(r, rc, STR_UNSET);
        if (first)
            source_says(r, "Waiting for another program that uses", r->s->config.url);
        if (clock->mono_ms(clock->ctx) >= until) {
            r->transient = true;
            return failed(r, rc, STR("another process holds the lock"));
        }
    }
}

void source_unlock(tokens_source_t *s, tokens_lock_t *lock)
{
    s->config.keep.unlock(s->config.keep.ctx, lock);
}

/* A private key as text: PKCS#8 in base64url. */
client_reason_t source_key_new(source_round_t *r, str_t *text)
{
    jose_key_t *key = NULL;
    GO(source_rc(r, jose_key_generate(ALG_ES256, &key)));
    str_t der;
    rc_t rc = jose_key_pkcs8(r->a, key, &der);
    jose_key_free(key);
    GO(source_rc(r, rc));
    size_t max = der.n * 2;
    char *room = secret_alloc(r->a, max);
    if (!room)
        return source_rc(r, RC_MEMORY);
    buf_t b = buf_fixed(room, max);
    buf_b64url(&b, (const uint8_t *)der.p, der.n);
    return source_rc(r, buf_done(&b, text));
}

rc_t source_key_read(arena_t *a, str_t text, jwk_t *out)
{
    char *room = secret_alloc(a, text.n + 1);
    if (!room)
        return RC_MEMORY;
    size_t n = text.n / 4 * 3 + (text.n % 4 ? text.n % 4 - 1 : 0);
    TRY(b64url_decode_to(text, (uint8_t *)room, n));
    *out = (jwk_t){.alg = ALG_ES256};
    return jose_key_from_pkcs8(str_of(room, n), &out->key);
}

/* What a server says that it is may be more than its URL, up to a whole origin that it shares with
 * others (CLIENT_RESOURCE_PREFIX): what was got for one of them is kept for that one alone. */
static str_t resource_key(arena_t *a, const tokens_record_t *t)
{
    if (!str_is_set(t->resource) || str_eq(t->resource, t->url))
        return t->url;
    return arena_printf(a, "%" PRIstr " %" PRIstr, STR_ARG(t->resource), STR_ARG(t->url));
}

client_reason_t source_token_name(source_round_t *r, const tokens_record_t *t, str_t *out)
{
    str_t resource = resource_key(r->a, t);
    if (!str_is_set(resource))
        return source_rc(r, RC_MEMORY);
    str_t client = str_is_set(t->client_id) ? t->client_id : STR("");
    return source_rc(r, tokens_token_name(r->a, t->issuer, resource, client, out));
}

static void let_go(source_held_t *h)
{
    jwk_free(&h->key);
    arena_free(h->a);
    *h = (source_held_t){.a = NULL};
}

/* Puts the record of `text` in the place of what is held. */
static rc_t hold(tokens_source_t *s, str_t text, tokens_origin_t origin)
{
    source_held_t h = {.a = arena_new(SOURCE_ARENA_BYTES), .origin = origin};
    if (!h.a)
        return RC_MEMORY;
    secret_t own = secret_dup(h.a, text);
    rc_t rc = str_is_set(own.hidden) ? tokens_record_read(h.a, own.hidden, &h.record) : RC_MEMORY;
    if (rc == RC_OK && str_is_set(h.record.dpop_key))
        rc = source_key_read(h.a, h.record.dpop_key, &h.key);
    if (rc != RC_OK) {
        let_go(&h);
        return rc;
    }
    if (h.record.generation > s->generation)
        s->generation = h.record.generation;
    s->refreshing.failures = s->signing_in.failures = 0;
    s->forgotten[0] = '\0';
    pthread_mutex_lock(&s->lock);
    source_held_t old = s->held;
    s->held = h;
    s->token_since = ++s->tick;
    pthread_mutex_unlock(&s->lock);
    let_go(&old);
    return RC_OK;
}

void source_drop_held(tokens_source_t *s)
{
    pthread_mutex_lock(&s->lock);
    source_held_t old = s->held;
    s->held = (source_held_t){.a = NULL};
    pthread_mutex_unlock(&s->lock);
    let_go(&old);
}

/* The place as it is kept; another process may have found a newer one. */
static client_reason_t reload_place(source_round_t *r)
{
    tokens_source_t *s = r->s;
    str_t name, text;
    GO(source_rc(r, tokens_server_name(r->a, s->config.url, &name)));
    GO(source_read(r, name, &text));
    tokens_server_t kept;
    if (!str_is_set(text))
        return CLIENT_FINE;
    rc_t rc = tokens_server_read(r->a, text, &kept);
    if (rc == RC_MALFORMED || (rc == RC_OK && !source_is_chosen(s, kept.issuer)))
        return CLIENT_FINE;
    GO(source_rc(r, rc));
    bool same = s->place.a && str_eq(s->place.issuer, kept.issuer);
    if (s->place.a && (same ? kept.at <= s->place.at : kept.at < s->place.at))
        return CLIENT_FINE;
    source_place_t place;
    rc = source_place_read(s, &kept, &place);
    if (rc == RC_OK)
        source_place_set(s, &place);
    return rc == RC_MALFORMED ? CLIENT_FINE : source_rc(r, rc);
}

static bool wants_it(const source_round_t *r, const tokens_record_t *kept)
{
    const source_held_t *h = &r->s->held;
    if (kept->generation == r->seen)
        return false;
    return !h->a || h->record.generation != kept->generation;
}

/* The token of this client at the place; unset: there is none. */
static client_reason_t read_token(source_round_t *r, str_t *text)
{
    tokens_source_t *s = r->s;
    source_client_t client;
    bool there;
    str_t name;
    *text = STR_UNSET;
    if (!s->place.a)
        return CLIENT_FINE;
    client_reason_t reason = source_client_known(r, &client, &there);
    if (reason == CLIENT_CREDENTIALS_OF_ANOTHER || (reason == CLIENT_FINE && !there))
        return CLIENT_FINE;
    GO(reason);
    const tokens_record_t key = {.url = s->config.url,
                                 .issuer = s->place.issuer,
                                 .resource = s->place.resource,
                                 .client_id = client.who.client_id};
    GO(source_token_name(r, &key, &name));
    return source_read(r, name, text);
}

client_reason_t source_reload(source_round_t *r, bool *took)
{
    tokens_source_t *s = r->s;
    *took = false;
    GO(reload_place(r));
    str_t text;
    tokens_record_t kept;
    GO(read_token(r, &text));
    if (!str_is_set(text))
        return CLIENT_FINE;
    rc_t rc = tokens_record_read(r->a, text, &kept);
    if (rc == RC_MALFORMED)
        return CLIENT_FINE;
    GO(source_rc(r, rc));
    if (!wants_it(r, &kept))
        return CLIENT_FINE;
    rc = hold(s, text, TOKENS_FROM_KEEP);
    *took = rc == RC_OK;
    return rc == RC_MALFORMED ? CLIENT_FINE : source_rc(r, rc);
}

tokens_server_t source_place_record(const tokens_source_t *s, str_t client_id)
{
    const source_place_t *p = &s->place;
    const client_discovery_t *d = &p->found;
    return (tokens_server_t){
        .url = s->config.url,
        .resource = p->resource,
        .issuer = p->issuer,
        .client_id = client_id,
        .resource_metadata = d->has_resource ? d->resource.all->raw : STR_UNSET,
        .server_metadata = d->server.all ? d->server.all->raw : STR_UNSET,
        .guessed = d->guessed,
        .at = p->at,
    };
}

/* A document without its long members: lists of a thousand scopes, texts for people. */
static str_t shorten(arena_t *a, const json_t *document)
{
    buf_t b = buf_new(a, TOKENS_KEEP_BYTES / 3);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    for (const json_t *m = document ? document->child : NULL; m; m = m->next) {
        if (m->raw.n > MEMBER_BYTES)
            continue;
        json_key(&w, m->key);
        json_raw(&w, m->raw);
    }
    json_end_object(&w);
    str_t out;
    return buf_done(&b, &out) == RC_OK ? out : STR_UNSET;
}

static rc_t write_record(source_round_t *r, str_t client_id, secret_t *text)
{
    tokens_server_t kept = source_place_record(r->s, client_id);
    rc_t rc = tokens_server_write(r->a, &kept, text);
    if (rc != RC_LIMIT)
        return rc;
    const client_discovery_t *d = &r->s->place.found;
    if (d->has_resource)
        kept.resource_metadata = shorten(r->a, d->resource.all);
    if (d->server.all)
        kept.server_metadata = shorten(r->a, d->server.all);
    return tokens_server_write(r->a, &kept, text);
}

static client_reason_t write_place(source_round_t *r, str_t client_id)
{
    str_t name;
    secret_t text;
    GO(source_rc(r, tokens_server_name(r->a, r->s->config.url, &name)));
    GO(source_rc(r, write_record(r, client_id, &text)));
    return source_write(r, name, text);
}

void source_keep_place(source_round_t *r, str_t client_id)
{
    if (write_place(r, client_id) != CLIENT_FINE)
        LOG(r->s->config.log, LOG_WARN, "place_not_kept", LOG_S("why", r->why.detail));
}

client_reason_t source_keep_token(source_round_t *r, tokens_record_t *record,
                                  tokens_origin_t origin)
{
    str_t name;
    secret_t text;
    GO(source_token_name(r, record, &name));
    GO(source_rc(r, tokens_record_write(r->a, record, &text)));
    if (source_write(r, name, text) != CLIENT_FINE)
        LOG(r->s->config.log, LOG_WARN, "token_not_kept", LOG_S("why", r->why.detail));
    return source_rc(r, hold(r->s, text.hidden, origin));
}

void source_forget(source_round_t *r)
{
    tokens_source_t *s = r->s;
    const tokens_keep_t *k = &s->config.keep;
    str_t name, text, why;
    tokens_record_t kept;
    if (s->held.a && source_token_name(r, &s->held.record, &name) == CLIENT_FINE &&
        source_read(r, name, &text) == CLIENT_FINE && str_is_set(text) &&
        tokens_record_read(r->a, text, &kept) == RC_OK &&
        kept.generation == s->held.record.generation && k->erase(k->ctx, r->a, name, &why) != RC_OK)
        LOG(s->config.log, LOG_WARN, "token_not_erased", LOG_S("why", why));
    if (s->held.a && s->held.record.asked.n <= LIMIT_SCOPE_BYTES)
        snprintf(s->forgotten, sizeof s->forgotten, "%" PRIstr, STR_ARG(s->held.record.asked));
    source_drop_held(s);
}
