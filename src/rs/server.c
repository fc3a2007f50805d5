/* An authorization server: where its metadata and its keys are. */
#include "rs/settings.h"

#include "core/json.h"
#include "core/limits.h"
#include "core/url.h"
#include "oauth/revocation_list.h"

bool rs_server_may_fetch(const rs_server_t *server, str_t url)
{
    url_t u;
    if (url_parse(url, &u) != RC_OK || !url_is_http(&u) || str_is_set(u.userinfo) ||
        str_is_set(u.fragment))
        return false;
    if (url_host_is_loopback(u.host))
        return server->loopback;
    return url_is_https(&u);
}

/* An issuer's path goes behind the well-known part, or, the way of OpenID Connect, before it. */
static const struct {
    const char *inserted; /* before the issuer's path */
    const char *appended; /* behind it */
    bool only_with_path;
} PLACES[] = {
    {"/.well-known/oauth-authorization-server", "", false},
    {"/.well-known/openid-configuration", "", false},
    {"", "/.well-known/openid-configuration", true},
};

rc_t rs_server_metadata_url(arena_t *a, const rs_server_t *server, size_t i, str_t *out)
{
    url_t u;
    *out = STR_UNSET;
    TRY(url_parse(server->issuer, &u));
    /* A last slash is dropped before the insertion (RFC 8414 section 3.1). */
    str_t path = str_ends(u.path, STR("/")) ? str_first(u.path, u.path.n - 1) : u.path;
    if (i >= sizeof PLACES / sizeof PLACES[0] || (PLACES[i].only_with_path && path.n == 0))
        return RC_OK;
    str_t origin = str_first(server->issuer, server->issuer.n - u.path.n);
    *out = arena_printf(a, "%" PRIstr "%s%" PRIstr "%s", STR_ARG(origin), PLACES[i].inserted,
                        STR_ARG(path), PLACES[i].appended);
    return str_is_set(*out) ? RC_OK : RC_MEMORY;
}

/* Places that may not be fetched are a fault, not absent. */
static rc_t read_place(arena_t *a, const rs_server_t *server, str_t uri, str_t *out)
{
    *out = STR_UNSET;
    if (!str_is_set(uri))
        return RC_OK;
    if (!rs_server_may_fetch(server, uri))
        return RC_MALFORMED;
    *out = arena_dup(a, uri);
    return str_is_set(*out) ? RC_OK : RC_MEMORY;
}

rc_t rs_server_read_metadata(arena_t *a, const rs_server_t *server, str_t text, rs_places_t *out)
{
    static const json_limits_t LIMITS = {LIMIT_JWKS_BYTES, 16, 4096};
    const json_t *json;
    *out = (rs_places_t){0};
    TRY(json_parse(a, text, &LIMITS, &json));
    if (!str_eq(json_get_str(json, STR("issuer")), server->issuer))
        return RC_MALFORMED;
    const struct {
        str_t member, *place;
    } NAMED[] = {
        {STR("jwks_uri"), &out->jwks_uri},
        {STR(OAUTH_REVOCATIONS_MEMBER), &out->revocations_uri},
        {STR("introspection_endpoint"), &out->introspection_uri},
    };
    for (size_t i = 0; i < sizeof NAMED / sizeof *NAMED; i++)
        TRY(read_place(a, server, json_get_str(json, NAMED[i].member), NAMED[i].place));
    return str_is_set(out->jwks_uri) ? RC_OK : RC_MALFORMED;
}
