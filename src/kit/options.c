#include "kit/options.h"

#include "core/num.h"
#include "core/url.h"
#include "http/addr.h"
#include "kit/pem.h"

#include <sys/stat.h>

enum { WHY_BYTES = 256, MAX_AGE_MAX = 31536000 };

static int refuse(str_t *why, str_t sentence)
{
    *why = str_is_set(sentence) ? sentence : STR("there is not enough memory");
    return KIT_SETTING;
}

static int no_memory(str_t *why)
{
    *why = STR("there is not enough memory");
    return KIT_FAILED;
}

/* "127.0.0.1:8081" or "[::1]:8081". */
static bool split_listen(str_t all, kit_options_t *o, http_addr_t *address)
{
    uint64_t port;
    size_t colon = all.n;
    while (colon > 0 && all.p[colon - 1] != ':')
        colon--;
    if (colon == 0 || !num_u64(str_skip(all, colon), UINT16_MAX, &port))
        return false;
    str_t host = str_first(all, colon - 1);
    o->brackets = host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
    o->host = o->brackets ? str_of(host.p + 1, host.n - 2) : host;
    o->port = (uint16_t)port;
    return http_addr_parse(o->host, address) == RC_OK &&
           o->brackets == str_contains(o->host, STR(":"));
}

static int read_listen(arena_t *a, const warder_mcp_http_t *http, kit_options_t *o, str_t *why)
{
    http_addr_t address;
    str_t all = arena_dup(a, str_c(http->listen));
    if (http->listen && !all.p)
        return no_memory(why);
    if (!http->listen || !split_listen(all, o, &address))
        return refuse(why, STR("listen must be an address and a port, such as 127.0.0.1:8081 or "
                               "[::1]:8081"));
    if (http->protect || http_addr_is_loopback(&address))
        return KIT_DONE;
    return refuse(why, STR("a server that nothing protects may listen on a loopback address only: "
                           "set protect, or listen on 127.0.0.1"));
}

/* The path of the endpoint is that of the resource. */
static int read_path(arena_t *a, const warder_mcp_http_t *http, kit_options_t *o, str_t *why)
{
    url_t u;
    o->path = STR("/mcp");
    if (!http->protect || !http->protect->resource)
        return KIT_DONE;
    if (url_parse(str_c(http->protect->resource), &u) != RC_OK || !url_is_http(&u))
        return refuse(why, STR("resource must be an http or https URL"));
    o->path = STR("/");
    if (u.path.n <= 1)
        return KIT_DONE;
    if (!str_ends(u.path, STR("/")) && url_path_decode(a, u.path, &o->path) == RC_OK &&
        !str_starts(o->path, STR("/.well-known")))
        return KIT_DONE;
    return refuse(why,
                  STR("resource must have a path without a slash at its end, such as /mcp, and "
                      "not under /.well-known, or none"));
}

str_t kit_options_resource(arena_t *a, const kit_options_t *o, uint16_t port)
{
    return arena_printf(a, "%s://%s%" PRIstr "%s:%u/mcp", o->tls ? "https" : "http",
                        o->brackets ? "[" : "", STR_ARG(o->host), o->brackets ? "]" : "",
                        (unsigned)port);
}

warder_rs_config_t kit_options_rs(const warder_mcp_http_t *http, const kit_options_t *o,
                                  const char *resource)
{
    warder_rs_config_t rs = *http->protect;
    rs.resource = rs.resource ? rs.resource : resource;
    rs.scopes_supported = rs.scopes_supported ? rs.scopes_supported : o->scopes.p;
    return rs;
}

/* The library that will check the tokens judges its own settings; it opens nothing for that. */
static int try_rs(arena_t *a, const warder_mcp_http_t *http, const kit_options_t *o, str_t *why)
{
    char text[WHY_BYTES];
    str_t resource = kit_options_resource(a, o, o->port ? o->port : 1);
    if (!resource.p)
        return no_memory(why);
    warder_rs_config_t config = kit_options_rs(http, o, resource.p);
    warder_rs_t *rs = warder_rs_new(&config, text, sizeof text);
    warder_rs_free(rs);
    return rs ? KIT_DONE : refuse(why, arena_printf(a, "protect: %s", text));
}

static int read_protect(arena_t *a, const warder_mcp_http_t *http, const char *scopes,
                        kit_options_t *o, str_t *why)
{
    o->scopes = scopes && scopes[0] ? str_c(scopes) : STR_UNSET;
    if (http->max_age_s < 0 || http->max_age_s > MAX_AGE_MAX)
        return refuse(why, STR("max_age_s must be 0 to 31536000"));
    if (http->protect)
        return try_rs(a, http, o, why);
    if (http->acr_values || http->max_age_s)
        return refuse(why, STR("acr_values and max_age_s are of no use without protect: set it, or "
                               "leave them out"));
    return KIT_DONE;
}

static int read_audit(arena_t *a, const warder_mcp_http_t *http, str_t *why)
{
    struct stat st;
    if (!http->audit)
        return KIT_DONE;
    if (stat(http->audit, &st) != 0 || !S_ISDIR(st.st_mode))
        return refuse(why,
                      arena_printf(a, "audit: there is no folder %s; make it first", http->audit));
    if (!(st.st_mode & S_IWOTH))
        return KIT_DONE;
    return refuse(why, arena_printf(a, "audit: everybody can write to %s; run: chmod o-w %s",
                                    http->audit, http->audit));
}

static int read_tls(arena_t *a, const warder_mcp_http_t *http, kit_options_t *o, str_t *why)
{
    str_t chain, note;
    secret_t key;
    if (!http->certificate && !http->key)
        return KIT_DONE;
    if (!http->certificate || !http->key)
        return refuse(why, STR("certificate and key come together: set both, or neither"));
    if (kit_pem_read(a, "certificate", http->certificate, &chain, why) != RC_OK ||
        kit_pem_read_key(a, "key", http->key, &key, why) != RC_OK)
        return KIT_SETTING;
    rc_t rc = http_tls_new(a, chain, key, &o->tls, &note);
    o->tls_warning = rc == RC_OK ? note : STR_UNSET;
    if (rc == RC_CONFIG)
        return refuse(why, arena_printf(a, "certificate and key: %" PRIstr, STR_ARG(note)));
    return rc == RC_OK ? KIT_DONE : no_memory(why);
}

static int read_list(arena_t *a, const char *const *from, size_t n, str_list_t *out, str_t *why)
{
    str_t *v = ARENA_ARRAY(a, n + 1, str_t);
    if (!v)
        return no_memory(why);
    *out = (str_list_t){v, n};
    for (size_t i = 0; i < n; i++) {
        v[i] = arena_dup(a, str_c(from[i]));
        if (from[i] && !v[i].p)
            return no_memory(why);
        if (v[i].n == 0)
            return refuse(why, STR("an entry of origins or hosts is empty: leave it out"));
    }
    return KIT_DONE;
}

static int read_rest(arena_t *a, const warder_mcp_http_t *http, kit_options_t *o, str_t *why)
{
    o->workers = http->workers ? http->workers : KIT_WORKERS;
    if (o->workers > KIT_WORKERS_MAX)
        return refuse(why, STR("workers must be 1 to 64"));
    if (http->log_level < -1 || http->log_level > 2)
        return refuse(why, STR("log_level must be -1, 0, 1 or 2"));
    if (http->origin_count > KIT_LISTS_MAX || http->host_count > KIT_LISTS_MAX)
        return refuse(why, STR("origins and hosts may hold 64 entries each"));
    int code = read_list(a, http->origins, http->origin_count, &o->origins, why);
    if (code == KIT_DONE)
        code = read_list(a, http->hosts, http->host_count, &o->hosts, why);
    return code == KIT_DONE ? read_audit(a, http, why) : code;
}

int kit_options_read(arena_t *a, const warder_mcp_http_t *http, const char *scopes,
                     kit_options_t *out, str_t *why)
{
    *out = (kit_options_t){0};
    int code = read_listen(a, http, out, why);
    if (code == KIT_DONE)
        code = read_path(a, http, out, why);
    if (code == KIT_DONE)
        code = read_rest(a, http, out, why);
    if (code == KIT_DONE)
        code = read_tls(a, http, out, why);
    if (code == KIT_DONE)
        code = read_protect(a, http, scopes, out, why);
    if (code == KIT_DONE)
        return code;
    http_tls_free(out->tls);
    out->tls = NULL;
    return code;
}
