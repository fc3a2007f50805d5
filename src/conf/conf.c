#include "conf/conf.h"

#include "conf/conf_address.h"
#include "conf/conf_issuer.h"
#include "conf/conf_login.h"
#include "conf/conf_policy.h"
#include "conf/conf_redirect.h"
#include "conf/conf_resource.h"
#include "conf/conf_store.h"
#include "conf/conf_table.h"
#include "conf/conf_upstream.h"
#include "core/host_list.h"
#include "core/num.h"

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
    return conf_refuse(a, row, raw, mend, why);
}

static rc_t store_value(arena_t *a, const conf_row_t *row, const conf_raw_t *raw, conf_t *conf,
                        str_t *why)
{
    void *field = (char *)conf + row->offset;
    if (!conf_is_text(raw->text))
        return conf_refuse(a, row, raw, STR("leave out what is no text: control characters"), why);
    switch (row->type) {
    case CONF_INT:
        return store_int(a, row, raw, field, why);
    case CONF_BOOL:
        if (!is_word_of(STR("true false"), raw->text))
            return conf_refuse(a, row, raw, STR("say true or false"), why);
        *(bool *)field = str_eq(raw->text, STR("true"));
        return RC_OK;
    case CONF_ENUM:
        if (!is_word_of(row->words, raw->text))
            return conf_refuse(a, row, raw,
                               arena_printf(a, "say one of: %" PRIstr, STR_ARG(row->words)), why);
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

/* The mend of a URL that cannot be the issuer, or NULL. */
static const char *public_url_mend(str_t url, url_t *u)
{
    if (url_parse(url, u) != RC_OK || !url_is_http(u))
        return "give a URL such as https://auth.example.com";
    if (!url_is_https(u) && !url_host_is_loopback(u->host))
        return "plain http is for loopback only: give the https URL that clients use";
    if (str_is_set(u->userinfo) || str_is_set(u->query) || str_is_set(u->fragment))
        return "leave out user, query and fragment";
    if (u->path.n > 0 && !str_eq(u->path, STR("/")))
        return "leave out the path: many clients lose the path of an issuer";
    return NULL;
}

/* What stands before '@' may be a password. */
static str_t without_user(str_t url)
{
    return str_find(url, '@', 0) < url.n ? STR("***") : url;
}

rc_t conf_check_public_url(arena_t *a, str_t url, str_t *out, str_t *why)
{
    url_t u;
    const char *mend = public_url_mend(url, &u);
    if (!mend)
        return url_origin(a, &u, out);
    str_t shown = conf_shown(a, without_user(url));
    *why = arena_printf(a, "public_url is '%" PRIstr "'; %s", STR_ARG(shown), mend);
    return RC_CONFIG;
}

static rc_t finish_public_url(arena_t *a, const conf_raw_t *raw, conf_t *conf, str_t *why)
{
    url_t u;
    if (conf->public_url.n == 0)
        return RC_OK;
    size_t row = conf_row_find(STR("public_url"));
    const char *mend = public_url_mend(conf->public_url, &u);
    if (!mend)
        return url_origin(a, &u, &conf->public_url);
    conf_raw_t shown = raw[row];
    shown.text = without_user(shown.text);
    return conf_refuse(a, &CONF_ROWS[row], &shown, str_c(mend), why);
}

static rc_t refuse(arena_t *a, const conf_raw_t *raw, const char *key, str_t mend, str_t *why)
{
    size_t row = conf_row_find(str_c(key));
    return conf_refuse(a, &CONF_ROWS[row], &raw[row], mend, why);
}

static rc_t finish_listen(arena_t *a, const conf_raw_t *raw, conf_t *conf, str_t *why)
{
    if (conf_listen_split(conf->listen, &conf->listen_host, &conf->listen_port))
        return RC_OK;
    return refuse(a, raw, "listen", STR("give ADDRESS:PORT, such as 127.0.0.1:8080 or [::1]:8080"),
                  why);
}

/* Listeners share their address among threads (SO_REUSEPORT), so the kernel would not refuse a
 * second one there: connections would go to either, and metrics to strangers. */
static rc_t check_metrics(arena_t *a, const conf_raw_t *raw, const conf_t *conf, str_t *why)
{
    str_t host;
    uint16_t port;
    if (conf->metrics_listen.n == 0)
        return RC_OK;
    if (!conf_listen_split(conf->metrics_listen, &host, &port))
        return refuse(a, raw, "metrics_listen", STR("give ADDRESS:PORT, such as 127.0.0.1:9464"),
                      why);
    if (port == 0 || port != conf->listen_port || !str_eq(host, conf->listen_host))
        return RC_OK;
    return refuse(a, raw, "metrics_listen",
                  STR("listen is that address, too: give another port, such as 127.0.0.1:9464"),
                  why);
}

static rc_t check_tls(arena_t *a, const conf_raw_t *raw, const conf_t *conf, str_t *why)
{
    bool has_certificate = conf->tls_certificate.n > 0;
    if (has_certificate == (conf->tls_key_file.n > 0))
        return RC_OK;
    return refuse(a, raw, has_certificate ? "tls_certificate" : "tls_key_file",
                  STR("tls_certificate and tls_key_file come together: set the other one, too"),
                  why);
}

static rc_t check_default_resource(arena_t *a, const conf_raw_t *raw, const conf_t *conf,
                                   str_t *why)
{
    url_t u;
    str_t text = conf->default_resource;
    if (text.n == 0 || (url_parse(text, &u) == RC_OK && url_is_http(&u)))
        return RC_OK;
    return refuse(a, raw, "default_resource",
                  STR("give the URI of a resource, such as https://mcp.example.com/mcp"), why);
}

static rc_t check_ports(arena_t *a, const conf_raw_t *raw, const conf_t *conf, str_t *why)
{
    int64_t port;
    for (size_t i = 0; i < conf->sandbox_connect_ports.n; i++)
        if (!num_i64(conf->sandbox_connect_ports.v[i], 1, 65535, &port))
            return refuse(a, raw, "sandbox_connect_ports",
                          STR("give numbers of TCP ports, such as 443"), why);
    return RC_OK;
}

static rc_t check_proxies(arena_t *a, const conf_raw_t *raw, const conf_t *conf, str_t *why)
{
    size_t row = conf_row_find(STR("trusted_proxies"));
    for (size_t i = 0; i < conf->trusted_proxies.n; i++) {
        str_t bad = conf->trusted_proxies.v[i];
        if (conf_is_cidr(bad))
            continue;
        bad = conf_shown(a, bad);
        str_t mend =
            arena_printf(a, "'%" PRIstr "' is no address or CIDR such as 10.0.0.0/8", STR_ARG(bad));
        return conf_refuse(a, &CONF_ROWS[row], &raw[row], mend, why);
    }
    return RC_OK;
}

static rc_t check_hosts(arena_t *a, const conf_raw_t *raw, str_t key, str_list_t hosts, str_t *why)
{
    size_t row = conf_row_find(key);
    for (size_t i = 0; i < hosts.n; i++) {
        if (host_list_row_is_sound(hosts.v[i]))
            continue;
        str_t bad = conf_shown(a, hosts.v[i]);
        str_t mend = arena_printf(a,
                                  "'%" PRIstr "' is no host such as example.com, *.example.com or "
                                  "example.com:8443",
                                  STR_ARG(bad));
        return conf_refuse(a, &CONF_ROWS[row], &raw[row], mend, why);
    }
    return RC_OK;
}

static rc_t check_document_hosts(arena_t *a, const conf_raw_t *raw, const conf_t *conf, str_t *why)
{
    TRY(check_hosts(a, raw, STR("client_document_hosts"), conf->client_document_hosts, why));
    TRY(check_hosts(a, raw, STR("client_document_denied_hosts"), conf->client_document_denied_hosts,
                    why));
    return check_hosts(a, raw, STR("client_document_private_hosts"),
                       conf->client_document_private_hosts, why);
}

static rc_t finish(arena_t *a, const conf_raw_t *raw, conf_t *conf, str_t *why)
{
    for (size_t i = 0; i < CONF_N_ROWS; i++)
        TRY(store_value(a, &CONF_ROWS[i], &raw[i], conf, why));
    TRY(finish_listen(a, raw, conf, why));
    TRY(check_metrics(a, raw, conf, why));
    TRY(finish_public_url(a, raw, conf, why));
    TRY(check_tls(a, raw, conf, why));
    TRY(check_default_resource(a, raw, conf, why));
    TRY(check_ports(a, raw, conf, why));
    TRY(check_document_hosts(a, raw, conf, why));
    TRY(conf_check_store(a, raw, conf, why));
    TRY(conf_check_login(a, raw, conf, why));
    TRY(conf_check_redirects(a, raw, conf, why));
    return check_proxies(a, raw, conf, why);
}

rc_t conf_load(arena_t *a, const conf_sources_t *sources, const conf_t **out, str_t *why)
{
    *out = NULL;
    *why = STR("out of memory while reading the settings");
    conf_t *conf = ARENA_NEW(a, conf_t);
    conf_raw_t *raw = ARENA_ARRAY(a, CONF_N_ROWS, conf_raw_t);
    if (!conf || !raw)
        return RC_MEMORY;
    conf_nodes_t nodes;
    TRY(conf_merge(a, sources, raw, &nodes, why));
    TRY(finish(a, raw, conf, why));
    TRY(conf_read_resources(a, nodes.resources, conf, why));
    TRY(conf_read_issuers(a, nodes.trusted_issuers, conf, why));
    TRY(conf_read_policies(a, nodes.policies, conf, why));
    TRY(conf_read_upstreams(a, nodes.upstreams, conf, why));
    TRY(conf_finish_upstreams(a, raw, conf, why));
    *out = conf;
    return RC_OK;
}
