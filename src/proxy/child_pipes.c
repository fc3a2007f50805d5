#include "proxy/child_pipes.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { HANDLES = 5, PIECE_BYTES = 64 << 10 };

typedef enum { RUNNING, CLOSING, TERMINATED, KILLED, EXITED } step_t;

struct child_pipes {
    uv_pipe_t in, out, err;
    uv_poll_t exit;
    uv_timer_t timer;
    child_process_t process;
    child_pipes_events_t events;
    char *line; /* owned: what of a line has come */
    size_t n, cap, max;
    uint64_t skipped; /* bytes of a line that is too long; 0: none is */
    step_t step;
    bool in_closed, out_ended, reading, told;
    int status, open;
    size_t waiting; /* bytes that the child has not read, and what each write costs beside them */
    char piece[PIECE_BYTES];
};

typedef struct {
    uv_write_t request;
    size_t cost;
    char bytes[];
} write_t;

static void on_closed(uv_handle_t *handle)
{
    child_pipes_t *p = handle->data;
    if (--p->open > 0)
        return;
    close(p->process.exit);
    p->events.closed(p->events.ctx);
    free(p->line);
    free(p);
}

static void close_input(child_pipes_t *p)
{
    if (p->in_closed)
        return;
    p->in_closed = true;
    uv_close((uv_handle_t *)&p->in, on_closed);
}

/* Nothing more can come. */
static void finish(child_pipes_t *p)
{
    if (p->told)
        return;
    p->told = true;
    p->events.ended(p->events.ctx, p->status);
    close_input(p);
    uv_close((uv_handle_t *)&p->out, on_closed);
    uv_close((uv_handle_t *)&p->err, on_closed);
    uv_close((uv_handle_t *)&p->timer, on_closed);
    uv_close((uv_handle_t *)&p->exit, on_closed);
}

/* Lines. */

static bool keep(child_pipes_t *p, str_t part)
{
    if (p->n + part.n > p->max)
        return false;
    if (p->n + part.n > p->cap) {
        size_t cap = (p->n + part.n) * 2 > p->max ? p->max : (p->n + part.n) * 2;
        char *more = realloc(p->line, cap);
        if (!more)
            return false;
        p->line = more;
        p->cap = cap;
    }
    memcpy(p->line + p->n, part.p, part.n);
    p->n += part.n;
    return true;
}

/* A whole line, or the end of one that was kept. */
static void give_line(child_pipes_t *p, str_t part)
{
    str_t line = part;
    if (p->n || part.n > p->max) {
        bool kept = keep(p, part);
        line = kept ? str_of(p->line, p->n) : STR_UNSET;
    }
    p->n = 0;
    line = str_trim(line, "\r");
    if (!line.p)
        p->events.too_long(p->events.ctx);
    else if (line.n)
        p->events.line(p->events.ctx, line);
}

static void keep_rest(child_pipes_t *p, str_t part)
{
    if (keep(p, part))
        return;
    p->skipped = p->n + part.n;
    p->n = 0;
}

/* The end of a line that is dropped, if it is here. */
static void skip(child_pipes_t *p, str_t *piece)
{
    size_t end = str_find(*piece, '\n', 0);
    p->skipped += end;
    if (end == piece->n && p->skipped > CHILD_ENDLESS_BYTES)
        child_pipes_kill(p);
    if (end < piece->n) {
        p->skipped = 0;
        p->events.too_long(p->events.ctx);
    }
    *piece = str_skip(*piece, end + 1);
}

static void take_piece(child_pipes_t *p, str_t piece)
{
    while (piece.n) {
        size_t end = str_find(piece, '\n', 0);
        if (p->skipped) {
            skip(p, &piece);
            continue;
        }
        if (end == piece.n)
            keep_rest(p, piece);
        else
            give_line(p, str_first(piece, end));
        piece = str_skip(piece, end + 1);
    }
    /* One long line must not cost its memory for good. */
    if (p->n == 0 && p->cap > PIECE_BYTES) {
        free(p->line);
        p->line = NULL;
        p->cap = 0;
    }
}

static void on_room(uv_handle_t *handle, size_t hint, uv_buf_t *out)
{
    child_pipes_t *p = handle->data;
    *out = uv_buf_init(p->piece, sizeof p->piece);
}

static void on_output(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
    child_pipes_t *p = stream->data;
    if (n > 0)
        take_piece(p, str_of(b->base, (size_t)n));
    if (n >= 0)
        return;
    uv_read_stop(stream);
    p->out_ended = true;
    p->reading = false;
    if (p->step == EXITED)
        finish(p);
    else
        child_pipes_stop(p); /* closing its output is how a server says goodbye */
}

static void on_error(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
    child_pipes_t *p = stream->data;
    if (n > 0)
        p->events.error(p->events.ctx, str_of(b->base, (size_t)n));
    if (n < 0)
        uv_read_stop(stream);
}

void child_pipes_read(child_pipes_t *p, bool on)
{
    if (p->out_ended || p->told || p->reading == on)
        return;
    p->reading = on;
    if (on)
        uv_read_start((uv_stream_t *)&p->out, on_room, on_output);
    else
        uv_read_stop((uv_stream_t *)&p->out);
}

/* The end. */

static void on_late(uv_timer_t *timer)
{
    child_pipes_t *p = timer->data;
    if (p->step == EXITED) {
        finish(p);
        return;
    }
    bool term = p->step == CLOSING;
    child_process_signal(&p->process, term ? SIGTERM : SIGKILL);
    p->step = term ? TERMINATED : KILLED;
    if (term)
        uv_timer_start(&p->timer, on_late, CHILD_TERM_MS, 0);
}

static void on_exit_ready(uv_poll_t *poll, int status, int events)
{
    child_pipes_t *p = poll->data;
    uv_poll_stop(poll);
    p->step = EXITED;
    p->status = child_process_reap(&p->process);
    close_input(p);
    if (p->out_ended) {
        finish(p);
        return;
    }
    child_pipes_read(p, true);
    uv_timer_start(&p->timer, on_late, CHILD_LAST_MS, 0);
}

void child_pipes_stop(child_pipes_t *p)
{
    if (p->step != RUNNING)
        return;
    p->step = CLOSING;
    close_input(p);
    child_pipes_read(p, true);
    uv_timer_start(&p->timer, on_late, CHILD_STOP_MS, 0);
}

void child_pipes_kill(child_pipes_t *p)
{
    if (p->step == EXITED)
        return;
    p->step = KILLED;
    uv_timer_stop(&p->timer);
    child_process_signal(&p->process, SIGKILL);
}

pid_t child_pipes_pid(const child_pipes_t *p)
{
    return p->process.pid;
}

/* Writing. */

static void on_written(uv_write_t *request, int status)
{
    child_pipes_t *p = request->handle->data;
    write_t *w = request->data;
    p->waiting -= w->cost;
    free(w);
    if (status < 0 && status != UV_ECANCELED)
        child_pipes_stop(p);
}

rc_t child_pipes_write(child_pipes_t *p, str_t line)
{
    if (p->in_closed || p->step != RUNNING)
        return RC_IO;
    size_t cost = sizeof(write_t) + line.n + 1;
    if (p->waiting && p->waiting + cost > CHILD_INPUT_BYTES)
        return RC_BUSY;
    write_t *w = malloc(cost);
    if (!w)
        return RC_MEMORY;
    w->cost = cost;
    memcpy(w->bytes, line.p, line.n);
    w->bytes[line.n] = '\n';
    w->request.data = w;
    uv_buf_t b = uv_buf_init(w->bytes, (unsigned)line.n + 1);
    if (uv_write(&w->request, (uv_stream_t *)&p->in, &b, 1, on_written) == 0) {
        p->waiting += cost;
        return RC_OK;
    }
    free(w);
    return RC_IO;
}

/* Starting. */

static void open_handles(uv_loop_t *loop, child_pipes_t *p)
{
    uv_pipe_init(loop, &p->in, 0);
    uv_pipe_init(loop, &p->out, 0);
    uv_pipe_init(loop, &p->err, 0);
    uv_timer_init(loop, &p->timer);
    uv_poll_init(loop, &p->exit, p->process.exit);
    p->in.data = p->out.data = p->err.data = p->timer.data = p->exit.data = p;
    p->open = HANDLES;
    uv_pipe_open(&p->in, p->process.in);
    uv_pipe_open(&p->out, p->process.out);
    uv_pipe_open(&p->err, p->process.err);
    uv_poll_start(&p->exit, UV_READABLE, on_exit_ready);
    uv_read_start((uv_stream_t *)&p->err, on_room, on_error);
}

rc_t child_pipes_start(uv_loop_t *loop, const child_pipes_config_t *config,
                       child_pipes_events_t events, child_pipes_t **out, str_t *why, int *error)
{
    child_pipes_t *p = calloc(1, sizeof *p);
    *error = 0;
    *why = STR("there is no memory for a child");
    if (!p)
        return RC_MEMORY;
    rc_t rc = child_process_start(config->spawner, config->conf, config->directory, &p->process,
                                  why, error);
    if (rc != RC_OK) {
        free(p);
        return rc;
    }
    p->events = events;
    p->max = config->max_line;
    open_handles(loop, p);
    child_pipes_read(p, true);
    *out = p;
    return RC_OK;
}
