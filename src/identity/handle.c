#include "identity/handle.h"

#include "core/b64.h"
#include "core/buf.h"
#include "core/secret.h"
#include "jose/digest.h"

_Static_assert(sizeof(hash_t) == SHA256_BYTES, "a handle's hash is its SHA-256");

enum { SECRET_BYTES = 32, TEXT_MAX = 64 };

rc_t identity_handle_new(arena_t *a, const random_port_t *random, str_t prefix, str_t *out)
{
    uint8_t bytes[SECRET_BYTES];
    *out = STR_UNSET;
    TRY(random->fill(random->ctx, bytes, sizeof bytes));
    buf_t b = buf_new(a, TEXT_MAX);
    buf_put(&b, prefix);
    buf_b64url(&b, bytes, sizeof bytes);
    secret_wipe(bytes, sizeof bytes);
    return buf_done(&b, out);
}

bool identity_handle_has_form(str_t text, str_t prefix)
{
    uint8_t bytes[SECRET_BYTES];
    if (!str_starts(text, prefix))
        return false;
    rc_t rc = b64url_decode_to(str_skip(text, prefix.n), bytes, sizeof bytes);
    secret_wipe(bytes, sizeof bytes);
    return rc == RC_OK;
}

hash_t identity_handle_hash(str_t handle)
{
    hash_t hash;
    sha256(handle, hash.b);
    return hash;
}

bool identity_handle_hash_eq(const hash_t *a, const hash_t *b)
{
    return str_eq_ct(str_of(a->b, sizeof a->b), str_of(b->b, sizeof b->b));
}
