/* The kinds of documents: what is taken for one. */
#include "as/fetched.h"
#include "core/limits.h"
#include "identity/upstream.h"
#include "jose/jwk.h"
#include "oauth/client_document.h"
#include "oauth/issuer.h"

static bool is_key_set(arena_t *a, const oauth_settings_t *settings, str_t url,
                       const http_fetch_result_t *r)
{
    jwks_t keys;
    (void)settings, (void)url;
    return r->status == 200 && jwks_parse(a, r->body, &keys) == RC_OK && keys.n > 0;
}

static bool is_client(arena_t *a, const oauth_settings_t *settings, str_t url,
                      const http_fetch_result_t *r)
{
    oauth_client_document_t read;
    const oauth_client_document_answer_t answer = {r->status, r->content_type, r->body};
    return oauth_client_document_read(a, settings, url, &answer, &read) == RC_OK &&
           read.reason == OAUTH_FINE;
}

static bool is_provider(arena_t *a, const oauth_settings_t *settings, str_t url,
                        const http_fetch_result_t *r)
{
    identity_upstream_provider_t read;
    (void)settings;
    return r->status == 200 && identity_upstream_provider(a, url, r->body, &read) == RC_OK;
}

/* It must name the issuer whose metadata stand there (OpenID Connect Discovery section 4.3). */
static bool is_issuer(arena_t *a, const oauth_settings_t *settings, str_t url,
                      const http_fetch_result_t *r)
{
    str_t issuer, jwks_uri, expected;
    (void)settings;
    if (r->status != 200 || oauth_issuer_metadata_read(a, r->body, &issuer, &jwks_uri) != RC_OK)
        return false;
    return str_is_set(jwks_uri) && str_is_set(issuer) &&
           oauth_issuer_metadata_url(a, issuer, &expected) == RC_OK && str_eq(expected, url);
}

const as_fetched_kind_t AS_FETCHED_KEYS = {'k', LIMIT_JWKS_BYTES, is_key_set};
const as_fetched_kind_t AS_FETCHED_CLIENT = {'c', LIMIT_CLIENT_DOCUMENT_BYTES, is_client};
const as_fetched_kind_t AS_FETCHED_PROVIDER = {'o', LIMIT_HTTP_FETCH_BYTES, is_provider};
const as_fetched_kind_t AS_FETCHED_ISSUER = {'i', LIMIT_METADATA_BYTES, is_issuer};
