#include "as/issuer.h"

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
    out->metadata = as_flow_fetch(f, url, &AS_FETCHED_ISSUER);
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

bool as_issuer_keys_again(as_issuer_t *i)
{
    return i->keys && as_flow_fetch_again(i->keys);
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
