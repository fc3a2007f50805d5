#include "cmd/store_command.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int store_command_failed(rc_t rc, str_t why, const char *what)
{
    int code =
        rc == RC_CONFLICT || rc == RC_MALFORMED || rc == RC_CONFIG ? EXIT_REFUSED : EXIT_FAILED;
    if (str_is_set(why))
        return command_fail(code, "%" PRIstr, STR_ARG(why));
    return rc == RC_MEMORY ? command_out_of_memory()
                           : command_fail(code, "%s (%s)", what, rc_name(rc));
}

int store_command_refused(const store_text_t *text, const char *path, rc_t rc, str_t why)
{
    const archive_reader_t *r = &text->reader;
    if (text->failed)
        return command_fail(EXIT_FAILED, "'%s' cannot be read: %s", path, strerror(errno));
    if (r->refusal == ARCHIVE_FINE)
        return store_command_failed(rc, why, "the store could not be filled");
    return command_fail(EXIT_REFUSED, "'%s' is not taken (line %llu): %" PRIstr, path,
                        (unsigned long long)r->line, STR_ARG(archive_refusal_text(r->refusal)));
}

int store_command_in_use(str_t who, const char *mend)
{
    return str_is_set(who)
               ? command_fail(EXIT_REFUSED, "another process uses the store (%" PRIstr "); %s",
                              STR_ARG(who), mend)
               : command_fail(EXIT_REFUSED, "another process uses the store; %s", mend);
}

int store_command_record(admin_t *admin, const char *reason, str_t detail)
{
    const audit_event_t event = {
        .kind = AUDIT_STORE, .allowed = true, .reason = str_c(reason), .detail = detail};
    return admin_record(admin, &event);
}

int store_command_create(const char *path, FILE **out)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    *out = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (*out)
        return EXIT_DONE;
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (error == EEXIST)
        return command_fail(EXIT_REFUSED, "the file '%s' exists; name a new one", path);
    return command_fail(EXIT_FAILED, "'%s' cannot be written: %s", path, strerror(error));
}

bool store_command_sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char folder[4096] = ".";
    size_t n = slash ? (size_t)(slash - path) + 1 : 1;
    if (n >= sizeof folder)
        return false;
    if (slash)
        memcpy(folder, path, n);
    folder[n] = '\0';
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return done;
}

int store_command_keep(FILE *f, const char *path, int code)
{
    if (code == EXIT_DONE &&
        (fflush(f) != 0 || fsync(fileno(f)) != 0 || !store_command_sync_folder(path)))
        code = command_fail(EXIT_FAILED, "'%s' cannot be written: %s", path, strerror(errno));
    if (fclose(f) != 0 && code == EXIT_DONE)
        code = command_fail(EXIT_FAILED, "'%s' cannot be written: %s", path, strerror(errno));
    if (code != EXIT_DONE)
        unlink(path);
    return code;
}

const char *store_command_word(admin_t *admin, const str_t *words, size_t n, const char *wants)
{
    const char *word = n == 1 && words[0].n > 0 ? arena_cstr(admin->a, words[0]) : NULL;
    if (!word)
        command_fail(EXIT_USAGE, "%s", wants);
    return word;
}
