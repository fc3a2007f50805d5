#include "rs/dialect.h"

#include "core/limits.h"
#include "oauth/scope.h"

/* The text of the first claim of the list that is there; unset: none is. */
static rc_t first_text(const json_t *all, str_t names, str_t *out)
{
    str_t name;
    *out = STR_UNSET;
    while (str_split(&names, ' ', &name)) {
        const json_t *claim = json_get(all, name);
        if (!claim)
            continue;
        *out = claim->str;
        return claim->type == JSON_STRING ? RC_OK : RC_MALFORMED;
    }
    return RC_OK;
}

static rc_t join(arena_t *a, const json_t *list, str_t *out)
{
    buf_t b = buf_new(a, LIMIT_SCOPE_BYTES);
    for (const json_t *one = list->child; one; one = one->next) {
        if (one->type != JSON_STRING)
            return RC_MALFORMED;
        if (b.n > 0)
            buf_char(&b, ' ');
        buf_put(&b, one->str);
    }
    return buf_done(&b, out);
}

/* What is no scope must not become one by how it is joined. */
static rc_t read_scope(arena_t *a, const json_t *all, str_t name, str_t *out)
{
    const json_t *claim = json_get(all, name);
    *out = STR_UNSET;
    if (!claim)
        return RC_OK;
    if (claim->type != JSON_STRING && claim->type != JSON_ARRAY)
        return RC_MALFORMED;
    if (claim->type == JSON_STRING)
        *out = claim->str;
    else
        TRY(join(a, claim, out));
    return out->n == 0 || oauth_scope_is_valid(*out) ? RC_OK : RC_MALFORMED;
}

static rc_t read_audience(arena_t *a, const rs_dialect_t *d, jwt_claims_t *c)
{
    str_t *one = ARENA_NEW(a, str_t);
    if (!one)
        return RC_MEMORY;
    TRY(first_text(c->all, d->audience_claim, one));
    c->aud = (str_list_t){one, str_is_set(*one) ? 1 : 0};
    return RC_OK;
}

static rc_t apply(arena_t *a, const rs_dialect_t *d, jwt_claims_t *c)
{
    if (str_is_set(d->client_claims))
        TRY(first_text(c->all, d->client_claims, &c->client_id));
    if (str_is_set(d->scope_claim))
        TRY(read_scope(a, c->all, d->scope_claim, &c->scope));
    if (str_is_set(d->audience_claim) && !json_get(c->all, STR("aud")))
        return read_audience(a, d, c);
    return RC_OK;
}

rc_t rs_dialect_apply(arena_t *a, const rs_dialect_t *d, rs_token_t *token)
{
    rc_t rc = apply(a, d, &token->claims);
    if (rc != RC_MALFORMED && rc != RC_LIMIT)
        return rc;
    token->reason = RS_TOKEN;
    token->detail = jwt_refusal_name(JWT_MALFORMED);
    return RC_OK;
}

str_list_t rs_dialect_audiences(const rs_server_t *server, const rs_token_t *token)
{
    str_list_t all = server->audiences;
    bool elsewhere =
        str_is_set(server->dialect.audience_claim) && !json_get(token->claims.all, STR("aud"));
    size_t skip = elsewhere ? server->own_audiences : 0;
    return (str_list_t){all.v + skip, all.n - skip};
}

/* One of the media types, with or without "application/" (RFC 7515 section 4.1.9). */
static bool is_typ_of(str_t types, str_t typ)
{
    str_t prefix = STR("application/"), one;
    if (!str_is_set(typ))
        typ = STR("none");
    else if (str_eq_nocase(str_first(typ, prefix.n), prefix))
        typ = str_skip(typ, prefix.n);
    while (str_split(&types, ' ', &one))
        if (str_eq_nocase(one, typ))
            return true;
    return false;
}

/* "name": it is there; "name=value": and is that text. */
static bool has_claim(const json_t *all, str_t wanted)
{
    size_t equals = str_find(wanted, '=', 0);
    const json_t *claim = json_get(all, str_first(wanted, equals));
    if (equals == wanted.n)
        return claim != NULL;
    return json_is(claim, JSON_STRING) && str_eq(claim->str, str_skip(wanted, equals + 1));
}

static bool has_any(const json_t *all, str_t claims)
{
    str_t one;
    while (str_split(&claims, ' ', &one))
        if (has_claim(all, one))
            return true;
    return false;
}

bool rs_dialect_is_access_token(const rs_dialect_t *d, const rs_token_t *token)
{
    const json_t *all = token->claims.all;
    if (str_is_set(d->typ) && !is_typ_of(d->typ, token->jws.typ))
        return false;
    if (str_is_set(d->needs) && !has_any(all, d->needs))
        return false;
    return !str_is_set(d->refuses) || !has_any(all, d->refuses);
}
