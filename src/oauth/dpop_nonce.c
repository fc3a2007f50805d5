#include "oauth/dpop_nonce.h"

#include "core/b64.h"
#include "core/buf.h"
#include "core/limits.h"
#include "jose/digest.h"

enum { TIME_BYTES = 8, MAC_BYTES = 16, NONCE_BYTES = TIME_BYTES + MAC_BYTES };

/* Another node's clock may be ahead of this one's; nobody else can make one. */
enum { CLOCKS_S = 60 };

/* With its NUL, so that no other use of the key can say the same. */
static const str_t LABEL = {"warder dpop nonce", sizeof "warder dpop nonce"};

static void write_time(int64_t now, uint8_t out[TIME_BYTES])
{
    for (size_t i = 0; i < TIME_BYTES; i++)
        out[i] = (uint8_t)((uint64_t)now >> (8 * (TIME_BYTES - 1 - i)));
}

static int64_t read_time(const uint8_t in[TIME_BYTES])
{
    uint64_t t = 0;
    for (size_t i = 0; i < TIME_BYTES; i++)
        t = t << 8 | in[i];
    return (int64_t)t;
}

/* The time has a fixed length, so that role and time cannot be cut in two ways. */
static rc_t write_nonce(arena_t *a, const oauth_dpop_nonces_t *nonces, int64_t now,
                        uint8_t out[NONCE_BYTES])
{
    str_t input;
    uint8_t mac[SHA256_BYTES];
    buf_t b = buf_new(a, LABEL.n + TIME_BYTES + nonces->role.n);
    write_time(now, out);
    buf_put(&b, LABEL);
    buf_put(&b, str_of(out, TIME_BYTES));
    buf_put(&b, nonces->role);
    TRY(buf_done(&b, &input));
    hmac_sha256(nonces->key, input, mac);
    memcpy(out + TIME_BYTES, mac, MAC_BYTES);
    return RC_OK;
}

rc_t oauth_dpop_nonce_make(arena_t *a, const oauth_dpop_nonces_t *nonces, int64_t now, str_t *out)
{
    uint8_t bytes[NONCE_BYTES];
    TRY(write_nonce(a, nonces, now, bytes));
    *out = b64url_encode(a, bytes, sizeof bytes);
    return str_is_set(*out) ? RC_OK : RC_MEMORY;
}

rc_t oauth_dpop_nonce_check(arena_t *a, const oauth_dpop_nonces_t *nonces, str_t nonce, int64_t now,
                            bool *good)
{
    uint8_t given[NONCE_BYTES], right[NONCE_BYTES];
    *good = false;
    if (b64url_decode_to(nonce, given, sizeof given) != RC_OK)
        return RC_OK;
    int64_t made = read_time(given);
    if (made < 0 || made - now > CLOCKS_S || now - made > LIMIT_DPOP_NONCE_S)
        return RC_OK;
    TRY(write_nonce(a, nonces, made, right));
    *good = str_eq_ct(str_of(given, sizeof given), str_of(right, sizeof right));
    return RC_OK;
}
