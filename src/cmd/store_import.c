/* warder store import FILE */
#include "cmd/store_command.h"

#include <errno.h>

static int fill(admin_t *admin, store_text_t *text, const char *path)
{
    str_t why = STR_UNSET;
    const store_source_t source = store_text_source(text);
    rc_t rc = store_fill(admin->store, admin->a, &source, &why);
    if (rc == RC_CONFLICT)
        return command_fail(EXIT_REFUSED,
                            "%" PRIstr "; import into an empty one, or see 'warder "
                            "store restore --replace'",
                            STR_ARG(why));
    if (rc != RC_OK)
        return store_command_refused(text, path, rc, why);
    uint64_t n = 0;
    for (int t = 0; t < TABLE_COUNT; t++)
        n += text->reader.counts[t];
    printf("%llu records imported\n", (unsigned long long)n);
    return store_command_record(admin, "imported",
                                arena_printf(admin->a, "%llu records", (unsigned long long)n));
}

static int import_store(admin_t *admin, const option_t *rows, const str_t *words, size_t n_words)
{
    (void)rows;
    store_text_t text;
    const char *path = store_command_word(admin, words, n_words, "store import wants one FILE");
    if (!path)
        return EXIT_USAGE;
    FILE *f = fopen(path, "re");
    if (!f)
        return command_fail(EXIT_FAILED, "'%s' cannot be read: %s", path, strerror(errno));
    int code =
        store_text_open(&text, f) == RC_OK ? fill(admin, &text, path) : command_out_of_memory();
    store_text_close(&text);
    fclose(f);
    return code;
}

static int run(int argc, char **argv)
{
    command_forbid_core();
    return admin_command(argc, argv, NULL, 0, 1, import_store);
}

const command_t CMD_STORE_IMPORT = {
    "store import", "FILE", "fills an empty store with an export, wholly or not at all", run};
