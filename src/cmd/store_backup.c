/* warder store backup FILE */
#include "cmd/store_command.h"

static int back_up(admin_t *admin, const option_t *rows, const str_t *words, size_t n_words)
{
    (void)rows;
    str_t why = STR_UNSET;
    const char *path = store_command_word(admin, words, n_words, "store backup wants one FILE");
    if (!path)
        return EXIT_USAGE;
    rc_t rc = store_backup(admin->store, admin->a, path, &why);
    if (rc != RC_OK)
        return store_command_failed(rc, why, "the store could not be saved");
    return store_command_record(admin, "saved", STR("a backup of the database was written"));
}

static int run(int argc, char **argv)
{
    command_forbid_core();
    return admin_command(argc, argv, NULL, 0, 1, back_up);
}

const command_t CMD_STORE_BACKUP = {
    "store backup", "FILE", "copies the database to a new file, while the server runs", run};
