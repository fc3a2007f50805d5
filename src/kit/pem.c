#include "kit/pem.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OTHERS = S_IRWXO | S_IWGRP | S_IXGRP };

static rc_t no_memory(str_t *why)
{
    *why = STR("there is not enough memory");
    return RC_MEMORY;
}

static rc_t refuse(str_t *why, str_t sentence)
{
    *why = sentence;
    return sentence.p ? RC_CONFIG : no_memory(why);
}

static rc_t unreadable(arena_t *a, const char *what, const char *path, str_t *why)
{
    char text[128];
    const char *problem = strerror_r(errno, text, sizeof text);
    return refuse(why, arena_printf(a, "%s: %s cannot be read: %s", what, path, problem));
}

/* Whole, up to one byte more than there may be. */
static ssize_t read_all(int fd, char *bytes)
{
    size_t n = 0;
    ssize_t got = 1;
    while (got > 0 && n <= KIT_PEM_BYTES) {
        got = read(fd, bytes + n, KIT_PEM_BYTES + 1 - n);
        if (got > 0)
            n += (size_t)got;
        if (got < 0 && errno != EINTR)
            return -1;
        got = got < 0 ? 1 : got;
    }
    return (ssize_t)n;
}

static rc_t read_file(arena_t *a, const char *what, const char *path, int fd, str_t *out,
                      str_t *why)
{
    char *bytes = secret_alloc(a, KIT_PEM_BYTES + 1);
    if (!bytes)
        return no_memory(why);
    ssize_t n = read_all(fd, bytes);
    if (n < 0)
        return unreadable(a, what, path, why);
    if (n > KIT_PEM_BYTES)
        return refuse(why, arena_printf(a, "%s: %s is longer than %d bytes; name the right file",
                                        what, path, KIT_PEM_BYTES));
    *out = str_of(bytes, (size_t)n);
    return RC_OK;
}

static rc_t check_mode(arena_t *a, const char *what, const char *path, int fd, str_t *why)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return unreadable(a, what, path, why);
    if (!(st.st_mode & OTHERS))
        return RC_OK;
    return refuse(why, arena_printf(a, "%s: others can use %s (mode %03o); run: chmod 600 %s", what,
                                    path, (unsigned)(st.st_mode & 0777), path));
}

static int open_file(const char *path)
{
    return open(path, O_RDONLY | O_CLOEXEC);
}

rc_t kit_pem_read(arena_t *a, const char *what, const char *path, str_t *out, str_t *why)
{
    int fd = open_file(path);
    if (fd < 0)
        return unreadable(a, what, path, why);
    rc_t rc = read_file(a, what, path, fd, out, why);
    close(fd);
    return rc;
}

rc_t kit_pem_read_key(arena_t *a, const char *what, const char *path, secret_t *out, str_t *why)
{
    str_t bytes;
    int fd = open_file(path);
    if (fd < 0)
        return unreadable(a, what, path, why);
    rc_t rc = check_mode(a, what, path, fd, why);
    if (rc == RC_OK)
        rc = read_file(a, what, path, fd, &bytes, why);
    if (rc == RC_OK)
        *out = secret_of(bytes);
    close(fd);
    return rc;
}
