#include "tokens/keep_files.h"

#include "tokens/keep_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { OTHERS = S_IRWXG | S_IRWXO, SLOWEST_MS = 10 };

rc_t tokens_file_failed(arena_t *a, const char *what, const char *name, str_t *why)
{
    *why = arena_printf(a, "%s '%s': %s", what, name, strerror(errno));
    return RC_IO;
}

static rc_t refuse(arena_t *a, const char *name, const char *reason, str_t *why)
{
    *why = arena_printf(a, "'%s' %s", name, reason);
    return RC_CONFIG;
}

/* What is open now, and not what the name led to before. */
static rc_t check(arena_t *a, int fd, const char *name, mode_t kind, str_t *why)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return tokens_file_failed(a, "cannot look at", name, why);
    if ((st.st_mode & S_IFMT) != kind)
        return refuse(a, name, kind == S_IFDIR ? "is no folder" : "is no regular file", why);
    if (st.st_uid != geteuid())
        return refuse(a, name, "belongs to another user", why);
    if (!(st.st_mode & OTHERS))
        return RC_OK;
    *why = arena_printf(a, "others can use '%s' (mode %03o): chmod %s", name,
                        (unsigned)(st.st_mode & 0777), kind == S_IFDIR ? "700" : "600");
    return RC_CONFIG;
}

static rc_t take_opened(arena_t *a, int opened, const char *name, mode_t kind, int *fd, str_t *why)
{
    *fd = -1;
    if (opened < 0 && errno == ENOENT)
        return RC_NOT_FOUND;
    if (opened < 0 && errno == ELOOP)
        return refuse(a, name, "is a symbolic link", why);
    if (opened < 0 && errno == ENOTDIR)
        return refuse(a, name, "is no folder, or a symbolic link", why);
    if (opened < 0)
        return tokens_file_failed(a, "cannot open", name, why);
    rc_t rc = check(a, opened, name, kind, why);
    if (rc == RC_OK)
        *fd = opened;
    else
        close(opened);
    return rc;
}

rc_t tokens_private_file(arena_t *a, int dir, const char *name, int flags, int *fd, str_t *why)
{
    /* A pipe in its place must not hang the open. */
    int opened = openat(dir, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
    return take_opened(a, opened, name, S_IFREG, fd, why);
}

/* Each folder on the way. One that is there already is none of ours to judge. */
static void make_folders(char *path)
{
    for (char *p = path + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        (void)mkdir(path, 0700);
        *p = '/';
    }
    (void)mkdir(path, 0700);
}

rc_t tokens_private_folder(arena_t *a, str_t path, int *fd, str_t *why)
{
    *why = STR_UNSET;
    *fd = -1;
    /* Behind a slash at the end even O_NOFOLLOW follows. */
    while (path.n > 1 && str_ends(path, STR("/")))
        path.n--;
    if (path.n == 0)
        return refuse(a, "", "is no folder", why);
    char *name = arena_cstr(a, path);
    if (!name)
        return RC_MEMORY;
    make_folders(name);
    int opened = open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    rc_t rc = take_opened(a, opened, name, S_IFDIR, fd, why);
    return rc == RC_NOT_FOUND ? tokens_file_failed(a, "cannot make the folder", name, why) : rc;
}

/* flock(2) locks belong to one opening of the file: they hold between threads as between processes,
 * and end with the last descriptor, so with the process. */
struct tokens_lock {
    int fd;
};

static void pause_ms(int64_t ms)
{
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static rc_t take_flock(int fd, int64_t end, const clock_port_t *clock)
{
    for (int64_t pause = 1;; pause = pause * 2 < SLOWEST_MS ? pause * 2 : SLOWEST_MS) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return RC_OK;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return RC_IO;
        int64_t left = end - clock->mono_ms(clock->ctx);
        if (left <= 0)
            return RC_BUSY;
        pause_ms(pause < left ? pause : left);
    }
}

/* Whether the name still leads to this file: a person may have cleared the folder meanwhile, and
 * the next one would lock another file. */
static bool is_there(int dir, const char *name, int fd)
{
    struct stat held, named;
    return fstat(fd, &held) == 0 && fstatat(dir, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

static int open_lock(int dir, const char *name)
{
    int fd = openat(dir, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
    struct stat st;
    if (fd < 0)
        return -1;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid())
        return fd;
    close(fd);
    return -1;
}

static rc_t take_file(int dir, const char *name, int64_t wait_ms, int *out)
{
    clock_port_t clock = clock_system();
    int64_t end = clock.mono_ms(clock.ctx) + wait_ms;
    for (;;) {
        int fd = open_lock(dir, name);
        if (fd < 0)
            return RC_IO;
        rc_t rc = take_flock(fd, end, &clock);
        *out = fd;
        if (rc == RC_OK && is_there(dir, name, fd))
            return RC_OK;
        close(fd);
        if (rc != RC_OK)
            return rc;
    }
}

rc_t tokens_file_lock(int dir, str_t name, int64_t wait_ms, tokens_lock_t **out)
{
    char file[TOKENS_NAME_BYTES + sizeof ".lock"];
    str_t why;
    *out = NULL;
    TRY(tokens_name_check(name, &why));
    snprintf(file, sizeof file, "%" PRIstr ".lock", STR_ARG(name));
    tokens_lock_t *lock = calloc(1, sizeof *lock);
    if (!lock)
        return RC_MEMORY;
    rc_t rc = take_file(dir, file, tokens_wait_clamp(wait_ms), &lock->fd);
    if (rc == RC_OK)
        *out = lock;
    else
        free(lock);
    return rc;
}

void tokens_file_unlock(tokens_lock_t *lock)
{
    if (!lock)
        return;
    /* A process that was forked meanwhile has the descriptor too, so closing would not do. */
    (void)flock(lock->fd, LOCK_UN);
    close(lock->fd);
    free(lock);
}
