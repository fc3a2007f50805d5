/* Where the listening sockets come from, and to whom they go. */
#include "cmd/notify.h"
#include "cmd/serve.h"

#include <stdio.h>

#define NAME "take-over.sock"

static const char *path_of(const serve_t *s)
{
    return arena_printf(s->a, "%" PRIstr "/" NAME, STR_ARG(s->settings.conf.data)).p;
}

/* What lives in memory alone would be lost, and answers under way would speak of it. */
static bool forgets(const serve_t *s)
{
    return str_eq(s->settings.conf.store, STR("memory"));
}

static int refuse(rc_t rc)
{
    if (rc == RC_LIMIT)
        return command_fail(EXIT_FAILED, "the server that runs on the data folder does not answer "
                                         "at " NAME "; is it stopped, or hanging?");
    if (rc == RC_BUSY)
        return command_fail(EXIT_FAILED, "another server is about to take over already; wait until "
                                         "it has, or a minute where it hangs");
    return command_fail(EXIT_FAILED, "the server that runs on the data folder does not give its "
                                     "sockets away; is it of the same user?");
}

static int take_over(serve_t *s)
{
    const char *path = path_of(s);
    if (!path)
        return command_out_of_memory();
    if (forgets(s))
        return command_fail(EXIT_SETTING, "store is 'memory', which the running server cannot give "
                                          "away; restart it instead");
    rc_t rc = handover_ask(path, &s->inherited);
    if (rc == RC_NOT_FOUND)
        LOG(&s->log, LOG_WARN, "no server runs on the data folder that could be taken over");
    return rc == RC_OK || rc == RC_NOT_FOUND ? EXIT_DONE : refuse(rc);
}

int serve_inherit(serve_t *s)
{
    rc_t rc = sockets_of_manager(&s->inherited);
    if (rc == RC_LIMIT)
        return command_fail(EXIT_FAILED, "the service manager gives more than %d sockets",
                            HANDOVER_SOCKETS_MAX);
    if (rc == RC_OK || !option_is_set(s->rows, "take-over"))
        return EXIT_DONE;
    return take_over(s);
}

static void let_next_come(serve_t *s)
{
    const char *path = path_of(s);
    rc_t rc =
        path && !forgets(s) ? handover_listen(path, &s->log, clock_system(), &s->handover) : RC_OK;
    if (rc != RC_OK)
        LOG(&s->log, LOG_WARN, "this server cannot be taken over by another",
            LOG_S("why", str_c(rc_name(rc))));
}

/* The workers have descriptors of their own by now. The one before is asked first: where it goes
 * on, it must be found at its path. */
bool serve_taken_over(serve_t *s)
{
    sockets_close(&s->inherited);
    s->came_late = handover_done(&s->inherited) == RC_CONFLICT;
    if (!s->came_late) {
        http_server_keep(s->server);
        let_next_come(s);
        return true;
    }
    LOG(&s->log, LOG_ERROR, "the server that was to be taken over goes on; this one ends",
        LOG_I("seconds", HANDOVER_START_S));
    http_server_hand_over(s->server);
    if (s->metrics)
        http_server_hand_over(s->metrics);
    return false;
}

static bool own_sockets(const serve_t *s, sockets_t *out)
{
    sockets_init(out);
    out->n_main = http_server_sockets(s->server, out->main, HANDOVER_SOCKETS_MAX);
    if (s->metrics)
        out->has_metrics = http_server_sockets(s->metrics, &out->metrics, 1) == 1;
    return out->n_main <= HANDOVER_SOCKETS_MAX;
}

bool serve_look(void *serve)
{
    serve_t *s = serve;
    sockets_t own;
    pid_t pid = 0;
    char line[32];
    serve_watch_signer(s);
    if (!s->handover || !own_sockets(s, &own) || !handover_look(s->handover, &own, &pid))
        return false;
    snprintf(line, sizeof line, "MAINPID=%d", (int)pid);
    notify_send(line);
    if (s->metrics)
        http_server_hand_over(s->metrics);
    return true;
}
