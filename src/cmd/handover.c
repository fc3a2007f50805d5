#include "cmd/handover.h"

#include "core/num.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    MAGIC = 0x57524448, /* of the first version of these packets */
    DESCRIPTORS_MAX = HANDOVER_SOCKETS_MAX + 1,
    PATIENCE_S = 5,       /* of the next server, with each answer of the running one */
    FIRST_OF_MANAGER = 3, /* SD_LISTEN_FDS_START */
};

/* What comes with the sockets; both are of one machine. */
typedef struct {
    uint32_t magic, n_main, has_metrics;
} offer_t;

typedef struct {
    uint32_t magic;
} done_t;

/* BUSY comes in place of an offer, the others behind the peer's word that it serves. A server of
 * the first version says nothing then, and closes. */
enum { ANSWER_BUSY = 1, ANSWER_DRAINS, ANSWER_LATE };

typedef struct {
    uint32_t magic, what;
} answer_t;

struct handover {
    const log_t *log;
    clock_port_t clock;
    int fd, peer;
    pid_t pid;
    int64_t until_ms; /* of the peer; monotonic */
};

void sockets_init(sockets_t *s)
{
    *s = (sockets_t){.metrics = -1, .peer = -1};
}

void sockets_close(sockets_t *s)
{
    while (s->n_main > 0)
        close(s->main[--s->n_main]);
    if (s->has_metrics)
        close(s->metrics);
    s->has_metrics = false;
}

static socklen_t address_of(const char *path, struct sockaddr_un *out)
{
    size_t n = strlen(path);
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (n >= sizeof out->sun_path)
        return 0;
    memcpy(out->sun_path, path, n);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + 1);
}

/* The running server. */

/* Under another name first: whoever connects meets the one before or this one. */
static bool bind_at(int fd, const char *path)
{
    char made[sizeof(struct sockaddr_un)];
    struct sockaddr_un at;
    int n = snprintf(made, sizeof made, "%s.%d", path, (int)getpid());
    socklen_t size = n < (int)sizeof made ? address_of(made, &at) : 0;
    if (size == 0)
        return false;
    unlink(made);
    mode_t before = umask(S_IXUSR | S_IRWXG | S_IRWXO);
    bool bound = bind(fd, (struct sockaddr *)&at, size) == 0;
    umask(before);
    return bound && listen(fd, 1) == 0 && rename(made, path) == 0;
}

rc_t handover_listen(const char *path, const log_t *log, clock_port_t clock, handover_t **out)
{
    struct sockaddr_un at;
    *out = NULL;
    if (address_of(path, &at) == 0)
        return RC_LIMIT;
    handover_t *h = calloc(1, sizeof *h);
    if (!h)
        return RC_MEMORY;
    *h = (handover_t){.log = log, .clock = clock, .peer = -1};
    h->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (h->fd >= 0 && bind_at(h->fd, path)) {
        *out = h;
        return RC_OK;
    }
    handover_free(h);
    return RC_IO;
}

static int64_t mono(const handover_t *h)
{
    return h->clock.mono_ms(h->clock.ctx);
}

static void answer(int fd, uint32_t what)
{
    const answer_t a = {MAGIC, what};
    (void)!send(fd, &a, sizeof a, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void forget_peer(handover_t *h)
{
    if (h->peer >= 0)
        close(h->peer);
    h->peer = -1;
}

void handover_free(handover_t *h)
{
    if (!h)
        return;
    forget_peer(h);
    if (h->fd >= 0)
        close(h->fd);
    free(h);
}

static bool send_with(int fd, const offer_t *offer, const int *fds, size_t n)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
    } control = {0};
    struct iovec v = {(void *)(uintptr_t)offer, sizeof *offer};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    m.msg_control = control.room;
    m.msg_controllen = CMSG_SPACE(n * sizeof(int));
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    *c = (struct cmsghdr){CMSG_LEN(n * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(c), fds, n * sizeof(int));
    return sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)sizeof *offer;
}

static bool offer(int fd, const sockets_t *own)
{
    int fds[DESCRIPTORS_MAX];
    size_t n = own->n_main;
    const offer_t o = {MAGIC, (uint32_t)own->n_main, own->has_metrics};
    memcpy(fds, own->main, n * sizeof *fds);
    if (own->has_metrics)
        fds[n++] = own->metrics;
    return n > 0 && send_with(fd, &o, fds, n);
}

/* The folder lets nobody else in; this holds where somebody has opened it. */
static bool is_same_user(int fd, pid_t *pid)
{
    struct ucred who;
    socklen_t n = sizeof who;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) != 0)
        return false;
    *pid = who.pid;
    return who.uid == geteuid() || who.uid == 0;
}

static void greet(handover_t *h, int peer, const sockets_t *own)
{
    h->peer = peer;
    if (is_same_user(h->peer, &h->pid) && offer(h->peer, own)) {
        h->until_ms = mono(h) + HANDOVER_START_S * 1000;
        LOG(h->log, LOG_INFO, "another server takes over", LOG_I("pid", h->pid));
        return;
    }
    LOG(h->log, LOG_WARN, "a take-over is refused", LOG_I("pid", h->pid));
    forget_peer(h);
}

/* Its word that it serves counts however late it is read: who was stopped for a while must not keep
 * what the other has by now. */
static void end_if_late(handover_t *h)
{
    if (mono(h) < h->until_ms)
        return;
    LOG(h->log, LOG_ERROR,
        "the server that was to take over does not say that it serves; this one goes on",
        LOG_I("pid", h->pid), LOG_I("seconds", HANDOVER_START_S));
    answer(h->peer, ANSWER_LATE);
    forget_peer(h);
}

static bool hear(handover_t *h)
{
    done_t done = {0};
    ssize_t n = recv(h->peer, &done, sizeof done, MSG_DONTWAIT | MSG_TRUNC);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        end_if_late(h);
        return false;
    }
    bool serves = n == (ssize_t)sizeof done && done.magic == MAGIC;
    if (serves)
        answer(h->peer, ANSWER_DRAINS);
    else
        LOG(h->log, LOG_ERROR, "the server that was to take over did not start; this one goes on",
            LOG_I("pid", h->pid));
    forget_peer(h);
    return serves;
}

/* One at a time has the sockets. Who comes is taken before the one before is heard, which may have
 * ended by then. */
bool handover_look(handover_t *h, const sockets_t *own, pid_t *pid)
{
    int other = accept4(h->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    *pid = h->pid;
    bool serves = h->peer >= 0 && hear(h);
    if (other >= 0 && h->peer < 0 && !serves) {
        greet(h, other, own);
    } else if (other >= 0) {
        answer(other, ANSWER_BUSY);
        close(other);
    }
    return serves;
}

/* The next one. */

static size_t take_descriptors(struct msghdr *m, int *fds)
{
    size_t n = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t got = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < got && n < DESCRIPTORS_MAX; i++)
            memcpy(&fds[n++], CMSG_DATA(c) + i * sizeof(int), sizeof(int));
    }
    return n;
}

static bool is_offer(const offer_t *o, size_t n)
{
    return o->magic == MAGIC && o->n_main > 0 && o->n_main <= HANDOVER_SOCKETS_MAX &&
           o->has_metrics <= 1 && n == o->n_main + o->has_metrics;
}

/* BUSY has the place of the first two members. */
static rc_t why_none(const offer_t *o, ssize_t got)
{
    if (got < 0 && errno == EAGAIN)
        return RC_LIMIT;
    bool busy = got == (ssize_t)sizeof(answer_t) && o->magic == MAGIC && o->n_main == ANSWER_BUSY;
    return busy ? RC_BUSY : RC_IO;
}

static rc_t receive(int fd, offer_t *o, int *fds, size_t *n)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
    } control = {0};
    struct iovec v = {o, sizeof *o};
    struct msghdr m = {.msg_iov = &v,
                       .msg_iovlen = 1,
                       .msg_control = control.room,
                       .msg_controllen = sizeof control.room};
    ssize_t got = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
    *n = got >= 0 ? take_descriptors(&m, fds) : 0;
    bool whole = got == (ssize_t)sizeof *o && !(m.msg_flags & (MSG_TRUNC | MSG_CTRUNC));
    return whole && is_offer(o, *n) ? RC_OK : why_none(o, got);
}

static rc_t take(int peer, sockets_t *out)
{
    int fds[DESCRIPTORS_MAX];
    size_t n;
    offer_t o = {0};
    rc_t rc = receive(peer, &o, fds, &n);
    if (rc != RC_OK) {
        while (n > 0)
            close(fds[--n]);
        return rc;
    }
    out->n_main = o.n_main;
    memcpy(out->main, fds, o.n_main * sizeof *fds);
    out->has_metrics = o.has_metrics;
    out->metrics = o.has_metrics ? fds[o.n_main] : -1;
    return RC_OK;
}

/* It waits no longer than that for anything: the other one may be stopped, or no server at all. */
static bool set_patience(int fd)
{
    const struct timeval patience = {PATIENCE_S, 0};
    return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
           setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0;
}

static rc_t reach(int fd, const struct sockaddr_un *at, socklen_t size)
{
    if (!set_patience(fd))
        return RC_IO;
    if (connect(fd, (const struct sockaddr *)at, size) == 0)
        return RC_OK;
    if (errno == EAGAIN)
        return RC_LIMIT;
    return errno == ENOENT || errno == ECONNREFUSED ? RC_NOT_FOUND : RC_IO;
}

rc_t handover_ask(const char *path, sockets_t *out)
{
    struct sockaddr_un at;
    socklen_t size = address_of(path, &at);
    int fd = size ? socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0) : -1;
    sockets_init(out);
    if (fd < 0)
        return size ? RC_IO : RC_NOT_FOUND;
    rc_t rc = reach(fd, &at, size);
    if (rc == RC_OK)
        rc = take(fd, out);
    if (rc == RC_OK)
        out->peer = fd;
    else
        close(fd);
    return rc;
}

/* One that has ended, or is stopped, needs no sockets, and drains as soon as it reads the word. */
rc_t handover_done(sockets_t *s)
{
    const done_t done = {MAGIC};
    answer_t a = {0};
    if (s->peer < 0)
        return RC_OK;
    (void)!send(s->peer, &done, sizeof done, MSG_NOSIGNAL);
    ssize_t n = recv(s->peer, &a, sizeof a, 0);
    close(s->peer);
    s->peer = -1;
    bool late = n == (ssize_t)sizeof a && a.magic == MAGIC && a.what == ANSWER_LATE;
    return late ? RC_CONFLICT : RC_OK;
}

/* The service manager. */

/* The number in a variable of sd_listen_fds(3), which nobody else is to find. */
static uint64_t take_number(const char *name)
{
    uint64_t n = 0;
    const char *value = getenv(name);
    if (value && !num_u64(str_c(value), INT32_MAX, &n))
        n = 0;
    unsetenv(name);
    return n;
}

rc_t sockets_of_manager(sockets_t *out)
{
    str_t name, names = str_c(getenv("LISTEN_FDNAMES"));
    uint64_t pid = take_number("LISTEN_PID"), n = take_number("LISTEN_FDS");
    sockets_init(out);
    if (pid != (uint64_t)getpid() || n == 0)
        return RC_NOT_FOUND;
    for (uint64_t i = 0; i < n; i++) {
        int fd = FIRST_OF_MANAGER + (int)i;
        bool named = str_is_set(names) && str_split(&names, ':', &name);
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        if (named && str_eq(name, STR("metrics")) && !out->has_metrics) {
            out->metrics = fd;
            out->has_metrics = true;
        } else if (out->n_main < HANDOVER_SOCKETS_MAX) {
            out->main[out->n_main++] = fd;
        } else {
            return RC_LIMIT;
        }
    }
    unsetenv("LISTEN_FDNAMES");
    return RC_OK;
}
