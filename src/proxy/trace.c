#include "proxy/trace.h"

#include "core/hex.h"

/* "00-" trace-id "-" parent-id "-" flags, all in lower-case hexadecimal. */
enum { AT_ID = 3, AT_PARENT = 36, PARENT_TEXT = 16, AT_FLAGS = 53, ID_BYTES = 16 };

static bool is_hex(str_t s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return true;
}

static bool is_zero(str_t s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '0')
            return false;
    }
    return true;
}

static str_t part(str_t s, size_t at, size_t n)
{
    return str_first(str_skip(s, at), n);
}

/* A later version may say more behind the flags (section 3.2.4, "Versioning of traceparent"). */
static bool has_right_length(str_t s, str_t version)
{
    if (str_eq(version, STR("00")))
        return s.n == TRACE_PARENT_TEXT;
    return s.n == TRACE_PARENT_TEXT || (s.n > TRACE_PARENT_TEXT && s.p[TRACE_PARENT_TEXT] == '-');
}

static bool is_valid(str_t s)
{
    if (s.n < TRACE_PARENT_TEXT)
        return false;
    str_t version = part(s, 0, 2), id = part(s, AT_ID, TRACE_ID_TEXT);
    str_t parent = part(s, AT_PARENT, PARENT_TEXT);
    if (s.p[AT_ID - 1] != '-' || s.p[AT_PARENT - 1] != '-' || s.p[AT_FLAGS - 1] != '-')
        return false;
    return is_hex(version) && !str_eq(version, STR("ff")) && has_right_length(s, version) &&
           is_hex(id) && !is_zero(id) && is_hex(parent) && !is_zero(parent) &&
           is_hex(part(s, AT_FLAGS, 2));
}

static void put_hex(char *out, const uint8_t *p, size_t n)
{
    static const char DIGITS[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = DIGITS[p[i] >> 4];
        out[2 * i + 1] = DIGITS[p[i] & 15];
    }
}

trace_t trace_make(http_headers_t headers, const uint8_t random[TRACE_RANDOM_BYTES])
{
    trace_t t;
    str_t came = http_headers_get(headers, STR("traceparent"));
    t.continued = http_headers_count(headers, STR("traceparent")) == 1 && is_valid(came);
    memcpy(t.parent, "00-00000000000000000000000000000000-0000000000000000-00", TRACE_PARENT_TEXT);
    put_hex(t.parent + AT_PARENT, random + ID_BYTES, PARENT_TEXT / 2);
    if (!t.continued) {
        put_hex(t.parent + AT_ID, random, ID_BYTES);
        return t;
    }
    memcpy(t.parent + AT_ID, came.p + AT_ID, TRACE_ID_TEXT);
    /* Of the flags only "sampled" is known (section 3.2.2.5.1); the rest must not be passed on. */
    t.parent[AT_FLAGS + 1] = (char)('0' + (hex_value(came.p[AT_FLAGS + 1]) & 1));
    return t;
}
