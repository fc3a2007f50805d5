#include "as/as_test_served.h"

#include <time.h>

enum { PATIENCE_MS = 30000, STEP_MS = 20 };

http_server_t *world_serve(world_t *w, bool shared)
{
    str_t why = STR("");
    http_server_config_t config = http_server_defaults();
    config.shared = shared;
    config.app = &w->as->app;
    config.log = &w->log;
    config.worker_init = as_worker_init;
    config.worker_exit = as_worker_exit;
    if (http_server_new(&config, &w->served, &why) != RC_OK)
        fail_msg("%" PRIstr, STR_ARG(why));
    assert_ok(http_server_start(w->served));
    return w->served;
}

/* In the order of a real end: whoever hands results to the workers goes before them. The store is
 * still asked afterwards; when its writer has done one thing more, it has handed over all before.
 */
void world_serve_stop_threads(world_t *w)
{
    assert_ok(world_apply(w, w->admin, &(effects_t){0}));
    http_pool_free(w->pool);
    audit_close(w->audit);
    w->pool = NULL;
    w->audit = NULL;
}

void world_serve_join(world_t *w)
{
    http_server_t *s = w->served;
    w->served = NULL;
    http_server_join(s);
    world_serve_stop_threads(w);
    http_server_free(s);
}

void world_serve_stop(world_t *w)
{
    http_server_stop(w->served);
    world_serve_join(w);
}

static bool comes(world_t *w, bool (*here)(world_t *w), int64_t pass_ms)
{
    const struct timespec step = {0, STEP_MS * 1000000};
    for (int64_t ms = 0; ms < PATIENCE_MS; ms += STEP_MS) {
        if (here(w))
            return true;
        nanosleep(&step, NULL);
        world_pass_ms(w, pass_ms);
    }
    return false;
}

bool world_comes(world_t *w, bool (*here)(world_t *w))
{
    return comes(w, here, 0);
}

bool world_comes_in_time(world_t *w, bool (*here)(world_t *w))
{
    return comes(w, here, 1000);
}
