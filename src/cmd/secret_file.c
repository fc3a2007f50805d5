#include "cmd/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* A group may read what belongs to somebody else: that is how secrets are mounted for services, by
 * root for the group of one. What is our own nobody else has to read. */
static mode_t forbidden(const struct stat *st)
{
    enum { OTHERS = S_IRWXO | S_IWGRP | S_IXGRP };
    return st->st_uid == geteuid() ? OTHERS | S_IRGRP : OTHERS;
}

static int unreadable(const secret_file_t *file)
{
    return command_refuse(file->refusal, EXIT_SETTING, "the %s '%s' cannot be read: %s", file->what,
                          file->path, strerror(errno));
}

static int check(const secret_file_t *file, int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return unreadable(file);
    if (!S_ISREG(st.st_mode))
        return command_refuse(file->refusal, EXIT_SETTING,
                              "the %s '%s' is no regular file; name one", file->what, file->path);
    if (!file->any_mode && (st.st_mode & forbidden(&st)))
        return command_refuse(file->refusal, EXIT_SETTING,
                              "others can use the %s '%s' (mode %03o); run: chmod 600 %s",
                              file->what, file->path, (unsigned)(st.st_mode & 0777), file->path);
    return EXIT_DONE;
}

static int read_bytes(arena_t *a, const secret_file_t *file, int fd, secret_t *out)
{
    char bytes[SECRET_FILE_BYTES_MAX + 1];
    ssize_t n = read(fd, bytes, sizeof bytes);
    int code = EXIT_DONE;
    if (n < 0)
        code = unreadable(file);
    else if (n > SECRET_FILE_BYTES_MAX)
        code = command_refuse(file->refusal, EXIT_SETTING,
                              "the %s '%s' is longer than %d bytes; name the right one", file->what,
                              file->path, SECRET_FILE_BYTES_MAX);
    else
        *out = secret_dup(a, str_of(bytes, (size_t)n));
    secret_wipe(bytes, sizeof bytes);
    if (code == EXIT_DONE && !str_is_set(out->hidden))
        code = command_refuse(file->refusal, EXIT_FAILED, "out of memory");
    return code;
}

int secret_file_read_open(arena_t *a, const secret_file_t *file, int fd, secret_t *out)
{
    *out = secret_of(STR_UNSET);
    int code = check(file, fd);
    return code == EXIT_DONE ? read_bytes(a, file, fd, out) : code;
}

int secret_file_read(arena_t *a, const secret_file_t *file, secret_t *out)
{
    *out = secret_of(STR_UNSET);
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return unreadable(file);
    int code = secret_file_read_open(a, file, fd, out);
    close(fd);
    return code;
}
