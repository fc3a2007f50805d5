#include "oauth/subject.h"

#include "core/buf.h"
#include "core/limits.h"
#include "jose/digest.h"

enum { SUBJECT_BYTES = 24 };

/* With its length in front, so that no two lists of texts become one; unset is none of them. */
static void put_text(buf_t *b, str_t s)
{
    if (str_is_set(s))
        buf_u64(b, s.n);
    buf_char(b, ':');
    buf_put(b, s);
}

rc_t oauth_subject_id(arena_t *a, str_t issuer, str_t tenant, str_t subject, str_t *out)
{
    str_t text;
    uint8_t hash[SHA256_BYTES];
    buf_t b = buf_new(a, LIMIT_JWS_BYTES * 4), id = buf_new(a, 64);
    put_text(&b, STR("subject"));
    put_text(&b, issuer);
    put_text(&b, tenant);
    put_text(&b, subject);
    TRY(buf_done(&b, &text));
    sha256(text, hash);
    buf_put(&id, STR("x-"));
    buf_hex(&id, hash, SUBJECT_BYTES);
    return buf_done(&id, out);
}
