#include "as/declared.h"

#include "core/url.h"
#include "oauth/scope.h"

rc_t as_declared_resource(arena_t *a, const conf_resource_t *declared, int64_t now, resource_t *out)
{
    url_t url;
    scope_text_t *scopes =
        ARENA_ARRAY(a, declared->n_scopes ? declared->n_scopes : 1, scope_text_t);
    if (!scopes)
        return RC_MEMORY;
    for (size_t i = 0; i < declared->n_scopes; i++)
        scopes[i] = (scope_text_t){declared->scopes[i].name, declared->scopes[i].text};
    *out = (resource_t){
        .name = declared->name.n ? declared->name : STR_UNSET,
        .aliases = declared->aliases,
        .scopes = scopes,
        .n_scopes = declared->n_scopes,
        .created_at = now,
        .access_token_lifetime = declared->access_token_lifetime,
        .token_format = declared->opaque ? TOKEN_OPAQUE : TOKEN_JWT,
        .dpop_required = declared->dpop_required,
        .from_settings = true,
    };
    TRY(url_parse(declared->uri, &url));
    TRY(url_canonical(a, &url, &out->uri));
    return oauth_scope_of_words(a, declared->default_scopes, &out->default_scope);
}

static bool same_aliases(str_list_t one, str_list_t other)
{
    if (one.n != other.n)
        return false;
    for (size_t i = 0; i < one.n; i++)
        if (!str_eq(one.v[i], other.v[i]))
            return false;
    return true;
}

static bool same_tokens(const resource_t *one, const resource_t *other)
{
    return one->access_token_lifetime == other->access_token_lifetime &&
           one->token_format == other->token_format && one->dpop_required == other->dpop_required &&
           one->from_settings == other->from_settings;
}

bool as_declared_same(const resource_t *one, const resource_t *other)
{
    if (!same_tokens(one, other) || !str_eq(one->uri, other->uri) ||
        !str_eq(one->name, other->name) || !str_eq(one->default_scope, other->default_scope) ||
        one->n_scopes != other->n_scopes || !same_aliases(one->aliases, other->aliases))
        return false;
    for (size_t i = 0; i < one->n_scopes; i++)
        if (!str_eq(one->scopes[i].name, other->scopes[i].name) ||
            !str_eq(one->scopes[i].text, other->scopes[i].text))
            return false;
    return true;
}
