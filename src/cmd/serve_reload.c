#include "cmd/serve.h"

#include "cmd/notify.h"
#include "cmd/upstreams.h"
#include "conf/conf_reload.h"

#include <stdlib.h>

enum { ARENA_BYTES = 16 << 20, NAMES_BYTES = 4096 };

/* The settings of one reload; they live until no request uses them any more. */
typedef struct {
    arena_t *a;
    settings_t settings;
    refusal_t refusal;
    str_list_t kept; /* what needs a restart, by name */
    http_tls_t *tls; /* NULL: the listener is plain */
} reload_t;

static void reload_free(void *ctx)
{
    reload_t *r = ctx;
    http_tls_free(r->tls);
    arena_free(r->a);
    free(r);
}

static reload_t *reload_new(void)
{
    reload_t *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->a = arena_new(ARENA_BYTES);
    r->refusal = (refusal_t){r->a, STR_UNSET};
    if (r->a)
        return r;
    free(r);
    return NULL;
}

/* Everything is read and checked before anything changes. */
static int load(serve_t *s, reload_t *r)
{
    int code = settings_load_again(r->a, s->rows, &r->settings, &r->refusal);
    if (code == EXIT_DONE &&
        conf_reload(r->a, &s->settings.conf, &r->settings.conf, &r->kept) != RC_OK)
        code = command_refuse(&r->refusal, EXIT_FAILED, "out of memory");
    if (code == EXIT_DONE)
        code = upstreams_load(r->a, &r->settings);
    if (code == EXIT_DONE)
        code = serve_load_tls(r->a, &r->settings, &s->log, &r->tls);
    return code;
}

/* Whether nothing has changed that the gateway sees: the same file, and the same secrets. What
 * upstreams trust stands in files that are theirs to read. */
static bool is_same_gateway(const settings_t *one, const settings_t *other)
{
    const conf_t *a = &one->conf, *b = &other->conf;
    if (!str_eq(one->sources.file, other->sources.file) || a->n_upstreams != b->n_upstreams)
        return false;
    for (size_t i = 0; i < a->n_upstreams; i++) {
        const conf_upstream_t *u = &a->upstreams[i], *v = &b->upstreams[i];
        if (u->certificate_authorities.n > 0 ||
            !secret_eq(u->credential.secret, v->credential.secret))
            return false;
        for (size_t k = 0; k < u->n_providers; k++)
            if (!secret_eq(u->providers[k].client_secret, v->providers[k].client_secret))
                return false;
    }
    return true;
}

static str_t names_of(arena_t *a, str_list_t names)
{
    str_t text;
    buf_t b = buf_new(a, NAMES_BYTES);
    for (size_t i = 0; i < names.n; i++)
        buf_fmt(&b, "%s%" PRIstr, i ? ", " : "", STR_ARG(names.v[i]));
    return buf_done(&b, &text) == RC_OK ? text : STR("several");
}

static void record(serve_t *s, arena_t *a, bool allowed, str_t detail)
{
    prepare_t p = serve_prepare(s);
    const audit_event_t event = {.kind = AUDIT_SETTINGS,
                                 .allowed = allowed,
                                 .reason = allowed ? STR("loaded") : STR("refused"),
                                 .detail = detail};
    p.a = a;
    if (prepare_record(&p, &event) != RC_OK)
        LOG(&s->log, LOG_ERROR, "that settings were loaded cannot be recorded",
            LOG_S("detail", detail));
}

static void say_refused(serve_t *s, reload_t *r, str_t why)
{
    LOG(&s->log, LOG_ERROR, "the settings are refused and nothing has changed", LOG_S("why", why));
    record(s, r->a, false, why);
    reload_free(r);
}

/* Nothing of this can fail. */
static void take(serve_t *s, const reload_t *r)
{
    s->log.min = serve_log_level(r->settings.conf.log_level);
    if (r->tls)
        http_server_set_tls(s->server, r->tls);
    for (size_t i = 0; i < r->kept.n; i++)
        LOG(&s->log, LOG_WARN, "a setting has changed that needs a restart, and keeps its value",
            LOG_S("setting", r->kept.v[i]));
    LOG(&s->log, LOG_INFO, "the settings were loaded anew",
        LOG_I("upstreams", (int64_t)r->settings.conf.n_upstreams));
    str_t detail = r->kept.n ? arena_printf(r->a, "a restart is needed for %" PRIstr,
                                            STR_ARG(names_of(r->a, r->kept)))
                             : STR_UNSET;
    record(s, r->a, true, detail);
}

static void reload(serve_t *s, reload_t *r)
{
    str_t why = STR("out of memory");
    if (load(s, r) != EXIT_DONE) {
        say_refused(s, r, r->refusal.why);
        return;
    }
    if (is_same_gateway(s->in_force, &r->settings)) {
        take(s, r);
        reload_free(r);
        return;
    }
    const serve_upstreams_t upstreams = {&r->settings.conf, reload_free, r};
    if (serve_load_gateway(s, r->a, &upstreams, &why) != RC_OK) {
        say_refused(s, r, why);
        return;
    }
    rc_t rc = serve_put_resources(s, r->a, &r->settings.conf);
    if (rc != RC_OK)
        LOG(&s->log, LOG_ERROR, "resources of the settings could not be put into the store",
            LOG_S("why", str_c(rc_name(rc))));
    s->in_force = &r->settings;
    take(s, r);
}

void serve_reload(void *serve)
{
    serve_t *s = serve;
    reload_t *r = reload_new();
    notify_reloading();
    if (r)
        reload(s, r);
    else
        LOG(&s->log, LOG_ERROR, "the settings are not loaded anew: out of memory");
    notify_send("READY=1");
}
