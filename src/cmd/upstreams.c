#include "cmd/upstreams.h"

#include "as/app.h"
#include "cmd/ops.h"
#include "cmd/secret_file.h"
#include "conf/conf_policy.h"
#include "gate/policy.h"
#include "proxy/provider.h"

static int no_memory(const settings_t *s)
{
    return command_refuse(s->refusal, EXIT_FAILED, "out of memory");
}

/* The file ends in a line feed, as files do; the secret does not. */
static int read_secret(arena_t *a, const settings_t *s, str_t path, secret_t *out)
{
    const secret_file_t file = {settings_path(a, s, path), "secret file of an upstream", false,
                                s->refusal};
    if (!file.path)
        return no_memory(s);
    int code = secret_file_read(a, &file, out);
    if (code != EXIT_DONE)
        return code;
    out->hidden = str_trim(out->hidden, " \t\r\n");
    return out->hidden.n > 0
               ? EXIT_DONE
               : command_refuse(s->refusal, EXIT_SETTING,
                                "the secret file of an upstream '%s' is empty", file.path);
}

static int load_provider(arena_t *a, const settings_t *s, const conf_upstream_t *u,
                         conf_provider_t *p)
{
    const provider_t *known = provider_find(p->profile);
    if (p->profile.n > 0 && !(known && known->usable))
        return command_refuse(s->refusal, EXIT_SETTING,
                              "upstream %" PRIstr ": '%" PRIstr "' is no profile of a provider "
                              "whose tokens can be checked; docs/PROVIDERS.md lists them",
                              STR_ARG(u->path), STR_ARG(p->profile));
    if (p->client_secret_file.n == 0)
        return EXIT_DONE;
    return read_secret(a, s, p->client_secret_file, &p->client_secret);
}

static int load_providers(arena_t *a, const settings_t *s, conf_upstream_t *u)
{
    conf_provider_t *v = ARENA_ARRAY(a, u->n_providers + 1, conf_provider_t);
    int code = v ? EXIT_DONE : no_memory(s);
    for (size_t i = 0; code == EXIT_DONE && i < u->n_providers; i++) {
        v[i] = u->providers[i];
        code = load_provider(a, s, u, &v[i]);
    }
    u->providers = v;
    return code;
}

/* What this server answers by itself would never get to the upstream, or the other way round. */
static int check_path(const settings_t *s, const conf_upstream_t *u)
{
    const http_routes_t *const TABLES[] = {as_routes(), ops_routes()};
    for (size_t i = 0; i < sizeof TABLES / sizeof TABLES[0]; i++)
        if (http_router_match(TABLES[i], HTTP_POST, u->path).kind != HTTP_MATCH_NOT_FOUND)
            return command_refuse(s->refusal, EXIT_SETTING,
                                  "upstream %" PRIstr ": this server has a page or an endpoint of "
                                  "its own under that path; choose another, such as /mcp",
                                  STR_ARG(u->path));
    return EXIT_DONE;
}

static bool make_absolute(arena_t *a, const settings_t *s, str_t *path)
{
    if (path->n > 0)
        *path = str_c(settings_path(a, s, *path));
    return str_is_set(*path) || path->n == 0;
}

bool upstreams_place(arena_t *a, const settings_t *s, conf_upstream_t *u)
{
    if (str_is_set(u->child.directory) && u->child.directory.n > 0)
        return make_absolute(a, s, &u->child.directory);
    u->child.directory = s->conf.data;
    return true;
}

static int load(arena_t *a, const settings_t *s, conf_upstream_t *u)
{
    if (!upstreams_place(a, s, u))
        return no_memory(s);
    if (!make_absolute(a, s, &u->certificate_authorities))
        return no_memory(s);
    int code = check_path(s, u);
    if (code == EXIT_DONE && u->credential.secret_file.n > 0)
        code = read_secret(a, s, u->credential.secret_file, &u->credential.secret);
    return code == EXIT_DONE ? load_providers(a, s, u) : code;
}

int upstreams_load(arena_t *a, settings_t *s)
{
    conf_t *conf = &s->conf;
    conf_upstream_t *v = ARENA_ARRAY(a, conf->n_upstreams + 1, conf_upstream_t);
    int code = v ? EXIT_DONE : no_memory(s);
    for (size_t i = 0; code == EXIT_DONE && i < conf->n_upstreams; i++) {
        v[i] = conf->upstreams[i];
        code = load(a, s, &v[i]);
    }
    conf->upstreams = v;
    return code;
}

/* ---- as resources ---- */

static const conf_scope_t *find_scope(const conf_scope_t *v, size_t n, str_t name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(v[i].name, name))
            return &v[i];
    return NULL;
}

/* Those of the policy, with the texts of the upstream, behind those that there are. */
static rc_t add_scopes(arena_t *a, const conf_upstream_t *u, str_list_t scopes, conf_resource_t *r)
{
    conf_scope_t *v = ARENA_ARRAY(a, r->n_scopes + scopes.n + 1, conf_scope_t);
    size_t n = r->n_scopes;
    if (!v)
        return RC_MEMORY;
    for (size_t i = 0; i < n; i++)
        v[i] = r->scopes[i];
    for (size_t i = 0; i < scopes.n; i++) {
        const conf_scope_t *text = find_scope(u->scopes, u->n_scopes, scopes.v[i]);
        if (!find_scope(v, n, scopes.v[i]))
            v[n++] = (conf_scope_t){scopes.v[i], text ? text->text : scopes.v[i]};
    }
    r->scopes = v;
    r->n_scopes = n;
    return RC_OK;
}

/* What a client gets that asks for nothing: what a first call needs, or, where nothing is said of
 * that, what everything needs. */
static str_list_t default_scopes(const conf_upstream_t *u, const gate_policy_t *policy)
{
    str_list_t initial = gate_policy_initial_scopes(policy), all = u->policy->default_scopes;
    if (initial.n > 0)
        return initial;
    for (size_t i = 0; i < all.n; i++)
        if (conf_scope_has_name(all.v[i]))
            return (str_list_t){0};
    return all;
}

static rc_t fill(arena_t *a, const conf_upstream_t *u, conf_resource_t *r)
{
    gate_policy_t *policy;
    TRY(gate_policy_new(a, u->policy, &policy));
    TRY(add_scopes(a, u, gate_policy_scopes(policy), r));
    if (r->default_scopes.n == 0)
        r->default_scopes = default_scopes(u, policy);
    r->dpop_required |= u->dpop_required;
    return RC_OK;
}

static bool takes_own_tokens(const conf_upstream_t *u, str_t issuer)
{
    for (size_t i = 0; i < u->n_providers; i++)
        if (str_eq(u->providers[i].issuer, issuer))
            return true;
    return u->n_providers == 0;
}

static conf_resource_t *find_resource(conf_resource_t *v, size_t n, str_t uri)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(v[i].uri, uri))
            return &v[i];
    return NULL;
}

static rc_t add(arena_t *a, const conf_upstream_t *u, str_t issuer, conf_resource_t *v, size_t *n)
{
    str_t uri = arena_printf(a, "%" PRIstr "%" PRIstr, STR_ARG(issuer), STR_ARG(u->path));
    if (!str_is_set(uri))
        return RC_MEMORY;
    conf_resource_t *r = find_resource(v, *n, uri);
    if (!r) {
        r = &v[(*n)++];
        *r = (conf_resource_t){.uri = uri, .name = u->name};
    }
    return fill(a, u, r);
}

rc_t upstreams_resources(arena_t *a, const conf_t *conf, str_t issuer, const conf_resource_t **out,
                         size_t *n)
{
    size_t most = conf->n_resources + conf->n_upstreams;
    conf_resource_t *v = ARENA_ARRAY(a, most + 1, conf_resource_t);
    if (!v)
        return RC_MEMORY;
    *out = v;
    *n = conf->n_resources;
    for (size_t i = 0; i < conf->n_resources; i++)
        v[i] = conf->resources[i];
    for (size_t i = 0; i < conf->n_upstreams; i++)
        if (takes_own_tokens(&conf->upstreams[i], issuer))
            TRY(add(a, &conf->upstreams[i], issuer, v, n));
    return RC_OK;
}
