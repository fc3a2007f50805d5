#include "oauth/scope.h"

#include "core/buf.h"
#include "core/limits.h"

/* What resources offer and consents add up to may be longer than one request. */
enum { SET_BYTES = 8 * LIMIT_SCOPE_BYTES };

static bool is_scope_char(char c)
{
    return c > 0x20 && c < 0x7f && c != '"' && c != '\\';
}

bool oauth_scope_is_token(str_t s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_scope_char(s.p[i]))
            return false;
    return s.n > 0;
}

bool oauth_scope_is_valid(str_t s)
{
    str_t token, rest = s;
    if (s.n == 0)
        return false;
    while (str_split(&rest, ' ', &token))
        if (!oauth_scope_is_token(token))
            return false;
    return true;
}

bool oauth_scope_next(str_t *rest, str_t *token)
{
    while (str_split(rest, ' ', token))
        if (token->n > 0)
            return true;
    return false;
}

bool oauth_scope_has(str_t scope, str_t token)
{
    str_t one;
    while (oauth_scope_next(&scope, &one))
        if (str_eq(one, token))
            return true;
    return false;
}

bool oauth_scope_is_habit(str_t scope)
{
    static const str_t HABITS[] = {STR_INIT("openid"), STR_INIT("profile"), STR_INIT("email"),
                                   STR_INIT("offline_access")};
    static const str_list_t habits = {HABITS, sizeof HABITS / sizeof HABITS[0]};
    str_t token;
    while (oauth_scope_next(&scope, &token))
        if (!str_list_has(habits, token))
            return false;
    return true;
}

static bool is_star(str_t segment)
{
    return segment.n == 1 && segment.p[0] == '*';
}

bool oauth_scope_is_wildcard(str_t token)
{
    str_t segment;
    while (str_split(&token, ':', &segment))
        if (is_star(segment))
            return true;
    return false;
}

bool oauth_scope_token_covers(str_t granted, str_t needed)
{
    if (str_eq(granted, needed))
        return true;
    /* '*' in a need could otherwise be met by a grant of less. */
    if (oauth_scope_is_wildcard(needed))
        return false;
    str_t g, n;
    while (str_split(&granted, ':', &g)) {
        if (!str_split(&needed, ':', &n))
            return false;
        if (is_star(g) && n.n > 0 && !str_is_set(granted))
            return true;
        if (is_star(g) ? n.n == 0 : !str_eq(g, n))
            return false;
    }
    return !str_is_set(needed);
}

static bool any_covers(str_t granted, str_t needed)
{
    str_t one;
    while (oauth_scope_next(&granted, &one))
        if (oauth_scope_token_covers(one, needed))
            return true;
    return false;
}

bool oauth_scope_covers(str_t granted, str_t needed)
{
    str_t one;
    while (oauth_scope_next(&needed, &one))
        if (!any_covers(granted, one))
            return false;
    return true;
}

static rc_t check_bounds(str_t text)
{
    size_t n = 0;
    str_t token;
    while (oauth_scope_next(&text, &token))
        n++;
    return n > LIMIT_SCOPE_TOKENS ? RC_LIMIT : RC_OK;
}

/* Appends what is not there yet. */
static void put_new(buf_t *b, str_t token)
{
    if (oauth_scope_has(buf_str(b), token))
        return;
    if (b->n > 0)
        buf_char(b, ' ');
    buf_put(b, token);
}

/* No token at all is unset, as where none was given. */
static rc_t done(const buf_t *b, str_t *out)
{
    TRY(buf_done(b, out));
    if (out->n == 0)
        *out = STR_UNSET;
    return RC_OK;
}

rc_t oauth_scope_parse(arena_t *a, str_t text, str_t *out)
{
    *out = STR_UNSET;
    if (text.n > LIMIT_SCOPE_BYTES)
        return RC_LIMIT;
    TRY(check_bounds(text));
    buf_t b = buf_new(a, LIMIT_SCOPE_BYTES);
    str_t token;
    while (oauth_scope_next(&text, &token)) {
        if (!oauth_scope_is_token(token))
            return RC_MALFORMED;
        put_new(&b, token);
    }
    return done(&b, out);
}

rc_t oauth_scope_of_words(arena_t *a, str_list_t words, str_t *out)
{
    buf_t b = buf_new(a, LIMIT_SCOPE_BYTES);
    for (size_t i = 0; i < words.n; i++) {
        if (i > 0)
            buf_char(&b, ' ');
        buf_put(&b, words.v[i]);
    }
    return done(&b, out);
}

rc_t oauth_scope_narrow(arena_t *a, str_t asked, str_t allowed, str_t *out)
{
    buf_t b = buf_new(a, SET_BYTES);
    str_t token;
    while (oauth_scope_next(&asked, &token))
        if (any_covers(allowed, token))
            put_new(&b, token);
    return done(&b, out);
}

rc_t oauth_scope_union(arena_t *a, str_t first, str_t second, str_t *out)
{
    buf_t b = buf_new(a, SET_BYTES);
    str_t token;
    while (oauth_scope_next(&first, &token))
        put_new(&b, token);
    while (oauth_scope_next(&second, &token))
        put_new(&b, token);
    return done(&b, out);
}
