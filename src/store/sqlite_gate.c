#include "store/sqlite_gate.h"

#include "store/sqlite_db.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static rc_t explain(arena_t *a, const char *file, str_t *why)
{
    *why = arena_printf(a,
                        "the lock file %s cannot be opened (%s); let this user read it and write "
                        "its folder",
                        file, strerror(errno));
    return RC_IO;
}

/* What an administrator's command makes is for the server as well, which is another user. */
static void give_to_owner(int fd, const char *path)
{
    struct stat st;
    if (geteuid() == 0 && stat(path, &st) == 0)
        if (fchown(fd, st.st_uid, st.st_gid) != 0)
            return; /* the server then says what it cannot open */
}

static int open_lock(const char *path, const char *file)
{
    const int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    int fd = open(file, flags);
    if (fd >= 0 || errno != ENOENT)
        return fd;
    fd = open(file, flags | O_CREAT | O_EXCL, 0600);
    if (fd >= 0)
        give_to_owner(fd, path);
    return fd < 0 && errno == EEXIST ? open(file, flags) : fd;
}

/* Where the lock file is missing and cannot be made. The opening itself says what is wrong. */
static bool nobody_replaces(const char *file)
{
    int because = errno;
    bool denied = because == EACCES || because == EPERM || because == EROFS || because == ENOENT ||
                  because == ENOTDIR;
    bool missing = denied && access(file, F_OK) != 0;
    errno = because;
    return missing;
}

static rc_t wait_for(int fd, int how, int64_t wait_ms)
{
    static const struct timespec MS = {0, 1000000};
    for (int64_t until = sqlite_mono_ms() + wait_ms;;) {
        if (flock(fd, how | LOCK_NB) == 0)
            return RC_OK;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return RC_IO;
        if (sqlite_mono_ms() >= until)
            return RC_BUSY;
        nanosleep(&MS, NULL);
    }
}

str_t sqlite_gate_holder(arena_t *a, const char *path)
{
    const char *file = arena_cstr(a, arena_printf(a, "%s-lock", path));
    return file ? sqlite_lock_holder(a, file) : STR_UNSET;
}

static str_t in_use(arena_t *a, const char *path)
{
    str_t who = sqlite_gate_holder(a, path);
    return arena_printf(a, "the database %s is being opened or replaced%s%" PRIstr "; try again",
                        path, str_is_set(who) ? " by " : "", STR_ARG(who));
}

rc_t sqlite_gate_take(sqlite_gate_t *gate, arena_t *a, const char *path, sqlite_gate_way_t way,
                      int64_t wait_ms, str_t *why)
{
    *gate = (sqlite_gate_t){-1};
    char *file = arena_cstr(a, arena_printf(a, "%s-lock", path));
    if (!file) {
        *why = STR("the store has no memory");
        return RC_MEMORY;
    }
    int fd = open_lock(path, file);
    if (fd < 0)
        return way != SQLITE_GATE_SHUT && nobody_replaces(file) ? RC_OK : explain(a, file, why);
    rc_t rc = wait_for(fd, way == SQLITE_GATE_PASS ? LOCK_SH : LOCK_EX, wait_ms);
    if (rc == RC_OK) {
        gate->fd = fd;
        return RC_OK;
    }
    if (rc == RC_BUSY)
        *why = in_use(a, path);
    else
        rc = explain(a, file, why);
    close(fd);
    return rc;
}

void sqlite_gate_leave(sqlite_gate_t *gate)
{
    if (gate->fd < 0)
        return;
    flock(gate->fd, LOCK_UN); /* a process that is just being started may have it as well */
    close(gate->fd);
    gate->fd = -1;
}
