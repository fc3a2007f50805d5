#include "client/token_request.h"

#include "client/authorization_fields.h"
#include "client/signing.h"
#include "core/limits.h"

#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#define TOKEN_TYPE     "urn:ietf:params:oauth:token-type:"
#define GRANT_TYPE     "urn:ietf:params:oauth:grant-type:"

enum { ASSERTION_LIFE_S = 60, HEADER_BYTES = 512, BASIC_BYTES = 16384 };

/* Standard alphabet and padding (RFC 4648 section 4), straight into bytes that are wiped. */
static void put_base64(buf_t *b, str_t s)
{
    size_t from = b->n;
    buf_b64url(b, (const uint8_t *)s.p, s.n);
    for (size_t i = from; i < b->n; i++)
        b->p[i] = b->p[i] == '-' ? '+' : b->p[i] == '_' ? '/' : b->p[i];
    while ((b->n - from) % 4 != 0 && b->failed == RC_OK)
        buf_char(b, '=');
}

/* Both halves form-encoded before they are joined (RFC 6749 section 2.3.1). */
static rc_t basic(arena_t *a, const client_credentials_t *who, str_t *out)
{
    size_t room = 3 * (who->client_id.n + who->secret.hidden.n) + 1;
    size_t whole = sizeof "Basic " + (room + 2) / 3 * 4;
    if (room > BASIC_BYTES)
        return RC_LIMIT;
    char *plain = secret_alloc(a, room), *value = secret_alloc(a, whole);
    if (!plain || !value)
        return RC_MEMORY;
    buf_t pair = buf_fixed(plain, room), b = buf_fixed(value, whole);
    buf_form(&pair, who->client_id);
    buf_char(&pair, ':');
    buf_form(&pair, who->secret.hidden);
    buf_put(&b, STR("Basic "));
    put_base64(&b, buf_str(&pair));
    return buf_done(&b, out);
}

static void write_claims(json_writer_t *w, const client_token_want_t *want, str_t jti)
{
    const client_server_metadata_t *server = want->server;
    json_begin_object(w);
    json_member_str(w, STR("iss"), want->who->client_id);
    json_member_str(w, STR("sub"), want->who->client_id);
    /* The issuer that was validated: an endpoint could be that of another server, which then could
     * be shown the assertion. A server without metadata has nothing else. */
    json_member_str(w, STR("aud"),
                    str_is_set(server->issuer) ? server->issuer : server->token_endpoint);
    json_member_int(w, STR("iat"), want->now);
    json_member_int(w, STR("exp"), want->now + ASSERTION_LIFE_S);
    json_member_str(w, STR("jti"), jti);
    json_end_object(w);
}

static rc_t write_header(arena_t *a, const jwk_t *key, str_t *out)
{
    buf_t b = buf_new(a, HEADER_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("alg"), alg_name(key->alg));
    json_member_str(&w, STR("typ"), STR("JWT"));
    json_member_str(&w, STR("kid"), key->kid);
    json_end_object(&w);
    return buf_done(&b, out);
}

rc_t client_assertion_sign(arena_t *a, const client_token_want_t *w, str_t *out)
{
    str_t jti, header, payload;
    *out = STR_UNSET;
    if (!w->who->key)
        return RC_MALFORMED;
    TRY(client_new_jti(a, w->random, &jti));
    TRY(write_header(a, w->who->key, &header));
    buf_t b = buf_new(a, LIMIT_JWS_BYTES);
    json_writer_t writer = json_writer(&b);
    write_claims(&writer, w, jti);
    TRY(buf_done(&b, &payload));
    return client_sign(a, w->who->key, header, payload, LIMIT_JWS_BYTES, out);
}

/* Pushed requests have it as one of their own parameters. */
static void add_client_id(const client_token_want_t *w, client_fields_t *f)
{
    for (size_t i = 0; i < f->n && i < CLIENT_FIELDS_MAX; i++)
        if (str_eq(f->v[i].name, STR("client_id")))
            return;
    client_fields_add(f, STR("client_id"), w->who->client_id);
}

static rc_t add_assertion(arena_t *a, const client_token_want_t *w, client_fields_t *f)
{
    str_t assertion;
    TRY(client_assertion_sign(a, w, &assertion));
    add_client_id(w, f);
    client_fields_add(f, STR("client_assertion_type"), STR(ASSERTION_TYPE));
    client_fields_add(f, STR("client_assertion"), assertion);
    return RC_OK;
}

/* One method and no second one (RFC 6749 section 2.3). */
static rc_t add_client(arena_t *a, const client_token_want_t *w, client_fields_t *f,
                       str_t *authorization)
{
    switch (w->method) {
    case CLIENT_METHOD_NONE:
        add_client_id(w, f);
        return RC_OK;
    case CLIENT_METHOD_BASIC:
        return basic(a, w->who, authorization);
    case CLIENT_METHOD_POST:
        add_client_id(w, f);
        client_fields_add(f, STR("client_secret"), w->who->secret.hidden);
        return RC_OK;
    case CLIENT_METHOD_JWT:
        return add_assertion(a, w, f);
    }
    return RC_MALFORMED;
}

static rc_t finish(arena_t *a, const client_token_want_t *w, client_fields_t *f, str_t url,
                   client_token_request_t *out)
{
    *out = (client_token_request_t){.url = url};
    if (str_is_empty(url))
        return RC_MALFORMED;
    TRY(add_client(a, w, f, &out->authorization));
    return client_fields_form(a, f, &out->form);
}

/* A POST to the token endpoint of the server. */
static rc_t ask(arena_t *a, const client_token_want_t *w, client_fields_t *f,
                client_token_request_t *out)
{
    client_fields_add(f, STR("scope"), w->scope);
    client_fields_add(f, STR("resource"), w->resource);
    return finish(a, w, f, w->server->token_endpoint, out);
}

rc_t client_token_code(arena_t *a, const client_token_want_t *w, const client_pending_t *pending,
                       str_t code, client_token_request_t *out)
{
    client_fields_t f = {0};
    client_fields_add(&f, STR("grant_type"), STR("authorization_code"));
    client_fields_add(&f, STR("code"), code);
    client_fields_add(&f, STR("redirect_uri"), pending->redirect_uri);
    client_fields_add(&f, STR("code_verifier"), pending->verifier.hidden);
    client_fields_add(&f, STR("resource"), pending->resource);
    return finish(a, w, &f, pending->token_endpoint, out);
}

rc_t client_token_refresh(arena_t *a, const client_token_want_t *w, str_t refresh_token,
                          client_token_request_t *out)
{
    client_fields_t f = {0};
    client_fields_add(&f, STR("grant_type"), STR("refresh_token"));
    client_fields_add(&f, STR("refresh_token"), refresh_token);
    return ask(a, w, &f, out);
}

rc_t client_token_credentials(arena_t *a, const client_token_want_t *w, client_token_request_t *out)
{
    client_fields_t f = {0};
    client_fields_add(&f, STR("grant_type"), STR("client_credentials"));
    return ask(a, w, &f, out);
}

rc_t client_token_jwt_bearer(arena_t *a, const client_token_want_t *w, str_t assertion,
                             client_token_request_t *out)
{
    client_fields_t f = {0};
    client_fields_add(&f, STR("grant_type"), STR(GRANT_TYPE "jwt-bearer"));
    client_fields_add(&f, STR("assertion"), assertion);
    return ask(a, w, &f, out);
}

rc_t client_token_device(arena_t *a, const client_token_want_t *w, str_t device_code,
                         client_token_request_t *out)
{
    client_fields_t f = {0};
    client_fields_add(&f, STR("grant_type"), STR(GRANT_TYPE "device_code"));
    client_fields_add(&f, STR("device_code"), device_code);
    client_fields_add(&f, STR("resource"), w->resource);
    return finish(a, w, &f, w->server->token_endpoint, out);
}

rc_t client_token_exchange(arena_t *a, const client_token_want_t *w, str_t id_token, str_t audience,
                           client_token_request_t *out)
{
    client_fields_t f = {0};
    client_fields_add(&f, STR("grant_type"), STR(GRANT_TYPE "token-exchange"));
    client_fields_add(&f, STR("requested_token_type"), STR(TOKEN_TYPE "id-jag"));
    client_fields_add(&f, STR("audience"), audience);
    client_fields_add(&f, STR("subject_token"), id_token);
    client_fields_add(&f, STR("subject_token_type"), STR(TOKEN_TYPE "id_token"));
    return ask(a, w, &f, out);
}

rc_t client_token_device_begin(arena_t *a, const client_token_want_t *w,
                               client_token_request_t *out)
{
    client_fields_t f = {0};
    client_fields_add(&f, STR("scope"), w->scope);
    client_fields_add(&f, STR("resource"), w->resource);
    return finish(a, w, &f, w->server->device_authorization_endpoint, out);
}

rc_t client_token_revoke(arena_t *a, const client_token_want_t *w, str_t token, str_t hint,
                         client_token_request_t *out)
{
    client_fields_t f = {0};
    client_fields_add(&f, STR("token"), token);
    client_fields_add(&f, STR("token_type_hint"), hint);
    return finish(a, w, &f, w->server->revocation_endpoint, out);
}

rc_t client_token_pushed(arena_t *a, const client_token_want_t *w,
                         const client_authorization_want_t *want, const client_pending_t *pending,
                         client_token_request_t *out)
{
    client_fields_t f = {0};
    TRY(client_authorization_fields(a, want, pending, &f));
    return finish(a, w, &f, w->server->pushed_authorization_request_endpoint, out);
}
