#include "cmd/store_saved.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK_BYTES = 65536 };

static int unreadable(const store_saved_t *s)
{
    return command_fail(EXIT_FAILED, "'%s' cannot be read: %s", s->path, strerror(errno));
}

/* What SQLite left in a log beside the file would be missing. */
static int check_whole(const store_saved_t *s)
{
    struct stat st;
    str_t log = arena_printf(s->admin->a, "%s-wal", s->path);
    if (!str_is_set(log))
        return command_out_of_memory();
    if (stat(log.p, &st) != 0 || st.st_size == 0)
        return EXIT_DONE;
    return command_fail(EXIT_REFUSED,
                        "'%s' is a database that was copied while it was in use; take a file that "
                        "'warder store backup' has written",
                        s->path);
}

static int copy_bytes(const store_saved_t *s, FILE *out)
{
    char block[BLOCK_BYTES];
    size_t n;
    rewind(s->file);
    while ((n = fread(block, 1, sizeof block, s->file)) > 0)
        if (fwrite(block, 1, n, out) != n)
            return command_fail(EXIT_FAILED, "'%s' cannot be written: %s", s->copy,
                                strerror(errno));
    return ferror(s->file) ? unreadable(s) : EXIT_DONE;
}

/* Its logs as well: another copy under that name must not have them played over it. */
static void remove_copy(const store_saved_t *s)
{
    static const char *const SUFFIXES[] = {"", "-wal", "-shm", "-journal", "-lock"};
    for (size_t i = 0; i < sizeof SUFFIXES / sizeof SUFFIXES[0]; i++) {
        str_t path = arena_printf(s->admin->a, "%s%s", s->copy, SUFFIXES[i]);
        if (str_is_set(path))
            unlink(path.p);
    }
}

static int copy_database(store_saved_t *s)
{
    s->copy = arena_cstr(s->admin->a, arena_printf(s->admin->a, "%" PRIstr ".saved",
                                                   STR_ARG(s->admin->settings.database)));
    if (!s->copy)
        return command_out_of_memory();
    remove_copy(s); /* of a restore that was killed */
    FILE *out;
    int code = store_command_create(s->copy, &out);
    return code == EXIT_DONE ? store_command_keep(out, s->copy, copy_bytes(s, out)) : code;
}

/* The copy is brought to the schema of this program, whichever version saved it. */
static int open_database(store_saved_t *s)
{
    str_t why = STR("out of memory");
    int code = check_whole(s);
    if (code == EXIT_DONE)
        code = copy_database(s);
    if (code != EXIT_DONE)
        return code;
    const store_config_t config = {.driver = STR("sqlite"),
                                   .path = str_c(s->copy),
                                   .log = &s->admin->log,
                                   .clock = clock_system()};
    rc_t rc = store_open(s->admin->a, &config, &s->database, &why);
    if (rc != RC_OK)
        return store_command_failed(rc, why, "the backup cannot be opened");
    if (store_pipe_start(&s->pipe, s->database, s->wants) != RC_OK)
        return command_out_of_memory();
    s->piping = true;
    s->inner = store_pipe_source(&s->pipe);
    return EXIT_DONE;
}

static int open_text(store_saved_t *s)
{
    rewind(s->file);
    if (store_text_open(&s->text, s->file) != RC_OK)
        return command_out_of_memory();
    s->inner = store_text_source(&s->text);
    return EXIT_DONE;
}

int store_saved_open(store_saved_t *s)
{
    static const char MAGIC[16] = "SQLite format 3";
    char head[sizeof MAGIC] = {0};
    s->file = fopen(s->path, "re");
    if (!s->file)
        return unreadable(s);
    if (fread(head, 1, sizeof head, s->file) < sizeof head && ferror(s->file))
        return unreadable(s);
    s->is_database = memcmp(head, MAGIC, sizeof head) == 0;
    return s->is_database ? open_database(s) : open_text(s);
}

/* Tables that are not wanted are passed over; a pipe does that by itself. */
static rc_t next(void *ctx, table_id_t *table, const void **record)
{
    store_saved_t *s = ctx;
    rc_t rc;
    do {
        rc = s->inner.next(s->inner.ctx, table, record);
    } while (rc == RC_OK && s->wants && !s->wants(*table));
    s->given += rc == RC_OK;
    if (rc == RC_NOT_FOUND) {
        s->revocation = *s->inner.revocation;
        if (s->least > 0 && s->revocation < (uint64_t)s->least)
            s->revocation = (uint64_t)s->least;
    }
    return rc;
}

store_source_t store_saved_source(store_saved_t *s)
{
    return (store_source_t){next, s, &s->revocation};
}

static void end_pipe(store_saved_t *s)
{
    if (s->piping)
        store_pipe_stop(&s->pipe);
    s->piping = false;
}

int store_saved_refused(store_saved_t *s, rc_t rc, str_t why)
{
    if (!s->is_database)
        return store_command_refused(&s->text, s->path, rc, why);
    end_pipe(s);
    return store_command_failed(rc, str_is_set(s->pipe.why) ? s->pipe.why : why,
                                "the store could not be filled");
}

void store_saved_close(store_saved_t *s)
{
    end_pipe(s);
    if (s->pipe.a)
        store_pipe_free(&s->pipe);
    if (s->database)
        store_close(s->database);
    if (s->copy)
        remove_copy(s);
    store_text_close(&s->text);
    if (s->file)
        fclose(s->file);
}
