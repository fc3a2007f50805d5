#include "conf/conf.h"

#include "conf/conf_table.h"
#include "conf/conf_yaml.h"
#include "core/num.h"
#include "core/url.h"

static str_t origin_text(arena_t *a, const conf_row_t *row, conf_origin_t origin)
{
    static const char *const WHERE[] = {"the default", "the settings file", "the environment",
                                        "the command line"};
    return arena_printf(a, "%" PRIstr " (from %s)", STR_ARG(row->key), WHERE[origin]);
}

static rc_t refuse(arena_t *a, const conf_row_t *row, const conf_raw_t *raw, str_t mend, str_t *why)
{
    *why =
        arena_printf(a, "%" PRIstr " is '%" PRIstr "'; %" PRIstr,
                     STR_ARG(origin_text(a, row, raw->origin)), STR_ARG(raw->text), STR_ARG(mend));
    return RC_CONFIG;
}

static bool is_word_of(str_t words, str_t word)
{
    str_t w;
    while (str_split(&words, ' ', &w))
        if (str_eq(w, word))
            return true;
    return false;
}

static rc_t store_int(arena_t *a, const conf_row_t *row, const conf_raw_t *raw, int64_t *out,
                      str_t *why)
{
    if (num_i64(raw->text, row->min, row->max, out))
        return RC_OK;
    str_t mend = arena_printf(a, "give a whole number from %lld to %lld", (long long)row->min,
                              (long long)row->max);
    return refuse(a, row, raw, mend, why);
}

static rc_t store_value(arena_t *a, const conf_row_t *row, const conf_raw_t *raw, conf_t *conf,
                        str_t *why)
{
    void *field = (char *)conf + row->offset;
    switch (row->type) {
    case CONF_INT:
        return store_int(a, row, raw, field, why);
    case CONF_BOOL:
        if (!is_word_of(STR("true false"), raw->text))
            return refuse(a, row, raw, STR("say true or false"), why);
        *(bool *)field = str_eq(raw->text, STR("true"));
        return RC_OK;
    case CONF_ENUM:
        if (!is_word_of(row->words, raw->text))
            return refuse(a, row, raw, arena_printf(a, "say one of: %" PRIstr, STR_ARG(row->words)),
                          why);
        *(str_t *)field = raw->text;
        return RC_OK;
    case CONF_STRS:
        *(str_list_t *)field = raw->list;
        return RC_OK;
    case CONF_STR:
        *(str_t *)field = raw->text;
        return RC_OK;
    }
    return RC_CONFIG;
}

/* "ADDRESS:PORT" or "[v6]:PORT"; names are not resolved, so that it is plain where we listen. */
static rc_t split_listen(arena_t *a, conf_t *conf, str_t *why)
{
    str_t s = conf->listen;
    size_t colon = s.n;
    while (colon > 0 && s.p[colon - 1] != ':')
        colon--;
    uint64_t port;
    str_t host = colon > 0 ? str_first(s, colon - 1) : STR("");
    if (str_starts(host, STR("[")) && str_ends(host, STR("]")))
        host = str_of(host.p + 1, host.n - 2);
    if (host.n == 0 || !num_u64(str_skip(s, colon), UINT16_MAX, &port)) {
        *why = arena_printf(a, "listen is '%" PRIstr "'; give ADDRESS:PORT, such as 127.0.0.1:8080",
                            STR_ARG(s));
        return RC_CONFIG;
    }
    conf->listen_host = str_eq(host, STR("localhost")) ? STR("127.0.0.1") : host;
    conf->listen_port = (uint16_t)port;
    return RC_OK;
}

rc_t conf_check_public_url(arena_t *a, str_t url, str_t *out, str_t *why)
{
    url_t u;
    const char *mend = NULL;
    if (url_parse(url, &u) != RC_OK || !url_is_http(&u))
        mend = "give a URL such as https://auth.example.com";
    else if (!url_is_https(&u) && !url_host_is_loopback(u.host))
        mend = "plain http is for loopback only: give the https URL that clients use";
    else if (str_is_set(u.userinfo) || str_is_set(u.query) || str_is_set(u.fragment))
        mend = "leave out user, query and fragment";
    else if (u.path.n > 0 && !str_eq(u.path, STR("/")))
        mend = "leave out the path: many clients lose the path of an issuer";
    if (mend) {
        *why = arena_printf(a, "public_url is '%" PRIstr "'; %s", STR_ARG(url), mend);
        return RC_CONFIG;
    }
    return url_origin(a, &u, out);
}

static rc_t refuse_resource(arena_t *a, const conf_node_t *node, const char *mend, str_t *why)
{
    *why = arena_printf(a, "line %u of the settings file: %s", node->line + 1, mend);
    return RC_CONFIG;
}

static rc_t read_strings(arena_t *a, const conf_node_t *node, str_list_t *out, str_t *why)
{
    size_t n = 0;
    for (const conf_node_t *c = node->child; c; c = c->next)
        n++;
    str_t *v = ARENA_ARRAY(a, n ? n : 1, str_t);
    if (!v)
        return RC_MEMORY;
    n = 0;
    for (const conf_node_t *c = node->child; c; c = c->next) {
        if (c->kind != CONF_SCALAR)
            return refuse_resource(a, c, "this must be a list of words", why);
        v[n++] = c->value;
    }
    *out = (str_list_t){v, n};
    return RC_OK;
}

static rc_t read_scopes(arena_t *a, const conf_node_t *node, conf_resource_t *r, str_t *why)
{
    if (node->kind != CONF_MAP)
        return refuse_resource(a, node, "scopes are written as 'name: text'", why);
    for (const conf_node_t *c = node->child; c; c = c->next)
        r->n_scopes++;
    conf_scope_t *scopes = ARENA_ARRAY(a, r->n_scopes ? r->n_scopes : 1, conf_scope_t);
    if (!scopes)
        return RC_MEMORY;
    r->scopes = scopes;
    for (const conf_node_t *c = node->child; c; c = c->next) {
        if (c->kind != CONF_SCALAR)
            return refuse_resource(a, c, "the text of a scope is one sentence", why);
        *scopes++ = (conf_scope_t){c->key, c->value};
    }
    return RC_OK;
}

static rc_t read_resource(arena_t *a, const conf_node_t *node, conf_resource_t *r, str_t *why)
{
    for (const conf_node_t *c = node->child; c; c = c->next) {
        if (str_eq(c->key, STR("uri")))
            r->uri = c->value;
        else if (str_eq(c->key, STR("name")))
            r->name = c->value;
        else if (str_eq(c->key, STR("scopes")))
            TRY(read_scopes(a, c, r, why));
        else if (str_eq(c->key, STR("default_scopes")))
            TRY(read_strings(a, c, &r->default_scopes, why));
        else if (str_eq(c->key, STR("aliases")))
            TRY(read_strings(a, c, &r->aliases, why));
        else
            return refuse_resource(
                a, c, "a resource has uri, name, scopes, default_scopes and aliases", why);
    }
    if (r->uri.n == 0)
        return refuse_resource(a, node, "a resource needs its uri", why);
    return RC_OK;
}

static rc_t read_resources(arena_t *a, const conf_node_t *node, conf_t *conf, str_t *why)
{
    if (!node)
        return RC_OK;
    for (const conf_node_t *c = node->child; c; c = c->next)
        conf->n_resources++;
    conf_resource_t *v = ARENA_ARRAY(a, conf->n_resources ? conf->n_resources : 1, conf_resource_t);
    if (!v)
        return RC_MEMORY;
    conf->resources = v;
    for (const conf_node_t *c = node->child; c; c = c->next) {
        if (node->kind != CONF_LIST || c->kind != CONF_MAP)
            return refuse_resource(a, c, "resources is a list of maps, each with its uri", why);
        TRY(read_resource(a, c, v++, why));
    }
    return RC_OK;
}

rc_t conf_load(arena_t *a, const conf_sources_t *sources, const conf_t **out, str_t *why)
{
    *out = NULL;
    *why = STR("out of memory while reading the settings");
    conf_t *conf = ARENA_NEW(a, conf_t);
    conf_raw_t *raw = ARENA_ARRAY(a, CONF_N_ROWS, conf_raw_t);
    if (!conf || !raw)
        return RC_MEMORY;
    const conf_node_t *resources;
    TRY(conf_merge(a, sources, raw, &resources, why));
    for (size_t i = 0; i < CONF_N_ROWS; i++)
        TRY(store_value(a, &CONF_ROWS[i], &raw[i], conf, why));
    TRY(split_listen(a, conf, why));
    if (conf->public_url.n > 0)
        TRY(conf_check_public_url(a, conf->public_url, &conf->public_url, why));
    TRY(read_resources(a, resources, conf, why));
    *out = conf;
    return RC_OK;
}
