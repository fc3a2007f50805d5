#include "conf/conf_resource.h"

#include "conf/conf_node.h"
#include "conf/conf_table.h"
#include "core/num.h"
#include "core/url.h"

static const str_t FORMATS[2] = {STR_INIT("jwt"), STR_INIT("opaque")};
static const str_t BINDINGS[2] = {STR_INIT("none"), STR_INIT("dpop")};

static rc_t refuse(arena_t *a, const conf_node_t *node, const char *mend, str_t *why)
{
    return conf_node_refuse(a, node, STR("resources"), mend, why);
}

static rc_t read_text(arena_t *a, const conf_node_t *node, str_t *out, str_t *why)
{
    if (node->kind != CONF_SCALAR || !conf_is_text(node->value))
        return refuse(a, node, "uri and name take one line of text", why);
    *out = node->value;
    return RC_OK;
}

static rc_t read_scopes(arena_t *a, const conf_node_t *node, conf_resource_t *r, str_t *why)
{
    if (conf_node_is_nothing(node))
        return RC_OK;
    if (node->kind != CONF_MAP)
        return refuse(a, node, "scopes are written as 'name: text'", why);
    r->n_scopes = conf_node_count(node);
    conf_scope_t *scopes = ARENA_ARRAY(a, r->n_scopes ? r->n_scopes : 1, conf_scope_t);
    if (!scopes)
        return RC_MEMORY;
    r->scopes = scopes;
    for (const conf_node_t *c = node->child; c; c = c->next) {
        if (!conf_is_scope(c->key))
            return refuse(
                a, c, "the name of a scope is printable ASCII without space, quote and backslash",
                why);
        if (c->kind != CONF_SCALAR || !conf_is_text(c->value))
            return refuse(a, c, "the text of a scope is one sentence", why);
        *scopes++ = (conf_scope_t){c->key, c->value};
    }
    return RC_OK;
}

static rc_t read_list(arena_t *a, const conf_node_t *node, str_list_t *out, str_t *why)
{
    if (conf_node_is_nothing(node))
        return RC_OK;
    if (node->kind != CONF_LIST)
        return refuse(a, node, "default_scopes and aliases are lists, such as [\"a\", \"b\"]", why);
    size_t n = conf_node_count(node);
    str_t *v = ARENA_ARRAY(a, n ? n : 1, str_t);
    if (!v)
        return RC_MEMORY;
    *out = (str_list_t){v, n};
    for (const conf_node_t *c = node->child; c; c = c->next) {
        if (c->kind != CONF_SCALAR || c->value.n == 0)
            return refuse(a, c, "default_scopes and aliases are lists of words", why);
        *v++ = c->value;
    }
    return RC_OK;
}

/* Requests are compared in the canonical form, so aliases must have it too. */
static rc_t read_aliases(arena_t *a, const conf_node_t *node, conf_resource_t *r, str_t *why)
{
    str_list_t list = {0};
    TRY(read_list(a, node, &list, why));
    str_t *v = ARENA_ARRAY(a, list.n ? list.n : 1, str_t);
    if (!v)
        return RC_MEMORY;
    for (size_t i = 0; i < list.n; i++) {
        url_t u;
        if (url_parse(list.v[i], &u) != RC_OK || str_is_set(u.fragment))
            return refuse(a, node, "an alias is a URL without fragment", why);
        TRY(url_canonical(a, &u, &v[i]));
    }
    r->aliases = (str_list_t){v, list.n};
    return RC_OK;
}

static bool has_scope(const conf_resource_t *r, str_t name)
{
    for (size_t i = 0; i < r->n_scopes; i++)
        if (str_eq(r->scopes[i].name, name) ||
            str_find(r->scopes[i].name, '*', 0) != r->scopes[i].name.n)
            return true;
    return false;
}

static rc_t read_lifetime(arena_t *a, const conf_node_t *node, conf_resource_t *r, str_t *why)
{
    if (node->kind == CONF_SCALAR && num_i64(node->value, CONF_ACCESS_TOKEN_MIN_S,
                                             CONF_ACCESS_TOKEN_MAX_S, &r->access_token_lifetime))
        return RC_OK;
    *why = arena_printf(a, "access_token_lifetime takes %d to %d seconds", CONF_ACCESS_TOKEN_MIN_S,
                        CONF_ACCESS_TOKEN_MAX_S);
    return str_is_set(*why) ? refuse(a, node, why->p, why) : RC_MEMORY;
}

/* One of two words; *second: it was the second. */
static rc_t read_choice(arena_t *a, const conf_node_t *node, const str_t words[2], bool *second,
                        str_t *why)
{
    *second = str_eq(node->value, words[1]);
    if (node->kind == CONF_SCALAR && (*second || str_eq(node->value, words[0])))
        return RC_OK;
    return refuse(a, node, "token_format takes jwt or opaque, token_binding none or dpop", why);
}

static rc_t read_member(arena_t *a, const conf_node_t *c, conf_resource_t *r, str_t *why)
{
    if (str_eq(c->key, STR("uri")))
        return read_text(a, c, &r->uri, why);
    if (str_eq(c->key, STR("name")))
        return read_text(a, c, &r->name, why);
    if (str_eq(c->key, STR("scopes")))
        return read_scopes(a, c, r, why);
    if (str_eq(c->key, STR("default_scopes")))
        return read_list(a, c, &r->default_scopes, why);
    if (str_eq(c->key, STR("aliases")))
        return read_aliases(a, c, r, why);
    if (str_eq(c->key, STR("access_token_lifetime")))
        return read_lifetime(a, c, r, why);
    if (str_eq(c->key, STR("token_format")))
        return read_choice(a, c, FORMATS, &r->opaque, why);
    if (str_eq(c->key, STR("token_binding")))
        return read_choice(a, c, BINDINGS, &r->dpop_required, why);
    return refuse(a, c,
                  "a resource has uri, name, scopes, default_scopes, aliases, "
                  "access_token_lifetime, token_format and token_binding",
                  why);
}

/* The identifier is the audience of tokens: absolute, without fragment (RFC 8707 section 2). */
static rc_t check_resource(arena_t *a, const conf_node_t *node, conf_resource_t *r, str_t *why)
{
    url_t u;
    if (r->uri.n == 0)
        return refuse(a, node, "a resource needs its uri", why);
    if (url_parse(r->uri, &u) != RC_OK || !url_is_http(&u) || str_is_set(u.fragment) ||
        str_is_set(u.userinfo))
        return refuse(a, node, "uri must be an http(s) URL without user and fragment", why);
    for (size_t i = 0; i < r->default_scopes.n; i++)
        if (!has_scope(r, r->default_scopes.v[i]))
            return refuse(a, node, "default_scopes names a scope that is not among scopes", why);
    return url_canonical(a, &u, &r->uri);
}

static bool is_known(const conf_t *conf, const conf_resource_t *r)
{
    for (const conf_resource_t *other = conf->resources; other < r; other++)
        if (str_eq(other->uri, r->uri))
            return true;
    return false;
}

static rc_t read_resource(arena_t *a, const conf_node_t *node, conf_resource_t *r, str_t *why)
{
    if (node->kind != CONF_MAP)
        return refuse(a, node, "each resource is a map with its uri", why);
    for (const conf_node_t *c = node->child; c; c = c->next)
        TRY(read_member(a, c, r, why));
    return check_resource(a, node, r, why);
}

rc_t conf_read_resources(arena_t *a, const conf_node_t *node, conf_t *conf, str_t *why)
{
    if (!node || conf_node_is_nothing(node))
        return RC_OK;
    if (node->kind != CONF_LIST)
        return refuse(a, node, "resources is a list of maps, each with its uri", why);
    size_t n = conf_node_count(node);
    conf_resource_t *v = ARENA_ARRAY(a, n ? n : 1, conf_resource_t);
    if (!v)
        return RC_MEMORY;
    conf->resources = v;
    for (const conf_node_t *c = node->child; c; c = c->next, v++) {
        TRY(read_resource(a, c, v, why));
        if (is_known(conf, v))
            return refuse(a, c, "a resource with this uri stands above already", why);
        conf->n_resources++;
    }
    return RC_OK;
}
