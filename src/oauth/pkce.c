#include "oauth/pkce.h"

#include "core/b64.h"
#include "core/buf.h"
#include "jose/digest.h"

/* A challenge is the base64url of 32 bytes. */
enum { CHALLENGE_CHARS = 43, VERIFIER_MIN = 43, VERIFIER_MAX = 128 };

oauth_reason_t oauth_pkce_check_challenge(str_t challenge, str_t method)
{
    uint8_t digest[SHA256_BYTES];
    if (str_is_empty(challenge))
        return OAUTH_PKCE_MISSING;
    if (!str_eq(method, STR("S256")))
        return OAUTH_PKCE_METHOD;
    if (challenge.n != CHALLENGE_CHARS ||
        b64url_decode_to(challenge, digest, sizeof digest) != RC_OK)
        return OAUTH_PKCE_CHALLENGE;
    return OAUTH_FINE;
}

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static bool is_verifier(str_t s)
{
    if (s.n < VERIFIER_MIN || s.n > VERIFIER_MAX)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!is_unreserved(s.p[i]))
            return false;
    return true;
}

oauth_reason_t oauth_pkce_check_verifier(str_t verifier, str_t challenge)
{
    if (str_is_empty(verifier))
        return OAUTH_PKCE_VERIFIER_MISSING;
    if (!is_verifier(verifier))
        return OAUTH_PKCE_VERIFIER_MALFORMED;
    uint8_t digest[SHA256_BYTES];
    char text[CHALLENGE_CHARS];
    buf_t b = buf_fixed(text, sizeof text);
    sha256(verifier, digest);
    buf_b64url(&b, digest, sizeof digest);
    return str_eq_ct(buf_str(&b), challenge) ? OAUTH_FINE : OAUTH_PKCE_MISMATCH;
}
