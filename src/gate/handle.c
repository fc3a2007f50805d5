#include "gate/handle.h"

#include "core/b64.h"
#include "jose/digest.h"

enum { MAC_BYTES = 16, LENGTH_BYTES = 8 };

_Static_assert((int)MAC_BYTES <= (int)SHA256_BYTES, "the MAC is cut from a SHA-256");

static bool is_visible_ascii(str_t s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < 0x21 || s.p[i] > 0x7e)
            return false;
    }
    return true;
}

static bool is_value(gate_handle_kind_t kind, str_t value)
{
    bool session = kind == GATE_HANDLE_SESSION;
    size_t most = session ? GATE_HANDLE_SESSION_BYTES : GATE_HANDLE_VALUE_BYTES;
    if (value.n == 0 || value.n > most)
        return false;
    return session ? is_visible_ascii(value) : str_is_utf8(value);
}

/* Each part behind its length, an absent one apart from an empty one: no two lists of parts give
 * the same bytes. */
static void put_part(buf_t *b, str_t part)
{
    uint8_t length[LENGTH_BYTES];
    uint64_t n = part.p ? (uint64_t)part.n + 1 : 0;
    for (unsigned i = 0; i < LENGTH_BYTES; i++)
        length[i] = (uint8_t)(n >> (8 * i));
    buf_put(b, str_of(length, sizeof length));
    buf_put(b, part);
}

static rc_t compute_mac(arena_t *a, str_t key, const str_t *parts, size_t n, uint8_t *mac)
{
    str_t input;
    size_t size = 0;
    for (size_t i = 0; i < n; i++)
        size += parts[i].n + LENGTH_BYTES;
    buf_t b = buf_new(a, size);
    for (size_t i = 0; i < n; i++)
        put_part(&b, parts[i]);
    TRY(buf_done(&b, &input));
    hmac_sha256(key, input, mac);
    return RC_OK;
}

/* What a handle is bound to: everything that says whose and what it is. */
static rc_t bind(arena_t *a, str_t key, const gate_handle_scope_t *scope,
                 const gate_principal_t *who, str_t value, uint8_t mac[SHA256_BYTES])
{
    static const str_t KINDS[] = {[GATE_HANDLE_SESSION] = STR_INIT("warder session 1"),
                                  [GATE_HANDLE_EVENT] = STR_INIT("warder event 2")};
    const str_t parts[] = {KINDS[scope->kind], scope->upstream, scope->session, who->issuer,
                           who->subject,       who->client,     value};
    return compute_mac(a, key, parts, sizeof parts / sizeof *parts, mac);
}

rc_t gate_handle_make(arena_t *a, str_t key, const gate_handle_scope_t *scope,
                      const gate_principal_t *who, str_t value, str_t *out)
{
    uint8_t mac[SHA256_BYTES];
    *out = STR_UNSET;
    if (!is_value(scope->kind, value))
        return RC_LIMIT;
    TRY(bind(a, key, scope, who, value, mac));
    buf_t b = buf_new(a, GATE_HANDLE_BYTES);
    buf_b64url(&b, (const uint8_t *)value.p, value.n);
    buf_char(&b, '.');
    buf_b64url(&b, mac, MAC_BYTES);
    return buf_done(&b, out);
}

/* Machine failure stays what it is; whatever is wrong with the text is one answer. */
static rc_t as_not_found(rc_t rc)
{
    return rc == RC_MALFORMED ? RC_NOT_FOUND : rc;
}

rc_t gate_handle_open(arena_t *a, str_t key, const gate_handle_scope_t *scope,
                      const gate_principal_t *who, str_t handle, str_t *out)
{
    uint8_t mac[SHA256_BYTES], said[MAC_BYTES];
    str_t value;
    *out = STR_UNSET;
    size_t dot = str_find(handle, '.', 0);
    if (handle.n > GATE_HANDLE_BYTES || dot == handle.n)
        return RC_NOT_FOUND;
    TRY(as_not_found(b64url_decode_to(str_skip(handle, dot + 1), said, MAC_BYTES)));
    TRY(as_not_found(b64url_decode(a, str_first(handle, dot), &value)));
    if (!is_value(scope->kind, value))
        return RC_NOT_FOUND;
    TRY(bind(a, key, scope, who, value, mac));
    if (!str_eq_ct(str_of(mac, MAC_BYTES), str_of(said, MAC_BYTES)))
        return RC_NOT_FOUND;
    *out = value;
    return RC_OK;
}
