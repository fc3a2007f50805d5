#include "identity/setup.h"

#include "core/b64.h"
#include "core/buf.h"
#include "core/limits.h"
#include "jose/digest.h"

enum {
    TIME_BYTES = 8,
    RANDOM_BYTES = 16,
    TEXT_BYTES = TIME_BYTES + RANDOM_BYTES,
    TOKEN_BYTES = TEXT_BYTES + SHA256_BYTES,
};

static const str_t PREFIX = STR_INIT("wsu_");

/* With its NUL, so that no other use of the key can say the same. */
static const str_t LABEL = {"warder setup link", sizeof "warder setup link"};

/* The MAC behind time and randomness, which have a fixed length. */
static void add_mac(str_t key, uint8_t token[TOKEN_BYTES])
{
    char input[sizeof "warder setup link" + TEXT_BYTES];
    memcpy(input, LABEL.p, LABEL.n);
    memcpy(input + LABEL.n, token, TEXT_BYTES);
    hmac_sha256(key, str_of(input, sizeof input), token + TEXT_BYTES);
}

rc_t identity_setup_open(arena_t *a, str_t key, const random_port_t *random, int64_t now,
                         str_t *token)
{
    uint8_t bytes[TOKEN_BYTES];
    for (size_t i = 0; i < TIME_BYTES; i++)
        bytes[i] = (uint8_t)((uint64_t)now >> (8 * (TIME_BYTES - 1 - i)));
    TRY(random->fill(random->ctx, bytes + TIME_BYTES, RANDOM_BYTES));
    add_mac(key, bytes);
    buf_t b = buf_new(a, 2 * TOKEN_BYTES);
    buf_put(&b, PREFIX);
    buf_b64url(&b, bytes, sizeof bytes);
    return buf_done(&b, token);
}

rc_t identity_setup_link(arena_t *a, str_t public_url, str_t token, str_t *out)
{
    buf_t b = buf_new(a, LIMIT_URL_BYTES);
    buf_put(&b, public_url);
    buf_put(&b, STR("/setup?token="));
    buf_put(&b, token);
    return buf_done(&b, out);
}

/* Of a node whose clock is ahead it may be a little younger than now. */
identity_setup_verdict_t identity_setup_judge(str_t key, str_t token, int64_t now)
{
    uint8_t given[TOKEN_BYTES], right[TOKEN_BYTES];
    uint64_t made = 0;
    if (!str_starts(token, PREFIX) ||
        b64url_decode_to(str_skip(token, PREFIX.n), given, sizeof given) != RC_OK)
        return IDENTITY_SETUP_WRONG;
    memcpy(right, given, sizeof given);
    add_mac(key, right);
    if (!str_eq_ct(str_of(given, sizeof given), str_of(right, sizeof right)))
        return IDENTITY_SETUP_WRONG;
    for (size_t i = 0; i < TIME_BYTES; i++)
        made = made << 8 | given[i];
    return now - (int64_t)made >= IDENTITY_SETUP_LIFETIME_S ? IDENTITY_SETUP_EXPIRED
                                                            : IDENTITY_SETUP_FINE;
}
