#include "as/issuer.h"

#include "core/limits.h"

/* It must name the issuer whose metadata stand there (OpenID Connect Discovery section 4.3). */
static bool is_metadata(arena_t *a, const oauth_settings_t *settings, str_t url,
                        const http_fetch_result_t *r)
{
    str_t issuer, jwks_uri, expected;
    (void)settings;
    if (r->status != 200 || oauth_issuer_metadata_read(a, r->body, &issuer, &jwks_uri) != RC_OK)
        return false;
    return str_is_set(jwks_uri) && str_is_set(issuer) &&
           oauth_issuer_metadata_url(a, issuer, &expected) == RC_OK && str_eq(expected, url);
}

static const as_fetched_kind_t METADATA = {'i', LIMIT_METADATA_BYTES, is_metadata};

rc_t as_issuer_want(as_flow_t *f, const oauth_issuer_t *issuer, as_issuer_t *out)
{
    str_t url;
    *out = (as_issuer_t){.issuer = issuer};
    if (!issuer || str_is_set(issuer->jwks))
        return RC_OK;
    if (str_is_set(issuer->jwks_uri)) {
        out->keys = as_flow_fetch(f, issuer->jwks_uri, &AS_FETCHED_KEYS);
        return RC_OK;
    }
    TRY(oauth_issuer_metadata_url(f->a, issuer->issuer, &url));
    out->metadata = as_flow_fetch(f, url, &METADATA);
    return RC_OK;
}

rc_t as_issuer_follow(as_flow_t *f, as_issuer_t *i, bool *more)
{
    str_t issuer, jwks_uri;
    *more = false;
    if (i->keys || !i->metadata || !str_is_set(i->metadata->body))
        return RC_OK;
    TRY(oauth_issuer_metadata_read(f->a, i->metadata->body, &issuer, &jwks_uri));
    if (!str_eq(issuer, i->issuer->issuer))
        return RC_OK;
    i->keys = as_flow_fetch(f, jwks_uri, &AS_FETCHED_KEYS);
    *more = true;
    return RC_OK;
}

bool as_issuer_keys_again(as_flow_t *f, as_issuer_t *i)
{
    return i->keys && as_flow_fetch_again(f, i->keys);
}

str_t as_issuer_jwks(const as_issuer_t *i)
{
    if (i->issuer && str_is_set(i->issuer->jwks))
        return i->issuer->jwks;
    return i->keys ? i->keys->body : STR_UNSET;
}

static bool is_away(const as_flow_document_t *d)
{
    return d && !str_is_set(d->body) && d->temporary;
}

bool as_issuer_is_away(const as_issuer_t *i)
{
    return is_away(i->metadata) || is_away(i->keys);
}
