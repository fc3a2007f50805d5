/* warder store export [FILE] */
#include "cmd/store_command.h"

#include <errno.h>
#include <unistd.h>

static int write_to(admin_t *admin, FILE *out, const char *name)
{
    store_tally_t tally;
    str_t why;
    rc_t rc = store_text_write(admin->store, admin->a, admin->now, out, &tally, &why);
    int error = errno;
    uint64_t n = store_tally_sum(&tally);
    store_tally_free(&tally);
    if (rc == RC_IO && !str_is_set(why))
        return command_fail(EXIT_FAILED, "'%s' cannot be written: %s", name, strerror(error));
    if (rc != RC_OK)
        return store_command_failed(rc, why, "the store could not be exported");
    return store_command_record(admin, "exported",
                                arena_printf(admin->a, "%llu records", (unsigned long long)n));
}

static int export_store(admin_t *admin, const option_t *rows, const str_t *words, size_t n_words)
{
    (void)rows;
    if (n_words == 0 && isatty(STDOUT_FILENO))
        return command_fail(EXIT_USAGE, "an export holds secrets and is not written to a terminal; "
                                        "name a FILE");
    if (n_words == 0)
        return write_to(admin, stdout, "standard output");
    FILE *f;
    const char *path = store_command_word(admin, words, n_words, "store export wants one FILE");
    int code = path ? store_command_create(path, &f) : EXIT_USAGE;
    if (code != EXIT_DONE)
        return code;
    return store_command_keep(f, path, write_to(admin, f, path));
}

static int run(int argc, char **argv)
{
    command_forbid_core();
    return admin_command(argc, argv, NULL, 0, 1, export_store);
}

const command_t CMD_STORE_EXPORT = {
    "store export", "[FILE]", "writes all records as lines of JSON, with the secrets in them", run};
