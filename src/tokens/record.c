#include "tokens/record.h"

#include "jose/digest.h"
#include "tokens/keep.h"

enum { VERSION = 1, HASH_BYTES = 20, DEPTH = 8, NODES = 1024 };

/* Names */

/* Each part behind its length, so that no two lists of parts are one text. */
static rc_t name_of(arena_t *a, str_t kind, const str_t *parts, size_t n, str_t *out)
{
    uint8_t digest[SHA256_BYTES];
    size_t room = 0;
    str_t text;
    for (size_t i = 0; i < n; i++)
        room += parts[i].n + 24;
    buf_t b = buf_new(a, room);
    for (size_t i = 0; i < n; i++) {
        buf_u64(&b, parts[i].n);
        buf_char(&b, ':');
        buf_put(&b, parts[i]);
    }
    TRY(buf_done(&b, &text));
    sha256(text, digest);
    buf_t name = buf_new(a, TOKENS_NAME_BYTES);
    buf_put(&name, kind);
    buf_hex(&name, digest, HASH_BYTES);
    return buf_done(&name, out);
}

rc_t tokens_client_name(arena_t *a, str_t issuer, str_t *out)
{
    return name_of(a, STR("client-"), &issuer, 1, out);
}

rc_t tokens_token_name(arena_t *a, str_t issuer, str_t resource, str_t client_id, str_t *out)
{
    const str_t parts[] = {issuer, resource, client_id};
    return name_of(a, STR("tokens-"), parts, 3, out);
}

rc_t tokens_server_name(arena_t *a, str_t url, str_t *out)
{
    return name_of(a, STR("server-"), &url, 1, out);
}

/* Writing: into bytes that are wiped when the arena ends. */

static rc_t begin_write(arena_t *a, str_t kind, buf_t *b, json_writer_t *w)
{
    char *p = secret_alloc(a, TOKENS_KEEP_BYTES);
    if (!p)
        return RC_MEMORY;
    *b = buf_fixed(p, TOKENS_KEEP_BYTES);
    *w = json_writer(b);
    json_begin_object(w);
    json_member_str(w, STR("kind"), kind);
    json_member_int(w, STR("version"), VERSION);
    return RC_OK;
}

static rc_t end_write(buf_t *b, json_writer_t *w, secret_t *out)
{
    json_end_object(w);
    return buf_done(b, &out->hidden);
}

rc_t tokens_client_write(arena_t *a, const tokens_client_t *c, secret_t *out)
{
    buf_t b;
    json_writer_t w;
    *out = secret_of(STR_UNSET);
    TRY(begin_write(a, STR("client"), &b, &w));
    json_member_str(&w, STR("issuer"), c->issuer);
    json_member_str(&w, STR("client_id"), c->client.client_id);
    json_member_str(&w, STR("method"), c->client.method);
    json_member_str(&w, STR("client_secret"), c->client.secret.hidden);
    json_member_int(&w, STR("secret_expires_at"), c->client.secret_expires_at);
    json_member_str(&w, STR("registration_uri"), c->client.registration_uri);
    json_member_str(&w, STR("registration_token"), c->client.registration_token);
    json_member_strs(&w, STR("redirect_uris"), c->redirect_uris);
    json_member_int(&w, STR("at"), c->at);
    return end_write(&b, &w, out);
}

rc_t tokens_record_write(arena_t *a, const tokens_record_t *r, secret_t *out)
{
    buf_t b;
    json_writer_t w;
    *out = secret_of(STR_UNSET);
    TRY(begin_write(a, STR("tokens"), &b, &w));
    json_member_str(&w, STR("url"), r->url);
    json_member_str(&w, STR("resource"), r->resource);
    json_member_str(&w, STR("issuer"), r->issuer);
    json_member_str(&w, STR("client_id"), r->client_id);
    json_member_str(&w, STR("access_token"), r->token.access_token.hidden);
    json_member_str(&w, STR("refresh_token"), r->token.refresh_token.hidden);
    json_member_bool(&w, STR("dpop"), r->token.dpop);
    json_member_int(&w, STR("expires_at"), r->token.expires_at);
    json_member_str(&w, STR("scope"), r->token.scope);
    json_member_str(&w, STR("asked"), r->asked);
    json_member_str(&w, STR("dpop_key"), r->dpop_key);
    json_member_int(&w, STR("at"), r->at);
    json_member_int(&w, STR("generation"), (int64_t)r->generation);
    return end_write(&b, &w, out);
}

rc_t tokens_server_write(arena_t *a, const tokens_server_t *s, secret_t *out)
{
    buf_t b;
    json_writer_t w;
    *out = secret_of(STR_UNSET);
    TRY(begin_write(a, STR("server"), &b, &w));
    json_member_str(&w, STR("url"), s->url);
    json_member_str(&w, STR("resource"), s->resource);
    json_member_str(&w, STR("issuer"), s->issuer);
    json_member_str(&w, STR("client_id"), s->client_id);
    json_member_str(&w, STR("resource_metadata"), s->resource_metadata);
    json_member_str(&w, STR("server_metadata"), s->server_metadata);
    json_member_bool(&w, STR("guessed"), s->guessed);
    json_member_int(&w, STR("at"), s->at);
    return end_write(&b, &w, out);
}

/* Reading. A member that is absent is unset or 0; one of another type is no record of ours. */

typedef struct {
    arena_t *a;
    const json_t *json;
    rc_t rc; /* the first failure, which stays */
} reader_t;

static void fail(reader_t *r, rc_t rc)
{
    if (r->rc == RC_OK)
        r->rc = rc;
}

static reader_t begin_read(arena_t *a, str_t text, str_t kind)
{
    static const json_limits_t LIMITS = {TOKENS_KEEP_BYTES, DEPTH, NODES};
    int64_t version = 0;
    reader_t r = {.a = a};
    rc_t rc = json_parse(a, text, &LIMITS, &r.json);
    if (rc != RC_OK)
        fail(&r, rc == RC_MEMORY ? RC_MEMORY : RC_MALFORMED);
    if (!str_eq(json_get_str(r.json, STR("kind")), kind) ||
        !json_get_i64(r.json, STR("version"), &version) || version != VERSION)
        fail(&r, RC_MALFORMED);
    return r;
}

/* All texts are copies that are wiped: what is read here is a record of secrets. */
static secret_t take_secret(reader_t *r, str_t name)
{
    const json_t *v = json_get(r->json, name);
    if (v && !json_is(v, JSON_STRING))
        fail(r, RC_MALFORMED);
    if (!v || r->rc != RC_OK)
        return secret_of(STR_UNSET);
    secret_t copy = secret_dup(r->a, v->str);
    if (!str_is_set(copy.hidden))
        fail(r, RC_MEMORY);
    return copy;
}

static str_t take(reader_t *r, str_t name)
{
    return take_secret(r, name).hidden;
}

static str_t take_needed(reader_t *r, str_t name)
{
    str_t text = take(r, name);
    if (str_is_empty(text))
        fail(r, RC_MALFORMED);
    return text;
}

static int64_t take_number(reader_t *r, str_t name)
{
    int64_t number = 0;
    if (json_get(r->json, name) && (!json_get_i64(r->json, name, &number) || number < 0))
        fail(r, RC_MALFORMED);
    return r->rc == RC_OK ? number : 0;
}

static bool take_bool(reader_t *r, str_t name)
{
    bool value = false;
    if (json_get(r->json, name) && !json_get_bool(r->json, name, &value))
        fail(r, RC_MALFORMED);
    return value;
}

static str_list_t take_list(reader_t *r, str_t name)
{
    const json_t *list = json_get(r->json, name);
    if (list && !json_is(list, JSON_ARRAY))
        fail(r, RC_MALFORMED);
    if (!list || list->count == 0 || r->rc != RC_OK)
        return (str_list_t){0};
    str_t *v = ARENA_ARRAY(r->a, list->count, str_t);
    size_t n = 0;
    if (!v)
        fail(r, RC_MEMORY);
    for (const json_t *one = list->child; one && r->rc == RC_OK; one = one->next) {
        v[n] = arena_dup(r->a, one->str);
        if (!str_is_set(v[n++]))
            fail(r, json_is(one, JSON_STRING) ? RC_MEMORY : RC_MALFORMED);
    }
    return (str_list_t){v, n};
}

rc_t tokens_client_read(arena_t *a, str_t text, tokens_client_t *out)
{
    reader_t r = begin_read(a, text, STR("client"));
    *out = (tokens_client_t){
        .issuer = take(&r, STR("issuer")),
        .client = {.client_id = take_needed(&r, STR("client_id")),
                   .method = take(&r, STR("method")),
                   .secret = take_secret(&r, STR("client_secret")),
                   .secret_expires_at = take_number(&r, STR("secret_expires_at")),
                   .registration_uri = take(&r, STR("registration_uri")),
                   .registration_token = take(&r, STR("registration_token"))},
        .redirect_uris = take_list(&r, STR("redirect_uris")),
        .at = take_number(&r, STR("at")),
    };
    if (r.rc != RC_OK)
        *out = (tokens_client_t){0};
    return r.rc;
}

rc_t tokens_record_read(arena_t *a, str_t text, tokens_record_t *out)
{
    reader_t r = begin_read(a, text, STR("tokens"));
    *out = (tokens_record_t){
        .url = take_needed(&r, STR("url")),
        .resource = take(&r, STR("resource")),
        .issuer = take(&r, STR("issuer")),
        .client_id = take(&r, STR("client_id")),
        .token = {.access_token = secret_of(take_needed(&r, STR("access_token"))),
                  .refresh_token = take_secret(&r, STR("refresh_token")),
                  .dpop = take_bool(&r, STR("dpop")),
                  .expires_at = take_number(&r, STR("expires_at")),
                  .scope = take(&r, STR("scope"))},
        .asked = take(&r, STR("asked")),
        .dpop_key = take(&r, STR("dpop_key")),
        .at = take_number(&r, STR("at")),
        .generation = (uint64_t)take_number(&r, STR("generation")),
    };
    if (r.rc != RC_OK)
        *out = (tokens_record_t){0};
    return r.rc;
}

rc_t tokens_server_read(arena_t *a, str_t text, tokens_server_t *out)
{
    reader_t r = begin_read(a, text, STR("server"));
    *out = (tokens_server_t){
        .url = take_needed(&r, STR("url")),
        .resource = take(&r, STR("resource")),
        .issuer = take(&r, STR("issuer")),
        .client_id = take(&r, STR("client_id")),
        .resource_metadata = take(&r, STR("resource_metadata")),
        .server_metadata = take(&r, STR("server_metadata")),
        .guessed = take_bool(&r, STR("guessed")),
        .at = take_number(&r, STR("at")),
    };
    if (r.rc != RC_OK)
        *out = (tokens_server_t){0};
    return r.rc;
}
