#include "oauth/handle.h"

#include "core/buf.h"
#include "core/secret.h"
#include "jose/digest.h"

_Static_assert(sizeof(hash_t) == SHA256_BYTES, "a handle's hash is its SHA-256");

enum { SECRET_BYTES = 32, NAME_BYTES = 24 };

static const struct {
    str_t prefix;
    size_t bytes;
} KINDS[OAUTH_HANDLE_COUNT] = {
    [OAUTH_HANDLE_CODE] = {STR_INIT("wrc_"), SECRET_BYTES},
    [OAUTH_HANDLE_REFRESH] = {STR_INIT("wrr_"), SECRET_BYTES},
    [OAUTH_HANDLE_SECRET] = {STR_INIT("wrs_"), SECRET_BYTES},
    [OAUTH_HANDLE_INTERACTION] = {STR_INIT("wri_"), SECRET_BYTES},
    [OAUTH_HANDLE_REGISTRATION] = {STR_INIT("wrt_"), SECRET_BYTES},
    [OAUTH_HANDLE_PUSHED] = {STR_INIT("wrp_"), SECRET_BYTES},
    [OAUTH_HANDLE_DEVICE] = {STR_INIT("wrv_"), SECRET_BYTES},
    [OAUTH_HANDLE_MANAGEMENT] = {STR_INIT("wrm_"), SECRET_BYTES},
    [OAUTH_HANDLE_CLIENT] = {STR_INIT("wrd_"), NAME_BYTES},
    [OAUTH_HANDLE_ACCESS] = {STR_INIT("wra_"), SECRET_BYTES},
    [OAUTH_HANDLE_FAMILY] = {STR_INIT(""), NAME_BYTES},
    [OAUTH_HANDLE_JTI] = {STR_INIT(""), NAME_BYTES},
};

static rc_t write_handle(arena_t *a, oauth_handle_t kind, const uint8_t *bytes, str_t *out)
{
    buf_t b = buf_new(a, 64);
    buf_put(&b, KINDS[kind].prefix);
    buf_b64url(&b, bytes, KINDS[kind].bytes);
    return buf_done(&b, out);
}

rc_t oauth_handle_new(arena_t *a, const random_port_t *random, oauth_handle_t kind, str_t *out)
{
    uint8_t bytes[SECRET_BYTES];
    TRY(random->fill(random->ctx, bytes, KINDS[kind].bytes));
    rc_t rc = write_handle(a, kind, bytes, out);
    secret_wipe(bytes, sizeof bytes);
    return rc;
}

/* The prefix in front of the seed keeps the kinds apart: no handle of one kind is one of another.
 */
rc_t oauth_handle_derive(arena_t *a, str_t key, oauth_handle_t kind, str_t seed, str_t *out)
{
    str_t input;
    uint8_t bytes[SHA256_BYTES];
    buf_t b = buf_new(a, seed.n + 16);
    buf_put(&b, KINDS[kind].prefix);
    buf_char(&b, '\0');
    buf_put(&b, seed);
    TRY(buf_done(&b, &input));
    hmac_sha256(key, input, bytes);
    rc_t rc = write_handle(a, kind, bytes, out);
    secret_wipe(bytes, sizeof bytes);
    return rc;
}

hash_t oauth_handle_hash(str_t handle)
{
    hash_t hash;
    sha256(handle, hash.b);
    return hash;
}
