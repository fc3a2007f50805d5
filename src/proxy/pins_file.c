#include "proxy/pins_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "pins.json"
#define NEW_NAME  "pins.json.new"
#define LOCK_NAME "pins.lock"

enum { LOCK_WAIT_US = 10000 };

rc_t pins_file_open(pins_file_t *f, const char *folder)
{
    *f = (pins_file_t){.lock = -1};
    f->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->folder < 0)
        return RC_IO;
    f->lock = openat(f->folder, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    return f->lock < 0 ? RC_IO : RC_OK;
}

void pins_file_close(pins_file_t *f)
{
    if (f->folder >= 0)
        close(f->folder);
    if (f->lock >= 0)
        close(f->lock);
    f->folder = f->lock = -1;
}

bool pins_file_lock(pins_file_t *f, unsigned tries)
{
    for (unsigned i = 0; i < tries; i++) {
        if (flock(f->lock, LOCK_EX | LOCK_NB) == 0)
            return true;
        if (i + 1 < tries)
            usleep(LOCK_WAIT_US);
    }
    return false;
}

void pins_file_unlock(pins_file_t *f)
{
    flock(f->lock, LOCK_UN);
}

static pins_stamp_t stamp_of(const struct stat *s)
{
    return (pins_stamp_t){s->st_ino, s->st_size, s->st_mtim};
}

static bool is_same_file(const pins_stamp_t *x, const pins_stamp_t *y)
{
    return x->inode == y->inode && x->size == y->size && x->changed.tv_sec == y->changed.tv_sec &&
           x->changed.tv_nsec == y->changed.tv_nsec;
}

static rc_t read_all(arena_t *a, int fd, size_t size, str_t *out)
{
    char *p = arena_alloc(a, size + 1);
    size_t got = 0;
    if (!p)
        return RC_MEMORY;
    while (got < size) {
        ssize_t n = read(fd, p + got, size - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return RC_IO;
        got += (size_t)n;
    }
    *out = str_of(p, got);
    return RC_OK;
}

static rc_t read_open(arena_t *a, int fd, gate_pins_t *out, pins_stamp_t *stamp)
{
    struct stat s;
    str_t text;
    if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode))
        return RC_IO;
    if (s.st_size > GATE_PIN_FILE_BYTES)
        return RC_LIMIT;
    *stamp = stamp_of(&s);
    TRY(read_all(a, fd, (size_t)s.st_size, &text));
    return gate_pins_read(a, text, out);
}

bool pins_file_is_changed(const pins_file_t *f)
{
    struct stat s;
    pins_stamp_t now = {0};
    if (fstatat(f->folder, FILE_NAME, &s, AT_SYMLINK_NOFOLLOW) == 0)
        now = stamp_of(&s);
    return !is_same_file(&now, &f->stamp);
}

rc_t pins_file_read(pins_file_t *f, arena_t *a, gate_pins_t *out)
{
    pins_stamp_t stamp = {0};
    *out = (gate_pins_t){0};
    int fd = openat(f->folder, FILE_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno != ENOENT)
        return RC_IO;
    rc_t rc = fd < 0 ? RC_OK : read_open(a, fd, out, &stamp);
    if (fd >= 0)
        close(fd);
    if (rc == RC_OK)
        f->stamp = stamp;
    return rc;
}

static bool write_all(int fd, str_t text)
{
    while (text.n > 0) {
        ssize_t n = write(fd, text.p, text.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        text = str_skip(text, (size_t)n);
    }
    return fsync(fd) == 0;
}

/* Beside the old one, then in its place: whoever opens it sees all of one state. */
static rc_t replace_file(pins_file_t *f, str_t text)
{
    struct stat s;
    (void)unlinkat(f->folder, NEW_NAME, 0);
    int fd = openat(f->folder, NEW_NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return RC_IO;
    bool good = write_all(fd, text) && fstat(fd, &s) == 0;
    close(fd);
    if (!good || renameat(f->folder, NEW_NAME, f->folder, FILE_NAME) != 0 || fsync(f->folder) != 0)
        return RC_IO;
    f->stamp = stamp_of(&s);
    return RC_OK;
}

rc_t pins_file_write(pins_file_t *f, const gate_pins_t *pins)
{
    str_t text;
    arena_t *scratch = arena_new(4 * (size_t)GATE_PIN_FILE_BYTES);
    rc_t rc = scratch ? gate_pins_write(scratch, pins, &text) : RC_MEMORY;
    if (rc == RC_OK)
        rc = replace_file(f, text);
    arena_free(scratch);
    return rc;
}
