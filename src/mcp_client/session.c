#include "mcp_client/session_state.h"

#include <stdlib.h>
#include <time.h>

enum { CLIENT_BYTES = 256 << 10 };

static void init_locks(mcp_client_t *c)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&c->lock, NULL);
    pthread_mutex_init(&c->asking, NULL);
    pthread_mutex_init(&c->tabling, NULL);
    pthread_cond_init(&c->changed, &attr);
    pthread_condattr_destroy(&attr);
}

static rc_t copy_text(arena_t *a, str_t *s)
{
    str_t copy = arena_dup(a, *s);
    bool failed = s->p && !copy.p;
    *s = copy;
    return failed ? RC_MEMORY : RC_OK;
}

static rc_t prepare(mcp_client_t *c, const mcp_client_config_t *config)
{
    c->config = *config;
    c->a = arena_new(CLIENT_BYTES);
    if (!c->a)
        return RC_MEMORY;
    TRY(copy_text(c->a, &c->config.name));
    TRY(copy_text(c->a, &c->config.version));
    TRY(copy_text(c->a, &c->config.extensions));
    c->capabilities = session_capabilities(c->a, &c->config);
    if (!c->capabilities.p)
        return RC_MALFORMED;
    c->config.link.events =
        (mcp_link_events_t){session_on_message, session_on_failed, session_on_unheard, c};
    return mcp_link_new(&c->config.link, &c->link);
}

rc_t mcp_client_open(const mcp_client_config_t *config, arena_t *a, mcp_client_t **out,
                     mcp_client_failure_t *why)
{
    mcp_client_t *c = calloc(1, sizeof *c);
    *out = NULL;
    *why = (mcp_client_failure_t){0};
    if (!c)
        return RC_MEMORY;
    init_locks(c);
    rc_t rc = prepare(c, config);
    if (rc == RC_OK)
        rc = session_open(c, a, why);
    if (rc == RC_OK)
        *out = c;
    else
        mcp_client_close(c);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

void mcp_client_leave(mcp_client_t *c)
{
    if (!c || !c->link)
        return;
    pthread_mutex_lock(&c->lock);
    bool left = c->left;
    c->left = true;
    pthread_mutex_unlock(&c->lock);
    if (!left)
        mcp_link_end_session(c->link);
}

void mcp_client_close(mcp_client_t *c)
{
    if (!c)
        return;
    mcp_client_leave(c);
    session_end_answers(c);
    mcp_link_free(c->link);
    arena_free(c->tools_a);
    arena_free(c->server_a);
    arena_free(c->a);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->tabling);
    pthread_mutex_destroy(&c->asking);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

const mcp_version_t *mcp_client_version(const mcp_client_t *c)
{
    mcp_client_t *own = (mcp_client_t *)(uintptr_t)c;
    pthread_mutex_lock(&own->lock);
    const mcp_version_t *v = own->version;
    pthread_mutex_unlock(&own->lock);
    return v;
}

str_t mcp_client_server(const mcp_client_t *c)
{
    return c->server;
}
