#include "jose/pem.h"

#include "core/b64.h"
#include "core/buf.h"
#include "core/secret.h"

enum { LINE_CHARACTERS = 64 }; /* RFC 7468 section 2 */

typedef struct {
    str_t begin, end;
} label_t;

static const label_t PRIVATE = {STR_INIT("-----BEGIN PRIVATE KEY-----"),
                                STR_INIT("-----END PRIVATE KEY-----")};
static const label_t PUBLIC = {STR_INIT("-----BEGIN PUBLIC KEY-----"),
                               STR_INIT("-----END PUBLIC KEY-----")};

/* What stands in the arena and may be a private key. */
static void wipe(str_t s)
{
    secret_wipe((void *)(uintptr_t)s.p, s.n);
}

/* All texts may hold a private key: what is taken from the arena is wiped with it. */
static rc_t write_text(arena_t *a, const label_t *label, str_t der, str_t *out)
{
    str_t text = b64_encode(a, der.p, der.n);
    char *room = secret_alloc(a, PEM_KEY_BYTES);
    if (!str_is_set(text) || !room)
        return RC_MEMORY;
    buf_t b = buf_fixed(room, PEM_KEY_BYTES);
    buf_put(&b, label->begin);
    buf_char(&b, '\n');
    for (str_t rest = text; rest.n > 0; rest = str_skip(rest, LINE_CHARACTERS)) {
        buf_put(&b, str_first(rest, LINE_CHARACTERS));
        buf_char(&b, '\n');
    }
    buf_put(&b, label->end);
    buf_char(&b, '\n');
    wipe(text);
    return buf_done(&b, out);
}

/* The characters between the two lines, without their ends of line. */
static rc_t read_text(arena_t *a, const label_t *label, str_t text, str_t *der)
{
    str_t rest = text, line;
    char *room = secret_alloc(a, PEM_KEY_BYTES);
    if (!room)
        return RC_MEMORY;
    buf_t b = buf_fixed(room, PEM_KEY_BYTES);
    if (!str_split(&rest, '\n', &line) || !str_eq(str_trim(line, "\r"), label->begin))
        return RC_MALFORMED;
    bool ended = false;
    while (!ended && str_split(&rest, '\n', &line)) {
        line = str_trim(line, "\r");
        ended = str_eq(line, label->end);
        if (!ended)
            buf_put(&b, line);
    }
    if (!ended || (str_is_set(rest) && str_trim(rest, "\r\n").n > 0) || b.failed != RC_OK)
        return RC_MALFORMED;
    return b64_decode(a, buf_str(&b), der);
}

rc_t pem_private_write(arena_t *a, const jose_key_t *key, str_t *out)
{
    str_t der;
    TRY(jose_key_pkcs8(a, key, &der));
    return write_text(a, &PRIVATE, der, out);
}

rc_t pem_public_write(arena_t *a, const jose_key_t *key, str_t *out)
{
    str_t der;
    TRY(jose_key_spki(a, key, &der));
    return write_text(a, &PUBLIC, der, out);
}

rc_t pem_private_read(arena_t *a, str_t text, jose_key_t **out)
{
    str_t der;
    *out = NULL;
    TRY(read_text(a, &PRIVATE, text, &der));
    rc_t rc = jose_key_from_pkcs8(der, out);
    wipe(der);
    return rc;
}

rc_t pem_public_read(arena_t *a, str_t text, jose_key_t **out)
{
    str_t der;
    *out = NULL;
    TRY(read_text(a, &PUBLIC, text, &der));
    return jose_key_from_spki(der, out);
}
