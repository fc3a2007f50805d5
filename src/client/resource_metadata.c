#include "client/resource_metadata.h"

#include "client/members.h"
#include "client/plain.h"
#include "client/url_rule.h"
#include "core/limits.h"
#include "core/url.h"
#include "oauth/scope.h"

/* "https://h/" and "https://h" are one URL (RFC 3986 section 6.2.3); no other slash is for nothing.
 */
static str_t without_lone_slash(const url_t *u)
{
    bool lone = str_eq(u->path, STR("/")) && !str_is_set(u->query) && !str_is_set(u->fragment);
    return lone ? str_first(u->text, u->text.n - 1) : u->text;
}

/* Whether the path `part` is whole segments of `path`, from its beginning on. */
static bool begins(str_t path, str_t part)
{
    if (part.n == 0 || str_eq(part, STR("/")) || str_eq(part, path))
        return true;
    if (!str_starts(path, part))
        return false;
    return str_ends(part, STR("/")) || path.p[part.n] == '/';
}

bool client_resource_fits(str_t resource, str_t url, client_strictness_t strict)
{
    url_t r, u;
    if (url_parse(resource, &r) != RC_OK || url_parse(url, &u) != RC_OK)
        return false;
    if (!url_is_http(&r) || str_is_set(r.userinfo) || str_is_set(r.fragment))
        return false;
    if (str_eq(without_lone_slash(&r), without_lone_slash(&u)))
        return true;
    if (strict == CLIENT_RESOURCE_EXACT || !client_url_same_origin(resource, url))
        return false;
    if (str_is_set(r.query) && !str_eq(r.query, u.query))
        return false;
    return begins(u.path, r.path);
}

static client_reason_t bad(const char *what, str_t *why, rc_t *rc)
{
    *why = str_c(what);
    *rc = RC_OK;
    return CLIENT_RESOURCE_METADATA_BAD;
}

static client_reason_t mismatch(arena_t *a, str_t resource, str_t url, str_t *why, rc_t *rc)
{
    str_t seen = client_plain(a, resource, LIMIT_CLIENT_DETAIL_BYTES);
    *why = arena_printf(a, "resource is \"%" PRIstr "\", the URL is \"%" PRIstr "\"", STR_ARG(seen),
                        STR_ARG(url));
    *rc = str_is_set(seen) && str_is_set(*why) ? RC_OK : RC_MEMORY;
    return *rc == RC_OK ? CLIENT_RESOURCE_MISMATCH : CLIENT_MACHINE;
}

/* What can be asked for of scopes_supported, each token once, as far as a request holds them. */
static str_t scopes(client_members_t *m, bool *has)
{
    str_t out, name = STR("scopes_supported");
    str_list_t list = client_members_strs(m, name, has);
    if (!*has)
        return STR_UNSET;
    buf_t b = buf_new(m->a, LIMIT_SCOPE_BYTES);
    size_t taken = 0;
    for (size_t i = 0; i < list.n; i++) {
        str_t one = list.v[i];
        if (!oauth_scope_is_token(one) || oauth_scope_has(buf_str(&b), one))
            continue;
        if (taken == LIMIT_SCOPE_TOKENS || b.n + 1 + one.n > b.max) {
            client_members_note(m, name, "holds more than can be asked for");
            break;
        }
        if (taken++ > 0)
            buf_char(&b, ' ');
        buf_put(&b, one);
    }
    if (buf_done(&b, &out) != RC_OK)
        m->rc = RC_MEMORY;
    return out.n > 0 ? out : STR("");
}

static void read_members(client_members_t *m, client_resource_metadata_t *out)
{
    bool has;
    out->resource = client_members_str(m, STR("resource"));
    out->authorization_servers = client_members_strs(m, STR("authorization_servers"), &has);
    if (out->authorization_servers.n > CLIENT_ISSUERS_MAX)
        out->authorization_servers.n = CLIENT_ISSUERS_MAX;
    out->scopes_supported = scopes(m, &out->has_scopes);
    out->name = client_members_str(m, STR("resource_name"));
    out->dpop_required = client_members_bool(m, STR("dpop_bound_access_tokens_required"));
    out->note = m->note;
    out->all = m->all;
}

/* What is required and of a wrong type; NULL: nothing. */
static const char *wrong_type(const client_members_t *m)
{
    const json_t *servers = json_get(m->all, STR("authorization_servers"));
    if (!json_is(json_get(m->all, STR("resource")), JSON_STRING))
        return client_members_has(m, STR("resource")) ? "resource is no string"
                                                      : "resource is missing";
    if (!servers || json_is(servers, JSON_NULL))
        return NULL;
    if (!json_is(servers, JSON_ARRAY))
        return "authorization_servers is no list";
    for (const json_t *one = servers->child; one; one = one->next)
        if (!json_is(one, JSON_STRING))
            return "authorization_servers holds what is no string";
    return NULL;
}

client_reason_t client_resource_metadata_read(arena_t *a, str_t body, str_t url,
                                              client_strictness_t strict,
                                              client_resource_metadata_t *out, str_t *why, rc_t *rc)
{
    client_members_t m;
    *out = (client_resource_metadata_t){0};
    *why = STR_UNSET;
    *rc = client_members_read(a, body, &m);
    if (*rc == RC_LIMIT)
        return bad("it is too large", why, rc);
    if (*rc == RC_MALFORMED)
        return bad("it is no JSON object", why, rc);
    if (*rc != RC_OK)
        return CLIENT_MACHINE;
    const char *wrong = wrong_type(&m);
    if (wrong)
        return bad(wrong, why, rc);
    read_members(&m, out);
    *rc = m.rc;
    if (*rc != RC_OK)
        return CLIENT_MACHINE;
    if (!client_resource_fits(out->resource, url, strict))
        return mismatch(a, out->resource, url, why, rc);
    if (out->authorization_servers.n > 0)
        return CLIENT_FINE;
    *why = STR("it has no authorization_servers");
    return CLIENT_NO_AUTHORIZATION_SERVER;
}
