#include "mcp_stdio/streams.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { FIRST_FREE = 3 };

/* What stands in for standard input or output: standard error, or where that is closed nothing. */
static int stand_in(int fd)
{
    int from = fd == STDOUT_FILENO ? dup(STDERR_FILENO) : -1;
    int to = from >= 0 ? from : open("/dev/null", O_RDWR | O_CLOEXEC);
    if (to < 0)
        return -1;
    int done = dup2(to, fd);
    close(to);
    return done;
}

/* What was printed before belongs where it was meant to go. */
static void flush(void)
{
    (void)fflush(stdout);
}

static void put_back(int *kept, int fd)
{
    if (*kept < 0)
        return;
    (void)dup2(*kept, fd);
    close(*kept);
    *kept = -1;
}

rc_t mcp_streams_take(mcp_streams_t *out)
{
    flush();
    out->in = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, FIRST_FREE);
    out->out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, FIRST_FREE);
    if (out->in >= 0 && out->out >= 0 && stand_in(STDIN_FILENO) >= 0 &&
        stand_in(STDOUT_FILENO) >= 0)
        return RC_OK;
    mcp_streams_give_back(out);
    return RC_IO;
}

void mcp_streams_give_back(mcp_streams_t *s)
{
    flush();
    put_back(&s->in, STDIN_FILENO);
    put_back(&s->out, STDOUT_FILENO);
}
