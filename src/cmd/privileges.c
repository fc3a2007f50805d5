#include "cmd/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PASSWD_BYTES = 16384, SETS = _LINUX_CAPABILITY_U32S_3 };

typedef struct {
    const char *name;
    uid_t uid;
    gid_t gid;
} user_t;

/* What `keep` names and the process has stays; all else goes. */
static bool keep_capabilities(uint64_t keep)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct sets[SETS];
    if (syscall(SYS_capget, &head, sets) != 0)
        return false;
    for (size_t i = 0; i < SETS; i++) {
        sets[i].permitted &= (uint32_t)(keep >> (32 * i));
        sets[i].effective = sets[i].permitted;
        sets[i].inheritable = 0;
    }
    return syscall(SYS_capset, &head, sets) == 0;
}

static uint64_t bit(unsigned capability)
{
    return UINT64_C(1) << capability;
}

static int find_user(arena_t *a, str_t name, user_t *out)
{
    struct passwd row, *found = NULL;
    char *room = arena_alloc(a, PASSWD_BYTES);
    out->name = arena_cstr(a, name);
    if (!room || !out->name)
        return command_out_of_memory();
    int error = getpwnam_r(out->name, &row, room, PASSWD_BYTES, &found);
    if (!found)
        return command_fail(EXIT_SETTING,
                            "run_as is '%s', and there is no account of that name%s%s", out->name,
                            error ? ": " : "", error ? strerror(error) : "");
    out->uid = row.pw_uid;
    out->gid = row.pw_gid;
    return EXIT_DONE;
}

/* The folder is the user's where this start makes it; who made it before has chosen its owner. */
static int make_data(arena_t *a, const settings_t *s, const user_t *user)
{
    struct stat st;
    const char *path = arena_cstr(a, s->conf.data);
    if (!path)
        return command_out_of_memory();
    bool is_new = stat(path, &st) != 0;
    int code = settings_make_data(a, s);
    if (code != EXIT_DONE || !is_new || lchown(path, user->uid, user->gid) == 0)
        return code;
    return command_fail(EXIT_FAILED, "the data folder '%s' cannot be given to user '%s': %s", path,
                        user->name, strerror(errno));
}

/* Groups first: the user may not change them. Ports below 1024 are still to be bound. */
static bool change_user(const user_t *user)
{
    uint64_t keep = bit(CAP_NET_BIND_SERVICE);
    return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0 && initgroups(user->name, user->gid) == 0 &&
           setresgid(user->gid, user->gid, user->gid) == 0 &&
           setresuid(user->uid, user->uid, user->uid) == 0 && keep_capabilities(keep);
}

static int take_user(const user_t *user)
{
    return change_user(user) ? EXIT_DONE
                             : command_fail(EXIT_FAILED, "cannot become user '%s': %s", user->name,
                                            strerror(errno));
}

static int become(arena_t *a, const settings_t *s)
{
    user_t user = {0};
    int code = find_user(a, s->conf.run_as, &user);
    if (code != EXIT_DONE || user.uid == geteuid())
        return code;
    if (geteuid() != 0)
        return command_fail(EXIT_SETTING,
                            "run_as is '%s', and only root can become another; start as root or as "
                            "'%s'",
                            user.name, user.name);
    code = make_data(a, s, &user);
    return code == EXIT_DONE ? take_user(&user) : code;
}

int privileges_look(arena_t *a, const settings_t *s)
{
    user_t user = {0};
    if (s->conf.run_as.n == 0 || geteuid() != 0)
        return EXIT_DONE;
    int code = find_user(a, s->conf.run_as, &user);
    return code != EXIT_DONE || user.uid == geteuid() ? code : take_user(&user);
}

int privileges_enter(arena_t *a, const settings_t *s, mode_t *mask)
{
    int code = s->conf.run_as.n > 0 ? become(a, s) : EXIT_DONE;
    if (code == EXIT_DONE)
        code = settings_make_data(a, s);
    mode_t before = umask(S_IRWXG | S_IRWXO);
    if (mask)
        *mask = before;
    return code;
}

void privileges_narrow(void)
{
    /* Where root serves after all, files of another owner are in the data folder: commands that ran
     * as that one made them. */
    (void)keep_capabilities(bit(CAP_NET_BIND_SERVICE) | bit(CAP_DAC_OVERRIDE) | bit(CAP_CHOWN) |
                            bit(CAP_FOWNER));
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

void privileges_drop(void)
{
    (void)keep_capabilities(0);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

bool privileges_are_roots(const settings_t *s)
{
    return geteuid() == 0 && s->conf.run_as.n == 0;
}
