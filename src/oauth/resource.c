#include "oauth/resource.h"

#include "core/buf.h"
#include "core/limits.h"
#include "core/url.h"
#include "oauth/scope.h"

/* A value of `resource`, taken apart. */
typedef struct {
    str_t canonical;
    str_t origin; /* when the value is nothing but an origin; else unset */
} target_t;

typedef bool (*means_t)(const resource_t *resource, const target_t *target);

static bool by_identifier(const resource_t *resource, const target_t *target)
{
    return str_eq(resource->uri, target->canonical);
}

/* Aliases were checked when they were written down: they are compared as they stand. */
static bool by_alias(const resource_t *resource, const target_t *target)
{
    return str_list_has(resource->aliases, target->canonical);
}

static bool differ_by_slash(str_t longer, str_t shorter)
{
    return longer.n == shorter.n + 1 && str_ends(longer, STR("/")) &&
           str_eq(str_first(longer, shorter.n), shorter);
}

static bool by_slash(const resource_t *resource, const target_t *target)
{
    return differ_by_slash(resource->uri, target->canonical) ||
           differ_by_slash(target->canonical, resource->uri);
}

/* The identifier is canonical, so its origin is a prefix of it. */
static bool by_origin(const resource_t *resource, const target_t *target)
{
    if (!str_is_set(target->origin) || !str_starts(resource->uri, target->origin))
        return false;
    str_t behind = str_skip(resource->uri, target->origin.n);
    return behind.n > 0 && (behind.p[0] == '/' || behind.p[0] == '?');
}

/* In order: the first way that finds exactly one resource decides. */
static const means_t WAYS[] = {by_identifier, by_alias, by_slash, by_origin};

/* The only resource that `means` finds; NULL when there is none or the choice would be a guess. */
static const resource_t *find_only(const oauth_resources_t *known, means_t means,
                                   const target_t *target)
{
    const resource_t *found = NULL;
    for (size_t i = 0; i < known->n; i++) {
        if (!means(&known->v[i], target))
            continue;
        if (found)
            return NULL;
        found = &known->v[i];
    }
    return found;
}

static const resource_t *find(const oauth_resources_t *known, const target_t *target)
{
    for (size_t i = 0; i < sizeof WAYS / sizeof WAYS[0]; i++) {
        const resource_t *found = find_only(known, WAYS[i], target);
        if (found)
            return found;
    }
    return NULL;
}

const resource_t *oauth_resource_find(const oauth_resources_t *known, str_t uri)
{
    target_t target = {.canonical = uri};
    return find_only(known, by_identifier, &target);
}

static rc_t read_target(arena_t *a, str_t value, target_t *out, oauth_reason_t *reason)
{
    url_t u;
    *reason = OAUTH_RESOURCE_MALFORMED;
    if (url_parse(value, &u) != RC_OK || str_is_set(u.fragment))
        return RC_OK;
    *reason = OAUTH_FINE;
    *out = (target_t){0};
    TRY(url_canonical(a, &u, &out->canonical));
    bool bare = (u.path.n == 0 || str_eq(u.path, STR("/"))) && !str_is_set(u.query);
    return bare && url_is_http(&u) ? url_origin(a, &u, &out->origin) : RC_OK;
}

/* Enough to see what one mistyped; not the whole catalogue of a large server. */
enum { NAMED_MAX = 8 };

static rc_t name_accepted(arena_t *a, const oauth_resources_t *known, str_t *description)
{
    buf_t b = buf_new(a, LIMIT_ANSWER_BYTES);
    buf_put(&b, STR("The resource must be one of:"));
    for (size_t i = 0; i < known->n && i < NAMED_MAX; i++) {
        buf_char(&b, ' ');
        buf_put(&b, known->v[i].uri);
    }
    if (known->n > NAMED_MAX)
        buf_put(&b, STR(" and others"));
    return buf_done(&b, description);
}

static rc_t refuse(arena_t *a, const oauth_resources_t *known, oauth_reason_t reason,
                   oauth_resource_verdict_t *out)
{
    *out = (oauth_resource_verdict_t){.reason = reason};
    if (known->n == 0 || (reason != OAUTH_RESOURCE_UNKNOWN && reason != OAUTH_RESOURCE_MISSING))
        return RC_OK;
    return name_accepted(a, known, &out->description);
}

static rc_t resolve_one(arena_t *a, const oauth_resources_t *known, str_t value,
                        oauth_resource_verdict_t *out)
{
    target_t target;
    oauth_reason_t reason;
    TRY(read_target(a, value, &target, &reason));
    if (reason != OAUTH_FINE)
        return refuse(a, known, reason, out);
    *out = (oauth_resource_verdict_t){.resource = find(known, &target)};
    return out->resource ? RC_OK : refuse(a, known, OAUTH_RESOURCE_UNKNOWN, out);
}

static rc_t resolve_default(arena_t *a, const oauth_resources_t *known,
                            oauth_resource_verdict_t *out)
{
    *out = (oauth_resource_verdict_t){0};
    if (str_is_set(known->default_uri) && known->default_uri.n > 0)
        out->resource = oauth_resource_find(known, known->default_uri);
    else if (known->n == 1)
        out->resource = &known->v[0];
    return out->resource ? RC_OK : refuse(a, known, OAUTH_RESOURCE_MISSING, out);
}

rc_t oauth_resource_resolve(arena_t *a, const oauth_resources_t *known, str_list_t values,
                            oauth_resource_verdict_t *out)
{
    if (values.n == 0)
        return resolve_default(a, known, out);
    TRY(resolve_one(a, known, values.v[0], out));
    for (size_t i = 1; i < values.n && out->reason == OAUTH_FINE; i++) {
        const resource_t *first = out->resource;
        TRY(resolve_one(a, known, values.v[i], out));
        if (out->reason == OAUTH_FINE && out->resource != first)
            return refuse(a, known, OAUTH_RESOURCE_SEVERAL, out);
    }
    return RC_OK;
}

static rc_t names_of(arena_t *a, const resource_t *resource, str_t *out)
{
    buf_t b = buf_new(a, LIMIT_METADATA_BYTES);
    for (size_t i = 0; i < resource->n_scopes; i++) {
        if (i > 0)
            buf_char(&b, ' ');
        buf_put(&b, resource->scopes[i].name);
    }
    return buf_done(&b, out);
}

/* A wildcard on one side meets what it holds on the other. */
rc_t oauth_resource_scope(arena_t *a, const resource_t *resource, const client_t *client,
                          str_t *out)
{
    str_t offered, within, beneath;
    TRY(names_of(a, resource, &offered));
    if (!str_is_set(client->scope))
        return oauth_scope_union(a, offered, STR_UNSET, out);
    TRY(oauth_scope_narrow(a, offered, client->scope, &within));
    TRY(oauth_scope_narrow(a, client->scope, offered, &beneath));
    return oauth_scope_union(a, within, beneath, out);
}

rc_t oauth_resource_scope_all(arena_t *a, const oauth_resources_t *known, str_t *out)
{
    *out = STR_UNSET;
    for (size_t i = 0; i < known->n; i++) {
        str_t names;
        TRY(names_of(a, &known->v[i], &names));
        TRY(oauth_scope_union(a, *out, names, out));
    }
    return RC_OK;
}

str_t oauth_resource_scope_text(const resource_t *resource, str_t token)
{
    for (size_t i = 0; i < resource->n_scopes; i++)
        if (str_eq(resource->scopes[i].name, token))
            return resource->scopes[i].text;
    for (size_t i = 0; i < resource->n_scopes; i++)
        if (oauth_scope_token_covers(resource->scopes[i].name, token))
            return resource->scopes[i].text;
    return STR_UNSET;
}
