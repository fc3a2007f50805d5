#include "identity/csrf.h"

#include "core/b64.h"
#include "core/secret.h"
#include "core/url.h"
#include "jose/digest.h"

enum { KEY_BYTES_MIN = 32, TOKEN_BYTES = 2 * SHA256_BYTES };

/* With its NUL, so that no other use of the derive key can say the same. */
static const char LABEL[] = "warder csrf";

/* A key or binding that is not there must not make a token that anybody could compute. */
static bool can_bind(const identity_csrf_t *csrf)
{
    return csrf->key.n >= KEY_BYTES_MIN && csrf->binding.n > 0;
}

/* Hashes of binding and subject: their lengths are fixed, so no two inputs run together. */
static void compute_mac(const identity_csrf_t *csrf, uint8_t out[SHA256_BYTES])
{
    uint8_t input[sizeof LABEL + 1 + 2 * SHA256_BYTES];
    uint8_t *at = input;
    memcpy(at, LABEL, sizeof LABEL);
    at += sizeof LABEL;
    *at++ = (uint8_t)csrf->form;
    sha256(csrf->binding, at);
    sha256(csrf->subject, at + SHA256_BYTES);
    hmac_sha256(csrf->key, str_of(input, sizeof input), out);
    secret_wipe(input, sizeof input);
}

/* bytes: a mask, and what it covers. */
static void toggle_mask(uint8_t bytes[TOKEN_BYTES])
{
    for (size_t i = 0; i < SHA256_BYTES; i++)
        bytes[SHA256_BYTES + i] ^= bytes[i];
}

rc_t identity_csrf_token(arena_t *a, const random_port_t *random, const identity_csrf_t *csrf,
                         str_t *out)
{
    uint8_t bytes[TOKEN_BYTES];
    *out = STR_UNSET;
    if (!can_bind(csrf))
        return RC_MALFORMED;
    TRY(random->fill(random->ctx, bytes, SHA256_BYTES));
    compute_mac(csrf, bytes + SHA256_BYTES);
    toggle_mask(bytes);
    *out = b64url_encode(a, bytes, sizeof bytes);
    return str_is_set(*out) ? RC_OK : RC_MEMORY;
}

bool identity_csrf_check(const identity_csrf_t *csrf, str_t token)
{
    uint8_t bytes[TOKEN_BYTES], mac[SHA256_BYTES];
    if (!can_bind(csrf) || b64url_decode_to(token, bytes, sizeof bytes) != RC_OK)
        return false;
    toggle_mask(bytes);
    compute_mac(csrf, mac);
    bool fits = str_eq_ct(str_of(mac, sizeof mac), str_of(bytes + SHA256_BYTES, SHA256_BYTES));
    secret_wipe(mac, sizeof mac);
    secret_wipe(bytes, sizeof bytes);
    return fits;
}

static bool same_host(str_t one, str_t other)
{
    if (url_host_is_loopback(one) && url_host_is_loopback(other))
        return true;
    return str_eq_nocase(one, other);
}

/* An Origin is a scheme, a host and maybe a port, or "null" for a page that may not say where it
 * came from (RFC 6454 section 7); that one is no URL, and so never ours. */
static bool origin_is(str_t origin, str_t own)
{
    url_t o, u;
    if (url_parse(origin, &o) != RC_OK || url_parse(own, &u) != RC_OK || !url_is_http(&o))
        return false;
    if (str_is_set(o.userinfo) || o.path.n > 0 || str_is_set(o.query) || str_is_set(o.fragment))
        return false;
    return str_eq_nocase(o.scheme, u.scheme) && o.port_number == u.port_number &&
           same_host(o.host, u.host);
}

bool identity_csrf_origin_fits(str_t origin, str_t fetch_site, str_t own)
{
    /* "none": the person's own doing, such as a restored tab; no page can bring it about. */
    if (str_is_set(fetch_site) && !str_eq(fetch_site, STR("same-origin")) &&
        !str_eq(fetch_site, STR("none")))
        return false;
    return !str_is_set(origin) || origin_is(origin, own);
}
