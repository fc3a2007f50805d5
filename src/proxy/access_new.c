/* How what the settings say of an upstream becomes an object of the resource-server library. */
#include "core/limits.h"
#include "core/url.h"
#include "proxy/access_object.h"

#include <stdlib.h>

enum {
    ARENA_BYTES = 1 << 20,
    CACHE_TOKENS = 16384, /* about a kilobyte each */
    OWN_LIST_POLL_S = 1,  /* of our own revocations, which cost no connection */
};

void access_unref(access_t *a)
{
    if (atomic_fetch_sub(&a->refs, 1) > 1)
        return;
    pthread_mutex_destroy(&a->lock);
    warder_rs_free(a->rs);
    arena_free(a->arena);
    free(a);
}

/* ---- the ports of the library ---- */

static int64_t now_ms(void *ctx)
{
    const access_t *a = ctx;
    return a->config.clock.now_ms(a->config.clock.ctx);
}

static int64_t mono_ms(void *ctx)
{
    const access_t *a = ctx;
    return a->config.clock.mono_ms(a->config.clock.ctx);
}

static int64_t fetch_other(access_t *a, http_fetch_request_t *req, char *body, size_t cap)
{
    http_fetch_result_t got;
    int64_t n = -1;
    arena_t *work = arena_new(2 * cap + LIMIT_REQUEST_ARENA_BYTES);
    if (!work)
        return -1;
    req->max_bytes = cap;
    req->private_hosts = (str_list_t){a->hosts, a->n_hosts};
    if (a->config.fetch.get(a->config.fetch.ctx, work, req, &got) == RC_OK &&
        got.verdict == HTTP_FETCH_OK && got.status == 200 && got.body.n <= cap) {
        memcpy(body, got.body.p, got.body.n);
        n = (int64_t)got.body.n;
    }
    if (n < 0)
        LOG(a->config.log, LOG_WARN, "an authorization server's document cannot be had",
            LOG_S("url", req->url), LOG_S("resource", a->config.resource));
    arena_free(work);
    return n;
}

/* Of this server itself: the origin, and then the path, lest a longer host pass for it. */
static bool is_own(const access_t *a, str_t url)
{
    str_t rest = str_skip(url, a->config.issuer.n);
    return a->config.local.get && str_starts(url, a->config.issuer) && str_starts(rest, STR("/"));
}

static int64_t fetch(void *ctx, const char *url, char *body, size_t cap)
{
    access_t *a = ctx;
    http_fetch_request_t req = {.url = str_c(url)};
    if (is_own(a, req.url))
        return a->config.local.get(a->config.local.ctx, req.url, body, cap);
    return fetch_other(a, &req, body, cap);
}

static int64_t post(void *ctx, const char *url, const char *authorization, const char *form,
                    char *body, size_t cap)
{
    http_fetch_request_t req = {
        .url = str_c(url), .form = str_c(form), .authorization = str_c(authorization)};
    return fetch_other(ctx, &req, body, cap);
}

/* ---- making ---- */

static const char *text_or_null(arena_t *a, str_t s, bool *failed)
{
    const char *text = s.n > 0 ? arena_cstr(a, s) : NULL;
    *failed |= s.n > 0 && !text;
    return text;
}

/* What an operator wrote down may be asked, wherever it is. */
static rc_t allow_host(access_t *a, str_t url)
{
    url_t u;
    if (url.n == 0 || a->n_hosts == ACCESS_HOSTS_MAX)
        return RC_OK;
    TRY(url_parse(url, &u));
    a->hosts[a->n_hosts] =
        arena_printf(a->arena, "%" PRIstr ":%u", STR_ARG(u.host), (unsigned)u.port_number);
    return str_is_set(a->hosts[a->n_hosts++]) ? RC_OK : RC_MEMORY;
}

static rc_t fill_audiences(access_t *a, const conf_provider_t *from, warder_rs_server_t *to)
{
    const char **v = ARENA_ARRAY(a->arena, from->audiences.n + 1, const char *);
    bool failed = !v;
    for (size_t i = 0; v && i < from->audiences.n; i++)
        v[i] = text_or_null(a->arena, from->audiences.v[i], &failed);
    to->audiences = v;
    to->audience_count = from->audiences.n;
    return failed ? RC_MEMORY : RC_OK;
}

static rc_t fill_profile(access_t *a, const conf_provider_t *from, warder_rs_server_t *to,
                         str_t *why)
{
    const provider_t *p = provider_find(from->profile);
    if (from->profile.n == 0)
        return RC_OK;
    if (!p || !p->usable) {
        *why = p ? STR("tokens of that provider cannot be checked by anybody else; "
                       "docs/PROVIDERS.md says what can be done instead")
                 : STR("there is no profile of that name; docs/PROVIDERS.md lists them");
        return RC_CONFIG;
    }
    a->profiles[a->n_servers] = p;
    to->dialect = &p->dialect;
    return RC_OK;
}

static rc_t fill_server(access_t *a, const conf_provider_t *from, warder_rs_server_t *to,
                        str_t *why)
{
    bool failed = false;
    *to = (warder_rs_server_t){
        .issuer = text_or_null(a->arena, from->issuer, &failed),
        .jwks_uri = text_or_null(a->arena, from->jwks_uri, &failed),
        .introspection_uri = text_or_null(a->arena, from->introspection_uri, &failed),
        .client_id = text_or_null(a->arena, from->client_id, &failed),
        .client_secret = text_or_null(a->arena, from->client_secret.hidden, &failed),
    };
    if (failed)
        return RC_MEMORY;
    TRY(fill_profile(a, from, to, why));
    TRY(fill_audiences(a, from, to));
    TRY(allow_host(a, from->issuer));
    TRY(allow_host(a, from->jwks_uri));
    TRY(allow_host(a, from->introspection_uri));
    a->issuers[a->n_servers++] = str_c(to->issuer);
    return RC_OK;
}

static rc_t fill_servers(access_t *a, warder_rs_server_t *servers, str_t *why)
{
    const conf_upstream_t *u = a->config.upstream;
    const conf_provider_t own = {.issuer = a->config.issuer};
    if (u->n_providers == 0)
        return fill_server(a, &own, &servers[0], why);
    for (size_t i = 0; i < u->n_providers && i < RS_SERVERS_MAX; i++)
        TRY(fill_server(a, &u->providers[i], &servers[i], why));
    return RC_OK;
}

/* The shortest of all: one library object keeps the keys of all of them. */
static int least_of(const conf_upstream_t *u, size_t offset)
{
    int64_t least = 0;
    for (size_t i = 0; i < u->n_providers; i++) {
        int64_t own = *(const int64_t *)(const void *)((const char *)&u->providers[i] + offset);
        if (own > 0 && (least == 0 || own < least))
            least = own;
    }
    return (int)least;
}

static warder_rs_dpop_t dpop_of(const access_config_t *config)
{
    if (config->upstream->dpop_required)
        return WARDER_RS_DPOP_REQUIRED;
    return config->dpop_off ? WARDER_RS_DPOP_OFF : WARDER_RS_DPOP_OPTIONAL;
}

static rc_t open_library(access_t *a, str_t *why, char *reason, size_t size)
{
    bool failed = false;
    warder_rs_server_t servers[RS_SERVERS_MAX];
    const conf_upstream_t *u = a->config.upstream;
    TRY(fill_servers(a, servers, why));
    const warder_rs_config_t config = {
        .resource = text_or_null(a->arena, a->config.resource, &failed),
        .name = text_or_null(a->arena, u->name, &failed),
        .servers = servers,
        .server_count = a->n_servers,
        .scopes = text_or_null(a->arena, a->config.initial_scopes, &failed),
        .scopes_supported = text_or_null(a->arena, a->config.scopes, &failed),
        .keys_fresh_s = least_of(u, offsetof(conf_provider_t, keys_fresh_s)),
        .keys_stale_s = least_of(u, offsetof(conf_provider_t, keys_stale_s)),
        .revocation_poll_s = OWN_LIST_POLL_S,
        .cache_tokens = CACHE_TOKENS,
        .ports = &a->ports,
        .dpop = dpop_of(&a->config),
        .dpop_nonce = a->config.dpop_nonce,
        .repeat_scopes = u->repeat_scopes,
        .dpop_nonce_secret = text_or_null(a->arena, a->config.nonce_secret, &failed),
    };
    if (failed)
        return RC_MEMORY;
    a->rs = warder_rs_new(&config, reason, size);
    return a->rs ? RC_OK : RC_CONFIG;
}

static rc_t keep_config(access_t *a, const access_config_t *config)
{
    a->config = *config;
    a->config.resource = arena_dup(a->arena, config->resource);
    a->config.issuer = arena_dup(a->arena, config->issuer);
    a->ports = (warder_rs_ports_t){now_ms, mono_ms, fetch, a, post};
    return str_is_set(a->config.resource) && str_is_set(a->config.issuer) ? RC_OK : RC_MEMORY;
}

static rc_t refuse(arena_t *a, const access_config_t *config, str_t said, const char *reason,
                   str_t *why)
{
    str_t cause = said.n > 0 ? said : str_c(reason);
    *why = arena_printf(a, "upstream %" PRIstr ": %" PRIstr, STR_ARG(config->upstream->path),
                        STR_ARG(cause));
    return RC_CONFIG;
}

rc_t access_new(arena_t *a, const access_config_t *config, access_t **out, str_t *why)
{
    char reason[256] = "";
    str_t said = STR("");
    *out = NULL;
    *why = STR("there is not enough memory");
    access_t *access = calloc(1, sizeof *access);
    if (!access)
        return RC_MEMORY;
    atomic_store(&access->refs, 1);
    pthread_mutex_init(&access->lock, NULL);
    access->arena = arena_new(ARENA_BYTES);
    rc_t rc = access->arena ? keep_config(access, config) : RC_MEMORY;
    if (rc == RC_OK)
        rc = open_library(access, &said, reason, sizeof reason);
    if (rc == RC_OK) {
        *out = access;
        return RC_OK;
    }
    access_unref(access);
    return rc == RC_MEMORY ? rc : refuse(a, config, said, reason, why);
}

void access_free(access_t *a)
{
    if (a)
        access_unref(a);
}
