/* Makes the snapshot of the upstreams out of the settings: policies ready, access, credentials and
 * drivers wired. */
#include "proxy/relay.h"

#include "core/url.h"
#include "gate/condition.h"
#include "jose/digest.h"
#include "proxy/upstream_child.h"
#include "proxy/upstream_http.h"

/* Policies of a thousand rules each. */
enum { ARENA_BYTES = 64 << 20 };

static const route_ports_t PORTS = {
    .check = access_check,
    .lives = access_lives,
    .asks = access_asks,
    .still = access_still,
    .ready = access_ready,
    .insufficient = access_insufficient,
    .step_up = access_step_up,
    .metadata = access_metadata,
    .metadata_path = access_metadata_path,
    .credential = credential_get,
    .drop = credential_drop,
};

/* A set with what it owns. The set comes first. */
typedef struct {
    route_set_t set;
    arena_t *arena; /* holds this */
    route_t *routes;
    void (*release)(void *ctx);
    void *ctx;
} made_t;

typedef struct {
    arena_t *a; /* for sentences */
    const gateway_config_t *config;
    const gateway_settings_t *settings;
    made_t *made;
    const route_set_t *before; /* held; NULL: these are the first */
    str_t *why;
} maker_t;

static void end_route(route_t *r)
{
    access_free(r->access);
    credential_free(r->credential);
    if (r->upstream.free)
        r->upstream.free(r->upstream.ctx);
}

static void end_parts(made_t *m)
{
    for (size_t i = 0; i < m->set.n; i++)
        end_route(&m->routes[i]);
    arena_free(m->arena);
}

static void end_set(route_set_t *set)
{
    made_t *m = (made_t *)set;
    void (*release)(void *ctx) = m->release;
    void *ctx = m->ctx;
    end_parts(m);
    if (release)
        release(ctx);
}

static str_t join(arena_t *a, str_list_t words)
{
    str_t out;
    buf_t b = buf_new(a, LIMIT_METADATA_BYTES);
    for (size_t i = 0; i < words.n; i++) {
        if (i > 0)
            buf_char(&b, ' ');
        buf_put(&b, words.v[i]);
    }
    return buf_done(&b, &out) == RC_OK ? (out.p ? out : STR("")) : STR_UNSET;
}

static rc_t name_resource(arena_t *a, str_t issuer, route_t *r)
{
    url_t u;
    bool root = str_eq(r->conf->path, STR("/"));
    r->resource =
        root ? arena_dup(a, issuer)
             : arena_printf(a, "%" PRIstr "%" PRIstr, STR_ARG(issuer), STR_ARG(r->conf->path));
    if (!r->resource.p)
        return RC_MEMORY;
    TRY(url_parse(r->resource, &u));
    r->host = u.host;
    r->local = url_host_is_loopback(u.host);
    return RC_OK;
}

static rc_t make_policies(arena_t *a, route_t *r)
{
    gate_policy_t *policy, *shadow;
    TRY(gate_policy_new(a, r->conf->policy, &policy));
    r->policy = policy;
    if (!r->conf->shadow)
        return RC_OK;
    TRY(gate_policy_new(a, r->conf->shadow, &shadow));
    r->shadow = shadow;
    return RC_OK;
}

/* Rules, or the identity that goes on. */
static bool asks_claims(const conf_upstream_t *u)
{
    return u->identity != CONF_IDENTITY_NONE || gate_asks_claims(u->policy) ||
           (u->shadow && gate_asks_claims(u->shadow));
}

/* Clients whose requests go to several nodes in turn come with the nonce of another one. */
static str_t nonce_secret(arena_t *a, str_t handle_key)
{
    uint8_t mac[SHA256_BYTES];
    buf_t b = buf_new(a, sizeof mac * 2);
    hmac_sha256(handle_key, STR("nonces of the gateway"), mac);
    buf_b64url(&b, mac, sizeof mac);
    return buf_str(&b);
}

static rc_t make_access(const maker_t *m, route_t *r)
{
    const gateway_config_t *c = m->config;
    arena_t *own = m->made->arena;
    access_config_t config = {
        .upstream = r->conf,
        .resource = r->resource,
        .issuer = m->settings->issuer,
        .local = c->local,
        .spend = c->spend,
        .initial_scopes = join(own, gate_policy_initial_scopes(r->policy)),
        .scopes = join(own, gate_policy_scopes(r->policy)),
        .pool = c->pool,
        .fetch = c->fetch,
        .log = c->log,
        .clock = c->clock,
        .dpop_nonce = m->settings->conf->dpop_nonce,
        .nonce_secret = nonce_secret(own, c->handle_key),
        .dpop_off = str_eq(m->settings->conf->dpop, STR("off")),
        .claims = asks_claims(r->conf),
    };
    if (!config.scopes.p || !config.initial_scopes.p || !config.nonce_secret.p)
        return RC_MEMORY;
    return access_new(m->a, &config, &r->access, m->why);
}

static rc_t make_credential(const maker_t *m, route_t *r)
{
    const gateway_config_t *c = m->config;
    if (r->conf->credential.kind == CONF_CREDENTIAL_NONE && r->conf->identity == CONF_IDENTITY_NONE)
        return RC_OK;
    credential_config_t config = {
        .upstream = r->conf,
        .pool = c->pool,
        .fetch = c->fetch,
        .log = c->log,
        .clock = c->clock,
        .random = c->random,
        .sign = c->sign,
        .sign_ctx = c->sign_ctx,
        .issuer = m->settings->issuer,
    };
    return credential_new(&config, &r->credential);
}

/* Children start and end on a thread of their own. */
static void record_child(void *ctx, const audit_event_t *e)
{
    const gateway_config_t *c = ctx;
    if (audit_write(c->audit, &e, 1) != RC_OK)
        LOG(c->log, LOG_ERROR, "an event of a child is not in the trail",
            LOG_S("reason", e->reason));
}

static bool has_child(const route_t *r)
{
    return r->conf->child.command.n > 0;
}

/* Children of settings that stay are left alone, with their sessions. */
static bool take_on(const maker_t *m, const upstream_child_config_t *config, route_t *r)
{
    for (size_t i = 0; m->before && i < m->before->n; i++) {
        const route_t *was = &m->before->v[i];
        if (!has_child(was) || !upstream_child_take_on(&was->upstream, config))
            continue;
        r->upstream = was->upstream;
        r->hooks = was->hooks;
        return true;
    }
    return false;
}

static rc_t make_child(const maker_t *m, route_t *r)
{
    const gateway_config_t *c = m->config;
    upstream_child_config_t config = {
        .upstream = r->conf,
        .directory = c->data,
        .log = c->log,
        .clock = c->clock,
        .random = c->random,
        .audit = record_child,
        .audit_ctx = (void *)(uintptr_t)c,
        .spawner = c->spawner,
    };
    return take_on(m, &config, r) ? RC_OK
                                  : upstream_child_new(&config, &r->upstream, &r->hooks, m->why);
}

static rc_t make_route(const maker_t *m, const conf_upstream_t *conf, route_t *r)
{
    arena_t *own = m->made->arena;
    r->conf = conf;
    r->ports = &PORTS;
    r->state = ARENA_NEW(own, route_state_t);
    if (!r->state)
        return RC_MEMORY;
    TRY(name_resource(own, m->settings->issuer, r));
    TRY(make_policies(own, r));
    TRY(make_access(m, r));
    TRY(make_credential(m, r));
    if (has_child(r))
        return RC_OK;
    return upstream_http_new(m->a, r->conf, &r->upstream, &r->hooks, m->why);
}

/* Last of all: settings that are refused must not have run a command. */
static rc_t make_children(const maker_t *m)
{
    for (size_t i = 0; i < m->made->set.n; i++) {
        if (has_child(&m->made->routes[i]))
            TRY(make_child(m, &m->made->routes[i]));
    }
    return RC_OK;
}

static rc_t make_routes(const maker_t *m)
{
    const conf_t *conf = m->settings->conf;
    made_t *made = m->made;
    made->routes = ARENA_ARRAY(made->arena, conf->n_upstreams, route_t);
    if (!made->routes)
        return RC_MEMORY;
    made->set.v = made->routes;
    for (size_t i = 0; i < conf->n_upstreams; i++) {
        made->set.n = i + 1; /* also a half-made route is ended */
        TRY(make_route(m, &conf->upstreams[i], &made->routes[i]));
    }
    return make_children(m);
}

rc_t gateway_load(gateway_t *g, arena_t *a, const gateway_settings_t *settings, str_t *why)
{
    arena_t *own = arena_new(ARENA_BYTES);
    made_t *made = own ? ARENA_NEW(own, made_t) : NULL;
    if (!made) {
        arena_free(own);
        return RC_MEMORY;
    }
    *why = STR("out of memory");
    made->arena = own;
    made->set.end = end_set;
    atomic_init(&made->set.refs, 1);
    route_set_t *before = gateway_hold(g);
    const maker_t m = {a, &g->config, settings, made, before, why};
    rc_t rc = make_routes(&m);
    route_set_drop(before);
    if (rc != RC_OK) {
        end_parts(made);
        return rc;
    }
    made->release = settings->release;
    made->ctx = settings->ctx;
    gateway_install(g, &made->set);
    return RC_OK;
}
