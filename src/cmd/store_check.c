/* warder store check */
#include "cmd/store_command.h"

static void found(void *ctx, str_t sentence)
{
    ++*(size_t *)ctx;
    printf("%" PRIstr "\n", STR_ARG(sentence));
}

static int check(admin_t *admin, const option_t *rows, const str_t *words, size_t n_words)
{
    (void)rows;
    (void)words;
    (void)n_words;
    size_t n = 0;
    str_t why = STR_UNSET;
    const store_finder_t finder = {found, &n};
    rc_t rc = store_check(admin->store, admin->a, &finder, &why);
    if (rc != RC_OK)
        return store_command_failed(rc, why, "the store could not be checked");
    if (n > 0)
        return command_fail(EXIT_REFUSED,
                            "%zu things are wrong with the store; restore it from a "
                            "backup, or report what was found",
                            n);
    puts("the store is sound");
    return EXIT_DONE;
}

static int run(int argc, char **argv)
{
    return admin_command(argc, argv, NULL, 0, 0, check);
}

const command_t CMD_STORE_CHECK = {
    "store check", "", "looks for damage, and for records that do not fit together", run};
