#include "proxy/close_from.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static int number(const char *name)
{
    char *end;
    long n = strtol(name, &end, 10);
    return end != name && *end == '\0' ? (int)n : -1;
}

/* What is closed while a folder is read may have it skip others: read until there are none. -1: it
 * cannot be read. */
static int close_some(int first)
{
    int closed = 0;
    const struct dirent *entry;
    DIR *dir = opendir("/proc/self/fd");
    if (!dir)
        return -1;
    errno = 0;
    while ((entry = readdir(dir)) != NULL) {
        int fd = number(entry->d_name);
        if (fd >= first && fd != dirfd(dir))
            closed += close(fd) == 0;
    }
    int failed = errno;
    closedir(dir);
    return failed && closed == 0 ? -1 : closed;
}

bool close_from(int first)
{
    int closed = 1;
    if (close_range((unsigned)first, ~0U, 0) == 0)
        return true;
    for (int rounds = 0; closed > 0 && rounds < 100; rounds++)
        closed = close_some(first);
    return closed == 0;
}
