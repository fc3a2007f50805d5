#include "client/challenge.h"

#include "core/buf.h"
#include "core/limits.h"
#include "http/message.h"
#include "oauth/scope.h"

typedef struct {
    arena_t *a;
    str_t rest; /* of the value that is read */
    client_auth_challenge_t *out;
    size_t n;
    client_challenge_param_t params[CLIENT_CHALLENGE_PARAMS]; /* of the challenge that is read */
} reader_t;

static char peek(const reader_t *r)
{
    return r->rest.n > 0 ? r->rest.p[0] : '\0';
}

static bool at_end(const reader_t *r)
{
    return r->rest.n == 0 || peek(r) == ',';
}

/* Spaces and tabs, wherever the grammar has any: OWS, BWS, and 1*SP. */
static bool skip_space(reader_t *r)
{
    size_t n = r->rest.n;
    while (peek(r) == ' ' || peek(r) == '\t')
        r->rest = str_skip(r->rest, 1);
    return r->rest.n < n;
}

/* Empty elements of a list are passed over (RFC 9110 section 5.6.1.2). */
static void skip_commas(reader_t *r)
{
    skip_space(r);
    while (peek(r) == ',') {
        r->rest = str_skip(r->rest, 1);
        skip_space(r);
    }
}

static str_t take(reader_t *r, size_t n)
{
    str_t part = str_first(r->rest, n);
    r->rest = str_skip(r->rest, n);
    return part;
}

/* Empty where there is none. */
static str_t take_token(reader_t *r)
{
    size_t n = 0;
    while (n < r->rest.n && http_is_tchar((unsigned char)r->rest.p[n]))
        n++;
    return take(r, n);
}

static bool is_token68_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-._~+/", c) != NULL);
}

/* A token68 is one only where the element ends behind it: "a=" may begin a parameter as well. */
static bool take_token68(reader_t *r, str_t *out)
{
    str_t begin = r->rest;
    size_t n = 0;
    while (n < begin.n && is_token68_char(begin.p[n]))
        n++;
    if (n == 0)
        return false;
    while (n < begin.n && begin.p[n] == '=')
        n++;
    *out = take(r, n);
    skip_space(r);
    if (at_end(r))
        return true;
    r->rest = begin;
    return false;
}

/* qdtext, or what may follow a backslash: no control but the tab (RFC 9110 section 5.6.4). */
static bool may_be_quoted(char c)
{
    unsigned char u = (unsigned char)c;
    return u == '\t' || (u >= 0x20 && u != 0x7f);
}

/* Bytes up to the closing quote; SIZE_MAX: there is none. */
static size_t quoted_bytes(str_t s, size_t *escapes)
{
    *escapes = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            return i;
        if (!may_be_quoted(s.p[i]))
            return SIZE_MAX;
        if (s.p[i] != '\\')
            continue;
        (*escapes)++;
        i++;
        if (i == s.n || !may_be_quoted(s.p[i]))
            return SIZE_MAX;
    }
    return SIZE_MAX;
}

static rc_t unescape(arena_t *a, str_t raw, size_t escapes, str_t *out)
{
    buf_t b = buf_new(a, raw.n - escapes);
    for (size_t i = 0; i < raw.n; i++) {
        if (raw.p[i] == '\\')
            i++;
        buf_char(&b, raw.p[i]);
    }
    return buf_done(&b, out);
}

/* The opening quote is taken already. */
static rc_t take_quoted(reader_t *r, str_t *out)
{
    size_t escapes, n = quoted_bytes(r->rest, &escapes);
    if (n == SIZE_MAX)
        return RC_MALFORMED;
    *out = take(r, n);
    take(r, 1);
    return escapes > 0 ? unescape(r->a, *out, escapes, out) : RC_OK;
}

static rc_t take_value(reader_t *r, str_t *out)
{
    if (peek(r) == '"') {
        take(r, 1);
        return take_quoted(r, out);
    }
    *out = take_token(r);
    return out->n > 0 ? RC_OK : RC_MALFORMED;
}

static bool is_named(const client_challenge_param_t *params, size_t n, str_t name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(params[i].name, name))
            return true;
    return false;
}

/* RC_NOT_FOUND: the next element is no parameter, but may begin a challenge; nothing is taken. */
static rc_t take_param(reader_t *r, client_auth_challenge_t *c)
{
    str_t begin = r->rest;
    client_challenge_param_t p = {.name = take_token(r)};
    skip_space(r);
    if (p.name.n == 0 || peek(r) != '=') {
        r->rest = begin;
        return RC_NOT_FOUND;
    }
    take(r, 1);
    skip_space(r);
    TRY(take_value(r, &p.value));
    skip_space(r);
    if (!at_end(r) || c->n_params == CLIENT_CHALLENGE_PARAMS || str_is_set(c->token68))
        return RC_MALFORMED;
    c->repeated = c->repeated || is_named(r->params, c->n_params, p.name);
    r->params[c->n_params++] = p;
    return RC_OK;
}

/* All parameters, up to the end of the value or the scheme of the next challenge. */
static rc_t take_params(reader_t *r, client_auth_challenge_t *c)
{
    while (r->rest.n > 0) {
        rc_t rc = take_param(r, c);
        if (rc == RC_NOT_FOUND)
            return RC_OK;
        TRY(rc);
        skip_commas(r);
    }
    return RC_OK;
}

/* What stands behind the scheme. */
static rc_t take_content(reader_t *r, client_auth_challenge_t *c)
{
    bool space = skip_space(r);
    if (at_end(r)) {
        skip_commas(r);
        return take_params(r, c);
    }
    if (!space)
        return RC_MALFORMED;
    if (take_token68(r, &c->token68)) {
        skip_commas(r);
        return take_params(r, c);
    }
    c->token68 = STR_UNSET;
    rc_t rc = take_param(r, c);
    if (rc != RC_OK)
        return rc == RC_NOT_FOUND ? RC_MALFORMED : rc;
    skip_commas(r);
    return take_params(r, c);
}

static rc_t take_challenge(reader_t *r, client_auth_challenge_t *c)
{
    *c = (client_auth_challenge_t){.scheme = take_token(r)};
    if (c->scheme.n == 0)
        return RC_MALFORMED;
    TRY(take_content(r, c));
    if (c->n_params == 0)
        return RC_OK;
    client_challenge_param_t *params = ARENA_ARRAY(r->a, c->n_params, client_challenge_param_t);
    if (!params)
        return RC_MEMORY;
    memcpy(params, r->params, c->n_params * sizeof *params);
    c->params = params;
    return RC_OK;
}

static rc_t read_value(reader_t *r, str_t value)
{
    r->rest = value;
    skip_commas(r);
    while (r->rest.n > 0) {
        if (r->n == CLIENT_CHALLENGES_MAX)
            return RC_LIMIT;
        TRY(take_challenge(r, &r->out[r->n]));
        r->n++;
    }
    return RC_OK;
}

rc_t client_challenges_read(arena_t *a, str_list_t values, client_challenges_t *out)
{
    *out = (client_challenges_t){0};
    reader_t r = {.a = a, .out = ARENA_ARRAY(a, CLIENT_CHALLENGES_MAX, client_auth_challenge_t)};
    if (!r.out)
        return RC_MEMORY;
    size_t left = LIMIT_CHALLENGE_BYTES;
    for (size_t i = 0; i < values.n; i++) {
        /* Cut short, a value would say something else. */
        rc_t rc = values.v[i].n > left ? RC_LIMIT : read_value(&r, values.v[i]);
        if (rc == RC_MEMORY)
            return rc;
        out->malformed = out->malformed || rc != RC_OK;
        left -= values.v[i].n > left ? left : values.v[i].n;
    }
    out->v = r.out;
    out->n = r.n;
    return RC_OK;
}

str_t client_challenge_get(const client_auth_challenge_t *c, str_t name)
{
    for (size_t i = 0; i < c->n_params; i++)
        if (str_eq_nocase(c->params[i].name, name))
            return c->params[i].value;
    return STR_UNSET;
}

static bool names_metadata(const client_auth_challenge_t *c)
{
    return str_is_set(client_challenge_get(c, STR("resource_metadata")));
}

/* The challenge of a scheme to go by; NULL: there is none. */
static const client_auth_challenge_t *of_scheme(const client_challenges_t *all, str_t scheme)
{
    const client_auth_challenge_t *first = NULL;
    for (size_t i = 0; i < all->n; i++) {
        const client_auth_challenge_t *c = &all->v[i];
        if (c->repeated || !str_eq_nocase(c->scheme, scheme))
            continue;
        if (names_metadata(c))
            return c;
        if (!first)
            first = c;
    }
    return first;
}

/* A scope that breaks its grammar is none. */
static rc_t one_form(arena_t *a, str_t text, str_t *scope)
{
    rc_t rc = oauth_scope_parse(a, text, scope);
    if (rc != RC_MALFORMED && rc != RC_LIMIT)
        return rc;
    *scope = STR_UNSET;
    return RC_OK;
}

static rc_t merge(arena_t *a, const client_auth_challenge_t *c, client_challenge_t *out)
{
    const struct {
        str_t name;
        str_t *member;
    } MEMBERS[] = {
        {STR("error"), &out->error},
        {STR("error_description"), &out->error_description},
        {STR("resource_metadata"), &out->resource_metadata},
        {STR("acr_values"), &out->acr_values},
        {STR("max_age"), &out->max_age},
        {STR("algs"), &out->algs},
    };
    for (size_t i = 0; i < sizeof MEMBERS / sizeof MEMBERS[0]; i++)
        if (!str_is_set(*MEMBERS[i].member))
            *MEMBERS[i].member = client_challenge_get(c, MEMBERS[i].name);
    if (str_is_set(out->scope))
        return RC_OK;
    return one_form(a, client_challenge_get(c, STR("scope")), &out->scope);
}

rc_t client_challenge_pick(arena_t *a, const client_challenges_t *all, client_challenge_t *out)
{
    const client_auth_challenge_t *bearer = of_scheme(all, STR("Bearer"));
    const client_auth_challenge_t *dpop = of_scheme(all, STR("DPoP"));
    *out = (client_challenge_t){
        .found = bearer || dpop, .bearer = bearer != NULL, .dpop = dpop != NULL};
    const client_auth_challenge_t *order[] = {bearer, dpop};
    if (bearer && dpop && dpop < bearer) {
        order[0] = dpop;
        order[1] = bearer;
    }
    for (size_t i = 0; i < 2; i++)
        if (order[i])
            TRY(merge(a, order[i], out));
    return RC_OK;
}
