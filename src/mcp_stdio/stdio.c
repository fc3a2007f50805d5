#include "mcp_stdio/stdio_state.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { PIECE_BYTES = 64 << 10, FOR_EVER = -1 };

typedef enum { FD_IN, FD_OUT, FD_POSTS, FDS } fd_t;

mcp_stdio_config_t mcp_stdio_defaults(void)
{
    return (mcp_stdio_config_t){.in = STDIN_FILENO,
                                .out = STDOUT_FILENO,
                                .grace_ms = MCP_STDIO_GRACE_MS,
                                .flush_ms = MCP_STDIO_FLUSH_MS,
                                .clock = clock_system()};
}

static int64_t now_ms(const mcp_stdio_t *s)
{
    return s->config.clock.mono_ms(s->config.clock.ctx);
}

static void end_input(mcp_stdio_t *s)
{
    mcp_stdio_take_last(s);
    s->input_ended = true;
}

static void read_some(mcp_stdio_t *s)
{
    char piece[PIECE_BYTES];
    ssize_t n = read(s->config.in, piece, sizeof piece);
    if (n > 0) {
        mcp_stdio_take(s, str_of(piece, (size_t)n));
        return;
    }
    if (n < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK))
        return;
    if (n < 0 && errno != EIO && errno != ECONNRESET)
        s->failed = RC_IO;
    end_input(s);
}

/* A descriptor that nothing is wanted of is left out: its end would wake us again and again. */
static int wanted(bool wants, int fd)
{
    return wants ? fd : -1;
}

static void turn(mcp_stdio_t *s, int wait_ms)
{
    bool reads = !s->input_ended && mcp_stdio_unread(s) < MCP_STDIO_UNREAD_BYTES;
    struct pollfd fds[FDS] = {
        [FD_IN] = {.fd = wanted(reads, s->config.in), .events = POLLIN},
        [FD_OUT] = {.fd = wanted(mcp_stdio_unread(s) > 0, s->config.out), .events = POLLOUT},
        [FD_POSTS] = {.fd = mcp_posts_fd(s->posts), .events = POLLIN}};
    bool more = s->first && mcp_stdio_unread(s) == 0;
    int n = poll(fds, FDS, more ? 0 : wait_ms);
    if (n < 0 && errno != EINTR)
        s->failed = RC_IO;
    if (n <= 0)
        return;
    if (fds[FD_POSTS].revents)
        mcp_posts_run(s->posts);
    if (fds[FD_IN].revents)
        read_some(s);
}

static bool goes_on(const mcp_stdio_t *s)
{
    return s->failed == RC_OK && !s->broken;
}

/* Puts out some of what there is: a function that says much must not keep us from reading. True:
 * there is more. */
static bool put_out(mcp_stdio_t *s)
{
    mcp_stdio_gather(s);
    mcp_stdio_write(s);
    return mcp_stdio_unread(s) > 0 || s->first;
}

static void serve(mcp_stdio_t *s)
{
    while (goes_on(s) && !s->input_ended) {
        (void)put_out(s);
        if (goes_on(s))
            turn(s, FOR_EVER);
    }
}

static bool calls_run(const mcp_stdio_t *s)
{
    return s->lane_count > s->standing_count;
}

/* Whoever closed the input may still read answers. */
static void let_end(mcp_stdio_t *s)
{
    int64_t end = now_ms(s) + s->config.grace_ms;
    for (int64_t left; (left = end - now_ms(s)) > 0 && goes_on(s) && calls_run(s);) {
        (void)put_out(s);
        if (goes_on(s) && calls_run(s))
            turn(s, (int)left);
    }
}

static void on_stopped(void *arg)
{
    mcp_stdio_t *s = arg;
    s->stopped = true;
}

static void *stop_server(void *arg)
{
    mcp_stdio_t *s = arg;
    post_port_t back = mcp_posts_port(s->posts);
    mcp_server_stop(s->m);
    while (back.post(back.ctx, on_stopped, s) != RC_OK)
        sched_yield();
    return NULL;
}

/* Whatever ends posts to this thread, and what stands is told: so another one waits for the end. */
static void stop(mcp_stdio_t *s)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, stop_server, s) != 0) {
        mcp_server_stop(s->m);
        mcp_posts_run(s->posts);
        return;
    }
    while (!s->stopped) {
        (void)put_out(s);
        turn(s, FOR_EVER);
    }
    pthread_join(thread, NULL);
}

static void flush(mcp_stdio_t *s)
{
    int64_t end = now_ms(s) + s->config.flush_ms;
    for (int64_t left; goes_on(s) && put_out(s) && (left = end - now_ms(s)) > 0;)
        turn(s, (int)left);
}

/* A write to a host that is gone is an error here, and no signal, which would be the process's. */
typedef struct {
    sigset_t before;
    bool pending;
} pipe_signal_t;

static void hold_signal(pipe_signal_t *p)
{
    sigset_t pending, only;
    sigemptyset(&only);
    sigaddset(&only, SIGPIPE);
    sigpending(&pending);
    p->pending = sigismember(&pending, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &only, &p->before);
}

static void release_signal(const pipe_signal_t *p)
{
    static const struct timespec AT_ONCE = {0, 0};
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, SIGPIPE);
    if (!p->pending)
        (void)sigtimedwait(&only, NULL, &AT_ONCE);
    pthread_sigmask(SIG_SETMASK, &p->before, NULL);
}

static rc_t open_all(mcp_stdio_t *s)
{
    s->last = &s->first;
    s->posts = mcp_posts_new();
    s->session = mcp_session_local(s->config.clock);
    if (!s->posts || !s->session)
        return RC_MEMORY;
    TRY(mcp_lane_open_general(s));
    return mcp_server_start(s->m);
}

static void close_all(mcp_stdio_t *s)
{
    mcp_lane_close_all(s);
    if (s->session)
        mcp_session_end(s->session);
    mcp_session_drop(s->session);
    mcp_posts_free(s->posts);
    mcp_line_clear(&s->line);
    free(s->out);
}

static void live(mcp_stdio_t *s)
{
    serve(s);
    let_end(s);
    mcp_lane_cancel_all(s);
    stop(s);
    flush(s);
}

rc_t mcp_stdio_serve(warder_mcp_t *m, const mcp_stdio_config_t *config)
{
    pipe_signal_t signal;
    mcp_stdio_t s = {.m = m, .config = *config};
    hold_signal(&signal);
    s.failed = open_all(&s);
    if (s.failed == RC_OK)
        live(&s);
    close_all(&s);
    release_signal(&signal);
    return s.failed;
}
