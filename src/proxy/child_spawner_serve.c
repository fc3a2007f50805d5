/* The spawner's own half: one question after the other, until the server is gone. */
#include "proxy/child_spawner.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

typedef struct {
    int fd;
    child_commands_t commands;
    pid_t children[SPAWN_CHILDREN_MAX]; /* started, and not yet collected */
    size_t n;
} spawner_t;

/* Its place among the children; n: it is none of them. */
static size_t find(const spawner_t *s, int32_t pid)
{
    size_t i = 0;
    while (i < s->n && s->children[i] != pid)
        i++;
    return i;
}

static rc_t launch(spawner_t *s, const spawn_request_t *q, const int streams[SPAWN_STREAMS],
                   spawn_answer_t *answer, int *exit)
{
    conf_child_t child;
    str_t directory;
    pid_t pid = 0;
    if (!s->commands.find(s->commands.ctx, &q->digest, &child, &directory)) {
        answer->error = EPERM;
        return RC_CONFIG;
    }
    if (s->n == SPAWN_CHILDREN_MAX)
        return RC_LIMIT;
    rc_t rc = child_launch(&child, directory, streams, &pid, exit, &answer->error);
    if (rc == RC_OK)
        s->children[s->n++] = answer->pid = pid;
    return rc;
}

/* No process but its own children is signalled or waited for, whoever asks. */
static rc_t attend(spawner_t *s, const spawn_request_t *q, spawn_answer_t *answer)
{
    size_t i = find(s, q->pid);
    if (i == s->n)
        return RC_NOT_FOUND;
    if (q->what == SPAWN_SIGNAL)
        return kill(-s->children[i], q->signal) == 0 ? RC_OK : RC_IO;
    answer->status = child_collect(s->children[i]);
    s->children[i] = s->children[--s->n];
    return RC_OK;
}

static bool serve_one(spawner_t *s)
{
    spawn_request_t q;
    spawn_answer_t answer = {.rc = RC_CONFLICT};
    int fds[SPAWN_STREAMS], exit = -1;
    size_t n;
    if (!spawn_receive(s->fd, &q, sizeof q, fds, &n))
        return false;
    if (q.what == SPAWN_LAUNCH && n == SPAWN_STREAMS)
        answer.rc = launch(s, &q, fds, &answer, &exit);
    else if (q.what == SPAWN_SIGNAL || q.what == SPAWN_COLLECT)
        answer.rc = attend(s, &q, &answer);
    while (n > 0)
        close(fds[--n]);
    bool sent = spawn_send(s->fd, &answer, sizeof answer, &exit, exit >= 0 ? 1 : 0);
    if (exit >= 0)
        close(exit);
    return sent;
}

/* The signals that end a service reach it too, by its group: it ends when the server does, which
 * may still have something to finish with the children. */
void spawn_serve(int fd, child_commands_t commands)
{
    spawner_t s = {.fd = fd, .commands = commands};
    static const int LEFT[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE};
    for (size_t i = 0; i < sizeof LEFT / sizeof *LEFT; i++)
        signal(LEFT[i], SIG_IGN);
    prctl(PR_SET_NAME, "warder-spawner");
    if (commands.begin)
        commands.begin(commands.ctx);
    while (serve_one(&s)) {
    }
    /* Its children have asked to be killed with it (PR_SET_PDEATHSIG); those are their groups. */
    for (size_t i = 0; i < s.n; i++)
        kill(-s.children[i], SIGKILL);
}
