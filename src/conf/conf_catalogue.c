#include "conf/conf_catalogue.h"

#include "conf/conf_node.h"
#include "conf/conf_table.h"
#include "core/buf.h"
#include "core/url.h"

static const char SHIPPED[] =
#include "clients.inc"
    ;

static const str_t WHAT = STR_INIT("clients");

static rc_t refuse(arena_t *a, const conf_node_t *node, const char *mend, str_t *why)
{
    return conf_node_refuse(a, node, WHAT, mend, why);
}

static bool is_id(str_t s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
              s.p[i] == '-'))
            return false;
    return s.n > 0;
}

/* http and https lead to a host; whatever else there is, is an application's. */
static bool leads_somewhere(const url_t *u)
{
    bool web = str_eq_nocase(u->scheme, STR("http")) || str_eq_nocase(u->scheme, STR("https"));
    return web ? url_is_http(u) : u->host.n + u->path.n > 0;
}

/* An asterisk is a whole segment of the path, or it would stand for more than is meant. */
static bool stars_are_segments(const url_t *u)
{
    str_t path = u->path, segment;
    if (str_find(u->host, '*', 0) < u->host.n || str_find(u->query, '*', 0) < u->query.n)
        return false;
    while (str_split(&path, '/', &segment))
        if (str_find(segment, '*', 0) < segment.n && segment.n > 1)
            return false;
    return true;
}

static rc_t read_urls(arena_t *a, const conf_node_t *node, bool web, str_list_t *out, str_t *why)
{
    TRY(conf_node_words(a, node, WHAT, out, why));
    for (size_t i = 0; i < out->n; i++) {
        url_t u;
        bool good = url_parse(out->v[i], &u) == RC_OK && !str_is_set(u.fragment) &&
                    !str_is_set(u.userinfo) && leads_somewhere(&u) && stars_are_segments(&u);
        if (!good || (web && !url_is_https(&u)))
            return refuse(a, node,
                          web ? "documents are https URLs, with * for a whole path segment"
                              : "redirect_uris are URLs, with * for a whole path segment",
                          why);
    }
    return RC_OK;
}

static rc_t read_choices(arena_t *a, const conf_node_t *node, str_list_t known, str_list_t *out,
                         str_t *why)
{
    TRY(conf_node_words(a, node, WHAT, out, why));
    for (size_t i = 0; i < out->n; i++)
        if (!str_list_has(known, out->v[i]))
            return refuse(a, node, "identifies_by holds document, registration and configuration",
                          why);
    return RC_OK;
}

static rc_t read_flag(arena_t *a, const conf_node_t *node, bool *out, str_t *why)
{
    if (node->kind != CONF_SCALAR ||
        !(str_eq(node->value, STR("true")) || str_eq(node->value, STR("false"))))
        return refuse(a, node, "hosted and lenient_loopback are true or false", why);
    *out = str_eq(node->value, STR("true"));
    return RC_OK;
}

static rc_t read_lists(arena_t *a, const conf_node_t *c, conf_known_client_t *k, str_t *why)
{
    static const str_t WAYS[] = {STR_INIT("document"), STR_INIT("registration"),
                                 STR_INIT("configuration")};
    if (str_eq(c->key, STR("identifies_by")))
        return read_choices(a, c, (str_list_t){WAYS, 3}, &k->identifies_by, why);
    if (str_eq(c->key, STR("documents")))
        return read_urls(a, c, true, &k->documents, why);
    if (str_eq(c->key, STR("redirect_uris")))
        return read_urls(a, c, false, &k->redirect_uris, why);
    if (str_eq(c->key, STR("settings")))
        return conf_node_words(a, c, WHAT, &k->settings, why);
    return refuse(a, c,
                  "a client has id, name, identifies_by, documents, redirect_uris, auth, hosted, "
                  "lenient_loopback, settings and note",
                  why);
}

static rc_t read_member(arena_t *a, const conf_node_t *c, conf_known_client_t *k, str_t *why)
{
    const struct {
        str_t key, *into;
    } TEXTS[] = {{STR("id"), &k->id},
                 {STR("name"), &k->name},
                 {STR("auth"), &k->auth},
                 {STR("note"), &k->note}};
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++)
        if (str_eq(c->key, TEXTS[i].key))
            return conf_node_text(a, c, WHAT, TEXTS[i].into, why);
    if (str_eq(c->key, STR("hosted")))
        return read_flag(a, c, &k->hosted, why);
    if (str_eq(c->key, STR("lenient_loopback")))
        return read_flag(a, c, &k->lenient_loopback, why);
    return read_lists(a, c, k, why);
}

static const char *mend_of(const conf_known_client_t *k)
{
    if (!is_id(k->id))
        return "a client needs its id: lower-case letters, digits and dashes";
    if (!str_is_set(k->name))
        return "a client needs its name";
    if (k->redirect_uris.n == 0)
        return "a client needs redirect_uris: where do codes go to?";
    return NULL;
}

static rc_t read_client(arena_t *a, const conf_node_t *node, conf_known_client_t *k, str_t *why)
{
    if (node->kind != CONF_MAP)
        return refuse(a, node, "each client is a map with its id", why);
    for (const conf_node_t *c = node->child; c; c = c->next)
        TRY(read_member(a, c, k, why));
    const char *mend = mend_of(k);
    return mend ? refuse(a, node, mend, why) : RC_OK;
}

static size_t find(const conf_known_client_t *v, size_t n, str_t id)
{
    size_t i = 0;
    while (i < n && !str_eq(v[i].id, id))
        i++;
    return i;
}

/* The one list of the file: "clients:". */
static rc_t read_clients(arena_t *a, const conf_node_t *top, const conf_node_t **list, str_t *why)
{
    *list = NULL;
    for (const conf_node_t *c = top->child; c; c = c->next) {
        if (!str_eq(c->key, WHAT) || (c->kind != CONF_LIST && !conf_node_is_nothing(c)))
            return refuse(a, c, "the file holds one list, clients", why);
        *list = c;
    }
    return RC_OK;
}

static rc_t merge(arena_t *a, const conf_catalogue_t *base, const conf_node_t *list,
                  conf_catalogue_t *out, str_t *why)
{
    size_t more = list ? conf_node_count(list) : 0;
    conf_known_client_t *v = ARENA_ARRAY(a, base->n + more + 1, conf_known_client_t);
    if (!v)
        return RC_MEMORY;
    if (base->n > 0)
        memcpy(v, base->v, base->n * sizeof *v);
    *out = (conf_catalogue_t){v, base->n};
    size_t from = base->n; /* entries of the file itself must not stand twice */
    bool *seen = ARENA_ARRAY(a, base->n + more + 1, bool);
    if (!seen)
        return RC_MEMORY;
    for (const conf_node_t *c = list ? list->child : NULL; c; c = c->next) {
        conf_known_client_t one = {0};
        TRY(read_client(a, c, &one, why));
        size_t at = find(v, out->n, one.id);
        if (at >= from ? at < out->n : seen[at])
            return refuse(a, c, "a client with this id stands above already", why);
        seen[at] = true;
        v[at] = one;
        out->n += at == out->n;
    }
    return RC_OK;
}

/* The readers of nodes speak of the settings file. */
static str_t rename_file(arena_t *a, str_t why)
{
    static const str_t OTHER = STR_INIT("the settings file");
    for (size_t i = 0; i + OTHER.n <= why.n; i++)
        if (str_starts(str_skip(why, i), OTHER))
            return arena_printf(a, "%" PRIstr "the client catalogue%" PRIstr,
                                STR_ARG(str_first(why, i)), STR_ARG(str_skip(why, i + OTHER.n)));
    return why;
}

rc_t conf_catalogue_extend(arena_t *a, const conf_catalogue_t *base, str_t text,
                           conf_catalogue_t *out, str_t *why)
{
    conf_node_t *top;
    const conf_node_t *list;
    *why = STR("out of memory while reading the client catalogue");
    rc_t rc = conf_yaml_parse(a, text, &top, why);
    if (rc == RC_OK)
        rc = read_clients(a, top, &list, why);
    if (rc == RC_OK)
        rc = merge(a, base, list, out, why);
    if (rc == RC_CONFIG)
        *why = rename_file(a, *why);
    return rc;
}

rc_t conf_catalogue_default(arena_t *a, conf_catalogue_t *out)
{
    str_t why;
    const conf_catalogue_t none = {0};
    return conf_catalogue_extend(a, &none, str_of(SHIPPED, sizeof SHIPPED - 1), out, &why);
}

static bool path_fits(str_t pattern, str_t path)
{
    str_t want, have;
    while (str_split(&pattern, '/', &want)) {
        if (!str_split(&path, '/', &have))
            return false;
        if (!str_eq(want, have) && !(str_eq(want, STR("*")) && have.n > 0))
            return false;
    }
    return !str_is_set(path);
}

static bool url_fits(str_t pattern, str_t text)
{
    url_t p, u;
    if (url_parse(pattern, &p) != RC_OK || url_parse(text, &u) != RC_OK)
        return false;
    bool local = str_eq(p.scheme, STR("http")) && url_host_is_loopback(p.host);
    bool host = local ? str_is_set(u.host) && url_host_is_loopback(u.host)
                      : str_eq(p.host, u.host) && p.port_number == u.port_number;
    return str_eq(p.scheme, u.scheme) && host && str_eq(p.query, u.query) &&
           !str_is_set(u.fragment) && !str_is_set(u.userinfo) && path_fits(p.path, u.path);
}

static bool any_fits(str_list_t patterns, str_t text)
{
    for (size_t i = 0; i < patterns.n; i++)
        if (url_fits(patterns.v[i], text))
            return true;
    return false;
}

const conf_known_client_t *conf_catalogue_of_document(const conf_catalogue_t *c, str_t client_id)
{
    for (size_t i = 0; i < c->n; i++)
        if (str_list_has(c->v[i].documents, client_id))
            return &c->v[i];
    for (size_t i = 0; i < c->n; i++)
        if (any_fits(c->v[i].documents, client_id))
            return &c->v[i];
    return NULL;
}

const conf_known_client_t *conf_catalogue_of_redirect(const conf_catalogue_t *c, str_t uri)
{
    for (size_t i = 0; i < c->n; i++)
        if (any_fits(c->v[i].redirect_uris, uri))
            return &c->v[i];
    return NULL;
}

static void add_scheme(str_t uri, str_t *v, size_t *n)
{
    url_t u;
    if (url_parse(uri, &u) == RC_OK && !url_is_http(&u) &&
        !str_list_has((str_list_t){v, *n}, u.scheme))
        v[(*n)++] = u.scheme;
}

rc_t conf_catalogue_schemes(arena_t *a, const conf_catalogue_t *c, str_list_t *out)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++)
        n += c->v[i].redirect_uris.n;
    str_t *v = ARENA_ARRAY(a, n + 1, str_t);
    if (!v)
        return RC_MEMORY;
    n = 0;
    for (size_t i = 0; i < c->n; i++)
        for (size_t k = 0; k < c->v[i].redirect_uris.n; k++)
            add_scheme(c->v[i].redirect_uris.v[k], v, &n);
    *out = (str_list_t){v, n};
    return RC_OK;
}
