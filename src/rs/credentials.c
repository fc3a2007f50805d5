#include "rs/credentials.h"

static rc_t read_values(const http_exchange_t *x, str_t name,
                        const char *values[RS_CREDENTIALS_MAX], size_t *n)
{
    for (size_t i = 0; i < x->headers.n && *n < RS_CREDENTIALS_MAX; i++) {
        const http_header_t *h = &x->headers.v[i];
        if (!str_eq_nocase(h->name, name))
            continue;
        values[*n] = arena_cstr(x->arena, h->value);
        if (!values[(*n)++])
            return RC_MEMORY;
    }
    return RC_OK;
}

rc_t rs_credentials_read(const http_exchange_t *x, rs_credentials_t *keep, warder_rs_request_t *out)
{
    *out = (warder_rs_request_t){
        .headers = keep->headers,
        .proofs = keep->proofs,
        .method = http_method_name(x->method).p,
    };
    TRY(read_values(x, STR("Authorization"), keep->headers, &out->header_count));
    return read_values(x, STR("DPoP"), keep->proofs, &out->proof_count);
}
