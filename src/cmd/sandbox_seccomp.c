/* The filter of system calls. It names what a server never does, and refuses it with EPERM; what is
 * left goes on as before. A list of what is allowed would be shorter to trust and would break with
 * each release of libc, OpenSSL, libpq and curl, at customers: what an intruder wants to do is
 * known better than what these libraries will do next year. */
#include "cmd/sandbox.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* By name, so that a call that this machine's headers do not know yet is left out. */
static const char *const FORBIDDEN[] = {
    /* other programs, and processes of one's own */
    "execve", "execveat", "fork", "vfork", "personality", "uselib", "userfaultfd", "memfd_create",
    "memfd_secret", "modify_ldt",
    /* other processes' memory, descriptors and lives */
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease",
    "kcmp", "tkill", "pidfd_getfd", "pidfd_send_signal", "migrate_pages", "move_pages",
    /* the kernel's own doors */
    "bpf", "perf_event_open", "io_uring_setup", "io_uring_enter", "io_uring_register", "keyctl",
    "add_key", "request_key", "init_module", "finit_module", "delete_module", "kexec_load",
    "kexec_file_load", "lookup_dcookie", "nfsservctl", "syslog", "iopl", "ioperm", "vm86",
    "vm86old", "fanotify_init", "open_by_handle_at", "name_to_handle_at",
    /* the view of the file system */
    "mount", "umount", "umount2", "move_mount", "open_tree", "open_tree_attr", "fsopen", "fsconfig",
    "fsmount", "fspick", "mount_setattr", "pivot_root", "chroot", "setns", "unshare", "mknod",
    "mknodat", "chmod", "fchmodat", "fchmodat2", "chown", "lchown", "fchownat", "setxattr",
    "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr", "quotactl",
    "quotactl_fd", "acct", "swapon", "swapoff", "ustat", "sysfs",
    /* the machine */
    "reboot", "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "stime", "sethostname",
    "setdomainname", "vhangup",
    /* who one is */
    "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setfsuid", "setfsgid",
    "setgroups", "capset"};

static bool deny(scmp_filter_ctx f, const char *name)
{
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR)
        return true;
    int rc = seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), number, 0);
    /* -EINVAL, -EDOM: not on this architecture. */
    return rc == 0 || rc == -EINVAL || rc == -EDOM;
}

static bool deny_if(scmp_filter_ctx f, int number, unsigned n, const struct scmp_arg_cmp *when)
{
    return seccomp_rule_add_array(f, SCMP_ACT_ERRNO(EPERM), number, n, when) == 0;
}

/* Threads, but no processes and no name spaces. Of clone3 the filter cannot see what it is to do:
 * libc takes clone where it is not there. */
static bool deny_processes(scmp_filter_ctx f)
{
    const struct scmp_arg_cmp no_thread = SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0);
    const struct scmp_arg_cmp others = SCMP_A0(SCMP_CMP_NE, (scmp_datum_t)getpid());
    const struct scmp_arg_cmp limits = SCMP_A0(SCMP_CMP_NE, 0);
    return deny_if(f, SCMP_SYS(clone), 1, &no_thread) &&
           seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0 &&
           deny_if(f, SCMP_SYS(kill), 1, &others) && deny_if(f, SCMP_SYS(tgkill), 1, &others) &&
           deny_if(f, SCMP_SYS(rt_sigqueueinfo), 1, &others) &&
           deny_if(f, SCMP_SYS(rt_tgsigqueueinfo), 1, &others) &&
           deny_if(f, SCMP_SYS(prlimit64), 1, &limits);
}

/* Of the families only those that the server, its name resolution and its libraries use: Unix,
 * IPv4, IPv6, and the kernel's list of addresses and routes. No raw packets. */
static bool deny_sockets(scmp_filter_ctx f)
{
    enum { TYPE = 0xf };
    const struct scmp_arg_cmp beyond = SCMP_A0(SCMP_CMP_GT, AF_NETLINK);
    bool ok = deny_if(f, SCMP_SYS(socket), 1, &beyond);
    for (unsigned family = AF_UNIX + 1; ok && family < AF_NETLINK; family++) {
        const struct scmp_arg_cmp raw[] = {SCMP_A0(SCMP_CMP_EQ, family),
                                           SCMP_A1(SCMP_CMP_MASKED_EQ, TYPE, SOCK_RAW)};
        bool ip = family == AF_INET || family == AF_INET6;
        ok = deny_if(f, SCMP_SYS(socket), ip ? 2 : 1, raw);
    }
    const struct scmp_arg_cmp netlink[] = {SCMP_A0(SCMP_CMP_EQ, AF_NETLINK),
                                           SCMP_A2(SCMP_CMP_NE, 0)};
    return ok && deny_if(f, SCMP_SYS(socket), 2, netlink);
}

/* No page is both written and run, nor made to run later: what comes over the network stays data.
 * Libraries that are loaded later map their files as they are. */
static bool deny_code(scmp_filter_ctx f)
{
    const scmp_datum_t both = PROT_WRITE | PROT_EXEC;
    const struct scmp_arg_cmp mapped = SCMP_A2(SCMP_CMP_MASKED_EQ, both, both);
    const struct scmp_arg_cmp changed = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC);
    return deny_if(f, SCMP_SYS(mmap), 1, &mapped) && deny_if(f, SCMP_SYS(mprotect), 1, &changed) &&
           deny_if(f, SCMP_SYS(pkey_mprotect), 1, &changed);
}

/* Nothing is typed into somebody's terminal. */
static bool deny_terminals(scmp_filter_ctx f)
{
    const scmp_datum_t low = 0xffffffff;
    const struct scmp_arg_cmp typed = SCMP_A1(SCMP_CMP_MASKED_EQ, low, TIOCSTI);
    const struct scmp_arg_cmp pasted = SCMP_A1(SCMP_CMP_MASKED_EQ, low, TIOCLINUX);
    return deny_if(f, SCMP_SYS(ioctl), 1, &typed) && deny_if(f, SCMP_SYS(ioctl), 1, &pasted);
}

static bool fill(scmp_filter_ctx f)
{
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof FORBIDDEN / sizeof *FORBIDDEN; i++)
        ok = deny(f, FORBIDDEN[i]);
    return ok && deny_processes(f) && deny_sockets(f) && deny_code(f) && deny_terminals(f);
}

rc_t sandbox_seccomp(void)
{
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
    if (!f)
        return RC_MEMORY;
    /* Calls of another architecture, such as 32 bit, go past all names above: they kill. */
    bool ok = seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0 &&
              seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1) == 0 && fill(f) && seccomp_load(f) == 0;
    seccomp_release(f);
    return ok ? RC_OK : RC_IO;
}
