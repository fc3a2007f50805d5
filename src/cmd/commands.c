#include "cmd/command.h"

#include <stddef.h>
#include <string.h>

const command_t *const COMMANDS[] = {
    &CMD_SERVE,
    &CMD_CONFIG_CHECK,
    &CMD_CONFIG_SHOW,
    &CMD_ADMIN_USER_ADD,
    &CMD_ADMIN_USER_PASSWORD,
    &CMD_ADMIN_USER_GROUPS,
    &CMD_ADMIN_USER_DISABLE,
    &CMD_ADMIN_USER_LIST,
    &CMD_ADMIN_CLIENT_ADD,
    &CMD_ADMIN_CLIENT_DELETE,
    &CMD_ADMIN_CLIENT_LIST,
    &CMD_ADMIN_CLIENT_LOOPBACK,
    &CMD_ADMIN_RESOURCE_ADD,
    &CMD_ADMIN_RESOURCE_DELETE,
    &CMD_ADMIN_RESOURCE_LIST,
    &CMD_ADMIN_RESOURCE_SHOW,
    &CMD_ADMIN_REVOKE,
    &CMD_ADMIN_REGISTRATION_TOKEN,
    &CMD_ADMIN_KEY_LIST,
    &CMD_ADMIN_KEY_ROTATE,
    &CMD_ADMIN_KEY_REMOVE,
    &CMD_ADMIN_KEY_RESEAL,
    &CMD_STORE_STATS,
    &CMD_STORE_CHECK,
    &CMD_STORE_BACKUP,
    &CMD_STORE_RESTORE,
    &CMD_STORE_EXPORT,
    &CMD_STORE_IMPORT,
    &CMD_STORE_MIGRATE,
    &CMD_POLICY_EXPLAIN,
    &CMD_POLICY_WHO_CAN,
    &CMD_POLICY_DIFF,
    &CMD_POLICY_TEST,
    &CMD_POLICY_REPLAY,
    &CMD_AUDIT_EXPORT,
    &CMD_AUDIT_MERGE,
    &CMD_AUDIT_TAIL,
    &CMD_AUDIT_VERIFY,
    &CMD_PIN_LIST,
    &CMD_PIN_APPROVE,
    &CMD_PIN_FORGET,
    &CMD_CONNECT,
    &CMD_CALL,
    &CMD_TOOLS,
    &CMD_TOKEN,
    &CMD_LOGOUT,
    &CMD_DOCTOR,
    &CMD_COMPLETION,
    NULL,
};

/* How many words of argv the command's name takes, or 0 when it is another command. */
static int command_words(const command_t *command, int argc, char **argv)
{
    const char *name = command->name;
    int words = 0;
    while (*name) {
        size_t n = strcspn(name, " ");
        if (words >= argc || strlen(argv[words]) != n || memcmp(argv[words], name, n) != 0)
            return 0;
        words++;
        name += n;
        name += *name == ' ';
    }
    return words;
}

const command_t *command_find(int argc, char **argv, int *words)
{
    for (const command_t *const *command = COMMANDS; *command; command++) {
        *words = command_words(*command, argc, argv);
        if (*words > 0)
            return *command;
    }
    return NULL;
}

bool command_is_of(const command_t *command, const char *group)
{
    size_t n = strlen(group);
    return strncmp(command->name, group, n) == 0 && command->name[n] == ' ';
}
