#include "proxy/child_spawner.h"

#include "core/buf.h"
#include "core/close_from.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct child_spawner {
    pthread_mutex_t lock; /* one question at a time */
    int fd;
    pid_t pid;
};

/* Each part with its length in front, so that no two command lines look alike. */
static void put(str_t *parts, size_t *n, uint64_t *length, str_t text)
{
    *length = text.n;
    parts[(*n)++] = str_of((const char *)length, sizeof *length);
    parts[(*n)++] = text;
}

static void digest_list(child_digest_t *into, str_list_t list)
{
    for (size_t i = 0; i <= list.n; i++) {
        uint64_t lengths[2];
        str_t parts[4];
        size_t n = 0;
        put(parts, &n, &lengths[0], str_of((const char *)into->b, sizeof into->b));
        put(parts, &n, &lengths[1], i < list.n ? list.v[i] : STR("end of the list"));
        uint8_t next[SHA256_BYTES];
        sha256_parts(parts, n, next);
        memcpy(into->b, next, sizeof next);
    }
}

child_digest_t child_digest(const conf_child_t *child, str_t directory)
{
    child_digest_t d = {{0}};
    char memory[32];
    buf_t b = buf_fixed(memory, sizeof memory);
    buf_fmt(&b, "%lld", (long long)child->memory_mb);
    const str_t rest[] = {directory, buf_str(&b)};
    digest_list(&d, child->command);
    digest_list(&d, child->environment);
    digest_list(&d, (str_list_t){rest, 2});
    return d;
}

/* Packets. */

bool spawn_send(int fd, const void *p, size_t n, const int *fds, size_t n_fds)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(SPAWN_STREAMS * sizeof(int))];
    } control = {0};
    struct iovec v = {(void *)(uintptr_t)p, n};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    if (n_fds > SPAWN_STREAMS)
        return false;
    if (n_fds > 0) {
        m.msg_control = control.room;
        m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        *c = (struct cmsghdr){CMSG_LEN(n_fds * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
        memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
    }
    ssize_t sent;
    do
        sent = sendmsg(fd, &m, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)n;
}

static size_t take_descriptors(struct msghdr *m, int fds[SPAWN_STREAMS])
{
    size_t n = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t got = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < got && n < SPAWN_STREAMS; i++)
            memcpy(&fds[n++], CMSG_DATA(c) + i * sizeof(int), sizeof(int));
    }
    return n;
}

bool spawn_receive(int fd, void *p, size_t n, int fds[SPAWN_STREAMS], size_t *n_fds)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(SPAWN_STREAMS * sizeof(int))];
    } control = {0};
    struct iovec v = {p, n};
    struct msghdr m = {.msg_iov = &v,
                       .msg_iovlen = 1,
                       .msg_control = control.room,
                       .msg_controllen = sizeof control.room};
    ssize_t got;
    do
        got = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    *n_fds = got >= 0 ? take_descriptors(&m, fds) : 0;
    if (got == (ssize_t)n && !(m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
        return true;
    while (*n_fds > 0)
        close(fds[--*n_fds]);
    return false;
}

/* The server's half. */

static void become_spawner(int fd, child_commands_t commands)
{
    bool placed = fd == STDERR_FILENO + 1 || dup3(fd, STDERR_FILENO + 1, O_CLOEXEC) >= 0;
    if (!placed || !close_from(STDERR_FILENO + 2))
        _exit(1);
    spawn_serve(STDERR_FILENO + 1, commands);
    _exit(0);
}

rc_t child_spawner_new(child_commands_t commands, child_spawner_t **out)
{
    int ends[2];
    child_spawner_t *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s)
        return RC_MEMORY;
    /* Who started us may have left it ignored: the kernel would reap children unseen. */
    signal(SIGCHLD, SIG_DFL);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        free(s);
        return RC_IO;
    }
    s->pid = fork();
    if (s->pid == 0)
        become_spawner(ends[1], commands);
    close(ends[1]);
    s->fd = ends[0];
    pthread_mutex_init(&s->lock, NULL);
    if (s->pid > 0) {
        *out = s;
        return RC_OK;
    }
    s->pid = 0;
    child_spawner_free(s);
    return RC_IO;
}

void child_spawner_free(child_spawner_t *s)
{
    if (!s)
        return;
    close(s->fd);
    while (s->pid > 0 && waitpid(s->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static bool ask(child_spawner_t *s, const spawn_request_t *q, const int *streams,
                spawn_answer_t *answer, int *exit)
{
    int fds[SPAWN_STREAMS];
    size_t n = 0;
    pthread_mutex_lock(&s->lock);
    bool ok = spawn_send(s->fd, q, sizeof *q, streams, streams ? SPAWN_STREAMS : 0) &&
              spawn_receive(s->fd, answer, sizeof *answer, fds, &n);
    pthread_mutex_unlock(&s->lock);
    if (ok && exit && n == 1) {
        *exit = fds[0];
        return true;
    }
    while (n > 0)
        close(fds[--n]);
    return ok;
}

rc_t child_spawner_launch(child_spawner_t *s, const conf_child_t *child, str_t directory,
                          const int streams[3], pid_t *pid, int *exit, int *error)
{
    spawn_request_t q = {.what = SPAWN_LAUNCH, .digest = child_digest(child, directory)};
    spawn_answer_t answer = {.rc = RC_IO, .error = EPIPE};
    *exit = -1;
    bool ok = ask(s, &q, streams, &answer, exit);
    *pid = answer.pid;
    *error = answer.error;
    if (ok && answer.rc == RC_OK && *exit < 0)
        return RC_IO;
    return ok ? (rc_t)answer.rc : RC_IO;
}

void child_spawner_signal(child_spawner_t *s, pid_t pid, int signal)
{
    const spawn_request_t q = {.what = SPAWN_SIGNAL, .pid = pid, .signal = signal};
    spawn_answer_t answer;
    (void)ask(s, &q, NULL, &answer, NULL);
}

int child_spawner_collect(child_spawner_t *s, pid_t pid)
{
    const spawn_request_t q = {.what = SPAWN_COLLECT, .pid = pid};
    spawn_answer_t answer = {0};
    return ask(s, &q, NULL, &answer, NULL) ? answer.status : 0;
}
