#include "rs/settings.h"

#include "core/b64.h"
#include "core/json.h"
#include "core/limits.h"
#include "core/secret.h"
#include "core/url.h"
#include "oauth/dpop.h"
#include "oauth/scope.h"

static const str_t WELL_KNOWN = STR_INIT("/.well-known/oauth-protected-resource");

enum { NONCE_SECRET_BYTES = 32 };

typedef struct {
    arena_t *a;
    rs_settings_t *out;
    str_t why;
} check_t;

static rc_t refuse(check_t *c, str_t why)
{
    c->why = why;
    return RC_CONFIG;
}

static rc_t copy(arena_t *a, str_t s, str_t *out)
{
    *out = arena_dup(a, s);
    return str_is_set(*out) || !str_is_set(s) ? RC_OK : RC_MEMORY;
}

/* https, or http where nobody else can listen in. */
static bool is_safe_http(const url_t *u)
{
    if (!url_is_http(u) || str_is_set(u->userinfo) || str_is_set(u->fragment))
        return false;
    return url_is_https(u) || url_host_is_loopback(u->host);
}

static rc_t check_resource(check_t *c, const char *text)
{
    url_t u;
    rs_settings_t *s = c->out;
    if (!text || url_parse(str_c(text), &u) != RC_OK || !is_safe_http(&u) || str_is_set(u.query))
        return refuse(c, STR("resource must be an https URL without query and fragment (http only "
                             "on a loopback host)"));
    TRY(url_canonical(c->a, &u, &s->resource));
    TRY(copy(c->a, s->resource, &s->resource));
    s->audience_text[0] = s->resource;
    s->audiences = (str_list_t){s->audience_text, 1};
    if (str_is_empty(u.path) || str_eq(u.path, STR("/"))) {
        s->audience_text[1] = arena_printf(c->a, "%" PRIstr "/", STR_ARG(s->resource));
        s->audiences.n = 2;
        return str_is_set(s->audience_text[1]) ? RC_OK : RC_MEMORY;
    }
    return RC_OK;
}

/* Strict clients keep a last slash behind the well-known part, others drop it: both are served. */
static rc_t make_paths(check_t *c)
{
    url_t u;
    rs_settings_t *s = c->out;
    TRY(url_parse(s->resource, &u));
    TRY(url_origin(c->a, &u, &s->origin));
    bool slash = str_ends(u.path, STR("/"));
    str_t bare = str_first(u.path, u.path.n - (slash ? 1 : 0));
    const char *other = slash ? "" : "/";
    s->paths[0] = arena_printf(c->a, "%" PRIstr "%" PRIstr, STR_ARG(WELL_KNOWN), STR_ARG(u.path));
    s->paths[1] =
        arena_printf(c->a, "%" PRIstr "%" PRIstr "%s", STR_ARG(WELL_KNOWN), STR_ARG(bare), other);
    s->paths[2] = str_is_empty(bare) ? STR_UNSET : WELL_KNOWN;
    s->metadata_url =
        arena_printf(c->a, "%" PRIstr "%" PRIstr, STR_ARG(s->origin), STR_ARG(s->paths[0]));
    s->twin = str_is_empty(bare) ? STR_UNSET
                                 : arena_printf(c->a, "%" PRIstr "%" PRIstr "%s",
                                                STR_ARG(s->origin), STR_ARG(bare), other);
    if (!str_is_empty(bare) && !str_is_set(s->twin))
        return RC_MEMORY;
    bool all = str_is_set(s->paths[0]) && str_is_set(s->paths[1]) && str_is_set(s->metadata_url);
    return all ? RC_OK : RC_MEMORY;
}

/* A type that ID tokens have, too, is no proof that a token is for a resource. */
static rc_t check_dialect(check_t *c, const warder_rs_dialect_t *given, rs_dialect_t *out)
{
    const struct {
        const char *from;
        str_t *to;
    } TEXTS[] = {
        {given->typ, &out->typ},
        {given->needs, &out->needs},
        {given->refuses, &out->refuses},
        {given->client_claims, &out->client_claims},
        {given->scope_claim, &out->scope_claim},
        {given->audience_claim, &out->audience_claim},
    };
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++)
        TRY(copy(c->a, str_c(TEXTS[i].from), TEXTS[i].to));
    if (str_is_set(out->typ) && str_is_empty(out->needs))
        return refuse(c, STR("a dialect with another typ must name claims that only access tokens "
                             "have, in needs"));
    return RC_OK;
}

/* After the resource is known. */
static rc_t check_audiences(check_t *c, const warder_rs_server_t *given, rs_server_t *server)
{
    size_t n = c->out->audiences.n;
    if (given->audience_count > RS_AUDIENCES_MAX)
        return refuse(c, STR("audiences must be at most 8"));
    for (size_t i = 0; i < n; i++)
        server->audience_text[i] = c->out->audience_text[i];
    for (size_t i = 0; i < given->audience_count; i++) {
        if (!given->audiences[i] || !given->audiences[i][0])
            return refuse(c, STR("an audience must not be empty"));
        TRY(copy(c->a, str_c(given->audiences[i]), &server->audience_text[n + i]));
    }
    server->own_audiences = n;
    server->audiences = (str_list_t){server->audience_text, n + given->audience_count};
    return RC_OK;
}

static rc_t check_server(check_t *c, const warder_rs_server_t *given)
{
    url_t u;
    rs_server_t *server = &c->out->servers[c->out->n_servers];
    if (!given->issuer || url_parse(str_c(given->issuer), &u) != RC_OK || !is_safe_http(&u) ||
        str_is_set(u.query))
        return refuse(c, STR("issuer must be an https URL without query and fragment (http only on "
                             "a loopback host)"));
    server->loopback = url_host_is_loopback(u.host);
    TRY(copy(c->a, str_c(given->issuer), &server->issuer));
    TRY(copy(c->a, str_c(given->jwks_uri), &server->jwks_uri));
    TRY(copy(c->a, str_c(given->revocations_uri), &server->revocations_uri));
    if ((given->jwks_uri && !rs_server_may_fetch(server, server->jwks_uri)) ||
        (given->revocations_uri && !rs_server_may_fetch(server, server->revocations_uri)))
        return refuse(c, STR("jwks_uri and revocations_uri must be https URLs (http only on a "
                             "loopback host, for a loopback issuer)"));
    for (size_t i = 0; i < c->out->n_servers; i++)
        if (str_eq(c->out->servers[i].issuer, server->issuer))
            return refuse(c, STR("the same issuer is given twice"));
    TRY(check_audiences(c, given, server));
    if (given->dialect)
        TRY(check_dialect(c, given->dialect, &server->dialect));
    c->out->n_servers++;
    return RC_OK;
}

/* Asking for offline_access is the client's own decision; a resource must not suggest it. */
static rc_t read_scopes(check_t *c, const char *text, str_t *out)
{
    str_t given = str_c(text), token;
    *out = STR_UNSET;
    if (str_is_empty(given))
        return RC_OK;
    if (!oauth_scope_is_valid(given))
        return refuse(c, STR("scopes and scopes_supported must be scope tokens with single spaces "
                             "between them"));
    buf_t b = buf_new(c->a, given.n + 1);
    while (oauth_scope_next(&given, &token)) {
        if (str_eq(token, STR("offline_access")))
            continue;
        if (b.n > 0)
            buf_char(&b, ' ');
        buf_put(&b, token);
    }
    TRY(b.failed);
    return b.n > 0 ? copy(c->a, buf_str(&b), out) : RC_OK;
}

static bool holds(str_t list, str_t wanted)
{
    str_t token;
    while (oauth_scope_next(&list, &token))
        if (str_eq(token, wanted))
            return true;
    return false;
}

/* A challenge that asks for what the metadata does not know would send clients in circles. */
static rc_t check_scopes(check_t *c, const warder_rs_config_t *config)
{
    str_t token;
    rs_settings_t *s = c->out;
    TRY(read_scopes(c, config->scopes, &s->scopes));
    s->scopes_supported = s->scopes;
    if (!config->scopes_supported)
        return RC_OK;
    TRY(read_scopes(c, config->scopes_supported, &s->scopes_supported));
    str_t rest = s->scopes;
    while (oauth_scope_next(&rest, &token))
        if (!holds(s->scopes_supported, token))
            return refuse(c, STR("scopes_supported must hold all of scopes"));
    return RC_OK;
}

static rc_t check_range(check_t *c, int given, int standard, int min, int max, int64_t *ms)
{
    if (given != 0 && (given < min || given > max))
        return refuse(c, STR("leeway_s, keys_fresh_s, keys_stale_s, refetch_s, revocation_poll_s, "
                             "revocation_stale_s or introspection_cache_s is out of range"));
    *ms = (given ? given : standard) * 1000LL;
    return RC_OK;
}

static rc_t check_numbers(check_t *c, const warder_rs_config_t *config)
{
    rs_settings_t *s = c->out;
    TRY(check_range(c, config->leeway_s, 30, -1, 60, &s->leeway_ms));
    TRY(check_range(c, config->keys_fresh_s, 300, 30, 86400, &s->fresh_ms));
    TRY(check_range(c, config->keys_stale_s, 3600, 1, 604800, &s->stale_ms));
    TRY(check_range(c, config->refetch_s, 10, 1, 3600, &s->refetch_ms));
    TRY(check_range(c, config->revocation_poll_s, 2, -1, 60, &s->poll_ms));
    TRY(check_range(c, config->introspection_cache_s, 10, 1, 60, &s->answer_ms));
    TRY(check_range(c, config->revocation_stale_s, 300, -1, 86400, &s->list_stale_ms));
    if (config->leeway_s < 0)
        s->leeway_ms = 0;
    if (config->revocation_poll_s < 0)
        s->poll_ms = 0;
    if (config->cache_tokens > LIMIT_RS_CACHE_TOKENS)
        return refuse(c, STR("cache_tokens is too large"));
    s->cache_tokens = config->cache_tokens ? config->cache_tokens : 4096;
    return RC_OK;
}

static rc_t check_dpop(check_t *c, const warder_rs_config_t *config)
{
    rs_settings_t *s = c->out;
    if (config->dpop > WARDER_RS_DPOP_REQUIRED)
        return refuse(c, STR("dpop must be off, optional or required"));
    if (config->dpop_proofs > LIMIT_RS_PROOFS)
        return refuse(c, STR("dpop_proofs is too large"));
    if (config->dpop_nonce_secret && strlen(config->dpop_nonce_secret) < NONCE_SECRET_BYTES)
        return refuse(c, STR("dpop_nonce_secret must have at least 32 characters"));
    s->dpop = config->dpop;
    s->repeat_scopes = config->repeat_scopes;
    s->dpop_nonce = config->dpop_nonce && config->dpop != WARDER_RS_DPOP_OFF;
    s->dpop_proofs = config->dpop_proofs ? config->dpop_proofs : LIMIT_RS_PROOFS_DEFAULT;
    return RC_OK;
}

/* The credentials of HTTP Basic, form-encoded (RFC 6749 section 2.3.1). */
static rc_t make_authorization(check_t *c, const warder_rs_server_t *given)
{
    str_t pair;
    buf_t b = buf_new(c->a, LIMIT_URL_BYTES);
    buf_form(&b, str_c(given->client_id));
    buf_char(&b, ':');
    buf_form(&b, str_c(given->client_secret));
    TRY(buf_done(&b, &pair));
    str_t code = b64_encode(c->a, pair.p, pair.n);
    c->out->authorization = arena_printf(c->a, "Basic %" PRIstr, STR_ARG(code));
    secret_wipe((void *)(uintptr_t)pair.p, pair.n);
    secret_wipe((void *)(uintptr_t)code.p, code.n);
    return str_is_set(code) && str_is_set(c->out->authorization) ? RC_OK : RC_MEMORY;
}

static rc_t check_introspection(check_t *c, const warder_rs_config_t *config)
{
    for (size_t i = 0; i < config->server_count; i++) {
        const warder_rs_server_t *given = &config->servers[i];
        rs_server_t *server = &c->out->servers[i];
        if (!given->client_id && !given->client_secret && !given->introspection_uri)
            continue;
        if (!given->client_id || !given->client_secret || str_is_set(c->out->authorization))
            return refuse(c, STR("client_id and client_secret come together, for one server"));
        if (config->ports && !config->ports->post)
            return refuse(c, STR("introspection needs the port post"));
        TRY(copy(c->a, str_c(given->introspection_uri), &server->introspection_uri));
        if (given->introspection_uri && !rs_server_may_fetch(server, server->introspection_uri))
            return refuse(c, STR("introspection_uri must be an https URL (http only on a loopback "
                                 "host, for a loopback issuer)"));
        c->out->introspector = i;
        TRY(make_authorization(c, given));
    }
    return RC_OK;
}

static rc_t check_all(check_t *c, const warder_rs_config_t *config)
{
    TRY(check_resource(c, config->resource));
    TRY(make_paths(c));
    if (config->server_count == 0 || config->server_count > RS_SERVERS_MAX || !config->servers)
        return refuse(c, STR("servers must hold 1 to 8 authorization servers"));
    for (size_t i = 0; i < config->server_count; i++)
        TRY(check_server(c, &config->servers[i]));
    TRY(check_introspection(c, config));
    TRY(check_scopes(c, config));
    if (config->name && !str_is_utf8(str_c(config->name)))
        return refuse(c, STR("name must be UTF-8"));
    TRY(copy(c->a, str_c(config->name), &c->out->name));
    TRY(check_dpop(c, config));
    return check_numbers(c, config);
}

rc_t rs_settings_check(arena_t *a, const warder_rs_config_t *config, rs_settings_t *out, str_t *why)
{
    check_t c = {.a = a, .out = out, .why = STR("there is not enough memory")};
    *out = (rs_settings_t){0};
    rc_t rc = check_all(&c, config);
    *why = rc == RC_OK ? STR_UNSET : c.why;
    return rc;
}

static void write_scopes(json_writer_t *w, str_t scopes)
{
    str_t token;
    if (!str_is_set(scopes))
        return;
    json_key(w, STR("scopes_supported"));
    json_begin_array(w);
    while (oauth_scope_next(&scopes, &token))
        json_str(w, token);
    json_end_array(w);
}

rc_t rs_settings_metadata(arena_t *a, const rs_settings_t *s, str_t *out)
{
    static const str_t METHODS[] = {STR_INIT("header")};
    buf_t b = buf_new(a, LIMIT_RS_METADATA_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("resource"), s->resource);
    json_key(&w, STR("authorization_servers"));
    json_begin_array(&w);
    for (size_t i = 0; i < s->n_servers; i++)
        json_str(&w, s->servers[i].issuer);
    json_end_array(&w);
    write_scopes(&w, s->scopes_supported);
    json_member_strs(&w, STR("bearer_methods_supported"), (str_list_t){METHODS, 1});
    if (s->dpop != WARDER_RS_DPOP_OFF)
        json_member_strs(&w, STR("dpop_signing_alg_values_supported"), oauth_dpop_alg_names());
    if (s->dpop == WARDER_RS_DPOP_REQUIRED)
        json_member_bool(&w, STR("dpop_bound_access_tokens_required"), true);
    json_member_str(&w, STR("resource_name"), s->name);
    json_end_object(&w);
    buf_char(&b, '\0'); /* for those who take it as a C string */
    TRY(buf_done(&b, out));
    out->n--;
    return RC_OK;
}
