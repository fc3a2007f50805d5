/* The filter of the signing process: it does so little that what is allowed can be listed. All else
 * is refused with EPERM. */
#include "cmd/sandbox.h"

#include <errno.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *const ALLOWED[] = {
    /* its sockets, and what it has to say when it ends */
    "read", "write", "writev", "recvfrom", "recvmsg", "sendto", "sendmsg",
    /* memory; mmap and mprotect stand below */
    "brk", "munmap", "mremap", "madvise",
    /* its threads */
    "futex", "futex_time64", "sched_yield", "rt_sigprocmask", "rt_sigreturn", "sigaltstack",
    "restart_syscall", "gettid", "getpid", "exit", "exit_group",
    /* random bytes and the time, where the kernel gives it by a call */
    "getrandom", "clock_gettime", "clock_gettime64", "gettimeofday", "time"};

static bool allow(scmp_filter_ctx f, const char *name)
{
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR)
        return true;
    int rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, number, 0);
    /* -EINVAL, -EDOM: not on this architecture. */
    return rc == 0 || rc == -EINVAL || rc == -EDOM;
}

static bool allow_if(scmp_filter_ctx f, int number, struct scmp_arg_cmp when)
{
    int rc = seccomp_rule_add_array(f, SCMP_ACT_ALLOW, number, 1, &when);
    return rc == 0 || rc == -EINVAL || rc == -EDOM;
}

/* No page is ever made to run. abort(3) signals itself. */
static bool allow_some(scmp_filter_ctx f)
{
    const struct scmp_arg_cmp data = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
    const struct scmp_arg_cmp self = SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid());
    return allow_if(f, SCMP_SYS(mmap), data) && allow_if(f, SCMP_SYS(mmap2), data) &&
           allow_if(f, SCMP_SYS(mprotect), data) && allow_if(f, SCMP_SYS(tgkill), self);
}

rc_t sandbox_signer_seccomp(void)
{
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (!f)
        return RC_MEMORY;
    bool ok = seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0 &&
              seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1) == 0;
    for (size_t i = 0; ok && i < sizeof ALLOWED / sizeof *ALLOWED; i++)
        ok = allow(f, ALLOWED[i]);
    ok = ok && allow_some(f) && seccomp_load(f) == 0;
    seccomp_release(f);
    return ok ? RC_OK : RC_IO;
}
