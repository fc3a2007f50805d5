#include "cmd/beforehand.h"

#include "cmd/trail.h"

#include <fcntl.h>
#include <unistd.h>

static int opened[BEFOREHAND_COUNT] = {-1, -1};

static void open_one(beforehand_t which, const char *path)
{
    if (path && opened[which] < 0)
        opened[which] = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

void beforehand_open(arena_t *a, const settings_t *s)
{
    if (s->conf.run_as.n == 0 || geteuid() != 0)
        return;
    if (s->conf.key_file.n > 0)
        open_one(BEFOREHAND_KEY, arena_cstr(a, s->conf.key_file));
    if (s->conf.audit_key_file.n > 0)
        open_one(BEFOREHAND_AUDIT_KEY, trail_key_path(a, s));
}

int beforehand_fd(beforehand_t which)
{
    return opened[which];
}

void beforehand_moved(beforehand_t which, int to)
{
    opened[which] = to;
}

void beforehand_shut(beforehand_t which)
{
    if (opened[which] >= 0)
        close(opened[which]);
    opened[which] = -1;
}

void beforehand_shut_all(void)
{
    for (int i = 0; i < BEFOREHAND_COUNT; i++)
        beforehand_shut((beforehand_t)i);
}
