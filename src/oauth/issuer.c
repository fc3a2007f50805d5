#include "oauth/issuer.h"

#include "core/buf.h"
#include "core/json.h"
#include "core/limits.h"

const oauth_issuer_t *oauth_issuer_find(const oauth_issuers_t *issuers, str_t name, uint32_t use)
{
    for (size_t i = 0; i < issuers->n; i++)
        if (str_eq(issuers->v[i].issuer, name))
            return issuers->v[i].uses & use ? &issuers->v[i] : NULL;
    return NULL;
}

bool oauth_issuer_any(const oauth_issuers_t *issuers, uint32_t use)
{
    for (size_t i = 0; i < issuers->n; i++)
        if (issuers->v[i].uses & use)
            return true;
    return false;
}

bool oauth_issuer_takes(const oauth_issuer_t *issuer, alg_t alg)
{
    return alg != ALG_UNKNOWN && (issuer->algs == 0 || issuer->algs & 1u << alg);
}

rc_t oauth_issuer_metadata_url(arena_t *a, str_t issuer, str_t *out)
{
    buf_t b = buf_new(a, LIMIT_URL_BYTES);
    buf_put(&b, str_ends(issuer, STR("/")) ? str_first(issuer, issuer.n - 1) : issuer);
    buf_put(&b, STR("/.well-known/openid-configuration"));
    return buf_done(&b, out);
}

rc_t oauth_issuer_metadata_read(arena_t *a, str_t body, str_t *issuer, str_t *jwks_uri)
{
    static const json_limits_t LIMITS = {LIMIT_METADATA_BYTES, 16, 4096};
    const json_t *json;
    *issuer = *jwks_uri = STR_UNSET;
    rc_t rc = json_parse(a, body, &LIMITS, &json);
    if (rc != RC_OK)
        return rc == RC_MEMORY ? rc : RC_OK;
    *issuer = json_get_str(json, STR("issuer"));
    *jwks_uri = json_get_str(json, STR("jwks_uri"));
    return RC_OK;
}
