#include "mcp_server/cursor.h"

#include "core/b64.h"
#include "jose/digest.h"

enum { INDEX_BYTES = 4, TAG_BYTES = 12, CURSOR_BYTES = INDEX_BYTES + TAG_BYTES };

/* What the tag vouches for, with the list's digest in place of the list. */
typedef struct {
    char purpose[8];
    uint8_t kind;
    uint8_t index[INDEX_BYTES];
    uint8_t list[SHA256_BYTES];
} sealed_t;

static void make(const uint8_t key[32], const mcp_registry_t *r, mcp_kind_t kind, size_t index,
                 uint8_t out[CURSOR_BYTES])
{
    uint8_t tag[SHA256_BYTES];
    sealed_t s = {.purpose = "cursor", .kind = (uint8_t)kind};
    for (size_t i = 0; i < INDEX_BYTES; i++)
        s.index[i] = (uint8_t)(index >> (8 * i));
    mcp_registry_digest(r, kind, s.list);
    hmac_sha256(str_of(key, 32), str_of(&s, sizeof s), tag);
    memcpy(out, s.index, INDEX_BYTES);
    memcpy(out + INDEX_BYTES, tag, TAG_BYTES);
}

str_t mcp_cursor_write(arena_t *a, const uint8_t key[32], const mcp_registry_t *r, mcp_kind_t kind,
                       size_t index)
{
    uint8_t raw[CURSOR_BYTES];
    make(key, r, kind, index, raw);
    return b64url_encode(a, raw, sizeof raw);
}

bool mcp_cursor_read(const uint8_t key[32], const mcp_registry_t *r, mcp_kind_t kind, str_t text,
                     size_t *index)
{
    uint8_t raw[CURSOR_BYTES], good[CURSOR_BYTES];
    if (b64url_decode_to(text, raw, sizeof raw) != RC_OK)
        return false;
    *index = 0;
    for (size_t i = 0; i < INDEX_BYTES; i++)
        *index |= (size_t)raw[i] << (8 * i);
    make(key, r, kind, *index, good);
    return str_eq_ct(str_of(raw, sizeof raw), str_of(good, sizeof good));
}
