#include "core/close_from.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ROUNDS = 100, LIST_BYTES = 4096 };

/* As getdents64(2) writes one; opendir(3) would allocate. */
typedef struct {
    uint64_t inode;
    int64_t offset;
    uint16_t bytes;
    uint8_t type;
    char name[];
} entry_t;

/* -1: no number. */
static int number(const char *name)
{
    int n = 0;
    for (const char *p = name; *p; p++) {
        if (*p < '0' || *p > '9' || n > INT32_MAX / 10 - 1)
            return -1;
        n = 10 * n + (*p - '0');
    }
    return *name ? n : -1;
}

/* How many of this part of the list were closed. */
static int close_listed(const char *list, long n, int first, int lister)
{
    int closed = 0;
    for (long at = 0; at < n;) {
        uint16_t bytes;
        memcpy(&bytes, list + at + offsetof(entry_t, bytes), sizeof bytes);
        int fd = number(list + at + offsetof(entry_t, name));
        if (fd >= first && fd != lister)
            closed += close(fd) == 0;
        at += bytes;
    }
    return closed;
}

/* What is closed while a folder is read may have it skip others: read until there are none. -1: it
 * cannot be read. */
static int close_some(int first)
{
    char list[LIST_BYTES];
    int closed = 0;
    long n;
    int lister = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lister < 0)
        return -1;
    while ((n = syscall(SYS_getdents64, lister, list, sizeof list)) > 0)
        closed += close_listed(list, n, first, lister);
    close(lister);
    return n < 0 && closed == 0 ? -1 : closed;
}

bool close_from(int first)
{
    int closed = 1;
    if (close_range((unsigned)first, ~0U, 0) == 0)
        return true;
    for (int rounds = 0; closed > 0 && rounds < ROUNDS; rounds++)
        closed = close_some(first);
    return closed == 0;
}
