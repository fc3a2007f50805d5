#include "as/dpop.h"

/* The place clients send to is the issuer's, which the settings name: what the request says of its
 * own place, in Host or in fields of proxies, decides nothing. */
static rc_t check(as_flow_t *f, str_t path, const oauth_dpop_nonces_t *nonces, oauth_dpop_t *out)
{
    str_list_t headers;
    const as_t *as = f->w->as;
    TRY(as_flow_headers_of(f, STR("DPoP"), &headers));
    const oauth_dpop_expect_t expect = {
        .method = STR("POST"),
        .url = arena_printf(f->a, "%" PRIstr "%" PRIstr, STR_ARG(as->oauth.issuer), STR_ARG(path)),
        .now_ms = as->clock.now_ms(as->clock.ctx),
        .nonces = nonces,
    };
    return str_is_set(expect.url) ? oauth_dpop_check(f->a, headers, &expect, out) : RC_MEMORY;
}

rc_t as_dpop_read(as_flow_t *f, str_t path, as_dpop_t *out)
{
    const oauth_settings_t *s = &f->w->as->oauth;
    const oauth_dpop_nonces_t nonces = {f->snapshot->derive_key, s->issuer};
    *out = (as_dpop_t){.proof.reason = OAUTH_FINE};
    if (s->dpop == OAUTH_DPOP_OFF)
        return RC_OK;
    TRY(check(f, path, s->dpop_nonce ? &nonces : NULL, &out->proof));
    return s->dpop_nonce ? oauth_dpop_nonce_make(f->a, &nonces, f->now, &out->nonce) : RC_OK;
}

void as_dpop_answer(as_flow_t *f, const as_dpop_t *d)
{
    as_flow_header(f, STR("DPoP-Nonce"), d->nonce);
}
