#include "cmd/signer_process.h"

#include "cmd/beforehand.h"
#include "cmd/kek.h"
#include "core/close_from.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* How long an answer may take, as a worker and all its connections wait for it: a new RSA key on a
 * busy machine takes seconds, everything else far less than one. */
enum { MAKE_S = 30, ANSWER_S = 3 };

/* How long its end may take, and how often it is looked for. */
enum { END_MS = 5000, STEP_MS = 5 };

/* One question at a time; whoever asks takes one that is free. */
typedef struct {
    pthread_mutex_t lock;
    int fd;
    time_t wait_s; /* that its socket waits now */
} line_t;

struct signer_process {
    pid_t pid;
    size_t n;
    line_t lines[SIGNER_LINES_MAX];
    atomic_bool gone;
    vault_line_t line;
    as_vault_t vault;
    audit_signer_t auditor;
    str_t key_name;
    signer_walls_t walls;
};

/* ---- lines ---- */

/* A thread that found one free begins there the next time. */
static line_t *take_line(signer_process_t *p)
{
    static _Thread_local size_t last;
    for (size_t i = 0; i < p->n; i++) {
        size_t at = (last + i) % p->n;
        if (pthread_mutex_trylock(&p->lines[at].lock) != 0)
            continue;
        last = at;
        return &p->lines[at];
    }
    pthread_mutex_lock(&p->lines[last % p->n].lock);
    return &p->lines[last % p->n];
}

static bool send_whole(int fd, str_t bytes)
{
    ssize_t n;
    do
        n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)bytes.n;
}

static bool receive(int fd, uint8_t *bytes, size_t *n)
{
    ssize_t got;
    do
        got = recv(fd, bytes, LIMIT_VAULT_FRAME_BYTES, MSG_TRUNC);
    while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN) /* it may have come just then, after a time frozen */
        got = recv(fd, bytes, LIMIT_VAULT_FRAME_BYTES, MSG_TRUNC | MSG_DONTWAIT);
    *n = got > 0 ? (size_t)got : 0;
    return got > 0 && got <= LIMIT_VAULT_FRAME_BYTES;
}

static void wait_at_most(line_t *line, time_t seconds)
{
    const struct timeval wait = {.tv_sec = seconds};
    if (line->wait_s != seconds)
        (void)setsockopt(line->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    line->wait_s = seconds;
}

static bool exchange(line_t *line, str_t question, uint8_t *answer, size_t *n)
{
    vault_frame_t asked, answered;
    if (vault_frame_read_head(question, &asked) != RC_OK)
        return false;
    wait_at_most(line, asked.kind == VAULT_MAKE ? MAKE_S : ANSWER_S);
    return send_whole(line->fd, question) && receive(line->fd, answer, n) &&
           vault_frame_read_head(str_of(answer, *n), &answered) == RC_OK &&
           answered.number == asked.number;
}

/* An answer that came too late would be taken for the next one's: there is no next one, also for
 * those who wait for the line already. The other side ends when a line does. */
static rc_t call(void *ctx, str_t question, uint8_t *answer, size_t *n)
{
    signer_process_t *p = ctx;
    line_t *line = take_line(p);
    bool ok = !atomic_load(&p->gone) && exchange(line, question, answer, n);
    if (!ok) {
        atomic_store(&p->gone, true);
        shutdown(line->fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&line->lock);
    return ok ? RC_OK : RC_IO;
}

bool signer_process_lives(signer_process_t *p)
{
    struct pollfd end = {.fd = p->lines[0].fd};
    if (poll(&end, 1, 0) > 0 && (end.revents & (POLLHUP | POLLERR)))
        atomic_store(&p->gone, true);
    return !atomic_load(&p->gone);
}

/* ---- its begin and end ---- */

static size_t lines_for(const settings_t *s)
{
    long workers = s->conf.workers > 0 ? (long)s->conf.workers : sysconf(_SC_NPROCESSORS_ONLN);
    size_t n = workers > 0 ? (size_t)workers + 1 : 2; /* gateway and trail sign as well */
    return n < SIGNER_LINES_MAX ? n : SIGNER_LINES_MAX;
}

static bool make_lines(signer_process_t *p, size_t n, int *ends)
{
    const struct timeval send_wait = {.tv_sec = ANSWER_S};
    for (; p->n < n; p->n++) {
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
            return false;
        (void)setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &send_wait, sizeof send_wait);
        pthread_mutex_init(&p->lines[p->n].lock, NULL);
        p->lines[p->n].fd = pair[0];
        wait_at_most(&p->lines[p->n], MAKE_S);
        ends[p->n] = pair[1];
    }
    return true;
}

/* Its own ends, without gaps. They are moved out of the way of each other first. */
static bool place_ends(int *ends, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ends[i] = fcntl(ends[i], F_DUPFD_CLOEXEC, SIGNER_FIRST_FD + (int)n);
    for (size_t i = 0; i < n; i++)
        if (dup3(ends[i], SIGNER_FIRST_FD + (int)i, O_CLOEXEC) < 0)
            return false;
    return true;
}

/* Nothing that was open here is kept but the files of keys; of the server's ends above all, by
 * which it sees that the server is gone. */
_Noreturn static void become(const signer_process_t *p, arena_t *a, const settings_t *s, int *ends,
                             pid_t server)
{
    for (size_t i = 0; i < p->n; i++)
        close(p->lines[i].fd);
    size_t n = p->n;
    for (int i = 0; i < BEFOREHAND_COUNT; i++)
        if (beforehand_fd((beforehand_t)i) >= 0)
            ends[n++] = beforehand_fd((beforehand_t)i);
    if (!place_ends(ends, n) || !close_from(SIGNER_FIRST_FD + (int)n))
        _exit(EXIT_FAILED);
    n = p->n;
    for (int i = 0; i < BEFOREHAND_COUNT; i++)
        if (beforehand_fd((beforehand_t)i) >= 0)
            beforehand_moved((beforehand_t)i, SIGNER_FIRST_FD + (int)n++);
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    signer_serve(a, s, p->n, server);
}

static bool make_process(signer_process_t *p, arena_t *a, const settings_t *s)
{
    int ends[SIGNER_LINES_MAX + BEFOREHAND_COUNT];
    bool ok = make_lines(p, lines_for(s), ends);
    pid_t server = getpid();
    p->pid = ok ? fork() : -1;
    if (p->pid == 0)
        become(p, a, s, ends, server);
    for (size_t i = 0; i < p->n; i++)
        close(ends[i]);
    return p->pid > 0;
}

/* It has said itself what was wrong. */
static int greet(signer_process_t *p, arena_t *a)
{
    uint8_t bytes[LIMIT_VAULT_FRAME_BYTES];
    vault_frame_t hello;
    size_t n;
    if (!receive(p->lines[0].fd, bytes, &n) ||
        vault_frame_read(str_of(bytes, n), &hello) != RC_OK || hello.kind != VAULT_HELLO)
        return command_fail(EXIT_FAILED, "the signing process has ended");
    if (hello.code != EXIT_DONE)
        return (int)hello.code;
    p->key_name = arena_dup(a, hello.fields[0]);
    p->auditor.kid = arena_dup(a, hello.fields[1]);
    p->walls = (signer_walls_t){str_contains(hello.fields[2], STR("calls")),
                                str_contains(hello.fields[2], STR("files"))};
    return str_is_set(p->key_name) && str_is_set(p->auditor.kid) ? EXIT_DONE
                                                                 : command_out_of_memory();
}

static int start(signer_process_t *p, arena_t *a, const settings_t *s)
{
    p->line = (vault_line_t){call, p};
    p->vault = vault_remote(&p->line);
    p->auditor = (audit_signer_t){vault_remote_checkpoint, &p->line, STR_UNSET};
    if (!make_process(p, a, s))
        return command_fail(EXIT_FAILED, "the signing process cannot be made: %s", strerror(errno));
    return greet(p, a);
}

int signer_process_new(arena_t *a, const settings_t *s, signer_process_t **out)
{
    *out = NULL;
    if (!s->conf.signing_process || !kek_is_given(a, s))
        return EXIT_DONE;
    signer_process_t *p = calloc(1, sizeof *p);
    if (!p)
        return command_out_of_memory();
    atomic_init(&p->gone, false);
    int code = start(p, a, s);
    kek_forget();
    if (code == EXIT_DONE)
        *out = p;
    else
        signer_process_free(p);
    return code;
}

static bool ends_within(pid_t pid, int ms)
{
    const struct timespec while_ = {.tv_nsec = STEP_MS * 1000000L};
    for (; ms > 0; ms -= STEP_MS) {
        pid_t ended = waitpid(pid, NULL, WNOHANG);
        if (ended == pid || (ended < 0 && errno != EINTR))
            return true;
        nanosleep(&while_, NULL);
    }
    return false;
}

/* What was not enough for it may be enough for the kernel; a server that Landlock (from Linux 6.12
 * on) keeps from signals to others may not send any. */
static bool end_process(pid_t pid)
{
    return ends_within(pid, END_MS) || (kill(pid, SIGKILL) == 0 && ends_within(pid, END_MS));
}

bool signer_process_free(signer_process_t *p)
{
    if (!p)
        return true;
    for (size_t i = 0; i < p->n; i++) {
        shutdown(p->lines[i].fd, SHUT_RDWR); /* whoever else may have a copy of it */
        close(p->lines[i].fd);
        pthread_mutex_destroy(&p->lines[i].lock);
    }
    bool ended = p->pid <= 0 || end_process(p->pid);
    free(p);
    return ended;
}

const as_vault_t *signer_process_vault(const signer_process_t *p)
{
    return &p->vault;
}

const audit_signer_t *signer_process_auditor(const signer_process_t *p)
{
    return &p->auditor;
}

str_t signer_process_key_name(const signer_process_t *p)
{
    return p->key_name;
}

signer_walls_t signer_process_walls(const signer_process_t *p)
{
    return p->walls;
}

pid_t signer_process_id(const signer_process_t *p)
{
    return p->pid;
}
