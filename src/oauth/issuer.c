#include "oauth/issuer.h"

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
