#include "as/app.h"

#include "as/endpoints.h"
#include "as/fetched.h"
#include "as/maintenance.h"
#include "as/page.h"
#include "as/trusted.h"
#include "core/limits.h"
#include "core/url.h"
#include "identity/csrf.h"
#include "oauth/metadata.h"
#include "web/form.h"

#include <stdlib.h>

/* What a form decides on, for the event when it is refused. */
static const audit_kind_t LOGIN = AUDIT_LOGIN, CONSENT = AUDIT_CONSENT, LOGOUT = AUDIT_LOGOUT,
                          SETUP = AUDIT_USER_CREATED, REVOKE = AUDIT_REVOKE, DEVICE = AUDIT_DEVICE;

static const as_doc_t SERVER = AS_DOCUMENT_SERVER, OPENID = AS_DOCUMENT_OPENID,
                      JWKS = AS_DOCUMENT_JWKS;

enum {
    READ = HTTP_M(GET),
    WRITE = HTTP_M(POST),
    PAGE = HTTP_ROUTE_PAGE,
    STEP = HTTP_ROUTE_PAGE | HTTP_ROUTE_NO_HEAD, /* may answer with a code */
    FORM_PAGE = HTTP_ROUTE_PAGE | HTTP_ROUTE_CSRF,
    /* Clients look for metadata with the path of the issuer or of the resource behind it (RFC 8414
     * section 3.1) and before it (OpenID Connect Discovery section 4). */
    WELL_KNOWN = HTTP_ROUTE_PREFIX | HTTP_ROUTE_SUFFIX,
};

#define FORM(limit) .body_limit = (limit), .bodies = HTTP_BODY_FORM
#define JSON(limit) .body_limit = (limit), .bodies = HTTP_BODY_JSON
#define OPEN_TO_ALL .cors = HTTP_CORS_PUBLIC

static const http_route_t ROUTES[] = {
    {STR_INIT("/.well-known/oauth-authorization-server"), READ, as_document_get, OPEN_TO_ALL,
     .flags = WELL_KNOWN, .data = &SERVER},
    {STR_INIT("/.well-known/openid-configuration"), READ, as_document_get, OPEN_TO_ALL,
     .flags = WELL_KNOWN, .data = &OPENID},
    {STR_INIT(OAUTH_PATH_JWKS), READ, as_document_get, OPEN_TO_ALL, .data = &JWKS},
    {STR_INIT(OAUTH_PATH_REGISTER), WRITE, as_register_post, JSON(LIMIT_REGISTRATION_BYTES),
     OPEN_TO_ALL, .flags = HTTP_ROUTE_NO_STORE, .rate_class = AS_RATE_REGISTER},
    {STR_INIT(OAUTH_PATH_REGISTER), READ | HTTP_M(DELETE), as_manage, OPEN_TO_ALL,
     .flags = HTTP_ROUTE_NO_STORE | HTTP_ROUTE_PREFIX, .rate_class = AS_RATE_REGISTER},
    {STR_INIT(OAUTH_PATH_REGISTER), HTTP_M(PUT), as_manage, JSON(LIMIT_REGISTRATION_BYTES),
     OPEN_TO_ALL, .flags = HTTP_ROUTE_NO_STORE | HTTP_ROUTE_PREFIX, .rate_class = AS_RATE_REGISTER},
    {STR_INIT(OAUTH_PATH_TOKEN), WRITE, as_token_post, FORM(LIMIT_FORM_BYTES), OPEN_TO_ALL,
     .flags = HTTP_ROUTE_NO_STORE},
    {STR_INIT(OAUTH_PATH_REVOKE), WRITE, as_revoke_post, FORM(LIMIT_FORM_BYTES), OPEN_TO_ALL,
     .flags = HTTP_ROUTE_NO_STORE},
    {STR_INIT(OAUTH_PATH_INTROSPECT), WRITE, as_introspect_post, FORM(LIMIT_FORM_BYTES),
     .flags = HTTP_ROUTE_NO_STORE},
    {STR_INIT(OAUTH_PATH_REVOCATIONS), READ, as_revocations_get, OPEN_TO_ALL,
     .rate_class = AS_RATE_FEED},

    {STR_INIT(OAUTH_PATH_PUSHED), WRITE, as_pushed_post, FORM(LIMIT_FORM_BYTES), OPEN_TO_ALL,
     .flags = HTTP_ROUTE_NO_STORE, .rate_class = AS_RATE_BEGIN},
    {STR_INIT(OAUTH_PATH_DEVICES), WRITE, as_device_authorization_post, FORM(LIMIT_FORM_BYTES),
     OPEN_TO_ALL, .flags = HTTP_ROUTE_NO_STORE, .rate_class = AS_RATE_BEGIN},

    {STR_INIT(OAUTH_PATH_AUTHORIZE), READ | WRITE, as_authorize, FORM(LIMIT_FORM_BYTES),
     .flags = STEP, .rate_class = AS_RATE_PAGE},
    {STR_INIT(WEB_PATH_CONSENT), READ, as_consent_get, .flags = STEP, .rate_class = AS_RATE_PAGE},
    {STR_INIT(WEB_PATH_CONSENT), WRITE, as_consent_post, FORM(LIMIT_FORM_BYTES), .flags = FORM_PAGE,
     .rate_class = AS_RATE_PAGE, .data = &CONSENT},
    {STR_INIT(WEB_PATH_DEVICE), READ, as_device_get, .flags = PAGE, .rate_class = AS_RATE_PAGE},
    {STR_INIT(WEB_PATH_DEVICE), WRITE, as_device_post, FORM(LIMIT_FORM_BYTES), .flags = FORM_PAGE,
     .rate_class = AS_RATE_PAGE, .data = &DEVICE},
    {STR_INIT(WEB_PATH_LOGIN), READ, as_login_get, .flags = PAGE, .rate_class = AS_RATE_PAGE},
    {STR_INIT(WEB_PATH_LOGIN), WRITE, as_login_post, FORM(LIMIT_FORM_BYTES), .flags = FORM_PAGE,
     .rate_class = AS_RATE_PAGE, .data = &LOGIN},
    {STR_INIT(WEB_PATH_ELSEWHERE), WRITE, as_login_elsewhere_post, FORM(LIMIT_FORM_BYTES),
     .flags = FORM_PAGE, .rate_class = AS_RATE_PAGE, .data = &LOGIN},
    {STR_INIT(WEB_PATH_CALLBACK), READ, as_login_callback_get, .flags = STEP,
     .rate_class = AS_RATE_PAGE},
    {STR_INIT(WEB_PATH_SETUP), READ, as_setup_get, .flags = PAGE, .rate_class = AS_RATE_PAGE},
    {STR_INIT(WEB_PATH_SETUP), WRITE, as_setup_post, FORM(LIMIT_FORM_BYTES), .flags = FORM_PAGE,
     .rate_class = AS_RATE_PAGE, .data = &SETUP},
    {STR_INIT(WEB_PATH_LOGOUT), READ, as_logout_get, .flags = PAGE, .rate_class = AS_RATE_PAGE},
    {STR_INIT(WEB_PATH_LOGOUT), WRITE, as_logout_post, FORM(LIMIT_FORM_BYTES), .flags = FORM_PAGE,
     .rate_class = AS_RATE_PAGE, .data = &LOGOUT},
    {STR_INIT(WEB_PATH_REVOKE), WRITE, as_grant_revoke_post, FORM(LIMIT_FORM_BYTES),
     .flags = FORM_PAGE, .rate_class = AS_RATE_PAGE, .data = &REVOKE},
    {STR_INIT(WEB_PATH_HOME), READ, as_home_get, .flags = PAGE, .rate_class = AS_RATE_PAGE},

    {STR_INIT("/assets"), READ, as_asset_get, .flags = HTTP_ROUTE_PREFIX},
    {STR_INIT("/healthz"), READ, as_health_get, .flags = HTTP_ROUTE_NO_STORE},
};

const http_routes_t *as_routes(void)
{
    static const http_routes_t ALL = {ROUTES, sizeof ROUTES / sizeof ROUTES[0]};
    return &ALL;
}

/* Before the body is read: how often may this address ask? */
static bool admit(http_exchange_t *x)
{
    uint32_t retry_after = 1;
    const as_worker_t *w = x->worker;
    as_rate_t rate = (as_rate_t)x->route->rate_class;
    if (rate == AS_RATE_NONE || as_limits_take(w->as->limits, rate, x->rate_key, &retry_after))
        return true;
    as_page_retry(x, 429, retry_after, STR("too many requests; try again later"));
    return false;
}

/* A form must come from our own origin; its token is the handler's to check. */
static bool guard(http_exchange_t *x)
{
    const as_worker_t *w = x->worker;
    bool once = http_headers_count(x->headers, STR("origin")) <= 1 &&
                http_headers_count(x->headers, STR("sec-fetch-site")) <= 1;
    if (!(x->route->flags & HTTP_ROUTE_CSRF) ||
        (once &&
         identity_csrf_origin_fits(http_header(x, STR("origin")),
                                   http_header(x, STR("sec-fetch-site")), w->as->oauth.issuer)))
        return true;
    as_page_refuse_origin(x, *(const audit_kind_t *)x->route->data);
    return false;
}

static bool is_local(str_t issuer)
{
    url_t url;
    return url_parse(issuer, &url) == RC_OK && url_host_is_loopback(url.host);
}

static oauth_registration_t registration_mode(const conf_t *conf, str_t issuer)
{
    if (str_eq(conf->registration, STR("off")))
        return OAUTH_REGISTER_OFF;
    if (str_eq(conf->registration, STR("open")))
        return OAUTH_REGISTER_OPEN;
    if (str_eq(conf->registration, STR("token")))
        return OAUTH_REGISTER_TOKEN;
    if (str_eq(conf->registration, STR("statement")))
        return OAUTH_REGISTER_STATEMENT;
    return is_local(issuer) ? OAUTH_REGISTER_OPEN : OAUTH_REGISTER_TOKEN;
}

/* Whoever could claim a private-use scheme on this machine can listen on its loopback interface as
 * well, so nothing is lost there; on others' machines the operator decides. */
static str_list_t redirect_schemes(const as_t *as, str_t issuer)
{
    bool is_auto = str_eq(as->conf->redirect_profile, STR("auto"));
    bool desktop = str_eq(as->conf->redirect_profile, STR("desktop"));
    return desktop || (is_auto && is_local(issuer)) ? as->desktop_schemes
                                                    : as->conf->redirect_schemes;
}

static oauth_dpop_mode_t dpop_mode(const conf_t *conf)
{
    if (str_eq(conf->dpop, STR("off")))
        return OAUTH_DPOP_OFF;
    return str_eq(conf->dpop, STR("required")) ? OAUTH_DPOP_REQUIRED : OAUTH_DPOP_OPTIONAL;
}

static oauth_audience_t assertion_audience(str_t word)
{
    if (str_eq(word, STR("issuer")))
        return OAUTH_AUDIENCE_ISSUER;
    return str_eq(word, STR("endpoint")) ? OAUTH_AUDIENCE_ENDPOINT : OAUTH_AUDIENCE_AUTO;
}

static oauth_settings_t oauth_settings_of(const conf_t *conf)
{
    oauth_settings_t s = oauth_settings_default();
    s.code_lifetime = conf->code_lifetime;
    s.access_token_lifetime = conf->access_token_lifetime;
    s.refresh_token_idle = conf->refresh_token_idle;
    s.refresh_token_lifetime = conf->refresh_token_lifetime;
    s.refresh_grace = conf->refresh_grace;
    s.refresh_rotate_bound = conf->refresh_rotate_bound;
    s.dpop = dpop_mode(conf);
    s.dpop_nonce = conf->dpop_nonce;
    s.max_spent = (uint64_t)conf->spent_max;
    s.pushed_lifetime = conf->pushed_request_lifetime;
    s.pushed_required = conf->require_pushed_authorization_requests;
    s.device_lifetime = conf->device_code_lifetime;
    if (conf->registration_device_code)
        s.registrable_grants |= GRANT_DEVICE_CODE;
    s.stateless_clients = conf->registration_stateless;
    s.registration_management = conf->registration_management;
    s.redirects.hosts = conf->redirect_hosts;
    s.redirects.denied_hosts = conf->redirect_denied_hosts;
    s.registration_unused_ttl = conf->registration_unused_ttl;
    s.max_clients = (uint64_t)conf->registration_max_clients;
    s.documents = str_eq(conf->client_documents, STR("on"));
    s.document_hosts = conf->client_document_hosts;
    s.denied_document_hosts = conf->client_document_denied_hosts;
    s.private_hosts = conf->client_document_private_hosts;
    s.assertion_audience = assertion_audience(conf->client_assertion_audience);
    return s;
}

static rc_t default_resource(arena_t *a, const conf_t *conf, str_t *out)
{
    url_t url;
    *out = STR_UNSET;
    if (conf->default_resource.n == 0)
        return RC_OK;
    TRY(url_parse(conf->default_resource, &url));
    return url_canonical(a, &url, out);
}

static rc_t read_catalogue(arena_t *a, as_t *as)
{
    str_list_t more, own = as->conf->redirect_schemes;
    if (as->conf->catalogue)
        as->catalogue = *as->conf->catalogue;
    else
        TRY(conf_catalogue_default(a, &as->catalogue));
    TRY(conf_catalogue_schemes(a, &as->catalogue, &more));
    str_t *v = ARENA_ARRAY(a, own.n + more.n + 1, str_t);
    if (!v)
        return RC_MEMORY;
    for (size_t i = 0; i < own.n + more.n; i++)
        v[i] = i < own.n ? own.v[i] : more.v[i - own.n];
    as->desktop_schemes = (str_list_t){v, own.n + more.n};
    return RC_OK;
}

static void fill(as_t *as, const as_config_t *config)
{
    const conf_t *conf = config->conf;
    as->conf = conf;
    as->oauth = oauth_settings_of(conf);
    as->session_times = (identity_session_times_t){conf->session_idle, conf->session_lifetime};
    as->password_cost = identity_password_cost_default();
    as->store = config->store;
    as->audit = config->audit;
    as->pool = config->pool;
    as->log = config->log;
    as->clock = config->clock;
    as->random = config->random;
    as->kek = config->kek;
    as->vault = config->vault;
    as->fetchers = config->fetchers;
    as->fetch = config->fetch;
    as->login_secret = config->login_secret;
    as->app = (http_app_t){
        .routes = *as_routes(),
        .ctx = as,
        .admit = admit,
        .guard = guard,
        .page_error = as_page_error_hook,
    };
}

static rc_t make_fetched(as_t *as, const as_config_t *config)
{
    const as_fetched_config_t fetched = {
        .settings = &as->oauth,
        .fetch = config->fetch,
        .pool = config->fetchers,
        .clock = config->clock,
        .random = config->random,
    };
    return as_fetched_new(&fetched, &as->fetched);
}

/* Processes that know nothing of each other must not have the same. */
static rc_t choose_holder(arena_t *a, as_t *as, const as_config_t *config)
{
    uint8_t bytes[16];
    as->node_lease = config->node_lease;
    TRY(as->random.fill(as->random.ctx, bytes, sizeof bytes));
    buf_t b = buf_new(a, 2 * sizeof bytes);
    buf_hex(&b, bytes, sizeof bytes);
    TRY(buf_done(&b, &as->process));
    as->holder = str_is_set(config->holder) ? config->holder : as->process;
    return RC_OK;
}

rc_t as_new(arena_t *a, const as_config_t *config, as_t **out)
{
    as_t *as = *out = ARENA_NEW(a, as_t);
    if (!as)
        return RC_MEMORY;
    fill(as, config);
    TRY(choose_holder(a, as, config));
    TRY(default_resource(a, config->conf, &as->default_resource));
    TRY(read_catalogue(a, as));
    TRY(as_trusted_issuers(a, config->conf, &as->oauth.issuers));
    if (oauth_issuer_any(&as->oauth.issuers, OAUTH_ISSUER_ID_JAG))
        as->oauth.registrable_grants |= GRANT_JWT_BEARER;
    TRY(as_limits_new(config->conf, config->clock, config->random, &as->limits));
    TRY(make_fetched(as, config));
    return as_throttle_new(config->clock, config->random, &as->throttle);
}

void as_identify(as_t *as, str_t issuer)
{
    as->oauth.issuer = issuer;
    as->oauth.registration = registration_mode(as->conf, issuer);
    as->oauth.redirects.schemes = redirect_schemes(as, issuer);
    as->secure = str_starts(issuer, STR("https://"));
}

void as_free(as_t *as)
{
    if (!as)
        return;
    as_limits_free(as->limits);
    as_throttle_free(as->throttle);
    as_fetched_free(as->fetched);
    arena_free(as->keys.look); /* cut off by the end of its worker, as the next */
    arena_free(as->forgetting.a);
}

static rc_t worker_new(as_t *as, post_port_t post, as_worker_t **out)
{
    as_worker_t *w = calloc(1, sizeof *w);
    if (!w)
        return RC_MEMORY;
    w->as = as;
    w->post = post;
    rc_t rc = store_connect(as->store, post, &w->store);
    if (rc != RC_OK) {
        free(w);
        return rc;
    }
    *out = w;
    return RC_OK;
}

rc_t as_worker_new(as_t *as, post_port_t post, as_worker_t **out)
{
    TRY(worker_new(as, post, out));
    as_snapshot_refresh(*out);
    return RC_OK;
}

void as_worker_free(as_worker_t *w)
{
    as_snapshot_release(w->snapshot);
    store_disconnect(w->store);
    free(w);
}

/* Also where no request comes: a form of the newest keys must not be met by older ones. */
enum { LOOK_MS = 1000 };

static void look_at_snapshot(void *worker)
{
    as_snapshot_refresh(worker);
}

rc_t as_worker_init(void *app, http_worker_t *loop, void **worker)
{
    as_worker_t *w;
    TRY(worker_new(app, http_worker_post(loop), &w));
    as_snapshot_first(w);
    w->loop = loop;
    *worker = w;
    if (http_worker_index(loop) < AS_WORKERS_MAX)
        w->as->workers[http_worker_index(loop)] = w;
    if (!http_timer_start(loop, LOOK_MS, LOOK_MS, look_at_snapshot, w))
        return RC_MEMORY;
    return http_worker_index(loop) == 0 ? as_maintenance_start(w) : RC_OK;
}

void as_worker_exit(void *app, void *worker)
{
    as_worker_t *w = worker;
    (void)app;
    if (http_worker_index(w->loop) == 0)
        as_maintenance_stop(w);
    as_worker_free(w);
}
