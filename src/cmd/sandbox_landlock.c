/* Landlock (landlock(7)) by its system calls: the headers of a distribution are older than the
 * kernels it runs on, so what later kernels know is named here. */
#include "cmd/sandbox.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    FS_EXECUTE = 1 << 0,
    FS_WRITE_FILE = 1 << 1,
    FS_READ_FILE = 1 << 2,
    FS_READ_DIR = 1 << 3,
    FS_REMOVE_FILE = 1 << 5,
    FS_MAKE_REG = 1 << 8,
    FS_MAKE_SOCK = 1 << 9,
    FS_REFER = 1 << 13,     /* version 2 */
    FS_TRUNCATE = 1 << 14,  /* version 3 */
    FS_IOCTL_DEV = 1 << 15, /* version 5 */
    FS_FIRST = (1 << 13) - 1,
    NET_BIND_TCP = 1 << 0, /* version 4 */
    NET_CONNECT_TCP = 1 << 1,
    SCOPE_ABSTRACT = 1 << 0, /* version 6 */
    SCOPE_SIGNAL = 1 << 1,
    OF_FILES = FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV,
    READS = FS_READ_FILE | FS_READ_DIR,
    WRITES = READS | FS_WRITE_FILE | FS_REMOVE_FILE | FS_MAKE_REG | FS_MAKE_SOCK | FS_REFER |
             FS_TRUNCATE,
    VERSION_NET = 4,
    VERSION_SCOPE = 6,
};
enum { ASK_VERSION = 1, RULE_PATH = 1, RULE_PORT = 2 };

typedef struct {
    uint64_t files, net, scoped;
} handled_t;

typedef struct {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed)) path_rule_t;

typedef struct {
    uint64_t allowed, port;
} port_rule_t;

static int version_of_kernel(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, ASK_VERSION);
    return version > 0 ? (int)version : 0;
}

/* All that this kernel can hold. */
static handled_t handled_by(const sandbox_plan_t *plan, int version)
{
    handled_t h = {.files = FS_FIRST};
    h.files |= version >= 2 ? FS_REFER : 0;
    h.files |= version >= 3 ? FS_TRUNCATE : 0;
    h.files |= version >= 5 ? FS_IOCTL_DEV : 0;
    if (version >= VERSION_NET)
        h.net = (plan->any_port ? 0 : NET_BIND_TCP) | (plan->n_connect ? NET_CONNECT_TCP : 0);
    if (version >= VERSION_SCOPE)
        h.scoped = SCOPE_SIGNAL | (plan->abstract ? 0 : SCOPE_ABSTRACT);
    return h;
}

/* What is not there cannot be opened later either. */
static bool add_path(int ruleset, const handled_t *h, const sandbox_path_t *path)
{
    struct stat st;
    int fd = open(path->path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return true;
    bool ok = fstat(fd, &st) == 0;
    path_rule_t rule = {.allowed = path->writes ? WRITES : READS, .parent = fd};
    rule.allowed &= h->files;
    if (ok && !S_ISDIR(st.st_mode))
        rule.allowed &= OF_FILES;
    ok = ok && syscall(SYS_landlock_add_rule, ruleset, RULE_PATH, &rule, 0) == 0;
    close(fd);
    return ok;
}

static bool add_ports(int ruleset, uint64_t right, const uint16_t *ports, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const port_rule_t rule = {right, ports[i]};
        if (syscall(SYS_landlock_add_rule, ruleset, RULE_PORT, &rule, 0) != 0)
            return false;
    }
    return true;
}

static bool fill(int ruleset, const handled_t *h, const sandbox_plan_t *plan)
{
    for (size_t i = 0; i < plan->n_paths; i++)
        if (!add_path(ruleset, h, &plan->paths[i]))
            return false;
    if ((h->net & NET_BIND_TCP) && !add_ports(ruleset, NET_BIND_TCP, plan->listen, plan->n_listen))
        return false;
    return !(h->net & NET_CONNECT_TCP) ||
           add_ports(ruleset, NET_CONNECT_TCP, plan->connect, plan->n_connect);
}

rc_t sandbox_landlock(const sandbox_plan_t *plan, int *version)
{
    *version = version_of_kernel();
    if (*version == 0)
        return RC_IO;
    const handled_t h = handled_by(plan, *version);
    long fd = syscall(SYS_landlock_create_ruleset, &h, sizeof h, 0);
    bool ok =
        fd >= 0 && fill((int)fd, &h, plan) && syscall(SYS_landlock_restrict_self, (int)fd, 0) == 0;
    if (fd >= 0)
        close((int)fd);
    if (!ok)
        *version = 0;
    return ok ? RC_OK : RC_IO;
}
