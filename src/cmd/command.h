/* One command, one file, one const struct. */
#ifndef CMD_COMMAND_H
#define CMD_COMMAND_H

#include "core/arena.h"

/* Exit codes, the same for every command; documented in docs/COMMANDS.md. */
enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,  /* the world failed: disk, network, store */
    EXIT_USAGE = 2,   /* the command line is wrong */
    EXIT_SETTING = 3, /* a setting is wrong or unsafe; the start was refused */
    EXIT_REFUSED = 4, /* the thing exists already, does not exist, or breaks a rule */
    /* Of the client's commands. */
    EXIT_SIGN_IN = 5,   /* no token could be had, or the server refuses it */
    EXIT_TOOL = 6,      /* the tool ran, and says that it failed */
    EXIT_STOPPED = 130, /* a signal ended it */
};

typedef struct {
    const char *name;  /* the words on the command line, e.g. "admin user add" */
    const char *usage; /* arguments behind the name */
    const char *about; /* one line for --help */
    /** Gets what follows the name; argv[argc] is NULL. Returns an exit code. */
    int (*run)(int argc, char **argv);
} command_t;

extern const command_t CMD_SERVE;
extern const command_t CMD_CONFIG_CHECK;
extern const command_t CMD_CONFIG_SHOW;
extern const command_t CMD_ADMIN_USER_ADD;
extern const command_t CMD_ADMIN_USER_DISABLE;
extern const command_t CMD_ADMIN_USER_GROUPS;
extern const command_t CMD_ADMIN_USER_PASSWORD;
extern const command_t CMD_ADMIN_USER_LIST;
extern const command_t CMD_ADMIN_CLIENT_ADD;
extern const command_t CMD_ADMIN_CLIENT_DELETE;
extern const command_t CMD_ADMIN_CLIENT_LIST;
extern const command_t CMD_ADMIN_CLIENT_LOOPBACK;
extern const command_t CMD_ADMIN_RESOURCE_ADD;
extern const command_t CMD_ADMIN_RESOURCE_DELETE;
extern const command_t CMD_ADMIN_RESOURCE_LIST;
extern const command_t CMD_ADMIN_RESOURCE_SHOW;
extern const command_t CMD_ADMIN_REVOKE;
extern const command_t CMD_ADMIN_REGISTRATION_TOKEN;
extern const command_t CMD_ADMIN_KEY_LIST;
extern const command_t CMD_ADMIN_KEY_ROTATE;
extern const command_t CMD_ADMIN_KEY_REMOVE;
extern const command_t CMD_ADMIN_KEY_RESEAL;
extern const command_t CMD_STORE_STATS;
extern const command_t CMD_STORE_CHECK;
extern const command_t CMD_STORE_BACKUP;
extern const command_t CMD_STORE_RESTORE;
extern const command_t CMD_STORE_EXPORT;
extern const command_t CMD_STORE_IMPORT;
extern const command_t CMD_STORE_MIGRATE;
extern const command_t CMD_POLICY_EXPLAIN;
extern const command_t CMD_POLICY_WHO_CAN;
extern const command_t CMD_POLICY_DIFF;
extern const command_t CMD_POLICY_TEST;
extern const command_t CMD_POLICY_REPLAY;
extern const command_t CMD_AUDIT_EXPORT;
extern const command_t CMD_AUDIT_MERGE;
extern const command_t CMD_AUDIT_TAIL;
extern const command_t CMD_AUDIT_VERIFY;
extern const command_t CMD_PIN_LIST;
extern const command_t CMD_PIN_APPROVE;
extern const command_t CMD_PIN_FORGET;
extern const command_t CMD_CONNECT;
extern const command_t CMD_CALL;
extern const command_t CMD_TOOLS;
extern const command_t CMD_TOKEN;
extern const command_t CMD_LOGOUT;
extern const command_t CMD_COMPLETION;
extern const command_t CMD_DOCTOR;

/** All commands, in the order of --help; ended by NULL. */
extern const command_t *const COMMANDS[];
/** The command whose words stand at the front of argv, and how many they are; or NULL. */
const command_t *command_find(int argc, char **argv, int *words);
/** Whether its name begins with this word and goes on: `policy explain` is of the group `policy`.
 */
bool command_is_of(const command_t *command, const char *group);

/** Where a refusal goes that nobody is to read on standard error: a reload's. */
typedef struct {
    arena_t *a;
    str_t why; /* one sentence in `a` */
} refusal_t;

/** command_fail, or with `r` the same sentence in r->why. */
int command_refuse(refusal_t *r, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/** Prints "warder: <message>" on standard error in one line, whatever is in it, and returns `code`.
 *  Never give it a secret. */
int command_fail(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int command_out_of_memory(void);
/** The message of this thread's last command_fail; "" before it. Until the next one. */
const char *command_last_failure(void);
/** "2026-01-31T12:00:00Z" of Unix seconds, in the arena. Unset: beyond the calendar, or no memory.
 */
str_t command_time(arena_t *a, int64_t seconds);
/** For whoever has passwords, tokens or keys in memory: no file of it is ever written. */
void command_forbid_core(void);

#endif
