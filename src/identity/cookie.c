#include "identity/cookie.h"

#include "core/buf.h"
#include "core/limits.h"
#include "identity/session.h"

enum { SET_COOKIE_MAX = 256 + IDENTITY_COOKIE_SEALED_MAX };

/* The prefix makes browsers refuse the cookie unless it has Secure, Path=/ and no Domain, so no
 * sibling host and nobody on plain http can set it (RFC 6265bis section 4.1.3.2). */
static const struct {
    str_t plain, secure;
} NAMES[] = {
    [IDENTITY_COOKIE_SESSION] = {STR_INIT("warder"), STR_INIT("__Host-warder")},
    [IDENTITY_COOKIE_BROWSER] = {STR_INIT("warder-browser"), STR_INIT("__Host-warder-browser")},
    [IDENTITY_COOKIE_UPSTREAM] = {STR_INIT("warder-login"), STR_INIT("__Host-warder-login")},
};

static bool is_base64url(str_t text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '_')
            return false;
    }
    return text.n > 0;
}

static bool is_value(identity_cookie_t which, str_t value)
{
    if (which != IDENTITY_COOKIE_UPSTREAM)
        return identity_session_is_handle(value);
    return value.n <= IDENTITY_COOKIE_SEALED_MAX && is_base64url(value);
}

str_t identity_cookie_name(identity_cookie_t which, bool secure)
{
    return secure ? NAMES[which].secure : NAMES[which].plain;
}

static rc_t write_cookie(arena_t *a, str_t name, str_t value, int64_t max_age, str_t *out)
{
    buf_t b = buf_new(a, SET_COOKIE_MAX);
    buf_put(&b, name);
    buf_char(&b, '=');
    buf_put(&b, value);
    buf_put(&b, STR("; Path=/; Max-Age="));
    buf_i64(&b, max_age > 0 ? max_age : 0);
    buf_put(&b, STR("; HttpOnly; SameSite=Lax"));
    if (str_starts(name, STR("__Host-")))
        buf_put(&b, STR("; Secure"));
    return buf_done(&b, out);
}

rc_t identity_cookie_set(arena_t *a, identity_cookie_t which, bool secure, str_t value,
                         int64_t max_age, str_t *out)
{
    *out = STR_UNSET;
    if (!is_value(which, value))
        return RC_MALFORMED;
    return write_cookie(a, identity_cookie_name(which, secure), value, max_age, out);
}

rc_t identity_cookie_clear(arena_t *a, identity_cookie_t which, bool secure, str_t *out)
{
    *out = STR_UNSET;
    return write_cookie(a, identity_cookie_name(which, secure), STR(""), 0, out);
}

/* Names are compared byte for byte: "__host-warder" is another cookie, without the protection. */
str_t identity_cookie_read(str_t header, identity_cookie_t which, bool secure)
{
    str_t name = identity_cookie_name(which, secure), value = STR_UNSET, piece;
    if (header.n > LIMIT_COOKIE_HEADER_BYTES)
        return STR_UNSET;
    while (str_split(&header, ';', &piece)) {
        piece = str_trim(piece, " \t");
        size_t equals = str_find(piece, '=', 0);
        if (equals == piece.n || !str_eq(str_first(piece, equals), name))
            continue;
        if (str_is_set(value))
            return STR_UNSET;
        value = str_skip(piece, equals + 1);
    }
    return is_value(which, value) ? value : STR_UNSET;
}
