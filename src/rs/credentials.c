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
    TRY(read_values(x, STR("DPoP"), keep->proofs, &out->proof_count));
    if (out->proof_count == 0 || !x->raw_path.p)
        return RC_OK;
    /* A resource is served with a slash more at its end, too, and clients sign what they ask for
     * (RFC 9449 section 4.2). */
    out->path = arena_cstr(x->arena, x->raw_path);
    return out->path ? RC_OK : RC_MEMORY;
}
