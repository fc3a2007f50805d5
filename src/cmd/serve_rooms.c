#include "cmd/serve.h"

#include "cmd/store_config.h"
#include "cmd/trail.h"

enum { POOL_QUEUE = 64, POOL_THREADS_MIN = 2, POOL_THREADS_MAX = 8, FETCHERS = 8 };

static int open_files(serve_t *s)
{
    int code = store_config_open(s->a, &s->settings, &s->log, &s->store);
    if (code != EXIT_DONE)
        return code;
    if (s->signer)
        return trail_open_signed(s->a, &s->settings, &s->log, signer_process_auditor(s->signer),
                                 &s->audit);
    return trail_open(s->a, &s->settings, &s->log, TRAIL_OF_SERVER, &s->audit);
}

int serve_open_rooms(serve_t *s)
{
    int64_t threads = s->settings.conf.workers;
    int code = open_files(s);
    if (code != EXIT_DONE)
        return code;
    threads = threads < POOL_THREADS_MIN ? POOL_THREADS_MIN : threads;
    threads = threads > POOL_THREADS_MAX ? POOL_THREADS_MAX : threads;
    s->pool = http_pool_new((unsigned)threads, POOL_QUEUE);
    s->fetchers = http_pool_new(FETCHERS, POOL_QUEUE);
    s->counters = counters_new();
    return s->pool && s->fetchers && s->counters
               ? EXIT_DONE
               : command_fail(EXIT_FAILED, "out of memory or threads");
}

int serve_take_name(serve_t *s)
{
    const node_config_t config = {
        .name = settings_node(&s->settings),
        .data = s->settings.conf.data,
        .store = s->store,
        .log = &s->log,
        .clock = clock_system(),
        .random = random_system(),
        .takes_over = option_is_set(s->rows, "take-over"),
        .wait_ms = NODE_WAIT_MS,
    };
    return node_take(s->a, &config, &s->node);
}

/* Pool, trail and store hand their results to the workers' post ports, and still read what
 * housekeeping gave them. The children of the gateway end before the trail that they end in. */
void serve_close_rooms(serve_t *s)
{
    handover_free(s->handover);
    http_pool_free(s->pool);
    http_pool_free(s->fetchers);
    gateway_free(s->gateway);
    child_spawner_free(s->spawner);
    if (s->audit)
        audit_close(s->audit);
    as_local_free(s->local);
    if (s->store)
        store_close(s->store);
    if (s->server)
        http_server_free(s->server);
    if (s->metrics)
        http_server_free(s->metrics);
    as_free(s->as);
    if (!signer_process_free(s->signer))
        LOG(&s->log, LOG_ERROR, "the signing process has not ended; end it by hand",
            LOG_S("name", STR("warder-signer")));
    node_leave(&s->node);
    ops_free(s->ops);
    counters_free(s->counters);
}
