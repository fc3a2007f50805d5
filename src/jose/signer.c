#include "jose/signer.h"

#include "core/limits.h"

#include <stdlib.h>

typedef struct {
    alg_t alg;
    str_t kid; /* bytes behind the signer itself */
    jose_signing_t *signing;
} prepared_t;

struct signer_local {
    size_t n;
    prepared_t v[LIMIT_JWKS_KEYS];
    char kids[LIMIT_JWKS_KEYS][LIMIT_KID_BYTES];
};

static rc_t prepare(signer_local_t *s, const jwk_t *jwk)
{
    if (!jose_key_is_private(jwk->key) || jwk->kid.n > LIMIT_KID_BYTES || jwk->kid.n == 0)
        return RC_OK;
    if (s->n == LIMIT_JWKS_KEYS)
        return RC_LIMIT;
    char *kid = s->kids[s->n];
    memcpy(kid, jwk->kid.p, jwk->kid.n);
    prepared_t *p = &s->v[s->n];
    *p = (prepared_t){.alg = jwk->alg, .kid = str_of(kid, jwk->kid.n)};
    TRY(jose_signing_new(jwk->key, jwk->alg, &p->signing));
    s->n++;
    return RC_OK;
}

rc_t signer_local_new(const jwks_t *keys, signer_local_t **out)
{
    *out = NULL;
    signer_local_t *s = calloc(1, sizeof *s);
    if (!s)
        return RC_MEMORY;
    for (size_t i = 0; i < keys->n; i++) {
        rc_t rc = prepare(s, &keys->v[i]);
        if (rc != RC_OK) {
            signer_local_free(s);
            return rc;
        }
    }
    *out = s;
    return RC_OK;
}

void signer_local_free(signer_local_t *s)
{
    for (size_t i = 0; s && i < s->n; i++)
        jose_signing_free(s->v[i].signing);
    free(s);
}

static rc_t sign(void *ctx, const sign_request_t *req, signature_t *out)
{
    signer_local_t *s = ctx;
    for (size_t i = 0; i < s->n; i++)
        if (s->v[i].alg == req->alg && str_eq(s->v[i].kid, req->kid))
            return jose_signing_sign(s->v[i].signing, req->input, out->b, &out->n);
    return RC_NOT_FOUND;
}

signer_port_t signer_local_port(signer_local_t *s)
{
    return (signer_port_t){sign, s};
}
