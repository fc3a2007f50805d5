#include "as/upstream.h"

#include "core/url.h"
#include "web/form.h"

enum { POST_ARENA_BYTES = 1 << 20 };

str_t as_upstream_name(const as_t *as)
{
    url_t u;
    const conf_t *conf = as->conf;
    if (conf->login_issuer.n == 0)
        return STR_UNSET;
    if (conf->login_name.n > 0)
        return conf->login_name;
    return url_parse(conf->login_issuer, &u) == RC_OK ? u.host : conf->login_issuer;
}

rc_t as_upstream_settings(as_flow_t *f, identity_upstream_t *out)
{
    const as_t *as = f->w->as;
    const conf_t *conf = as->conf;
    if (conf->login_issuer.n == 0)
        return RC_NOT_FOUND;
    *out = (identity_upstream_t){
        .issuer = conf->login_issuer,
        .client_id = conf->login_client_id,
        .secret = as->login_secret.hidden,
        .scopes = conf->login_scopes,
        .redirect_uri = arena_printf(f->a, "%" PRIstr WEB_PATH_CALLBACK, STR_ARG(as->oauth.issuer)),
        .allowed = conf->login_allowed,
        .groups_claim = conf->login_groups_claim,
    };
    return str_is_set(out->redirect_uri) ? RC_OK : RC_MEMORY;
}

static void send_it(void *arg)
{
    as_upstream_post_t *p = arg;
    p->rc = p->fetch.get(p->fetch.ctx, p->a, &p->request, &p->response);
}

static void sent(void *arg)
{
    const as_upstream_post_t *p = arg;
    p->done(p->flow);
}

static void free_arena(void *arena)
{
    arena_free(arena);
}

rc_t as_upstream_send(as_flow_t *f, as_upstream_post_t *p, as_step_t done)
{
    p->a = arena_new(POST_ARENA_BYTES);
    if (!p->a)
        return RC_MEMORY;
    TRY(arena_cleanup(f->a, free_arena, p->a));
    p->fetch = f->w->as->fetch;
    p->flow = f;
    p->done = done;
    return http_pool_run(f->w->as->fetchers, f->w->post, send_it, sent, p);
}
